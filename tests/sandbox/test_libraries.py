"""Bots with libraries that nobody of this project wrote: discord.js and hikari.

Each script in `libraries/` is such a bot. It makes its checks in order, and prints a line for each.
The sandbox's requests and answers are held to Discord's schema besides.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from sandbox import Server
from sandbox.permissions import ADMINISTRATOR
from tests.worlds import WorldFile

ROOT = Path(__file__).parents[2]
LIBRARIES = Path(__file__).parent / "libraries"
NODE = shutil.which("node")
DISCORD_JS = ROOT / "node_modules" / "discord.js"
HIKARI = Path(sys.prefix) / "hikari"  # the environment that `make libraries` makes
HAS_HIKARI = any(HIKARI.glob("lib/python*/site-packages/hikari"))

PATIENCE_S = 240
LAST_CHECK = "gets discords errors"

pytestmark = pytest.mark.slow


@pytest.fixture
def world_file(world_file: WorldFile) -> WorldFile:
    """The bot may do everything, and its token begins with its id, which hikari reads."""
    for role in world_file.guild["roles"]:
        if role["name"] == "Magpie":
            role["permissions"] = str(ADMINISTRATOR)
    id = base64.b64encode(str(world_file.bot_id).encode()).decode()
    world_file.application["token"] = f"{id}.of.the-test"
    return world_file


@pytest.mark.skipif(NODE is None or not DISCORD_JS.is_dir(), reason="discord.js is not installed")
async def test_discord_js_uses_everything(sandbox: Server) -> None:
    assert NODE is not None
    await _check_all(sandbox, NODE, str(LIBRARIES / "discordjs.mjs"))


@pytest.mark.skipif(not HAS_HIKARI, reason="hikari is not installed")
async def test_hikari_uses_everything(sandbox: Server) -> None:
    await _check_all(sandbox, str(HIKARI / "bin" / "python"), str(LIBRARIES / "hikari_bot.py"))


async def _check_all(sandbox: Server, *command: str) -> None:
    tokens = (sandbox.world.application.token, "ada-token")
    bot = await asyncio.create_subprocess_exec(
        *command, sandbox.url, *tokens, stdout=PIPE, stderr=PIPE
    )
    try:
        said, complaints = await asyncio.wait_for(bot.communicate(), PATIENCE_S)
    finally:
        if bot.returncode is None:
            bot.kill()
            await bot.wait()
    checks = [json.loads(line) for line in said.decode().splitlines()]
    failed = [f"{one['check']}: {one['failed']}" for one in checks if "failed" in one]
    assert not failed, "\n".join(failed)
    assert not complaints.decode()  # such as of an event that the library can't read
    assert (checks[-1]["check"], bot.returncode) == (LAST_CHECK, 0)
