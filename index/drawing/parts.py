"""What all drawn pictures have in common: colours, small pictures with round corners, bars."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from index.drawing.text import Colour

# The colours of the chat page: dark, so that pictures stand out.
BACKGROUND: Colour = (30, 31, 34)
CARD: Colour = (43, 45, 49)
INK: Colour = (242, 243, 245)
FAINT: Colour = (148, 155, 164)
ACCENT: Colour = (88, 101, 242)
# Of clusters, one after the other; neighbours in this list can be told apart by most people.
OF_CLUSTERS: tuple[Colour, ...] = (
    *((86, 180, 233), (230, 159, 0), (0, 187, 140), (240, 228, 66), (213, 104, 40)),
    *((204, 121, 167), (120, 140, 255), (150, 205, 90), (255, 140, 140), (80, 200, 210)),
    *((190, 150, 255), (200, 180, 140)),
)
CORNER = 8  # pixels
WIDEST_BAR = 60


def opened(still: bytes) -> Image.Image:
    """A small picture that Magpie has made."""
    with Image.open(io.BytesIO(still)) as file:
        return file.convert("RGB")


def paste_round(on: Image.Image, picture: Image.Image, at: tuple[int, int]) -> None:
    """Put a picture with round corners on another one."""
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle(
        (0, 0, picture.width - 1, picture.height - 1), CORNER, 255
    )
    on.paste(picture, at, mask)


def draw_bars(
    draw: ImageDraw.ImageDraw,
    box: tuple[float, float, float, float],
    counts: Sequence[int],
    colour: Colour,
) -> None:
    """A bar for each count, side by side in the box; the greatest is as high as the box."""
    left, top, right, bottom = box
    step = min((right - left) / max(len(counts), 1), WIDEST_BAR)
    gap = 2 if step >= 6 else 0
    for number, count in enumerate(counts):
        high = max((bottom - top) * count / max(*counts, 1), 2 if count else 1)
        x = left + number * step
        shade = colour if count else CARD
        draw.rectangle((x, bottom - high, max(x + step - gap - 1, x), bottom), shade)
