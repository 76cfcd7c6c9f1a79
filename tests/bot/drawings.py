"""Drawings that differ from each other, and edited copies of them."""

from __future__ import annotations

import random
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter, ImageOps

SIZE = (320, 240)


def drawing(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture of many shapes, all over; another seed draws another one."""
    rng = random.Random(seed)

    def colour() -> tuple[int, int, int]:
        return rng.randrange(256), rng.randrange(256), rng.randrange(256)

    image = Image.new("RGB", size, colour())
    pen = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, r = rng.randrange(size[0]), rng.randrange(size[1]), rng.randrange(8, 45)
        shape = rng.choice((pen.ellipse, pen.rectangle))
        shape((x - r, y - r // 2, x + r, y + r), fill=colour())
    return image.filter(ImageFilter.GaussianBlur(0.7))


def cropped(image: Image.Image, share: float = 0.8) -> Image.Image:
    """The middle of a picture."""
    width, height = image.size
    x, y = int(width * (1 - share) / 2), int(height * (1 - share) / 2)
    return image.crop((x, y, width - x, height - y))


def grey(image: Image.Image) -> Image.Image:
    return image.convert("L").convert("RGB")


def mirrored(image: Image.Image) -> Image.Image:
    return ImageOps.mirror(image)


def smaller(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2))


def file(image: Image.Image, kind: str = "PNG") -> bytes:
    """The bytes of the picture's file."""
    buffer = BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()
