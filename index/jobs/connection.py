"""A connection to the database of the jobs, which is made anew when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any, TypeAlias

from console.reasons import reason_of
from index.jobs import schema
from index.types.address import shown
from index.types.errors import JobsUnreachable

# Imported when it is first needed: it is part of an extra.
Asyncpg: TypeAlias = Any

CONNECT_S = 10.0
# No statement here takes long. One that does waits for a server that is gone.
STATEMENT_S = 60.0


class Connection:
    """One connection that listens, for one task at a time.

    channels   on which it listens
    heard      called with what is said there; and with "" when the connection is a new one
    """

    def __init__(self, url: str, channels: Collection[str], heard: Callable[[str], None]) -> None:
        self.place = shown(url)
        self._url = url
        self._channels = channels
        self._heard = heard
        self._connection: Asyncpg = None
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Asyncpg]:
        """A transaction of asyncpg's connection. raises   JobsUnreachable"""
        async with self._turn:
            try:
                connection = await self._connected()
                async with connection.transaction():
                    yield connection
            except _lost() as error:
                await self._forget()
                raise JobsUnreachable(self.place, reason_of(error)) from error

    async def close(self) -> None:
        async with self._turn:
            await self._forget()

    async def _connected(self) -> Asyncpg:
        if self._connection is None or self._connection.is_closed():
            self._connection = connection = await connected(self._url)
            for channel in self._channels:
                await connection.add_listener(channel, self._on_notification)
            connection.add_termination_listener(lambda _: self._heard(""))
            self._heard("")
        return self._connection

    def _on_notification(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        self._heard(payload or "new")

    async def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=1.0)
            except _lost():
                connection.terminate()


async def connected(url: str) -> Asyncpg:
    """A connection, with the tables there. raises   what asyncpg raises, and OSError"""
    import asyncpg

    connection = await asyncpg.connect(url, timeout=CONNECT_S, command_timeout=STATEMENT_S)
    try:
        if await connection.fetchval("SELECT to_regclass('magpie_dead_letters')") is None:
            async with connection.transaction():
                await connection.execute(f"SELECT pg_advisory_xact_lock({schema.MIGRATING})")
                await connection.execute(schema.TABLES)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def reached(url: str) -> None:
    """Make sure that the database is there and has the tables. raises   JobsUnreachable"""
    try:
        connection = await connected(url)
        await connection.close()
    except _lost() as error:
        raise JobsUnreachable(shown(url), reason_of(error)) from error


def _lost() -> tuple[type[Exception], ...]:
    """What is raised when the database can't be used: it is away, full, or refuses us."""
    try:
        import asyncpg
    except ImportError as error:
        raise JobsUnreachable("", "the extra postgres is not installed") from error
    return (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
