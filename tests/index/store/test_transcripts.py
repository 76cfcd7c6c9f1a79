"""What was read in pictures: kept by picture, pending until then, deleted with it."""

from __future__ import annotations

from typing import Any

from index.store.interface import Store
from index.types.filter import Filter
from index.types.records import Group
from tests.index.store.conftest import Open
from tests.index.store.samples import GENERAL, MODEL, THREAD, link, picture


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
    assert [(one.key, one.link.source, one.link.space) for one in first] == [
        (pictures[0].key, "again", 2),
        (pictures[4].key, "4", 1),
    ]
    rest = await store.transcripts.pending(after=first[-1].id, limit=9)
    assert [(one.key, one.link.source) for one in rest] == [
        (pictures[2].key, "2"),
        (pictures[0].key, "0"),
    ]
    (here,) = await store.transcripts.pending(space=2, limit=9)
    assert here == first[0]
    keys = [one.key for one in pictures]
    are_pending = [await store.transcripts.is_pending(key) for key in keys]
    assert are_pending == [True, False, True, False, True]
    counted = [await store.transcripts.count_pending(space) for space in (None, 1, 2, 3)]
    assert counted == [3, 3, 1, 0]
    unread = [Filter(1), Filter(1, frozenset([10])), Filter(1, frozenset([77])), Filter(2)]
    assert [await store.transcripts.count_unread(one) for one in unread] == [3, 3, 0, 1]


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


async def said(
    store: Store, *phrases: str, groups: tuple[int, ...] = (10,), space: int = 1
) -> list[str]:
    """The sources of the links that show a picture with all of these phrases."""
    found = await store.links.resolved(Filter(space, frozenset(groups), says=phrases))
    assert found.only is not None
    assert found.says == ()
    links = await store.links.with_ids(space, list(found.only))
    return sorted(link.source for link, _, _ in links.values())


async def read(store: Store, number: int, *lines: str, **place: Any) -> None:
    """A picture with these lines, in a source of its number."""
    await store.writes.commit([(picture(number), link(str(number), **place))])
    await store.transcripts.begin("r1")
    await store.transcripts.put(picture(number).key, "r1", lines)


async def test_phrases_are_whole_words_in_their_order_in_any_case_and_accent(store: Store) -> None:
    await read(store, 1, "One DOES not", "simply walk: Café")
    await read(store, 2, "postcard, simply not")
    await read(store, 3, "我爱北京天安门")
    await read(store, 4, "")
    for phrases, sources in [
        (["card"], []),
        (["car"], []),
        (["POSTCARD"], ["2"]),
        (["not simply"], ["1"]),
        (["simply not"], ["2"]),
        (["simply", "not"], ["1", "2"]),
        (["simply", "one does"], ["1"]),
        (["cafe"], ["1"]),
        (["CAFÉ!"], ["1"]),
        (["caf"], []),
        (["北京"], ["3"]),
        (["京北"], []),
        (["天安门", "爱"], ["3"]),
        (["!?"], []),
        (["simply", "!?"], []),
        (["one does simply"], []),
    ]:
        assert await said(store, *phrases) == sources, phrases


async def test_only_what_the_groups_have_is_found(store: Store) -> None:
    private, other = Group(12, parent=10, private=True), Group(20)
    await read(store, 1, "secret plan", group=GENERAL)
    await read(store, 2, "secret plan", group=Group(11, parent=10))
    await read(store, 3, "secret plan", group=private)
    await read(store, 4, "secret plan", group=other)
    await read(store, 5, "secret plan", group=GENERAL, space=2)
    everywhere = [(10,), (11,), (12,), (20,), (10, 12, 20)]
    found = [await said(store, "secret plan", groups=groups) for groups in everywhere]
    assert found == [["1"], ["2"], ["3"], ["4"], ["1", "3", "4"]]
    assert await said(store, "secret", space=2) == ["5"]


async def test_words_follow_a_link_that_moves_and_a_thread_that_becomes_private(
    store: Store,
) -> None:
    await read(store, 1, "first words", group=THREAD)
    await store.writes.commit([(picture(1), link("1", group=Group(11, parent=10)))])
    assert await said(store, "first words", groups=(11,)) == ["1"]
    await store.writes.commit([(picture(2), link("1", group=Group(11, parent=10)))])
    assert await said(store, "first words", groups=(11,)) == []
    await store.transcripts.put(picture(2).key, "r1", ["second words"])
    assert await said(store, "second words", groups=(11,)) == ["1"]
    await store.writes.remove_sources(1, ["1"])
    assert await said(store, "second words", groups=(11,)) == []


async def test_what_is_read_in_one_channel_is_not_told_in_another(store: Store) -> None:
    """Else it would tell there that the picture is known elsewhere."""
    one = picture(1)
    thread, private = Group(12, parent=10), THREAD
    places = {"1": GENERAL, "2": thread, "3": private, "4": Group(20)}
    await store.writes.commit([(one, link(source, group=g)) for source, g in places.items()])
    await store.writes.commit([(one, link("5", space=2))])
    await store.transcripts.begin("r1")
    await store.transcripts.put(one.key, "r1", ["known words"], [(1, 12)])
    everywhere = (10, 11, 12, 20)
    assert await said(store, "known words", groups=everywhere) == ["1", "2"]
    assert await store.transcripts.count_unread(Filter(1, frozenset(everywhere))) == 2
    pending = await store.transcripts.pending(limit=9)
    assert [one.link.source for one in pending] == ["5", "4", "3"]
    await store.transcripts.put(one.key, "r1", ["known words"], [(1, 20), (2, 10)])
    assert await said(store, "known words", groups=everywhere) == ["1", "2", "4"]
    assert await said(store, "known words", space=2) == ["5"]
    assert await store.transcripts.is_pending(one.key)
    await store.transcripts.put(one.key, "r1", ["known words"], [(1, 11)])
    assert not await store.transcripts.is_pending(one.key)
    assert await said(store, "known words", groups=everywhere) == ["1", "2", "3", "4"]


async def test_unread_are_counted_among_some_links(store: Store) -> None:
    await store.writes.commit([(picture(n), link(str(n))) for n in (1, 2, 3)])
    last, *others = [one.id for one in await store.transcripts.pending(limit=9)]
    await store.transcripts.begin("r1")
    await store.transcripts.put(picture(3).key, "r1", [])
    for only, count in (([last], 0), (others, 2), ([last, others[0]], 1), ([], 0)):
        filter = Filter(1, frozenset([10]), only=frozenset(only))
        assert await store.transcripts.count_unread(filter) == count


async def test_a_picture_is_read_once_more_for_another_channel(store: Store) -> None:
    """Being found or counted at once would tell there that it is known elsewhere."""
    await read(store, 1, "known words", group=GENERAL)
    again = [link("2", group=GENERAL), link("3", group=Group(20)), link("4", space=2)]
    await store.writes.commit([(picture(1), one) for one in again])
    assert await said(store, "known words", groups=(10, 20)) == ["1", "2"]
    assert await said(store, "known words", space=2) == []
    unread = [Filter(1, frozenset([10])), Filter(1, frozenset([20])), Filter(2)]
    assert [await store.transcripts.count_unread(one) for one in unread] == [0, 1, 1]
    assert [await store.transcripts.count_pending(space) for space in (1, 2, 3)] == [1, 1, 0]
    await store.writes.remove_sources(1, ["3"])
    assert [await store.transcripts.count_pending(space) for space in (1, 2)] == [0, 1]
    await store.writes.commit([(picture(1), again[1])])
    pending = await store.transcripts.pending(limit=9)
    assert [(one.key, one.link.source) for one in pending] == [
        (picture(1).key, "3"),
        (picture(1).key, "4"),
    ]
    await store.transcripts.put(picture(1).key, "r1", ["known words"])
    assert await said(store, "known words", groups=(10, 20)) == ["1", "2", "3"]
    assert await store.transcripts.count_pending() == 0


async def test_what_was_read_for_another_channel_is_not_given_for_a_link(store: Store) -> None:
    """It would decide here what is folded, and be in an export, before it was read."""
    await read(store, 1, "known words", group=GENERAL)
    await store.writes.commit([(picture(1), link("2", group=Group(20)))])
    links = await store.links.with_ids(1, range(9))
    ids = {one.source: id for id, (one, _, _) in links.items()}
    assert await store.transcripts.of_links(ids.values()) == {ids["1"]: ("known words",)}
    belongings = dict(await store.links.belongings(1, 5))
    assert belongings[ids["1"]].words == ("known words",)
    assert belongings[ids["2"]].words == ()


async def test_nearly_the_same_terms_are_told_apart_from_the_same(store: Store) -> None:
    await read(store, 1, "the wizard")
    await read(store, 2, "the w1zzard")
    await read(store, 3, "the lizard of oz, a wizzad")
    await read(store, 4, "cat")
    mentions = await store.transcripts.mentions(["wizard", "oz", "car"], Filter(1))
    links = await store.links.with_ids(1, range(9))
    sources = {id: one.source for id, (one, _, _) in links.items()}
    assert {sources[id]: set(marks) for id, marks in mentions.exact.items()} == {"1": {0}, "3": {1}}
    assert {sources[id]: set(marks) for id, marks in mentions.near.items()} == {
        "1": {0},
        "2": {0},
        "3": {0},
    }
