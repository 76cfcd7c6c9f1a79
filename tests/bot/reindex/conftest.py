"""A server with three pages of history, which a reindex reads again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Clocks
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.reindex.jobs import MESSAGES
from tests.bot.running import Held, quick_clocks, running
from tests.worlds import WorldFile


@pytest.fixture
def clocks() -> Clocks:
    return quick_clocks(show_progress_s=0.05)


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    world = worlds.small(tmp_path / "world")
    general, mei = world.channels["general"], world.people["mei"]
    for n in range(MESSAGES):
        pictures = [world.picture(f"{n}.png", f"#{n:02x}8040")] if n % 10 == 0 else []
        world.message(general, mei, f"message {n}", pictures=pictures)
    world.message(world.channel("park"), mei, pictures=[world.picture("park.png", "green")])
    old = world.thread("old", general, world.people["ada"], archived=True)
    world.message(old, mei, pictures=[world.picture("old.png", "gold")])
    return world


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


@pytest.fixture
def held(model: Embedder) -> Held:
    return Held(model)


@pytest.fixture
async def client(
    sandbox: sandbox_package.Server, db: Path, held: Held, clocks: Clocks
) -> AsyncIterator[Magpie]:
    """Magpie, whose embedder can be held."""
    async with running(sandbox, db, held, clocks) as client:
        yield client
