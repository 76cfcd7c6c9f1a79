"""Why a picture was refused, in our own words, whatever a decoder's library said."""

from __future__ import annotations

import re

from PIL import Image

from index.images import avif, jpeg, png
from index.images.heif import is_heif
from index.images.sniffing import described, is_avif, is_cut_off, is_known_format
from index.images.unsupported import unsupported
from index.types.errors import (
    NotAPicture,
    PictureBroken,
    PictureError,
    PictureTooLarge,
    PictureUnsupported,
)
from index.types.sentences import Sentence

EMPTY = Sentence("it has no bytes at all")
CUT_OFF = Sentence("it is cut off before its end")
NO_PIXELS = Sentence("there is no picture in it")
HEADER = Sentence("its header can't be read")
PIXELS = Sentence("its pixels can't be decoded")
# Everything that a damaged picture can be said to be. `decoders` has one more.
REASONS = (EMPTY, CUT_OFF, NO_PIXELS, HEADER, PIXELS)


def refusal(data: bytes, failed: Exception, most_pixels: int, opened: bool) -> PictureError:
    """The error for bytes that a decoder refused with the exception `failed`.

    most_pixels   the limit that too large pictures are told
    opened        whether the header was read
    """
    if isinstance(failed, Image.DecompressionBombError | Image.DecompressionBombWarning):
        pixels = int(next(iter(re.findall(r"\d+", str(failed))), "0"))
        return PictureTooLarge(max(pixels, most_pixels + 1), most_pixels, "pixels")
    if not is_known_format(data):
        found, picture = described(data)
        return PictureUnsupported(found) if picture else NotAPicture(found)
    if (is_avif(data) or is_heif(data)) and not opened:
        width, height = avif.size(data) or (0, 0)
        if width * height > most_pixels:
            return PictureTooLarge(width * height, most_pixels, "pixels")
    if (stored := unsupported(data, opened)) is not None:
        return PictureUnsupported(stored)
    return PictureBroken(_damage(data, failed, opened))


def _damage(data: bytes, failed: Exception, opened: bool) -> str:
    if _is_empty(data):
        return NO_PIXELS
    if is_cut_off(data) or _says_cut_off(failed):
        return CUT_OFF
    return PIXELS if opened else HEADER


def _is_empty(data: bytes) -> bool:
    """Whether the file is whole, and has a header and no pixels."""
    if data.startswith(png.SIGNATURE):
        return b"IDAT" not in data and b"IEND" in data
    if data.startswith(jpeg.SIGNATURE):
        return not jpeg.has_pixels(data) and data.endswith(b"\xff\xd9")
    return data.startswith(b"GIF8") and b"," not in data[10:] and data.endswith(b";")


def _says_cut_off(failed: Exception) -> bool:
    text = str(failed).lower()
    return (
        "truncated" in text
        or "not enough" in text
        or "unexpected end" in text
        or isinstance(failed, EOFError)
    )
