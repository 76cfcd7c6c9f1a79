"""Several processes that write to one gallery in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from index.store.interface import Store
from index.store.postgres import PostgresStore
from index.store.sql import statements
from index.store.sql.database import Transaction
from index.types.records import Link
from tests import postgres
from tests.index.store.samples import MODEL, link, picture


@pytest.fixture
async def two(postgres_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two stores on one database, as two processes have them."""
    stores = [await PostgresStore.open(postgres_url) for _ in range(2)]
    await stores[0].model_record.set(MODEL)
    yield stores[0], stores[1]
    for store in stores:
        await store.close()


async def test_an_erasure_leaves_nothing_that_another_process_is_about_to_write(
    two: tuple[Store, Store], postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    looked, go_on, put_groups = asyncio.Event(), asyncio.Event(), statements.put_groups

    async def late(db: Transaction, links: Sequence[Link]) -> None:
        looked.set()  # at who is left out
        await go_on.wait()
        await put_groups(db, links)

    monkeypatch.setattr(statements, "put_groups", late)
    writing = asyncio.create_task(one.writes.commit([(picture(1), link("1"))]))
    await looked.wait()
    erasing = asyncio.create_task(other.writes.leave_out(1, owner=5, upto=1e9))
    await asyncio.wait([erasing], timeout=0.3)  # it ends here if it doesn't wait for the write
    go_on.set()
    await asyncio.gather(writing, erasing)
    assert await postgres.on_server(postgres_url, "SELECT * FROM links") == []
