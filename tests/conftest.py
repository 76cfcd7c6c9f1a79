"""Fixtures that all tests share: a sandbox on a free port, its exchanges checked at the end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import sandbox as sandbox_package
from index import gallery
from index.ocr import transcriber
from tests import discord_schema, postgres, worlds

HEAVY = {"model", "model_folder", "browser", "base"}  # fixtures: a whole Magpie, or a browser
LATE_S = 30.0  # Discord gives an answer 3 s; a slow machine must not look like a bot that is silent
CHECKED = "discord_schema"  # what a worker of pytest-xdist sends back under this name

if "PYTEST_XDIST_WORKER" in os.environ:
    # Each worker's torch would start a thread for every core, and the workers would fight for them.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache folder of this run: what an earlier run chose must not decide what is tested.

    Words in pictures are read where a test asks for it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("MAGPIE_OCR", "off")  # its process takes a second to start; few tests need it
        yield


@pytest.fixture(scope="session", autouse=True)
def work_of_nearly_one_priority() -> Iterator[None]:
    """Work that can wait comes behind other work, but not behind the other tests that run now: with
    several of them on each core, it would hardly get one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "LOOKING_NICENESS", 1)
        patch.setattr(gallery, "PATIENT_NICENESS", 2)
        patch.setattr(transcriber, "NICENESS", 3)
        patch.setattr(transcriber, "COMMAND", [*transcriber.COMMAND[:-1], "3"])
        yield


@pytest.fixture
def world_file(tmp_path: Path) -> worlds.WorldFile:
    """The world that `sandbox` serves; override it for another one."""
    return worlds.small(tmp_path / "world")


@pytest.fixture
async def sandbox(world_file: worlds.WorldFile) -> AsyncIterator[sandbox_package.Server]:
    """A running sandbox. Every request and answer is held to Discord's schema when it ends."""
    clocks = sandbox_package.Clocks(acknowledge_s=LATE_S)
    async with sandbox_package.serve(world_file.write(), clocks=clocks) as server:
        yield server
        discord_schema.assert_valid(server.exchanges)
        assert not server.unexpected


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a PostgreSQL server with pgvector; the test is skipped where there is none."""
    return postgres.server_url(tmp_path_factory)


@pytest.fixture(params=["sqlite", "postgres"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Where an empty gallery can be opened: a file first, then a database of PostgreSQL."""
    if request.param == "sqlite":
        yield str(tmp_path / "gallery.db")
        return
    async with postgres.fresh(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """The URL of a database of this test's own, with the tables of an empty gallery."""
    async with postgres.fresh(postgres_server) as url:
        yield url


@pytest.fixture
async def bare_postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """The URL of a database of this test's own without any table."""
    async with postgres.fresh(postgres_server, postgres.EMPTY) as url:
        yield url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what `make check` leaves out, where the test doesn't say so itself."""
    for item in items:
        if not HEAVY.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send what this worker checked to the process that prints the summary."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[CHECKED] = discord_schema.TOTAL.as_dict()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what a worker of pytest-xdist checked. A worker that crashed sent nothing."""
    checked = getattr(node, "workeroutput", {}).get(CHECKED)
    if checked is not None:
        discord_schema.TOTAL.add(discord_schema.Report(**checked))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was checked against Discord's schema, or that it was not there."""
    terminalreporter.write_line(discord_schema.last_line())
