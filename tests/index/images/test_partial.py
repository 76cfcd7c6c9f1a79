"""Of a damaged picture is read what can be seen, if it is enough; and it is called partial."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from index.images import decoders, partial
from index.images.decode import decode
from index.types.errors import PictureBroken
from tests.index.colours import encoded

SIDE = 64
END_OF_TGA = b"TRUEVISION-XFILE.\0"
STILLS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG": ("JPEG", {"quality": 90}),
    "progressive JPEG": ("JPEG", {"quality": 90, "progressive": True}),
    "JPEG of inks": ("JPEG", {"quality": 90}),
    "PNG": ("PNG", {}),
    "PNG with alpha": ("PNG", {}),
    "palette": ("PNG", {}),
    "grey": ("PNG", {}),
    "GIF": ("GIF", {}),
    "BMP": ("BMP", {}),
    "TIFF": ("TIFF", {}),
    "PPM": ("PPM", {}),
    "QOI": ("QOI", {}),
    "TGA": ("TGA", {}),
}
MODES = {"JPEG of inks": "CMYK", "PNG with alpha": "RGBA", "palette": "P", "grey": "L"}


def _picture(photographs: dict[str, bytes]) -> Image.Image:
    return Image.open(io.BytesIO(photographs["coffee.png"])).convert("RGB").resize((300, 200))


def _file(photographs: dict[str, bytes], name: str) -> bytes:
    format, options = STILLS[name]
    return encoded(_picture(photographs).convert(MODES.get(name, "RGB")), format, **options)


def _cut(whole: bytes, share: float) -> bytes:
    end = END_OF_TGA if whole.endswith(END_OF_TGA) else b""
    return whole[: int(len(whole) * share)] + end


@pytest.mark.parametrize("name", STILLS)
def test_a_picture_without_its_last_bytes_is_read(photographs: dict[str, bytes], name: str) -> None:
    whole = _file(photographs, name)
    full = decode(whole, SIDE)
    assert not full.partial
    part = decode(_cut(whole, 0.93), SIDE)
    assert part.partial
    assert (part.width, part.height) == (full.width, full.height)
    a, b = (np.asarray(each.frames[0], np.int16) for each in (full, part))
    bottom_up = name in ("BMP", "TGA")
    rows = slice(len(a) // 4, None) if bottom_up else slice(0, len(a) * 3 // 4)
    assert np.abs(a[rows] - b[rows]).mean() < 3
    # Nothing that isn't there is made up: the rest is grey.
    rest = b[0] if bottom_up else b[-1]
    assert name == "progressive JPEG" or np.abs(rest - partial.MISSING).max() < 12


@pytest.mark.parametrize("name", STILLS)
def test_half_a_file_is_refused(photographs: dict[str, bytes], name: str) -> None:
    whole = _file(photographs, name)
    with pytest.raises(PictureBroken) as broken:
        decode(_cut(whole, 0.5), SIDE)
    assert broken.value.reason == "it is cut off before its end"


def test_damage_near_the_end_costs_only_what_comes_behind_it(
    photographs: dict[str, bytes],
) -> None:
    whole = bytearray(_file(photographs, "PNG"))
    at = int(len(whole) * 0.9)
    whole[at : at + 50] = bytes(50)
    assert decode(bytes(whole), SIDE).partial


def _animation(photographs: dict[str, bytes], format: str) -> bytes:
    pixels = np.asarray(_picture(photographs))
    first, *others = [Image.fromarray(np.roll(pixels, 40 * turn, 1)) for turn in range(7)]
    return encoded(first, format, save_all=True, append_images=others, duration=50)


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_an_animation_keeps_the_frames_before_the_damage(
    photographs: dict[str, bytes], format: str
) -> None:
    whole = _animation(photographs, format)
    full = decode(whole, SIDE)
    assert not full.partial
    part = decode(whole[: int(len(whole) * 0.6)], SIDE)
    assert part.partial
    assert 2 <= len(part.frames) <= len(full.frames)
    assert part.frames[0].tobytes() == full.frames[0].tobytes()


def test_frames_of_a_png_before_a_wrong_checksum_are_kept(photographs: dict[str, bytes]) -> None:
    whole = bytearray(_animation(photographs, "PNG"))
    whole[whole.rindex(b"fdAT") + 30] ^= 1
    part = decode(bytes(whole), SIDE)
    assert (part.n_frames, part.partial) == (6, True)


def test_a_confined_decoder_says_so_too(photographs: dict[str, bytes]) -> None:
    whole = _file(photographs, "JPEG")
    assert not decoders.decode(whole, SIDE).partial
    assert decoders.decode(_cut(whole, 0.9), SIDE).partial
