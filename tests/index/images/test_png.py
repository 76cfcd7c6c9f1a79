"""PNGs with much or with damaged data beside their pixels are read as viewers read them."""

from __future__ import annotations

import struct
import zlib

import pytest
from PIL import Image

from checks.fuzzing.files import PNG_SIGNATURE, chunks, png_of
from index.images.decode import decode
from index.images.orientation import ORIENTATION
from index.types.errors import PictureBroken
from tests.index.colours import encoded
from tests.index.images import quadrants

SIDE = 32
MEGABYTES = zlib.compress(b"workflow of a program " * 200_000)
DAMAGED = b"\x78\x9c" + b"\xff" * 40  # begins as zlib does


def _raw(name: bytes, body: bytes, checksum: int | None = None) -> bytes:
    check = zlib.crc32(name + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)


def _with(extra: bytes, where: str) -> bytes:
    whole = encoded(quadrants.picture(), "PNG")
    at = whole.index(b"IDAT") - 4 if where == "before" else len(whole) - 12
    return whole[:at] + extra + whole[at:]


@pytest.mark.parametrize("where", ["before", "behind"])
@pytest.mark.parametrize(
    "extra",
    [
        _raw(b"zTXt", b"workflow\0\0" + MEGABYTES),
        _raw(b"iTXt", b"workflow\0\1\0\0\0" + MEGABYTES),
        _raw(b"iCCP", b"profile\0\0" + MEGABYTES),
        _raw(b"tEXt", b"workflow\0" + b"x" * 70_000_000),
        _raw(b"zTXt", b"broken\0\0" + DAMAGED),
        _raw(b"zTXt", b"another method\0\7" + DAMAGED),
        _raw(b"iTXt", b"broken\0\1\0\0\0" + DAMAGED),
        _raw(b"iTXt", b"ends here"),
        _raw(b"iCCP", b"broken\0\0" + DAMAGED),
        _raw(b"iCCP", b"another method\0\7" + DAMAGED),
        _raw(b"iCCP", b""),
        _raw(b"gAMA", b"\0"),
        _raw(b"cHRM", b"\0" * 5),
        _raw(b"sRGB", b""),
        _raw(b"pHYs", b"\0"),
        _raw(b"tEXt", b"a\0b", checksum=1),
        _raw(b"tIME", bytes(7), checksum=1),
        _raw(b"eXIf", b"II*\0\xff\xff\xff\xff\xff"),
        _raw(b"eXIf", b""),
        _raw(b"tRNS", b"\0"),
        _raw(b"acTL", b"\0"),
        _raw(b"abCd", b"of a program's own"),
    ],
    ids=lambda extra: f"{extra[4:8].decode()} of {len(extra)}",
)
def test_what_stands_beside_the_pixels_spoils_nothing(extra: bytes, where: str) -> None:
    (frame,) = decode(_with(extra, where), SIDE).frames
    assert quadrants.quarters(frame) == quadrants.UPRIGHT


def test_a_side_chunk_that_is_cut_off_behind_the_pixels_spoils_nothing() -> None:
    cut = _with(_raw(b"tEXt", b"a\0" + b"b" * 500), "behind")[:-300]
    (frame,) = decode(cut, SIDE).frames
    assert quadrants.quarters(frame) == quadrants.UPRIGHT


@pytest.mark.parametrize("name", [b"IHDR", b"PLTE"])
def test_pixels_with_a_wrong_checksum_are_damaged(name: bytes) -> None:
    data = bytearray(encoded(quadrants.picture().quantize(8), "PNG"))
    data[data.index(name) + 4 + (name == b"PLTE")] ^= 1
    with pytest.raises(PictureBroken):
        decode(bytes(data), SIDE)


def test_exif_with_a_wrong_checksum_turns_nothing() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = encoded(quadrants.picture(), "PNG", exif=exif)
    assert decode(data, SIDE).orientation == 6
    at = data.index(b"eXIf")
    broken = data[: at + 6] + b"\x55" + data[at + 7 :]
    decoded = decode(broken, SIDE)
    assert (decoded.width, decoded.height) == quadrants.SIZE
    assert decoded.orientation == 1


def test_transparency_with_a_wrong_checksum_is_left_out() -> None:
    data = encoded(quadrants.picture(), "PNG", transparency=quadrants.RED)
    white, *others = quadrants.quarters(decode(data, SIDE).frames[0])
    assert (white, others) == ("white", quadrants.UPRIGHT[1:])
    at = data.index(b"tRNS")
    broken = data[: at + 12] + b"\x55" + data[at + 13 :]  # in its checksum
    assert quadrants.quarters(decode(broken, SIDE).frames[0]) == quadrants.UPRIGHT


def test_an_animation_ends_before_a_damaged_frame() -> None:
    others = [Image.new("RGB", quadrants.SIZE, colour) for colour in ("navy", "gold")]
    data = encoded(quadrants.picture(), "PNG", save_all=True, append_images=others)
    assert decode(data, SIDE).n_frames == 3
    parts = list(chunks(data))
    last = max(number for number, (name, _) in enumerate(parts) if name == b"fdAT")
    before = png_of(parts[:last])
    broken = (
        before + _raw(*parts[last], checksum=1) + png_of(parts[last + 1 :])[len(PNG_SIGNATURE) :]
    )
    decoded = decode(broken, SIDE)
    assert (decoded.n_frames, decoded.partial) == (2, True)
    assert quadrants.quarters(decoded.frames[0]) == quadrants.UPRIGHT
