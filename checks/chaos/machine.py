"""Faults of the process and the machine: kills, a locked file, a full disk, a wrong clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from checks.chaos.bot import Bot
from checks.chaos.candidates import NoCandidate, between
from checks.chaos.stores import Store

LOCK_S = (1.0, 9.0)  # on both sides of the 5 s that SQLite waits for a lock
DISK_S = (1.0, 6.0)
CLOCK_S = (0.5, 10.0)
# By how much the clock is wrong at most. It must be less than the week for which the pictures of a
# server are kept after the bot has left it.
CLOCK_WRONG_S = 3 * 86_400


@dataclass
class Machine:
    """Each method is a step of the schedule. It returns what came of it, for the log."""

    bot: Bot
    store: Store
    later: Callable[[Coroutine[Any, Any, None]], None]  # runs what lasts longer than the step

    def calm(self) -> None:
        """End all these faults."""
        self.bot.limit_files(None)
        self.bot.clock.set(0)
        self.store.calm()

    async def kill(self, wait: float, _: float, __: float, ___: float) -> str:
        self.bot.wait_s = wait**3 * 8
        self.bot.kill()
        return f"back in {self.bot.wait_s:.1f} s"

    async def terminate(self, wait: float, _: float, __: float, ___: float) -> str:
        self.bot.wait_s = wait * 2
        self.bot.terminate()
        return f"back in {self.bot.wait_s:.1f} s"

    async def lock(self, how_long: float, _: float, __: float, ___: float) -> str:
        seconds = between(LOCK_S, how_long)
        self.later(self.store.lock(seconds))
        return f"{seconds:.1f} s"

    async def disk_full(self, how_long: float, _: float, __: float, ___: float) -> str:
        self.store.check_can_fill()
        seconds = between(DISK_S, how_long)
        self.later(self.store.fill_disk(seconds))
        return f"{seconds:.1f} s"

    async def file_limit(self, how_long: float, more: float, _: float, __: float) -> str:
        limit = max(self.store.log_bytes(), 4096) + int(more * 8192)
        seconds = between(DISK_S, how_long)
        self.later(self._limited(limit, seconds))
        return f"{limit} bytes, {seconds:.1f} s"

    async def _limited(self, limit: int, seconds: float) -> None:
        self.bot.limit_files(limit)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.bot.limit_files(None)

    async def clock(self, how: float, far: float, how_long: float, _: float) -> str:
        if not self.bot.clock.can_be_wrong:
            raise NoCandidate
        wrong_s = round(CLOCK_WRONG_S * far**4) * (1 if how < 0.5 else -1)  # mostly by little
        seconds = between(CLOCK_S, how_long)
        self.later(self._set_wrong(wrong_s, seconds))
        return f"{wrong_s:+} s, for {seconds:.1f} s"

    async def _set_wrong(self, wrong_s: int, seconds: float) -> None:
        self.bot.clock.set(wrong_s)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.bot.clock.set(0)
