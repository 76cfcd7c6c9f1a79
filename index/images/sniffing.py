"""The kind of a file, by its first bytes: a known picture format, or another kind."""

from __future__ import annotations

# How the picture formats that are read here begin. WebP and AVIF have a length in front.
_KNOWN = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")


def is_known_format(data: bytes) -> bool:
    """Whether the bytes begin like a picture of a format that is read here."""
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return data.startswith(_KNOWN) or webp or data[4:12] in (b"ftypavif", b"ftypavis")


def is_cut_off(data: bytes) -> bool:
    """Whether a WebP or AVIF is shorter than its header says. Their decoders don't report it."""
    if data[:4] == b"RIFF":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if data[4:8] != b"ftyp":
        return False
    end = 0
    while 0 <= end < len(data):  # box after box, each begins with its length
        length = int.from_bytes(data[end : end + 4], "big")
        if length < 8:  # 0: to the end; 1: a 64-bit length, which no picture needs
            return False
        end += length
    return end > len(data)


_SAVE_AS = "; save it as PNG or JPEG first"
# First bytes of other files, their kind, and the advice.
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF document", ""),
    (b"8BPS", "a Photoshop document", _SAVE_AS),
    (b"PK\x03\x04", "an archive or office document", ""),
    (b"\x1f\x8b", "a compressed file", ""),
    (b"Rar!", "an archive", ""),
    (b"7z\xbc\xaf", "an archive", ""),
    (b"\x1aE\xdf\xa3", "a video", ""),
    (b"FLV", "a video", ""),
    (b"\0\0\x01\xba", "a video", ""),
    (b"OggS", "a sound or video file", ""),
    (b"ID3", "a sound file", ""),
    (b"fLaC", "a sound file", ""),
    (b"\xff\x0a", "a JPEG XL picture", _SAVE_AS),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", _SAVE_AS),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", _SAVE_AS),
    (b"\0\0\x01\0", "an icon file", _SAVE_AS),
    (b"SQLite format 3\0", "a database", ""),
    (b"\x7fELF", "a program", ""),
    (b"MZ", "a program", ""),
)


def described(data: bytes) -> tuple[str, str]:
    """What the bytes are when they aren't a picture that is read here, and advice, or "".

    returns   such as ("a HEIC photograph", "; save it as PNG or JPEG first")
    """
    for magic, found, advice in _MAGIC:
        if data.startswith(magic):
            return found, advice
    if data[4:8] == b"ftyp":
        still = data[8:12] in (b"heic", b"heix", b"heif", b"mif1", b"hevc", b"msf1")
        return ("a HEIC photograph", _SAVE_AS) if still else ("a video", "")
    if data[:4] == b"RIFF":
        return ("a sound file" if data[8:12] == b"WAVE" else "a video"), ""
    return _described_text(data[:4096])


def _described_text(head: bytes) -> tuple[str, str]:
    try:
        text = head.decode("utf-8").lower()
    except UnicodeDecodeError as exc:
        if exc.start < len(head) - 3:  # the end may cut a letter in two
            return "data of an unknown kind", ""
        text = head[: exc.start].decode("utf-8").lower()
    if "\0" in text:
        return "data of an unknown kind", ""
    if "<svg" in text:
        return "an SVG drawing", _SAVE_AS
    if "<!doctype html" in text or "<html" in text:
        return "a web page", ""
    if text.lstrip().startswith(("{", "[")):
        return "JSON data", ""
    return "text", ""
