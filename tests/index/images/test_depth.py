"""Pictures of more than 8 bits and pictures under an alpha of 0 are seen, not black or blank."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from checks.fuzzing.files import chunks, png_of
from index.images.colour import WHITE
from index.images.decode import decode
from tests.index.colours import encoded
from tests.index.images import quadrants

SIDE = 64
STEPS = np.linspace(0, 1, 64)


def _ramp(greatest: int, dtype: str = "<u2") -> NDArray[np.uint16]:
    """From 0 to the greatest, left to right."""
    return np.tile((STEPS * greatest).round().astype(dtype), (32, 1))


def _tiff(pixels: NDArray[np.uint16], **tags: int) -> bytes:
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for name, number in tags.items():
        directory[{"SMaxSampleValue": 341, "MaxSampleValue": 281}[name]] = number
    return encoded(Image.fromarray(pixels), "TIFF", tiffinfo=directory)


def _png_of_bits(pixels: NDArray[np.uint16], bits: int) -> bytes:
    head, *rest = chunks(encoded(Image.fromarray(pixels)))
    return png_of([head, (b"sBIT", bytes([bits])), *rest])


def _tiff_of_12_bits() -> bytes:
    pairs = _ramp(4095).reshape(-1, 2).astype(np.uint32)
    packed = (pairs[:, 0] << 12 | pairs[:, 1]).astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]
    entries = [(256, 4, 1, 64), (257, 4, 1, 32), (258, 3, 1, 12), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 32), (279, 4, 1, packed.size)]
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    at = 8 + packed.size
    head = b"II*\0" + struct.pack("<I", at)
    return head + packed.tobytes() + struct.pack("<H", len(entries)) + table + bytes(4)


RAMPS = {
    "PNG of 12 bits in 16": encoded(Image.fromarray(_ramp(4095))),
    "PNG of 10 bits in 16": encoded(Image.fromarray(_ramp(1023))),
    "PNG of 0 and up to 12": encoded(Image.fromarray(_ramp(12))),
    "PNG that says 11 bits": _png_of_bits(_ramp(2047), 11),
    "PNG of 12 bits, scaled as it should be": _png_of_bits(_ramp(65535), 12),
    "TIFF that says its greatest": _tiff(_ramp(3000), SMaxSampleValue=3000),
    "TIFF that says it in the older way": _tiff(_ramp(3000), MaxSampleValue=3000),
    "TIFF of 12 bits": _tiff_of_12_bits(),
    "TIFF, big end first": encoded(Image.fromarray(_ramp(4095, ">u2")), "TIFF"),
    "TIFF of 14 bits in 32": encoded(Image.fromarray(_ramp(16383).astype(np.int32)), "TIFF"),
    "TIFF of floats": encoded(Image.fromarray(_ramp(3).astype(np.float32) / 1000), "TIFF"),
}


@pytest.mark.parametrize("name", RAMPS)
def test_grey_of_a_small_range_fills_the_whole(name: str) -> None:
    row = np.asarray(decode(RAMPS[name], SIDE).frames[0])[16, :, 0].astype(int)
    coarse = 255 / 3 if "floats" in name else 255 / 12 if name.endswith("12") else 3
    assert np.abs(row - STEPS * 255).max() < coarse + 1
    assert (row[0], row[-1]) == (0, 255)


def test_a_dark_picture_of_a_stated_range_stays_dark() -> None:
    frame = decode(_tiff(_ramp(1000), SMaxSampleValue=60_000), SIDE).frames[0]
    assert np.asarray(frame).max() < 6
    dark = decode(encoded(Image.fromarray(_ramp(30_000))), SIDE).frames[0]
    assert 110 < np.asarray(dark).max() < 120


def test_nothing_but_black_is_black() -> None:
    black = encoded(Image.fromarray(np.zeros((32, 64), np.uint16)))
    assert decode(black, SIDE).frames[0].getextrema() == ((0, 0),) * 3


def _hidden(colours: Image.Image) -> Image.Image:
    hidden = colours.convert("RGBA")
    hidden.putalpha(0)
    return hidden


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "TGA", "BMP", "ICO"])
def test_a_picture_under_an_alpha_of_0_is_seen(format: str) -> None:
    options = {"WEBP": {"lossless": True, "exact": True}, "ICO": {"sizes": [quadrants.SIZE]}}
    data = encoded(_hidden(quadrants.picture()), format, **options.get(format, {}))
    assert quadrants.quarters(decode(data, SIDE).frames[0]) == quadrants.UPRIGHT


@pytest.mark.parametrize("format", ["PNG", "AVIF"])
def test_frames_under_an_alpha_of_0_are_seen(format: str) -> None:
    frames = [_hidden(quadrants.picture().rotate(turn)) for turn in (0, 180)]
    options = {"quality": 95} if format == "AVIF" else {"blend": 0}
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:], **options)
    first, second = decode(data, SIDE).frames
    assert quadrants.quarters(first) == quadrants.UPRIGHT
    assert quadrants.quarters(second) == quadrants.UPRIGHT[::-1]


def test_one_colour_under_an_alpha_of_0_is_nothing() -> None:
    hidden = _hidden(Image.new("RGB", (40, 30), (200, 0, 0)))
    assert decode(encoded(hidden), SIDE).frames[0].getpixel((9, 9)) == WHITE
    palette = Image.new("P", (40, 40), 1)
    palette.putpalette([0, 0, 0, 9, 200, 9])
    assert decode(encoded(palette, transparency=1), SIDE).frames[0].getpixel((9, 9)) == WHITE


def test_a_tga_of_one_colour_under_an_alpha_of_0_has_that_colour() -> None:
    hidden = _hidden(Image.new("RGB", (40, 30), (200, 0, 0)))
    assert decode(encoded(hidden, "TGA"), SIDE).frames[0].getpixel((9, 9)) == (200, 0, 0)
