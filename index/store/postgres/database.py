"""A gallery's database in PostgreSQL, behind a pool of connections.

One writer. Writes of one process run one after another, as on SQLite: what follows a write in
memory sees them in this order. Other processes write at the same time. Where two transactions meet
(both add the same picture, or one removes what the other one needs), PostgreSQL lets one fail, and
it is made again.

A lost connection. Reads and writes are made again on another connection, for some seconds. Where
the connection was lost during the commit, nobody knows whether it was made. So each transaction
keeps the number of its write: the next try sees it if it was, and nothing is done twice.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from index.concurrency import to_completion
from index.store.postgres import connections, schema, words
from index.store.postgres.connections import Pool, translated
from index.store.postgres.dialect import statement
from index.store.postgres.transaction import Transaction
from index.store.sql.database import Row, WordQuestion
from index.types.address import shown
from index.types.errors import GalleryClosed, StoreTooNew, StoreUnreachable
from index.types.filter import Filter

T = TypeVar("T")

# Reads that may take long use at most so many connections.
PATIENT_READERS = 4
# Rows of a table that are counted one by one; that of more is an estimate.
MOST_COUNTED = 1_000_000
# How often a transaction that met another one is made again.
TRIES = 8
# How long a vacuum may take; the next one goes on where it was ended.
VACUUM_S = 6 * 3600.0
# The pauses before a lost connection is made again, in seconds: some ten seconds together.
PAUSES_S = (0.1, 0.3, 1.0, 2.0, 3.0, 4.0)
# Notes the number of a write, in its own transaction; no row: that number was committed already.
_NEXT_NUMBER = """INSERT INTO writers AS known (id, newest, seen_at) VALUES ($1, $2, now())
    ON CONFLICT (id) DO UPDATE SET newest = excluded.newest, seen_at = excluded.seen_at
    WHERE known.newest < excluded.newest
    RETURNING (SELECT version FROM magpie_schema) AS version"""
# Without INDEX_CLEANUP, PostgreSQL leaves the entries of few removed rows in the indexes, with the
# hashes of pictures in them.
_VACUUM = "VACUUM (INDEX_CLEANUP ON)"
# A removed row stays as long as a transaction may see it that began before, such as a pg_dump's.
# Left out are tables that are written all the time and have nothing of anybody.
_REMOVED_ROWS_LEFT = """SELECT EXISTS (
    SELECT FROM pg_stat_user_tables WHERE n_dead_tup > 0 AND schemaname = current_schema()
    AND relname NOT IN ('writers', 'space_versions', 'touched', 'cursors'))"""
# What a process leaves behind that was killed.
_FORGET_WRITERS = "DELETE FROM writers WHERE seen_at < now() - interval '7 days'"


class Database:
    """One database and its connections; made by `open`."""

    def __init__(self, place: str, pool: Pool, *, read_only: bool) -> None:
        self.place = place
        self._pool = pool
        self._read_only = read_only
        self._writing = asyncio.Lock()
        self._writer, self._number = uuid.uuid4(), 0  # of the last write of this process
        self._patient = asyncio.Semaphore(PATIENT_READERS)
        self._has_strays = True  # bytes of what was removed may lie in unused parts of pages
        self._closed = False

    @classmethod
    async def open(
        cls, url: str, *, read_only: bool = False, name: str = connections.NAME
    ) -> Database:
        """The database at this address, its tables made or brought to the newest shape.

        name     under which the server lists the connections
        raises   StoreTooNew, StoreUnreachable, StoreFull, StoreCorrupt
        """
        place = shown(url)
        pool = await connections.open_pool(url, place, name=name)
        try:
            with translated(place):
                async with pool.acquire() as connection:
                    if not read_only:
                        await schema.migrate(connection, place)
                        await connection.execute(_FORGET_WRITERS)
                    version = await schema.version_of(connection)
            if version > schema.LATEST:
                raise StoreTooNew(place, version, schema.LATEST)
            if version < schema.LATEST:
                what = "an older Magpie wrote it" if version else "nothing was ever added to it"
                raise StoreUnreachable(place, f"{what}; add something first")
        except BaseException:
            pool.terminate()
            raise
        return cls(place, pool, read_only=read_only)

    async def close(self) -> None:
        """Let running writes finish, refuse later ones, and give the connections back."""
        if self._closed:
            return
        self._closed = True
        async with self._writing:
            try:
                await asyncio.wait_for(self._pool.close(), connections.WAIT_S)
            except (TimeoutError, OSError):
                self._pool.terminate()

    # ---- writing

    async def write(self, fn: Callable[[Transaction], Awaitable[T]]) -> T:
        """What `fn` gives back, run as one transaction that a cancelled caller doesn't stop. `fn`
        is called again where the transaction met another one."""
        return await to_completion(self._write(fn))

    async def execute(self, sql: str, *params: Any) -> None:
        """Run one statement as a transaction."""

        async def write(db: Transaction) -> None:
            await db.execute(sql, *params)

        await self.write(write)

    async def _write(self, fn: Callable[[Transaction], Awaitable[T]]) -> T:
        async with self._writing:
            if self._closed:
                raise GalleryClosed
            if self._read_only:
                raise StoreUnreachable(self.place, "it was opened for reading only")
            self._number += 1
            made: list[T] = []
            return await self._again(lambda: self._transaction(fn, self._number, made))

    async def _transaction(
        self, fn: Callable[[Transaction], Awaitable[T]], number: int, made: list[T]
    ) -> T:
        """Run a transaction, unless it turns out that an earlier try was committed.

        number  of this write; greater than that of the write before
        made    what earlier tries gave back whose commit was begun
        """
        async with connections.connection_of(self._pool, self.place) as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                # This waits for a try that the server is still committing. The version is read
                # since a newer Magpie may have changed the tables.
                row = await connection.fetchrow(_NEXT_NUMBER, self._writer, number)
                if row is None:  # an earlier try was committed
                    await transaction.rollback()
                    return made[-1]
                if row["version"] > schema.LATEST:
                    raise StoreTooNew(self.place, row["version"], schema.LATEST)
                result = await fn(Transaction(connection))
            except BaseException:
                if not connection.is_closed():
                    await transaction.rollback()
                raise
            made.append(result)
            await transaction.commit()
        return result

    async def _again(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` gives, which is begun again where it met another transaction, or the server
        was away. raises   StoreError, GalleryClosed"""
        pauses, tries = list(PAUSES_S), TRIES
        with translated(self.place):
            while True:
                try:
                    return await work()
                except Exception as exc:
                    if connections.met_another(exc) and (tries := tries - 1):
                        await asyncio.sleep(random.uniform(0, 0.05))
                    elif connections.is_lost(exc) and pauses and not self._closed:
                        await asyncio.sleep(pauses.pop(0))
                    elif self._closed and connections.is_lost(exc):
                        raise GalleryClosed from exc
                    else:
                        raise

    def note_deletion(self) -> None:
        """Something is deleted in this transaction; `vacuum` has work."""
        self._has_strays = True

    # ---- reading

    async def rows(self, sql: str, *params: Any) -> list[Row]:
        """All rows that a query gives."""
        if self._closed:
            raise GalleryClosed

        async def read() -> list[Row]:
            async with connections.connection_of(self._pool, self.place) as connection:
                return list(await connection.fetch(statement(sql), *params))

        return await self._again(read)

    async def many_rows(self, sql: str, *params: Any) -> list[Row]:
        """All rows that a query gives, which may be so many that others must not wait for it."""
        async with self._patient:
            return await self.rows(sql, *params)

    async def read(self, fn: Callable[[Transaction], Awaitable[T]]) -> T:
        """What `fn` gives back, which reads the database as it is at one moment. `fn` is called
        again where the connection was lost."""
        if self._closed:
            raise GalleryClosed

        async def read() -> T:
            async with (
                connections.connection_of(self._pool, self.place) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                return await fn(Transaction(connection))

        async with self._patient:
            return await self._again(read)

    async def chunks(self, sql: str, *params: Any, size: int) -> AsyncGenerator[list[Row]]:
        """The rows that a query gives, `size` at a time."""
        if self._closed:
            raise GalleryClosed
        with translated(self.place):
            async with (
                connections.connection_of(self._pool, self.place) as connection,
                connection.transaction(readonly=True),
            ):
                async for rows in Transaction(connection).chunks(sql, *params, size=size):
                    yield rows

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

    async def state(self) -> object:
        """Something that differs when another transaction was made since."""
        ((state,),) = await self.rows("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        return state

    async def count_rows(self, table: str) -> int:
        """How many rows a table has; of very many the server's own estimate, since it counts by
        reading all."""
        ((estimate,),) = await self.rows(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass($1)", table
        )
        if estimate > MOST_COUNTED:
            return int(estimate)
        ((count,),) = await self.many_rows(f"SELECT COUNT(*) FROM {table}")
        return int(count)

    async def disk_bytes(self) -> int:
        """What the gallery takes on the server's disk."""
        ((size,),) = await self.rows("SELECT pg_database_size(current_database())")
        return int(size)

    async def vacuum(self) -> None:
        """Give the room of what was removed back, while others read and write. Does nothing where
        nothing was removed since the last time."""
        await to_completion(self._vacuum())

    async def _vacuum(self) -> None:
        async with self._writing:  # no removal is half made
            if self._closed:
                raise GalleryClosed
            if not self._has_strays:
                return
            self._has_strays = False
        try:
            with translated(self.place):
                async with connections.connection_of(self._pool, self.place) as connection:
                    await connection.execute(_VACUUM, timeout=VACUUM_S)
                    left = await connection.fetchval(_REMOVED_ROWS_LEFT)
        except BaseException:
            self._has_strays = True
            raise
        self._has_strays |= left
