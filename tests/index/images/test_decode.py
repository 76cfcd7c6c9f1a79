"""Bytes to frames: all formats come out unchanged, all refusals have their reason."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from index.images import decode as decode_module
from index.images.animation import EVENLY_SPREAD, MAX_FRAMES, Tiny, tiny
from index.images.colour import DARK, WHITE
from index.images.decode import Limits, decode
from index.images.orientation import ORIENTATION, upright
from index.images.refusals import REASONS
from index.images.resize import MAX_ASPECT
from index.types.errors import (
    NotAPicture,
    PictureBroken,
    PictureError,
    PictureTooLarge,
    PictureTooSlow,
    PictureUnsupported,
)
from tests.index.colours import encoded, png

SIDE = 64


def _difference(a: Image.Image, b: Image.Image) -> float:
    """Mean absolute difference, of 255, at the smaller size."""
    small = a.resize((64, 64)), b.convert("RGB").resize((64, 64))
    left, right = (np.asarray(image, np.float64) for image in small)
    return float(np.abs(left - right).mean())


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("JPEG", {"quality": 92}),
        ("JPEG", {"quality": 92, "progressive": True}),
        ("PNG", {}),
        ("WEBP", {"quality": 92}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {"quality": 85}),
        ("BMP", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
def test_photograph_survives_each_format(
    photographs: dict[str, bytes], format: str, options: dict[str, object]
) -> None:
    photo = Image.open(io.BytesIO(photographs["chelsea.png"]))
    decoded = decode(encoded(photo, format, **options), SIDE)
    assert (decoded.width, decoded.height, decoded.format) == (*photo.size, format)
    assert len(decoded.frames) == decoded.n_frames == 1
    assert decoded.frames[0].mode == "RGB"
    assert _difference(decoded.frames[0], photo) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_is_upright_however_the_camera_was_held(
    photographs: dict[str, bytes], orientation: int
) -> None:
    photo = Image.open(io.BytesIO(photographs["rocket.jpg"]))
    undo = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    stored = upright(photo, undo)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    decoded = decode(encoded(stored, "JPEG", quality=95, exif=exif), SIDE)
    assert (decoded.width, decoded.height) == photo.size
    assert decoded.orientation == orientation
    assert _difference(decoded.frames[0], photo) < 3


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # as `decode` does outside of tests
def test_picture_with_damaged_exif_is_decoded() -> None:
    data = encoded(Image.new("RGB", (80, 60), "red"), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert decode(data, SIDE).width == 80


def test_large_picture_keeps_three_times_the_size_that_the_model_gives_it(
    photographs: dict[str, bytes],
) -> None:
    photo = Image.open(io.BytesIO(photographs["rocket.jpg"])).resize((2560, 1708))
    del photo.info["icc_profile"]
    for data in (encoded(photo, "JPEG", quality=90), encoded(photo)):
        decoded = decode(data, SIDE)
        assert (decoded.width, decoded.height) == (2560, 1708)
        assert decoded.frames[0].size == (3 * (SIDE * 2560 // 1708), 3 * SIDE)
        assert _difference(decoded.frames[0], photo) < 3
        assert decode(data, SIDE, "squeeze").frames[0].size == (3 * SIDE, 3 * SIDE)
        assert decode(data, SIDE, "free").frames[0].size == (288, 192)


def test_small_picture_is_left_as_it_is() -> None:
    assert decode(png("red", (100, 80)), SIDE).frames[0].size == (100, 80)


def test_extremely_long_picture_loses_its_ends() -> None:
    thread = Image.new("RGB", (30_000, 1), (9, 9, 9))
    thread.paste((250, 0, 0), (14_990, 0, 15_010, 1))
    (frame,) = decode(encoded(thread), SIDE).frames
    assert frame.size == (MAX_ASPECT, 1)
    assert frame.getpixel((4, 0)) == (250, 0, 0)
    assert decode(encoded(thread.rotate(90, expand=True)), SIDE).frames[0].size == (1, 8)
    assert decode(encoded(thread), SIDE, "squeeze").frames[0].size == (30_000, 1)


@pytest.mark.parametrize(
    ("drawing", "background"), [((20, 20, 20), WHITE), ((250, 250, 250), DARK)]
)
def test_drawing_is_visible_on_its_background(
    drawing: tuple[int, int, int], background: tuple[int, int, int]
) -> None:
    sticker = Image.new("RGBA", (100, 100), (255, 0, 255, 0))
    sticker.paste((*drawing, 255), (30, 30, 70, 70))
    for data in (encoded(sticker), encoded(sticker.quantize(8)), encoded(sticker, "WEBP")):
        frame = decode(data, SIDE).frames[0]
        assert np.abs(np.subtract(frame.getpixel((50, 50)), drawing)).max() <= 8
        assert np.abs(np.subtract(frame.getpixel((5, 5)), background)).max() <= 8


def test_transparent_colour_of_a_palette_and_of_grey_shows_the_background() -> None:
    palette = Image.new("P", (40, 40), 0)
    palette.putpalette([0, 255, 0, 10, 10, 10])
    palette.paste(1, (10, 10, 30, 30))
    assert decode(encoded(palette, transparency=0), SIDE).frames[0].getpixel((2, 2)) == WHITE
    grey = Image.new("L", (40, 40), 7)
    grey.paste(90, (10, 10, 30, 30))
    assert decode(encoded(grey, transparency=7), SIDE).frames[0].getpixel((2, 2)) == WHITE


def test_colours_of_transparent_pixels_never_show() -> None:
    hidden = Image.new("RGBA", (50, 50), (255, 0, 0, 0))
    assert decode(encoded(hidden), SIDE).frames[0].getpixel((25, 25)) == WHITE


def test_cmyk_keeps_its_colours() -> None:
    red = Image.new("RGB", (64, 64), (220, 30, 30))
    frame = decode(encoded(red.convert("CMYK"), "JPEG", quality=95), SIDE).frames[0]
    assert np.abs(np.subtract(frame.getpixel((32, 32)), (220, 30, 30))).max() < 12


def test_sixteen_bits_are_seen_with_their_full_range() -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    frame = decode(encoded(Image.fromarray(ramp)), SIDE).frames[0]
    expected = Image.fromarray((ramp >> 8).astype(np.uint8))
    assert _difference(frame, expected) < 1


def test_sixteen_bit_colour() -> None:
    row = struct.pack(">3H", 65535, 32768, 0) * 32
    data = _png_file(32, 32, 16, b"".join(b"\0" + row for _ in range(32)))
    pixel = decode(data, SIDE).frames[0].getpixel((9, 9))
    assert np.abs(np.subtract(pixel, (255, 128, 0))).max() <= 1


def _png_file(width: int, height: int, bits: int, raw: bytes) -> bytes:
    """An RGB PNG with any header."""
    chunks = (
        (b"IHDR", struct.pack(">2I5B", width, height, bits, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(raw)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def test_floating_numbers_are_seen_by_their_own_range() -> None:
    ramp = np.linspace(-3, 5, 48 * 48).reshape(48, 48).astype(np.float32)
    frame = decode(encoded(Image.fromarray(ramp), "TIFF"), SIDE).frames[0]
    assert frame.getpixel((0, 0)) == (0, 0, 0)
    assert frame.getpixel((47, 47)) == (255, 255, 255)


COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)]


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animation_gives_each_scene_with_its_second(format: str) -> None:
    # Five frames of each colour, the last one for a second and a half.
    shown = [Image.new("RGB", (40, 40), colour) for colour in COLOURS for _ in range(5)]
    shown[2].putpixel((3, 3), (255, 10, 0))  # or its encoder takes them for one frame
    times = [50] * (len(shown) - 1) + [1500]
    data = encoded(shown[0], format, save_all=True, append_images=shown[1:], duration=times)
    decoded = decode(data, SIDE)
    scenes = [min(int(second * 4 + 0.01), 5) for second in decoded.seconds]
    assert scenes == list(range(len(COLOURS)))
    for frame, colour in zip(decoded.frames, COLOURS, strict=True):
        assert np.abs(np.subtract(frame.getpixel((20, 20)), colour)).max() < 40


def test_of_one_scene_only_evenly_spread_frames_are_taken() -> None:
    shown = [Image.new("RGB", (40, 40), (100 + i // 2, 10, 10)) for i in range(0, 60, 3)]
    data = encoded(shown[0], "WEBP", save_all=True, append_images=shown[1:], lossless=True)
    assert len(decode(data, SIDE).frames) == EVENLY_SPREAD


def test_an_animation_of_many_scenes_gives_at_most_so_many_frames() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (40, 4, 4, 3), np.uint8)
    shown = [Image.fromarray(one).resize((40, 40), Image.Resampling.NEAREST) for one in noise]
    data = encoded(shown[0], "WEBP", save_all=True, append_images=shown[1:], lossless=True)
    decoded = decode(data, SIDE)
    assert len(decoded.frames) == len(decoded.seconds) == MAX_FRAMES
    assert decoded.seconds == sorted(decoded.seconds)


def test_frames_that_look_the_same_count_once() -> None:
    still = [Image.new("RGB", (40, 40), (200, 10 + i, 10)) for i in range(8)]
    data = encoded(still[0], "WEBP", save_all=True, append_images=still[1:], lossless=True)
    assert len(decode(data, SIDE, limits=Limits(frames=8)).frames) < 4


def test_pages_of_a_tiff_are_not_an_animation() -> None:
    data = encoded(
        Image.new("RGB", (9, 9), "red"),
        "TIFF",
        save_all=True,
        append_images=[Image.new("L", (9, 9))],
    )
    assert len(decode(data, SIDE).frames) == 1


# ---- refusals


def test_too_many_bytes_are_refused_before_anything_is_read() -> None:
    with pytest.raises(PictureTooLarge) as refused:
        decode(bytes(2001), SIDE, limits=Limits(bytes=2000))
    assert (refused.value.size, refused.value.limit, refused.value.unit) == (2001, 2000, "bytes")
    assert "2 kB" in str(refused.value)


def test_pixels_are_counted_before_they_are_decoded() -> None:
    huge = encoded(Image.new("1", (20_000, 20_000)))
    assert len(huge) < 100_000
    with pytest.raises(PictureTooLarge, match="400 megapixels; the limit is 64 megapixels"):
        decode(huge, SIDE)


def test_header_that_promises_billions_of_pixels_is_refused() -> None:
    bomb = _png_file(2**31 - 1, 2**31 - 1, 8, b"")
    with pytest.raises(PictureTooLarge) as refused:
        decode(bomb, SIDE)
    assert refused.value.size > 10**18


def test_large_jpeg_passes_where_it_shrinks_and_is_refused_where_it_cannot() -> None:
    photo = Image.new("RGB", (1600, 1200), "red")
    limits = Limits(pixels=1_000_000)
    assert decode(encoded(photo, "JPEG"), SIDE, limits=limits).width == 1600
    with pytest.raises(PictureTooLarge):
        decode(encoded(photo, "JPEG", progressive=True), SIDE, limits=limits)


def test_no_frame_is_decoded_after_the_deadline() -> None:
    first, *others = [Image.new("RGB", (40, 40), colour) for colour in COLOURS]
    data = encoded(first, "GIF", save_all=True, append_images=others)
    with pytest.raises(PictureTooSlow, match="longer than 0 seconds"):
        decode(data, SIDE, limits=Limits(time_s=0.0))


@pytest.mark.parametrize(
    ("format", "share"),
    [
        *((format, 0.5) for format in ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")),
        *((format, 0.9) for format in ("WEBP", "AVIF")),
    ],
)
def test_file_that_is_cut_off_is_a_broken_picture(
    photographs: dict[str, bytes], format: str, share: float
) -> None:
    data = encoded(Image.open(io.BytesIO(photographs["coffee.png"])), format)
    with pytest.raises(PictureBroken) as broken:
        decode(data[: int(len(data) * share)], SIDE)
    assert broken.value.reason == "it is cut off before its end"


def test_no_bytes_at_all() -> None:
    with pytest.raises(PictureBroken, match="no bytes"):
        decode(b"", SIDE)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        ("Just some words, naïve ones.".encode(), "text"),
        (b'{"v": "5.7", "layers": 3}', "JSON data"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
        (b"\x1aE\xdf\xa3\x01\0\0\0", "a video"),
        (b"\xff\x0a\xfa\x1f", "a JPEG XL picture"),
        (b"PK\x03\x04\x14\0", "an archive or office document"),
        (bytes(range(256)), "data of an unknown kind"),
    ],
)
def test_kinds_of_other_files_are_named(data: bytes, found: str) -> None:
    with pytest.raises((NotAPicture, PictureUnsupported)) as refused:
        decode(data, SIDE)
    assert refused.value.found == found
    assert str(refused.value).startswith(f"This is {found}")
    assert ("save it as" in str(refused.value)) == isinstance(refused.value, PictureUnsupported)


@pytest.mark.parametrize(
    ("pixels", "shown"),
    [
        (999_999, "999,999 pixels"),
        (24_000_000, "24 megapixels"),
        (999_400_000, "999 megapixels"),
        (999_500_000, "1,000 megapixels"),
        (6 * 10**12, "more than a million megapixels"),
        (2**62, "more than a million megapixels"),
    ],
)
def test_pixels_are_counted_as_people_write_them(pixels: int, shown: str) -> None:
    assert str(PictureTooLarge(pixels, 64_000_000, "pixels")) == (
        f"This picture has {shown}; the limit is 64 megapixels. Make it smaller first."
    )


def test_hostile_bytes_only_ever_raise_picture_errors(photographs: dict[str, bytes]) -> None:
    chance = random.Random(4)
    photo = Image.open(io.BytesIO(photographs["chelsea.png"])).resize((90, 60))
    for format in ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"):
        whole = encoded(photo, format)
        for _ in range(25):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 12)):
                data[chance.randrange(min(len(data), 400))] = chance.randrange(256)
            assert _refusal(bytes(data)) in (None, *REASONS)


def _refusal(data: bytes) -> str | None:
    """The reason why the bytes are damaged; None when they are read, or refused for another."""
    try:
        decode(data, SIDE, limits=Limits(pixels=10_000_000))
    except PictureBroken as broken:
        return broken.reason
    except PictureError:
        pass
    return None


@pytest.mark.parametrize("size", [(540, 675), (1024, 768), (31, 40), (64, 64), (2000, 90)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_frame_for_a_model_is_what_pillow_resizes_and_crops(
    size: tuple[int, int], orientation: int
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (size[1] // 4 + 1, size[0] // 4 + 1, 3))
    image = Image.fromarray(noise.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    exif = image.getexif()
    exif[ORIENTATION] = orientation
    buffer = io.BytesIO()
    image.save(buffer, "PNG", exif=exif)
    frame = decode(buffer.getvalue(), 64, resample=Image.Resampling.BICUBIC).frames[0]
    turned = upright(image, orientation)
    width, height = (64 * edge // min(size) for edge in turned.size)
    left, top = (width - 64) // 2, (height - 64) // 2
    whole = turned.resize((width, height), Image.Resampling.BICUBIC)
    exact = whole.crop((left, top, left + 64, top + 64))
    assert np.abs(np.asarray(frame).astype(int) - np.asarray(exact)).mean() < 0.6


def test_a_busy_machine_leaves_out_no_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is of computing, not of waiting for others that compute."""

    def waited(frame: Image.Image) -> Tiny:
        time.sleep(0.05)
        return tiny(frame)

    monkeypatch.setattr(decode_module, "tiny", waited)
    first, *others = (Image.new("RGB", (8, 8), (20 * n, 250 - 20 * n, 99)) for n in range(10))
    data = encoded(first, "GIF", save_all=True, append_images=others, duration=100)
    limits = Limits(time_s=1.0)  # of which a third is for looking at the frames
    assert decode(data, 8, limits=limits).seconds[-1] == 0.9
