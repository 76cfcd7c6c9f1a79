"""The file of a picture. No path comes from a request: the gallery knows it, and it must lie in the
folder that is served, wherever links lead."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from index.cli.contents import contents
from index.cli.paths import OPEN, is_under, refuse_odd, why
from index.concurrency import to_completion
from index.gallery import Gallery
from serve.described import AWAY
from serve.guard import Refused

OPEN_FILES = Path("/proc/self/fd")
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


def content_type(data: bytes) -> str | None:
    """As what a browser may have these bytes as they are; None: it can't."""
    return next((kind for mark, at, kind in SHOWN_AS_IT_IS if data.startswith(mark, at)), None)


async def picture(source: str, root: str, gallery: Gallery) -> bytes:
    """The bytes of a picture; of a video, its scenes as an animation.

    raises   Refused where it is gone, or a link leads out of the folder; PictureError,
             DecoderUnusable
    """
    # What has begun is finished, so that the file is closed when its thread is done with it.
    return await to_completion(_read(source, root, gallery))


async def _read(source: str, root: str, gallery: Gallery) -> bytes:
    try:
        file = await asyncio.to_thread(_open, source, root)
        try:
            return await contents(_reopened(file, source), gallery)
        finally:
            os.close(file)
    except OSError as exc:
        raise _unreadable(exc) from exc


def _open(source: str, root: str) -> int:
    """The file, open. Where it lies is looked at again once it is open: a link may have taken its
    place since the first look, and what is open stays the same file.

    raises   OSError, Refused
    """
    inside = os.path.realpath(root)
    real = os.path.realpath(source, strict=True)
    _check_inside(real, inside)
    refuse_odd(os.stat(real))  # some devices do something when they are opened
    file = os.open(real, OPEN)
    try:
        _check_inside(_place_of(file, source), inside)
    except BaseException:
        os.close(file)
        raise
    return file


def _check_inside(real: str, inside: str) -> None:
    """raises   Refused"""
    if not is_under(real, inside):
        raise Refused(404, "The file is a link that leads out of the folder.")


def _place_of(file: int, source: str) -> str:
    """Where an open file lies. Only Linux tells; elsewhere the path is looked at once more."""
    if OPEN_FILES.is_dir():
        return os.readlink(OPEN_FILES / str(file))
    return os.path.realpath(source, strict=True)


def _reopened(file: int, source: str) -> Path:
    """A path of the open file itself, whatever becomes of its name."""
    if OPEN_FILES.is_dir():
        return OPEN_FILES / str(file)
    return Path(os.path.realpath(source))


def _unreadable(exc: OSError) -> Refused:
    if isinstance(exc, FileNotFoundError):
        return Refused(404, AWAY)
    return Refused(404, f"The file can't be read: {why(exc)}.")
