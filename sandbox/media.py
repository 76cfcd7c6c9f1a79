"""Files: the type and size of a picture, and smaller versions of it for the media proxy."""

from __future__ import annotations

import io
import mimetypes
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image, ImageOps

from .world import ANIMATED

FORMATS = {"jpeg": "JPEG", "jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF"}
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}

# Broken or hostile bytes can raise any error in a decoder; AVIF's, for example, a RuntimeError.
UNREADABLE = Exception

# Before 3.13, Python's table doesn't have these types, or takes them from the machine.
mimetypes.add_type("image/webp", ".webp")
mimetypes.add_type("image/avif", ".avif")
mimetypes.add_type("video/webm", ".webm")


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What Discord says about a file: its type, and the size in pixels of a picture."""

    content_type: str
    width: int | None = None
    height: int | None = None
    flags: int = 0


def look(path: Path, filename: str | None = None) -> FileInfo:
    """The type and size of a file. Only a picture's header is read.

    As in Discord, the type comes from the file's name. A broken picture, and a file that Pillow
    doesn't know, has no size.
    """
    named = mimetypes.guess_type(filename or path.name)[0] or "application/octet-stream"
    if named.startswith("video/"):
        return FileInfo(named, *_video_size(path))
    if not named.startswith("image/"):
        return FileInfo(named)
    try:
        with Image.open(path) as image:
            flags = ANIMATED if getattr(image, "is_animated", False) else 0
            width, height = image.size
            if image.getexif().get(0x0112, 1) >= 5:  # it is turned by 90° when it is shown
                width, height = height, width
            return FileInfo(named, width, height, flags)
    except UNREADABLE:
        return FileInfo(named)


def _video_size(path: Path) -> tuple[int | None, int | None]:
    try:
        with av.open(str(path)) as video:
            shown = video.streams.video[0].codec_context
            return shown.width, shown.height
    except UNREADABLE:
        return None, None


def _poster(path: Path) -> Image.Image:
    """The first frame of a video. raises UNREADABLE"""
    with av.open(str(path)) as video:
        return Image.fromarray(next(video.decode(video=0)).to_ndarray(format="rgb24"))


def resized(
    path: Path, name: str, width: int | None, height: int | None, format: str | None
) -> tuple[bytes, str]:
    """The picture resized to fit width × height, never enlarged: its bytes and content type. Of a
    video, its first frame, if a picture's `format` is asked for.

    raises  UNREADABLE when the file is not a picture, or too large
    """
    is_video = format is not None and look(path, name).content_type.startswith("video/")
    with _poster(path) if is_video else Image.open(path) as image:
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
