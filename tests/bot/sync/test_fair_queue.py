"""Servers are served in turn, and members and servers may ask only so many questions a minute."""

from __future__ import annotations

import asyncio

import pytest

from bot.ask.rate_limiter import MINUTE_S, SERVER_FACTOR, RateLimiter
from bot.platform.refusal import Refusal
from bot.sync.fair_queue import FairQueue


async def test_each_server_has_its_turn_and_its_own_order() -> None:
    turns: FairQueue[str] = FairQueue(100, 10)
    for item in ("a1", "a2", "a3", "b1", "c1", "b2"):
        turns.put(ord(item[0]), item)
    assert [await turns.get() for _ in range(6)] == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert len(turns) == 0


async def test_a_flood_leaves_room_for_servers_with_an_empty_queue() -> None:
    turns: FairQueue[int] = FairQueue(10, 3)
    while not turns.full(1):
        turns.put(1, 0)
    assert len(turns) == 7
    with pytest.raises(asyncio.QueueFull):
        turns.put(1, 0)
    for server in (2, 3, 4):
        turns.put(server, server)
        assert turns.full(server)
    assert turns.full(5)
    assert len(turns) == 10
    assert {await turns.get() for _ in range(4)} == {0, 2, 3, 4}


async def test_get_waits_for_an_item() -> None:
    turns: FairQueue[int] = FairQueue(10, 3)
    getting = [asyncio.create_task(turns.get()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in getting)
    turns.put(1, 11)
    turns.put(2, 22)
    assert set(await asyncio.gather(*getting)) == {11, 22}
    cancelled = asyncio.create_task(turns.get())
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    turns.put(1, 33)
    assert await turns.get() == 33


def test_a_member_who_asks_too_often_is_told_when_to_ask_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("bot.ask.rate_limiter.time.monotonic", lambda: now)
    pace = RateLimiter(3)
    for _ in range(3):
        pace.take(1, 11)
    with pytest.raises(Refusal, match=r"You are asking .* in 60 seconds"):
        pace.take(1, 11)
    pace.take(1, 12)  # other members may ask
    now += MINUTE_S
    pace.take(1, 11)


def test_a_server_has_a_limit_of_its_own() -> None:
    pace = RateLimiter(1)
    for member in range(SERVER_FACTOR):
        pace.take(1, member)
    with pytest.raises(Refusal, match="This server is asking"):
        pace.take(1, 999)
    pace.take(2, 999_999)


def test_rate_0_means_no_limit() -> None:
    pace = RateLimiter(0)
    for _ in range(1000):
        pace.take(1, 1)
