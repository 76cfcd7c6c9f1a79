"""A bot that asks workers: its pictures are found, and what they gave up is tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from index import DeadLetters, PictureWorker, QueueState
from index.embed.embedder import Embedder
from index.jobs.worker import Worker
from sandbox.person import Person
from tests.bot.conftest import LogIn
from tests.bot.running import begin_to_watch, idle, png, running, sources, until
from tests.index.jobs.conftest import QUICK, server, url
from tests.worlds import WorldFile

__all__ = ["server", "url"]  # fixtures


@pytest.fixture
async def magpie(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, url: str, world_file: WorldFile
) -> AsyncIterator[Magpie]:
    async with running(sandbox, db, model, workers=url) as client:
        worker = await PictureWorker.open(url, model, times=QUICK)
        await begin_to_watch(client, world_file.channels["general"])
        await idle(client)
        await worker.close()
        yield client


@pytest.fixture
async def mei(log_in: LogIn) -> Person:
    return await log_in("mei")


def letters(magpie: Magpie) -> DeadLetters:
    assert magpie.gallery.workers is not None
    return magpie.gallery.workers.dead_letters


async def becomes(magpie: Magpie, **expected: Any) -> None:
    async def holds() -> bool:
        state: QueueState = await letters(magpie).state()
        return all(getattr(state, name) == value for name, value in expected.items())

    await until(holds)


async def test_a_picture_erased_while_it_waits_for_a_worker_leaves_no_job(
    magpie: Magpie, mei: Person, world_file: WorldFile, url: str, model: Embedder
) -> None:
    general, before = str(world_file.channels["general"]), await sources(magpie)
    gone = await mei.post(general, pictures={"a.png": png("teal")})
    kept = await mei.post(general, pictures={"b.png": png("red")})
    await becomes(magpie, waiting=2)
    await mei.request("DELETE", f"/channels/{general}/messages/{gone['id']}")
    await becomes(magpie, waiting=1)
    worker = await PictureWorker.open(url, model, times=QUICK)
    await idle(magpie)
    assert await sources(magpie) - before == {kept["id"]}
    await becomes(magpie, waiting=0, leased=0)
    await worker.close()


async def test_what_was_given_up_is_looked_at_again_on_request(
    magpie: Magpie, mei: Person, world_file: WorldFile, url: str, model: Embedder
) -> None:
    async def broken(data: bytes) -> bytes:
        raise RuntimeError("no room on the GPU")

    whole = await PictureWorker.open(url, model, times=QUICK)
    offers = list(whole._offers())
    await whole.close()
    failing = Worker(url, dict.fromkeys(offers, broken), times=QUICK)
    await failing.start()
    before = await sources(magpie)
    posted = await mei.post(str(world_file.channels["general"]), pictures={"a.png": png("teal")})
    await becomes(magpie, dead=1, waiting=0)
    await idle(magpie)
    assert await sources(magpie) == before
    [letter] = await letters(magpie).all()
    assert (letter.source, letter.reason) == (posted["id"], "RuntimeError: no room on the GPU")
    await failing.close()
    whole = await PictureWorker.open(url, model, times=QUICK)
    assert await letters(magpie).retry([letter.id]) == 1
    await becomes(magpie, dead=0)
    assert await sources(magpie) - before == {posted["id"]}
    await whole.close()
