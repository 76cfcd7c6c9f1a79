"""Work that is done when it is woken, after a wait, and again when it failed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.sync.worker import Worker
from index import GalleryClosed, StoreFull
from tests.bot.running import NEVER_S, until


class Work:
    """Counts how often it is done; what it raises, it raises once."""

    def __init__(self, raises: Exception | None = None) -> None:
        self.raises = raises
        self.times = 0
        self.woken = asyncio.Event()

    async def do(self) -> float:
        self.times += 1
        if self.raises is not None:
            raises, self.raises = self.raises, None
            raise raises
        return NEVER_S

    async def was_done(self, times: int) -> None:
        async def is_so() -> bool:
            return self.times >= times

        await until(is_so)


async def test_it_works_at_the_start_and_whenever_it_is_woken() -> None:
    work = Work()
    worker = Worker("test", work.do, work.woken, lambda: NEVER_S)
    worker.start()
    worker.start()  # changes nothing
    assert worker.busy
    await work.was_done(1)
    work.woken.set()
    assert worker.busy
    await work.was_done(2)
    await worker.close()
    assert not worker.busy
    assert work.times == 2


@pytest.mark.parametrize("error", [StoreFull(Path("magpie.db")), ValueError("unforeseen")])
async def test_what_failed_is_tried_again(error: Exception) -> None:
    work = Work(raises=error)
    worker = Worker("test", work.do, work.woken, lambda: 0.0)
    worker.start()
    await work.was_done(2)
    await worker.close()


async def test_it_ends_with_the_gallery() -> None:
    work = Work(raises=GalleryClosed())
    worker = Worker("test", work.do, work.woken, lambda: 0.0)
    worker.start()
    await work.was_done(1)
    await worker.close()
    assert work.times == 1
