"""What people do to a picture before they post it again, by the name of its figure."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

Colour: TypeAlias = tuple[int, int, int]
Edit: TypeAlias = Callable[[Image.Image, np.random.Generator], Image.Image]

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
WORDS = ("when", "you", "see", "it", "nobody", "ever", "told", "me", "would", "happen", "again")
PHONE = (1080, 2340)  # pixels of a phone's screen


def jpeg(image: Image.Image, quality: int = 85) -> Image.Image:
    """The picture after a JPEG of this quality."""
    return _reopened(image, "JPEG", quality)


def resized(scale: float) -> Edit:
    def edit(image: Image.Image, random: np.random.Generator) -> Image.Image:
        size = (max(8, round(edge * scale)) for edge in image.size)
        return jpeg(image.resize((next(size), next(size)), Image.Resampling.LANCZOS))

    return edit


def cropped(share: float) -> Edit:
    """A part of the picture with this share of either edge."""

    def edit(image: Image.Image, random: np.random.Generator) -> Image.Image:
        width, height = (round(edge * share) for edge in image.size)
        left = int(random.integers(0, image.width - width + 1))
        top = int(random.integers(0, image.height - height + 1))
        return jpeg(image.crop((left, top, left + width, top + height)))

    return edit


def bordered(share: float, colour: Colour | None = None) -> Edit:
    """With a border of this share of the short edge; without a colour, of any."""

    def edit(image: Image.Image, random: np.random.Generator) -> Image.Image:
        red, green, blue = colour or random.integers(0, 256, 3).tolist()
        return jpeg(ImageOps.expand(image, round(share * min(image.size)), (red, green, blue)))

    return edit


def captioned(*, above: bool, paper: Colour, ink: Colour) -> Edit:
    """With two lines of text in a band above or below."""

    def edit(image: Image.Image, random: np.random.Generator) -> Image.Image:
        band = round(image.height * random.uniform(0.12, 0.3))
        out = Image.new("RGB", (image.width, image.height + band), paper)
        out.paste(image, (0, band if above else 0))
        draw, font = ImageDraw.Draw(out), ImageFont.load_default(size=max(10, band * 0.33))
        top = 0 if above else image.height
        for line in (0.12, 0.54):
            text = " ".join(random.choice(WORDS, 6))
            draw.text((band * 0.2, top + line * band), text, ink, font)
        return jpeg(out)

    return edit


def turned(degrees: int) -> Edit:
    return lambda image, random: jpeg(image.rotate(degrees, expand=True))


def mirrored(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return jpeg(ImageOps.mirror(image))


def grey(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return jpeg(image.convert("L").convert("RGB"))


def screenshot(*, dark: bool) -> Edit:
    """A phone's screen with the picture in an app, between its bars, buttons and comments."""
    paper, ink = ((24, 25, 28), (230, 230, 230)) if dark else (WHITE, (20, 20, 20))

    def edit(image: Image.Image, random: np.random.Generator) -> Image.Image:
        width, height = PHONE[0], int(random.choice([1920, PHONE[1]]))
        out = Image.new("RGB", (width, height), paper)
        draw = ImageDraw.Draw(out)
        small, large = (ImageFont.load_default(size=size) for size in (36, 44))
        draw.text((40, 20), f"12:4{random.integers(10)}", ink, small)
        for n in range(4):
            draw.rectangle(
                (width - 60 * (n + 1), 24, width - 60 * n - 22, 56), outline=ink, width=4
            )
        face = tuple(random.integers(0, 256, 3).tolist())
        draw.ellipse((40, 110, 140, 210), face)
        draw.text((170, 120), "somebody's name", ink, large)
        draw.text((170, 170), f"yesterday at 8:1{random.integers(10)}", (128, 128, 128), small)
        bottom = _paste(out, image, random)
        for n in range(5):
            box = (40 + n * 140, bottom + 30, 130 + n * 140, bottom + 100)
            draw.rounded_rectangle(box, 20, outline=ink, width=4)
        for n in range(3):
            if bottom + 140 + n * 60 < height - 150:
                text = f"a comment about this picture {random.integers(99)} and more"
                draw.text((40, bottom + 130 + n * 60), text, ink, small)
        draw.rectangle((0, height - 130, width, height), tuple(max(0, v - 20) for v in paper))
        for n in range(5):
            box = (80 + n * 210, height - 100, 140 + n * 210, height - 40)
            draw.ellipse(box, outline=ink, width=5)
        return out

    return edit


def _paste(screen: Image.Image, image: Image.Image, random: np.random.Generator) -> int:
    """Put the picture somewhere in the middle of a screen; where it ends."""
    left = int(random.choice([0, 40, 150]))
    width = screen.width - left - int(random.choice([0, left]))
    height = image.height * width // image.width
    if height > screen.height - 700:
        height = screen.height - 700
        width = image.width * height // image.height
    top = int(random.integers(240, screen.height - height - 380))
    screen.paste(image.resize((width, height), Image.Resampling.LANCZOS), (left, top))
    return top + height


def _reopened(image: Image.Image, format: str, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, format, quality=quality)
    with Image.open(io.BytesIO(out.getvalue())) as opened:
        return opened.convert("RGB")


EDITS: Mapping[str, tuple[Edit, ...]] = {
    "resize": (
        *(resized(scale) for scale in (0.25, 0.5, 1.7)),
        lambda image, random: jpeg(image, 25),
        lambda image, random: _reopened(image, "WEBP", 40),
    ),
    "crop": (cropped(0.9), cropped(0.8)),
    "border": (bordered(0.05, WHITE), bordered(0.15, BLACK), bordered(0.25)),
    "caption": (
        captioned(above=True, paper=WHITE, ink=BLACK),
        captioned(above=False, paper=BLACK, ink=WHITE),
    ),
    "grey": (grey,),
    "turn": (turned(90), turned(180), turned(270)),
    "mirror": (mirrored,),
    "screenshot": (screenshot(dark=False), screenshot(dark=True)),
}


def edited(image: Image.Image, seed: int) -> Iterator[tuple[str, Image.Image]]:
    """The picture after each edit, with the name of its figure."""
    random = np.random.default_rng(seed)
    for name, edits in EDITS.items():
        for edit in edits:
            yield name, edit(image, random)
