"""The file of a picture. No path comes from a request: the gallery knows it, and it must lie in the
folder that is served, wherever links lead."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from index.cli.contents import contents
from index.cli.paths import is_under, why
from index.gallery import Gallery
from serve.described import AWAY
from serve.guard import Refused

# Pictures that every browser shows, by how their files begin. Neither SVG nor anything else that
# can hold a script is among them.
SHOWN_AS_IT_IS = (
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"ftypavif", 4, "image/avif"),
    (b"ftypavis", 4, "image/avif"),
)


async def located(source: str, root: str) -> Path:
    """Where the file of a picture really is.

    raises   Refused where it is gone, or a link leads out of the folder
    """
    return await asyncio.to_thread(_located, source, root)


def _located(source: str, root: str) -> Path:
    try:
        real = os.path.realpath(source, strict=True)
    except OSError as exc:
        raise _unreadable(exc) from exc
    if not is_under(real, os.path.realpath(root)):
        raise Refused(404, "The file is a link that leads out of the folder.")
    return Path(real)


def content_type(data: bytes) -> str | None:
    """As what a browser may have these bytes as they are; None: it can't."""
    return next((kind for mark, at, kind in SHOWN_AS_IT_IS if data.startswith(mark, at)), None)


async def picture(path: Path, gallery: Gallery) -> bytes:
    """The bytes of a picture; of a video, its scenes as an animation.

    raises   Refused, PictureError, DecoderUnusable
    """
    try:
        return await contents(path, gallery)
    except OSError as exc:
        raise _unreadable(exc) from exc


def _unreadable(exc: OSError) -> Refused:
    if isinstance(exc, FileNotFoundError):
        return Refused(404, AWAY)
    return Refused(404, f"The file can't be read: {why(exc)}.")
