"""Turns of overviews: nobody keeps others waiting."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from bot.overview.turns import PLACES, RESERVE, SERVER_PLACES, OverviewTurns
from bot.platform.refusal import Refusal


async def hold(turns: OverviewTurns, server: int, member: int, going: asyncio.Event) -> None:
    async with turns.turn(server, member):
        await going.wait()


async def begun(
    tasks: list[asyncio.Task[None]],
    turns: OverviewTurns,
    going: asyncio.Event,
    *who: tuple[int, int],
) -> None:
    tasks += [asyncio.create_task(hold(turns, server, member, going)) for server, member in who]
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_member_has_one_at_a_time_and_a_server_makes_one_at_a_time() -> None:
    turns, going, tasks = OverviewTurns(), asyncio.Event(), list[asyncio.Task[None]]()
    made: list[int] = []

    async def make(member: int) -> None:
        async with turns.turn(1, member):
            made.append(member)

    await begun(tasks, turns, going, (1, 1))
    with pytest.raises(Refusal):
        await make(1)
    waiting = asyncio.create_task(make(2))
    await asyncio.sleep(0.01)
    assert not made
    async with asyncio.timeout(5), turns.turn(2, 1):
        pass  # another server waits for none of these
    going.set()
    await asyncio.gather(waiting, *tasks)
    assert made == [2]
    await make(1)


async def test_a_server_has_few_places_and_leaves_some_to_the_others() -> None:
    turns, going, tasks = OverviewTurns(), asyncio.Event(), list[asyncio.Task[None]]()
    await begun(tasks, turns, going, *((1, member) for member in range(SERVER_PLACES)))
    with pytest.raises(Refusal):
        await hold(turns, 1, 99, going)
    servers = range(2, 2 + (PLACES - RESERVE - SERVER_PLACES) // 2)
    await begun(tasks, turns, going, *((s, member) for s in servers for member in (1, 2)))
    with pytest.raises(Refusal):  # it has some
        await hold(turns, servers[0], 99, going)
    await begun(tasks, turns, going, *((100 + n, 1) for n in range(RESERVE)))
    with pytest.raises(Refusal):
        await hold(turns, 999, 1, going)
    going.set()
    await asyncio.gather(*tasks)


async def test_who_gives_up_frees_the_place() -> None:
    turns, going, tasks = OverviewTurns(), asyncio.Event(), list[asyncio.Task[None]]()
    await begun(tasks, turns, going, (1, 1), (1, 2))
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    async with asyncio.timeout(5), turns.turn(1, 1):
        pass
    assert not turns._queues


async def test_who_waits_is_told_how_many_come_before_and_of_each_change() -> None:
    turns, going, tasks = OverviewTurns(), asyncio.Event(), list[asyncio.Task[None]]()
    told: list[int] = []

    async def make() -> None:
        async with turns.turn(1, 9, told.append):
            pass

    first = asyncio.Event()
    await begun(tasks, turns, first, (1, 1))
    await begun(tasks, turns, going, (1, 2), (2, 1))
    waiting = asyncio.create_task(make())
    await asyncio.sleep(0)
    await begun(tasks, turns, going, (1, 3))  # comes later
    assert told == [2]
    first.set()
    await tasks[0]
    await asyncio.sleep(0.01)
    tasks[3].cancel()  # nothing changes for who was before
    await asyncio.sleep(0.01)
    assert told == [2, 1]
    going.set()
    await waiting
    assert told == [2, 1, 0]


async def test_who_waits_for_nobody_is_told_nothing() -> None:
    told: list[int] = []
    async with OverviewTurns().turn(1, 1, told.append):
        pass
    assert not told
