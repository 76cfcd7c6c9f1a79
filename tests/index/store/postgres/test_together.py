"""Several processes that write to one gallery in PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from index.store.postgres import PostgresStore
from index.store.sql import statements, transcripts
from index.store.sql.database import Transaction
from index.types.records import Group, Link
from tests import postgres
from tests.index.store.samples import MODEL, link, picture


@pytest.fixture
async def two(postgres_url: str) -> AsyncIterator[tuple[PostgresStore, PostgresStore]]:
    """Two stores on one database, as two processes have them."""
    stores = [await PostgresStore.open(postgres_url) for _ in range(2)]
    await stores[0].model_record.set(MODEL)
    yield stores[0], stores[1]
    for store in stores:
        await store.close()


async def _left_out(store: PostgresStore) -> None:
    await store.writes.leave_out(1, owner=5, upto=1e9)


async def _kept_for_a_day(store: PostgresStore) -> None:
    await store.bookkeeping.set_retention(1, 1)
    await store.writes.remove_older(1, time.time() - 86_400)


async def _space_removed(store: PostgresStore) -> None:
    await store.writes.remove_space(1)


@pytest.mark.parametrize("erase", [_left_out, _kept_for_a_day, _space_removed])
async def test_an_erasure_leaves_nothing_that_another_process_is_about_to_write(
    two: tuple[PostgresStore, PostgresStore],
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    erase: Callable[[PostgresStore], Awaitable[None]],
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
    erasing = asyncio.create_task(erase(other))
    await asyncio.wait([erasing], timeout=0.3)  # it ends here if it doesn't wait for the write
    go_on.set()
    await asyncio.gather(writing, erasing)
    assert await postgres.on_server(postgres_url, "SELECT * FROM links") == []


@pytest.mark.parametrize("first", ["the link", "the words"])
async def test_words_miss_no_link_that_another_process_makes_meanwhile(
    two: tuple[PostgresStore, PostgresStore], monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """The words are read for one channel, and are to be read for the other one, too."""
    one, other = two
    await one.writes.commit([(picture(1), link("1"))])
    await one.transcripts.begin("r1")
    begun, go_on = asyncio.Event(), asyncio.Event()
    module, name = (
        (statements, "put_cursors") if first == "the link" else (transcripts, "_note_read")
    )
    real = getattr(module, name)

    async def late(*given: Any) -> None:
        begun.set()
        await go_on.wait()
        await real(*given)

    monkeypatch.setattr(module, name, late)
    works: list[Callable[[], Awaitable[Any]]] = [
        lambda: one.writes.commit([(picture(1), link("2", group=Group(20)))]),
        lambda: other.transcripts.put(picture(1).key, "r1", ["some words"], {(1, 10)}),
    ]
    earlier, later = works if first == "the link" else works[::-1]
    running = [asyncio.ensure_future(earlier())]
    await begun.wait()
    running.append(asyncio.ensure_future(later()))
    await asyncio.wait(running, timeout=0.3)  # the later one ends here if it doesn't wait
    go_on.set()
    await asyncio.gather(*running)
    pending = await one.transcripts.pending(limit=9)
    assert [one.link.source for one in pending] == ["2"]


async def test_a_change_in_many_spaces_is_noted_for_each_link_once(
    two: tuple[PostgresStore, PostgresStore], postgres_url: str
) -> None:
    one, other = two
    spaces = range(1, 6)
    await one.writes.commit([(picture(n), link(str(n), space=n)) for n in spaces])
    before = await postgres.on_server(postgres_url, "SELECT * FROM touched")
    await one.database.write(lambda db: statements.drop_links(db, "owner = ?", 5))
    noted = await postgres.on_server(postgres_url, "SELECT * FROM touched")
    assert (len(before), len(noted)) == (5, 10)
    for space in spaces:
        assert await other.rows.version(space) == await one.rows.version(space) > 5
