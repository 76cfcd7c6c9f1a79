"""What is remembered beside the pictures: the same in every store."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from index.store.interface import Store
from index.types.query import QueryEmbedding
from index.types.records import Link, Note, Welcome
from tests.index.store.conftest import Open
from tests.index.store.samples import ASKED, GENERAL, THREAD, link, picture


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
    embedding = QueryEmbedding(np.arange(8, dtype=np.float32), truncated="the words")
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


async def test_what_an_owner_wants_left_out_is_removed_and_not_committed_again(
    store: Store, open_store: Open
) -> None:
    def posted(source: str, at: float) -> Link:
        return replace(link(source), posted_at=at)

    async def committed(*links: Link) -> set[str]:
        await store.writes.commit([(picture(1), one) for one in links])
        return set(await store.links.known(1, GENERAL.id))

    old, at_the_moment, new = posted("1", 10.0), posted("2", 20.0), posted("3", 20.5)
    stranger = replace(posted("4", 10.0), owner=6)
    elsewhere = replace(posted("5", 10.0), space=2)
    await committed(old, at_the_moment, new, stranger, elsewhere)
    await store.bookkeeping.save_search(1, 5, ASKED)
    assert len((await store.writes.leave_out(1, 5, 20.0)).removed) == 2
    assert await store.bookkeeping.searches_of(1, 5) == []
    assert await committed(old, at_the_moment) == {"3", "4"}
    assert set(await store.links.known(2, GENERAL.id)) == {"5"}
    await store.writes.leave_out(1, 5, 15.0)  # an earlier moment takes nothing back
    await store.bookkeeping.let_in(1, 5, 30.0)
    assert await store.bookkeeping.left_out() == {(1, 5): 20.0}
    await store.close()
    store = await open_store()
    assert await committed(old, at_the_moment) == {"3", "4"}
    assert len((await store.writes.leave_out(1, 5, math.inf)).removed) == 1
    assert await committed(new) == {"4"}
    await store.bookkeeping.let_in(1, 5, 20.2)
    assert await committed(at_the_moment, new) == {"3", "4"}
    await store.bookkeeping.let_in(1, 5, -math.inf)
    assert await store.bookkeeping.left_out() == {}
    assert await committed(old) == {"1", "3", "4"}


async def test_what_owners_want_left_out_is_forgotten_with_its_space(store: Store) -> None:
    await store.writes.leave_out(1, 5, 20.0)
    await store.writes.leave_out(2, 5, math.inf)
    await store.writes.remove_space(1)
    assert await store.bookkeeping.left_out() == {(2, 5): math.inf}


async def test_what_is_no_copy_is_kept_both_ways_until_it_is_taken_back(store: Store) -> None:
    items = [(picture(n), link(str(n))) for n in (1, 2)]
    one, two = (await store.writes.commit(items)).added.links.tolist()  # type: ignore[union-attr]
    await store.writes.commit([(picture(2), link("2 again"))])
    again = (await store.links.ids_of_source(1, "2 again"))["a"]
    await store.bookkeeping.not_a_copy(2, one, two)  # another space
    assert await store.bookkeeping.not_copies_of(one) == set()
    await store.bookkeeping.not_a_copy(1, one, two)
    assert await store.bookkeeping.not_copies_of(one) == {two, again}
    assert await store.bookkeeping.not_copies_of(again) == {one}
    await store.bookkeeping.a_copy_after_all(1, again, one)
    assert await store.bookkeeping.not_copies_of(one) == set()


async def test_groups_are_noted_with_their_limit_until_the_space_is_removed(store: Store) -> None:
    for space, group, owners in ((1, 10, 5), (1, 10, 3), (1, 11, 5), (2, 10, 7)):
        await store.bookkeeping.set_noted(space, group, owners)
    await store.bookkeeping.set_noted(1, 11, None)
    assert await store.bookkeeping.noted_groups() == {(1, 10): 3, (2, 10): 7}
    await store.writes.remove_space(1)
    assert await store.bookkeeping.noted_groups() == {(2, 10): 7}


async def test_what_passes_in_a_group_passes_there_alone_whichever_link_shows_it(
    store: Store,
) -> None:
    await store.writes.commit([(picture(1), link("1")), (picture(1), link("2", group=THREAD))])
    ids = [(await store.links.ids_of_source(1, source))["a"] for source in ("1", "2")]
    await store.bookkeeping.let_pass(2, 10, ids[0])  # another space
    await store.bookkeeping.let_pass(1, 10, ids[0])
    assert await store.bookkeeping.passing(1, 10, ids) == set(ids)
    assert await store.bookkeeping.passing(1, 11, ids) == set()
    assert await store.bookkeeping.passing(2, 10, ids) == set()
    await store.bookkeeping.let_pass_no_more(1, 10, ids[1])
    assert await store.bookkeeping.passing(1, 10, ids) == set()
    await store.bookkeeping.let_pass(1, 10, ids[0])
    await store.writes.remove_sources(1, ["1", "2"])
    await store.writes.commit([(picture(1), link("1"))])
    assert not await store.bookkeeping.passing(
        1, 10, [(await store.links.ids_of_source(1, "1"))["a"]]
    )


async def test_a_note_is_loose_when_nothing_is_left_of_its_source(store: Store) -> None:
    pictures = [(picture(1), link("1", "a")), (picture(2), link("1", "b"))]
    await store.writes.commit([*pictures, (picture(3), link("2", "a"))])
    note = Note(1, 10, "1", "2", "99")
    await store.bookkeeping.keep_note(note)
    await store.writes.keep_slots(1, "1", ["a"])
    assert await store.bookkeeping.loose_notes() == []
    await store.writes.keep_slots(1, "1", [])
    assert await store.bookkeeping.loose_notes() == [note]
    await store.writes.commit(pictures)
    assert await store.bookkeeping.loose_notes() == []
    await store.writes.keep_slots(1, "2", [])  # what it names
    assert await store.bookkeeping.loose_notes() == [note]
    await store.bookkeeping.forget_note(1, "1")
    assert await store.bookkeeping.loose_notes() == []


async def test_a_space_is_welcomed_until_it_is_left_or_removed(store: Store) -> None:
    first, second = Welcome(1, 10, "5", reading=True), Welcome(2, 20, "6")
    for welcome in (Welcome(1, 10, ""), first, second):
        await store.bookkeeping.keep_welcome(welcome)
    assert await store.bookkeeping.welcomes() == [first, second]
    await store.bookkeeping.forget_welcome(1)
    assert await store.bookkeeping.welcomes() == [second]
    await store.writes.remove_space(2)
    assert await store.bookkeeping.welcomes() == []
