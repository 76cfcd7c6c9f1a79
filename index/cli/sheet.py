"""Pictures to look at: a contact sheet of hits, and a picture beside what the model sees."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from console.exits import WrongUse
from console.output import harmless
from console.reasons import reason_of
from index.cli.contents import contents
from index.cli.paths import check_place
from index.drawing.parts import ACCENT, BACKGROUND, CARD, FAINT, INK, paste_round
from index.drawing.text import Colour, draw_text, width_of
from index.images import decoders
from index.images.resize import KEPT_SCALE
from index.types.errors import PictureError

COLUMNS = 5
MOST_CARDS = 350  # more would make a sheet higher than the 16,383 pixels that WebP allows
CELL = (232, 174)  # pixels of a thumbnail
CAPTION = 40
GAP = 16
MARGIN = 28
HEADER = 84
SHADE = 0.35  # brightness of the part that the model's crop leaves out


@dataclass(frozen=True, slots=True)
class Card:
    """One picture of a sheet."""

    path: Path
    score: float
    caption: str
    frame: int = 0


def contact_sheet(title: str, subtitle: str, cards: Sequence[Card]) -> Image.Image:
    """A sheet of all cards in rows of COLUMNS, best first, below the question."""
    columns = min(COLUMNS, max(1, len(cards)))
    rows = max(1, -(-len(cards) // columns))
    width = 2 * MARGIN + max(columns, 3) * (CELL[0] + GAP) - GAP
    height = MARGIN + HEADER + rows * (CELL[1] + CAPTION + GAP) - GAP + MARGIN
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    _text(draw, (MARGIN, MARGIN), title, 30, INK, width - 2 * MARGIN)
    _text(draw, (MARGIN, MARGIN + 42), subtitle, 17, FAINT, width - 2 * MARGIN)
    for i, card in enumerate(cards):
        x = MARGIN + i % columns * (CELL[0] + GAP)
        y = MARGIN + HEADER + i // columns * (CELL[1] + CAPTION + GAP)
        _place(sheet, draw, (x, y), i + 1, card)
    return sheet


def _place(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, at: tuple[int, int], rank: int, card: Card
) -> None:
    x, y = at
    draw.rounded_rectangle((x, y, x + CELL[0], y + CELL[1] + CAPTION), 10, CARD)
    picture = thumbnail(card.path, card.frame)
    if picture is None:
        _text(draw, (x + 16, y + CELL[1] // 2 - 10), "no longer readable", 16, FAINT, CELL[0] - 32)
    else:
        inside = ((CELL[0] - picture.width) // 2, (CELL[1] - picture.height) // 2)
        paste_round(sheet, picture, (x + inside[0], y + inside[1]))
    badge = str(rank)
    wide = 16 + 9 * len(badge)
    draw.rounded_rectangle((x + 8, y + 8, x + 8 + wide, y + 32), 12, ACCENT)
    _text(draw, (x + 8 + (wide - width_of(badge, 15)) / 2, y + 9), badge, 15, INK, wide)
    score = f"{card.score:.3f}"
    right = x + CELL[0] - 12 - width_of(score, 15)
    _text(draw, (right, y + CELL[1] + 10), score, 15, FAINT, CELL[0])
    _text(draw, (x + 12, y + CELL[1] + 11), card.caption, 15, INK, CELL[0] - 76)


def thumbnail(path: Path, frame: int) -> Image.Image | None:
    """The picture, or the best frame of an animation, at the size of a cell less its border.

    returns   None when the file can't be read any more
    """
    try:
        data = asyncio.run(contents(path))  # in a thread, which has no loop of its own
        frames = decoders.decode(data, max(CELL) // KEPT_SCALE + 1).frames
    except (PictureError, OSError):
        return None
    return ImageOps.contain(
        frames[min(frame, len(frames) - 1)],
        (CELL[0] - 12, CELL[1] - 12),
        Image.Resampling.LANCZOS,
    )


# ---- what the model sees

VIEW = 320  # pixels of each of the two pictures side by side


def view_sheet(
    title: str, pairs: Sequence[tuple[Image.Image, Image.Image]], kept: str
) -> Image.Image:
    """A sheet of each frame beside what the model sees of it; the part left out is darkened.

    pairs  each frame, and what the model sees of it
    kept   "crop": the middle square; "all": nothing is left out
    """
    width = 2 * MARGIN + 2 * VIEW + 2 * GAP
    row = VIEW + GAP
    sheet = Image.new("RGB", (width, MARGIN + HEADER + row * len(pairs) - GAP + MARGIN), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    _text(draw, (MARGIN, MARGIN - 4), title, 24, INK, width - 2 * MARGIN)
    right = MARGIN + VIEW + 2 * GAP
    _text(draw, (MARGIN, MARGIN + 48), "the picture", 16, FAINT, VIEW)
    seen = f"what the model sees: {pairs[0][1].width} by {pairs[0][1].height} pixels"
    _text(draw, (right, MARGIN + 48), seen, 16, FAINT, VIEW)
    for i, (frame, view) in enumerate(pairs):
        y = MARGIN + HEADER + i * row
        shown = _shaded(frame) if kept == "crop" else frame
        _centred(sheet, ImageOps.contain(shown, (VIEW, VIEW)), (MARGIN, y))
        pixels = ImageOps.contain(view, (VIEW, VIEW), Image.Resampling.NEAREST)
        _centred(sheet, pixels, (right, y))
    return sheet


def _centred(sheet: Image.Image, picture: Image.Image, at: tuple[int, int]) -> None:
    x, y = (VIEW - picture.width) // 2, (VIEW - picture.height) // 2
    sheet.paste(picture, (at[0] + x, at[1] + y))


def _shaded(frame: Image.Image) -> Image.Image:
    """The frame, darkened outside its middle square."""
    edge = min(frame.size)
    left, top = (frame.width - edge) // 2, (frame.height - edge) // 2
    box = (left, top, left + edge, top + edge)
    shaded = frame.point(lambda value: value * SHADE)
    shaded.paste(frame.crop(box), box)
    line = max(1, edge // 120)
    ImageDraw.Draw(shaded).rectangle((left, top, box[2] - 1, box[3] - 1), None, ACCENT, line)
    return shaded


def _text(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: Colour,
    room: float,
) -> None:
    """Draw one line of a name as a file system gave it."""
    draw_text(draw, at, harmless(text), size, colour, room)


# ---- files

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
QUALITY = 90  # of JPEG and WebP, 0 to 100


def check_name(name: str) -> None:
    """Refuse a picture's name by which it can't be written, before work is done for it.

    raises   WrongUse when the ending isn't known, or its folder isn't there
    """
    _format(name)
    check_place(name)


def _format(name: str) -> str:
    """What the ending of a name stands for. raises WrongUse"""
    ending = os.path.splitext(name)[1].lower()
    if ending not in FORMATS:
        has = f"the ending {harmless(ending)} is not known" if ending else "it has no ending"
        raise WrongUse(
            f"{harmless(name)} can't be written: {has}. Name a .png, .jpg or .webp file."
        )
    return FORMATS[ending]


def write(picture: Image.Image, name: str) -> None:
    """Write the picture in the format of its ending; nothing is written when that fails.

    raises   WrongUse
    """
    buffer = io.BytesIO()
    picture.save(buffer, _format(name), quality=QUALITY)
    try:
        Path(name).write_bytes(buffer.getvalue())
    except OSError as exc:
        raise WrongUse(f"{harmless(name)} can't be written: {reason_of(exc)}.") from exc
