"""A picture of four colours, one a quarter, so that a turn or a wrong colour is seen."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

SIZE = (96, 64)
RED, LIME, BLUE, YELLOW = (230, 20, 30), (20, 220, 40), (30, 40, 220), (240, 230, 20)
COLOURS = {"red": RED, "lime": LIME, "blue": BLUE, "yellow": YELLOW}
COLOURS |= {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}
UPRIGHT = ["red", "lime", "blue", "yellow"]  # left to right, top to bottom


def picture(size: tuple[int, int] = SIZE, colours: Sequence[str] = tuple(UPRIGHT)) -> Image.Image:
    """The four colours, as `quarters` reads them."""
    small = Image.new("RGB", (2, 2))
    small.putdata([COLOURS[name] for name in colours])
    return small.resize(size, Image.Resampling.NEAREST)


def quarters(frame: Image.Image) -> list[str]:
    """The name of the colour in the middle of each quarter."""
    across, down = ((edge // 4, edge * 3 // 4) for edge in frame.size)
    return [_name(frame.getpixel((x, y))) for y in down for x in across]


def _name(pixel: object) -> str:
    assert isinstance(pixel, tuple)
    far = {
        name: max(abs(a - b) for a, b in zip(pixel, colour, strict=True))
        for name, colour in COLOURS.items()
    }
    nearest = min(far, key=lambda name: far[name])
    return nearest if far[nearest] <= 40 else str(pixel)
