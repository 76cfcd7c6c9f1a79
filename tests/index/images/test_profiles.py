"""Pictures with colour profiles have the colours that browsers show."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from checks.fuzzing import icc
from index.images import decoders, profiles
from index.images.decode import decode
from index.images.heif import FORMAT as HEIF
from tests.index.colours import encoded
from tests.index.images import quadrants

SIDE = 64
BICUBIC = int(Image.Resampling.BICUBIC)


def _photo(photographs: dict[str, bytes]) -> Image.Image:
    photo = Image.open(io.BytesIO(photographs["chelsea.png"])).convert("RGB")
    photo.info.clear()  # of its own profile
    return photo


def _frame(data: bytes) -> Image.Image:
    return decode(data, SIDE, resample=BICUBIC).frames[0]


def _difference(a: Image.Image, b: Image.Image) -> float:
    return float(np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)).mean())


def _p3(image: Image.Image, format: str, **options: object) -> bytes:
    stored = icc.in_colours_of(image, icc.DISPLAY_P3)
    return encoded(stored, format, icc_profile=icc.of_rgb(icc.DISPLAY_P3), **options)


P3_POINTS = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
BT2020 = np.array([[0.6734, 0.2790, -0.0019], [0.1656, 0.6753, 0.0299], [0.1251, 0.0456, 0.7971]])


def _with_chunks(image: Image.Image, **bodies: bytes) -> bytes:
    """A PNG with these chunks before its pixels."""
    data = encoded(image)
    at = 8 + 25  # behind its mark and IHDR
    for name, body in bodies.items():
        named = name.encode() + body
        checked = struct.pack(">I", len(body)) + named + struct.pack(">I", zlib.crc32(named))
        data = data[:at] + checked + data[at:]
    return data


def _gamma(gamma: float) -> bytes:
    return struct.pack(">I", round(100_000 / gamma))


def _points() -> bytes:
    return struct.pack(">8I", *(round(100_000 * number) for number in P3_POINTS))


def _coded(image: Image.Image, format: str, primaries: int, curve: int) -> bytes:
    """A HEIC or AVIF that names these numbers."""
    options = {"chroma": 444} if format == HEIF else {"subsampling": "4:4:4"}
    data = encoded(image, format, quality=95, **options)
    plain, named = (b"nclx" + struct.pack(">HH", *both) for both in ((1, 13), (primaries, curve)))
    assert plain in data
    return data.replace(plain, named)


def _in_p3(image: Image.Image) -> Image.Image:
    return icc.in_colours_of(image, icc.DISPLAY_P3)


def _in_pq(image: Image.Image) -> Image.Image:
    """A picture as high dynamic range, whose white has 203 candela a square metre."""
    light = icc.linear(np.asarray(image)) @ icc.SRGB @ np.linalg.inv(BT2020)
    root = (light.clip(0, 1) * 203 / 10_000) ** (2610 / 16384)
    part = (3424 / 4096 + 2413 / 128 * root) / (1 + 2392 / 128 * root)
    return Image.fromarray((255 * part ** (2523 / 32)).round().astype(np.uint8))


WAYS: dict[str, Callable[[Image.Image], bytes]] = {
    "Display P3, PNG": lambda image: _p3(image, "PNG"),
    "Display P3, JPEG": lambda image: _p3(image, "JPEG", quality=95),
    "Display P3, WebP": lambda image: _p3(image, "WEBP", quality=95),
    "Display P3, AVIF": lambda image: _p3(image, "AVIF", quality=95, subsampling="4:4:4"),
    "Display P3, TIFF": lambda image: _p3(image, "TIFF"),
    "Display P3, HEIC": lambda image: _p3(image, HEIF, quality=95, chroma=444),
    "Adobe RGB": lambda image: encoded(
        icc.in_colours_of(image, icc.ADOBE_RGB, icc.ADOBE_GAMMA),
        icc_profile=icc.of_rgb(icc.ADOBE_RGB, icc.ADOBE_GAMMA),
    ),
    "light itself": lambda image: encoded(
        icc.in_colours_of(image, icc.SRGB, 1.0), icc_profile=icc.of_rgb(icc.SRGB, 1.0)
    ),
    "XYB": lambda image: encoded(
        icc.to_xyb(image), "JPEG", quality=98, keep_rgb=True, icc_profile=icc.of_xyb()
    ),
    "Display P3 by numbers, PNG": lambda image: _with_chunks(
        _in_p3(image), cICP=bytes((12, 13, 0, 1)), iCCP=b"noise"
    ),
    "Display P3 by numbers, HEIC": lambda image: _coded(_in_p3(image), HEIF, 12, 13),
    "Display P3 by numbers, AVIF": lambda image: _coded(_in_p3(image), "AVIF", 12, 13),
    "Display P3 by chromaticities": lambda image: _with_chunks(
        _in_p3(image), gAMA=_gamma(2.2), cHRM=_points()
    ),
    "light itself, by gamma": lambda image: _with_chunks(
        icc.in_colours_of(image, icc.SRGB, 1.0), gAMA=_gamma(1.0)
    ),
    "an old Mac's gamma": lambda image: _with_chunks(
        icc.in_colours_of(image, icc.SRGB, 1.8), gAMA=_gamma(1.8)
    ),
    "high dynamic range, AVIF": lambda image: _coded(_in_pq(image), "AVIF", 9, 16),
    "sRGB with its mark": lambda image: _with_chunks(image, sRGB=b"\0", gAMA=_gamma(1.0)),
    "a screen's gamma": lambda image: _with_chunks(image, gAMA=_gamma(2.2)),
    "no gamma": lambda image: _with_chunks(image, gAMA=bytes(4)),
    "chromaticities that make no sense": lambda image: _with_chunks(
        image, gAMA=_gamma(2.2), cHRM=bytes(32)
    ),
    "chromaticities on a line": lambda image: _with_chunks(
        image, gAMA=_gamma(2.2), cHRM=struct.pack(">8I", *[31270, 32900] * 4)
    ),
    "numbers that nobody knows": lambda image: _coded(image, "AVIF", 99, 99),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_looks_the_same_whatever_its_numbers_mean(
    photographs: dict[str, bytes], way: str
) -> None:
    photo = _photo(photographs)
    assert _difference(_frame(WAYS[way](photo)), _frame(encoded(photo))) < 3


@pytest.mark.parametrize("size", [(451, 300), (2000, 1330)])
def test_a_frame_is_what_the_model_makes_of_the_picture_in_srgb(
    photographs: dict[str, bytes], size: tuple[int, int]
) -> None:
    data = _p3(_photo(photographs).resize(size, Image.Resampling.BICUBIC), "PNG")
    stored = Image.open(io.BytesIO(data))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(stored.info["icc_profile"]))
    shown = ImageCms.profileToProfile(stored, profile, ImageCms.createProfile("sRGB"))
    assert shown is not None
    del shown.info["icc_profile"]
    assert _difference(_frame(data), _frame(encoded(shown))) < 0.6


@pytest.mark.parametrize("by", ["profile", "gamma"])
def test_fine_patterns_of_light_itself_are_as_dark_as_in_srgb(by: str) -> None:
    """Black and white that are made one grey: the mean of light is another one than sRGB's."""
    lines = np.zeros((256, 256, 3), np.uint8)
    lines[::2] = 255  # the same numbers in both
    picture = Image.fromarray(lines)
    data = (
        encoded(picture, icc_profile=icc.of_rgb(icc.SRGB, 1.0))
        if by == "profile"
        else _with_chunks(picture, gAMA=_gamma(1.0))
    )
    assert _difference(_frame(data), _frame(encoded(picture))) < 3


def test_a_grey_picture_with_its_curve() -> None:
    ramp = Image.linear_gradient("L").resize((64, 64))
    stored = ramp.point([round(255 * (value / 255) ** 0.5) for value in range(256)])
    frame = decode(encoded(stored, icc_profile=icc.of_grey(2.0)), SIDE).frames[0]
    light = (np.asarray(stored) / 255.0) ** 2
    assert np.abs(np.asarray(frame)[..., 0] - 255 * icc.unlinear(light)).max() < 3


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_inks_are_seen_as_their_printer_prints_them(format: str) -> None:
    inks = np.array([[0.1, 0.8, 0.7, 0.0], [0.7, 0.1, 0.1, 0.1], [0.0, 0.0, 0.0, 0.6]])
    stored = Image.fromarray(
        (np.repeat(inks[None], 64, 0).repeat(32, 1) * 255).astype(np.uint8), "CMYK"
    )
    quality = {"quality": 98} if format == "JPEG" else {}
    data = encoded(stored, format, icc_profile=icc.of_printer(), **quality)
    frame = decode(data, SIDE).frames[0]
    expected = 255 * icc.unlinear(icc.printed(inks))
    for place, colour in zip((16, 48, 80), expected, strict=True):
        assert np.abs(np.subtract(frame.getpixel((place, 32)), colour)).max() < 12  # type: ignore[arg-type]
    plain = decode(encoded(stored, format, **quality), SIDE).frames[0]
    assert _difference(frame, plain) > 15


def test_transparency_and_palettes_keep_their_places() -> None:
    profile = icc.of_rgb(icc.DISPLAY_P3)
    stored = icc.in_colours_of(quadrants.picture(), icc.DISPLAY_P3)
    clear = stored.convert("RGBA")
    clear.paste((0, 0, 0, 0), (48, 32, 96, 64))
    frame = decode(encoded(clear, icc_profile=profile), SIDE).frames[0]
    assert quadrants.quarters(frame) == [*quadrants.UPRIGHT[:3], "white"]
    palette = stored.quantize(4)
    assert quadrants.quarters(decode(encoded(palette, icc_profile=profile), SIDE).frames[0]) == (
        quadrants.UPRIGHT
    )


def _changed(at: int, content: bytes) -> bytes:
    whole = icc.of_rgb(icc.DISPLAY_P3)
    return whole[:at] + content + whole[at + len(content) :]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    "profile",
    [
        b"noise" * 99,
        icc.of_rgb(icc.DISPLAY_P3)[:300],
        icc.of_rgb(icc.DISPLAY_P3)[:128],
        icc.of_printer(),
        icc.of_grey(1.0),
        _changed(128, b"\x7f\xff\xff\xff"),
        _changed(36, b"none"),
        icc.of_rgb(icc.DISPLAY_P3) + bytes(profiles.MAX_BYTES),
    ],
    ids=["noise", "cut off", "header", "of inks", "of grey", "tags", "no mark", "large"],
)
def test_a_profile_that_cannot_be_used_is_left_out(format: str, profile: bytes) -> None:
    data = encoded(quadrants.picture(), format, icc_profile=profile)
    plain = encoded(quadrants.picture(), format)
    assert decode(data, SIDE).frames[0].tobytes() == decode(plain, SIDE).frames[0].tobytes()


def test_srgb_by_another_name_changes_nothing(photographs: dict[str, bytes]) -> None:
    photo = _photo(photographs)
    data = encoded(photo, icc_profile=icc.of_rgb(icc.SRGB))
    assert _frame(data).tobytes() == _frame(encoded(photo)).tobytes()


def test_a_profile_is_worked_out_once() -> None:
    profiles._profile.cache_clear()
    for colour in ("red", "blue", "lime"):
        decode(_p3(Image.new("RGB", (40, 40), colour), "PNG"), SIDE)
    assert profiles._profile.cache_info().misses == 1


def test_a_confined_decoder_sees_the_same_colours() -> None:
    for way in WAYS.values():
        data = way(quadrants.picture())
        within = decode(data, SIDE).frames[0]
        assert decoders.decode(data, SIDE).frames[0].tobytes() == within.tobytes()
