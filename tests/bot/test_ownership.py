"""A process acts on the servers of its own shards alone, though its database has the others, too.

Each test gives both servers the same, and waits until the process has done it for its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.platform.shards import Shards
from bot.reindex.jobs import KIND
from bot.reindex.state import JobState
from bot.reposts.notes import UNSENT
from bot.watches.choices import Choices
from index import Filter, Group, Link, Note, Query, Watch
from index.embed.embedder import Embedder
from index.types.searches import Asked
from index.types.watches import Notice, Stage, Unjudged
from tests.bot.running import png, quick_clocks, running, until
from tests.bot.sharded import BOT, CHANNELS, EVEN, MEI, ODD, two_shards
from tests.worlds import snowflake

__all__ = ["two_shards"]  # a fixture

UNKNOWN = str(snowflake(500_000))  # a message that is not there


@pytest.fixture
async def magpie(
    two_shards: sandbox_package.Server, postgres_url: str, model: Embedder
) -> AsyncIterator[Magpie]:
    """The process of shard 0, to which EVEN belongs; that of shard 1 doesn't run."""
    clocks = quick_clocks(watch_again_s=0.05, expire_s=0.05)
    async with running(two_shards, postgres_url, model, clocks, shards=Shards((0,), 2)) as client:
        yield client


def link(guild: int, slot: str = "a", *, posted_at: float = 1.0) -> Link:
    return Link(guild, Group(CHANNELS[guild]), UNKNOWN, slot, owner=BOT, posted_at=posted_at)


async def keep(magpie: Magpie, guild: int, slot: str = "a") -> int:
    """The id of a new picture of a server, posted now."""
    gallery = magpie.gallery
    picture = await gallery.embed_picture(png("teal"))
    (id,) = await gallery.commit([(picture, link(guild, slot, posted_at=time.time()))], new=True)
    return id


async def add_watch(magpie: Magpie, guild: int, owner: int) -> int:
    """The id of a watch of a server, for something red."""
    gallery = magpie.gallery
    embedding = await gallery.embed_query(Query(text="red"))
    asked, settings = Asked("red", filter=Filter(guild)), Choices().to_json()
    watch = Watch(0, guild, owner, asked, None, settings, embedding, embedding.revision)
    return await gallery.watches.add(watch)


async def with_pictures(magpie: Magpie) -> set[int]:
    return set(await magpie.gallery.links.spaces())


async def becomes(read: Callable[[], Awaitable[object]], expected: object) -> None:
    async def holds() -> bool:
        return await read() == expected

    await until(holds)


async def test_servers_of_others_are_neither_erased_nor_expired(magpie: Magpie) -> None:
    bookkeeping = magpie.gallery.bookkeeping
    for guild in CHANNELS:
        await magpie.gallery.add(png("teal"), link(guild))
        await bookkeeping.set_retention(guild, 1)
    await magpie.maintenance.expire_all()
    assert await with_pictures(magpie) == {ODD}
    for guild in CHANNELS:
        await bookkeeping.set_retention(guild, None)
        await keep(magpie, guild)
        await bookkeeping.depart(guild, since=1.0)
    await magpie.maintenance.expire_all()
    assert await with_pictures(magpie) == {ODD}


async def test_channels_of_others_are_not_listed(magpie: Magpie) -> None:
    magpie.clocks.relist_s = 0.0
    for guild in CHANNELS:
        await keep(magpie, guild)
    await magpie.relisting.relist_all()
    assert await with_pictures(magpie) == {ODD}


async def test_pictures_of_others_are_not_judged(magpie: Magpie) -> None:
    for guild in CHANNELS:  # without a watch, nothing is judged; its owner is not told of these
        await add_watch(magpie, guild, BOT)
    await magpie.gallery.ready_to_judge()
    theirs, _ = [await keep(magpie, guild) for guild in (ODD, EVEN)]
    await becomes(
        lambda: magpie.gallery.watches.unjudged(limit=9), [Unjudged(ODD, theirs, Stage.SHOWN)]
    )


@pytest.mark.parametrize("begun", [False, True], ids=["due", "begun"])
async def test_notices_of_others_are_left_to_them(magpie: Magpie, begun: bool) -> None:
    watches = magpie.gallery.watches
    for guild in (ODD, EVEN):
        posted = await keep(magpie, guild)
        watch = await add_watch(magpie, guild, MEI)
        await watches.to_be_told([Notice(0, watch, posted, 1.0)])
        for notices in (await watches.pending_of(guild, MEI)).values():
            await watches.sending([one.id for one in notices if begun], f"name-{guild}")

    async def waiting() -> dict[int, list[tuple[float, str]]]:
        listed = {guild: await watches.pending_of(guild, MEI) for guild in CHANNELS}
        return {
            guild: [(one.due, one.sending) for notices in told.values() for one in notices]
            for guild, told in listed.items()
        }

    # Its own can't be told, since the message is gone; then it is forgotten.
    await becomes(waiting, {EVEN: [], ODD: [(1.0, f"name-{ODD}" if begun else "")]})


@pytest.mark.parametrize("id", [UNSENT, UNKNOWN], ids=["unsent", "loose"])
async def test_notes_of_others_are_left_to_them(magpie: Magpie, id: str) -> None:
    bookkeeping = magpie.gallery.bookkeeping

    async def there() -> set[int]:
        listed = [*await bookkeeping.notes_with_id(id), *await bookkeeping.loose_notes()]
        return {note.space for note in listed}

    await bookkeeping.keep_note(Note(ODD, CHANNELS[ODD], UNKNOWN, UNKNOWN, id))
    for _ in range(2):  # the second is kept while the first turn ends, or later
        await bookkeeping.keep_note(Note(EVEN, CHANNELS[EVEN], UNKNOWN, UNKNOWN, id))
        await becomes(there, {ODD})


async def test_jobs_of_others_are_left_to_them(
    magpie: Magpie, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for guild in (ODD, EVEN):
        state = JobState("missing", None)
        await magpie.gallery.bookkeeping.new_job(guild, KIND, asdict(state))
    await magpie.jobs.resume()
    assert f"event=reindex_resumed guild={EVEN}" in caplog.text
    assert f"event=reindex_resumed guild={ODD}" not in caplog.text
