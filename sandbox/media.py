"""Files: what a picture is and how large, and smaller versions of it for the media proxy."""

from __future__ import annotations

import io
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from .world import ANIMATED

FORMATS = {"jpeg": "JPEG", "jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF"}
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}

# Broken or hostile bytes can fail in a decoder in any way: AVIF's, for one, by a RuntimeError.
UNREADABLE = Exception

# Python's table lacks these before 3.13 or leaves them to the machine's own.
mimetypes.add_type("image/webp", ".webp")
mimetypes.add_type("image/avif", ".avif")


@dataclass(frozen=True, slots=True)
class Seen:
    """What Discord tells about a file: its type, and for pictures the size in pixels."""

    content_type: str
    width: int | None = None
    height: int | None = None
    flags: int = 0


def look(path: Path, filename: str | None = None) -> Seen:
    """What a file is; reads no more than a picture's header.

    The type follows the name, as Discord's does. A file that is no picture Pillow knows, or a
    broken one, has no size.
    """
    named = mimetypes.guess_type(filename or path.name)[0] or "application/octet-stream"
    if not named.startswith("image/"):
        return Seen(named)
    try:
        with Image.open(path) as image:
            flags = ANIMATED if getattr(image, "is_animated", False) else 0
            width, height = image.size
            if image.getexif().get(0x0112, 1) >= 5:  # turned by a quarter when shown
                width, height = height, width
            return Seen(named, width, height, flags)
    except UNREADABLE:
        return Seen(named)


def resized(
    path: Path, width: int | None, height: int | None, format: str | None
) -> tuple[bytes, str]:
    """The picture within width × height (never enlarged), in a format; bytes and type.

    raises  UNREADABLE when the file is no picture, or too large a one
    """
    with Image.open(path) as image:
        wanted = FORMATS.get(format or "", image.format or "PNG")
        wanted = wanted if wanted in TYPES else "PNG"
        if width is not None and height is not None:
            image.draft("RGB", (width, height))
        small = ImageOps.exif_transpose(image)
        limit = (width or small.width, height or small.height)
        small.thumbnail(limit, Image.Resampling.BICUBIC)
        if wanted == "JPEG" and small.mode not in ("RGB", "L"):
            small = small.convert("RGB")
        elif small.mode == "P":
            small = small.convert("RGBA")
        out = io.BytesIO()
        small.save(out, wanted)
        return out.getvalue(), TYPES[wanted]
