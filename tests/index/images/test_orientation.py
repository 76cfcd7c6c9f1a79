"""A picture is turned once, whichever format says so in whichever place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image

from index.images.decode import decode
from index.images.orientation import ORIENTATION, upright
from tests.index.colours import encoded
from tests.index.images import quadrants

SIDE = 32


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def _tiff(**options: object) -> Callable[[Image.Image, int], bytes]:
    def save(image: Image.Image, orientation: int) -> bytes:
        return encoded(image, "TIFF", tiffinfo={ORIENTATION: orientation}, **options)

    return save


def _by_exif(format: str, **options: object) -> Callable[[Image.Image, int], bytes]:
    def save(image: Image.Image, orientation: int) -> bytes:
        return encoded(image, format, exif=_exif(orientation), **options)

    return save


def _png_with_exif_at_its_end(image: Image.Image, orientation: int) -> bytes:
    data = encoded(image, "PNG", exif=_exif(orientation))
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    return data[:start] + data[end:-12] + data[start:end] + data[-12:]


FORMATS = {
    "JPEG": _by_exif("JPEG", quality=95),
    "MPO": _by_exif("MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))]),
    "PNG": _by_exif("PNG"),
    "PNG at its end": _png_with_exif_at_its_end,
    "APNG": _by_exif("PNG", save_all=True, append_images=[Image.new("RGB", (8, 8))]),
    "WebP": _by_exif("WEBP", lossless=True),
    "AVIF": _by_exif("AVIF", speed=10, quality=95),  # Pillow writes irot and imir
    "TIFF": _tiff(),
    "TIFF of LZW": _tiff(compression="tiff_lzw"),
    "TIFF of JPEG": _tiff(compression="jpeg", quality=95),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("resample", [None, Image.Resampling.BICUBIC])
def test_a_picture_is_turned_once(name: str, orientation: int, resample: int | None) -> None:
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    stored = upright(quadrants.picture(), undo)
    decoded = decode(FORMATS[name](stored, orientation), SIDE, "squeeze", resample=resample)
    assert (decoded.width, decoded.height) == quadrants.SIZE
    assert quadrants.quarters(decoded.frames[0]) == quadrants.UPRIGHT
    assert decoded.orientation == orientation


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_words_about_a_picture_do_not_turn_it(format: str) -> None:
    """No viewer looks into XMP for an orientation, although its photo programs write one there."""
    words = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    options: dict[str, object] = {"xmp": words}
    if format == "TIFF":
        options = {"tiffinfo": {700: words}}
    data = encoded(quadrants.picture(), format, **options)
    if format == "GIF":  # Pillow writes none
        data = data[:-1] + b"!\xff\x0bXMP DataXMP" + words + b"\x01" + bytes(range(255, -1, -1))
        data += b"\0;"
    decoded = decode(data, SIDE)
    assert (decoded.width, decoded.height) == quadrants.SIZE
    assert quadrants.quarters(decoded.frames[0]) == quadrants.UPRIGHT
