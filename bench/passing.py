"""A bot whose model waits a fixed time reads the history of a server: what its process spends.

The sandbox is a process of its own, `python -m bench.passing FOLDER PICTURES`. The pictures are
small, so that decoding takes little, in files of a usual size, which are downloaded, hashed and
sent to the decoders.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import sandbox
from bench.fixed_cost import FixedCost
from bench.processes import sandbox_running
from bench.processor_seconds import Spent, now
from bot.app import Magpie
from bot.ops.metrics import Metrics
from bot.ops.settings import Settings
from bot.ops.tuning import DAY_S, Clocks, Limits
from index import Gallery
from sandbox.snowflakes import at_time
from sandbox.world import (
    Application,
    Attachment,
    Channel,
    Guild,
    Member,
    Message,
    Role,
    User,
    World,
)

CORES, PICTURE_S = 16, 0.02
CHANNELS, OF_A_MESSAGE = 40, 5
EDGE, FILE_BYTES = 96, 300_000
FROM, UPTO = 0.15, 0.8  # the middle of the run, as shares of its pictures
LOOK_S = 0.5  # each look is a question to the store
BEGAN = 1_735_689_600  # 2025-01-01
APART_S = 600  # messages of a channel
TOKEN = "the-bots-token"
PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16
GUILD, BOT, ADA = (at_time(BEGAN - DAY_S + number) for number in range(3))


async def measured(count: int) -> dict[str, Any]:
    """Milliseconds of the processor for a picture, by thread, and the pictures a second."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        command = (sys.executable, "-m", "bench.passing", scratch, str(count))
        async with sandbox_running(*command) as (_, url):
            model: Any = FixedCost(0.0, PICTURE_S)
            gallery = await Gallery.open(folder / "magpie.db", model, gradually=True, cores=CORES)
            async with contextlib.AsyncExitStack() as stack:
                stack.push_async_callback(gallery.close)
                await gallery.ready_to_compare()
                (first, began), (last, ended) = await _read(url, folder, gallery, count)
    pictures = last - first
    return {
        "pictures": pictures,
        "rate": pictures / (ended.at - began.at),
        "children_ms": 1000 * (ended.children_s - began.children_s) / pictures,
        "threads_ms": {
            name: 1000 * (seconds - began.threads_s.get(name, 0.0)) / pictures
            for name, seconds in ended.threads_s.items()
        },
    }


async def _read(url: str, folder: Path, gallery: Gallery, count: int) -> list[tuple[int, Spent]]:
    """Read all of the server; what was in the gallery and spent at two moments."""
    settings = Settings(token=TOKEN, api=url, db=folder / "magpie.db", http=None, questions=0)
    clocks = Clocks(guild_ready_s=0.5, relist_s=DAY_S)
    limits = Limits(history_at_once=8 * (CORES + 1))
    marks: list[tuple[int, Spent]] = []
    async with Magpie(settings, gallery, Metrics(), clocks, limits) as client:
        serving = asyncio.create_task(client.serve())
        await client.wait_until_ready()
        channels = client.guilds[0].channels
        for channel in channels:
            await client.watched.add(channel.guild.id, channel.id)
        client.backlog.begin(channels)
        while client.backlog.busy or client.live.busy:
            links = (await gallery.links.count()).links
            if len(marks) < 2 and links >= (UPTO if marks else FROM) * count:
                marks.append((links, now()))
            await asyncio.sleep(LOOK_S)
        await client.close()
        await serving
    return marks


# ---- the sandbox


def world(folder: Path, count: int) -> World:
    """A server of some channels, in which each message shows several pictures."""
    made = World(Application(BOT, "Magpie", "Finds pictures.", TOKEN, BOT), folder)
    made.users = {BOT: User(BOT, "magpie", bot=True), ADA: User(ADA, "ada", token="ada-token")}
    guild = made.guilds[GUILD] = Guild(GUILD, "Town", owner_id=ADA)
    guild.roles[GUILD] = Role(GUILD, "@everyone", PERMISSIONS)
    guild.members = {id: Member(GUILD, id) for id in made.users}
    for number in range(CHANNELS):
        id = at_time(BEGAN + number)
        guild.channels[id] = Channel(id, GUILD, 0, f"place-{number}")
    for number in range(count // OF_A_MESSAGE):
        turn, place = divmod(number, CHANNELS)
        channel = at_time(BEGAN + place)
        id = at_time(BEGAN + 1_000 + turn * APART_S + place)
        files = [_file(folder, channel, id, n) for n in range(OF_A_MESSAGE)]
        message = Message(id, channel, ADA, attachments=files)
        made.messages(channel).put(message)
        made.show_files(message)
    return made


def _file(folder: Path, channel: int, message: int, number: int) -> Attachment:
    id = message + 1 + number
    path = folder / f"{id}.jpg"
    patch = np.random.default_rng(id).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    picture = Image.fromarray(patch).resize((EDGE, EDGE), Image.Resampling.BICUBIC)
    picture.save(path, "JPEG")
    with path.open("r+b") as file:
        file.truncate(FILE_BYTES)  # zeros that the disk doesn't keep
    return Attachment(id, channel, path.name, str(path), FILE_BYTES, "image/jpeg", EDGE, EDGE)


async def _serve(folder: Path, count: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with sandbox.serve(world(folder, count), record=False) as server:
        print(server.url, flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
