"""Rows that are read from a store, follow it, and settle while it is written."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from index import Gallery, GalleryClosed, Sizes, StoreError
from index.search.segment_file import Damaged
from tests.index.search.test_settled import World, ask, settled

SETTLE, HELD, AT_ONCE = 100, 400, 50
SMALL = Sizes(settle_rows=SETTLE, held_rows=HELD)


async def test_many_vectors_that_can_not_settle_are_read_into_memory(
    tmp_path: Path,
) -> None:
    """Segments hold whole bytes of bits: vectors of other dimensions stay in memory."""
    world = World(dimension=60)
    gallery = await Gallery.open(tmp_path / "g.db", world.embedder)
    await world.put(gallery, [str(n) for n in range(400)])
    await gallery.close()
    gallery = await Gallery.open(tmp_path / "g.db", world.embedder, sizes=Sizes(load_rows=100))
    await world.check(gallery)
    await gallery.close()


@contextlib.asynccontextmanager
async def settling_held_up(gallery: Gallery) -> AsyncIterator[threading.Event]:
    """The one thread in which rows settle is busy until the event is set."""
    free = threading.Event()
    busy = asyncio.create_task(gallery._engine._settling.pool.run(free.wait))
    try:
        yield free
    finally:
        free.set()
        await busy


async def put_until_it_waits(world: World, gallery: Gallery) -> asyncio.Task[None]:
    """Adds rows until a commit doesn't return; this commit."""
    for start in range(0, 10 * HELD, AT_ONCE):
        names = [str(n) for n in range(start, start + AT_ONCE)]
        putting = asyncio.create_task(world.put(gallery, names))
        if gallery._engine.rows.unsettled > HELD:
            await asyncio.sleep(0.1)
            return putting
        await putting
    pytest.fail("nothing waits")


async def test_rows_that_come_faster_than_they_settle_wait(tmp_path: Path) -> None:
    world = World()
    gallery = await Gallery.open(tmp_path / "g.db", world.embedder, sizes=SMALL)
    async with settling_held_up(gallery) as free:
        waiting = await put_until_it_waits(world, gallery)
        assert not waiting.done()
        assert gallery._engine.rows.unsettled <= HELD + AT_ONCE
        _, searched = await ask(gallery, world.unit(1)[0], None)  # a query doesn't wait
        assert searched == gallery._engine.rows.unsettled
        last = next(reversed(world.vectors))
        removing = asyncio.create_task(gallery.remove_sources(1, [last]))
        await asyncio.sleep(0.1)
        free.set()
        await waiting
        assert gallery._engine.rows.unsettled <= HELD
        assert await removing == 1  # it did not overtake what it removes
    del world.vectors[last]
    await world.check(gallery)
    await gallery.close()


async def test_no_query_waits_for_the_loops_that_settled_rows_need(tmp_path: Path) -> None:
    """They are loaded before rows settle, which takes long where they have to be compiled."""
    world = World()
    gallery = await Gallery.open(tmp_path / "g.db", world.embedder, sizes=SMALL)
    await world.put(gallery, [str(n) for n in range(SETTLE + AT_ONCE)])
    await settled(gallery)
    assert not gallery._engine.rows.cold
    await gallery.close()


async def test_closing_refuses_a_commit_that_waits(tmp_path: Path) -> None:
    world = World()
    gallery = await Gallery.open(tmp_path / "g.db", world.embedder, sizes=SMALL)
    async with settling_held_up(gallery) as free:
        waiting = await put_until_it_waits(world, gallery)
        assert not waiting.done()
        closing = asyncio.create_task(gallery.close())
        with pytest.raises(GalleryClosed):
            await asyncio.wait_for(waiting, 10)
        free.set()
        await asyncio.wait_for(closing, 10)


async def test_nobody_waits_for_rows_that_can_not_settle(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    (tmp_path / "g.db.segments").write_bytes(b"")  # a file where there should be a folder
    gallery = await Gallery.open(tmp_path / "g.db", world.embedder, sizes=SMALL)
    for start in range(0, 3 * HELD, AT_ONCE):
        names = [str(n) for n in range(start, start + AT_ONCE)]
        await asyncio.wait_for(world.put(gallery, names), 10)
    assert gallery._engine.rows.unsettled == 3 * HELD
    assert "rows can't settle" in caplog.text
    await gallery.close()


@pytest.mark.parametrize(
    "trouble", [StoreError(Path("g.db"), "the disk is full"), Damaged("a file cut short")]
)
async def test_settling_goes_on_after_damaged_rows_could_not_be_made_anew(
    trouble: Exception, tmp_path: Path
) -> None:
    world = World()
    sizes = replace(SMALL, retry_s=0.01)
    gallery = await Gallery.open(tmp_path / "g.db", world.embedder, sizes=sizes)
    engine = gallery._engine
    tried: list[str] = []

    async def damaged(*_: object) -> None:
        tried.append("settling")
        del engine._do  # the real one the next time
        raise Damaged("its checksum differs")

    async def in_trouble() -> None:
        tried.append("making anew")
        del engine._load_all
        raise trouble

    engine._do, engine._load_all = damaged, in_trouble  # type: ignore[method-assign]
    await world.put(gallery, [str(n) for n in range(2 * SETTLE)])
    async with asyncio.timeout(30):
        while engine.rows.unsettled > SETTLE:  # noqa: ASYNC110 (nothing tells of it)
            await asyncio.sleep(0.01)
    assert tried == ["settling", "making anew"]
    await world.check(gallery)
    await gallery.close()
