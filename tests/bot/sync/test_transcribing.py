"""The words in pictures, read in the background: once each, and after everything else."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.sync.transcribing import NewBytes
from index import PictureBroken, Transcriber
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests.bot.conftest import LogIn
from tests.bot.reindex.jobs import begin, stands
from tests.bot.running import Held, idle, png, quick_clocks, running, sources, until, watch
from tests.worlds import WorldFile


class Finds(Transcriber):
    """Finds the same words in every picture, at once; none in one that it can't read."""

    def __init__(self, broken: bytes = b"none") -> None:
        self.revision = "of a test"
        self.asked: list[bytes] = []
        self.resting = False
        self.pause_s = 0.0
        self._broken = broken

    async def read(self, data: bytes) -> tuple[str, ...]:
        self.asked.append(data)
        self.resting = False
        await asyncio.sleep(self.pause_s)
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

    async def read(self, data: bytes) -> tuple[str, ...]:
        found = await super().read(data)
        if data == self._over:
            raise RuntimeError("a fault of a test")
        return found


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


@pytest.fixture
def reader() -> Finds:
    return Finds(broken=png("black"))


@asynccontextmanager
async def transcribing(
    server: sandbox_package.Server, db: Path, model: Embedder | Held, reader: Finds
) -> AsyncIterator[Magpie]:
    async with running(
        server, db, model, quick_clocks(transcribe_s=0.05), transcriber=reader
    ) as client:
        yield client


async def all_read(client: Magpie, world: WorldFile) -> None:
    """Wait until no picture is pending."""

    async def holds() -> bool:
        return not await client.gallery.transcripts.count_pending(world.guild_id)

    await until(holds)


async def test_new_pictures_have_their_words_read_without_a_second_download(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    reader: Finds,
    world_file: WorldFile,
    ada: Person,
) -> None:
    async with transcribing(sandbox, db, model, reader) as client:
        general = world_file.channels["general"]
        await watch(client, general)
        await all_read(client, world_file)
        reader.asked = []
        posted = await ada.post(
            str(general), pictures={"sea.png": png("teal"), "dark.png": png("black")}
        )

        async def indexed() -> bool:
            return posted["id"] in await sources(client)

        await until(indexed)
        await all_read(client, world_file)
        assert sorted(reader.asked) == sorted([png("teal"), png("black")])
        embedded = await client.gallery.embed_picture(png("teal"))
        assert await client.gallery.transcripts.get(embedded.key) == ("found",)
        broken = await client.gallery.embed_picture(png("black"))
        assert await client.gallery.transcripts.get(broken.key) == ()  # not tried for ever
        await until(lambda: resting(reader))


async def resting(reader: Finds) -> bool:
    return reader.resting


async def test_after_a_restart_pictures_are_downloaded_again_when_nothing_else_waits(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    reader: Finds,
    world_file: WorldFile,
    ada: Person,
) -> None:
    general = world_file.channels["general"]
    async with running(sandbox, db, model) as client:
        await watch(client, general)
        await ada.post(str(general), pictures={"sea.png": png("teal")})
        await idle(client)
        pending = await client.gallery.transcripts.count_pending(world_file.guild_id)
        assert pending == len(await sources(client)) > 1
    held = Held(model)
    held.hold()
    async with transcribing(sandbox, db, held, reader) as client:
        await ada.post(str(general), pictures={"sun.png": png("gold")})

        async def embedding() -> bool:
            return held.begun > 0

        await until(embedding)
        await asyncio.sleep(0.3)
        assert reader.asked == []
        held.release()
        await all_read(client, world_file)
        assert len(reader.asked) == len(set(reader.asked)) == pending + 1


async def test_a_picture_with_an_unforeseen_error_does_not_hold_up_the_others(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
) -> None:
    reader = Trips(over=png("black"))
    general = world_file.channels["general"]
    async with running(sandbox, db, model) as client:
        await watch(client, general)
        await ada.post(str(general), pictures={"sea.png": png("teal"), "dark.png": png("black")})
        await idle(client)
    async with transcribing(sandbox, db, model, reader) as client:

        async def one_is_left() -> bool:
            return await client.gallery.transcripts.count_pending(world_file.guild_id) == 1

        await until(one_is_left)
        assert reader.asked.count(png("black")) == 1
        embedded = await client.gallery.embed_picture(png("teal"))
        assert await client.gallery.transcripts.get(embedded.key) == ("found",)


async def test_the_bytes_of_erased_pictures_are_dropped_while_many_others_are_read(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    reader: Finds,
    world_file: WorldFile,
    ada: Person,
) -> None:
    general = world_file.channels["general"]
    async with running(sandbox, db, model) as client:
        await watch(client, general)
        pictures = {f"{n}.png": png(f"#0000{n * 9:02x}") for n in range(9)}
        await ada.post(str(general), pictures=pictures)
        await idle(client)
    reader.pause_s = 0.2
    async with transcribing(sandbox, db, model, reader) as client:
        client.transcribing.keep(b"erased before it was written", b"its bytes")

        async def dropped() -> bool:
            return not client.transcribing._new

        await until(dropped)
        assert await client.gallery.transcripts.count_pending(world_file.guild_id)


async def test_a_deleted_picture_is_not_downloaded_for_its_words(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    reader: Finds,
    world_file: WorldFile,
    ada: Person,
) -> None:
    general = world_file.channels["general"]
    async with running(sandbox, db, model) as client:
        await watch(client, general)
        posted = await ada.post(str(general), pictures={"sea.png": png("teal")})
        await idle(client)
    await ada.request("DELETE", f"/channels/{general}/messages/{posted['id']}")
    async with transcribing(sandbox, db, model, reader) as client:
        await all_read(client, world_file)
        assert png("teal") not in reader.asked
        assert reader.asked


async def test_reindexing_everything_reads_the_words_again_and_status_tells_how_far_it_is(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    reader: Finds,
    world_file: WorldFile,
    ada: Person,
) -> None:
    async with transcribing(sandbox, db, model, reader) as client:
        general = world_file.channels["general"]
        await watch(client, general)
        await ada.post(str(general), pictures={"a.png": png("teal"), "b.png": png("gold")})
        await until(lambda: asked(reader, 3, 1))
        await all_read(client, world_file)
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
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    await watch(magpie, world_file.channels["general"])
    assert "Words" not in (await ada.command("status")).text()


def test_the_bytes_of_new_pictures_are_bounded() -> None:
    held = NewBytes(most_bytes=100)
    for number in range(9):
        held.keep(b"%d" % number, bytes(30))
    assert len(held) == 3
    assert held.take(b"5") is None
    held.keep(b"8", bytes(40))  # the same picture again
    assert len(held) == 3
    assert held.take(b"8") == bytes(40)
    held.keep(b"huge", bytes(101))
    assert held.take(b"huge") is None
    held.drop_older(0.0)
    assert len(held) == 0
