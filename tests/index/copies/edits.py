"""What people do to pictures before they post them again; the bench has more of each."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFont, ImageOps

WHITE, INK = (255, 255, 255), (20, 20, 20)


def jpeg(image: Image.Image, quality: int = 85) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "PNG")
    return out.getvalue()


def resized(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)


def cropped(image: Image.Image) -> Image.Image:
    width, height = image.size
    return image.crop((width // 10, height // 20, width * 9 // 10, height * 17 // 20))


def bordered(image: Image.Image) -> Image.Image:
    return ImageOps.expand(image, min(image.size) // 8, (12, 12, 12))


def captioned(image: Image.Image) -> Image.Image:
    band = image.height // 5
    out = Image.new("RGB", (image.width, image.height + band), WHITE)
    out.paste(image, (0, band))
    font = ImageFont.load_default(size=band // 3)
    ImageDraw.Draw(out).text((band // 5, band // 4), "nobody saw this coming", INK, font)
    return out


def screenshot(image: Image.Image, top: int = 260) -> Image.Image:
    """The picture in an app, on a phone."""
    out = Image.new("RGB", (1080, 2340), WHITE)
    draw, font = ImageDraw.Draw(out), ImageFont.load_default(size=36)
    draw.text((40, 20), "12:47", INK, font)
    draw.ellipse((40, 110, 140, 210), (90, 140, 60))
    draw.text((170, 130), "a name, yesterday at 8:12", INK, font)
    height = image.height * 1080 // image.width
    out.paste(image.resize((1080, height), Image.Resampling.LANCZOS), (0, top))
    for n in range(5):
        box = (40 + n * 140, top + height + 30, 130 + n * 140, top + height + 100)
        draw.rounded_rectangle(box, 20, outline=INK, width=4)
    for n in range(3):
        draw.text((40, top + height + 130 + n * 60), "what a picture, and more", INK, font)
    draw.rectangle((0, 2210, 1080, 2340), (235, 235, 235))
    return out


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "resized": resized,
    "cropped": cropped,
    "bordered": bordered,
    "captioned": captioned,
    "grey": lambda image: image.convert("L"),
    "turned": lambda image: image.rotate(90, expand=True),
    "mirrored": ImageOps.mirror,
    "screenshot": screenshot,
}
# What is told of each edit.
TOLD: dict[str, set[str]] = {
    "resized": set(),
    "cropped": {"cropped"},
    "bordered": {"framed"},
    "captioned": {"framed"},
    "grey": {"grey"},
    "turned": {"turned"},
    "mirrored": {"mirrored"},
    "screenshot": {"framed"},
}
