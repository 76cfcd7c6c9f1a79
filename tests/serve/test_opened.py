"""The page follows the gallery: what this process adds, and what another one does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from index.gallery import Gallery
from index.ocr import installed
from serve import opened
from tests.index.colours import ColourEmbedder, png
from tests.index.ocr.posters import poster
from tests.serve.conftest import JUNE, Client, added, serving, write


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "FOLLOW_S", 0.05)


class Happening:
    """The events of a page: connected when it is entered."""

    def __init__(self, client: Client) -> None:
        self._asking = client.session.get(client.url + "api/events")

    async def __aenter__(self) -> Happening:
        self._answer = await self._asking.__aenter__()
        assert self._answer.content_type == "text/event-stream"
        assert await self._answer.content.readline() == b": hello\n"
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._asking.__aexit__(*error)

    async def until(self, wanted: str) -> list[tuple[str, Any]]:
        """What happens, to the first event of this name."""
        happened: list[tuple[str, Any]] = []
        name = ""
        async with asyncio.timeout(60):
            async for line in self._answer.content:
                if line.startswith(b"event: "):
                    name = line[7:].decode().strip()
                elif line.startswith(b"data: "):
                    happened.append((name, json.loads(line[6:])))
                    if name == wanted:
                        return happened
        raise AssertionError(happened)


async def hits(client: Client, line: str) -> list[str]:
    return [hit["path"] for hit in await client.found(line=line, guesses=True)]


async def test_adding_is_told_and_what_it_brings_is_found(client: Client, folder: Path) -> None:
    for number in range(8):
        write(folder / "new" / f"{number}.png", png((200, 200, number)), JUNE + 100 + number)
    write(folder / "new" / "broken.png", b"\x89PNG\r\n\x1a\nnothing", JUNE + 100)
    async with Happening(client) as page:
        assert (await client.post("api/add")).status == 202
        assert (await client.post("api/add")).status == 409
        assert (await client.json("api/gallery"))["adding"] is not None
        happened = await page.until("added")
    assert happened[-1] == ("added", {"added": 8, "changed": 0, "gone": 0, "failed": 1})
    assert ("changed", 13) in [(name, data.get("count")) for name, data in happened]
    told = await client.json("api/gallery")
    assert (told["count"], told["adding"]) == (13, None)
    assert (await client.listed())[0] == "new/7.png"
    assert "new" in [hit["folder"] for hit in await client.found(line="yellow", guesses=True)]
    # The gallery is free again for other commands, and they are followed, too.
    await added(client.opened.place.file, folder)


@pytest.mark.slow
@pytest.mark.skipif(not installed.installed(), reason="the extra ocr isn't installed")
async def test_words_in_pictures_are_read_as_the_command_does(
    client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAGPIE_OCR", "auto")
    write(folder / "new" / "poster.png", poster("Nobody told me"))
    async with Happening(client) as page:
        assert (await client.post("api/add")).status == 202
        await page.until("added")
    order = await client.json(f"api/order/{(await client.ask())['ask']}")
    told = [await client.json(f"api/picture/{id}") for id in order["ids"]]
    assert [one["name"] for one in told if one["says"] == "Nobody told me"] == ["poster.png"]


async def test_a_setting_that_makes_no_sense_is_told_before_anything_is_added(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAGPIE_OCR", "maybe")
    async with Happening(client) as page:
        assert (await client.post("api/add")).status == 202
        (_, told) = (await page.until("added"))[-1]
    assert told == {"sentence": "MAGPIE_OCR=maybe: must be one of auto, on, off."}


async def test_questions_are_answered_while_it_adds(client: Client, folder: Path) -> None:
    for number in range(30):
        write(folder / "new" / f"{number}.png", png((200, 200, number)))
    head = await client.ask(line="green", guesses=True)
    assert (await client.post("api/add")).status == 202
    while client.opened.adding is not None:
        found = await client.found(line="green", guesses=True)
        # A frame of moving.gif is as green; which one is first, their numbers decide.
        assert {hit["name"] for hit in found[:2]} == {"green.png", "moving.gif"}
        assert (await client.json(f"api/hits/{head['ask']}"))["hits"]
    assert (await client.json(f"api/hits/{head['ask']}"))["hits"]


async def test_what_another_process_adds_and_removes_appears(client: Client, folder: Path) -> None:
    write(folder / "new" / "yellow.png", png("yellow", (50, 50)), JUNE + 100)
    async with Happening(client) as page:
        await added(client.opened.place.file, folder)
        assert (await page.until("changed"))[-1][1]["count"] == 6
        assert (await client.listed())[0] == "new/yellow.png"
        assert "new/yellow.png" in await hits(client, "yellow")
        command = [sys.executable, "-m", "index", "remove", str(folder / "new")]
        command += ["--db", str(client.opened.place.file)]
        removing = await asyncio.create_subprocess_exec(*command)
        assert await removing.wait() == 0
        assert (await page.until("changed"))[-1][1]["count"] == 5
    assert "new/yellow.png" not in [
        hit["path"] for hit in await client.found(line="yellow", guesses=True)
    ]


async def test_while_another_process_writes_adding_is_refused_in_words(
    client: Client, file: Path
) -> None:
    gallery = await Gallery.open(file, ColourEmbedder())
    try:
        async with Happening(client) as page:
            assert (await client.post("api/add")).status == 202
            (_, told) = (await page.until("added"))[-1]
        assert "is being written by" in told["sentence"]
        assert client.opened.adding is None
        assert len(await client.listed()) == 4  # it goes on answering
    finally:
        await gallery.close()


async def test_an_end_in_the_middle_of_adding_keeps_what_was_added(
    file: Path, folder: Path
) -> None:
    await added(file, folder)
    for number in range(60):
        write(folder / "new" / f"{number}.png", png((200, 200, number)))
    async with serving(file, folder) as client:
        assert (await client.post("api/add")).status == 202
        adding = client.opened.adding
        assert adding is not None
        while adding.done <= 5:
            assert client.opened.adding is adding, "it has ended, and told of no picture"
            await client.json("api/gallery")
    gallery = await Gallery.open(file, ColourEmbedder(), read_only=True)
    try:
        assert (await gallery.links.count()).links >= 5
    finally:
        await gallery.close()


async def test_a_listing_of_many_never_holds_up_the_loop(client: Client) -> None:
    """What is told of all pictures at once is made in a thread."""
    import threading

    from serve.inventory import Inventory

    threads = set()
    listing = Inventory.listing

    def noted(self: Inventory, order: Any) -> Any:
        threads.add(threading.current_thread())
        return listing(self, order)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Inventory, "listing", noted)
        await client.listed()
    assert threads
    assert threading.main_thread() not in threads


async def test_the_map_is_made_once_and_anew_when_something_changed(
    client: Client, folder: Path
) -> None:
    async def made() -> Any:
        while True:
            answer = await client.get("api/atlas")
            if answer.status == 200:
                return await answer.json()
            assert answer.status == 202
            assert (await answer.json())["sentence"] == "The map is being made."
            await asyncio.sleep(0.05)

    atlas = await made()
    assert atlas["count"] == 5
    assert sum(cluster["count"] for cluster in atlas["clusters"]) == 5
    for point in atlas["points"]:
        assert 0 <= point["x"] <= 1
        assert 0 <= point["y"] <= 1
        assert 0 <= point["cluster"] < len(atlas["clusters"])
    assert await made() == atlas
    write(folder / "new" / "white.png", png("white"))
    await added(client.opened.place.file, folder)
    async with asyncio.timeout(60):
        while (await made())["count"] == 5:
            await client.json("api/gallery")


async def test_suggestions(client: Client) -> None:
    async def suggested(line: str) -> list[Any]:
        return list((await client.json(f"api/suggest?line={line}&at={len(line)}"))["suggestions"])

    assert [one["shown"] for one in await suggested("in:")] == ["a", "b", "b/deep"]
    (deep,) = await suggested("red in:de")
    assert ("red in:de"[: deep["start"]] + deep["text"], deep["meaning"]) == ("red in:b/deep", "1")
    assert [one["text"] for one in await suggested("in:b bef")] == ["before:"]
    assert [one["shown"] for one in await suggested('in:"b/d')] == ["b/deep"]
    assert [one["text"] for one in await suggested("has:")] == ["image", "gif", "video"]
    fields = [one["text"] for one in await suggested("s")]
    assert fields == ["since:", "sort:"]
    every = {one["text"]: one["meaning"] for one in await suggested("")}
    assert "from:" not in every
    assert every["in:"] == "a folder"
    named = await suggested("blu")
    assert [one["shown"] for one in named if "picture" in one] == ["blue.png"]
    assert (await client.json(f"api/picture/{named[-1]['picture']}"))["name"] == "blue.png"


def test_a_folder_with_blanks_is_suggested_in_quotes() -> None:
    from serve.suggested import _quoted

    assert _quoted("My Photos") == '"My Photos"'
    assert _quoted('a "b"') == '"a \\"b\\""'
    assert _quoted("2024/05") == "2024/05"


async def test_a_year_that_no_calendar_has_is_the_last_one(file: Path, folder: Path) -> None:
    await added(file, folder)
    with contextlib.closing(sqlite3.connect(file)) as gallery:
        gallery.execute("UPDATE links SET posted_at = 9e11 WHERE source LIKE '%/red.png'")
        gallery.execute("UPDATE links SET posted_at = -9e11 WHERE source LIKE '%/green.png'")
        gallery.commit()
    async with serving(file, folder) as client:
        months = (await client.json("api/gallery"))["months"]
        assert (months[0]["month"], months[-1]["month"]) == ("9999-01", "1000-01")
        listed = await client.listed()
        assert (listed[0], listed[-1]) == ("a/red.png", "b/green.png")
