"""How many questions a member, and a server, may ask in a minute.

A script of one member, or one very busy server, must not make all others wait. Members who ask too
often are told when they can ask again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

from cachetools import LRUCache
from discord.app_commands import Cooldown

from bot.platform.refusal import Refusal
from bot.text import answers as text

MINUTE_S = 60.0
SERVER_FACTOR = 20  # a server may ask as much as this many members
REMEMBERED = 10_000  # members, and servers


class RateLimiter:
    """Counts questions. A member may ask `member_rate` a minute; 0: any number.

    clock    gives seconds that only ever grow; if the clock were set back, as that of the day may
             be, members would have to wait
    """

    def __init__(self, member_rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = member_rate
        self._clock = clock
        self._members: LRUCache[int, Cooldown] = LRUCache(REMEMBERED)
        self._servers: LRUCache[int, Cooldown] = LRUCache(REMEMBERED)

    def take(self, guild_id: int, member_id: int) -> None:
        """Count a question.

        raises   Refusal, with the seconds to wait
        """
        if not self._rate:
            return
        now = self._clock()
        if wait := _wait(self._members, member_id, self._rate, now):
            raise _refusal(wait, server=False)
        if wait := _wait(self._servers, guild_id, self._rate * SERVER_FACTOR, now):
            raise _refusal(wait, server=True)


def _refusal(wait_s: float, *, server: bool) -> Refusal:
    return Refusal(partial(text.too_many_questions, math.ceil(wait_s), server=server))


def _wait(counted: LRUCache[int, Cooldown], key: int, rate: int, now: float) -> float | None:
    cooldown = counted.get(key) or Cooldown(rate, MINUTE_S)
    counted[key] = cooldown
    return cooldown.update_rate_limit(now)
