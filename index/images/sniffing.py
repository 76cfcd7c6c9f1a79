"""The kind of a file, by its first bytes: a known picture format, or another kind."""

from __future__ import annotations

from index.images.heif import is_heif
from index.images.lottie import is_lottie
from index.types.sentences import Sentence

# How the picture formats that are read here begin. WebP, AVIF and HEIC have a length in front.
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_KNOWN = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", *_TIFF)
_JPEG_2000 = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_OTHERS = (b"\0\0\1\0", b"8BPS\0\1", b"qoif", *_JPEG_2000)
_TGA_END = b"TRUEVISION-XFILE.\0"


def is_known_format(data: bytes) -> bool:
    """Whether the bytes begin like a picture of a format that is read here."""
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return (
        data.startswith((*_KNOWN, *_OTHERS))
        or webp
        or is_avif(data)
        or is_heif(data)
        or is_ppm(data)
        or is_tga(data)
        or is_lottie(data)
    )


def is_ppm(data: bytes) -> bool:
    """Whether it begins like a picture of the PPM family of which the pixels are read."""
    return data[:1] == b"P" and data[1:2] in b"123456fF" and data[2:3].isspace()


def is_tga(data: bytes) -> bool:
    """Whether it ends as a TGA does. Its beginning has no mark."""
    return data.endswith(_TGA_END)


def is_avif(data: bytes) -> bool:
    """Whether it names AVIF among its brands, four bytes each, of which the second is a number."""
    brands = data[8 : min(int.from_bytes(data[:4], "big"), 400)]
    named = {brands[at : at + 4] for at in range(0, len(brands), 4)}
    return data[4:8] == b"ftyp" and not named.isdisjoint((b"avif", b"avis"))


# How formats begin and end; and how much is looked through for the end, since some programs write
# more behind it.
_ENDS = (
    (b"\xff\xd8", b"\xff\xd9"),
    (b"\x89PNG", b"IEND"),
    (b"GIF8", b"\0;"),
    (b"qoif", bytes(7) + b"\1"),
    *((begins, b"\xff\xd9") for begins in _JPEG_2000),
)
MAX_BEHIND_END = 2**20


def is_cut_off(data: bytes) -> bool:
    """Whether a picture that couldn't be decoded ends too early, by its length or its last bytes.

    The decoders of WebP and AVIF don't report it, the others not always. TIFF and BMP have no end.
    """
    for begins, ends in _ENDS:
        if data.startswith(begins):
            return ends not in data[-MAX_BEHIND_END:]
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


# First bytes of other files, their kind, and whether it is a picture all the same.
_MAGIC: tuple[tuple[bytes, Sentence, bool], ...] = (
    (b"%PDF", Sentence("a PDF document"), False),
    (b"8BPS\0\2", Sentence("a large Photoshop document (PSB)"), True),
    (b"8BPS", Sentence("a Photoshop document"), True),
    (b"gimp xcf", Sentence("a GIMP document"), True),
    (b"PK\x03\x04", Sentence("an archive or office document"), False),
    (b"\x1f\x8b", Sentence("a compressed file"), False),
    (b"Rar!", Sentence("an archive"), False),
    (b"7z\xbc\xaf", Sentence("an archive"), False),
    (b"\x1aE\xdf\xa3", Sentence("a video"), False),
    (b"FLV", Sentence("a video"), False),
    (b"\0\0\x01\xba", Sentence("a video"), False),
    (b"OggS", Sentence("a sound or video file"), False),
    (b"ID3", Sentence("a sound file"), False),
    (b"fLaC", Sentence("a sound file"), False),
    (b"\xff\x0a", Sentence("a JPEG XL picture"), True),
    (b"\0\0\0\x0cJXL ", Sentence("a JPEG XL picture"), True),
    (b"II\xbc\x01", Sentence("a JPEG XR picture"), True),
    (b"\0\0\x02\0", Sentence("a mouse pointer"), True),
    (b"BA", Sentence("a collection of OS/2 bitmaps"), True),
    (b"DDS ", Sentence("a DDS texture"), True),
    (b"v/1\x01", Sentence("an OpenEXR picture"), True),
    (b"#?RADIANCE", Sentence("a Radiance HDR picture"), True),
    (b"\x8aMNG", Sentence("an MNG animation"), True),
    (b"\x8bJNG", Sentence("a JNG picture"), True),
    (b"%!PS", Sentence("a PostScript drawing"), True),
    (b"\xc5\xd0\xd3\xc6", Sentence("a PostScript drawing"), True),
    (b"FUJIFILMCCD-RAW", Sentence("a camera's raw photograph"), True),
    (b"IIU\0", Sentence("a camera's raw photograph"), True),
    (b"IIRO", Sentence("a camera's raw photograph"), True),
    (b"IIRS", Sentence("a camera's raw photograph"), True),
    (b"MMOR", Sentence("a camera's raw photograph"), True),
    (b"II\x1a\0\0\0HEAPCCDR", Sentence("a camera's raw photograph"), True),
    (b"icns", Sentence("a collection of icons"), True),
    (b"\x01\xda", Sentence("an SGI picture"), True),
    (b"\x0a\x05\x01", Sentence("a PCX picture"), True),
    (b"\xd7\xcd\xc6\x9a", Sentence("a Windows metafile"), True),
    (b"\1\0\0\0\x6c\0\0\0", Sentence("a Windows metafile"), True),
    (b"SQLite format 3\0", Sentence("a database"), False),
    (b"\x7fELF", Sentence("a program"), False),
    (b"MZ", Sentence("a program"), False),
)


def described(data: bytes) -> tuple[Sentence, bool]:
    """What the bytes are when they aren't a picture that is read here.

    returns   such as ("a HEIC photograph", True); True: it is a picture all the same
    """
    if _is_tga_without_mark(data):
        return Sentence("a TGA picture without the mark at its end"), True
    for magic, found, picture in _MAGIC:
        if data.startswith(magic):
            return found, picture
    if data[:1] == b"P" and data[1:2] in b"1234567" and data[2:3].isspace():
        return Sentence("a picture of the PPM family"), True
    if data[4:8] == b"ftyp":
        raw = data[8:12] == b"crx "
        if raw:
            return Sentence("a camera's raw photograph"), True
        return Sentence("a video"), False
    if data[:4] == b"RIFF":
        sound = data[8:12] == b"WAVE"
        return Sentence("a sound file") if sound else Sentence("a video"), False
    return _described_text(data[:4096])


def _is_tga_without_mark(data: bytes) -> bool:
    """Whether the numbers of a TGA's header make sense: palette, kind, bits a pixel, edges."""
    if len(data) < 18 or data[17] & 0xC0:
        return False
    if (data[2] not in (1, 9) or data[1] != 1) and any((data[1], *data[3:8])):
        return False
    edges = (int.from_bytes(data[at : at + 2], "little") for at in (12, 14))
    return data[2] in (1, 2, 3, 9, 10, 11) and data[16] in (8, 15, 16, 24, 32) and all(edges)


def _described_text(head: bytes) -> tuple[Sentence, bool]:
    try:
        text = head.decode("utf-8").lower()
    except UnicodeDecodeError as exc:
        if exc.start < len(head) - 3:  # the end may cut a letter in two
            return Sentence("data of an unknown kind"), False
        text = head[: exc.start].decode("utf-8").lower()
    if "\0" in text:
        return Sentence("data of an unknown kind"), False
    if "<svg" in text:
        return Sentence("an SVG drawing"), True
    if "<!doctype html" in text or "<html" in text:
        return Sentence("a web page"), False
    if text.lstrip().startswith(("{", "[")):
        return Sentence("JSON data"), False
    return Sentence("text"), False
