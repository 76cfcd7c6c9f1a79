"""Connections to PostgreSQL, and its errors in our words."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeAlias

from console.reasons import reason_of
from index.types.errors import StoreCorrupt, StoreError, StoreFull, StoreUnreachable

# Of asyncpg, which is an extra: it is imported when it is first needed.
Pool: TypeAlias = Any
Connection: TypeAlias = Any

NAME = "magpie"  # under which the server lists the connections of bots
CONNECTIONS = 8  # of one process
CONNECT_S = 10.0
# How long a statement may take. Reading a million links takes seconds.
STATEMENT_S = 300.0
# How long a reader waits for a connection while all are in use.
WAIT_S = 30.0
OLDEST = 14  # of PostgreSQL; what is older gets no fixes any more

# Errors after which the whole transaction may simply be made again: it met another one.
AGAIN = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "23505",  # unique_violation: another process added the same
    "23503",  # foreign_key_violation: another process removed what this one needs
}
_FULL = {"53100", "53000"}  # disk_full, insufficient_resources
_PASSWORD = {"28P01", "28000"}  # invalid_password, invalid_authorization_specification
_REASONS = {
    "3D000": "there is no database of this name on the server",
    "42501": "the user has not the right to do this there; it must own the database "
    "(docs/postgres.md)",
    "53300": "the server has too many connections already",
    "57P01": "the server is shutting down",
    "57P03": "the server is starting or stopping",
    "57014": "the statement took too long",
}


async def open_pool(url: str, place: str, *, name: str = NAME) -> Pool:
    """A pool of connections to a database that suits. raises   StoreUnreachable"""
    driver = require_driver(place)
    with translated(place):
        pool = await driver.create_pool(
            url,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=CONNECT_S,
            command_timeout=STATEMENT_S,
            reset=_nothing_to_reset,
            server_settings={"application_name": name, "jit": "off"},
        )
    try:
        with translated(place):
            async with pool.acquire() as connection:
                version = connection.get_server_version()
                if version.major < OLDEST:
                    raise StoreUnreachable(
                        place,
                        f"it is PostgreSQL {version.major}, and Magpie needs {OLDEST} or newer",
                    )
    except BaseException:
        pool.terminate()
        raise
    return pool


async def _nothing_to_reset(connection: Connection) -> None:
    """Nothing: no use of a connection leaves anything behind but what its transaction ends. By
    default each use would cost the server one more question."""


def require_driver(place: str) -> Any:
    """The package asyncpg. raises   StoreUnreachable when it is not installed"""
    try:
        import asyncpg
    except ImportError as exc:
        raise StoreUnreachable(
            place, "the packages for PostgreSQL are not installed; pip install 'magpie[postgres]'"
        ) from exc
    return asyncpg


def is_lost(exc: BaseException) -> bool:
    """Whether the connection is gone, and another one may do."""
    import asyncpg

    if isinstance(exc, asyncpg.InterfaceError):
        return "closed" in str(exc) or "terminated" in str(exc)
    if isinstance(exc, asyncpg.PostgresError):
        return str(exc.sqlstate).startswith(("08", "57P0"))
    return isinstance(exc, OSError) and not isinstance(exc, TimeoutError)


def met_another(exc: BaseException) -> bool:
    """Whether a transaction failed only because of another one."""
    return getattr(exc, "sqlstate", None) in AGAIN


@contextlib.asynccontextmanager
async def connection_of(pool: Pool, place: str) -> AsyncIterator[Connection]:
    """A connection of the pool. raises   StoreUnreachable when none gets free in time"""
    try:
        connection = await pool.acquire(timeout=WAIT_S)
    except TimeoutError as exc:
        raise StoreUnreachable(
            place, f"all connections to it are in use, and none got free in {WAIT_S:g} seconds"
        ) from exc
    try:
        yield connection
    finally:
        await pool.release(connection)


@contextlib.contextmanager
def translated(place: str) -> Iterator[None]:
    """Raises the errors of asyncpg as StoreError."""
    import asyncpg

    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as exc:
        raise _translation(place, exc) from exc


def _translation(place: str, exc: Exception) -> StoreError:
    state = str(getattr(exc, "sqlstate", None) or "")
    if state in _FULL:
        return StoreFull(place)
    if state in _PASSWORD:
        return StoreUnreachable(
            place,
            "the server refuses this user or password; both stand in the address before the @",
        )
    if state in _REASONS:
        return StoreUnreachable(place, _REASONS[state])
    if state.startswith(("22", "23", "42")):
        return StoreCorrupt(place, f"{exc} ({state})")
    if isinstance(exc, TimeoutError):
        return StoreUnreachable(place, "the server does not answer")
    return StoreUnreachable(place, reason_of(exc))
