"""Faults of the process and the machine: kills, a locked file, a full disk, a wrong clock."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import sqlite3
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.chaos.bot import Bot
from checks.chaos.candidates import NoCandidate, between

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
    ballast: Path | None  # the file that can fill the disk; None when the disk is too large
    later: Callable[[Coroutine[Any, Any, None]], None]  # runs what lasts longer than the step

    def calm(self) -> None:
        """End all these faults."""
        self.bot.limit_files(None)
        self.bot.clock.set(0)
        if self.ballast is not None:
            _empty(self.ballast)

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
        self.later(self._locked(seconds))
        return f"{seconds:.1f} s"

    async def _locked(self, seconds: float) -> None:
        """Hold the file's write lock, as another program may."""
        with contextlib.closing(sqlite3.connect(self.bot.db, timeout=0)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return  # the bot is writing, or there is no file yet
            await asyncio.sleep(seconds)

    async def disk_full(self, how_long: float, _: float, __: float, ___: float) -> str:
        if self.ballast is None:
            raise NoCandidate
        seconds = between(DISK_S, how_long)
        self.later(self._filled(self.ballast, seconds))
        return f"{seconds:.1f} s"

    async def _filled(self, ballast: Path, seconds: float) -> None:
        try:
            _fill(ballast)
            await asyncio.sleep(seconds)
        finally:
            _empty(ballast)

    async def file_limit(self, how_long: float, more: float, _: float, __: float) -> str:
        limit = max(_size(Path(f"{self.bot.db}-wal")), 4096) + int(more * 8192)
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


def disk(stack: contextlib.ExitStack, folder: Path) -> tuple[Path, Path | None]:
    """A small disk for the gallery, and the file that can fill it.

    Where no disk can be mounted: an ordinary folder, and None.
    """
    place = folder / "disk"
    place.mkdir()
    mounted = os.system(f"mount -t tmpfs -o size=48m tmpfs '{place}' 2>/dev/null") == 0
    if not mounted:
        return place, None
    stack.callback(os.system, f"umount -l '{place}'")
    return place, place / "ballast"


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        piece = 1 << 20
        while piece:
            try:
                file.write(b"\0" * piece)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                piece //= 2


def _empty(ballast: Path) -> None:
    ballast.unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
