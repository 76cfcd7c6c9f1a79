"""Sound pictures of a known format that are stored in a way that isn't decoded.

These functions look at bytes that a decoder has refused. None: the bytes give no such reason, so
they are damaged.
"""

from __future__ import annotations

import contextlib
import functools
import io
import struct

from PIL import PsdImagePlugin, TiffImagePlugin

from index.images import avif, heif, jpeg, png
from index.images.heif import is_heif
from index.images.sniffing import is_avif
from index.types.errors import PictureUnsupported
from index.types.sentences import Sentence


def unsupported(data: bytes, opened: bool) -> Sentence | None:
    """What the picture is, such as "a BMP with unusual bit fields".

    opened   whether the decoder took its header, and refused its pixels
    """
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.unsupported(data)
    if data.startswith(png.SIGNATURE):
        return Sentence("a PNG made for an iPhone") if data[12:16] == b"CgBI" else None
    if is_heif(data) and not is_avif(data):
        return heif.unsupported(data)
    if is_avif(data):
        return None if opened else avif.unsupported(data)
    with contextlib.suppress(struct.error):  # shorter than its header
        if data.startswith(b"BM"):
            return None if opened else _bmp(data)
        if data[8:12] == b"WEBP":
            return _webp(data)
        if data.startswith(b"8BPS"):
            return _psd(data)
    return _tiff(data, opened) if data.startswith((b"II", b"MM")) else None


# ---- Photoshop

# The number of the resource whose fifth byte says whether the pixels show the layers.
_PSD_VERSION = 1057
_PSD_MODES = {
    7: Sentence("a Photoshop document of many channels"),
    8: Sentence("a Photoshop document of two inks (duotone)"),
}


def check_layers(document: PsdImagePlugin.PsdImageFile) -> None:
    """Refuse a document that was saved without the picture that its layers make.

    Its pixels are white then. raises PictureUnsupported
    """
    versions = [known for number, _, known in document.resources if number == _PSD_VERSION]
    if any(len(known) > 4 and not known[4] for known in versions):
        raise PictureUnsupported(
            Sentence("a Photoshop document without the picture that its layers make")
        )


def _psd(data: bytes) -> Sentence | None:
    bits, mode = struct.unpack_from(">HH", data, 22)
    if bits in (16, 32):
        return Sentence("a Photoshop document with {bits} bits a colour", bits=bits)
    return _PSD_MODES.get(mode)


# ---- BMP

_BMP_CONTENTS = {
    4: Sentence("a BMP with a JPEG inside"),
    5: Sentence("a BMP with a PNG inside"),
    **dict.fromkeys((11, 12, 13), Sentence("a BMP of printing colours (CMYK)")),
}
_BIT_FIELDS = (3, 6)


def _bmp(data: bytes) -> Sentence | None:
    header, _, _, _, bits, compression = struct.unpack_from("<IiiHHI", data, 14)
    if header == 12:  # the oldest kind has shorter numbers, and nothing compressed
        bits, compression = struct.unpack_from("<H", data, 24)[0], 0
    elif header in range(16, 40, 4):
        return Sentence("a BMP in a rare variant of OS/2's")
    if compression in _BMP_CONTENTS:
        return _BMP_CONTENTS[compression]
    if compression in _BIT_FIELDS and bits in (16, 24, 32):
        return Sentence("a BMP with unusual bit fields")
    return Sentence("a BMP with {bits} bits a pixel", bits=bits) if bits in (2, 64) else None


# ---- TIFF

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _TILES, _SAMPLES, _SAMPLE_FORMAT = 273, 324, 277, 339
_STORED = {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC}
_STORED |= {_STRIPS, _TILES, _SAMPLES, _SAMPLE_FORMAT}
_REDUCED, _OTHERS, _DNG = 254, 330, 50706
_STORED |= {_REDUCED, _OTHERS, _DNG}
_RAW = Sentence("a camera's raw photograph")
# Compressions that are known and not decoded.
_COMPRESSIONS = {
    34661: "JBIG",
    34676: "SGI LogLuv",
    34677: "SGI LogLuv",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy DNG",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
# What the numbers may be: grey, colours, a palette, a mask, CMYK, YCbCr, three kinds of Lab; those
# of cameras and of LogLuv.
_PHOTOMETRICS = {*range(7), 8, 9, 10, 32803, 32844, 32845, 34892}
_WORDS = {
    **dict.fromkeys((1, 2), Sentence("whole numbers")),
    3: Sentence("floating numbers"),
    **dict.fromkeys((5, 6), Sentence("complex numbers")),
}


def check_raw(image: TiffImagePlugin.TiffImageFile) -> None:
    """Refuse a camera's raw photograph, which is a TIFF whose first picture is a small preview.

    raises   PictureUnsupported
    """
    reduced = image.tag_v2.get(_REDUCED, 0)
    preview = isinstance(reduced, int) and reduced & 1 and _OTHERS in image.tag_v2
    if preview or _DNG in image.tag_v2:
        raise PictureUnsupported(_RAW)


def _tiff(data: bytes, opened: bool) -> Sentence | None:
    tags = _tiff_tags(data)
    [reduced, *_] = tags.get(_REDUCED, (0,))
    if _DNG in tags or (reduced & 1 and _OTHERS in tags) or data[8:10] == b"CR":
        return _RAW
    if not {_WIDTH, _HEIGHT} <= tags.keys() or not tags.keys() & {_STRIPS, _TILES}:
        return None
    [compression, *_] = tags.get(_COMPRESSION, (1,))
    if compression in _COMPRESSIONS:
        return Sentence("a TIFF compressed as {way}", way=_COMPRESSIONS[compression])
    if compression not in TiffImagePlugin.COMPRESSION_INFO:
        return Sentence("a TIFF compressed in an unknown way")
    return None if opened else _tiff_numbers(tags)


def _tiff_numbers(tags: dict[int, tuple[int, ...]]) -> Sentence | None:
    """What its numbers are, where they make sense."""
    bits, [format, *_] = tags.get(_BITS, (1,)), tags.get(_SAMPLE_FORMAT, (1,))
    [channels, *_], [photometric, *_] = tags.get(_SAMPLES, (1,)), tags.get(_PHOTOMETRIC, (-1,))
    sensible = all(1 <= each <= 64 for each in (*bits, channels))
    if not sensible or photometric not in _PHOTOMETRICS or format not in _WORDS:
        return None
    widths = [_width(each) for each in sorted(set(bits))]
    either = functools.reduce(lambda a, b: Sentence("{one} or {other}", one=a, other=b), widths)
    values = {"widths": either, "numbers": _WORDS[format], "n": channels}
    if channels == 1:
        return Sentence("a TIFF of {widths} {numbers} in {n} channel", **values)
    return Sentence("a TIFF of {widths} {numbers} in {n} channels", **values)


def _width(bits: int) -> Sentence:
    return Sentence("1-bit") if bits == 1 else Sentence("{n}-bit", n=bits)


def _tiff_tags(data: bytes) -> dict[int, tuple[int, ...]]:
    """The tags of the first page that say how its pixels are stored, where they hold numbers."""
    try:
        directory = TiffImagePlugin.ImageFileDirectory_v2(data[: 16 if 43 in data[2:4] else 8])
        file = io.BytesIO(data)
        file.seek(directory.next)
        directory.load(file)
        values = {tag: directory[tag] for tag in _STORED if tag in directory}
    except Exception:  # hostile bytes can fail anywhere
        return {}
    tuples = {tag: value if isinstance(value, tuple) else (value,) for tag, value in values.items()}
    return {
        tag: value
        for tag, value in tuples.items()
        if value and all(isinstance(each, int) for each in value)
    }


# ---- WebP


def _webp(data: bytes) -> Sentence | None:
    """The one-picture kinds name a version, in bits of the first byte or of the fifth."""
    kind = data[12:16]
    (first,) = struct.unpack_from("<B", data, 20)
    (fifth,) = struct.unpack_from("<B", data, 24)
    if (kind == b"VP8 " and first >> 1 & 7 > 3) or (kind == b"VP8L" and fifth >> 5):
        return Sentence("a WebP of an unknown version")
    return None
