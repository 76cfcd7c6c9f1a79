"""A database of jobs, an asker and a worker whose waits are short."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

import trial_postgres
from index.jobs.asker import Asker
from index.jobs.times import Times
from tests import postgres

QUICK = Times(lease=1.0, asker=1.0, look=0.2, again=0.1, retry=(0.05, 0.05), rest=0.1)


@pytest.fixture(scope="session")
def server() -> Iterator[trial_postgres.Server]:
    """A server of its own, since these tests stop it and let it crash."""
    pytest.importorskip("asyncpg")
    try:
        with trial_postgres.serve() as started:
            yield started
    except trial_postgres.Unavailable as exc:
        pytest.skip(f"no PostgreSQL: {exc}")


@pytest.fixture
async def url(server: trial_postgres.Server) -> AsyncIterator[str]:
    """A database without tables."""
    async with postgres.fresh(server.url, postgres.EMPTY) as url:
        yield url


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
