"""Servers take turns at reading history, and a flood in one does not hold up the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bot.platform.shards import Shards
from bot.sync import history_search
from bot.sync.backlog import Backlog
from bot.sync.history_search import HistorySearch
from bot.sync.reading import Reading
from bot.sync.watched import Watched
from index import Cursor

FLOODED, QUIET, OTHER = 1, 2, 3  # servers


@pytest.fixture
def backlog() -> Backlog:
    nothing: Any = None
    # Turns don't depend on what is watched.
    return Backlog(Watched(nothing, nothing, nothing, Shards()))


def readings(backlog: Backlog, server: int, count: int, *, behind: bool) -> list[Reading]:
    """Channels of a server that wait for their turn; those not behind have old messages left."""
    groups = [10 * server + n for n in range(count)]
    backlog.load(server, {group: Cursor(server, group, 1000, 500, False) for group in groups})
    made = [backlog.get_or_create(server, group) for group in groups]
    for reading in made:
        reading.coverage.behind = behind
        backlog.turns.schedule(reading)
    return made


async def turns(backlog: Backlog, count: int, at_once: int = 1) -> Sequence[Reading]:
    """Who gets the next turns, where none of them finishes anything."""
    had: list[Reading] = []
    for turn in range(count):
        reading = await backlog.turns.next_turn()
        assert isinstance(reading, Reading)
        had.append(reading)
        if turn >= at_once - 1:
            back = had[turn - at_once + 1]
            back.busy = False
            backlog.turns.schedule(back)
    return had


def test_what_was_just_posted_is_no_history(backlog: Backlog) -> None:
    """Catching up reads it as new, also what lies a little before the cursor."""
    hour = 3_600_000 << 22  # in ids of messages
    cursor = Cursor(QUIET, 20, newest=1_000 * hour, oldest=10 * hour, complete=False)
    backlog.load(QUIET, {20: cursor})
    assert backlog.is_new(QUIET, 20, 1_000 * hour + 1)
    assert backlog.is_new(QUIET, 20, 1_000 * hour - hour // 10)
    assert not backlog.is_new(QUIET, 20, 999 * hour)
    assert not backlog.is_new(QUIET, 21, 1_000 * hour)  # nothing of this one is read
    backlog.read_from(QUIET, 20, 998 * hour)  # its pictures could not be taken
    assert backlog.is_new(QUIET, 20, 998 * hour)
    assert not backlog.is_new(QUIET, 20, 997 * hour)


@pytest.mark.parametrize("at_once", [1, 3])
async def test_a_flood_leaves_their_turns_to_other_servers(backlog: Backlog, at_once: int) -> None:
    readings(backlog, FLOODED, 8, behind=True)
    [quiet] = readings(backlog, QUIET, 1, behind=False)
    readings(backlog, OTHER, 8, behind=True)
    had = await turns(backlog, 30, at_once)
    assert had.count(quiet) >= 30 // (at_once + 2)


async def test_a_server_reads_what_it_missed_first_and_its_channels_take_turns(
    backlog: Backlog,
) -> None:
    old = readings(backlog, FLOODED, 2, behind=False)
    missed = readings(backlog, QUIET, 2, behind=False)
    missed[1].coverage.fall_behind()
    assert await turns(backlog, 4) == [old[0], missed[1], old[1], missed[1]]
    missed[1].coverage.catch_up(missed[1].coverage.gaps)
    assert await turns(backlog, 4) == [old[0], missed[0], old[1], missed[1]]


async def test_what_is_released_gets_no_turn(backlog: Backlog) -> None:
    one, two = readings(backlog, FLOODED, 2, behind=True)
    [alone] = readings(backlog, QUIET, 1, behind=True)
    backlog.release(one)
    backlog.release(alone)
    assert await turns(backlog, 3) == [two, two, two]


async def test_old_messages_wait_for_the_search_and_other_servers_do_not(backlog: Backlog) -> None:
    old = readings(backlog, FLOODED, 2, behind=False)
    [other] = readings(backlog, OTHER, 1, behind=False)
    search = begin_search(backlog, FLOODED, old)
    assert await backlog.turns.next_turn() is search
    assert await backlog.turns.next_turn() is other
    waiting = asyncio.create_task(backlog.turns.next_turn())
    await asyncio.sleep(0)
    assert not waiting.done()
    search.resting = True  # Discord is not ready
    backlog.turns.go_on(search)
    assert await waiting is old[0]


async def test_what_was_missed_is_read_before_the_search_goes_on(backlog: Backlog) -> None:
    old = readings(backlog, FLOODED, 3, behind=False)
    search = begin_search(backlog, FLOODED, old)
    old[2].coverage.fall_behind()
    assert await backlog.turns.next_turn() is old[2]
    assert await backlog.turns.next_turn() is search
    search.end()
    backlog.turns.go_on(search)
    assert await backlog.turns.next_turn() is old[0]


def begin_search(backlog: Backlog, server: int, due: list[Reading]) -> HistorySearch:
    groups = [reading.coverage.group for reading in due]
    search = history_search.begun(server, groups, groups, 501, whole=True)
    backlog.turns._searches[server] = search
    return search
