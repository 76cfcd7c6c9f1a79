"""A second derivation beside the re-embedding: pending work, and erasure to the last byte."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from PIL import Image

from index import Gallery, Group, Link
from index.types.derivations import NAMES as REGISTERED
from tests.index.colours import NAMES, ColourEmbedder, png


class PixelHash:
    """A hash of a picture's pixels, the same for all files that show the same."""

    required = False

    def __init__(self, name: str = "pixels", revision: str = "1") -> None:
        self.name = name
        self.revision = revision
        self.seen = 0

    async def of_picture(self, data: bytes) -> bytes:
        self.seen += 1
        pixels = Image.open(io.BytesIO(data)).convert("RGB").tobytes()
        return hashlib.sha256(self.name.encode() + pixels).digest()

    async def of_text(self, text: str) -> bytes:
        return hashlib.sha256(text.encode()).digest()


Open = Callable[..., Awaitable[Gallery]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens the gallery with these derivations; all are closed in the end."""
    galleries: list[Gallery] = []

    async def open_it(*derivations: PixelHash, model: str | None = None) -> Gallery:
        galleries.append(
            await Gallery.open(
                tmp_path / "g.db",
                model or ColourEmbedder(),
                gradually=True,
                derivations=derivations,
            )
        )
        return galleries[-1]

    yield open_it
    for gallery in galleries:
        await gallery.close()


async def add_all(gallery: Gallery) -> None:
    for name in NAMES:
        await gallery.add(png(name), Link(1, Group(10), name, "a"))


async def key(gallery: Gallery, name: str) -> bytes:
    return (await gallery.embed_picture(png(name))).key


async def test_new_pictures_have_it_and_old_ones_are_pending_until_a_second_look(
    opened: Open,
) -> None:
    gallery = await opened()
    await add_all(gallery)
    await gallery.commit([(await gallery.embed_text("a text"), Link(1, Group(10), "text", "a"))])
    await gallery.close()
    pixels = PixelHash()
    gallery = await opened(pixels)
    derivations = gallery.derivations
    await gallery.add(png((1, 2, 3)), Link(1, Group(10), "new", "a"))
    assert await derivations.count_pending("pixels") == len(NAMES) + 1
    assert await derivations.pending_slots("pixels", 1, "red") == {"a"}
    await add_all(gallery)
    assert [item.text for item in await derivations.pending("pixels")] == ["a text"]
    made = await derivations.get("pixels", await key(gallery, "red"))
    assert made is not None
    assert (made.revision, made.data) == ("1", await pixels.of_picture(png("red")))


async def test_nothing_is_made_twice_but_by_another_revision(opened: Open) -> None:
    gallery = await opened(PixelHash())
    await add_all(gallery)
    await gallery.close()
    same, other = PixelHash(), PixelHash(revision="2")
    gallery = await opened(same)
    await add_all(gallery)
    assert same.seen == 0
    await gallery.close()
    gallery = await opened(other)
    assert await gallery.derivations.count_pending("pixels") == len(NAMES)
    await add_all(gallery)
    assert other.seen == len(NAMES)
    assert await gallery.derivations.count_pending("pixels") == 0


async def test_three_can_be_pending_at_once(opened: Open, tiny_clip: Path) -> None:
    gallery = await opened(model=str(tiny_clip))
    await add_all(gallery)
    await gallery.close()
    gallery = await opened(PixelHash("first"), PixelHash("second"))
    await gallery.reembedding.begin()
    derivations = gallery.derivations
    for name in ("first", "second", "reembedding"):
        assert await derivations.count_pending(name) == len(NAMES)
    await add_all(gallery)
    for name in ("first", "second", "reembedding"):
        assert await derivations.count_pending(name) == 0
    assert await gallery.reembedding.switch() == {}
    assert gallery.model == "colours"
    for name in ("first", "second"):
        assert await derivations.count_pending(name) == 0


async def test_it_is_erased_with_its_picture_to_the_last_byte(opened: Open, tmp_path: Path) -> None:
    gallery = await opened(PixelHash())
    await add_all(gallery)
    red, blue = [await PixelHash().of_picture(png(name)) for name in ("red", "blue")]
    assert red in all_bytes(tmp_path)
    await gallery.remove_sources(1, ["red"])
    await gallery.vacuum()
    assert red not in all_bytes(tmp_path)
    assert blue in all_bytes(tmp_path)


def all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("g.db*") if file.is_file())


class Failing(PixelHash):
    async def of_picture(self, data: bytes) -> bytes:
        raise RuntimeError("an unforeseen picture")


async def test_derivation_that_fails_keeps_no_picture_out_and_stays_pending(opened: Open) -> None:
    gallery = await opened(Failing("pixels"), PixelHash("others"))
    await add_all(gallery)
    assert (await gallery.links.count()).images == len(NAMES)
    assert await gallery.derivations.count_pending("pixels") == len(NAMES)
    assert await gallery.derivations.count_pending("others") == 0
    await gallery.close()
    gallery = await opened(PixelHash("pixels"))
    await add_all(gallery)  # a second look
    assert await gallery.derivations.count_pending("pixels") == 0


async def test_required_derivation_that_fails_refuses_the_picture(opened: Open) -> None:
    failing = Failing("pixels")
    failing.required = True
    gallery = await opened(failing)
    with pytest.raises(RuntimeError):
        await gallery.add(png("red"), Link(1, Group(10), "red", "a"))


async def test_derivation_may_have_a_name_that_the_registry_has(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.gallery.NAMES", (*REGISTERED, "pixels"))
    gallery = await opened(PixelHash("pixels"))
    await add_all(gallery)
    assert await gallery.derivations.count_pending("pixels") == 0
