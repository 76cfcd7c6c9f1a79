"""Erased pictures stay erased, even if they were on their way to the gallery at that moment."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.ops.tuning import Clocks
from bot.sync.coverage import Coverage, Move
from bot.sync.writer import OLDER_REMEMBERED, REMEMBERED, Item, Writer
from index import Cursor, Gallery, Group, Link, StoreFull
from index.embed.embedder import Embedder
from tests.bot.running import png

SPACE, CHANNEL, THREAD, OWNER = 1, 10, 11, 50


@pytest.fixture
async def gallery(db: Path, model: Embedder) -> AsyncIterator[Gallery]:
    gallery = await Gallery.open(db, model)
    yield gallery
    await gallery.close()


@pytest.fixture
def writer(gallery: Gallery, clocks: Clocks) -> Writer:
    return Writer(gallery, clocks)


async def item(
    gallery: Gallery, message: int, slot: str = "a:1", *, thread: bool = False, as_of: int = 0
) -> Item:
    """A picture whose message was read as of this change; 0: before everything."""
    group = Group(THREAD, parent=CHANNEL) if thread else Group(CHANNEL)
    picture = await gallery.embed_picture(png("teal"))
    return Item(picture, Link(SPACE, group, str(message), slot, owner=OWNER), as_of)


async def test_deleted_message_is_left_out_of_a_later_commit(
    gallery: Gallery, writer: Writer
) -> None:
    items = [await item(gallery, 100), await item(gallery, 101)]
    await writer.erase_messages(SPACE, [100])
    assert (await writer.commit(items)).pictures == 1
    assert (await gallery.links.known(SPACE, CHANNEL)).keys() == {"101"}


async def test_deletion_waits_for_the_commit_being_written_and_then_removes(
    gallery: Gallery, writer: Writer
) -> None:
    one = await item(gallery, 100)
    writing = asyncio.create_task(writer.commit([one]))
    await asyncio.sleep(0)
    assert writer._writing.locked()
    assert await writer.erase_messages(SPACE, [100]) == 1
    await writing
    assert (await gallery.links.count()).links == 0


async def test_edit_decides_which_slots_still_count(gallery: Gallery, writer: Writer) -> None:
    both = [await item(gallery, 100, "a:1"), await item(gallery, 100, "a:2")]
    assert writer.observe(100, frozenset({"a:2"}))
    await writer.commit(both)
    assert await gallery.links.slots(SPACE, "100") == {"a:2"}


async def test_history_replaces_an_older_edit_but_not_a_later_one(
    gallery: Gallery, writer: Writer
) -> None:
    shown, before = frozenset({"a:1"}), writer.now
    one = await item(gallery, 100, "a:1")
    writer.observe(100, frozenset())
    writer.observe_history(100, shown, before)  # asked for before the edit
    assert (await writer.commit([one])).pictures == 0
    writer.observe_history(100, shown, writer.now)
    assert (await writer.commit([one])).pictures == 1


async def test_no_edit_brings_a_deleted_message_back(gallery: Gallery, writer: Writer) -> None:
    one = await item(gallery, 100)
    await writer.erase_messages(SPACE, [100])
    assert not writer.observe(100, frozenset({"a:1"}))
    assert (await writer.commit([one])).pictures == 0


async def test_channel_is_erased_with_its_threads(gallery: Gallery, writer: Writer) -> None:
    before = [await item(gallery, 100), await item(gallery, 101, thread=True)]
    await writer.commit(before)
    assert await writer.erase_group(SPACE, CHANNEL) == 2
    assert (await writer.commit(before)).pictures == 0


@pytest.mark.parametrize("way", ["group", "space"])
async def test_picture_read_before_an_erasure_stays_out_and_one_read_later_is_kept(
    gallery: Gallery, writer: Writer, way: str
) -> None:
    before = [await item(gallery, 100, as_of=writer.now), await item(gallery, 101, thread=True)]
    erasing = {
        "group": lambda: writer.erase_group(SPACE, CHANNEL),
        "space": lambda: writer.erase_space(SPACE),
    }
    assert await erasing[way]() == 0
    assert (await writer.commit(before)).pictures == 0
    if way == "group":
        assert (await writer.commit([await item(gallery, 102, as_of=writer.now)])).pictures == 0
        writer.readmit(Group(CHANNEL))
    assert (await writer.commit([await item(gallery, 102, as_of=writer.now)])).pictures == 1


async def test_next_page_of_a_readmitted_channel_erases_no_picture_that_is_on_its_way(
    gallery: Gallery, writer: Writer
) -> None:
    """Each page of the channel, and of each thread in it, readmits the channel."""
    await writer.erase_group(SPACE, CHANNEL)
    writer.readmit(Group(CHANNEL))
    one = await item(gallery, 100, as_of=writer.now)
    await writer.erase_messages(SPACE, [999])  # something else happens
    writer.readmit(Group(THREAD, parent=CHANNEL))
    assert (await writer.commit([one])).pictures == 1


async def test_picture_on_its_way_is_left_out_if_its_owner_posted_it_before_the_erasure(
    gallery: Gallery, writer: Writer
) -> None:
    before, after = await item(gallery, 100), await item(gallery, 101)
    after = replace(after, link=replace(after.link, posted_at=20.5))
    assert await writer.leave_out(SPACE, OWNER, 20.0) == 0
    await writer.commit([before, after])
    assert (await gallery.links.known(SPACE, CHANNEL)).keys() == {"101"}


async def test_old_picture_read_before_its_erasure_is_not_current_and_one_read_later_is(
    gallery: Gallery, writer: Writer
) -> None:
    link = replace((await item(gallery, 100)).link, posted_at=20.0)
    before = writer.now
    await writer.erase_older(SPACE, 20.0)
    assert writer.is_current(link, before)
    await writer.erase_older(SPACE, 20.5)
    await writer.erase_older(SPACE, 10.0)  # the server keeps pictures for longer now
    assert not writer.is_current(link, before)
    assert writer.is_current(link, writer.now)
    assert writer.is_current(replace(link, space=SPACE + 1), before)


async def test_few_erasures_of_old_pictures_are_remembered(writer: Writer) -> None:
    for posted_before in range(100, 0, -1):
        await writer.erase_older(SPACE, float(posted_before))
    assert len(writer._erased_older[SPACE]) == OLDER_REMEMBERED
    for posted_before in range(100):
        await writer.erase_older(SPACE, float(posted_before))
    assert len(writer._erased_older[SPACE]) == 1


async def test_failed_erasure_of_an_owner_leaves_out_no_picture_that_is_on_its_way(
    gallery: Gallery, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await item(gallery, 100, as_of=writer.now)
    _fail_at_first(gallery, "leave_out", monkeypatch)
    with pytest.raises(StoreFull):
        await writer.leave_out(SPACE, OWNER, math.inf)
    assert len((await writer.commit([one])).links) == 1


async def test_cursor_is_committed_with_its_pictures(gallery: Gallery, writer: Writer) -> None:
    coverage = Coverage(SPACE, CHANNEL)
    move = Move(coverage, newest=100, oldest=90)
    await writer.commit([await item(gallery, 100)], [move])
    assert await gallery.bookkeeping.cursors(SPACE) == {CHANNEL: Cursor(SPACE, CHANNEL, 100, 90)}
    assert coverage.unsaved() is None


async def test_full_disk_is_waited_for_and_nothing_is_skipped(
    gallery: Gallery, writer: Writer, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.write_retry_s = 0.01
    commit, refusals = gallery.commit, 2

    async def full_at_first(*arguments: Any, **named: Any) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise StoreFull(Path("magpie.db"))
        await commit(*arguments, **named)

    monkeypatch.setattr(gallery, "commit", full_at_first)
    assert (await writer.commit([await item(gallery, 100)])).pictures == 1
    assert (await gallery.links.count()).links == 1


async def test_deletions_wait_for_a_full_disk_too(
    gallery: Gallery, writer: Writer, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.write_retry_s = 0.01
    await writer.commit([await item(gallery, 100), await item(gallery, 101, thread=True)])
    for name in ("remove_sources", "remove_group"):
        _fail_at_first(gallery, name, monkeypatch)
    assert await writer.erase_messages(SPACE, [100]) == 1
    assert await writer.erase_group(SPACE, CHANNEL, [THREAD]) == 1
    assert (await gallery.links.count()).links == 0


async def test_a_server_that_was_left_or_came_back_is_noted_once_there_is_room(
    gallery: Gallery, writer: Writer, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.write_retry_s = 0.01
    for name in ("depart", "come_back"):
        _fail_at_first(gallery.bookkeeping, name, monkeypatch)
    await writer.depart(SPACE, 100.0)
    assert await gallery.bookkeeping.departed() == {SPACE: 100.0}
    await writer.come_back(SPACE)
    assert await gallery.bookkeeping.departed() == {}


async def test_edit_that_waits_for_a_full_disk_does_not_undo_a_later_one(
    gallery: Gallery, writer: Writer, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.write_retry_s = 0.05
    await writer.commit([await item(gallery, 100, "a:1"), await item(gallery, 100, "a:2")])
    _fail_at_first(gallery, "keep_slots", monkeypatch)
    writer.observe(100, frozenset({"a:1"}))
    waiting = asyncio.create_task(writer.keep_slots(SPACE, 100, ["a:1"]))
    await asyncio.sleep(0.01)
    writer.observe(100, frozenset({"a:2"}))  # edited again
    await waiting
    assert await gallery.links.slots(SPACE, "100") == {"a:2"}


async def test_an_answer_does_not_wait_for_a_full_disk(
    gallery: Gallery, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writer.commit([await item(gallery, 100)])
    _fail_at_first(gallery, "remove_sources", monkeypatch)
    with pytest.raises(StoreFull):
        await writer.erase_messages(SPACE, [100], patient=False)


def _fail_at_first(part: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a method of the gallery, or of a part of it, meet a full disk at its first call."""
    method, refusals = getattr(part, name), [StoreFull(Path("magpie.db"))]

    async def full_at_first(*arguments: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return await method(*arguments)

    monkeypatch.setattr(part, name, full_at_first)


async def test_what_is_remembered_is_bounded(writer: Writer) -> None:
    for message in range(REMEMBERED + 5):
        writer.observe(message, frozenset())
    assert not writer.has_observed(4)
    assert writer.has_observed(5)


async def test_opt_in_does_not_overtake_an_opt_out(gallery: Gallery, writer: Writer) -> None:
    writing = asyncio.create_task(writer.commit([await item(gallery, 100)]))
    await asyncio.sleep(0)
    out = asyncio.create_task(writer.leave_out(SPACE, OWNER, math.inf))
    await asyncio.sleep(0)
    await writer.let_in(SPACE, OWNER, -math.inf)
    await asyncio.gather(writing, out)
    assert await gallery.bookkeeping.left_out() == {}


async def test_commit_tells_which_links_are_new(gallery: Gallery, writer: Writer) -> None:
    one = await item(gallery, 100)
    [link] = (await writer.commit([one])).links
    kept = await gallery.links.link(SPACE, link)
    assert kept is not None
    assert kept.source == "100"
    again = await writer.commit([one])
    assert (again.pictures, again.links) == (1, [])
