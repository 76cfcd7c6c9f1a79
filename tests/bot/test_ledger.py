"""The last word on a message holds, whoever had begun to write before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.sync import writer as ledger_module
from bot.sync.coverage import Coverage, Move
from bot.sync.writer import Item, Ledger
from index import Cursor, Gallery, Group, Link, StoreFull
from index.embed.embedder import Embedder
from tests.bot.running import png

SPACE, CHANNEL, THREAD = 1, 10, 11


@pytest.fixture
async def gallery(db: Path, model: Embedder) -> AsyncIterator[Gallery]:
    gallery = await Gallery.open(db, model)
    yield gallery
    await gallery.close()


@pytest.fixture
def ledger(gallery: Gallery) -> Ledger:
    return Ledger(gallery)


async def item(gallery: Gallery, message: int, slot: str = "a:1", thread: bool = False) -> Item:
    group = Group(THREAD, parent=CHANNEL) if thread else Group(CHANNEL)
    return await gallery.embed_picture(png("teal")), Link(SPACE, group, str(message), slot)


async def test_deleted_message_is_left_out_of_a_later_commit(
    gallery: Gallery, ledger: Ledger
) -> None:
    items = [await item(gallery, 100), await item(gallery, 101)]
    await ledger.forget_messages(SPACE, [100])
    assert await ledger.commit(items) == 1
    assert (await gallery.known(SPACE, CHANNEL)).keys() == {"101"}


async def test_deletion_waits_for_the_commit_being_written_and_then_removes(
    gallery: Gallery, ledger: Ledger
) -> None:
    one = await item(gallery, 100)
    writing = asyncio.create_task(ledger.commit([one]))
    await asyncio.sleep(0)
    assert ledger._writing.locked()
    assert await ledger.forget_messages(SPACE, [100]) == 1
    await writing
    assert (await gallery.count()).links == 0


async def test_edit_decides_which_slots_still_count(gallery: Gallery, ledger: Ledger) -> None:
    both = [await item(gallery, 100, "a:1"), await item(gallery, 100, "a:2")]
    assert ledger.say(100, frozenset({"a:2"}))
    await ledger.commit(both)
    assert await gallery.slots(SPACE, "100") == {"a:2"}


async def test_history_outdoes_an_older_edit_but_not_a_later_one(
    gallery: Gallery, ledger: Ledger
) -> None:
    shown, words = frozenset({"a:1"}), ledger.words
    one = await item(gallery, 100, "a:1")
    ledger.say(100, frozenset())
    ledger.saw(100, shown, words)  # asked for before the edit
    assert await ledger.commit([one]) == 0
    ledger.saw(100, shown, ledger.words)
    assert await ledger.commit([one]) == 1


async def test_no_edit_brings_a_deleted_message_back(gallery: Gallery, ledger: Ledger) -> None:
    one = await item(gallery, 100)
    await ledger.forget_messages(SPACE, [100])
    assert not ledger.say(100, frozenset({"a:1"}))
    assert await ledger.commit([one]) == 0


async def test_erased_channel_takes_its_threads_along(gallery: Gallery, ledger: Ledger) -> None:
    items = [await item(gallery, 100), await item(gallery, 101, thread=True)]
    await ledger.commit(items)
    assert await ledger.forget_group(SPACE, CHANNEL) == 2
    assert await ledger.commit(items) == 0
    ledger.welcome(Group(CHANNEL))
    assert await ledger.commit(items) == 2


async def test_erased_server_stays_erased(gallery: Gallery, ledger: Ledger) -> None:
    one = await item(gallery, 101, thread=True)
    await ledger.commit([one])
    assert await ledger.forget_space(SPACE, [CHANNEL]) == 1
    assert await ledger.commit([one]) == 0


async def test_cursor_comes_with_its_pictures(gallery: Gallery, ledger: Ledger) -> None:
    coverage = Coverage(SPACE, CHANNEL)
    move = Move(coverage, newest=100, oldest=90)
    await ledger.commit([await item(gallery, 100)], [move])
    assert await gallery.cursors(SPACE) == {CHANNEL: Cursor(SPACE, CHANNEL, 100, 90)}
    assert coverage.unsaved() is None


async def test_full_disk_is_waited_for_and_nothing_is_skipped(
    gallery: Gallery, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "RETRY_S", 0.01)
    commit, refusals = gallery.commit, 2

    async def full_at_first(*arguments: Any) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise StoreFull(Path("magpie.db"))
        await commit(*arguments)

    monkeypatch.setattr(gallery, "commit", full_at_first)
    assert await ledger.commit([await item(gallery, 100)]) == 1
    assert (await gallery.count()).links == 1


async def test_deletions_wait_for_a_full_disk_too(
    gallery: Gallery, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "RETRY_S", 0.01)
    await ledger.commit([await item(gallery, 100), await item(gallery, 101, thread=True)])
    for name in ("remove_sources", "remove_group"):
        _fail_at_first(gallery, name, monkeypatch)
    assert await ledger.forget_messages(SPACE, [100]) == 1
    assert await ledger.forget_group(SPACE, CHANNEL, [THREAD]) == 1
    assert (await gallery.count()).links == 0


async def test_edit_that_waits_for_a_full_disk_does_not_undo_a_later_one(
    gallery: Gallery, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "RETRY_S", 0.05)
    await ledger.commit([await item(gallery, 100, "a:1"), await item(gallery, 100, "a:2")])
    _fail_at_first(gallery, "keep_slots", monkeypatch)
    ledger.say(100, frozenset({"a:1"}))
    waiting = asyncio.create_task(ledger.keep(SPACE, 100, ["a:1"]))
    await asyncio.sleep(0.01)
    ledger.say(100, frozenset({"a:2"}))  # edited again
    await waiting
    assert await gallery.slots(SPACE, "100") == {"a:2"}


async def test_an_answer_does_not_wait_for_a_full_disk(
    gallery: Gallery, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.commit([await item(gallery, 100)])
    _fail_at_first(gallery, "remove_sources", monkeypatch)
    with pytest.raises(StoreFull):
        await ledger.forget_messages(SPACE, [100], patient=False)


def _fail_at_first(gallery: Gallery, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a method of the gallery meet a full disk at its first call."""
    method, refusals = getattr(gallery, name), [StoreFull(Path("magpie.db"))]

    async def full_at_first(*arguments: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return await method(*arguments)

    monkeypatch.setattr(gallery, name, full_at_first)


async def test_only_so_many_last_words_are_kept(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger._shown, "most", 3)
    for message in range(10):
        ledger.say(message, frozenset())
    assert list(ledger._shown) == [7, 8, 9]
