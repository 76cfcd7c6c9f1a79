"""Small pictures of every format that is decoded, and ways to damage their bytes."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from checks.fuzzing import icc, lottie
from index.images.heif import FORMAT as HEIF

SIZE = (40, 28)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

# Heads of other kinds of files, which a picture's bytes can contain.
OTHERS = (
    b"PK\x03\x04\x14\0\0\0\0\0",
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    b"#!/bin/sh\nrm -rf /\n",
    b"\x7fELF\x02\x01\x01" + bytes(9),
    b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    b"\x1aE\xdf\xa3\x01\0\0\0",
    b"RIFF\xff\xff\xff\x7fWAVEfmt ",
)


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """The picture as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def exif(orientation: int = 6) -> bytes:
    """A block of Exif, as cameras write it."""
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F] = "Maker"
    block.get_ifd(0x8769)[0x9003] = "2026:01:01 00:00:00"
    return block.tobytes()


def sound() -> dict[str, list[bytes]]:
    """Undamaged pictures by format, in every way of storing pixels that the decoders know."""
    pixels = np.random.default_rng(1).integers(0, 255, (*SIZE[::-1], 4), dtype=np.uint8)
    pixels[4:20, 6:30] = (200, 40, 60, 255)
    rgba = Image.fromarray(pixels)
    rgb, grey = rgba.convert("RGB"), rgba.convert("L")
    sixteen = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    frames = [Image.new("RGB", SIZE, colour) for colour in ("red", "lime", "blue")]
    loop: dict[str, Any] = {"save_all": True, "append_images": frames, "duration": 40, "loop": 0}
    return {
        "JPEG": [
            encoded(rgb, "JPEG"),
            encoded(rgb, "JPEG", progressive=True, exif=exif()),
            encoded(rgb.convert("CMYK"), "JPEG"),
            encoded(grey, "JPEG", restart_marker_blocks=2, comment=b"x" * 99),
            encoded(rgb, "MPO", save_all=True, append_images=[grey.convert("RGB")]),
            encoded(icc.to_xyb(rgb), "JPEG", keep_rgb=True, icc_profile=icc.of_xyb()),
            encoded(rgb.convert("CMYK"), "JPEG", icc_profile=icc.of_printer()),
        ],
        "PNG": [
            encoded(rgba, "PNG", exif=exif(3)),
            encoded(grey, "PNG"),
            encoded(rgb.quantize(13), "PNG", transparency=3),
            encoded(grey.convert("1"), "PNG"),
            encoded(sixteen, "PNG"),
            encoded(rgb, "PNG", **loop),
            _with_text(encoded(rgb, "PNG", icc_profile=bytes(300))),
            encoded(rgba, "PNG", icc_profile=icc.of_rgb(icc.DISPLAY_P3)),
            encoded(grey, "PNG", icc_profile=icc.of_grey(1.0)),
        ],
        "WEBP": [
            encoded(rgb, "WEBP"),
            encoded(rgba, "WEBP", lossless=True, exif=exif(8)),
            encoded(rgb, "WEBP", **loop),
        ],
        "AVIF": [encoded(rgba, "AVIF", speed=10), encoded(rgb, "AVIF", speed=10, **loop)],
        "GIF": [
            encoded(rgb.quantize(16), "GIF"),
            encoded(rgb.quantize(5), "GIF", transparency=2, interlace=0),
            encoded(rgb, "GIF", disposal=2, **loop),
        ],
        "BMP": [
            encoded(rgb, "BMP"),
            encoded(rgba, "BMP"),
            encoded(grey, "BMP"),
            encoded(grey.convert("1"), "BMP"),
            bmp_in_runs(*SIZE, b"\x28\x07\x00\x00" * SIZE[1] + b"\0\1"),
        ],
        "TIFF": [
            encoded(rgb, "TIFF"),
            encoded(rgb, "TIFF", compression="tiff_lzw"),
            encoded(rgba, "TIFF", compression="tiff_adobe_deflate"),
            encoded(rgb, "TIFF", compression="jpeg"),
            encoded(grey, "TIFF", compression="packbits"),
            encoded(grey.convert("1"), "TIFF", compression="group4"),
            encoded(sixteen, "TIFF", save_all=True, append_images=[grey]),
            encoded(grey.convert("F"), "TIFF", exif=exif(2)),
            tiff_in_tiles(48, 32, zlib.compress(bytes(48 * 32))),
        ],
        "HEIC": [
            encoded(rgb, HEIF, quality=50, exif=exif()),
            encoded(rgba, HEIF, quality=50),
            encoded(rgb, HEIF, quality=50, icc_profile=icc.of_rgb(icc.DISPLAY_P3)),
            encoded(rgb, HEIF, quality=50, save_all=True, append_images=frames),
        ],
        "ICO": [
            encoded(rgba, "ICO", sizes=[(16, 16), (32, 22)]),
            encoded(rgba, "ICO", sizes=[(32, 22)], bitmap_format="bmp"),
        ],
        "JPEG 2000": [
            encoded(rgb, "JPEG2000"),
            encoded(rgba, "JPEG2000", no_jp2=True, quality_layers=[20, 5]),
            encoded(sixteen, "JPEG2000"),
        ],
        "PPM": [
            encoded(rgb, "PPM"),
            encoded(sixteen, "PPM"),
            encoded(grey.convert("1"), "PPM"),
            encoded(grey.convert("F"), "PPM"),
            b"P3\n# words\n2 2\n255\n" + b"1 2 3 " * 4,
        ],
        "PSD": [psd(pixels[..., :3]), psd(pixels, mode=4), psd(pixels[..., :1], mode=1)],
        "QOI": [encoded(rgb, "QOI"), encoded(rgba, "QOI")],
        "TGA": [
            encoded(rgb, "TGA"),
            encoded(rgba, "TGA", compression="tga_rle"),
            encoded(rgb.quantize(9), "TGA"),
        ],
        "Lottie": [lottie.animation(), lottie.animation(edge=20, frames=900)],
    }


def _with_text(png: bytes) -> bytes:
    """The PNG with one chunk of each kind of text before its pixels."""
    text = zlib.compress(b"text" * 50)
    parts = list(chunks(png))
    parts[1:1] = [(b"tEXt", b"a\0b"), (b"zTXt", b"c\0\0" + text), (b"iTXt", b"d\0\1\0\0\0" + text)]
    return png_of(parts)


# ---- formats taken apart and put together


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk of an undamaged PNG."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def png_of(parts: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks, with right checksums."""
    return PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def header(width: int, height: int, bits: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    """The content of a PNG's IHDR."""
    return struct.pack(">2I5B", width, height, bits, colour, 0, 0, interlaced)


def bmp_in_runs(width: int, height: int, runs: bytes) -> bytes:
    """A BMP of 256 colours in run lengths."""
    start = 54 + 1024
    return (
        b"BM"
        + struct.pack("<IHHI", start + len(runs), 0, 0, start)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
        + bytes(1024)
        + runs
    )


def tiff_of(entries: list[tuple[int, int, int, int]], data: bytes = b"", next_at: int = 0) -> bytes:
    """A TIFF of one directory (tag, type, count, value); its data begins at byte 8."""
    table = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(data))
        + data
        + struct.pack("<H", len(entries))
        + table
        + struct.pack("<I", next_at)
    )


def tiff_in_tiles(width: int, height: int, data: bytes, size: tuple[int, int] = SIZE) -> bytes:
    """A grey TIFF of `size` whose one tile is width × height, deflated."""
    entries = [(256, 4, 1, size[0]), (257, 4, 1, size[1]), (258, 3, 1, 8), (259, 3, 1, 8)]
    entries += [(262, 3, 1, 1), (277, 3, 1, 1), (322, 4, 1, width), (323, 4, 1, height)]
    return tiff_of([*entries, (324, 4, 1, 8), (325, 4, 1, len(data))], data)


def psd(pixels: NDArray[Any], mode: int = 3, bits: int = 8, merged: bool = True) -> bytes:
    """A Photoshop document without layers; pixels (height, width, channels)."""
    height, width, channels = pixels.shape
    known = struct.pack(">IB", 1, merged)  # its version, and whether the pixels are the layers'
    resource = b"8BIM" + struct.pack(">HHI", 1057, 0, len(known)) + known + b"\0"
    return (
        b"8BPS"
        + struct.pack(">H6xHIIHH", 1, channels, height, width, bits, mode)
        + struct.pack(">II", 0, len(resource))
        + resource
        + struct.pack(">IH", 0, 0)
        + np.ascontiguousarray(pixels.transpose(2, 0, 1)).tobytes()
    )


def gif_of(size: tuple[int, int], frames: list[bytes]) -> bytes:
    """A GIF of two colours with these frames, see `gif_frame`."""
    screen = struct.pack("<HHBBB", *size, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return b"GIF89a" + screen + b"".join(frames) + b";"


def gif_frame(size: tuple[int, int], data: bytes = b"\x02\x44\x01", disposal: int = 0) -> bytes:
    """One frame of a GIF. Without `data` it holds one pixel, whatever size it claims."""
    control = b"!\xf9\x04" + bytes([disposal << 2]) + b"\x01\0\0\0"
    place = b"," + struct.pack("<4HB", 0, 0, *size, 0)
    return control + place + b"\x02" + data + b"\0"


# ---- damage


def with_bytes_changed(data: bytearray, rng: random.Random) -> None:
    reach = len(data) if rng.random() < 0.5 else min(len(data), rng.choice((32, 128, 400)))
    for _ in range(rng.randint(1, 16)):
        data[rng.randrange(reach)] = rng.randrange(256)


def with_edges(data: bytearray, rng: random.Random) -> None:
    """Overwrite some bytes with numbers at the edges of what fits, as a size or a count."""
    for _ in range(rng.randint(1, 3)):
        number = rng.choice(EDGES)
        width = 2 if number <= 0xFFFF and rng.random() < 0.6 else 4
        raw = number.to_bytes(width, rng.choice(("big", "little")))
        at = rng.randrange(max(1, min(len(data), rng.choice((64, 400, 10**6))) - width))
        data[at : at + width] = raw


def with_bits_flipped(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(1, len(data)) :]


def with_a_piece_gone(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.randint(1, 64)]


def with_a_piece_again(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    piece = data[at : at + rng.randint(1, 200)]
    data[at:at] = piece * rng.randint(1, 20)


def with_noise_behind(data: bytearray, rng: random.Random) -> None:
    data += rng.randbytes(rng.randint(1, 2000))


def with_something_else(data: bytearray, rng: random.Random) -> None:
    """Insert the head of another kind of file: before, after, or in the middle."""
    other = rng.choice(OTHERS)
    at = rng.choice((0, len(data), rng.randrange(len(data))))
    data[at:at] = other


DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    with_bytes_changed,
    with_edges,
    with_bits_flipped,
    cut,
    with_a_piece_gone,
    with_a_piece_again,
    with_noise_behind,
    with_something_else,
)


def damaged(whole: bytes, rng: random.Random) -> bytes:
    """The bytes with one to three kinds of damage."""
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if len(data) > 8:
            rng.choice(DAMAGES)(data, rng)
    return bytes(data)
