"""Each way of erasing, while a picture is at each stage of its way into the gallery.

Whatever erases it, the picture is not there afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import discord
import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Limits
from bot.platform.places import missing_permissions
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.running import (
    PATIENCE_S,
    Held,
    begin_to_watch,
    idle,
    png,
    quick_clocks,
    running,
    sources,
    until,
    watch,
)
from tests.worlds import WorldFile

STAGES = ("queued", "downloading", "embedding", "committing")
# The writer's methods that erase pictures.
ERASING = (
    "keep_slots",
    "erase_messages",
    "erase_group",
    "erase_space",
    "leave_out",
    "erase_older",
)

# The ways of erasing a picture that comes from history; the last one ends the test.
FROM_HISTORY = (
    "message deleted",
    "deleted in bulk",
    "edited",
    "/privacy erase",
    "/privacy opt-out",
    "thread deleted",
    "/channels remove",
    "channel deleted",
    "closed for a week",
    "server left",
)

Post = dict[str, Any]
Act = Callable[[Post], Awaitable[object]]


class Way:
    """A running bot whose pictures can be held at one stage of their way."""

    def __init__(self, client: Magpie, held: Held, stage: str) -> None:
        self.client = client
        self._held = held
        self._stage = stage
        self._open = asyncio.Event()
        self._open.set()
        self._arrived = asyncio.Event()
        self.erasing = asyncio.Event()
        for name in ERASING:
            setattr(client.writer, name, self._noted(getattr(client.writer, name)))
        if stage == "downloading":
            client.downloader.fetch = self._gated(client.downloader.fetch)  # type: ignore[method-assign]
        elif stage == "committing":
            client.gallery.commit = self._gated(client.gallery.commit)  # type: ignore[method-assign]

    def _noted(self, erase: Any) -> Any:
        """The same method, which sets `erasing` when it is called."""

        def noted(*arguments: Any, **more: Any) -> Any:
            self.erasing.set()
            return erase(*arguments, **more)

        return noted

    def _gated(self, work: Any) -> Any:
        """The same work, which begins once it is released; a commit without pictures isn't held."""

        async def gated(first: Any, *others: Any, **more: Any) -> Any:
            if first:
                self._arrived.set()
                await self._open.wait()
            return await work(first, *others, **more)

        return gated

    async def hold(self, plug: Callable[[], Awaitable[Post]] | None = None) -> None:
        """Hold what comes now at this stage, until it is released.

        plug   posts a picture that keeps the only worker busy, so that the next one is queued;
               not needed at other stages
        """
        self._arrived.clear()
        self.erasing.clear()
        self._open.clear()
        if self._stage in ("queued", "embedding"):
            self._held.hold()
        if self._stage == "queued" and plug is not None:
            begun = self._held.begun
            await plug()
            await until(lambda: _is(self._held.begun > begun))

    def release(self) -> None:
        self._open.set()
        self._held.release()

    async def arrived(self, begun: int) -> None:
        """Wait until the picture that was posted is held at this stage."""
        if self._stage == "queued":
            await until(lambda: _is(self.client.live.depth > 0))
        elif self._stage == "embedding":
            await until(lambda: _is(self._held.begun > begun))
        else:
            await asyncio.wait_for(self._arrived.wait(), PATIENCE_S)


async def _is(holds: bool) -> bool:
    return holds


def _failed(acting: asyncio.Future[object]) -> bool:
    return acting.done() and acting.exception() is not None


class Ways:
    """The ways of erasing a picture, each a function of the message that shows it."""

    def __init__(
        self,
        client: Magpie,
        sandbox: sandbox_package.Server,
        world: WorldFile,
        ada: Person,
        mei: Person,
    ) -> None:
        self._client = client
        self._sandbox = sandbox
        self._world = world
        self._ada = ada
        self._mei = mei
        self.acts: dict[str, Act] = {
            "message deleted": self._remove_message,
            "deleted in bulk": self._remove_in_bulk,
            "edited": self._edit,
            "/privacy erase": lambda posted: self._privacy("erase"),
            "/privacy opt-out": lambda posted: self._privacy("opt-out"),
            "thread deleted": self._remove_channel,
            "/channels remove": self._unwatch,
            "channel deleted": self._remove_channel,
            "closed for a week": self._close,
            "server left": self._leave,
        }

    async def _remove_message(self, posted: Post) -> None:
        path = f"/channels/{posted['channel_id']}/messages/{posted['id']}"
        await self._ada.request("DELETE", path)

    async def _remove_in_bulk(self, posted: Post) -> None:
        place = posted["channel_id"]
        other = await self._mei.post(place, "and another")
        ids = {"messages": [posted["id"], other["id"]]}
        await self._ada.request("POST", f"/channels/{place}/messages/bulk-delete", json=ids)

    async def _edit(self, posted: Post) -> None:
        path = f"/channels/{posted['channel_id']}/messages/{posted['id']}"
        await self._mei.request("PATCH", path, json={"attachments": []})

    async def _remove_channel(self, posted: Post) -> None:
        await self._ada.request("DELETE", f"/channels/{posted['channel_id']}")

    async def _unwatch(self, posted: Post) -> None:
        await self._ada.command("channels", "remove", channel=posted["channel_id"])

    async def _privacy(self, verb: str) -> None:
        await self._mei.command("privacy", verb, where=str(self._world.channels["general"]))

    async def _close(self, posted: Post) -> None:
        """Close the channel to the bot. By its clocks, a week has no length."""
        place = int(posted["channel_id"])
        deny = {"type": 1, "allow": "0", "deny": str(worlds.VIEW_CHANNEL)}
        path = f"/channels/{place}/permissions/{self._world.bot_id}"
        await self._ada.request("PUT", path, json=deny)
        channel = self._client.get_channel(place)
        assert isinstance(channel, discord.abc.GuildChannel)
        await until(lambda: _is(bool(missing_permissions(channel))))
        before, self._client.clocks.relist_s = self._client.clocks.relist_s, 0
        for _ in ("noted", "erased"):
            await self._client.closed.look_at_all()
        self._client.clocks.relist_s = before

    async def _leave(self, posted: Post) -> None:
        self._sandbox.strike("leave", guild_id=str(self._world.guild_id))

    async def erased(self, way: Way, name: str, posted: Post) -> bool:
        """Erase a picture that is held on its way, release it, and tell whether it is gone."""
        acting = asyncio.ensure_future(self.acts[name](posted))
        await until(lambda: _is(way.erasing.is_set() or _failed(acting)))
        way.release()
        await acting
        await idle(self._client)

        async def gone() -> bool:
            return not await self._client.gallery.links.slots(self._world.guild_id, posted["id"])

        try:
            await until(gone, patience_s=5)
        except TimeoutError:
            return False
        finally:
            if name == "/privacy opt-out":
                await self._privacy("opt-in")
        return True


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    """The small world, with pictures of January in #old, #park, and in a channel for each way of
    erasing a picture that comes from history."""
    world = worlds.small(tmp_path / "world")
    picture = world.picture("old.png", "navy")
    for name in ("old", "park", *FROM_HISTORY):
        place = world.channel(name)
        world.message(place, world.people["ada"], pictures=[picture])
        if name == "thread deleted":
            world.thread("its thread", place, world.people["mei"])
    return world


@pytest.mark.parametrize("stage", STAGES)
async def test_picture_erased_on_its_way_is_not_committed_afterwards(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    log_in: LogIn,
    stage: str,
) -> None:
    sandbox.clocks.acknowledge_s = PATIENCE_S  # a busy machine must not look like a refusal
    held, clocks = Held(model), quick_clocks(grace_s=0)
    ada, mei = await log_in("ada"), await log_in("mei")
    channels = {name: str(id) for name, id in world_file.channels.items()}
    general = channels["general"]
    places: dict[str, tuple[Person, str]] = {
        "thread deleted": (ada, channels["walks"]),
        "/channels remove": (ada, channels["after-dark"]),
        "channel deleted": (ada, channels["lounge"]),
        "closed for a week": (ada, channels["park"]),
    }
    async with running(sandbox, db, held, clocks, Limits(live_workers=1)) as client:
        way, ways = Way(client, held, stage), Ways(client, sandbox, world_file, ada, mei)
        for name in ("general", "after-dark", "lounge", "park"):
            await begin_to_watch(client, world_file.channels[name])
        await idle(client)
        there: list[str] = []
        for number, name in enumerate(ways.acts):
            person, channel = places.get(name, (mei, general))

            async def plug(number: int = number) -> Post:
                return await ada.post(general, pictures={"p.png": png(f"#0000{number:02x}")})

            await way.hold(plug)
            begun = held.begun
            pictures = {"a.png": png(f"#{number:02x}ff80")}
            posted = await person.post(channel, "look", pictures=pictures)
            await way.arrived(begun)
            if not await ways.erased(way, name, posted):
                there.append(name)
        assert there == []


@pytest.mark.parametrize(
    ("source", "stage"),
    [
        ("backfill", "downloading"),
        ("backfill", "embedding"),
        ("backfill", "committing"),
        pytest.param("reindex", "embedding", marks=pytest.mark.slow),
        pytest.param("reindex", "committing", marks=pytest.mark.slow),
    ],
)
async def test_picture_on_its_way_from_history_is_not_committed_after_it_was_erased(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    log_in: LogIn,
    source: str,
    stage: str,
) -> None:
    sandbox.clocks.acknowledge_s = PATIENCE_S
    held, clocks, guild = Held(model), quick_clocks(grace_s=0), world_file.guild_id
    ada, mei = await log_in("ada"), await log_in("mei")
    async with running(sandbox, db, held, clocks) as client:
        way, ways = Way(client, held, stage), Ways(client, sandbox, world_file, ada, mei)
        there: list[str] = []
        for name in FROM_HISTORY:
            if name == "closed for a week" and source == "backfill":
                continue  # as long as nothing of the channel is in the gallery, nothing is noted
            channel = world_file.channels[name]
            place = world_file.channels["its thread"] if name == "thread deleted" else channel
            pictures = {"a.png": png(f"#{len(name):02x}ff80")}
            posted = await mei.post(str(place), "look", pictures=pictures)
            if source == "reindex":
                await watch(client, channel)
                await client.gallery.remove_sources(guild, [posted["id"]])
            await way.hold()
            begun = held.begun
            if source == "reindex":
                await ada.command("reindex", channel=str(channel))
            else:
                await begin_to_watch(client, channel)
            await way.arrived(begun)
            if not await ways.erased(way, name, posted):
                there.append(name)
            await until(lambda: _is(client.jobs.of(guild) is None))
        assert there == []


@pytest.mark.parametrize("stage", ["downloading", "embedding", "committing"])
async def test_old_picture_on_its_way_from_history_is_not_committed_after_privacy_retention(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    log_in: LogIn,
    stage: str,
) -> None:
    sandbox.clocks.acknowledge_s = PATIENCE_S
    held, ada, old = Held(model), await log_in("ada"), world_file.channels["old"]
    async with running(sandbox, db, held) as client:
        way = Way(client, held, stage)
        await way.hold()
        begun = held.begun
        await begin_to_watch(client, old)
        await way.arrived(begun)
        asked = asyncio.ensure_future(ada.command("privacy", "retention", days=30))
        await asyncio.wait_for(way.erasing.wait(), PATIENCE_S)
        way.release()
        assert "30 days" in (await asked).text()
        await idle(client)
        assert await sources(client, old) == set()


async def test_picture_on_its_way_when_its_member_opts_out_is_not_indexed_after_a_restart(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, log_in: LogIn
) -> None:
    """It was on its way when they did, and its cursor is still before it."""
    sandbox.clocks.acknowledge_s = PATIENCE_S
    mei, general = await log_in("mei"), world_file.channels["general"]
    held = Held(model)
    async with running(sandbox, db, held) as client:
        await begin_to_watch(client, general)
        await idle(client)
        way = Way(client, held, "downloading")
        await way.hold()  # the process ends before it is released
        posted = await mei.post(str(general), pictures={"a.png": png("teal")})
        await way.arrived(held.begun)
        await mei.command("privacy", "opt-out", where=str(general))
    async with running(sandbox, db, model) as client:
        await idle(client)
        assert posted["id"] not in await sources(client)
        await mei.command("privacy", "opt-in", where=str(general))
        cursor = (await client.gallery.bookkeeping.cursors(world_file.guild_id))[general]
        assert cursor.newest >= int(posted["id"])  # it was read again, and left out
