"""The bot and the sandbox as processes of their own, for the benches that measure both."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

START_S = 300.0


@contextlib.asynccontextmanager
async def sandbox_running(*command: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Start a sandbox by this command, which prints its address. -> the process and its base URL"""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with _ended(process):
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), START_S)).decode()
        url = re.search(r"http://\S+", line)
        assert url is not None, "the sandbox did not start"
        yield process, url.group().rstrip("/")


def settings_of(base: str, token: str, file: Path, model: Path) -> dict[str, str]:
    """The environment of a bot on the CPU, to which members may put any number of questions."""
    return {
        "DISCORD_TOKEN": token,
        "DISCORD_API": base,
        "MAGPIE_QUESTIONS": "0",
        "MAGPIE_DB": str(file),
        "MAGPIE_MODEL": str(model),
        "MAGPIE_DEVICE": "cpu",
        "MAGPIE_HTTP": "off",
    }


@contextlib.asynccontextmanager
async def bot_running(
    session: aiohttp.ClientSession,
    base: str,
    token: str,
    file: Path,
    model: Path,
    **more: str,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start Magpie as a process. Entered once it is connected and has caught up.

    more   other settings
    """
    settings = {**settings_of(base, token, file, model), **more}
    with (file.parent / "bot.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot"),
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
    async with _ended(process):
        await asyncio.wait_for(_connected(session, base, process), START_S)
        yield process


async def _connected(
    session: aiohttp.ClientSession, base: str, process: asyncio.subprocess.Process
) -> None:
    """Wait until the bot has registered its commands and sends no more requests."""
    before = -1
    while True:
        assert process.returncode is None, "the bot did not start; its log lies beside its gallery"
        async with session.get(f"{base}/sandbox/health") as answer:
            health = await answer.json()
        async with session.get(f"{base}/sandbox/log") as answer:
            requests = len(await answer.json())
        if health["bot_connected"] and health["commands"] and requests == before:
            return
        before = requests
        await asyncio.sleep(1.0)


@contextlib.asynccontextmanager
async def _ended(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
