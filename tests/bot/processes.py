"""`python -m bot` as a process of its own, and what it says of itself over HTTP."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

import sandbox as sandbox_package
from tests.bot.running import until

START_S = 150.0  # until a process of its own is up, on a machine with much else to do
ROOT = Path(__file__).resolve().parents[2]


def environment_of(
    server: sandbox_package.Server, db: Path | str, model_folder: Path
) -> dict[str, str]:
    """The settings of a bot, in an environment without any others; each call has a port of its
    own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAGPIE_", "DISCORD_"))}
    return kept | {
        "DISCORD_TOKEN": server.world.application.token,
        "DISCORD_API": server.url,
        "MAGPIE_DB": str(db),
        "MAGPIE_MODEL": str(model_folder),
        "MAGPIE_DEVICE": "cpu",
        "MAGPIE_PRECISION": "exact",  # which nothing has to be measured for at the start
        "MAGPIE_OCR": "off",  # its process takes a second to start
        "MAGPIE_HTTP": f"127.0.0.1:{free_port()}",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "error::ResourceWarning,error::RuntimeWarning",
        "PYTHONPATH": str(ROOT),
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def bot(
    environment: Mapping[str, str], folder: Path, *arguments: str
) -> AsyncIterator[Process]:
    """A bot in its own process, whose log is `folder`/bot.log; killed at the end of the block."""
    with (folder / "bot.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *arguments), cwd=folder, env=environment, stderr=log
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def health(environment: Mapping[str, str]) -> dict[str, object]:
    """The answer of /healthz; empty while there is none."""
    try:
        url = f"http://{environment['MAGPIE_HTTP']}/healthz"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            state: dict[str, object] = await answer.json()
            return state
    except aiohttp.ClientError:
        return {}


async def ready(environment: Mapping[str, str]) -> None:
    async def holds() -> bool:
        return bool((await health(environment)).get("ready"))

    await until(holds, START_S)


async def samples(environment: Mapping[str, str]) -> dict[str, float]:
    """Every sample of /metrics by its name, summed over its labels."""
    url = f"http://{environment['MAGPIE_HTTP']}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        text = await answer.text()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found
