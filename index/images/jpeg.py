"""A JPEG's segments: which of them its pixels need, and what its header says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from index.types.sentences import Sentence

SIGNATURE = b"\xff\xd8\xff"
_SCAN_BEGINS, _END = b"\xff\xda", b"\xff\xd9"
_JFIF, _EXIF, _PROFILE, _ADOBE, _COMMENT, _SCAN = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xDA
# How a piece of a colour profile begins; its number and the count of pieces follow, a byte each.
_PROFILE_BEGINS = b"ICC_PROFILE\0"
# Segments of programs that pixels need, by marker: how they begin, and the fewest bytes of a whole
# one. The first and the last say what the colours are, and Exif may turn the picture.
_NEEDED = {_JFIF: (b"JFIF\0", 14), _EXIF: (b"Exif\0\0", 14), _ADOBE: (b"Adobe", 12)}
# Markers of a header of the frame. Of these, only some codings are decoded.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_LOSSLESS, _HIERARCHICAL = {0xC3, 0xCB}, {0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF}
_JPEG_LS = 0xF7


class _Segment(NamedTuple):
    marker: int
    body: memoryview
    whole: memoryview  # with its marker and its length


def without_side_segments(data: bytes) -> bytes:
    """The JPEG with only those segments that its pixels need, and Exif's, which may turn them.

    Colour profiles (see `profile`), texts, previews and further pictures are left out, and damaged
    segments of programs, as viewers do.
    """
    kept: list[memoryview] = [memoryview(data)[:2]]
    at = 2
    for segment in _segments(data):
        at += len(segment.whole)
        if not 0xE0 <= segment.marker <= 0xEF and segment.marker != _COMMENT:
            kept.append(segment.whole)
        elif segment.marker in _NEEDED:
            begins, fewest = _NEEDED[segment.marker]
            if len(segment.body) >= fewest and bytes(segment.body[: len(begins)]) == begins:
                kept.append(segment.whole)
    return b"".join([*kept, memoryview(data)[at:]])


def profile(data: bytes) -> bytes | None:
    """The colour profile, put together from its pieces; None without one, or if one is missing."""
    begin = len(_PROFILE_BEGINS)
    pieces = {
        segment.body[begin]: segment.body
        for segment in _segments(data)
        if segment.marker == _PROFILE
        and len(segment.body) > begin + 2
        and segment.body[:begin] == _PROFILE_BEGINS
    }
    if not pieces or set(pieces) != set(range(1, pieces[min(pieces)][begin + 1] + 1)):
        return None
    return b"".join(bytes(pieces[number][begin + 2 :]) for number in sorted(pieces))


def unsupported(data: bytes) -> Sentence | None:
    """What a JPEG that can't be decoded is, such as "a lossless JPEG". None: it is damaged."""
    frame = next((segment for segment in _segments(data) if segment.marker in _FRAMES), None)
    if frame is None or len(frame.body) < 6:
        return None
    bits, channels = frame.body[0], frame.body[5]
    if frame.marker == _JPEG_LS:
        return Sentence("a JPEG-LS picture")
    if frame.marker in _LOSSLESS:
        return Sentence("a lossless JPEG")
    if frame.marker in _HIERARCHICAL:
        return Sentence("a hierarchical JPEG")
    if 8 < bits <= 16:
        return Sentence("a JPEG with {bits} bits a colour", bits=bits)
    if not any(frame.body[1:3]):
        return Sentence("a JPEG that names its height only at its end")
    if channels in (2, 5, 6):
        return Sentence("a JPEG of {n} channels", n=channels)
    return None


class _Scan(NamedTuple):
    at: int  # of its marker
    component: int  # its first one
    frequency: int  # its highest one
    bit: int  # down to this one; 0 is the lowest


def finest(data: bytes) -> tuple[bytes, bytes] | None:
    """A progressive JPEG that was cut off: ended where it is, and ended before its finest scan.

    The finest scan brings the last bit of brightness, and is most of the file. Where the two differ
    it was read. None when it has not begun.
    """
    scans = list(_scans(data))
    for scan in scans:
        if (scan.component, scan.frequency, scan.bit) == (scans[0].component, 63, 0):
            return data + _END, data[: scan.at] + _END
    return None


def _scans(data: bytes) -> Iterator[_Scan]:
    at = data.find(_SCAN_BEGINS)
    while at >= 0:
        body = data[at + 4 : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
        if len(body) >= 6:
            yield _Scan(at, body[1], body[-2], body[-1] & 15)
        at = data.find(_SCAN_BEGINS, at + 2)


def has_pixels(data: bytes) -> bool:
    """Whether the header is followed by pixels, whole or not."""
    at = 2 + sum(len(segment.whole) for segment in _segments(data))
    return data[at : at + 2] == _SCAN_BEGINS


def _segments(data: bytes) -> Iterator[_Segment]:
    """The segments up to the pixels, without gaps, or up to one that can't be told from noise."""
    view, at = memoryview(data), 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        start = at
        while at + 4 <= len(data) and data[at] == 0xFF:  # any number of them may come first
            at += 1
        marker, length = data[at], int.from_bytes(view[at + 1 : at + 3], "big")
        begin, at = at + 3, at + 1 + length
        if not _has_body(marker) or length < 2 or at > len(data):
            return
        yield _Segment(marker, view[begin:at], view[start:at])


def _has_body(marker: int) -> bool:
    """Whether a segment follows the marker, and no pixels, no end, and nothing at all."""
    return marker >= 0xC0 and not 0xD0 <= marker <= 0xD9 and marker != _SCAN
