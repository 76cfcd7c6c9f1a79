"""A database of jobs, an asker and a worker whose waits are short."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from index.jobs.asker import Asker
from index.jobs.times import Times
from tests.index.jobs.server import PostgresServer, missing

QUICK = Times(lease=1.0, asker=1.0, look=0.2, again=0.1, retry=(0.05, 0.05), rest=0.1)
_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """It isn't below pytest's own folder, which every other run of pytest shuts to others."""
    if why := missing():
        pytest.skip(why)
    with tempfile.TemporaryDirectory() as folder:
        started = PostgresServer(Path(folder))
        started.start()
        try:
            yield started
        finally:
            started.stop()


@pytest.fixture
async def url(server: PostgresServer) -> str:
    """An empty database."""
    import asyncpg

    name = f"jobs_{next(_numbers)}"
    connection = await asyncpg.connect(server.url())
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return server.url(name)


@pytest.fixture
async def asker(url: str) -> AsyncIterator[Asker]:
    asker = Asker(url, times=QUICK)
    await asker.start()
    yield asker
    await asker.close()


@pytest.fixture
async def db(url: str, asker: Asker) -> AsyncIterator[Any]:
    """A connection to look at the tables with."""
    import asyncpg

    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Closes what a test opens."""
    async with AsyncExitStack() as stack:
        yield stack
