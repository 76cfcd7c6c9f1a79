"""Runs the bot in the test's own process, and waits until it has finished its work."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import discord
from PIL import Image

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.metrics import Metrics
from bot.ops.settings import Settings
from bot.ops.tuning import Clocks, Limits
from bot.platform.shards import Shards
from bot.sync.progress import Progress
from index import Gallery, Transcriber
from index.embed.embedder import Embedder

PATIENCE_S = 90.0  # for a slow machine; no test claims anything about time
GUILD_READY_S = 0.2  # a test's world is announced at once
NEVER_S = 86_400.0


def quick_clocks(**others: float) -> Clocks:
    """The clocks of a test, with others set as given.

    The slow listing of all channels never comes. It erases what was deleted, too, and would hide
    that the bot didn't follow the deletion at once.
    """
    short = {"guild_ready_s": GUILD_READY_S, "notices_s": 0.05}
    return Clocks(**{**short, "relist_s": NEVER_S, **others})


def settings_for(server: sandbox_package.Server, db: Path | str) -> Settings:
    """The settings of a bot. The files of its own go with the gallery's, or with the server's."""
    token, folder = server.world.application.token, server.core.uploads.parent
    return Settings(token=token, api=server.url, db=db, folder=folder, http=None, questions=0)


class QuickToIdentify(Magpie):
    """Magpie without discord.py's pause of 5 s before each IDENTIFY after the first.

    Discord allows one in 5 s; the sandbox allows any number.
    """

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        pass


@asynccontextmanager
async def running(
    server: sandbox_package.Server,
    db: Path | str,
    model: str | Embedder | Held,
    clocks: Clocks | None = None,
    limits: Limits | None = None,
    questions: int = 0,
    api: str = "",
    transcriber: Transcriber | None = None,
    workers: str | None = None,
    shards: Shards | None = None,
) -> AsyncIterator[Magpie]:
    """Magpie, connected to `server` and ready, with its gallery in the file or database `db`.

    questions   how many a member may ask in a minute; 0: any number
    transcriber reads the words in pictures; None: nothing does
    api         the address of a server that stands before `server`
    workers     the database through which workers embed; None: Magpie does
    shards      that it serves; None: all. What it keeps beside a file lies in the working folder
                where `db` is a database
    """
    gallery = await Gallery.open(db, cast(str | Embedder, model), gradually=True, workers=workers)
    try:
        settings = settings_for(server, db)
        settings = replace(
            settings, api=api or settings.api, questions=questions, shards=shards or Shards()
        )
        clocks = clocks or quick_clocks()
        async with QuickToIdentify(
            settings, gallery, Metrics(), clocks, limits, transcriber
        ) as client:
            serving = asyncio.create_task(client.serve())
            ready = asyncio.create_task(client.wait_until_ready())
            await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            if serving.done():
                await serving
            try:
                yield client
            finally:
                if isinstance(model, Held):
                    model.release()
                await client.close()
                await serving
    finally:
        await gallery.close()


async def idle(client: Magpie) -> None:
    """Wait until nothing is queued, on its way, or left to read."""
    quiet = 0

    async def settled() -> bool:
        nonlocal quiet
        working = client.live.busy or client.backlog.busy
        quiet = 0 if working else quiet + 1
        return quiet >= 12  # the last event may not have reached the queue yet

    await until(settled)


def history_progress(client: Magpie, guild: int) -> Progress | None:
    """How far the history of all channels of a guild is read."""
    return client.backlog.progress(guild, {place.id for place in client.backlog.places(guild)})


async def until(holds: Callable[[], Awaitable[bool]], patience_s: float = PATIENCE_S) -> None:
    """Wait until `holds` says so.

    raises   TimeoutError when the test's patience is over
    """
    deadline = time.monotonic() + patience_s
    while not await holds():
        if time.monotonic() > deadline:
            raise TimeoutError("what the test waits for does not happen")
        await asyncio.sleep(0.02)


def png(colour: str, size: tuple[int, int] = (48, 48)) -> bytes:
    """A picture of one colour, as a file's bytes."""
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


async def sources(client: Magpie, *channels: int) -> set[str]:
    """The messages with indexed pictures: of some channels, or of all."""
    found: set[str] = set()
    for guild in client.guilds:
        groups = channels or [group.id for group in await client.gallery.links.groups(guild.id)]
        for group in groups:
            found |= (await client.gallery.links.known(guild.id, group)).keys()
    return found


class Held:
    """An embedder that can be made to wait, like a busy one."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._go = threading.Event()
        self._go.set()
        self.begun = 0  # calls for pictures

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def images(self, frames: Sequence[Image.Image], between: Any = None) -> Any:
        self.begun += 1
        # Longer than tests wait: a call that failed would set things going that a test waits for.
        assert self._go.wait(4 * PATIENCE_S)
        return self._embedder.images(frames, between)

    def hold(self) -> None:
        self._go.clear()

    def release(self) -> None:
        self._go.set()


async def begin_to_watch(client: Magpie, channel_id: int) -> None:
    """Watch a channel or category as `/channels add` does."""
    channel = client.get_channel(channel_id)
    assert isinstance(channel, discord.abc.GuildChannel)
    await client.watched.add(channel.guild.id, channel.id)
    inside = channel.channels if isinstance(channel, discord.CategoryChannel) else [channel]
    client.backlog.begin(inside)


async def watch(client: Magpie, channel_id: int) -> None:
    """Watch a channel or category, and wait until it is read."""
    await begin_to_watch(client, channel_id)
    await idle(client)


@asynccontextmanager
async def watching(
    server: sandbox_package.Server, db: Path | str, model: str | Embedder | Held, channel_id: int
) -> AsyncIterator[Magpie]:
    """A running Magpie that watches a channel or category, and has read it."""
    async with running(server, db, model) as client:
        await watch(client, channel_id)
        yield client


async def read_and_leave(
    server: sandbox_package.Server, db: Path | str, model: str | Embedder | Held, channel_id: int
) -> set[str]:
    """The messages with pictures of a channel or category, read by a Magpie that then stops."""
    async with watching(server, db, model, channel_id) as client:
        return await sources(client)
