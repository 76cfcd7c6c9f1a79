"""The stores that the tests run on. A new kind of store is one more parameter."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from index.store.interface import Store
from index.store.postgres import PostgresStore
from index.store.sqlite import SQLiteStore
from tests import postgres
from tests.index.store.samples import MODEL


class Open(Protocol):
    """Opens the one store of a test, as often as needed; all are closed in the end."""

    async def __call__(
        self,
        *,
        read_only: bool = ...,
        search_life_s: float = ...,
        derivations: Sequence[str] = ...,
    ) -> Store: ...


@pytest.fixture(params=["sqlite", "postgres"])
async def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    stores: list[Store] = []
    async with contextlib.AsyncExitStack() as stack:
        url = ""
        if request.param == "postgres":
            server = request.getfixturevalue("postgres_server")
            url = await stack.enter_async_context(postgres.fresh(server))

        async def open_it(**options: Any) -> Store:
            if url:
                stores.append(await PostgresStore.open(url, **options))
            else:
                stores.append(await SQLiteStore.open(tmp_path / "gallery.db", **options))
            return stores[-1]

        yield open_it
        for store in stores:
            await store.close()


@pytest.fixture
async def store(open_store: Open) -> Store:
    """A store that is empty, of a model whose vectors have 8 numbers."""
    store = await open_store()
    await store.model_record.set(MODEL)
    return store
