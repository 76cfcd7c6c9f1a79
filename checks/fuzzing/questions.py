"""Questions and links of any content, given to a gallery with the pocket model."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from checks.fuzzing import files, texts
from checks.fuzzing.target import Unsound
from index import Filter, Gallery, GalleryError, Group, Link, Position, Query, QueryEmbedding
from pocket import MODEL

SPACE, GROUP = 1, 10
IN_GROUP = Filter(SPACE, frozenset({GROUP}))
COLOURS = ("red", "lime", "blue", "white", "black", "orange", "teal", "pink")
LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Asked:
    query: Query
    link: Link
    search: str
    number: int
    after: Position | None


class Questions:
    """No question or link changes other rows, and each link is read back as it was stored."""

    limit_s = LIMIT_S
    memory_bytes = None

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._whole = files.sound()["PNG"]
        self._gallery = self._runner.run(_begun(folder / "gallery.db"))

    def make(self, rng: random.Random) -> Asked:
        damaged = files.damaged(rng.choice(self._whole), rng)
        query = Query(
            text=rng.choice((None, texts.text(rng, rng.choice((100, 6000))))),
            image=damaged if rng.random() < 0.2 else None,
            like=rng.choice((None, None, 1, abs(rng.choice(texts.NUMBERS)))),
        )
        link = Link(
            space=SPACE,
            group=Group(GROUP),
            source="s" + _name(rng),
            slot=_name(rng),
            owner=rng.randrange(2**63),
            name=texts.whole_text(rng),
            details={texts.text(rng, 20): texts.text(rng)},
        )
        number = abs(rng.choice(texts.NUMBERS))
        after = rng.choice((None, _somewhere(rng, number)))
        return Asked(query, link, texts.whole_text(rng, 100), number, after)

    def run(self, subject: Asked) -> str:
        return self._runner.run(self._run(subject))

    async def _run(self, asked: Asked) -> str:
        gallery = self._gallery
        before = (await gallery.links.count()).links
        if await gallery.bookkeeping.search_by_id(asked.search) is not None:
            raise Unsound("a search that was never saved")
        await gallery.links.link(SPACE, asked.number)
        await self._keep(asked)
        if (await gallery.links.count()).links != before:
            raise Unsound(f"{before} links have become another number")
        try:
            answer = await gallery.find(asked.query, IN_GROUP, k=6, after=asked.after, guesses=True)
        except GalleryError as refusal:
            return type(refusal).__name__
        if asked.after is None and len(answer.hits) != 6:
            raise Unsound(f"{len(answer.hits)} of 6 hits")
        return "answered"

    async def _keep(self, asked: Asked) -> None:
        """Store the link, read it, and remove it."""
        gallery, link = self._gallery, asked.link
        picture = await gallery.embed_text("a text")
        await gallery.commit([(picture, link)])
        if link.slot not in await gallery.links.slots(SPACE, link.source):
            raise Unsound("a link that is kept under another name")
        embedding: QueryEmbedding = await gallery.embed_query(Query(text="a text"))
        texts_alone = replace(IN_GROUP, kind="text")
        answer = await gallery.search(embedding, texts_alone, k=1, guesses=True)
        kept = answer.hits[0].link
        if (kept.source, kept.slot, kept.name) != (link.source, link.slot, link.name):
            raise Unsound(f"{link} reads {kept}")
        if await gallery.remove_sources(SPACE, [link.source]) != 1:
            raise Unsound("another number of links went")

    def kept(self, subject: Asked) -> bytes:
        return repr(subject).encode(errors="backslashreplace")

    def close(self) -> None:
        self._runner.run(self._gallery.close())
        self._runner.close()


def _somewhere(rng: random.Random, number: int) -> Position:
    """Any position in an answer, also one at which no page ever ended."""
    score = rng.choice((0.0, 1.0, -1.0, rng.uniform(-2, 2), math.inf, math.nan))
    rank = rng.choice((0, 1, 6, number))
    return Position(rank, score, rng.choice((0, number)), rng.uniform(-1, 2e9))


def _name(rng: random.Random) -> str:
    """Any text without a zero byte, which neither a message's id nor a path can contain."""
    return texts.whole_text(rng, 50).replace("\0", "")


async def _begun(path: Path) -> Gallery:
    gallery = await Gallery.open(path, str(MODEL), device="cpu")
    for number, colour in enumerate(COLOURS):
        picture: Any = files.encoded(Image.new("RGB", (64, 64), colour), "PNG")
        await gallery.add(picture, Link(SPACE, Group(GROUP), str(number), "a"))
    return gallery
