"""A PostgreSQL server for the tests, and an empty database on it for each test that asks for one.

The server comes from a package and is shared by all processes of a run. With a URL in
`MAGPIE_TEST_POSTGRES` the tests use that server instead: its user must be allowed to make databases
and the extension pgvector.
"""

from __future__ import annotations

import functools
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

if TYPE_CHECKING:
    import asyncpg

OTHER_SERVER = "MAGPIE_TEST_POSTGRES"


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
async def fresh(server: str, template: str = "template1") -> AsyncIterator[str]:
    """The URL of a new database, a copy of another; it is dropped at the end of the block."""
    name = f"magpie_test_{secrets.token_hex(6)}"
    await on_server(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield with_database(server, name)
    finally:
        await drop(server, name)


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
