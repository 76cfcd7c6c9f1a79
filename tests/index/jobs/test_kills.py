"""Real workers are killed at each point of a job: nothing is lost, and nothing is doubled."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from index import Filter, Gallery, Group, Link, PictureGivenUp
from index.copies.fingerprint import REVISION
from index.jobs import schema
from index.jobs.asker import Asker
from pocket import MODEL
from tests.bot.running import until
from tests.index.jobs.processes import Workers, workers
from tests.index.jobs.working import POISON

__all__ = ["workers"]  # a fixture

pytestmark = pytest.mark.slow


def link(number: int) -> Link:
    return Link(1, Group(10), str(number), "a", owner=5, posted_at=1_000.0 + number)


def picture(number: int, *, poison: bool = False) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", POISON.decode() if poison else "")
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((64, 64)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


@pytest.fixture
async def gallery(url: str, tmp_path: Path) -> AsyncIterator[Gallery]:
    opened = await Gallery.open(tmp_path / "g.db", str(MODEL), device="cpu", workers=url)
    yield opened
    await opened.close()


@pytest.fixture
async def db(url: str, gallery: Gallery) -> AsyncIterator[Any]:
    import asyncpg

    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_workers_make_the_same_as_the_gallery_itself(
    gallery: Gallery, url: str, workers: Workers, tmp_path: Path
) -> None:
    alone = await Gallery.open(tmp_path / "alone.db", str(MODEL), device="cpu")
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "green", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=400)
    async with workers.working(url):
        for data in (picture(1), buffer.getvalue()):
            by_worker = await gallery.embed_picture(data, link(1))
            here = await alone.embed_picture(data, link(1))
            assert np.allclose(by_worker.vectors, here.vectors, atol=1e-5)
            assert by_worker.derived == here.derived
            assert [m.second for m in by_worker.moments] == [m.second for m in here.moments]
            assert [m.still for m in by_worker.moments] == [m.still for m in here.moments]
            assert (by_worker.key, by_worker.revision) == (here.key, here.revision)
            assert (by_worker.width, by_worker.height) == (here.width, here.height)
    await alone.close()


async def test_a_worker_killed_with_pictures_in_hand_loses_and_doubles_none(
    gallery: Gallery, db: Any, url: str, workers: Workers
) -> None:
    adding = [asyncio.create_task(gallery.add(picture(n), link(n))) for n in range(60)]

    async def some_answered() -> bool:
        return any(one.done() for one in adding)

    async with workers.working(url) as first, workers.working(url):
        await until(some_answered)
        await first.kill()
        await asyncio.gather(*adding)
    assert (await gallery.links.count()).links == 60
    assert (await gallery.links.count()).images == 60
    assert await db.fetchval("SELECT count(*) FROM magpie_jobs") == 0
    assert await db.fetchval("SELECT count(*) FROM magpie_dead_letters") == 0
    assert len(await gallery.order(Filter(1))) == 60


async def test_a_worker_killed_before_its_answer_is_written_is_replaced(
    gallery: Gallery, db: Any, url: str, workers: Workers
) -> None:
    adding = asyncio.create_task(gallery.add(picture(1), link(1)))
    async with workers.working(url) as first:

        async def leased() -> bool:
            return bool(await db.fetchval("SELECT worker IS NOT NULL FROM magpie_jobs"))

        holding = db.transaction()
        while True:  # hold the row while the picture is computed: its answer can't be written
            await until(leased)
            await holding.start()
            if await db.fetch("SELECT 1 FROM magpie_jobs WHERE worker IS NOT NULL FOR UPDATE"):
                break
            await holding.rollback()
            holding = db.transaction()
        await first.kill()
        assert not adding.done()
        await holding.rollback()
    async with workers.working(url):
        await adding
    assert (await gallery.links.count()).links == 1


async def test_an_answer_outlives_the_worker_that_gave_it(
    db: Any, url: str, workers: Workers
) -> None:
    need = f"fingerprint:{REVISION}"
    asker = Asker(url)
    asking = asyncio.create_task(asker.ask(picture(1), [need], link(1)))
    await asyncio.sleep(0)
    # Put as the asker does, which isn't started: so nobody takes the answer away.
    [job] = asker._jobs.values()
    await db.execute(schema.PUT, *job.values)
    await db.execute(schema.SEEN, asker.id)
    await db.execute("UPDATE magpie_askers SET seen_at = now() + interval '1 hour'")
    async with workers.working(url) as worker:

        async def answered() -> bool:
            return bool(await db.fetchval("SELECT answer IS NOT NULL FROM magpie_jobs"))

        await until(answered)
        assert await db.fetchval("SELECT data IS NULL FROM magpie_jobs")
        await worker.kill()
    await asker.start()
    assert (await asking).keys() == {need}
    await asker.close()
    assert await db.fetchval("SELECT count(*) FROM magpie_jobs") == 0


async def test_a_picture_that_kills_workers_takes_no_other_with_it(
    gallery: Gallery, db: Any, url: str, workers: Workers
) -> None:
    """Three workers die of it, each started again as by a supervisor; then it is given up."""
    poisonous = asyncio.create_task(gallery.add(picture(0, poison=True), link(0)))
    others = [asyncio.create_task(gallery.add(picture(n), link(n))) for n in range(1, 10)]
    deaths = 0
    done = asyncio.gather(poisonous, *others, return_exceptions=True)
    while not done.done():
        async with workers.working(url) as worker:
            ended = asyncio.create_task(worker.wait())
            await asyncio.wait({ended, done}, return_when=asyncio.FIRST_COMPLETED)
            deaths += ended.done()
            ended.cancel()
    results = await done
    assert isinstance(results[0], PictureGivenUp)
    assert results[1:] == [None] * 9
    assert deaths == 3
    assert (await gallery.links.count()).links == 9
    assert gallery.workers is not None
    [letter] = await gallery.workers.dead_letters.all()
    assert letter.source == "0"
    assert "ended" in letter.reason
    await gallery.remove_sources(1, ["0"])
    assert await gallery.workers.dead_letters.all() == []
