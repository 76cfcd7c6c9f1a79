"""Each way of erasing, while a picture is at each stage of its way into the gallery.

Whatever erases it, the picture is not there afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Clocks, Limits
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.running import (
    GUILD_READY_S,
    PATIENCE_S,
    Held,
    begin_to_watch,
    idle,
    png,
    running,
    sources,
    until,
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
        """The same work, which begins once it is released."""

        async def gated(*arguments: Any, **more: Any) -> Any:
            self._arrived.set()
            await self._open.wait()
            return await work(*arguments, **more)

        return gated

    @contextlib.asynccontextmanager
    async def holding(
        self, plug: Callable[[], Awaitable[Post]] | None = None
    ) -> AsyncIterator[None]:
        """Hold what comes now at this stage.

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
        yield
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
    held, clocks = Held(model), Clocks(guild_ready_s=GUILD_READY_S, grace_s=0)
    ada, mei = await log_in("ada"), await log_in("mei")
    channels = {name: str(id) for name, id in world_file.channels.items()}
    guild, general = world_file.guild_id, channels["general"]
    async with running(sandbox, db, held, clocks, Limits(live_workers=1)) as client:
        way = Way(client, held, stage)
        for name in ("general", "after-dark", "lounge"):
            await begin_to_watch(client, world_file.channels[name])
        await idle(client)

        def remove_message(posted: Post) -> Awaitable[object]:
            return ada.request("DELETE", f"/channels/{general}/messages/{posted['id']}")

        async def remove_in_bulk(posted: Post) -> None:
            other = await mei.post(general, "and another")
            ids = {"messages": [posted["id"], other["id"]]}
            await ada.request("POST", f"/channels/{general}/messages/bulk-delete", json=ids)

        def edit(posted: Post) -> Awaitable[object]:
            path = f"/channels/{general}/messages/{posted['id']}"
            return mei.request("PATCH", path, json={"attachments": []})

        def remove_channel(posted: Post) -> Awaitable[object]:
            return ada.request("DELETE", f"/channels/{posted['channel_id']}")

        def unwatch(posted: Post) -> Awaitable[object]:
            return ada.command("channels", "remove", channel=posted["channel_id"])

        def privacy(verb: str) -> Act:
            return lambda posted: mei.command("privacy", verb, where=general)

        async def leave(posted: Post) -> None:
            sandbox.strike("leave", guild_id=str(guild))

        there: list[str] = []
        ways: list[tuple[str, Person, str, Act]] = [
            ("message deleted", mei, general, remove_message),
            ("deleted in bulk", mei, general, remove_in_bulk),
            ("edited", mei, general, edit),
            ("/privacy erase", mei, general, privacy("erase")),
            ("/privacy opt-out", mei, general, privacy("opt-out")),
            ("thread deleted", ada, channels["walks"], remove_channel),
            ("/channels remove", ada, channels["after-dark"], unwatch),
            ("channel deleted", ada, channels["lounge"], remove_channel),
            ("server left", ada, general, leave),
        ]
        for number, (name, person, channel, act) in enumerate(ways):

            async def plug(number: int = number) -> Post:
                return await ada.post(general, pictures={"p.png": png(f"#0000{number:02x}")})

            async with way.holding(plug):
                begun = held.begun
                pictures = {"a.png": png(f"#{number:02x}ff80")}
                posted = await person.post(channel, "look", pictures=pictures)
                await way.arrived(begun)
                acting = asyncio.ensure_future(act(posted))
                await asyncio.wait_for(way.erasing.wait(), PATIENCE_S)
            await acting
            await idle(client)

            async def erased(posted: Post = posted) -> bool:
                return not await client.gallery.links.slots(guild, posted["id"])

            try:
                await until(erased, patience_s=5)
            except TimeoutError:
                there.append(name)
            if name == "/privacy opt-out":
                await mei.command("privacy", "opt-in", where=general)
        assert there == []


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    """The small world, with a picture of January in #old."""
    world = worlds.small(tmp_path / "world")
    old = world.channel("old")
    world.message(old, world.people["mei"], pictures=[world.picture("old.png", "navy")])
    return world


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
        async with way.holding():
            begun = held.begun
            await begin_to_watch(client, old)
            await way.arrived(begun)
            asked = asyncio.ensure_future(ada.command("privacy", "retention", days=30))
            await asyncio.wait_for(way.erasing.wait(), PATIENCE_S)
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
        holding = way.holding()
        await holding.__aenter__()  # the process ends before it is released
        posted = await mei.post(str(general), pictures={"a.png": png("teal")})
        await way.arrived(held.begun)
        await mei.command("privacy", "opt-out", where=str(general))
    async with running(sandbox, db, model) as client:
        await idle(client)
        assert posted["id"] not in await sources(client)
        await mei.command("privacy", "opt-in", where=str(general))
        cursor = (await client.gallery.bookkeeping.cursors(world_file.guild_id))[general]
        assert cursor.newest >= int(posted["id"])  # it was read again, and left out
