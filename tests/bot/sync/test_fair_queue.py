"""Servers are served in turn, and a busy one leaves room for the others."""

from __future__ import annotations

import asyncio

import pytest

from bot.sync.fair_queue import FairQueue


async def test_each_server_has_its_turn_and_its_own_order() -> None:
    queue: FairQueue[str] = FairQueue(100, 10)
    for item in ("a1", "a2", "a3", "b1", "c1", "b2"):
        queue.put(ord(item[0]), item)
    assert [await queue.get() for _ in range(6)] == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert len(queue) == 0


async def test_a_flood_leaves_room_for_servers_with_an_empty_queue() -> None:
    queue: FairQueue[int] = FairQueue(10, 3)
    while not queue.full(1):
        queue.put(1, 0)
    assert len(queue) == 7
    with pytest.raises(asyncio.QueueFull):
        queue.put(1, 0)
    for server in (2, 3, 4):
        queue.put(server, server)
        assert queue.full(server)
    assert queue.full(5)
    assert len(queue) == 10
    assert {await queue.get() for _ in range(4)} == {0, 2, 3, 4}


async def test_get_waits_for_an_item() -> None:
    queue: FairQueue[int] = FairQueue(10, 3)
    getting = [asyncio.create_task(queue.get()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in getting)
    queue.put(1, 11)
    queue.put(2, 22)
    assert set(await asyncio.gather(*getting)) == {11, 22}
    cancelled = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    queue.put(1, 33)
    assert await queue.get() == 33
