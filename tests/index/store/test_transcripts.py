"""What was read in pictures: kept by picture, pending until then, deleted with it."""

from __future__ import annotations

from index.store.interface import Store
from tests.index.store.conftest import Open
from tests.index.store.samples import MODEL, link, picture


async def test_a_transcript_is_kept_line_by_line(store: Store) -> None:
    one = picture(1)
    await store.writes.commit([(one, link("1")), (picture(2), link("2"))])
    await store.transcripts.begin("r1")
    assert await store.transcripts.get(one.key) is None
    await store.transcripts.put(one.key, "r1", ["One does not", "  simply\u200b  ", ""])
    assert await store.transcripts.get(one.key) == ("One does not", "simply")


async def test_pictures_are_pending_until_they_are_read_newest_first(store: Store) -> None:
    pictures = [picture(n) for n in range(5)]
    await store.writes.commit([(one, link(str(n))) for n, one in enumerate(pictures)])
    await store.writes.commit([(picture(9, kind="text"), link("text"))])
    await store.writes.commit([(pictures[0], link("again", space=2))])
    await store.transcripts.begin("r1")
    await store.transcripts.put(pictures[3].key, "r1", ["words"])
    await store.transcripts.put(pictures[1].key, "r1", [])
    first = await store.transcripts.pending(limit=2)
    assert [(one.key, one.link.source) for one in first] == [
        (pictures[4].key, "4"),
        (pictures[2].key, "2"),
    ]
    (last,) = await store.transcripts.pending(after=first[-1].id, limit=2)
    assert (last.key, last.link.source, last.link.space) == (pictures[0].key, "again", 2)
    (here,) = await store.transcripts.pending(space=2, limit=9)
    assert here.link == last.link
    counted = [await store.transcripts.count_pending(space) for space in (None, 1, 2, 3)]
    assert counted == [3, 3, 1, 0]
    assert await store.transcripts.count_pending(1, [10]) == 3
    assert await store.transcripts.count_pending(1, [77]) == 0


async def test_only_the_revision_that_has_begun_is_kept(store: Store) -> None:
    one = picture(1)
    await store.writes.commit([(one, link("1"))])
    await store.transcripts.put(one.key, "r1", ["early"])
    assert await store.transcripts.get(one.key) is None
    await store.transcripts.begin("r1")
    await store.transcripts.put(one.key, "r0", ["other"])
    assert await store.transcripts.get(one.key) is None
    await store.transcripts.put(one.key, "r1", ["mine"])
    await store.transcripts.begin("r1")
    assert await store.transcripts.count_pending() == 0


async def test_what_an_earlier_revision_read_counts_until_it_is_read_again(store: Store) -> None:
    one = picture(1)
    await store.writes.commit([(one, link("1"))])
    await store.transcripts.begin("r1")
    await store.transcripts.put(one.key, "r1", ["earlier"])
    await store.transcripts.begin("r2")
    assert await store.transcripts.get(one.key) == ("earlier",)
    assert [p.key for p in await store.transcripts.pending(limit=9)] == [one.key]
    await store.transcripts.put(one.key, "r2", ["later"])
    assert await store.transcripts.get(one.key) == ("later",)
    assert await store.transcripts.pending(limit=9) == []


async def test_redone_are_the_pictures_of_a_space_or_of_a_group(store: Store) -> None:
    await store.writes.commit([(picture(1), link("1")), (picture(2), link("2", space=2))])
    await store.transcripts.begin("r1")
    for n in (1, 2):
        await store.transcripts.put(picture(n).key, "r1", ["words"])
    await store.transcripts.redo(1, [77])
    assert await store.transcripts.count_pending() == 0
    await store.transcripts.redo(1, [10])
    assert [p.key for p in await store.transcripts.pending(limit=9)] == [picture(1).key]
    await store.transcripts.redo()
    assert await store.transcripts.count_pending() == 2


async def test_a_transcript_outlives_a_restart_and_goes_with_the_last_link(
    open_store: Open,
) -> None:
    store = await open_store()
    await store.model_record.set(MODEL)
    one = picture(1)
    await store.writes.commit([(one, link("1")), (one, link("2"))])
    await store.transcripts.begin("r1")
    await store.transcripts.put(one.key, "r1", ["words"])
    await store.close()
    store = await open_store()
    await store.writes.remove_sources(1, ["1"])
    assert await store.transcripts.get(one.key) == ("words",)
    await store.writes.remove_sources(1, ["2"])
    assert await store.transcripts.get(one.key) is None
    await store.writes.commit([(one, link("3"))])
    assert await store.transcripts.count_pending() == 1
