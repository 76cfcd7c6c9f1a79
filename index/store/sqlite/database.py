"""The gallery's file behind three connections: one for writing and two for reading.

Durability. `synchronous = FULL` in WAL mode: a commit is on disk before it is acknowledged, so a
deletion doesn't come back after a power cut. NORMAL would be consistent too, and faster at one
link a commit, but forgets the last commits. FULL still takes hundreds of links a second one by one
and thousands in batches, which is more than a CPU embeds.

One writer. A write is a whole function handed to `write`. It runs in a transaction of its own, one
after another, and is never half done when its caller is cancelled. A second connection reads
meanwhile. A third one reads what takes many milliseconds, so that short reads don't wait for it.

Deleted means overwritten. `secure_delete` overwrites what is removed. The write-ahead log, which
still has it, is emptied after each removal. When SQLite moves rows between pages it may leave a
name or a hash (a few out of thousands of removals) in the unused part of a page, where only
a look at the raw file finds it; `vacuum` clears those too, and what the index of words keeps.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

import aiosqlite

from index.concurrency import to_completion
from index.store.sql.database import Row, WordQuestion
from index.store.sqlite import connections, words
from index.store.sqlite.dialect import parameters, statement
from index.store.sqlite.transaction import Transaction
from index.types.errors import GalleryClosed, StoreUnreachable
from index.types.filter import Filter

log = logging.getLogger(__name__)
T = TypeVar("T")

# The folder of segments is named after the file, with this at the end.
SEGMENTS = ".segments"
# The log can't be emptied while somebody reads; such a read takes milliseconds.
CHECKPOINT_TRIES = 4
CHECKPOINT_PAUSE_S = 0.05


class Database:
    """One file and its connections; made by `open`.

    reader, patient_reader   for short reads, and for long ones
    """

    def __init__(
        self,
        path: Path,
        reader: aiosqlite.Connection,
        patient_reader: aiosqlite.Connection,
        writer: aiosqlite.Connection | None,
        held: IO[str] | None,
    ) -> None:
        self.path = path
        self._reader = reader
        self._patient_reader = patient_reader
        self._writer = writer
        self._held = held
        self._writing = asyncio.Lock()
        # The log may have what a process deleted that was killed before it emptied the log.
        self._log_has_deleted = True
        self._has_strays = True  # bytes of what was removed may lie in unused parts of pages
        self._closed = False

    @classmethod
    async def open(cls, path: Path, *, read_only: bool = False) -> Database:
        """The database in the file `path`, made or brought to the newest shape when needed.

        raises   StoreLocked, StoreCorrupt, StoreTooNew, StoreUnreachable, StoreFull
        """
        path = await asyncio.to_thread(path.resolve)
        with connections.translated(path):
            async with contextlib.AsyncExitStack() as opened:

                async def kept(opening: Awaitable[aiosqlite.Connection]) -> aiosqlite.Connection:
                    connection = await opening
                    opened.push_async_callback(connection.close)
                    return connection

                held = writer = None
                if not read_only:
                    held = await asyncio.to_thread(connections.prepare, path)
                    opened.callback(held.close)
                    writer = await kept(connections.open_writer(path))
                reader = await kept(connections.open_reader(path))
                patient_reader = await kept(connections.open_reader(path))
                opened.pop_all()
        return cls(path, reader, patient_reader, writer, held)

    async def close(self) -> None:
        """Let running writes finish, refuse later ones, and give the file back."""
        if self._closed:
            return
        self._closed = True
        async with self._writing:
            await self._reader.close()
            await self._patient_reader.close()
            if self._writer is not None:
                # The last connection to close empties the log into the file.
                await self._writer.close()
            if self._held is not None:
                self._held.close()

    async def write(self, fn: Callable[[Transaction], Awaitable[T]]) -> T:
        """What `fn` gives back, run as one transaction that a cancelled caller doesn't stop."""
        return await to_completion(self._transaction(fn))

    async def execute(self, sql: str, *params: Any) -> None:
        """Run one statement as a transaction. SQLite makes one of it by itself, so it is one way to
        the connection's thread instead of three."""
        await to_completion(self._in_turn(lambda writer: Transaction(writer).execute(sql, *params)))

    async def _transaction(self, fn: Callable[[Transaction], Awaitable[T]]) -> T:
        async def work(writer: aiosqlite.Connection) -> T:
            await writer.execute("BEGIN IMMEDIATE")
            try:
                result = await fn(Transaction(writer))
                await writer.commit()
            except BaseException:
                await writer.rollback()
                raise
            return result

        return await self._in_turn(work)

    async def _in_turn(self, work: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        """What `work` gives back, which writes, and which no other write comes between."""
        async with self._writing:
            if self._closed:
                raise GalleryClosed
            if self._writer is None:
                raise StoreUnreachable(self.path, "it was opened for reading only")
            with connections.translated(self.path):
                result = await work(self._writer)
                if self._log_has_deleted:
                    self._has_strays = True
                    await self._empty_log(self._writer)
            return result

    async def _empty_log(self, writer: aiosqlite.Connection) -> None:
        """Move the write-ahead log into the file and cut it to nothing, unless a read is under
        way for long; then the next write tries again."""
        await writer.execute_fetchall("PRAGMA busy_timeout = 0")  # tried again by ourselves
        try:
            for attempt in range(CHECKPOINT_TRIES):
                await asyncio.sleep(CHECKPOINT_PAUSE_S * attempt)
                ((busy, _, _),) = await writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
                if not busy:
                    self._log_has_deleted = False
                    return
            log.info("the write-ahead log is being read and is emptied with the next write")
        finally:
            timeout_ms = int(connections.BUSY_TIMEOUT_S * 1000)
            await writer.execute_fetchall(f"PRAGMA busy_timeout = {timeout_ms}")

    def note_deletion(self) -> None:
        """Something is deleted in this transaction: after its commit the log is emptied, since
        it still has what was deleted."""
        self._log_has_deleted = True

    @property
    def place(self) -> str:
        """The file's path, for people."""
        return str(self.path)

    async def rows(self, sql: str, *params: Any) -> list[Row]:
        """All rows that a query gives."""
        return await self._read(self._reader, sql, params)

    async def many_rows(self, sql: str, *params: Any) -> list[Row]:
        """All rows that a query gives, which may be so many that others must not wait for it."""
        return await self._read(self._patient_reader, sql, params)

    async def _read(
        self, connection: aiosqlite.Connection, sql: str, params: Sequence[Any]
    ) -> list[Row]:
        if self._closed:
            raise GalleryClosed
        with connections.translated(self.path):
            return list(await connection.execute_fetchall(statement(sql), parameters(params)))

    async def saying(
        self,
        questions: Callable[[], Sequence[WordQuestion]],
        filter: Filter,
        *,
        most: int | None = None,
    ) -> list[list[int]]:
        """For each question the links that the index of words has."""

        def ask() -> tuple[int, str, Sequence[object]]:
            made = questions()
            return len(made), *words.statement(made, filter, most=most)

        count, sql, params = await asyncio.to_thread(ask)
        found: list[list[int]] = [[] for _ in range(count)]
        if count:
            for number, link in await self.many_rows(sql, *params):
                found[number].append(link)
        return found

    async def count_rows(self, table: str) -> int:
        """How many rows a table has: an index has the answer, of 1,000,000 in 5 ms."""
        ((count,),) = await self.rows(f"SELECT COUNT(*) FROM {table}")
        return int(count)

    async def disk_bytes(self) -> int:
        """What the file, its write-ahead log and its segments take on disk."""
        return await asyncio.to_thread(_disk_bytes, self.path)

    async def version(self) -> int:
        """A number that is another one when another connection has written since."""
        ((version,),) = await self.rows("PRAGMA data_version")
        return int(version)

    async def chunks(self, sql: str, *params: Any, size: int) -> AsyncGenerator[list[Row]]:
        """The rows that a query gives, `size` at a time."""
        with connections.translated(self.path):
            async with self._reader.execute(statement(sql), parameters(params)) as cursor:
                while rows := await cursor.fetchmany(size):
                    yield list(rows)

    async def vacuum(self) -> None:
        """Write the file anew, without gaps: takes seconds a gigabyte, in which writes wait.

        It needs room for two copies: one beside the file, and one in the log. Does nothing where
        nothing was removed since the last time.
        """
        await to_completion(self._vacuum())

    async def _vacuum(self) -> None:
        async with self._writing:
            if self._closed:
                raise GalleryClosed
            if self._writer is None:
                raise StoreUnreachable(self.path, "it was opened for reading only")
            if not self._has_strays:
                return
            with connections.translated(self.path):
                await words.merge(self._writer)
                await asyncio.to_thread(connections.close_gaps, self.path)
                self._has_strays = False
                self._log_has_deleted = True
                await self._empty_log(self._writer)


def _disk_bytes(path: Path) -> int:
    files = (path.with_name(path.name + end) for end in ("", "-wal", "-shm"))
    segments = path.with_name(path.name + SEGMENTS).glob("*")
    return sum(file.stat().st_size for file in (*files, *segments) if file.exists())
