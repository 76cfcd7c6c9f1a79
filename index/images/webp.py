"""A WebP without what was cut off or damaged behind its first frames.

source   https://developers.google.com/speed/webp/docs/riff_container
"""

from __future__ import annotations

_HEAD = 12  # RIFF, a length, WEBP
_FRAME = b"ANMF"


def mended(data: bytes) -> tuple[bytes, bool]:
    """The WebP, and whether frames behind its first ones had to be left out.

    The decoder refuses an animation that is cut off, whose first frames may be whole.
    """
    if int.from_bytes(data[4:8], "little") + 8 <= len(data) or data[12:16] != b"VP8X":
        return data, False
    at, frames = _HEAD, 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        if end > len(data):
            break
        frames += data[at : at + 4] == _FRAME
        at = end
    if not frames:
        return data, False
    return data[:4] + (at - 8).to_bytes(4, "little") + data[8:at], True
