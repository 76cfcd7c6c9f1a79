"""Links are added, read and removed: the same in every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from index.store.interface import Store
from index.types.derivations import REEMBEDDING
from index.types.errors import GalleryClosed
from index.types.filter import Filter
from index.types.query import QueryEmbedding
from index.types.records import Counts, Cursor, Group, Link
from index.types.searches import Asked
from tests.index.store.samples import GENERAL, THREAD, link, moving, picture


async def test_link_comes_back_as_it_was_committed(store: Store) -> None:
    posted = Link(
        1, THREAD, "77", "e:0:image", 5, 1700000000.25, "näht.png", True, {"kind": "embed", "n": 1}
    )
    changes = await store.writes.commit([(picture(1, frames=3), posted)])
    assert changes.added is not None
    (id,) = changes.added.links.tolist()
    assert (await store.links.with_ids(1, [id, 999]))[id] == (posted, "image", None)
    item = await store.items.item_of_link(id)
    assert item is not None
    assert np.array_equal(item.vectors, picture(1, frames=3).vectors)
    assert (item.width, item.height) == (640, 480)
    assert await store.links.groups(1) == [THREAD]


async def test_the_id_of_a_link_leads_to_nothing_in_another_space(store: Store) -> None:
    await store.writes.commit([(picture(1), link("1")), (picture(1), link("1", space=2))])
    (here,) = (await store.links.ids_of_source(1, "1")).values()
    (there,) = (await store.links.ids_of_source(2, "1")).values()
    assert list(await store.links.with_ids(1, [here, there])) == [here]
    assert await store.links.link(1, there) is None
    assert await store.links.link(2, there) == link("1", space=2)


async def test_commit_is_idempotent_per_slot(store: Store) -> None:
    for _ in range(3):
        await store.writes.commit([(picture(1), link("1", "a")), (picture(2), link("1", "b"))])
    assert await store.links.count() == Counts(2, 0, 2)
    changes = await store.writes.commit([(picture(1), link("1", "a"))])
    assert (list(changes.removed), changes.added) == ([], None)


async def test_slot_with_other_bytes_replaces_the_earlier_picture(store: Store) -> None:
    first = await store.writes.commit([(picture(1), link("1"))])
    second = await store.writes.commit([(picture(2), link("1"))])
    assert first.added is not None
    assert second.added is not None
    assert list(second.removed) == second.added.links.tolist() == first.added.links.tolist()
    assert await store.links.count() == Counts(1, 0, 1)
    assert await store.derivations.count_pending(REEMBEDDING) == 1  # the second picture alone


async def test_copies_are_the_links_of_a_space_that_show_the_same_item(store: Store) -> None:
    elsewhere = replace(link("1"), space=2)
    await store.writes.commit(
        [(picture(1), link("1")), (picture(1), link("2")), (picture(2), link("3"))]
    )
    await store.writes.commit([(picture(1), elsewhere)])
    ids = {source: (await store.links.ids_of_source(1, source))["a"] for source in "123"}
    (other,) = (await store.links.ids_of_source(2, "1")).values()
    copies = await store.links.copies([ids["1"], ids["3"], other, 999], Filter(1))
    assert {id: list(links) for id, links in copies.items()} == {
        ids["1"]: [ids["1"], ids["2"]],
        ids["3"]: [ids["3"]],
    }
    assert copies[ids["1"]][ids["2"]] == link("2")


async def test_links_are_counted_in_all_or_in_some_groups(store: Store) -> None:
    await store.writes.commit(
        [(picture(1), link("1")), (picture(1), link("2")), (picture(2), link("3"))]
    )
    assert await store.links.count_links() == 3
    assert await store.links.count_links(1, [GENERAL.id]) == 3
    assert await store.links.count_links(1, [THREAD.id]) == 0
    assert await store.links.count_links(2, [GENERAL.id]) == 0


async def test_counts_are_limited_to_groups(store: Store) -> None:
    await store.writes.commit(
        [
            (picture(1), link("1")),
            (picture(1), link("2", group=THREAD)),
            (picture(3, kind="text"), link("3", group=THREAD)),
            (picture(4), link("4", space=2)),
        ]
    )
    assert await store.links.count() == Counts(2, 1, 4)
    assert await store.links.count(1) == Counts(1, 1, 3)
    assert await store.links.count(1, {11}) == Counts(1, 1, 2)
    assert await store.links.count(1, set()) == Counts(0, 0, 0)


async def test_same_bytes_are_kept_once_until_the_last_link_goes(store: Store) -> None:
    await store.writes.commit([(picture(1), link("1")), (picture(1), link("2"))])
    assert await store.links.count() == Counts(1, 0, 2)
    await store.writes.remove_sources(1, ["1"])
    assert await store.links.count() == Counts(1, 0, 1)
    await store.writes.remove_sources(1, ["2"])
    assert await store.links.count() == Counts(0, 0, 0)
    assert await store.items.empty()


async def test_an_item_is_found_by_the_groups_that_show_it(store: Store) -> None:
    await store.writes.commit([(picture(1), link("1")), (picture(1), link("2", group=THREAD))])
    for group in (GENERAL, THREAD):
        item = await store.items.item_of_group(picture(1).key, 1, group.id)
        assert item is not None
        assert (item.vectors == picture(1).vectors).all()
    assert await store.items.item_of_group(picture(1).key, 1, 12) is None
    assert await store.items.item_of_group(picture(1).key, 2, GENERAL.id) is None
    assert await store.items.item_of_group(picture(2).key, 1, GENERAL.id) is None


async def test_all_links_to_the_same_bytes_have_the_vectors_of_the_first(store: Store) -> None:
    await store.writes.commit([(picture(1), link("1"))])
    again = replace(picture(1), vectors=picture(2).vectors)
    changes = await store.writes.commit([(again, link("2", group=THREAD))])
    assert changes.added is not None
    assert (changes.added.vectors == picture(1).vectors).all()


async def test_edit_keeps_the_slots_that_are_named(store: Store) -> None:
    await store.writes.commit([(picture(n), link("1", slot)) for n, slot in enumerate("abc")])
    changes = await store.writes.keep_slots(1, "1", ["b", "z"])
    assert len(changes.removed) == 2
    assert set(await store.links.ids_of_source(1, "1")) == {"b"}


async def test_group_goes_with_what_hangs_from_it(store: Store) -> None:
    await store.writes.commit(
        [
            (picture(1), link("1")),
            (picture(2), link("2", group=THREAD)),
            (picture(3), link("3", group=Group(12))),
        ],
        [Cursor(1, group, 9, 1) for group in (10, 11, 12)],
    )
    assert len((await store.writes.remove_group(1, 10)).removed) == 2
    assert [group.id for group in await store.links.groups(1)] == [12]
    assert set(await store.bookkeeping.cursors(1)) == {12}
    assert await store.links.count() == Counts(1, 0, 1)


async def test_space_goes_with_everything(store: Store) -> None:
    for space in (1, 2):
        cursor = Cursor(space, 10, 9, 1, True)
        await store.writes.commit([(picture(space), link("1", space=space))], [cursor])
        await store.bookkeeping.watch(space, 10)
        await store.bookkeeping.new_job(space, "reindex", {"done": 1})
        await store.bookkeeping.save_search(
            space, 5, Asked(), QueryEmbedding(np.ones(8, np.float32))
        )
    await store.writes.remove_space(1)
    assert await store.links.spaces() == {2}
    kept = store.bookkeeping
    for space, count in ((1, 0), (2, 1)):
        assert len(await store.links.groups(space)) == count
        assert len(await kept.cursors(space)) == count
        assert len(await kept.watched(space)) == count
        assert len(await kept.jobs(space)) == count
        assert len(await kept.searches_of(space, 5)) == count
    assert await store.links.count() == Counts(1, 0, 1)


async def test_cursor_and_picture_commit_together_or_not_at_all(store: Store) -> None:
    broken = Link(1, GENERAL, "2", "a", details={"n": object()})
    with pytest.raises(TypeError):
        await store.writes.commit(
            [(picture(1), link("1")), (picture(2), broken)], [Cursor(1, 10, 9, 1)]
        )
    assert await store.links.count() == Counts(0, 0, 0)
    assert await store.bookkeeping.cursors(1) == {}
    await store.writes.commit([(picture(1), link("1"))], [Cursor(1, 10, 9, 1)])
    assert await store.bookkeeping.cursors(1) == {10: Cursor(1, 10, 9, 1)}


async def test_cancelled_caller_leaves_no_half_transaction(store: Store) -> None:
    async def commit(number: int) -> None:
        items = [(picture(number * 100 + n), link(f"{number}", str(n))) for n in range(5)]
        await store.writes.commit(items, [Cursor(1, number, 1, 0)])

    tasks = [asyncio.create_task(commit(number)) for number in range(20)]
    for i, task in enumerate(tasks):
        await asyncio.sleep(0.001)
        if i % 2:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.bookkeeping.watch(1, 1)  # waits behind whatever still runs
    known = await store.links.known(1, GENERAL.id)
    assert {len(slots) for slots in known.values()} == {5}
    assert {int(source) for source in known} == set(await store.bookkeeping.cursors(1))


async def test_closed_store_says_so(store: Store) -> None:
    await store.close()
    with pytest.raises(GalleryClosed):
        await store.links.count()
    with pytest.raises(GalleryClosed):
        await store.bookkeeping.watch(1, 1)


async def test_condition_that_only_the_store_knows_becomes_ids(store: Store) -> None:
    await store.writes.commit([(picture(1), link("5")), (picture(2), link("6"))])
    [mine] = (await store.links.ids_of_source(1, "5")).values()
    plain = Filter(1, owners=frozenset({3}), without=frozenset({77}))
    assert await store.links.resolved(plain) == plain
    asked = replace(plain, but_not_source="5")
    assert await store.links.resolved(asked) == replace(plain, without=frozenset({mine, 77}))


async def test_search_is_saved_with_what_it_was_limited_to(store: Store) -> None:
    filter = Filter(
        1, frozenset({10}), kind=None, owners=frozenset({3}), since=5.5, but_not_source="5"
    )
    id = await store.bookkeeping.save_search(1, 7, Asked("red", filter=filter))
    kept = await store.bookkeeping.search_by_id(id)
    assert kept is not None
    # What the asker may see is decided anew each time it is run.
    assert kept.asked.filter == Filter(1, kind=None, owners=frozenset({3}), since=5.5)


async def test_owners_are_told_of_the_named_groups_alone_most_links_first(store: Store) -> None:
    def owned(source: str, owner: int, group: Group = GENERAL) -> Link:
        return replace(link(source), owner=owner, group=group)

    rows = [
        owned("1", 5),
        owned("2", 6),
        owned("3", 6),
        owned("4", 7, THREAD),
        owned("5", 5, THREAD),
    ]
    await store.writes.commit([(picture(1), one) for one in rows])
    assert list((await store.links.owners(1, {GENERAL.id})).items()) == [(6, 2), (5, 1)]
    assert await store.links.owners(1, {GENERAL.id, THREAD.id}) == {5: 2, 6: 2, 7: 1}
    assert await store.links.owners(1, {GENERAL.id, THREAD.id}, limit=1) == {5: 2}
    assert await store.links.owners(1, ()) == {}
    assert await store.links.owners(2, {GENERAL.id}) == {}


# ---- moments


async def test_frames_of_animations_have_a_second_and_a_still(store: Store) -> None:
    await store.writes.commit([(moving(1), link("1")), (picture(2), link("2"))])
    [clip], [still] = [(await store.links.ids_of_source(1, name)).values() for name in "12"]
    asked = {clip: 2, still: 0, 999: 0}
    assert await store.links.seconds(asked) == {clip: 12.0}
    assert await store.links.stills(asked) == {clip: b"still-of-1-at-12"}


async def test_moments_of_other_frames_than_the_gallery_has_are_not_told(store: Store) -> None:
    """Another model's embeddings may be of other frames."""
    await store.writes.commit([(replace(moving(1), vectors=picture(1, 2).vectors), link("1"))])
    [clip] = (await store.links.ids_of_source(1, "1")).values()
    assert await store.links.seconds({clip: 1}) == {}


async def test_stills_are_among_the_belongings_and_come_in_parts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.writes.commit([(moving(n), link(str(n))) for n in range(1, 4)])
    [(_, one), *_] = await store.links.belongings(1, 5)
    assert [moment.second for moment in one.moments] == [0, 4, 12]
    monkeypatch.setattr("index.store.sql.links.MAX_KEPT_BYTES", 100)
    first = await store.links.belongings(1, 5)
    rest = await store.links.belongings(1, 5, after=first[-1][0])
    assert [len(first), len(rest)] == [2, 1]
