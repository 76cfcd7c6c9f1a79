"""What a vacuum leaves of what was deleted: no row, and no entry of an index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from index.store.interface import Store
from index.store.postgres import PostgresStore
from index.store.postgres.database import Database
from index.store.sql.database import Transaction
from index.types.records import EmbeddedPicture
from tests import postgres
from tests.bot.running import PATIENCE_S, until
from tests.index.store.postgres.pages import entries
from tests.index.store.samples import MODEL, link, picture

MANY = 20_000  # so many that PostgreSQL would leave the entries of a few in the indexes


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[Store]:
    store = await PostgresStore.open(postgres_url)
    await store.model_record.set(MODEL)
    yield store
    await store.close()


async def left(url: str, one: EmbeddedPicture, source: str) -> list[bool]:
    found = await entries(url)
    return [part in found for part in (one.key, one.vectors.tobytes(), source.encode())]


async def test_no_row_and_no_entry_of_an_index_is_left(store: Store, postgres_url: str) -> None:
    gone, kept = picture(1), picture(2)
    await store.writes.commit([(gone, link("secret-source")), (kept, link("kept-source"))])
    await postgres.on_server(
        postgres_url,
        f"""INSERT INTO items (key, kind, width, height)
        SELECT decode(md5(n::text), 'hex'), 'image', 1, 1 FROM generate_series(1, {MANY}) n""",
    )
    assert await left(postgres_url, gone, "secret-source") == [True] * 3
    await store.writes.remove_sources(1, ["secret-source"])
    await store.vacuum()
    assert await left(postgres_url, gone, "secret-source") == [False] * 3
    assert await left(postgres_url, kept, "kept-source") == [True] * 3


async def test_what_a_reader_kept_from_being_freed_is_freed_the_next_time(
    store: Store, postgres_url: str
) -> None:
    """A pg_dump reads for hours, in one transaction."""
    import asyncpg

    gone = picture(1)
    await store.writes.commit([(gone, link("secret-source"))])
    reading = await asyncpg.connect(postgres_url)
    async with reading.transaction(isolation="repeatable_read"):
        await reading.fetch("SELECT * FROM links")
        await store.writes.remove_sources(1, ["secret-source"])
        await store.vacuum()
        assert await left(postgres_url, gone, "secret-source") == [True] * 3
    await reading.close()
    await store.vacuum()
    assert await left(postgres_url, gone, "secret-source") == [False] * 3


async def test_a_vacuum_without_need_does_nothing(store: Store, postgres_url: str) -> None:
    async def vacuums() -> int:
        [(count,)] = await postgres.on_server(
            postgres_url, "SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'links'"
        )
        return int(count)

    await store.writes.commit([(picture(1), link("1")), (picture(2), link("2"))])
    await store.writes.remove_sources(1, ["1"])
    while True:  # what this connection has counted is told a little later
        before = await vacuums()
        await store.vacuum()
        if await vacuums() == before:
            break
    await store.writes.remove_sources(1, ["2"])
    await store.vacuum()
    assert await vacuums() > before


async def test_others_write_while_a_vacuum_waits(postgres_url: str) -> None:
    import asyncpg

    database = await Database.open(postgres_url)
    locked = await asyncpg.connect(postgres_url)
    async with locked.transaction():
        await locked.execute("LOCK TABLE notes IN SHARE UPDATE EXCLUSIVE MODE")
        vacuuming = asyncio.create_task(database.vacuum())

        async def waits() -> bool:
            waiting = await postgres.on_server(
                postgres_url,
                """SELECT FROM pg_stat_activity WHERE datname = current_database()
                AND query LIKE 'VACUUM%' AND wait_event = 'relation'""",
            )
            return bool(waiting)

        await until(waits)

        async def write(db: Transaction) -> None:
            await db.execute("INSERT INTO watched (space, group_id) VALUES (1, 2)")

        await asyncio.wait_for(database.write(write), PATIENCE_S)
        assert not vacuuming.done()
    await vacuuming
    await locked.close()
    await database.close()
