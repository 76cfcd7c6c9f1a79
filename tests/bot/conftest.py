"""A running Magpie for the tests, against the sandbox that all tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Clocks
from index.embed import checkpoint, embedder
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests import postgres
from tests.bot import tiny_model
from tests.bot.running import quick_clocks, running

LogIn = Callable[[str], Awaitable[Person]]


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CLIP on disk."""
    return tiny_model.make(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def model(model_folder: Path) -> Embedder:
    """The same, loaded once for all tests. It has no scale, so that everything fits a question:
    its weights are random."""
    loaded = embedder.load(checkpoint.find(str(model_folder)), "cpu")
    loaded.scale = None
    return loaded


@pytest.fixture
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Path | str]:
    """Where the gallery is: in a file; for tests marked `on_both_stores` in PostgreSQL, too."""
    if getattr(request, "param", SQLITE) == SQLITE:
        yield tmp_path / "magpie.db"
        return
    async with postgres.fresh(request.getfixturevalue("postgres_server")) as url:
        yield url


SQLITE, POSTGRES = "sqlite", "postgres"
on_both_stores = pytest.mark.parametrize("db", [SQLITE, POSTGRES], indirect=True)


@pytest.fixture
def clocks() -> Clocks:
    """How long `magpie` waits; a module of tests may have others."""
    return quick_clocks()


@pytest.fixture
async def magpie(
    sandbox: sandbox_package.Server, db: Path | str, model: Embedder, clocks: Clocks
) -> AsyncIterator[Magpie]:
    """Magpie, connected and ready; it watches nothing yet."""
    async with running(sandbox, db, model, clocks) as client:
        yield client


@pytest.fixture
async def log_in(sandbox: sandbox_package.Server) -> AsyncIterator[LogIn]:
    """Logs in a person of the world by their user name; out again when the test ends."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def enter(name: str) -> Person:
            token = next(u.token for u in sandbox.world.users.values() if u.username == name)
            return await stack.enter_async_context(Person.log_in(session, sandbox.url, token))

        yield enter
