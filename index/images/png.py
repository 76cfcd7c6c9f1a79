"""A PNG without what stands beside its pixels: texts, colour profiles, times, thumbnails.

Nothing of that is searched; `profile` reads what the colours mean. Programs write megabytes of it,
compressed, and nobody notices when it is damaged, since viewers leave it out. So does this module,
before a decoder sees it.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = frozenset({b"CgBI", b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_ANIMATION = {b"acTL": 8, b"fcTL": 26, b"fdAT": 4}  # with the fewest bytes of each
# Fewest bytes that say which colour is transparent, by the kind of colours (the tenth byte of
# IHDR): of a grey, of red, green and blue, of the first colour of a palette.
_TRANSPARENCY_BYTES = {0: 2, 2: 6, 3: 1}


class _Chunk(NamedTuple):
    name: bytes
    whole: memoryview  # with its length, its name and its checksum

    @property
    def body(self) -> memoryview:
        return self.whole[8:-4]

    @property
    def sound(self) -> bool:
        return zlib.crc32(self.whole[4:-4]) == int.from_bytes(self.whole[-4:], "big")


def without_side_chunks(data: bytes) -> bytes:
    """The PNG with only those chunks that its pixels need, and Exif's, which may turn them.

    Damaged transparency, animation or Exif is left out, as viewers do. Exif comes before the
    pixels, wherever it was. Nothing else is checked.
    """
    animated = _is_animated(data)
    kind: int | None = None
    exif: list[memoryview] = []
    kept: list[memoryview] = []
    for chunk in _chunks(data):
        if chunk.name == b"IHDR" and len(chunk.body) > 9:
            kind = chunk.body[9]
        if chunk.name == b"eXIf":
            exif = [chunk.whole] if chunk.sound else exif
        elif (
            chunk.name in _CRITICAL
            or (chunk.name in _ANIMATION and animated)
            or (chunk.name == b"tRNS" and _is_transparency(chunk, kind))
        ):
            kept.append(chunk.whole)
    return b"".join([SIGNATURE, *kept[:1], *exif, *kept[1:]])


def profile(data: bytes, most: int) -> bytes | None:
    """The colour profile; None without one, or with one that is damaged or has more bytes."""
    for chunk in _chunks(data):
        if chunk.name == b"IDAT":
            break
        if chunk.name == b"iCCP" and chunk.sound:
            _, _, packed = bytes(chunk.body).partition(b"\0")
            if packed[:1] != b"\0":  # another method than deflate
                return None
            unpacking = zlib.decompressobj()
            with contextlib.suppress(zlib.error):
                unpacked = unpacking.decompress(packed[1:], most)
                return unpacked if unpacking.eof else None
    return None


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


def _is_animated(data: bytes) -> bool:
    """Whether there is an animation without damage: all its chunks, numbered, as many as it says.

    source   APNG: fcTL and fdAT begin with a number, which counts both from 0
    """
    promised, frames, number = -1, 0, 0
    for chunk in _chunks(data):
        if chunk.name not in _ANIMATION:
            continue
        if not chunk.sound or len(chunk.body) < _ANIMATION[chunk.name]:
            return False
        first = int.from_bytes(chunk.body[:4], "big")
        if chunk.name == b"acTL":
            if promised != -1:
                return False
            promised = first
        elif first != number:
            return False
        else:
            number += 1
            frames += chunk.name == b"fcTL"
    return frames > 0 and frames == promised
