"""How many questions a member, and a server, may ask in a minute.

A script of one member, or one very busy server, must not make all others wait. Members who ask too
often are told when they can ask again.
"""

from __future__ import annotations

import math
import time

from cachetools import LRUCache
from discord.app_commands import Cooldown

from bot.platform.refusal import Refusal
from bot.text import answers as text

MINUTE_S = 60.0
SERVER_FACTOR = 20  # a server may ask as much as this many members
REMEMBERED = 10_000  # members, and servers


class RateLimiter:
    """Counts questions. A member may ask `member_rate` a minute; 0: any number."""

    def __init__(self, member_rate: int) -> None:
        self._rate = member_rate
        self._members: LRUCache[int, Cooldown] = LRUCache(REMEMBERED)
        self._servers: LRUCache[int, Cooldown] = LRUCache(REMEMBERED)

    def take(self, guild_id: int, member_id: int) -> None:
        """Count a question.

        raises   Refusal, with the seconds to wait
        """
        if not self._rate:
            return
        now = time.monotonic()  # the wall clock may be set back, and members would have to wait
        if wait := _wait(self._members, member_id, self._rate, now):
            raise Refusal(text.too_many_questions(math.ceil(wait), server=False))
        if wait := _wait(self._servers, guild_id, self._rate * SERVER_FACTOR, now):
            raise Refusal(text.too_many_questions(math.ceil(wait), server=True))


def _wait(counted: LRUCache[int, Cooldown], key: int, rate: int, now: float) -> float | None:
    cooldown = counted.get(key) or Cooldown(rate, MINUTE_S)
    counted[key] = cooldown
    return cooldown.update_rate_limit(now)
