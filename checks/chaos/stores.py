"""What keeps the gallery of a run, the faults of it, and what is left there of erased pictures."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import trial_postgres
from bench.options import POSTGRES
from checks.chaos import truth
from checks.chaos.candidates import NoCandidate
from checks.chaos.reading import Place


class Store(Protocol):
    """A gallery's file, or its database server."""

    @property
    def place(self) -> Place: ...

    async def lock(self, seconds: float) -> None:
        """Let another program keep the bot from writing."""

    async def fill_disk(self, seconds: float) -> None:
        """Let its disk be full."""

    def check_can_fill(self) -> None:
        """raises   NoCandidate when its disk can't be filled"""

    def log_bytes(self) -> int:
        """The size of the log that the bot writes. raises   NoCandidate: it writes no file"""

    def calm(self) -> None:
        """End these faults."""

    def remains(self, traces: dict[bytes, str]) -> list[str]:
        """Which of these bytes are there."""

    def keep(self, folder: Path) -> None:
        """Keep all that is there in a folder, for whoever looks for a fault."""


class File:
    """A file on a small disk.

    ballast   the file that can fill the disk; None when no small disk can be mounted
    """

    def __init__(self, disk: Path, ballast: Path | None) -> None:
        self._disk = disk
        self._ballast = ballast
        self.place = disk / "magpie.db"

    async def lock(self, seconds: float) -> None:
        with contextlib.closing(sqlite3.connect(self.place, timeout=0)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return  # the bot is writing, or there is no file yet
            await asyncio.sleep(seconds)

    def check_can_fill(self) -> None:
        if self._ballast is None:
            raise NoCandidate

    async def fill_disk(self, seconds: float) -> None:
        assert self._ballast is not None
        try:
            _fill(self._ballast)
            await asyncio.sleep(seconds)
        finally:
            self.calm()

    def log_bytes(self) -> int:
        log = Path(f"{self.place}-wal")
        return log.stat().st_size if log.exists() else 0

    def calm(self) -> None:
        if self._ballast is not None:
            self._ballast.unlink(missing_ok=True)

    def remains(self, traces: dict[bytes, str]) -> list[str]:
        files = [path for path in self._disk.rglob("*") if path.is_file()]
        return truth.remains(files, traces)

    def keep(self, folder: Path) -> None:
        shutil.copytree(self._disk, folder / "gallery")


class Database:
    """A database on a server of its own, where what is committed waits for the disk."""

    def __init__(self, server: trial_postgres.Server) -> None:
        self._server = server
        self._restarting = asyncio.Lock()

    @property
    def place(self) -> str:
        return self._server.url

    async def lock(self, seconds: float) -> None:
        import asyncpg  # an extra

        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            db = await asyncpg.connect(self.place, timeout=5)
            try:
                async with db.transaction():
                    await db.execute("LOCK TABLE links IN EXCLUSIVE MODE", timeout=5)
                    await asyncio.sleep(seconds)
            finally:
                db.terminate()

    def check_can_fill(self) -> None:
        """It always can."""

    async def fill_disk(self, seconds: float) -> None:
        """A server that can't write its log ends as in a crash; it is started again later."""
        async with self._restarting:
            try:
                await asyncio.to_thread(self._server.kill)
                await asyncio.sleep(seconds)
            finally:
                await asyncio.to_thread(self._server.start)

    def log_bytes(self) -> int:
        raise NoCandidate

    def calm(self) -> None:
        """Nothing: each fault ends itself."""

    def remains(self, traces: dict[bytes, str]) -> list[str]:
        """Which of these bytes are in any row. A row that was removed leaves its bytes in unused
        parts of pages until others take their place: nobody reads them through the server."""
        dump = self._dump().encode()
        there = {one: what for one, what in traces.items() if one in dump}
        there |= {one: what for one, what in traces.items() if one.hex().encode() in dump}
        return [f"{what} in the database" for what in there.values()]

    def keep(self, folder: Path) -> None:
        (folder / "gallery.sql").write_text(self._dump())

    def _dump(self) -> str:
        return self._server.run("pg_dump", "--dbname", self.place)


@contextlib.contextmanager
def serve(db: str, folder: Path) -> Iterator[Store]:
    """A store for a new gallery. raises   Unavailable: no server can be started here"""
    if db == POSTGRES:
        with trial_postgres.serve(lasting=True) as server:
            yield Database(server)
        return
    disk = folder / "disk"
    disk.mkdir()
    mounted = os.system(f"mount -t tmpfs -o size=48m tmpfs '{disk}' 2>/dev/null") == 0
    try:
        yield File(disk, disk / "ballast" if mounted else None)
    finally:
        if mounted:
            os.system(f"umount -l '{disk}'")


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
