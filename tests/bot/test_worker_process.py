"""`python -m bot --worker` as its operator sees it: it works, says how it is, refuses, stops."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests.bot.conftest import LogIn
from tests.bot.processes import START_S, bot, environment_of, health, ready, samples
from tests.bot.running import begin_to_watch, idle, png, running, sources
from tests.postgres import on_server
from tests.worlds import WorldFile

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(
    sandbox: sandbox_package.Server, tmp_path: Path, model_folder: Path, postgres_url: str
) -> dict[str, str]:
    """The settings of a worker, which needs neither a token nor a gallery."""
    settings = environment_of(sandbox, tmp_path / "none.db", model_folder)
    for unneeded in ("DISCORD_TOKEN", "DISCORD_API", "MAGPIE_DB"):
        del settings[unneeded]
    return settings | {"MAGPIE_WORKERS": postgres_url}


@pytest.fixture
async def magpie(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, postgres_url: str
) -> AsyncIterator[Magpie]:
    async with running(sandbox, db, model, workers=postgres_url) as client:
        yield client


@pytest.fixture
async def mei(log_in: LogIn) -> Person:
    return await log_in("mei")


async def test_a_worker_makes_pictures_tells_of_itself_and_stops_when_told(
    magpie: Magpie,
    mei: Person,
    environment: dict[str, str],
    tmp_path: Path,
    world_file: WorldFile,
    postgres_url: str,
) -> None:
    general = world_file.channels["general"]
    async with bot(environment, tmp_path, "--worker") as process:
        await ready(environment)
        await begin_to_watch(magpie, general)
        await idle(magpie)
        before = await sources(magpie)
        posted = [
            (await mei.post(str(general), pictures={"a.png": png(colour)}))["id"]
            for colour in ("teal", "gold", "navy")
        ]
        await idle(magpie)
        assert await sources(magpie) - before == set(posted)
        assert await health(environment) == {"ready": True, "state": "ready", "jobs": 0}
        said = await samples(environment)
        assert said["magpie_worker_job_seconds_count"] >= len(posted)
        waiting = ("magpie_jobs_waiting", "magpie_jobs_leased", "magpie_dead_letters")
        assert [said[name] for name in waiting] == [0, 0, 0]
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), START_S) == 0
    assert await on_server(postgres_url, "SELECT 1 FROM magpie_jobs") == []
    log = (tmp_path / "bot.log").read_text()
    assert "event=stopped" in log.splitlines()[-1]
    for unwanted in ("Traceback", "level=error", "never awaited", "Unclosed"):
        assert unwanted not in log
    assert environment["MAGPIE_WORKERS"] not in log


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"MAGPIE_WORKERS": ""}, "MAGPIE_WORKERS: is not set"),
        ({"MAGPIE_WORKERS": "magpie.db"}, "must be a PostgreSQL database"),
        ({"MAGPIE_WORKERS": "postgresql://m:secret@127.0.0.1:1/m"}, "can't be used"),
        ({"MAGPIE_DEVICE": "gpu"}, "MAGPIE_DEVICE=gpu"),
    ],
)
async def test_what_a_worker_cannot_start_with_is_one_sentence(
    environment: dict[str, str], tmp_path: Path, change: dict[str, str], why: str
) -> None:
    async with bot(environment | change, tmp_path, "--worker") as process:
        assert await asyncio.wait_for(process.wait(), START_S) == 2
    said = (tmp_path / "bot.log").read_text()
    assert why in said
    assert "Traceback" not in said
    assert "secret" not in said
