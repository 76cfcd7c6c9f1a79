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
from tests.bot.conftest import LogIn
from tests.bot.running import (
    GUILD_READY_S,
    PATIENCE_S,
    Held,
    begin_to_watch,
    idle,
    png,
    running,
    until,
)
from tests.worlds import WorldFile

STAGES = ("queued", "downloading", "embedding", "committing")

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
        if stage == "downloading":
            client.downloader.fetch = self._gated(client.downloader.fetch)  # type: ignore[method-assign]
        elif stage == "committing":
            client.gallery.commit = self._gated(client.gallery.commit)  # type: ignore[method-assign]

    def _gated(self, work: Any) -> Any:
        """The same work, which begins once it is released."""

        async def gated(*arguments: Any, **more: Any) -> Any:
            self._arrived.set()
            await self._open.wait()
            return await work(*arguments, **more)

        return gated

    @contextlib.asynccontextmanager
    async def holding(self, plug: Callable[[], Awaitable[Post]]) -> AsyncIterator[None]:
        """Hold what comes now at this stage.

        plug   posts a picture that keeps the only worker busy, so that the next one is queued
        """
        self._arrived.clear()
        self._open.clear()
        if self._stage in ("queued", "embedding"):
            self._held.hold()
        if self._stage == "queued":
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
            await asyncio.wait_for(self._arrived.wait(), 30)


async def _is(holds: bool) -> bool:
    return holds


@pytest.mark.parametrize("stage", STAGES)
async def test_whatever_erases_a_picture_on_its_way_it_does_not_come_after(
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
                begun, before = held.begun, client.writer.now
                pictures = {"a.png": png(f"#{number:02x}ff80")}
                posted = await person.post(channel, "look", pictures=pictures)
                await way.arrived(begun)
                acting = asyncio.ensure_future(act(posted))
                await until(lambda before=before: _is(client.writer.now > before))  # type: ignore[misc]
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
