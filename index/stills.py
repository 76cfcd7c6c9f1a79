"""Small pictures: of the frames of an animation, to be shown when one of them is found; and of any
picture, to be drawn beside others."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from index.images import decoders
from index.images.resize import KEPT_SCALE

EDGE = 320  # pixels at most: twice what a chat shows beside a hit
QUALITY = 70  # of WebP: 2 to 10 kB
FLATTEST = 4  # how many times as wide as high a thumbnail may be
THUMBNAIL_QUALITY = 78
VIEW_QUALITY = 88
_SIDE = -(-EDGE // KEPT_SCALE)


def stills_of(data: bytes, seconds: Sequence[float]) -> tuple[bytes, ...]:
    """A WebP of each frame that is searched, for a thread; blocks.

    seconds   of these frames, as `decode` gave them
    returns   nothing when another look at the file finds other frames
    raises    PictureError, DecoderUnusable
    """
    decoded = decoders.decode(data, _SIDE, "free")
    if decoded.seconds != list(seconds):
        return ()
    return tuple(_still(frame) for frame in decoded.frames)


def still_of(data: bytes) -> bytes:
    """A WebP of the first frame, for a thread; blocks.

    raises    PictureError, DecoderUnusable
    """
    return _still(decoders.decode(data, _SIDE, "free").frames[0])


def thumbnail_of(data: bytes, height: int) -> bytes:
    """A WebP of the first frame, at most so high and FLATTEST times as wide, for a thread; blocks.

    raises    PictureError, DecoderUnusable
    """
    frame = decoders.decode(data, -(-height // KEPT_SCALE), "free").frames[0]
    frame.thumbnail((FLATTEST * height, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    frame.save(out, "WEBP", quality=THUMBNAIL_QUALITY, method=2)
    return out.getvalue()


def view_of(data: bytes, edge: int) -> bytes:
    """A WebP of the first frame, whose long edge has at most so many pixels, for a thread; blocks.

    raises    PictureError, DecoderUnusable
    """
    frame = decoders.decode(data, -(-edge // KEPT_SCALE), "free").frames[0]
    frame.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    frame.save(out, "WEBP", quality=VIEW_QUALITY, method=2)
    return out.getvalue()


def _still(frame: Image.Image) -> bytes:
    frame.thumbnail((EDGE, EDGE))
    out = io.BytesIO()
    frame.save(out, "WEBP", quality=QUALITY)
    return out.getvalue()
