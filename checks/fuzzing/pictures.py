"""Damaged pictures of every format, decoded in this very process."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path
from typing import Literal

from PIL import Image

from checks.fuzzing import files
from checks.fuzzing.target import Unsound
from index import PictureBroken, PictureError, PictureTooHeavy
from index.images import decode as images
from index.images.decode import Decoded, Limits
from index.images.decoders import MEMORY_BYTES
from index.images.refusals import REASONS

# Few pixels, so that a decoder which ignores the limit is caught. Large pictures are in `bombs`.
LIMITS = Limits(pixels=4_000_000)
SIDES = (32, 224)
SHAPES: tuple[Literal["crop", "squeeze", "free"], ...] = ("crop", "squeeze", "free")
# A decoder's work on pictures this small takes milliseconds.
LIMIT_S = 10.0
EDGE_SIZES = (0, 1, 7, 40, 2**16, 2**31 - 1, 2**32 - 1)
# TIFF's tags for sizes, samples, strips, tiles, colours, JPEG tables and further directories.
TAGS = (
    *(254, 256, 257, 258, 266, 273, 274, 277, 279, 284, 317, 320, 322, 323, 324, 325),
    *(330, 338, 339, 347, 34665, 34675),
)


def sound_or_refused(data: bytes, rng: random.Random) -> str:
    """Decode as for some model. -> what came of it, in a word

    raises   any error but a PictureError; Unsound when the frames aren't as promised
    """
    side, shape = rng.choice(SIDES), rng.choice(SHAPES)
    resample = None if shape == "free" else rng.choice((None, Image.Resampling.BICUBIC))
    try:
        decoded = images.decode(data, side, shape, LIMITS, resample)
    except MemoryError:  # the process has the limit of `Pictures`; the product says the same
        return PictureTooHeavy.__name__
    except PictureError as refusal:
        if isinstance(refusal, PictureBroken) and refusal.reason not in REASONS:
            raise Unsound(f"{refusal!r} has words of a library") from refusal
        if not str(refusal).endswith("."):
            raise Unsound(f"{refusal!r} is no sentence") from refusal
        return type(refusal).__name__
    check(decoded, side if resample is not None else None)
    return "decoded"


def check(decoded: Decoded, side: int | None) -> None:
    """Check that a decoded picture is what a model needs.

    raises   Unsound when it isn't
    """
    if not 1 <= len(decoded.frames) <= LIMITS.frames:
        raise Unsound(f"{len(decoded.frames)} frames")
    for frame in decoded.frames:
        if frame.mode != "RGB" or not frame.width or not frame.height:
            raise Unsound(f"a frame of {frame.mode}, {frame.size}")
        if side is not None and frame.size != (side, side):
            raise Unsound(f"a frame of {frame.size} for {side}")


class Pictures:
    """Every kind of damage to pictures of every format."""

    limit_s = LIMIT_S
    memory_bytes = MEMORY_BYTES  # the same as of the process that decodes for a gallery

    def __init__(self, folder: Path) -> None:
        self._whole = files.sound()

    def make(self, rng: random.Random) -> tuple[bytes, random.Random]:
        format = rng.choice(list(self._whole))
        whole = rng.choice(self._whole[format])
        way = rng.random()
        if way < 0.12 and format == "PNG":
            data = _png_put_wrong(whole, rng)
        elif way < 0.12 and format == "JPEG":
            data = _jpeg_put_wrong(whole, rng)
        elif way < 0.12 and format == "TIFF":
            data = _tiff_put_wrong(rng)
        elif way < 0.17:
            data = _joined(whole, rng.choice(self._whole[rng.choice(list(self._whole))]))
        elif way < 0.19:
            data = whole[: rng.choice((4, 8, 12, 16))] + rng.randbytes(rng.randint(0, 500))
        else:
            data = files.damaged(whole, rng)
        return data, rng

    def run(self, subject: tuple[bytes, random.Random]) -> str:
        return sound_or_refused(*subject)

    def kept(self, subject: tuple[bytes, random.Random]) -> bytes:
        return subject[0]

    def close(self) -> None: ...


def _joined(one: bytes, other: bytes) -> bytes:
    """The first half of one picture and the rest of another."""
    return one[: len(one) // 2] + other[len(other) // 3 :]


def _png_put_wrong(whole: bytes, rng: random.Random) -> bytes:
    """A damaged PNG with right checksums, so that its content is read."""
    parts = list(files.chunks(whole))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(parts))
        name, body = parts[at]
        match rng.randrange(6):
            case 0:
                del parts[at]
            case 1:
                parts.insert(rng.randrange(len(parts) + 1), (name, body))
            case 2:
                width, height = (rng.choice(EDGE_SIZES) for _ in "wh")
                bits, colour = rng.choice((1, 2, 3, 8, 16)), rng.randrange(8)
                interlaced = rng.randrange(3)
                parts[0] = (b"IHDR", files.header(width, height, bits, colour, interlaced))
            case 3:
                frames, plays = rng.choice(files.EDGES), rng.choice(files.EDGES)
                parts.insert(1, (b"acTL", struct.pack(">2I", frames, plays)))
            case 4 if name in (b"IDAT", b"fdAT", b"iCCP", b"zTXt"):
                parts[at] = (name, zlib.compress(rng.randbytes(rng.randint(0, 4000))))
            case _:
                parts[at] = (name, files.damaged(body, rng) if len(body) > 8 else b"")
        if not parts:
            break
    return files.png_of(parts)


def _jpeg_put_wrong(whole: bytes, rng: random.Random) -> bytes:
    """A JPEG with a segment of wrong length, place or content, or with broken Exif."""
    marks = [at for at in range(2, len(whole) - 4) if whole[at] == 0xFF and whole[at + 1] >= 0xC0]
    at = rng.choice(marks)
    length = int.from_bytes(whole[at + 2 : at + 4], "big")
    segment = whole[at : at + 2 + length]
    match rng.randrange(4):
        case 0:
            segment = segment[:2] + rng.choice((0, 1, 2, 3, 65535)).to_bytes(2, "big")
        case 1:
            segment *= rng.randint(2, 40)
        case 2:
            segment = files.damaged(segment, rng)
        case _:
            block = b"Exif\0\0" + files.damaged(files.exif(rng.randrange(12))[6:], rng)
            segment = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + segment
    return whole[:at] + segment + whole[at + 2 + length :]


def _tiff_put_wrong(rng: random.Random) -> bytes:
    """A TIFF whose tags contradict each other or point anywhere."""
    data = rng.randbytes(rng.randint(0, 300))

    def number() -> int:
        return rng.choice((*files.EDGES, 8, 16, 40, 8 + len(data), rng.randrange(400)))

    compression = rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34925, 50000, 50001))
    entries = [(256, 4, 1, rng.randrange(1, 99)), (257, 4, 1, rng.randrange(1, 99))]
    entries += [(258, 3, 1, rng.choice((1, 2, 4, 8, 12, 16, 32, 64)))]
    entries += [(259, 3, 1, compression), (262, 3, 1, rng.randrange(10))]
    entries += [(273, 4, 1, 8), (277, 3, 1, rng.choice((1, 1, 2, 3, 4, 5)))]
    entries += [(278, 4, 1, number()), (279, 4, 1, len(data))]
    for _ in range(rng.randint(0, 4)):
        tag = rng.choice((254, 256, 257, 258, 266, 273, 274, 279, 284, 317, 320, 322, 323, 324))
        tag = rng.choice((*TAGS, rng.randrange(65536)))
        entries.append((tag, rng.randrange(18), number(), number()))
    return files.tiff_of(entries, data, rng.choice((0, 0, 4, 8, number())))
