"""A folder of pictures, its gallery, and a server of both, on a real port."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from index.cli.folder import Adding
from index.cli.thumbnails import Thumbnails
from index.cli.walk import walk
from index.gallery import Gallery
from serve.opened import Opened, Place
from serve.server import serve
from tests.index.colours import ColourEmbedder, encoded, png

# Seconds since 1970: the middle of May 2024 and of June 2024, anywhere on Earth.
MAY, JUNE = 1_715_774_400, 1_718_452_800


def write(path: Path, data: bytes, when: int = MAY) -> Path:
    """A file that was changed at this time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (when, when))
    return path


def moving() -> bytes:
    """A GIF whose frames are yellow, blue and green."""
    first, *others = [Image.new("RGB", (40, 20), name) for name in ("yellow", "blue", "green")]
    return encoded(first, "GIF", save_all=True, append_images=others, duration=500)


@pytest.fixture(autouse=True)
def no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words in pictures are read where a test asks for it."""
    monkeypatch.setenv("MAGPIE_OCR", "off")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of one colour in two albums: one of them twice, and one that moves."""
    root = tmp_path / "photos"
    write(root / "a" / "red.png", png("red", (60, 30)))
    write(root / "a" / "again.png", png("red", (60, 30)), JUNE)
    write(root / "b" / "green.png", png("green"), MAY + 60)
    write(root / "b" / "deep" / "blue.png", png("blue"), MAY + 120)
    write(root / "moving.gif", moving(), JUNE + 60)
    return root


async def added(file: Path, root: Path) -> None:
    """Bring the gallery to what the folder has, as `magpie add` does."""
    gallery = await Gallery.open(file, ColourEmbedder())
    try:
        listing = walk([str(root)])
        adding = Adding(gallery, listing, threading.Event())
        await adding.plan([str(root)])
        await adding.run(lambda tally: None)
    finally:
        await gallery.close()


@dataclass
class Client:
    """The page's side of a server.

    url    of the page, with its token
    once   an address that leads there, once
    """

    url: str
    once: str
    opened: Opened
    session: aiohttp.ClientSession

    async def get(self, path: str, **options: Any) -> aiohttp.ClientResponse:
        """An answer, read to its end."""
        async with self.session.get(self.url + path, **options) as answer:
            await answer.read()
            return answer

    async def json(self, path: str) -> Any:
        """An answer that must be 200."""
        answer = await self.get(path)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def post(self, path: str, **options: Any) -> aiohttp.ClientResponse:
        async with self.session.post(self.url + path, **options) as answer:
            await answer.read()
            return answer

    async def ask(self, **asked: Any) -> Any:
        """The head of an answer."""
        answer = await self.post("api/ask", json=asked)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def found(self, **asked: Any) -> list[Any]:
        """All hits of a question."""
        head = await self.ask(**asked)
        page = await self.json(f"api/hits/{head['ask']}")
        return list(page["hits"])

    async def listed(self, **asked: Any) -> list[str]:
        """The paths of a listing."""
        head = await self.ask(**asked)
        assert head["listing"], head
        order = await self.json(f"api/order/{head['ask']}")
        return [(await self.json(f"api/picture/{id}"))["path"] for id in order["ids"]]


@contextlib.asynccontextmanager
async def serving(file: Path, root: Path, **limits: int) -> AsyncIterator[Client]:
    """A server of a gallery that is there, and a client."""
    place = Place(file, "cpu")
    async with Opened.open(place, str(root), ColourEmbedder()) as opened:
        kept = Thumbnails(file, **limits)
        async with (
            serve(opened, thumbnails=kept) as running,
            aiohttp.ClientSession() as session,
        ):
            yield Client(running.url, running.once, opened, session)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "g.db"


@pytest.fixture
async def client(file: Path, folder: Path) -> AsyncIterator[Client]:
    """A server of the folder, all of which is in the gallery."""
    await added(file, folder)
    async with serving(file, folder) as client:
        yield client
