"""An AVIF as its decoder wants it, where viewers ask for less; and the size that it names.

An AVIF is made of boxes, as a HEIC is. Each box has its length, its name, and its content, which
may be boxes again.

source   ISO/IEC 14496-12 (boxes, iinf, iref, iprp) and 23008-12 (ispe, pixi, auxl)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from index.types.sentences import Sentence


class _Box(NamedTuple):
    name: bytes
    begin: int  # of its content
    end: int


def mended(data: bytes) -> bytes:
    """The AVIF without its Exif, and with a size for its transparency.

    The decoder refuses a picture for damaged Exif, although an AVIF is turned by other boxes. It
    also refuses transparency that doesn't name its size, as some encoders wrote it until 2021. That
    is as large as the picture.
    """
    changed = bytearray(data)
    try:
        for meta in _metas(data):
            _hide_exif(changed, meta)
            _give_transparency_a_size(changed, meta)
    except IndexError:  # a box is shorter than what it must hold; the decoder will say so
        return data
    return bytes(changed)


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height of the largest picture that the header names, where it can be read."""
    sizes = []
    for meta in _metas(data):
        for iprp in _named(data, meta, b"iprp", skip=4):
            for ipco in _named(data, iprp, b"ipco"):
                for ispe in _named(data, ipco, b"ispe"):
                    at = ispe.begin + 4
                    sizes.append((_number(data, at, 4), _number(data, at + 4, 4)))
    return max(sizes, key=lambda edges: edges[0] * edges[1], default=None)


def code_points(data: bytes) -> tuple[int, int] | None:
    """H.273's numbers for the primaries and the curve of the picture, where it names them (nclx).

    A HEIC names them in the same way.
    """
    with contextlib.suppress(IndexError):  # a box is shorter than what it must hold
        for meta in _metas(data):
            for colr in _of_main_picture(data, meta, b"colr"):
                if data[colr.begin : colr.begin + 4] == b"nclx" and colr.end - colr.begin >= 10:
                    at = colr.begin + 4
                    return _number(data, at, 2), _number(data, at + 2, 2)
    return None


def _of_main_picture(data: bytes, meta: _Box, name: bytes) -> Iterator[_Box]:
    """Its properties of this name."""
    main = None
    for pitm in _named(data, meta, b"pitm", skip=4):
        main = _number(data, pitm.begin + 4, 4 if data[pitm.begin] else 2)
    for iprp in _named(data, meta, b"iprp", skip=4):
        boxes = [
            box
            for ipco in _named(data, iprp, b"ipco")
            for box in _children(data, ipco.begin, ipco.end)
        ]
        for ipma in _named(data, iprp, b"ipma"):
            for item, named in _associations(data, ipma):
                numbers = [number for number, _ in named if 0 < number <= len(boxes)]
                if item == main:
                    yield from (boxes[n - 1] for n in numbers if boxes[n - 1].name == name)


def unsupported(data: bytes) -> Sentence | None:
    """What an AVIF that can't be decoded is. None: it is damaged."""
    with contextlib.suppress(IndexError):  # a box is shorter than what it must hold
        data = mended(data)
        if any(True for meta in _metas(data) for _ in _sizeless(data, meta)):
            return Sentence("an AVIF whose transparency names no size")
    return None


def _hide_exif(data: bytearray, meta: _Box) -> None:
    for iinf in _named(data, meta, b"iinf", skip=4):
        for infe in _named(data, iinf, b"infe", skip=6 if data[iinf.begin] == 0 else 8):
            kind = infe.begin + (8 if data[infe.begin] == 2 else 10)  # behind number and protection
            if data[kind : kind + 4] == b"Exif":
                data[kind : kind + 4] = b"skip"


def _give_transparency_a_size(data: bytearray, meta: _Box) -> None:
    """Let transparency without a size name the picture's, in place of its bits a channel.

    Those needn't be named, and so no box changes its length.
    """
    for of_alpha, of_picture in _sizeless(data, meta):
        if b"pixi" in of_alpha and b"ispe" in of_picture:
            at, other = of_alpha[b"pixi"], of_picture[b"ispe"]
            data[at.start : at.stop] = data[other.start : other.stop]


def _sizeless(
    data: bytes | bytearray, meta: _Box
) -> Iterator[tuple[dict[bytes, range], dict[bytes, range]]]:
    """Transparency without a size, and its picture: where the properties of each are named."""
    for iprp in _named(data, meta, b"iprp", skip=4):
        properties = [
            box.name
            for ipco in _named(data, iprp, b"ipco")
            for box in _children(data, ipco.begin, ipco.end)
        ]
        places = {
            item: {properties[number - 1]: at for number, at in named if number <= len(properties)}
            for ipma in _named(data, iprp, b"ipma")
            for item, named in _associations(data, ipma)
        }
        for alpha, picture in _auxiliaries(data, meta):
            if b"ispe" not in places.get(alpha, {}):
                yield places.get(alpha, {}), places.get(picture, {})


def _associations(
    data: bytes | bytearray, ipma: _Box
) -> Iterator[tuple[int, list[tuple[int, range]]]]:
    """Each item, with the numbers of its properties, from 1, and where these stand."""
    wide_item = 4 if data[ipma.begin] else 2
    wide = 2 if data[ipma.begin + 3] & 1 else 1
    at = ipma.begin + 8
    for _ in range(_number(data, ipma.begin + 4, 4)):
        item, count = _number(data, at, wide_item), data[at + wide_item]
        at += wide_item + 1
        places = [range(at + wide * index, at + wide * (index + 1)) for index in range(count)]
        at += wide * count
        if at > ipma.end:
            return
        mask = (1 << (8 * wide - 1)) - 1  # the highest bit says that a property is essential
        yield item, [(_number(data, place.start, wide) & mask, place) for place in places]


def _auxiliaries(data: bytes | bytearray, meta: _Box) -> Iterator[tuple[int, int]]:
    """The items that belong to another one, as transparency does, with that one."""
    for iref in _named(data, meta, b"iref", skip=4):
        wide = 4 if data[iref.begin] else 2
        for auxl in _named(data, iref, b"auxl", skip=4):
            yield _number(data, auxl.begin, wide), _number(data, auxl.begin + wide + 2, wide)


def _metas(data: bytes | bytearray) -> Iterator[_Box]:
    return _named(data, _Box(b"", 0, len(data)), b"meta")


def _named(data: bytes | bytearray, box: _Box, name: bytes, skip: int = 0) -> Iterator[_Box]:
    """The boxes of this name in a box, behind its first `skip` bytes."""
    for child in _children(data, box.begin + skip, box.end):
        if child.name == name:
            yield child


def _children(data: bytes | bytearray, at: int, end: int) -> Iterator[_Box]:
    while at + 8 <= end:
        length = _number(data, at, 4)
        if length < 8 or at + length > end:
            return
        yield _Box(bytes(data[at + 4 : at + 8]), at + 8, at + length)
        at += length


def _number(data: bytes | bytearray, at: int, width: int) -> int:
    return int.from_bytes(data[at : at + width], "big")
