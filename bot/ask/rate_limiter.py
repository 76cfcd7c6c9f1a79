"""How many questions a member, and a server, may ask in a minute.

One member's script, or one server in a frenzy, must not make everybody else wait. Whoever asks too
often is told when to go on.
"""

from __future__ import annotations

import math
import time

from discord.app_commands import Cooldown

from bot.recent import Recent
from bot.text import replies

MINUTE_S = 60.0
SERVER_FACTOR = 20  # a server may ask as much as so many members
KEPT = 10_000  # members, and servers, whose pace is remembered


class Pace:
    """Counts questions; `member_rate` a minute, 0 for no limit."""

    def __init__(self, member_rate: int) -> None:
        self._rate = member_rate
        self._members: Recent[Cooldown] = Recent(KEPT)
        self._servers: Recent[Cooldown] = Recent(KEPT)

    def take(self, guild_id: int, member_id: int) -> None:
        """Count a question. raises   Refusal, with the seconds to wait"""
        if not self._rate:
            return
        now = time.monotonic()  # a clock that is set back must not shut anyone out
        if wait := _wait(self._members, member_id, self._rate, now):
            raise replies.Refusal(replies.too_many_questions(math.ceil(wait), server=False))
        if wait := _wait(self._servers, guild_id, self._rate * SERVER_FACTOR, now):
            raise replies.Refusal(replies.too_many_questions(math.ceil(wait), server=True))


def _wait(paces: Recent[Cooldown], key: int, rate: int, now: float) -> float | None:
    pace = paces.get(key) or Cooldown(rate, MINUTE_S)
    paces.put(key, pace)
    return pace.update_rate_limit(now)
