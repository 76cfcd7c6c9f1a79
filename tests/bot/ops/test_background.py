"""Work beside Discord's events ends before the connection does."""

from __future__ import annotations

import asyncio

from bot.ops.background import Background


async def test_closing_waits_until_all_tasks_have_ended() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(1)

    background = Background()
    for _ in range(2):
        background.begin(work(), "work")
    await asyncio.sleep(0)
    await background.close()
    assert ended == [1, 1]


async def test_nothing_begins_after_the_close() -> None:
    begun = []

    async def work() -> None:
        begun.append(1)

    background = Background()
    await background.close()
    task = background.begin(work(), "late")
    await asyncio.wait({task})
    assert task.cancelled()
    assert not begun
