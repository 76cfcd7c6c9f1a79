"""Small files that ask for much (pixels, frames, scans, tags), decoded as a gallery does it."""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from checks.fuzzing import files, lottie
from checks.fuzzing.pictures import check
from index import PictureError
from index.images import decoders
from index.images.decode import LIMITS
from index.images.heif import FORMAT as HEIF

SIDE = 224


def many_scans(rng: random.Random) -> bytes:
    """A progressive JPEG with very many scans of the same pixels."""
    edge = rng.choice((500, 2000, 8000))
    whole = files.encoded(Image.new("L", (edge, edge), 128), "JPEG", progressive=True)
    end = whole.rindex(b"\xff\xd9")
    last = whole.rindex(b"\xff\xda", 0, end)
    return whole[:end] + whole[last:end] * rng.choice((20, 200, 20_000)) + whole[end:]


def many_pixels(rng: random.Random) -> bytes:
    """A picture of one colour, just below the limit of pixels or above it; it packs well."""
    width = rng.choice((1, 3, 1000, 7900, 16_000, 60_000))
    height = min(60_000, rng.choice((63_000_000, 65_000_000)) // width)
    format = rng.choice(("PNG", "GIF", "JPEG", "WEBP", "TIFF", "BMP"))
    if format == "WEBP":
        width, height = min(width, 16_000), min(height, 16_000)
    mode = rng.choice({"JPEG": ["RGB", "L"], "GIF": ["P"], "BMP": ["1"]}.get(format, ["RGBA"]))
    packed: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True, "method": 0},
        "TIFF": {"compression": "tiff_adobe_deflate"},
    }
    return files.encoded(Image.new(mode, (width, height)), format, **packed.get(format, {}))


def numbers_for_pixels(rng: random.Random) -> bytes:
    """Floating-point or 32-bit pixels, which are scaled by their range."""
    edge = rng.choice((2000, 7900))
    image = Image.new(rng.choice(("F", "I")), (edge, edge), 7)
    return files.encoded(image, "TIFF", compression="tiff_adobe_deflate")


def big_promise(rng: random.Random) -> bytes:
    """A header that claims very many pixels, with hardly any data after it."""
    edge = rng.choice((8000, 65_500, 2**31 - 1))
    match rng.randrange(5):
        case 0:
            pixels = zlib.compress(bytes(1000))
            ihdr = files.header(edge, edge, interlaced=rng.randrange(2))
            return files.png_of([(b"IHDR", ihdr), (b"IDAT", pixels), (b"IEND", b"")])
        case 1:
            whole = bytearray(files.encoded(Image.new("RGB", (16, 16)), "JPEG"))
            at = whole.index(b"\xff\xc0")
            whole[at + 5 : at + 9] = struct.pack(">2H", *[min(edge, 65_500)] * 2)
            return bytes(whole)
        case 2:
            large = min(edge, 65_535)
            return files.gif_of((large, large), [files.gif_frame((1, 1))])
        case 3:
            return files.bmp_in_runs(edge, edge, b"\xff\1" * 99)
        case _:
            return files.tiff_of([(256, 4, 1, edge), (257, 4, 1, edge), (273, 4, 1, 8)])


def many_frames(rng: random.Random) -> bytes:
    """An animation of hundreds of thousands of frames, each of one pixel."""
    frame = files.gif_frame((1, 1), disposal=rng.randrange(4))
    return files.gif_of((1, 1), [frame] * rng.choice((1000, 50_000, 900_000)))


def large_frames(rng: random.Random) -> bytes:
    """Animations whose frames are as large as is allowed, or larger than their picture."""
    edge = rng.choice((1000, 5000, 9000))
    if rng.random() < 0.5:
        return growing(edge, disposal=rng.randrange(4))
    frames = [Image.new("P", (edge, edge), n) for n in range(4)]
    return files.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def growing(edge: int, disposal: int) -> bytes:
    """A GIF of one pixel, whose later frames are larger."""
    whole = files.encoded(Image.new("P", (edge, edge), 1), "GIF")
    body = whole[whole.index(b"," + struct.pack("<4H", 0, 0, edge, edge)) : -1]
    control = b"!\xf9\x04" + bytes([disposal << 2]) + b"\x01\0\0\0"
    return files.gif_of((1, 1), [files.gif_frame((1, 1))] + [control + body] * 4)


def counts_of_frames(rng: random.Random) -> bytes:
    """An animated PNG that claims more frames than it has."""
    whole = files.encoded(
        Image.new("RGB", (40, 40), "red"),
        "PNG",
        save_all=True,
        append_images=[Image.new("RGB", (40, 40), "blue")],
    )
    parts = list(files.chunks(whole))
    count = struct.pack(">2I", rng.choice((3, 1000, 2**31 - 1)), 0)
    return files.png_of([(n, count if n == b"acTL" else body) for n, body in parts])


def long_runs(rng: random.Random) -> bytes:
    """A BMP in run lengths of one pixel, which are decoded one by one."""
    width, height = 8000, rng.choice((500, 7900))
    runs = min(width * height, rng.choice((1_000_000, 12_000_000)))
    return files.bmp_in_runs(width, height, b"\1\7" * runs)


def one_tile(rng: random.Random) -> bytes:
    """A TIFF of few pixels whose only tile has very many."""
    edge = rng.choice((4096, 16_384, 32_768))
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(2**20)) for _ in range(edge * edge // 2**20))
    return files.tiff_in_tiles(edge, edge, data + packer.flush())


def texts_that_swell(rng: random.Random) -> bytes:
    """A PNG whose compressed texts or colour profile unpack to a thousand times their size."""
    swollen = zlib.compress(bytes(rng.choice((10**6, 10**7, 2 * 10**8))), 9)
    part = rng.choice(((b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0"), (b"iCCP", b"a\0\0")))
    parts = list(files.chunks(files.encoded(Image.new("RGB", (9, 9)), "PNG")))
    parts[1:1] = [(part[0], part[1] + swollen)] * rng.choice((1, 70))
    return files.png_of(parts)


def many_small_parts(rng: random.Random) -> bytes:
    """Very many empty chunks, segments or directories before the pixels."""
    count = rng.choice((10_000, 1_000_000))
    match rng.randrange(3):
        case 0:
            whole = files.encoded(Image.new("RGB", (9, 9)), "JPEG")
            return whole[:2] + b"\xff\xe5\0\2" * count + whole[2:]
        case 1:
            parts = list(files.chunks(files.encoded(Image.new("RGB", (9, 9)), "PNG")))
            return files.png_of([parts[0], *[(b"tEXt", b"a\0b")] * count, *parts[1:]])
        case _:
            entries = [(256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 1, 8), (262, 3, 1, 1)]
            entries += [(273, 4, 1, 8), (279, 4, 1, 81)]
            return files.tiff_of(entries + [(60_000, 2, 4, 0)] * 60_000, bytes(81), next_at=8 + 81)


def noise_at_length(rng: random.Random) -> bytes:
    """A damaged picture of real pixels, of some size."""
    noise = np.random.default_rng(rng.getrandbits(32)).integers(
        0, 255, (600, 900, 3), dtype=np.uint8
    )
    format = rng.choice(("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"))
    options = {"speed": 10} if format == "AVIF" else {}
    return files.damaged(files.encoded(Image.fromarray(noise), format, **options), rng)


def heif_promise(rng: random.Random) -> bytes:
    """A HEIC that claims very many pixels, in one picture or by its grid."""
    whole = files.sound()["HEIC"][0]
    size = whole.index(b"ispe") + 8
    edge = rng.choice((8000, 32_000, 2**31 - 1))
    return whole[:size] + struct.pack(">2I", edge, edge) + whole[size + 8 :]


def many_heif_pixels(rng: random.Random) -> bytes:
    """A HEIC of one colour, just below the limit of pixels or above it."""
    edge = rng.choice((7900, 8100))
    return files.encoded(Image.new("RGB", (edge, edge)), HEIF, quality=1, preset="ultrafast")


def large_drawing(rng: random.Random) -> bytes:
    """A Lottie animation of a huge canvas, of very many frames or layers, or nested deeply."""
    whole = json.loads(lottie.animation())
    match rng.randrange(4):
        case 0:
            whole |= {"w": 900_000, "h": 900_000}
        case 1:
            whole |= {"op": 900_000}
        case 2:
            whole["layers"] *= 20_000
        case _:
            deep = rng.choice((500, 100_000))
            return b'{"layers":' + b"[" * deep + b"]" * deep + b',"w":9,"h":9,"ip":0,"op":9,"fr":9}'
    return json.dumps(whole).encode()


def pixels_in_other_packings(rng: random.Random) -> bytes:
    """JPEG 2000, QOI, TGA, PPM or a Photoshop document of many pixels of one colour."""
    edge = rng.choice((2000, 7900, 9000))
    format = rng.choice(("JPEG2000", "TGA", "PPM", "ICO", "QOI"))
    if format == "ICO":  # whose header can name no more than 256
        inside = files.encoded(Image.new("RGBA", (edge, edge)), "PNG")
        head = struct.pack("<3H4BHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(inside), 22)
        return head + inside
    edge = min(edge, 2000) if format in ("QOI", "JPEG2000") else edge
    packed = {"compression": "tga_rle"} if format == "TGA" else {}
    return files.encoded(Image.new("RGB", (edge, edge)), format, **packed)


WAYS: tuple[Callable[[random.Random], bytes], ...] = (
    many_scans,
    many_pixels,
    numbers_for_pixels,
    big_promise,
    many_frames,
    large_frames,
    counts_of_frames,
    long_runs,
    one_tile,
    texts_that_swell,
    many_small_parts,
    noise_at_length,
    heif_promise,
    many_heif_pixels,
    large_drawing,
    pixels_in_other_packings,
)


class Bombs:
    """A bomb of one of these kinds, of a random size."""

    # The system ends a process that decodes after LIMITS.time_s. The rest is for a new one's start,
    # and for handing the bytes over.
    limit_s = LIMITS.time_s + 5.0
    memory_bytes = None

    def __init__(self, folder: Path) -> None: ...

    def make(self, rng: random.Random) -> bytes:
        return rng.choice(WAYS)(rng)

    def run(self, subject: bytes) -> str:
        try:
            decoded = decoders.decode(subject, SIDE, resample=Image.Resampling.BICUBIC)
        except PictureError as refusal:
            return type(refusal).__name__
        check(decoded, SIDE)
        return "decoded"

    def kept(self, subject: bytes) -> bytes:
        return subject

    def close(self) -> None:
        decoders.close()
