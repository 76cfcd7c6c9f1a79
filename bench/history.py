"""A server's history: how many requests bring its pictures, by search first and by history alone.

A server has 1,000,000 messages in 300 channels, threads and forum posts, of which a third is
archived. One in a hundred shows a picture. The bot watches all of it, twice from an empty gallery:
once with Discord's search first, as it is, and once without it, which is the peer. A request for
history brings one picture here, and one to the search 25, so 25 times fewer is the limit. Answers
of Discord's search may have slightly fewer messages than there are: here every twentieth lacks
half.

BENCH_ROWS is another number of messages; with 30,000, a run takes some minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import discord
import numpy as np
from PIL import Image

import sandbox
from bench.options import Options
from bench.report import Figure, Report, Target
from bot.app import Magpie
from bot.ops.metrics import Metrics
from bot.ops.settings import Settings
from bot.ops.tuning import DAY_S, Clocks, Limits
from index import Gallery
from pocket import MODEL
from sandbox import Server
from sandbox.faults import Fault
from sandbox.snowflakes import at_time
from sandbox.world import (
    FORUM,
    PUBLIC_THREAD,
    TEXT,
    Application,
    Attachment,
    Channel,
    ChannelKind,
    Guild,
    Member,
    Message,
    Messages,
    Role,
    Thread,
    User,
    World,
)

MESSAGES, IN_A_PLACE, A_PICTURE = 1_000_000, 3_333, 100  # one message in so many shows one
FILES = 64  # that differ
SHARE = 0.95
SHORT_EVERY = 20  # answers of the search, of which one lacks half
LOOK_S = 0.05
BEGAN = 1_735_689_600  # 2025-01-01
BETWEEN = at_time(BEGAN + 600) - at_time(BEGAN)  # two messages of a place
TOKEN = "the-bots-token"
PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16
GUILD, BOT, ADA = (at_time(BEGAN - DAY_S + number) for number in range(3))


class Talk(Messages):
    """The messages of a place, at equal distances. Words are made when they are asked for, so that
    a million of them need no memory."""

    def __init__(self, channel: int, first: int, count: int, pictures: dict[int, Message]) -> None:
        super().__init__()
        self._ids = range(first, first + count * BETWEEN, BETWEEN)  # type: ignore[assignment]
        self._by_id = _Made(channel, pictures)
        self._pictures = pictures

    def with_media(self) -> Iterator[Message]:
        return iter(self._pictures.values())

    def count_replies(self, starter: int) -> int:
        return len(self)


class _Made(dict[int, Message]):
    def __init__(self, channel: int, pictures: dict[int, Message]) -> None:
        super().__init__(pictures)
        self._channel = channel

    def __missing__(self, id: int) -> Message:
        return Message(id, self._channel, ADA, "Well, who would have thought that?")


@dataclass
class Seen:
    """What one way of reading took."""

    requests: Counter[str] = field(default_factory=Counter)  # by kind
    to_95: int = 0
    to_95_s: float = 0.0
    all_s: float = 0.0
    missing: int = 0
    duplicated: int = 0


def run(options: Options) -> Report:
    count = options.rows[0] if options.rows else MESSAGES
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _draw(folder)
        both = asyncio.run(_read(folder, count, searching=True))
        alone = asyncio.run(_read(folder, count, searching=False))
    ratio = alone.to_95 / both.to_95
    figures: dict[str, Figure] = {
        "messages": count,
        "pictures": _pictures(count),
        "requests_to_95%": both.to_95,
        "times_fewer": ratio,
        "seconds_to_95%": both.to_95_s,
        "requests": both.requests.total(),
        "requests_of_search": both.requests["search"],
        "seconds": both.all_s,
        "missing": both.missing,
        "duplicated": both.duplicated,
    }
    peers: dict[str, Figure] = {
        "history alone: requests_to_95%": alone.to_95,
        "history alone: seconds_to_95%": alone.to_95_s,
        "history alone: requests": alone.requests.total(),
        "history alone: missing": alone.missing,
    }
    targets = {
        "times_fewer": Target(ratio, 10),
        "missing": Target(both.missing, 0, at_least=False),
        "duplicated": Target(both.duplicated, 0, at_least=False),
    }
    return Report(figures, peers, targets)


# ---- the server


def _draw(folder: Path) -> None:
    for number in range(FILES):
        patch = np.random.default_rng(number).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(patch).resize((64, 64)).save(folder / f"{number}.png")


def _places(count: int) -> int:
    return max(3, count // IN_A_PLACE)


def _pictures(count: int) -> int:
    places = _places(count)
    return sum(len(_shown(place, count // places)) for place in range(places))


def _shown(place: int, count: int) -> range:
    """Which messages of a place show a picture."""
    return range(place % A_PICTURE, count, A_PICTURE)


def world(folder: Path, count: int) -> World:
    """Of five places three are channels, one is a thread of a channel and one a post in a forum. In
    every third of them, threads and posts are archived."""
    made = World(Application(BOT, "Magpie", "Finds pictures.", TOKEN, BOT), folder)
    made.users = {BOT: User(BOT, "magpie", bot=True), ADA: User(ADA, "ada", token="ada-token")}
    guild = made.guilds[GUILD] = Guild(GUILD, "Town", owner_id=ADA)
    guild.roles[GUILD] = Role(GUILD, "@everyone", PERMISSIONS)
    guild.members = {id: Member(GUILD, id) for id in made.users}
    places = _places(count)
    forum = _channel(at_time(BEGAN - 3_600), FORUM, "forum")
    guild.channels[forum.id] = forum
    newest_channel = forum.id
    for place in range(places):
        id = at_time(BEGAN + place)
        kind, parent = PUBLIC_THREAD, None
        if place % 5 < 3:
            kind, newest_channel = TEXT, id
        else:
            parent = newest_channel if place % 5 == 3 else forum.id
        channel = _channel(id, kind, f"place-{place}", parent)
        if parent is not None:
            archived = place % 3 == 0
            channel.thread = Thread(ADA, archived, archived_at=BEGAN + 1.0, members={ADA: 1.0})
        guild.channels[id] = channel
        made._messages[id] = _talk(made, folder, place, id, count // places)
    return made


def _channel(id: int, kind: int, name: str, parent: int | None = None) -> Channel:
    return Channel(id, GUILD, cast("ChannelKind", kind), name, parent_id=parent)


def _talk(made: World, folder: Path, place: int, channel: int, count: int) -> Talk:
    first = at_time(BEGAN + 1_000 + place)
    pictures = {}
    for number in _shown(place, count):
        id = first + number * BETWEEN
        path = folder / f"{(place + number) % FILES}.png"
        size = path.stat().st_size
        file = Attachment(id + 1, channel, path.name, str(path), size, "image/png", 64, 64)
        pictures[id] = message = Message(id, channel, ADA, attachments=[file])
        made.show_files(message)
    return Talk(channel, first, count, pictures)


# ---- reading it


async def _read(folder: Path, count: int, *, searching: bool) -> Seen:
    """Watch the whole server from an empty gallery, until all of it is read."""
    seen, wanted = Seen(), _pictures(count)
    path = folder / f"{'search' if searching else 'alone'}.db"
    async with sandbox.serve(world(folder, count), record=False) as server:
        server.doorway.arrivals.append(lambda who, _, path: _note(server, seen, who, path))
        async with _connected(server, path, searching) as client:
            began = time.monotonic()
            seen.requests.clear()
            await _watch(client)
            while client.backlog.busy or client.live.busy:
                links = (await client.gallery.links.count()).links
                if not seen.to_95 and links >= SHARE * wanted:
                    seen.to_95, seen.to_95_s = seen.requests.total(), time.monotonic() - began
                await asyncio.sleep(LOOK_S)
            seen.all_s = time.monotonic() - began
            seen.to_95 = seen.to_95 or seen.requests.total()
    with contextlib.closing(sqlite3.connect(path)) as db:
        rows, messages = db.execute(
            "SELECT COUNT(*), COUNT(DISTINCT source) FROM links WHERE space = ?", (GUILD,)
        ).fetchone()
    seen.missing, seen.duplicated = wanted - messages, rows - messages
    return seen


def _note(server: Server, seen: Seen, who: str, path: str) -> None:
    if who != "bot":
        return
    kind = "search" if path.endswith("/messages/search") else "other"
    seen.requests[kind] += 1
    if kind == "search" and seen.requests[kind] % SHORT_EVERY == 0:
        server.faults.add(Fault("search_short"))


@contextlib.asynccontextmanager
async def _connected(server: Server, path: Path, searching: bool) -> AsyncIterator[Magpie]:
    gallery = await Gallery.open(path, str(MODEL), device="cpu", gradually=True)
    settings = Settings(token=TOKEN, api=server.url, db=path, http=None, questions=0)
    clocks = Clocks(guild_ready_s=0.5, relist_s=DAY_S)
    try:
        async with Magpie(
            settings, gallery, Metrics(), clocks, Limits(searching=searching)
        ) as client:
            serving = asyncio.create_task(client.serve())
            await client.wait_until_ready()
            try:
                yield client
            finally:
                await client.close()
                await serving
    finally:
        await gallery.close()


async def _watch(client: Magpie) -> None:
    channels: Iterable[discord.abc.GuildChannel] = client.guilds[0].channels
    for channel in channels:
        await client.watched.add(channel.guild.id, channel.id)
    client.backlog.begin(channels)
