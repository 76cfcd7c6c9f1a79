"""Why was this picture not found? What the file is, what the model sees of it, what is near."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from index.cli.sheet import VIEW, view_sheet, write_png
from index.embed import checkpoint, preprocessing
from index.images import decode as images
from index.types.errors import PictureError
from index.types.filter import Filter
from index.types.query import Query, QueryEmbedding
from index.types.records import Hit

if TYPE_CHECKING:
    from PIL.Image import Image

    from index.gallery import Gallery
    from index.images.decode import Decoded, Shape

NEAR = 5  # pictures that are shown as near
SPACE = 0

_TURNED = {3: "upside down", 6: "on its side", 8: "on its side"}


@dataclass(frozen=True, slots=True)
class View:
    """A picture beside what a model sees of it."""

    decoded: Decoded  # for people
    seen: list[Image]  # of each frame
    shape: Shape


async def look_at(
    name: str,
    data: bytes,
    gallery: Gallery | None,
    model: str,
    out: str | None,
    words: str | None = None,
) -> int:
    """Print all that explains how this picture is found, and draw it; returns an exit code."""
    try:
        view = await asyncio.to_thread(_view, data, model)
    except PictureError as refused:
        print(f"{name}\n  {refused}")
        return 1
    print(name)
    _say("file", _file(view.decoded, len(data)))
    _say("frames", _frames(view.decoded))
    _say("seen", _seen(view))
    if out:
        await asyncio.to_thread(_draw, name, view, Path(out))
        _say("", f"{out} shows it")
    if gallery is None:
        _say("gallery", "there is none yet to compare with")
    else:
        await _compare(gallery, data, words)
    return 0


def _view(data: bytes, model: str) -> View:
    found = checkpoint.find(model)
    shape = preprocessing.shape(found)
    for_model = images.decode(data, preprocessing.side(found), shape)
    processor = preprocessing.processor(found)
    seen = [preprocessing.seen(processor, frame) for frame in for_model.frames]
    return View(images.decode(data, VIEW), seen, shape)


def _draw(name: str, view: View, out: Path) -> None:
    # Not strict: which frames count as the same may depend on how small they are.
    pairs = list(zip(view.decoded.frames, view.seen, strict=False))
    write_png(view_sheet(Path(name).name, pairs, "crop" if view.shape == "crop" else "all"), out)


async def _compare(gallery: Gallery, data: bytes, words: str | None) -> None:
    """Where it is in the gallery, what is near, and how it answers some words."""
    links = await gallery.links.links_of_picture(data)
    places = sorted(link.source for link in links.values())
    if not places:
        _say("gallery", "these bytes are not in it")
    for i, place in enumerate(places[:NEAR]):
        _say("gallery" if i == 0 else "", f"in it as {place}")
    picture = await gallery.embed_picture(data)
    others = Filter(SPACE, without=frozenset(links))
    near = await gallery.find(Query(image=data), others, k=NEAR)
    for i, hit in enumerate(near.hits):
        _say("near" if i == 0 else "", _hit(hit))
    if words:
        asked = await gallery.embed_query(Query(text=words))
        score, rank = await gallery.place(picture, asked, space=SPACE)
        await _explain(gallery, asked, words, score, rank)


async def _explain(
    gallery: Gallery, asked: QueryEmbedding, words: str, score: float, rank: int
) -> None:
    best = await gallery.search(asked, Filter(SPACE), k=NEAR)
    _say("words", f"for “{words}” it scores {score:.3f}: rank {rank:,} of {best.searched:,}")
    if rank == 1:
        _say("", "nothing answers them better")
        return
    for i, hit in enumerate(hit for hit in best.hits if hit.score > score):
        _say("better" if i == 0 else "", _hit(hit))


def _hit(hit: Hit) -> str:
    return f"{hit.score:.3f}  {hit.link.source}"


def _file(decoded: Decoded, size: int) -> str:
    from index.types.errors import format_bytes

    said = f"{decoded.format}, {decoded.width:,} × {decoded.height:,} pixels, {format_bytes(size)}"
    turned = _TURNED.get(decoded.orientation, "mirrored" if decoded.orientation > 1 else "")
    return said + (f"; stored {turned}, seen upright" if turned else "")


def _frames(decoded: Decoded) -> str:
    if decoded.n_frames == 1:
        return "one still picture"
    kept = len(decoded.frames)
    return f"{decoded.n_frames:,}, of which {kept} evenly spread and different ones are searched"


def _seen(view: View) -> str:
    width, height = view.seen[0].size
    said = f"{width} × {height} pixels"
    if view.shape != "crop":
        return f"{said}, the whole picture" + _squeezed(view)
    share = min(view.decoded.width, view.decoded.height) / max(
        view.decoded.width, view.decoded.height
    )
    return f"{said}, the middle {share:.0%} of it" if share < 0.995 else f"{said}, all of it"


def _squeezed(view: View) -> str:
    before = view.decoded.width / view.decoded.height
    after = view.seen[0].width / view.seen[0].height
    return ", squeezed" if abs(before / after - 1) > 0.05 else ""


def _say(what: str, text: str) -> None:
    print(f"  {what:<8} {text}")
