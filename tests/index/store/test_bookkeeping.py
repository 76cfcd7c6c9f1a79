"""What is remembered beside the pictures: the same in every store."""

from __future__ import annotations

import numpy as np

from index.store.interface import Store
from index.types.query import QueryEmbedding
from tests.index.store.conftest import Open
from tests.index.store.samples import ASKED, THREAD, link, picture


async def test_jobs_are_remembered_and_their_ids_never_used_again(store: Store) -> None:
    job = await store.bookkeeping.new_job(1, "reindex", {"done": 0})
    assert await store.bookkeeping.jobs(1) == [job]
    done = type(job)(job.id, 1, "reindex", "done", {"done": 7})
    await store.writes.commit([], jobs=[done])
    assert await store.bookkeeping.jobs(1) == []
    assert await store.bookkeeping.jobs(1, active=False) == [done]
    await store.writes.remove_space(1)
    assert (await store.bookkeeping.new_job(1, "reindex", {})).id > job.id


async def test_search_can_be_run_again_until_it_is_too_old(store: Store, open_store: Open) -> None:
    embedding = QueryEmbedding(np.arange(8, dtype=np.float32), "the words")
    id = await store.bookkeeping.save_search(1, 5, ASKED, embedding)
    found = await store.bookkeeping.search_by_id(id)
    assert found is not None
    assert (found.id, found.space, found.owner, found.asked) == (id, 1, 5, ASKED)
    assert found.embedding is not None
    assert np.array_equal(found.embedding.vector, embedding.vector)
    assert found.embedding.truncated == "the words"
    await store.bookkeeping.expire_searches()
    assert len(await store.bookkeeping.searches_of(1, 5)) == 1
    await store.close()
    later = await open_store(search_life_s=-1)
    assert await later.bookkeeping.search_by_id(id) is None
    await later.bookkeeping.expire_searches()
    assert await later.bookkeeping.searches_of(1, 5) == []


async def test_closed_group_is_noted_until_it_is_open_or_empty(store: Store) -> None:
    items = [(picture(1), link("1")), (picture(2), link("2", group=THREAD))]
    await store.writes.commit(items)
    for group, since in ((10, 100.0), (11, 150.0), (10, 200.0), (12, 100.0)):
        await store.bookkeeping.close_group(1, group, since)
    assert await store.bookkeeping.closed_groups() == {(1, 10): 100.0, (1, 11): 150.0}
    await store.writes.commit([(picture(3), link("3"))])
    assert (await store.bookkeeping.closed_groups())[1, 10] == 100.0
    await store.bookkeeping.open_group(1, 10)
    assert set(await store.bookkeeping.closed_groups()) == {(1, 11)}
    await store.writes.remove_sources(1, ["2"])
    await store.writes.commit(items)
    assert await store.bookkeeping.closed_groups() == {}
