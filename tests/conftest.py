"""Fixtures that all tests share: a sandbox on a free port, its exchanges checked at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import sandbox as sandbox_package
from tests import discord_schema, worlds


@pytest.fixture
def world_file(tmp_path: Path) -> worlds.WorldFile:
    """The world that `sandbox` serves; override it for another one."""
    return worlds.small(tmp_path / "world")


@pytest.fixture
async def sandbox(world_file: worlds.WorldFile) -> AsyncIterator[sandbox_package.Server]:
    """A running sandbox. Every request and answer is held to Discord's schema when it ends."""
    async with sandbox_package.serve(world_file.write()) as server:
        yield server
        discord_schema.assert_valid(server.exchanges)
        assert not server.unexpected


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was checked against Discord's schema, or that it was not there."""
    terminalreporter.write_line(discord_schema.last_line())
