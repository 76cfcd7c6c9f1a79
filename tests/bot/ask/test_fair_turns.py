"""Questions with pictures get places and turns, so that nobody's pictures keep others waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, suppress

import pytest

from bot.ask import fair_turns
from bot.ask.fair_turns import FairTurns
from bot.platform.refusal import Refusal

Who = tuple[int, int]  # server, member


class Crowd:
    """Members who ask, each until `end` lets the first of their questions go."""

    def __init__(self) -> None:
        self.turns = FairTurns()
        self.running: list[Who] = []
        self._ends: dict[Who, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def ask(self, *who: Who) -> list[asyncio.Task[None]]:
        asked = [asyncio.create_task(self._ask(one)) for one in who]
        self._tasks += asked
        await _settled()
        return asked

    async def _ask(self, who: Who) -> None:
        async with self.turns.turn(*who):
            self.running.append(who)
            self._ends[who] = end = asyncio.Event()
            try:
                await end.wait()
            finally:
                self.running.remove(who)

    async def end(self, who: Who) -> None:
        self._ends[who].set()
        await _settled()

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def crowd() -> AsyncIterator[Crowd]:
    crowd = Crowd()
    yield crowd
    await crowd.leave()
    assert not crowd.running
    assert not crowd.turns._waiting
    assert not crowd.turns._running


async def test_a_member_has_one_turn_at_a_time(crowd: Crowd) -> None:
    await crowd.ask((1, 11), (1, 11), (1, 11))
    assert crowd.running == [(1, 11)]
    await crowd.ask((2, 11), (1, 12))  # in another server, too
    assert crowd.running == [(1, 11), (1, 12)]
    await crowd.end((1, 11))
    assert crowd.running == [(1, 12), (2, 11)]


async def test_a_server_leaves_a_turn_to_others(crowd: Crowd) -> None:
    await crowd.ask((1, 11), (1, 12), (1, 13), (1, 14))
    assert crowd.running == [(1, 11), (1, 12)]
    await crowd.ask((2, 21))
    assert crowd.running == [(1, 11), (1, 12), (2, 21)]


async def test_servers_take_turns_and_so_do_their_members(crowd: Crowd) -> None:
    await crowd.ask((1, 11), (1, 12), (2, 21))
    await crowd.ask((1, 11), (1, 12), (1, 13), (2, 22), (3, 31))
    order = []
    while crowd.running:
        before, first = crowd.running[1:], crowd.running[0]
        await crowd.end(first)
        order += crowd.running[len(before) :]
    # 3 had no turn yet; then 2's last is older than 1's; in 1, member 13 had none
    assert order == [(3, 31), (1, 13), (2, 22), (1, 11), (1, 12)]


async def test_who_gives_up_waiting_or_is_cancelled_passes_the_turn_on(crowd: Crowd) -> None:
    first, waiting, last = await crowd.ask((1, 11), (1, 11), (1, 11))
    waiting.cancel()
    await _settled()
    assert crowd.running == [(1, 11)]
    first.cancel()
    await _settled()
    assert crowd.running == [(1, 11)]
    assert not last.done()


async def test_a_turn_that_is_given_to_someone_cancelled_is_not_lost(crowd: Crowd) -> None:
    first, second = await crowd.ask((1, 11), (1, 11))
    first.cancel()
    await asyncio.sleep(0)  # the turn is given to the second, who has not run yet
    second.cancel()
    await _settled()
    await crowd.ask((1, 11))
    assert crowd.running == [(1, 11)]


YOURS, MANY = "pictures that you asked with", "So many people"


def take_all(turns: FairTurns, taken: ExitStack, server: int, members: Iterable[int]) -> int:
    """Each member takes as many places as there are for them; returns how many."""
    count = 0
    for member in members:
        with suppress(Refusal):
            while True:
                taken.enter_context(turns.place(server, member))
                count += 1
    return count


def test_a_member_has_so_many_places() -> None:
    turns = FairTurns()
    with ExitStack() as taken:
        assert take_all(turns, taken, 1, [11]) == fair_turns.MEMBER_PLACES
        for server in (1, 2):  # a member is the same in every server
            with pytest.raises(Refusal, match=YOURS):
                taken.enter_context(turns.place(server, 11))
    with turns.place(1, 11):  # all were given back
        pass


def test_a_server_has_so_many_places_and_keeps_some_for_members_who_hold_none() -> None:
    turns, shared = FairTurns(), fair_turns.SERVER_PLACES - fair_turns.RESERVE
    with ExitStack() as taken:
        assert take_all(turns, taken, 1, [11, 12]) == shared
        assert take_all(turns, taken, 1, [13]) == 1
        with pytest.raises(Refusal, match=YOURS):
            taken.enter_context(turns.place(1, 13))
        assert take_all(turns, taken, 1, range(20, 40)) == fair_turns.RESERVE - 1  # one for each
        with pytest.raises(Refusal, match=MANY):
            taken.enter_context(turns.place(1, 99))
        taken.enter_context(turns.place(2, 99))


def test_the_last_of_all_places_are_for_servers_that_hold_none() -> None:
    turns = FairTurns()
    with ExitStack() as taken:
        for server in (1, 2):
            take_all(turns, taken, server, range(100 * server, 100 * server + 30))
        others = range(3, 30)
        assert [take_all(turns, taken, server, [server]) for server in others] == (
            [1] * fair_turns.RESERVE + [0] * (len(others) - fair_turns.RESERVE)
        )
        with pytest.raises(Refusal, match=MANY):
            taken.enter_context(turns.place(99, 99))


def test_two_servers_whose_members_ask_much_leave_places_to_their_other_members() -> None:
    turns = FairTurns()
    with ExitStack() as taken:
        for server in (1, 2):
            take_all(turns, taken, server, range(10 * server, 10 * server + 3))
        for server, member in ((1, 99), (2, 98), (3, 97)):
            assert take_all(turns, taken, server, [member]) == 1


async def test_a_turn_that_comes_free_goes_past_a_caller_who_has_just_been_cancelled() -> None:
    turns = FairTurns()

    async def take() -> None:
        async with turns.turn(1, 1):
            pass

    async with turns.turn(1, 1):
        gone, next_ = asyncio.create_task(take()), asyncio.create_task(take())
        await asyncio.sleep(0)
        gone.cancel()
    await next_
    assert gone.cancelled()
