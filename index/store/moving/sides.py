"""What each engine does in its own way when a gallery is moved out of it, or into it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from index.store.sql.database import Database
from index.types.address import is_address, shown
from index.types.errors import MoveRefused, StoreLocked

# Tables whose ids are never given twice.
NUMBERED = ("items", "links", "jobs", "watches", "notices")


class Side(Protocol):
    """One of the two places of a move."""

    @property
    def database(self) -> Database:
        """Its database."""

    async def tables(self) -> set[str]:
        """The names of its tables."""

    async def in_use(self) -> bool:
        """Whether a bot, or another program of ours, may write it now."""

    async def greatest_ids(self) -> dict[str, int]:
        """The greatest id that was ever given, by table."""

    async def raise_ids(self, greatest: Mapping[str, int]) -> None:
        """From now on give only greater ids than these."""


class File:
    """A gallery in a file of SQLite."""

    def __init__(self, database: Any, held: IO[str] | None, *, source: bool) -> None:
        self.database: Any = database
        self._held, self._source = held, source

    async def tables(self) -> set[str]:
        """The names of its tables."""
        rows = await self.database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {name for (name,) in rows}

    async def in_use(self) -> bool:
        """Whether another process holds the lock of the file."""
        return self._source and self._held is None

    async def greatest_ids(self) -> dict[str, int]:
        """The greatest id that was ever given, by table; of items, the greatest one there is."""
        given = dict(await self.database.rows("SELECT name, seq FROM sqlite_sequence"))
        ((items,),) = await self.database.rows("SELECT COALESCE(max(id), 0) FROM items")
        return {name: int(given.get(name, 0)) for name in NUMBERED} | {"items": int(items)}

    async def raise_ids(self, greatest: Mapping[str, int]) -> None:
        """From now on give only greater ids than these. Items have no such number here."""
        known = await self.greatest_ids()

        async def write(db: Any) -> None:
            for name, id in greatest.items():
                if name != "items" and id > known[name]:
                    await db.execute("DELETE FROM sqlite_sequence WHERE name = ?", name)
                    await db.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", name, id)

        await self.database.write(write)


class Server:
    """A gallery in a database of PostgreSQL.

    connection   beside the gallery's own ones; it holds the lock of this move
    """

    def __init__(self, database: Any, connection: Any) -> None:
        self.database: Any = database
        self._connection = connection

    async def tables(self) -> set[str]:
        """The names of its tables."""
        rows = await self.database.rows(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        )
        return {name for (name,) in rows}

    async def in_use(self) -> bool:
        """Whether a Magpie is connected."""
        return await _is_used(self._connection)

    async def greatest_ids(self) -> dict[str, int]:
        """The greatest id that was ever given, by table."""
        greatest = {}
        for name in NUMBERED:
            ((id,),) = await self.database.rows(
                f"""SELECT greatest((SELECT max(id) FROM {name}),
                    pg_sequence_last_value(pg_get_serial_sequence('{name}', 'id')::regclass), 0)"""
            )
            greatest[name] = int(id)
        return greatest

    async def raise_ids(self, greatest: Mapping[str, int]) -> None:
        """From now on give only greater ids than these, and than those that are there."""
        known = await self.greatest_ids()

        async def write(db: Any) -> None:
            for name, id in greatest.items():
                if highest := max(id, known[name]):
                    await db.rows(
                        f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), ?1)", highest
                    )

        await self.database.write(write)


@contextlib.asynccontextmanager
async def source_at(place: str) -> AsyncIterator[Side]:
    """The gallery that is moved. Nothing is written there. Where nobody else writes its
    file, nobody can until the end of the block.

    raises   StoreError
    """
    if is_address(place):
        async with _server(place, source=True) as server:
            yield server
        return
    from index.store.sqlite import lock
    from index.store.sqlite.database import Database as FileDatabase

    async with contextlib.AsyncExitStack() as opened:
        database = await FileDatabase.open(Path(place), read_only=True)
        opened.push_async_callback(database.close)
        held = None
        with contextlib.suppress(StoreLocked):
            held = opened.enter_context(contextlib.closing(lock.hold(database.path)))
        yield File(database, held, source=True)


@contextlib.asynccontextmanager
async def target_at(place: str) -> AsyncIterator[Side]:
    """The gallery that is written, made where there is none. raises   StoreError"""
    if is_address(place):
        async with _server(place, source=False) as server:
            yield server
        return
    from index.store.sqlite.database import Database as FileDatabase

    database = await FileDatabase.open(Path(place))
    try:
        yield File(database, None, source=False)
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def _server(url: str, *, source: bool) -> AsyncIterator[Server]:
    from index.store.postgres import connections
    from index.store.postgres.database import Database as ServerDatabase

    place = shown(url)
    pool = await connections.open_pool(url, place, name=MOVING)
    async with contextlib.AsyncExitStack() as opened:
        opened.callback(pool.terminate)
        with connections.translated(place):
            connection = await pool.acquire()
            if not source:
                if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                    raise MoveRefused(place, f"Another move to {place} is at work; wait for it.")
                if await _is_used(connection):
                    raise MoveRefused(
                        place,
                        f"A Magpie is connected to {place}. Stop it first: what it writes there "
                        "would be removed by the move.",
                    )
        database = await ServerDatabase.open(url, read_only=source, name=MOVING)
        opened.push_async_callback(database.close)
        yield Server(database, connection)


# Under this name the server knows our connections.
MOVING = "magpie move"
LOCK = 0x6D61_6770_0002  # the advisory lock of who moves a gallery there
_USED = """SELECT EXISTS (SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'magpie')"""


async def _is_used(connection: Any) -> bool:
    return bool(await connection.fetchval(_USED))
