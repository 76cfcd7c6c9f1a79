"""Why a picture is not found: what its file is, what the model sees of it, and what is near."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.exits import DONE, REFUSED
from console.output import say
from index.cli import notes
from index.cli.hits import Found, Shown, look_up
from index.cli.paths import short
from index.cli.place import SPACE
from index.cli.sheet import VIEW, view_sheet, write
from index.embed import checkpoint, preprocessing
from index.images import decoders
from index.types.errors import PictureError
from index.types.filter import Filter
from index.types.query import Query
from index.types.records import clock

if TYPE_CHECKING:
    from PIL.Image import Image

    from index.gallery import Gallery
    from index.images.decode import Decoded
    from index.images.resize import Shape

NEAR = 5  # similar pictures that are listed

# How the file stores a picture, by Exif's orientation. The other values are mirrored.
_STORED = {3: "upside down", 6: "on its side", 8: "on its side"}


@dataclass(frozen=True, slots=True)
class View:
    """A picture, and what a model sees of it."""

    decoded: Decoded  # large enough to be looked at
    seen: list[Image]  # what the model sees of each frame
    shape: Shape


async def explain(
    name: str,
    data: bytes,
    gallery: Gallery | None,
    model: str,
    out: str | None,
    words: str | None = None,
) -> int:
    """Print what explains how a picture is found; returns an exit code.

    gallery  compared with; None: there is none yet
    out      a file to draw what the model sees on
    words    a question that the picture should answer
    """
    try:
        view = await asyncio.to_thread(_view, data, model)
    except PictureError as error:
        say(name)
        say(f"  {error}")
        return REFUSED
    say(name)
    _print_line("file", _file(view.decoded, len(data)))
    _print_line("frames", _frames(view.decoded))
    _print_line("seen", _seen(view))
    if out:
        await asyncio.to_thread(_draw, name, view, out)
        _print_line("", f"{out} shows it")
    if gallery is None:
        _print_line("gallery", "there is none yet to compare with")
    else:
        await _compare(gallery, data, words)
    return DONE


def _view(data: bytes, model: str) -> View:
    found = checkpoint.find(model)
    shape = preprocessing.shape(found)
    for_model = decoders.decode(data, preprocessing.side(found), shape)
    processor = preprocessing.processor(found)
    seen = [preprocessing.seen(processor, frame) for frame in for_model.frames]
    return View(decoders.decode(data, VIEW), seen, shape)


def _draw(name: str, view: View, out: str) -> None:
    # Not strict: at another size, other frames may count as the same.
    pairs = list(zip(view.decoded.frames, view.seen, strict=False))
    write(view_sheet(Path(name).name, pairs, "crop" if view.shape == "crop" else "all"), out)


async def _compare(gallery: Gallery, data: bytes, words: str | None) -> None:
    """Print where the picture is in the gallery, what is similar, and its rank for some words."""
    links = await gallery.links.links_of_picture(data)
    paths = sorted(link.source for link in links.values())
    if not paths:
        _print_line("gallery", "these bytes are not in it")
    for i, path in enumerate(paths[:NEAR]):
        _print_line("gallery" if i == 0 else "", f"in it as {short(path)}")
    picture = await gallery.embed_picture(data)
    others = Filter(SPACE, without=frozenset(links))
    mounts = (await notes.load(gallery)).mounts
    near = await look_up(
        gallery, await gallery.embed_query(Query(image=data)), others, NEAR, mounts, guesses=True
    )
    for i, one in enumerate(near.shown):
        _print_line("near" if i == 0 else "", _hit(one))
    if words:
        asked = await gallery.embed_query(Query(text=words))
        score, rank = await gallery.place(picture, asked, space=SPACE)
        best = await look_up(gallery, asked, Filter(SPACE), NEAR, mounts, guesses=True)
        _print_rank(words, score, rank, best)


def _print_rank(words: str, score: float, rank: int, best: Found) -> None:
    searched = f"{best.answer.searched:,}"
    _print_line("words", f"for “{words}” it scores {score:.3f}: rank {rank:,} of {searched}")
    if rank == 1:
        _print_line("", "nothing answers them better")
        return
    for i, one in enumerate(one for one in best.shown if one.hit.score > score):
        _print_line("better" if i == 0 else "", _hit(one))


def _hit(one: Shown) -> str:
    return f"{one.hit.score:.3f}  {short(one.link.source)}"


def _file(decoded: Decoded, size: int) -> str:
    from index.types.errors import format_bytes

    pixels = f"{decoded.width:,} × {decoded.height:,} pixels"
    description = f"{decoded.format}, {pixels}, {format_bytes(size)}"
    stored = _STORED.get(decoded.orientation, "mirrored" if decoded.orientation > 1 else "")
    return description + (f"; stored {stored}, seen upright" if stored else "")


def _frames(decoded: Decoded) -> str:
    if decoded.n_frames == 1:
        return "one still picture"
    kept = len(decoded.frames)
    seconds = ", ".join(map(clock, decoded.seconds))
    return f"{decoded.n_frames:,}, of which {kept} that look different are searched: at {seconds}"


def _seen(view: View) -> str:
    width, height = view.seen[0].size
    pixels = f"{width} × {height} pixels"
    if view.shape != "crop":
        return f"{pixels}, the whole picture" + _squeezed(view)
    share = min(view.decoded.width, view.decoded.height) / max(
        view.decoded.width, view.decoded.height
    )
    return f"{pixels}, the middle {share:.0%} of it" if share < 0.995 else f"{pixels}, all of it"


def _squeezed(view: View) -> str:
    before = view.decoded.width / view.decoded.height
    after = view.seen[0].width / view.seen[0].height
    return ", squeezed" if abs(before / after - 1) > 0.05 else ""


def _print_line(label: str, text: str) -> None:
    say(f"  {label:<8} {text}")
