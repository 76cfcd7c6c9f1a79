"""The words in pictures, read in the background: once each, and after everything else."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Limits
from checks.fuzzing.films import film
from index import Link, PictureBroken, Transcriber
from index.embed.embedder import Embedder
from index.types.records import NOWHERE
from sandbox.person import Person
from tests.bot.conftest import LogIn, on_both_stores
from tests.bot.reindex.jobs import begin, stands
from tests.bot.running import (
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
from tests.worlds import VIEW_CHANNEL, WorldFile


class Finds(Transcriber):
    """Finds the same words in every picture, at once; none in one that it can't read."""

    def __init__(self, broken: bytes = b"none") -> None:
        self.revision = "of a test"
        self.asked: list[bytes] = []
        self.resting = False
        self.pause_s = 0.0
        self.go = asyncio.Event()
        self.go.set()
        self._broken = broken

    async def read(self, data: bytes, link: Link = NOWHERE) -> tuple[str, ...]:
        self.asked.append(data)
        self.resting = False
        await asyncio.sleep(self.pause_s)
        await self.go.wait()
        if data == self._broken:
            raise PictureBroken("the words in it can't be read")
        return ("found",)

    async def rest(self) -> None:
        self.resting = True

    async def close(self) -> None:
        self.resting = True


class Trips(Finds):
    """Has a fault that one picture shows."""

    def __init__(self, over: bytes) -> None:
        super().__init__()
        self._over = over

    async def read(self, data: bytes, link: Link = NOWHERE) -> tuple[str, ...]:
        found = await super().read(data)
        if data == self._over:
            raise RuntimeError("a fault of a test")
        return found


@dataclass
class Scene:
    """A person who posts in #general and #after-dark, and Magpies that read words or don't."""

    server: sandbox_package.Server
    db: Path
    model: Embedder
    world: WorldFile
    ada: Person
    reader: Finds

    @asynccontextmanager
    async def magpie(
        self, model: Held | None = None, limits: Limits | None = None
    ) -> AsyncIterator[Magpie]:
        """A Magpie that reads words."""
        clocks = quick_clocks(transcribe_s=0.05)
        async with running(
            self.server, self.db, model or self.model, clocks, limits, transcriber=self.reader
        ) as client:
            yield client

    @asynccontextmanager
    async def before(self) -> AsyncIterator[Magpie]:
        """A Magpie that watches #general and reads no words yet."""
        async with running(self.server, self.db, self.model) as client:
            await watch(client, self.world.channels["general"])
            yield client
            await idle(client)

    async def post(self, *colours: str, channel: str = "general") -> str:
        """Post pictures of these colours; the message's id."""
        pictures = {f"{n}.png": png(colour) for n, colour in enumerate(colours)}
        posted = await self.ada.post(str(self.world.channels[channel]), pictures=pictures)
        return str(posted["id"])

    async def pending(self, client: Magpie) -> int:
        return await client.gallery.transcripts.count_pending(self.world.guild_id)

    async def all_read(self, client: Magpie) -> None:
        """Wait until no picture is pending."""

        async def holds() -> bool:
            return not await self.pending(client)

        await until(holds)

    async def read(self, client: Magpie, colour: str) -> tuple[str, ...] | None:
        """What was read in the picture of a colour."""
        embedded = await client.gallery.embed_picture(png(colour))
        return await client.gallery.transcripts.get(embedded.key)


@pytest.fixture
async def scene(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    log_in: LogIn,
) -> Scene:
    reader = Finds(broken=png("black"))
    return Scene(sandbox, db, model, world_file, await log_in("ada"), reader)


@on_both_stores
async def test_new_pictures_have_their_words_read_without_a_second_download(scene: Scene) -> None:
    reader = scene.reader
    async with scene.magpie() as client:
        await watch(client, scene.world.channels["general"])
        await scene.all_read(client)
        reader.asked = []
        posted = await scene.post("teal", "black")

        async def indexed() -> bool:
            return posted in await sources(client)

        await until(indexed)
        await scene.all_read(client)
        assert sorted(reader.asked) == sorted([png("teal"), png("black")])
        assert await scene.read(client, "teal") == ("found",)
        assert await scene.read(client, "black") == ()  # not tried for ever
        await until(lambda: resting(reader))


async def resting(reader: Finds) -> bool:
    return reader.resting


async def test_after_a_restart_pictures_are_downloaded_again_when_nothing_else_waits(
    scene: Scene,
) -> None:
    async with scene.before() as client:
        await scene.post("teal")
        await idle(client)
        pending = await scene.pending(client)
        assert pending == len(await sources(client)) > 1
    held = Held(scene.model)
    held.hold()
    async with scene.magpie(held) as client:
        await scene.post("gold")

        async def embedding() -> bool:
            return held.begun > 0

        await until(embedding)
        await asyncio.sleep(0.3)
        assert scene.reader.asked == []
        held.release()
        await scene.all_read(client)
        assert len(scene.reader.asked) == len(set(scene.reader.asked)) == pending + 1


async def test_pictures_in_memory_are_read_while_others_wait_for_their_download(
    scene: Scene,
) -> None:
    """The newest doesn't fit into memory, and messages wait."""
    reader, held = scene.reader, Held(scene.model)
    large = png("navy", size=(900, 900))
    async with scene.magpie(held, Limits(transcribe_bytes=len(large) - 1)) as client:
        await watch(client, scene.world.channels["general"])
        await scene.all_read(client)
        reader.go.clear()
        for pictures in ({"a.png": png("teal")}, {"b.png": png("gold")}, {"c.png": large}):
            await scene.ada.post(str(scene.world.channels["general"]), pictures=pictures)
        await idle(client)
        held.hold()
        await scene.post("pink")

        async def embedding() -> bool:
            return client.live.busy

        await until(embedding)
        reader.go.set()

        async def read() -> bool:
            return {png("teal"), png("gold")} <= set(reader.asked)

        await until(read)
        assert large not in reader.asked
        held.release()
        await scene.all_read(client)
        assert large in reader.asked


async def test_a_picture_with_an_unforeseen_error_does_not_hold_up_the_others(
    scene: Scene,
) -> None:
    reader = scene.reader = Trips(over=png("black"))
    async with scene.before():
        await scene.post("teal", "black")
    async with scene.magpie() as client:

        async def one_is_left() -> bool:
            return await scene.pending(client) == 1

        await until(one_is_left)
        assert reader.asked.count(png("black")) == 1
        assert await scene.read(client, "teal") == ("found",)


async def test_the_bytes_of_erased_pictures_are_dropped_while_many_others_are_read(
    scene: Scene,
) -> None:
    async with scene.before():
        await scene.post(*(f"#0000{n * 9:02x}" for n in range(9)))
    scene.reader.pause_s = 0.2
    async with scene.magpie() as client:
        client.transcribing.keep(b"erased before it was written", b"its bytes", (1, 2))

        async def dropped() -> bool:
            return not client.transcribing._new

        await until(dropped)
        assert await scene.pending(client)


async def test_a_video_is_read_again_by_its_scenes(scene: Scene) -> None:
    clip = film("libx264", scenes=[(250, 10, 10), (10, 10, 250)])
    async with scene.before():
        await scene.ada.post(str(scene.world.channels["general"]), pictures={"clip.mp4": clip})
    async with scene.magpie() as client:
        await scene.all_read(client)
        assert scene.reader.asked
        assert clip not in scene.reader.asked  # but an animation of its scenes


async def test_a_deleted_picture_is_not_downloaded_for_its_words(scene: Scene) -> None:
    async with scene.before():
        posted = await scene.post("teal")
    general = scene.world.channels["general"]
    await scene.ada.request("DELETE", f"/channels/{general}/messages/{posted}")
    async with scene.magpie() as client:
        await scene.all_read(client)
        assert png("teal") not in scene.reader.asked
        assert scene.reader.asked


async def test_a_picture_is_read_where_it_can_be_had(scene: Scene) -> None:
    """Its newest message is in a channel that was closed, the next one lost its file."""
    closed = scene.world.channels["after-dark"]
    async with scene.before() as client:
        await scene.post("teal")
        lost = await scene.post("teal")
        await begin_to_watch(client, closed)
        await scene.post("teal", channel="after-dark")
        await idle(client)
        no = {"type": 1, "allow": "0", "deny": str(VIEW_CHANNEL)}
        await scene.ada.request(
            "PUT", f"/channels/{closed}/permissions/{scene.world.bot_id}", json=no
        )
    scene.server.strike("cdn_error", status=404, path=f"*/{lost}/*", times=None)
    async with scene.magpie() as client:
        general = {scene.world.channels["general"]}

        async def all_read_there() -> bool:
            unread = await client.transcribing.count_unread(scene.world.guild_id, general)
            return unread == (0, 0)

        await until(all_read_there)
        assert await scene.read(client, "teal") == ("found",)
        assert await scene.pending(client) == 1  # in the other channel


async def test_what_cannot_be_had_again_is_told_and_tried_when_somebody_asks_for_it(
    scene: Scene,
) -> None:
    async with scene.before() as client:
        await scene.post("teal")
        await idle(client)
        pending = await scene.pending(client)
    scene.server.strike("cdn_error", status=404, path="/attachments/*", times=None)
    async with scene.magpie() as client:

        async def told() -> bool:
            status = (await scene.ada.command("status")).text()
            return f"Words read in 0 of {pending} pictures; {pending} could not be had" in status

        await until(told)
        assert scene.reader.asked == []
        scene.server.faults.clear()
        await begin(scene.ada)
        await scene.all_read(client)
        assert "could not be had" not in (await scene.ada.command("status")).text()


@on_both_stores
async def test_what_an_older_revision_read_is_read_again_in_the_background(scene: Scene) -> None:
    scene.reader.revision = "older"
    async with scene.magpie() as client:
        await watch(client, scene.world.channels["general"])
        await scene.post("teal")
        await idle(client)
        await scene.all_read(client)
    before, scene.reader = sorted(scene.reader.asked), Finds()
    async with scene.magpie() as client:
        await until(lambda: asked(scene.reader, len(before), 1))
        await scene.all_read(client)
        assert sorted(scene.reader.asked) == before


async def test_reindexing_everything_reads_the_words_again_and_status_tells_how_far_it_is(
    scene: Scene,
) -> None:
    reader, ada = scene.reader, scene.ada
    async with scene.magpie() as client:
        await watch(client, scene.world.channels["general"])
        await scene.post("teal", "gold")
        await until(lambda: asked(reader, 3, 1))
        await scene.all_read(client)
        status = await ada.command("status")
        assert "Words read in all 3 pictures" in status.text()
        before = sorted(reader.asked)
        await begin(ada)
        await stands(client, "done")
        assert sorted(reader.asked) == before
        await begin(ada, what="everything")
        await stands(client, "done")
        await until(lambda: asked(reader, 3, 2))


async def asked(reader: Finds, pictures: int, times: int) -> bool:
    """Whether it was asked for so many pictures, each so many times."""
    return [count >= times for count in Counter(reader.asked).values()] == [True] * pictures


async def test_status_says_nothing_of_words_where_none_are_read(
    scene: Scene,
) -> None:
    async with scene.before():
        assert "Words" not in (await scene.ada.command("status")).text()
