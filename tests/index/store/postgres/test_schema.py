"""A database of an earlier shape is brought to the newest one."""

from __future__ import annotations

import pytest

from index.store.postgres import PostgresStore, schema
from tests import postgres
from tests.index.store.samples import MODEL, link, picture

INDEXES = """SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"""


async def test_a_database_of_the_first_shape_gets_what_a_new_one_has(
    postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = postgres.EMPTY
    async with (
        postgres.fresh(postgres_server, bare) as old,
        postgres.fresh(postgres_server, bare) as new,
    ):
        with monkeypatch.context() as then:
            then.setattr(schema, "STEPS", schema.STEPS[:1])
            then.setattr(schema, "LATEST", 1)
            store = await PostgresStore.open(old)
            await store.model_record.set(MODEL)
            await store.writes.commit([(picture(1), link("1"))])
            await store.close()
        assert await postgres.on_server(old, "SELECT version FROM magpie_schema") == [(1,)]
        for place in (old, new):
            store = await PostgresStore.open(place)
            assert await store.links.count_links() == (place == old)
            await store.close()
        assert await postgres.on_server(old, INDEXES) == await postgres.on_server(new, INDEXES)
        latest = [(schema.LATEST,)]
        assert await postgres.on_server(old, "SELECT version FROM magpie_schema") == latest


async def test_very_many_rows_are_counted_by_the_servers_estimate(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index.store.postgres import database

    store = await PostgresStore.open(postgres_url)
    await store.model_record.set(MODEL)
    for number in range(4):
        await store.writes.commit([(picture(number), link(str(number)))])
    await postgres.on_server(postgres_url, "ANALYZE links")
    await store.writes.commit([(picture(9), link("9"))])
    assert await store.links.count_links() == 5
    monkeypatch.setattr(database, "MOST_COUNTED", 3)
    assert await store.links.count_links() == 4
    await store.close()
