"""Small pictures: made by processes that are confined, the last asked for first, and kept within a
bound for as long as their pictures are in the gallery."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from index.cli import thumbnails as kept
from index.cli.thumbnails import Thumbnails
from index.embed import checkpoint
from index.gallery import Gallery
from index.images import decode
from serve import files
from serve.guard import Refused
from serve.thumbnails import MOST_MAKERS, Turns
from tests.index.colours import encoded, png
from tests.serve.conftest import MAY, Client, added, serving, write

GONE = "The file is not there now."


async def sizes(client: Client, id: int, height: int) -> tuple[int, int]:
    answer = await client.get(f"thumb/{id}?h={height}")
    assert answer.status == 200, await answer.text()
    assert answer.content_type == "image/webp"
    return Image.open(io.BytesIO(answer._body or b"")).size


async def test_a_thumbnail_keeps_the_shape_and_is_never_larger(file: Path, tmp_path: Path) -> None:
    root = tmp_path / "shapes"
    write(root / "wide.png", encoded(Image.new("RGB", (1600, 800), "red")))
    write(root / "high.png", encoded(Image.new("RGB", (300, 900), "green")), MAY + 1)
    write(root / "small.png", encoded(Image.new("RGB", (30, 20), "blue")), MAY + 2)
    write(root / "strip.png", encoded(Image.new("RGB", (4000, 100), "white")), MAY + 3)
    await added(file, root)
    async with serving(file, root) as client:
        ids = (await client.json(f"api/order/{(await client.ask(sort='oldest'))['ask']}"))["ids"]
        assert [await sizes(client, id, 200) for id in ids] == [
            (400, 200), (67, 200), (30, 20), (800, 20),
        ]  # fmt: skip
        assert await sizes(client, ids[0], 400) == (800, 400)
        assert (await client.get(f"thumb/{ids[0]}?h=201")).status == 400


async def test_no_picture_is_decoded_in_the_server(
    client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("decoded here")

    monkeypatch.setattr(decode, "decode", refuse)
    write(folder / "b" / "green.png", encoded(Image.new("RGB", (50, 50), "green"), "TIFF"))
    (green, *_) = await client.found(line="green", guesses=True, folder="b")
    assert (await client.get(f"thumb/{green['id']}?h=200")).status == 200
    shown = await client.get(f"file/{green['id']}")  # no browser shows a TIFF
    assert (shown.status, shown.content_type) == (200, "image/webp")


async def test_the_picture_itself_is_what_its_file_has(client: Client, folder: Path) -> None:
    (clip,) = await client.listed(line="has:gif")
    for path, kind in (("a/red.png", "image/png"), (clip, "image/gif")):
        order = await client.json(f"api/order/{(await client.ask(sort='oldest'))['ask']}")
        told = [await client.json(f"api/picture/{id}") for id in order["ids"]]
        (id,) = [one["id"] for one in told if one["path"] == path]
        answer = await client.get(f"file/{id}")
        assert (answer.status, answer.content_type) == (200, kind)
        assert answer._body == (folder / path).read_bytes()


async def test_a_broken_picture_says_why(client: Client, folder: Path) -> None:
    (green, *_) = await client.found(line="green", guesses=True, folder="b")
    path = folder / "b" / "green.png"
    path.write_bytes(png("green")[:40])
    answer = await client.get(f"thumb/{green['id']}?h=200")
    assert answer.status == 404
    assert "damaged" in (await answer.json())["sentence"]
    path.unlink()
    answer = await client.get(f"thumb/{green['id']}?h=400")
    assert (answer.status, (await answer.json())["sentence"]) == (404, GONE)


async def test_a_kept_thumbnail_needs_no_file(file: Path, folder: Path) -> None:
    await added(file, folder)
    async with serving(file, folder) as client:
        (blue,) = await client.found(line="blue", guesses=True, folder="b/deep")
        first = await client.get(f"thumb/{blue['id']}?h=200")
        assert "immutable" in first.headers["Cache-Control"]
        assert "private" in first.headers["Cache-Control"]
    (folder / "b" / "deep" / "blue.png").unlink()
    async with serving(file, folder) as client:
        again = await client.get(f"thumb/{blue['id']}?h=200")
        assert (again.status, again._body) == (200, first._body)


async def test_removing_a_picture_erases_its_thumbnail(
    file: Path, folder: Path, tmp_path: Path
) -> None:
    await added(file, folder)
    async with serving(file, folder) as client:
        for id in (await client.json(f"api/order/{(await client.ask())['ask']}"))["ids"]:
            assert (await client.get(f"thumb/{id}?h=200")).status == 200
    before = rows(file)
    data = [bytes(data) for (data,) in sql(file, "SELECT data FROM pictures")]
    assert len(before) == 4
    command = [sys.executable, "-m", "index", "remove", str(folder / "b"), "--db", str(file)]
    removing = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
    assert await removing.wait() == 0
    assert len(rows(file)) == 2
    left = kept.place(file).read_bytes()
    gone = set(data) - {bytes(data) for (data,) in sql(file, "SELECT data FROM pictures")}
    assert len(gone) == 2
    assert not any(one[30:] in left for one in gone)  # overwritten, too


async def test_a_server_erases_what_another_process_removed(file: Path, folder: Path) -> None:
    await added(file, folder)
    async with serving(file, folder) as client:
        (green, *_) = await client.found(line="green", guesses=True, folder="b")
        assert (await client.get(f"thumb/{green['id']}?h=200")).status == 200
        (folder / "b" / "green.png").unlink()
        await added(file, folder)
        for _ in range(200):
            if not rows(file):
                break
            await asyncio.sleep(0.05)
        assert rows(file) == []
        assert (await client.get(f"thumb/{green['id']}?h=200")).status == 404


def sql(file: Path, query: str) -> list[tuple[bytes, ...]]:
    with closing(sqlite3.connect(kept.place(file))) as db:
        return db.execute(query).fetchall()


def rows(file: Path) -> list[tuple[bytes, ...]]:
    return sql(file, "SELECT key FROM thumbnails")


# ---- kept ones


def test_the_least_recently_used_make_room(tmp_path: Path) -> None:
    file = tmp_path / "g.db"
    with closing(Thumbnails(file, most_bytes=100)) as cache:
        for number in range(10):
            cache.put(bytes([number]), 200, bytes([number]) * 10)
        assert cache.get(b"\0", 200) == bytes(10)  # used again
        cache.put(b"new", 200, b"x" * 10)
        there = [number for number in range(10) if cache.get(bytes([number]), 200)]
        assert there == [0, 3, 4, 5, 6, 7, 8, 9]
        assert cache.get(b"new", 200) == b"x" * 10
        assert cache.get(b"new", 400) is None
    assert kept.place(file).stat().st_mode & 0o077 == 0
    with closing(Thumbnails(file, most_bytes=100)) as cache:  # uses outlive a restart
        for number in (0, 3):
            cache.get(bytes([number]), 200)
        cache.put(b"one", 200, b"y" * 10)
        cache.put(b"two", 200, b"y" * 10)
        assert [bool(cache.get(bytes([n]), 200)) for n in (0, 3, 4)] == [True, True, False]


@pytest.mark.parametrize("damage", [b"no database" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / "g.db"
    kept.place(file).write_bytes(damage)
    with closing(Thumbnails(file)) as cache:
        cache.put(b"a", 200, b"data")
        assert cache.get(b"a", 200) == b"data"


def test_without_a_place_to_write_nothing_is_kept(tmp_path: Path) -> None:
    with closing(Thumbnails(tmp_path / "nowhere" / "g.db")) as cache:
        cache.put(b"a", 200, b"data")
        assert cache.get(b"a", 200) is None


# ---- turns


async def test_who_asks_last_is_served_first_and_who_gave_up_is_not() -> None:
    turns, served = Turns(1), list[str]()

    async def ask(name: str) -> None:
        await turns.take()
        served.append(name)

    await turns.take()
    tasks = {}
    for name in ("first", "second", "third", "fourth"):
        tasks[name] = asyncio.create_task(ask(name))
        await asyncio.sleep(0)
    tasks["third"].cancel()
    for _ in range(3):
        turns.give()
        await asyncio.sleep(0)
    assert served == ["fourth", "second", "first"]
    turns.give()
    await turns.take()  # the turn of who gave up is not lost


async def test_a_turn_that_came_with_the_cancellation_is_given_on() -> None:
    turns = Turns(1)
    await turns.take()
    task = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    turns.give()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(turns.take(), 5)


async def test_who_is_cancelled_while_a_turn_is_given_takes_none_with_it() -> None:
    turns = Turns(1)
    await turns.take()
    task = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    task.cancel()
    turns.give()  # before the task has heard of it
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(turns.take(), 5)


async def test_who_is_refused_and_cancelled_at_once_gives_no_turn_back() -> None:
    turns, served = Turns(1, most_waiting=1), list[str]()
    await turns.take()

    async def ask(name: str) -> None:
        await turns.take()
        served.append(name)

    first = asyncio.create_task(ask("first"))
    await asyncio.sleep(0)
    second = asyncio.create_task(ask("second"))
    second.add_done_callback(lambda _: None)
    await asyncio.sleep(0)  # the first one is refused now, and has not heard of it
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.sleep(0)
    assert served == []
    turns.give()
    await second


async def test_a_flood_is_refused_beyond_the_queue_and_all_turns_come_back() -> None:
    turns, refused, served = Turns(2, most_waiting=1000), list[int](), list[int]()

    async def ask(number: int) -> None:
        try:
            await turns.take()
        except Refused:
            return refused.append(number)
        try:
            await asyncio.sleep(0)
            served.append(number)
        finally:
            turns.give()

    tasks = [asyncio.create_task(ask(number)) for number in range(10_000)]
    await asyncio.sleep(0)
    for task in tasks[::3]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert 9999 - 1 in served
    assert len(refused) > 5000
    await asyncio.wait_for(asyncio.gather(turns.take(), turns.take()), 5)


async def test_the_queue_is_bounded() -> None:
    turns = Turns(1, most_waiting=2)
    await turns.take()
    tasks = []
    for _ in range(3):
        tasks.append(asyncio.create_task(turns.take()))
        await asyncio.sleep(0)
    with pytest.raises(Refused):
        await tasks[0]
    turns.give()
    await tasks[2]
    turns.give()
    await tasks[1]


async def test_a_dropped_request_leaves_the_queue(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser that scrolled on closes the connection: nobody decodes for it."""
    made = []
    busy = asyncio.Event()
    read = files.picture

    async def picture(source: str, root: str, gallery: Gallery) -> bytes:
        made.append(source)
        await busy.wait()
        return await read(source, root, gallery)

    monkeypatch.setattr(files, "picture", picture)
    ids = (await client.json(f"api/order/{(await client.ask())['ask']}"))["ids"]
    addresses = [f"thumb/{id}?h={height}" for id in ids for height in (200, 400)]
    at_once = min(MOST_MAKERS, checkpoint.cpu_count())

    def begin() -> asyncio.Task[aiohttp.ClientResponse]:
        return asyncio.create_task(client.get(addresses.pop()))

    wanted = [begin() for _ in range(at_once)]
    await asyncio.sleep(0.3)
    assert len(made) == at_once
    dropped = begin()
    await asyncio.sleep(0.3)
    dropped.cancel()
    await asyncio.sleep(0.3)
    wanted.append(begin())
    await asyncio.sleep(0.3)
    busy.set()
    assert {answer.status for answer in await asyncio.gather(*wanted)} == {200}
    assert len(made) == at_once + 1
