"""Odd files of every format: some are read and look right, the others are refused in our words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from index.images import decoders, refusals
from index.images.colour import DARK
from index.images.decode import decode
from index.types.errors import (
    NotAPicture,
    PictureBroken,
    PictureError,
    PictureTooLarge,
    PictureUnsupported,
)
from tests.index.images import quadrants, zoo

SIDE = 32
FILES = {
    f"{format}: {name}": data for format, make in zoo.ALL.items() for name, data in make().items()
}

CUT_OFF, NO_PIXELS = refusals.CUT_OFF, refusals.NO_PIXELS
HEADER, PIXELS = refusals.HEADER, refusals.PIXELS
DAMAGED = {
    "JPEG: progressive, cut off": CUT_OFF,
    "JPEG: begins and ends": NO_PIXELS,
    "JPEG: no pixels": CUT_OFF,
    "JPEG: no tables": PIXELS,
    "PNG: without pixels": NO_PIXELS,
    "PNG: header alone": CUT_OFF,
    "PNG: of size 0": HEADER,
    "PNG: of 3 bits": HEADER,
    "PNG: of an unknown colour type": HEADER,
    "PNG: of another filter": HEADER,
    "PNG: palette missing": PIXELS,
    "PNG: noise for pixels": PIXELS,
    "GIF: no frames": NO_PIXELS,
    "GIF: words alone": NO_PIXELS,
    "GIF: header alone": CUT_OFF,
    "GIF: codes of 13 bits": PIXELS,
    "BMP: of 0 bits": HEADER,
    "BMP: of an unknown header": HEADER,
    "BMP: of too many colours": HEADER,
    "BMP: of size 0": HEADER,
    "BMP: header alone": CUT_OFF,
    "BMP: half": CUT_OFF,
    "BMP: half, of bit fields": CUT_OFF,
    "TIFF: noise in LZW": PIXELS,
    "TIFF: noise in a JPEG": PIXELS,
    "TIFF: noise in fax": PIXELS,
    "TIFF: no sizes": HEADER,
    "TIFF: no pixels": HEADER,
    "TIFF: no directory": HEADER,
    "TIFF: an empty directory": HEADER,
    "TIFF: half": CUT_OFF,
    "WebP: noise for pixels": PIXELS,
    "WebP: no pixels": HEADER,
    "WebP: half an animation": CUT_OFF,
    "AVIF: noise for pixels": PIXELS,
    "AVIF: no items": HEADER,
    "AVIF: of size 0": HEADER,
    "AVIF: half": CUT_OFF,
    "HEIC: half": CUT_OFF,
    "HEIC: header alone": HEADER,
    "kept: ICO: header alone": HEADER,
    "kept: JPEG 2000: half": CUT_OFF,
    "kept: PPM: half": CUT_OFF,
    "kept: QOI: half": CUT_OFF,
    "kept: TGA: half": CUT_OFF,
    "kept: PSD: half": CUT_OFF,
    "kept: PSD: header alone": HEADER,
}
UNSUPPORTED = {
    "JPEG: 12 bits": "a JPEG with 12 bits a colour",
    "JPEG: lossless": "a lossless JPEG",
    "JPEG: hierarchical": "a hierarchical JPEG",
    "JPEG: two channels": "a JPEG of 2 channels",
    "JPEG: no height": "a JPEG that names its height only at its end",
    "PNG: of an iPhone": "a PNG made for an iPhone",
    "BMP: 10 bits a colour": "a BMP with unusual bit fields",
    "BMP: 444": "a BMP with unusual bit fields",
    "BMP: a JPEG inside": "a BMP with a JPEG inside",
    "BMP: a PNG inside": "a BMP with a PNG inside",
    "BMP: cmyk": "a BMP of printing colours (CMYK)",
    "BMP: of 2 bits": "a BMP with 2 bits a pixel",
    "BMP: of 64 bits": "a BMP with 64 bits a pixel",
    "TIFF: floats of 64 bits": "a TIFF of 64-bit floating numbers in 1 channel",
    "TIFF: floats of 16 bits": "a TIFF of 16-bit floating numbers in 1 channel",
    "TIFF: floats a colour": "a TIFF of 32-bit floating numbers in 3 channels",
    "TIFF: five channels": "a TIFF of 8-bit whole numbers in 5 channels",
    "TIFF: two kinds of channels": "a TIFF of 8-bit or 16-bit whole numbers in 2 channels",
    "TIFF: a JPEG 2000 inside": "a TIFF compressed as JPEG 2000",
    "TIFF: a JPEG XL inside": "a TIFF compressed as JPEG XL",
    "TIFF: a camera's raw": "a camera's raw photograph",
    "TIFF: a DNG": "a camera's raw photograph",
    "TIFF: of an unknown compression": "a TIFF compressed in an unknown way",
    "TIFF: HDR colours": "a TIFF compressed as SGI LogLuv",
    "WebP: of another version": "a WebP of an unknown version",
    "AVIF: of an old encoder, in short": "an AVIF whose transparency names no size",
    "HEIC: in another coding": "a HEIF picture in another coding than HEVC",
    "HEIC: animated": "a HEIC animation",
    "kept: PSD of layers alone": "a Photoshop document without the picture that its layers make",
    "kept: PSD of 16 bits": "a Photoshop document with 16 bits a colour",
    "kept: PSB": "a large Photoshop document (PSB)",
    "other: camera's raw": "a camera's raw photograph",
    "other: CUR": "a mouse pointer",
    "other: DDS": "a DDS texture",
    "other: EPS": "a PostScript drawing",
    "other: JPEG XL": "a JPEG XL picture",
    "other: JPEG XR": "a JPEG XR picture",
    "other: TGA without its mark": "a TGA picture without the mark at its end",
    "other: raw of another camera": "a camera's raw photograph",
    "other: icons of a Mac": "a collection of icons",
    "other: PCX": "a PCX picture",
    "other: SGI": "an SGI picture",
    "other: metafile": "a Windows metafile",
    "other: XCF": "a GIMP document",
    "other: MNG": "an MNG animation",
    "other: JNG": "a JNG picture",
    "other: HDR": "a Radiance HDR picture",
    "other: EXR": "an OpenEXR picture",
    "other: SVG": "an SVG drawing",
    "other: OS/2 bitmap array": "a collection of OS/2 bitmaps",
}
TOO_LARGE = {
    "GIF: giant screen": 65535**2,
    "AVIF: too large": 40_000**2,
    "HEIC: too large": 40_000**2,
}
NO_PICTURE = {"other: zeros": "data of an unknown kind"}
REFUSED = {**DAMAGED, **UNSUPPORTED, **TOO_LARGE, **NO_PICTURE}

# What is read and has other colours than the picture: grey from dark above to light below, halves.
GREY_PICTURE = {"JPEG: grey", "TIFF: grey", "TIFF: big end first"}
RAMPS = {
    "TIFF: 16 bits of grey",
    "TIFF: 32 bits of grey",
    "TIFF: 32 bits of grey, unsigned",
    "TIFF: small numbers in 32 bits",
    "TIFF: floats",
}
RAMPS_DOWN = {"TIFF: 16 bits of grey, white first"}
HALVES = {"PNG: 1 bit", "PNG: 16 bits of grey and alpha", "PNG: 16 bits of grey, one transparent"}
COLOURED = set(FILES) - set(REFUSED) - GREY_PICTURE - RAMPS - RAMPS_DOWN - HALVES


@pytest.mark.parametrize("name", sorted(COLOURED))
@pytest.mark.filterwarnings("ignore::UserWarning")  # as `decode` does outside of tests
def test_a_rare_file_has_its_colours_where_they_belong(name: str) -> None:
    decoded = decode(FILES[name], SIDE, "squeeze")
    assert quadrants.quarters(decoded.frames[0]) == quadrants.UPRIGHT


def _brightness(name: str) -> list[int]:
    """Of each quarter of the picture, in the order of `quadrants`."""
    frame = decode(FILES[name], SIDE, "squeeze").frames[0].convert("L")
    across, down = ((edge // 4, edge * 3 // 4) for edge in frame.size)
    return [frame.getpixel((x, y)) for y in down for x in across]  # type: ignore[misc]


@pytest.mark.parametrize("name", sorted(RAMPS | RAMPS_DOWN))
def test_grey_of_wide_numbers_is_seen_with_its_whole_range(name: str) -> None:
    above, _, below, _ = _brightness(name)
    if name in RAMPS_DOWN:
        above, below = below, above
    assert abs(above - 64) < 6
    assert abs(below - 192) < 6


@pytest.mark.parametrize("name", sorted(GREY_PICTURE))
def test_a_grey_picture_is_as_bright_as_its_colours(name: str) -> None:
    expected = [zoo.PICTURE.convert("L").getpixel(at) for at in ((24, 16), (72, 16), (24, 48))]
    differences = [abs(a - b) for a, b in zip(_brightness(name), expected, strict=False)]  # type: ignore[operator]
    assert max(differences) < 6


@pytest.mark.parametrize("name", sorted(HALVES))
def test_a_picture_of_two_greys(name: str) -> None:
    left, right, *_ = _brightness(name)
    assert left == 255
    assert right == (DARK[0] if "transparent" in name else 0)


@pytest.mark.parametrize("name", sorted(REFUSED))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_refusal_says_in_our_words_what_is_wrong_and_what_to_do(name: str) -> None:
    with pytest.raises(PictureError) as refused:
        decode(FILES[name], SIDE)
    error: Any = refused.value
    if name in DAMAGED:
        assert type(error) is PictureBroken
        assert error.reason == DAMAGED[name]
        assert str(error) == (
            f"This picture is damaged: {error.reason}. "
            "Download it again, or save it anew from a viewer."
        )
    elif name in UNSUPPORTED:
        assert type(error) is PictureUnsupported
        assert str(error) == (
            f"This is {UNSUPPORTED[name]}, which can't be read; save it as an ordinary PNG or JPEG."
        )
    elif name in TOO_LARGE:
        assert type(error) is PictureTooLarge
        assert (error.size, error.limit) == (TOO_LARGE[name], 64_000_000)
        assert re.search(r"has \d,\d{3} megapixels; the limit is 64 megapixels\.", str(error))
    else:
        assert type(error) is NotAPicture
        assert error.found == NO_PICTURE[name]


def test_every_animal_is_judged() -> None:
    assert set(REFUSED) <= set(FILES)
    assert len(COLOURED) > 45


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("format", zoo.ALL)
def test_a_decoder_that_may_open_no_file_reads_the_same(format: str) -> None:
    """A decoder process can no longer import anything: nothing may be left for later."""
    for name, data in FILES.items():
        if name.startswith(format):
            assert _outcome(decoders.decode, data) == _outcome(decode, data), name


def _outcome(how: Any, data: bytes) -> str | list[bytes]:
    try:
        return [frame.tobytes() for frame in how(data, SIDE).frames]
    except PictureError as error:
        return str(error)
