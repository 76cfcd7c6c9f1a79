"""A PostgreSQL server for the tests, and a database on it for each test that asks for one.

The server comes from a package and is shared by all processes of a run. With a URL in
`MAGPIE_TEST_POSTGRES` the tests use that server instead: its user must be allowed to make databases
and the extension pgvector.

A gallery's tables are made once on a server, in a database that the others are copied from. Its
name follows from the source of what makes them, so that it is made anew after a change there. On a
server of the run it goes with the server; on another one it stays for the next run.
"""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import pytest

import trial_postgres
from index.store import postgres as engine
from index.store import sql
from index.store.postgres import PostgresStore
from index.types import derivations

if TYPE_CHECKING:
    import asyncpg

OTHER_SERVER = "MAGPIE_TEST_POSTGRES"
EMPTY = "template1"  # a database without tables
MAKING_TABLES = 0x6D61_6770_7E57  # the advisory lock of who makes the database to copy


def server_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of the server, of a database that is there already; else the test is skipped."""
    if find_spec("asyncpg") is None:
        pytest.skip("asyncpg is not installed")
    if OTHER_SERVER in os.environ:
        return os.environ[OTHER_SERVER]
    of_run = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        of_run = of_run.parent
    try:
        return _shared(of_run / "postgres")
    except trial_postgres.Unavailable as exc:
        pytest.skip(f"no PostgreSQL: {exc}")


@functools.cache
def _shared(folder: Path) -> str:
    return trial_postgres.shared(folder)


@asynccontextmanager
async def fresh(server: str, template: str | None = None) -> AsyncIterator[str]:
    """The URL of a new database, which is dropped at the end of the block.

    template   the database that it is a copy of; None: one with the tables of an empty gallery
    """
    if template is None:
        template = await with_tables(server)
    name = f"magpie_test_{secrets.token_hex(6)}"
    await on_server(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield with_database(server, name)
    finally:
        await drop(server, name)


async def with_tables(server: str) -> str:
    """The name of a database on this server with the tables of an empty gallery."""
    import asyncpg

    name = f"magpie_tables_{_digest()}"
    if (server, name) in _made:
        return name
    db = await asyncpg.connect(server)
    try:
        # Waited for by processes of the same run. It is let go with the connection.
        await db.execute("SELECT pg_advisory_lock($1)", MAKING_TABLES)
        if not await db.fetchval(
            "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name
        ):
            part = f"{name}_part"
            await db.execute(f"DROP DATABASE IF EXISTS {part} WITH (FORCE)")
            await db.execute(f"CREATE DATABASE {part} TEMPLATE {EMPTY}")
            store = await PostgresStore.open(with_database(server, part))
            await store.close()
            await db.execute(f"ALTER DATABASE {part} RENAME TO {name}")
    finally:
        await db.close()
    _made.add((server, name))
    return name


_made: set[tuple[str, str]] = set()


@functools.cache
def _digest() -> str:
    """What the tables are made by, in short."""
    of = hashlib.sha256()
    for package in (sql, engine):
        for path in sorted(Path(package.__path__[0]).glob("*.py")):
            of.update(path.read_bytes())
    of.update(Path(derivations.__file__).read_bytes())
    return of.hexdigest()[:12]


async def drop(server: str, name: str) -> None:
    """Drop a database, whoever uses it."""
    await on_server(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def on_server(url: str, sql: str, *params: Any) -> list[asyncpg.Record]:
    """The rows that one statement gives, by a connection of its own."""
    import asyncpg

    db = await asyncpg.connect(url)
    try:
        rows: list[asyncpg.Record] = await db.fetch(sql, *params)
        return rows
    finally:
        await db.close()


def with_database(url: str, name: str) -> str:
    """The URL, of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
