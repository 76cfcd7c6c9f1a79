"""Which kind of video a file is, by its first bytes."""

from __future__ import annotations

# How long a beginning `container_of` wants to see: three packets of a transport stream.
HEAD_BYTES = 1024

# The boxes that a file of the MP4 family may begin with.
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
# Brands of files of that family that are pictures, and are read by other decoders.
_PICTURES = (b"avif", b"avis", b"heic", b"heix", b"heif", b"mif1", b"msf1", b"hevc", b"hevx")
_PICTURES_TOO = (b"heim", b"heis", b"jxl ", b"crx ")
_PACKET = 188  # bytes of a packet of a transport stream, each of which begins with its mark
_ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"


def container_of(head: bytes) -> str | None:
    """What FFmpeg calls the kind of video that begins with these bytes; None: it is no video.

    No other kind is tried on it. FFmpeg itself would take a text for a list of other files.
    """
    if head[4:8] in _BOXES:
        return None if head[8:12] in (*_PICTURES, *_PICTURES_TOO) else "mov"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    if head.startswith(b"FLV\x01"):
        return "flv"
    if head.startswith(b"\0\0\x01\xba"):
        return "mpeg"
    if head.startswith(_ASF):
        return "asf"
    if head.startswith(b"OggS"):
        return "ogg"
    marks = head[::_PACKET][:4]
    return "mpegts" if len(marks) == 4 and set(marks) == {0x47} else None
