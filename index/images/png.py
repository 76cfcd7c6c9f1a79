"""A PNG without what stands beside its pixels: texts, colour profiles, times, thumbnails.

Nothing of that is searched; `profile` reads what the colours mean. Programs write megabytes of it,
compressed, and nobody notices when it is damaged, since viewers leave it out. So does this module,
before a decoder sees it.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from index.images import stated

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = frozenset({b"CgBI", b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_ANIMATION = {b"acTL": 8, b"fcTL": 26, b"fdAT": 4}  # with the fewest bytes of each
# Fewest bytes that say which colour is transparent, by the kind of colours (the tenth byte of
# IHDR): of a grey, of red, green and blue, of the first colour of a palette.
_TRANSPARENCY_BYTES = {0: 2, 2: 6, 3: 1}


_COLOURS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})


class _Chunk(NamedTuple):
    name: bytes
    whole: memoryview  # with its length, its name and its checksum

    @property
    def body(self) -> memoryview:
        return self.whole[8:-4]

    @property
    def sound(self) -> bool:
        return zlib.crc32(self.whole[4:-4]) == int.from_bytes(self.whole[-4:], "big")


def without_side_chunks(data: bytes) -> tuple[bytes, bool]:
    """The PNG with only those chunks that its pixels need, and Exif's, which may turn them.

    Damaged transparency or Exif is left out, as viewers do, and what comes behind the first damage
    of an animation. Exif comes before the pixels, wherever it was. Nothing else is checked.

    returns  it, and whether frames had to be left out
    """
    animation = _animation(data)
    unread = animation.chunks
    kind: int | None = None
    exif: list[memoryview] = []
    kept: list[memoryview] = []
    for chunk in _chunks(data):
        if chunk.name == b"IHDR" and len(chunk.body) > 9:
            kind = chunk.body[9]
        if chunk.name == b"eXIf":
            exif = [chunk.whole] if chunk.sound else exif
        elif chunk.name in _ANIMATION:
            if unread:
                unread -= 1
                kept.append(animation.head if chunk.name == b"acTL" else chunk.whole)
        elif chunk.name in _CRITICAL or (chunk.name == b"tRNS" and _is_transparency(chunk, kind)):
            kept.append(chunk.whole)
    return b"".join([SIGNATURE, *kept[:1], *exif, *kept[1:]]), animation.cut


def profile(data: bytes, most: int) -> bytes | None:
    """The colour profile; None without one, or with one that is damaged or has more bytes.

    One may also be made of numbers that stand for it. Of several, the first counts of: numbers of
    video (cICP), a profile, sRGB's own mark, and gamma with chromaticities.

    source   PNG, third edition, 4.3
    """
    bodies: dict[bytes, bytes] = {}
    for chunk in _chunks(data):
        if chunk.name == b"IDAT":
            break
        if chunk.name in _COLOURS and chunk.sound:
            bodies[chunk.name] = bytes(chunk.body)
    if len(bodies.get(b"cICP", b"")) == 4:
        primaries, curve, matrix, _ = bodies[b"cICP"]
        return stated.by_code_points(primaries, curve) if matrix == 0 else None
    if b"iCCP" in bodies:
        return _unpacked(bodies[b"iCCP"], most)
    return None if b"sRGB" in bodies else _of_gamma(bodies)


def _unpacked(body: bytes, most: int) -> bytes | None:
    _, _, packed = body.partition(b"\0")
    if packed[:1] != b"\0":  # another method than deflate
        return None
    unpacking = zlib.decompressobj()
    with contextlib.suppress(zlib.error):
        unpacked = unpacking.decompress(packed[1:], most)
        return unpacked if unpacking.eof else None
    return None


def _of_gamma(bodies: Mapping[bytes, bytes]) -> bytes | None:
    """Of a gamma and chromaticities, each as a whole number of 1/100,000."""
    if len(bodies.get(b"gAMA", b"")) != 4:  # without it, chromaticities say nothing
        return None
    encoding = int.from_bytes(bodies[b"gAMA"], "big")
    if not encoding:
        return None
    points = stated.SRGB
    if len(bodies.get(b"cHRM", b"")) == 32:
        x1, y1, x2, y2, x3, y3, x4, y4 = (
            number / 100_000 for number in struct.unpack(">8I", bodies[b"cHRM"])
        )
        points = ((x1, y1), (x2, y2), (x3, y3), (x4, y4))
    return stated.by_points(points, 100_000 / encoding)


def significant_bits(data: bytes) -> int | None:
    """How many bits of a grey number mean something, where the PNG says so."""
    for chunk in _chunks(data):
        if chunk.name == b"IDAT":
            break
        if chunk.name == b"sBIT" and chunk.sound and len(chunk.body) == 1:
            return chunk.body[0] if 0 < chunk.body[0] < 16 else None
    return None


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """The chunks up to IEND, or up to one that can't be told from noise.

    The last one may be cut off. Only pixels are of use then.
    """
    view, at = memoryview(data), len(SIGNATURE)
    name = b""
    while name != b"IEND" and at + 8 <= len(data):
        end = at + 12 + int.from_bytes(view[at : at + 4], "big")
        name = bytes(view[at + 4 : at + 8])
        if not name.isalpha() or (end > len(data) and name not in _CRITICAL):
            return
        yield _Chunk(name, view[at:end])
        at = end


def _is_transparency(chunk: _Chunk, kind: int | None) -> bool:
    needed = _TRANSPARENCY_BYTES.get(-1 if kind is None else kind)
    return needed is not None and len(chunk.body) >= needed and chunk.sound


class _Animation(NamedTuple):
    """The frames of an animated PNG that come whole before its first damage.

    chunks   of the animation that they take; 0: it is a still picture
    frames   how many they are
    cut      whether others follow
    """

    chunks: int = 0
    frames: int = 0
    cut: bool = False

    @property
    def head(self) -> memoryview:
        """A chunk acTL that says how many they are."""
        body = b"acTL" + struct.pack(">2I", self.frames, 0)
        return memoryview(struct.pack(">I", 8) + body + struct.pack(">I", zlib.crc32(body)))


def _animation(data: bytes) -> _Animation:
    """source   APNG: fcTL and fdAT begin with a number, which counts both from 0"""
    begins: list[int] = []  # of each frame, in chunks of the animation
    promised = count = number = 0
    ended = False
    for chunk in _chunks(data):
        ended = ended or chunk.name == b"IEND"
        if chunk.name not in _ANIMATION:
            continue
        if not chunk.sound or len(chunk.body) < _ANIMATION[chunk.name]:
            ended = False
            break
        first = int.from_bytes(chunk.body[:4], "big")
        if (count == 0) != (chunk.name == b"acTL") or (count and first != number):
            ended = False
            break
        if count == 0:
            promised = first
        else:
            number += 1
            if chunk.name == b"fcTL":
                begins.append(count)
        count += 1
    if not ended and begins:  # the last one isn't whole
        count = begins.pop()
    if len(begins) < 2 or len(begins) > promised:
        return _Animation(cut=promised > 1 and len(begins) < promised)
    return _Animation(count, len(begins), len(begins) < promised)
