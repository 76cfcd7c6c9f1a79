"""`python -m tests.index.store.sqlite.make_released`: a small gallery, as this Magpie writes it.

Each shape that the file ever had is kept in `released/`, made by the Magpie of that time, and the
newest Magpie must open it (`test_released.py`). Run this for each new step of the migrations, and
once more if that step changes before its release. Those that were released are never made again.
"""

from __future__ import annotations

import asyncio
import contextlib
import lzma
import math
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from index import Asked, Cursor, Filter, Gallery, Group, Link, Note, Notice, Query, Watch, Welcome
from index.store.sqlite import migrations
from index.types.derivations import REEMBEDDING
from index.types.records import Derived
from tests.index.colours import ColourEmbedder, encoded, png

RELEASED = Path(__file__).parent / "released"
BEGAN, DAY = 1_700_000_000.0, 86_400.0
GENERAL, PETS, THREAD, WATCHED = Group(10), Group(12), Group(11, parent=10, private=True), Group(13)
ELSEWHERE = Group(20)  # in space 2
AGAIN = np.array([[0.0, 0.6, 0.8]], np.float32)  # by the model that is to take over
# What is asked, in which space and groups, and the answer: source, slot, frame and score.
RED = [("1001", 0, 1.0), ("1006", 0, 0.8004), ("1005", 1, 0.7071), ("1002", 0, 0.0)]
BLUE = [
    *(("1003", 0, 1.0), ("1005", 0, 0.5774), ("1006", 0, 0.2773)),
    *(("1001", 0, 0.0), ("1002", 0, 0.0)),
]
WHITE = [("1005", 0, 1.0), ("1006", 0, 0.9291), ("1001", 0, 0.5774), ("1002", 0, 0.5774)]
ANSWERS = (
    (Query(text="red"), Filter(1, frozenset({10})), RED),
    (Query(text="blue"), Filter(1, frozenset({10, 12})), BLUE),
    (Query(image=png("white")), Filter(1, frozenset({10})), WHITE),
    (Query(text="yellow"), Filter(2, frozenset({20})), [("1007", 0, 1.0)]),
    (Query(text="red"), Filter(1, frozenset({11})), [("1004", 0, 1.0)]),
)


def link(number: int, group: Group = GENERAL, space: int = 1, **more: Any) -> Link:
    given = {"slot": "a:1", "owner": 5, "name": f"{number}.png", **more}
    return Link(space, group, str(1000 + number), posted_at=BEGAN + number * DAY, **given)


LINKS = (
    link(1),
    link(2, owner=6),
    link(3, PETS, details={"kind": "attachment", "note": "é"}),
    link(4, THREAD, owner=6, slot="a:2", name="again.png", spoiler=True),
    link(5, name="both.gif"),
    link(6, name="noise.jpg"),
    link(7, ELSEWHERE, space=2, owner=7),
)
TEXT = link(8, slot="t")
CURSORS = (Cursor(1, 10, 2000, 900, True), Cursor(1, 12, 1500, 1200, False))
NOTE = Note(1, 10, "1006", "1001", "900")
WELCOME = Welcome(1, 10, "990", True)
WORDS = ("Keep out", "of the garden")


def files() -> list[bytes]:
    """The bytes of the pictures, one for each of LINKS."""
    return [png("red"), png("green"), png("blue"), png("red"), _both(), _noise(), png("yellow")]


def _both() -> bytes:
    """A white and a yellow frame."""
    first, second = (Image.new("RGB", (24, 24), colour) for colour in ("white", "yellow"))
    return encoded(first, "GIF", save_all=True, append_images=[second], duration=500)


def _noise() -> bytes:
    """A picture whose fingerprint has keypoints."""
    pixels = np.random.default_rng(7).integers(0, 256, (12, 16, 3), np.uint8) // 2
    small = Image.fromarray(pixels + np.array([120, 60, 0], np.uint8))
    return encoded(small.resize((160, 120), Image.Resampling.BICUBIC), "JPEG", quality=80)


async def fill(gallery: Gallery) -> None:
    """Put in something of each kind that a gallery keeps."""
    book = gallery.bookkeeping
    for data, one in zip(files(), LINKS, strict=True):
        await gallery.add(data, one)
    await gallery.commit([(await gallery.embed_text("a green text"), TEXT)], cursors=CURSORS)
    for space, group in ((1, 10), (1, 12), (2, 20)):
        await book.watch(space, group)
    await book.new_job(1, "reindex", {"what": "missing"})
    blue, red = [await gallery.embed_query(Query(text=word)) for word in ("blue", "red")]
    await book.save_search(1, 5, Asked("blue", public=True), blue)
    await book.set_retention(2, 3650)
    await book.depart(2, BEGAN)
    await gallery.leave_out(1, 9, math.inf)
    await gallery.leave_out(1, 8, BEGAN)
    await book.close_group(1, 12, BEGAN)
    ids = await ids_of_links(gallery)
    await book.not_a_copy(1, ids["1001"], ids["1006"])
    await book.set_noted(1, 10, 4)
    await book.let_pass(1, 10, ids["1002"])
    await book.keep_note(NOTE)
    await book.keep_welcome(WELCOME)
    green = (await gallery.embed_picture(png("green"))).key
    await gallery.transcripts.begin("reader-1")
    await gallery.transcripts.put(green, "reader-1", WORDS)
    asked = Watch(0, 1, 5, Asked("red"), None, {"digest": "day"}, red, "1", BEGAN)
    watch = await gallery.watches.add(asked)
    new = await gallery.embed_picture(png((250, 10, 10)))
    await gallery.commit([(new, link(9, WATCHED))], new=True)
    (unjudged,) = await gallery.watches.unjudged(limit=9)
    notice = Notice(0, watch, unjudged.link, due=4e9)
    await gallery.watches.judged(unjudged, [notice], await_words=False)
    await gallery.derivations.begin(REEMBEDDING, "2", {"name": "other colours", "dimension": 3})
    await gallery.derivations.put(REEMBEDDING, green, Derived("2", AGAIN.tobytes()))


async def ids_of_links(gallery: Gallery) -> dict[str, int]:
    """The ids of the links of space 1, by source."""
    slots = {one.source: await gallery.links.ids_of_source(1, one.source) for one in LINKS}
    return {source: id for source, ids in slots.items() for id in ids.values()}


async def answers_of(gallery: Gallery) -> list[list[tuple[str, int, float]]]:
    """What it answers to each of ANSWERS now."""
    found = []
    for query, filter, _ in ANSWERS:
        hits = (await gallery.find(query, filter, k=9)).hits
        found.append([(hit.link.source, hit.frame, round(hit.score, 4)) for hit in hits])
    return found


async def _make(path: Path) -> None:
    gallery = await Gallery.open(path, ColourEmbedder())
    await fill(gallery)
    assert await answers_of(gallery) == [right for *_, right in ANSWERS]
    await gallery.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "magpie.db"
        asyncio.run(_make(path))
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("VACUUM")
        packed = lzma.compress(path.read_bytes(), preset=9 | lzma.PRESET_EXTREME)
    RELEASED.mkdir(exist_ok=True)
    kept = RELEASED / f"{migrations.LATEST:02}.db.xz"
    kept.write_bytes(packed)
    print(f"{kept}: {len(packed)} bytes")


if __name__ == "__main__":
    main()
