"""Odd files of every format that is read: sound but rare ones, unsupported ones, damaged ones.

Each is made by code, from the picture of `quadrants` where it can be.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from checks.fuzzing import files
from index.images.heif import FORMAT as HEIF
from tests.index.images import quadrants

PICTURE = quadrants.picture()
WIDTH, HEIGHT = quadrants.SIZE
PIXELS: NDArray[np.uint8] = np.asarray(PICTURE)
encoded = files.encoded


def patched(data: bytes, at: int, *new: int) -> bytes:
    return data[:at] + bytes(new) + data[at + len(new) :]


# ---- JPEG

# `cjpeg -arithmetic` of the picture at 32 × 24. Pillow reads this coding but doesn't write it.
ARITHMETIC = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsL"
    "EBYQERMUFRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU"
    "FBQUFBQUFBQUFBQUFBQUFBQUFBT/yQARCAAYACADASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/AM4W"
    "IoOnTyUk3WQWiaiMVOEPNlpIszXOmiEx3Z/wZWwHo29Ncgl9uK+t8sIkYr2la72ireN/8NGd3w7cR1YxO8IuiZDHJQLx"
    "0bdTni6kuewG0aplOZvg/9k="
)


def _segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def _jpeg_with(segment: bytes) -> bytes:
    whole = encoded(PICTURE, "JPEG", quality=95)
    return whole[:2] + segment + whole[2:]


def _frame_of(jpeg: bytes) -> int:
    """Where the marker of the frame's header is."""
    return min(at for at in (jpeg.find(b"\xff\xc0"), jpeg.find(b"\xff\xc2")) if at > 0)


def jpegs() -> dict[str, bytes]:
    whole = encoded(PICTURE, "JPEG", quality=95)
    frame = _frame_of(whole)
    cmyk = encoded(PICTURE.convert("CMYK"), "JPEG", quality=95)
    progressive = encoded(PICTURE, "JPEG", quality=95, progressive=True)
    grey = encoded(PICTURE.convert("L"), "JPEG")
    mpo = encoded(PICTURE, "MPO", quality=95, save_all=True, append_images=[PICTURE])
    index = mpo.index(b"MPF\0")
    return {
        "cmyk": cmyk,
        "rgb in Adobe's way": encoded(PICTURE, "JPEG", quality=95, keep_rgb=True),
        "arithmetic": ARITHMETIC,
        "progressive": progressive,
        "grey": grey,
        "noise behind the end": whole + bytes(range(256)) * 20,
        "damaged exif": _jpeg_with(_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff\xff\xff")),
        "damaged profile": _jpeg_with(_segment(0xE2, b"ICC_PROFILE\0\x09\x01xx")),
        "damaged photoshop": _jpeg_with(_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\xff")),
        "damaged jfif": _jpeg_with(_segment(0xE0, b"JFIF\0\1")),
        "damaged adobe": _jpeg_with(_segment(0xEE, b"Adobe\0")),
        "damaged index of further pictures": patched(mpo, index + 8, 255, 255, 255, 255),
        "index of no pictures": patched(mpo, index + 12, 0, 0),
        "12 bits": patched(whole, frame + 4, 12),
        "lossless": patched(whole, frame + 1, 0xC3),
        "hierarchical": patched(whole, frame + 1, 0xC5),
        "two channels": patched(grey, _frame_of(grey) + 9, 2),
        "no height": patched(whole, frame + 5, 0, 0),
        "progressive, cut off": progressive[: len(progressive) // 2],
        "begins and ends": b"\xff\xd8\xff\xd9",
        "no pixels": whole[: whole.index(b"\xff\xda")],
        "no tables": whole[:2] + whole[frame:],
    }


# ---- PNG


def _png(
    raw: bytes,
    bits: int = 8,
    colour: int = 2,
    interlaced: int = 0,
    size: tuple[int, int] = quadrants.SIZE,
    *between: tuple[bytes, bytes],
) -> bytes:
    return files.png_of(
        [
            (b"IHDR", files.header(*size, bits, colour, interlaced)),
            *between,
            (b"IDAT", zlib.compress(raw)),
            (b"IEND", b""),
        ]
    )


def _rows(pixels: NDArray[Any]) -> bytes:
    """Lines of a PNG, without filters."""
    return b"".join(b"\0" + np.ascontiguousarray(row).tobytes() for row in pixels)


def _interlaced() -> bytes:
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
    passes = (*passes, (0, 1, 1, 2))
    return b"".join(_rows(PIXELS[y::down, x::across]) for x, y, across, down in passes)


def _of_an_iphone() -> bytes:
    """As Xcode writes it: blue first, and deflated without zlib's header."""
    pixels = np.dstack([PIXELS[..., ::-1], np.full((HEIGHT, WIDTH), 255, np.uint8)])
    deflate = zlib.compressobj(wbits=-15)
    head = (b"IHDR", files.header(WIDTH, HEIGHT, 8, 6))
    body = deflate.compress(_rows(pixels)) + deflate.flush()
    return files.png_of([(b"CgBI", b"\x50\0\x20\x02"), head, (b"IDAT", body), (b"IEND", b"")])


def pngs() -> dict[str, bytes]:
    sixteen = PIXELS.astype(">u2") * 257
    left = np.arange(WIDTH)[None, :, None] < np.full((HEIGHT, 1, 1), WIDTH // 2)
    grey = np.where(left, 65535, 7).astype(">u2")
    indexed = PICTURE.quantize(4)
    bits = np.packbits(left[..., 0], axis=1)
    whole = encoded(PICTURE, "PNG")
    parts = list(files.chunks(whole))
    apng = encoded(PICTURE, "PNG", save_all=True, append_images=[PICTURE.rotate(180)] * 2)
    return {
        "16 bits": _png(_rows(sixteen), 16),
        "16 bits of grey, one transparent": _png(
            _rows(grey), 16, 0, 0, quadrants.SIZE, (b"tRNS", b"\0\7")
        ),
        "16 bits of grey and alpha": _png(
            _rows(np.dstack([grey, np.full_like(grey, 65535)]).astype(">u2")), 16, 4
        ),
        "1 bit": _png(_rows(bits), 1, 0),
        "interlaced": _png(_interlaced(), interlaced=1),
        "palette": encoded(indexed, "PNG"),
        "palette of 2 bits": encoded(indexed, "PNG", bits=2),
        "animated": apng,
        "of an iPhone": _of_an_iphone(),
        "without pixels": files.png_of([parts[0], parts[-1]]),
        "header alone": whole[:33],
        "of size 0": _png(b"", size=(0, 0)),
        "of 3 bits": _png(_rows(PIXELS), 3),
        "of an unknown colour type": _png(_rows(PIXELS), 8, 5),
        "of another compression": files.png_of(
            [(b"IHDR", parts[0][1][:10] + b"\x09" + parts[0][1][11:]), *parts[1:]]
        ),
        "of another filter": files.png_of(
            [(b"IHDR", parts[0][1][:11] + b"\x09" + parts[0][1][12:]), *parts[1:]]
        ),
        "palette missing": _png(_rows(PIXELS[..., 0]), 8, 3),
        "noise for pixels": files.png_of([parts[0], (b"IDAT", b"noise" * 99), parts[-1]]),
    }


# ---- GIF


def gifs() -> dict[str, bytes]:
    whole = encoded(PICTURE, "GIF")
    pixel = files.gif_frame((1, 1))
    screen = files.gif_of((65535, 65535), [pixel])
    animated = encoded(PICTURE, "GIF", save_all=True, append_images=[PICTURE.rotate(180)])
    return {
        "interlaced": encoded(PICTURE, "GIF", interlace=1),
        "animated": animated,
        "animated, without its end": animated[:-1],
        "of 1987": b"GIF87a" + encoded(PICTURE, "GIF")[6:],
        "noise behind the end": whole + bytes(range(256)),
        "no frames": files.gif_of((9, 9), []),
        "words alone": files.gif_of((9, 9), [b"!\xfe\x05words\0"]),
        "giant screen": screen,
        "header alone": whole[:13],
        "codes of 13 bits": files.gif_of(
            (9, 9), [files.gif_frame((9, 9))[:-5] + b"\x0d\2\x44\1\0"]
        ),
    }


# ---- BMP


def bmp(
    pixels: bytes,
    bits: int = 24,
    compression: int = 0,
    behind: bytes = b"",
    size: tuple[int, int] = quadrants.SIZE,
    header: int = 40,
) -> bytes:
    """A BMP; `behind` follows its header: masks, or colours."""
    information = struct.pack(
        "<IiiHHIIiiII", header, *size, 1, bits, compression, len(pixels), 0, 0, 0, 0
    )
    start = 14 + len(information) + len(behind)
    head = b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start)
    return head + information + behind + pixels


def _masked(red: int, green: int, blue: int, dtype: str) -> bytes:
    """The picture's pixels as numbers with the three colours in these masks, bottom up."""
    numbers = np.zeros((HEIGHT, WIDTH), np.uint64)
    for channel, mask in enumerate((red, green, blue)):
        low, width = (mask & -mask).bit_length() - 1, mask.bit_count()
        numbers |= (PIXELS[..., channel].astype(np.uint64) * (2**width - 1) // 255) << np.uint64(
            low
        )
    return numbers[::-1].astype(dtype).tobytes()


def _bmp_of_masks(red: int, green: int, blue: int, bits: int) -> bytes:
    masks = struct.pack("<3I", red, green, blue)
    return bmp(_masked(red, green, blue, f"<u{bits // 8}"), bits, 3, masks)


def _bmp_with_alpha(alpha: int) -> bytes:
    pixels = np.dstack([PIXELS[::-1, :, ::-1], np.full((HEIGHT, WIDTH), alpha, np.uint8)]).tobytes()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + bytes(108 - 40 - 16)
    return bmp(pixels, 32, 3, masks, header=108)


def bmps() -> dict[str, bytes]:
    bottom_up = PIXELS[::-1, :, ::-1].tobytes()
    codes = np.array([[0, 1], [2, 3]]).repeat(HEIGHT // 2, 0)[::-1]
    colours = b"".join(bytes(quadrants.COLOURS[name][::-1]) + b"\0" for name in quadrants.UPRIGHT)
    half = WIDTH // 2
    of_8 = b"".join(bytes([half, left, half, right, 0, 0]) for left, right in codes) + b"\0\1"
    of_4 = b"".join(bytes([half, 17 * a, half, 17 * b, 0, 0]) for a, b in codes) + b"\0\1"
    core = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24)
    os2 = b"BM" + struct.pack("<IHHI", 26 + len(bottom_up), 0, 0, 26) + core + bottom_up
    plain = bmp(bottom_up)
    return {
        "plain": plain,
        "top down": bmp(PIXELS[..., ::-1].tobytes(), size=(WIDTH, -HEIGHT)),
        "of OS/2": os2,
        "runs of 8 bits": bmp(of_8, 8, 1, colours + bytes(1024 - 16)),
        "runs of 4 bits": bmp(of_4, 4, 2, colours + bytes(64 - 16)),
        "565": _bmp_of_masks(0xF800, 0x7E0, 0x1F, 16),
        "555": _bmp_of_masks(0x7C00, 0x3E0, 0x1F, 16),
        "32 bits": bmp(np.dstack([PIXELS[::-1, :, ::-1], PIXELS[..., 0]]).tobytes(), 32),
        "with alpha": _bmp_with_alpha(255),
        "with an empty alpha": _bmp_with_alpha(0),
        "10 bits a colour": _bmp_of_masks(0x3FF00000, 0xFFC00, 0x3FF, 32),
        "444": _bmp_of_masks(0xF00, 0xF0, 0xF, 16),
        "a JPEG inside": bmp(encoded(PICTURE, "JPEG"), 0, 4),
        "a PNG inside": bmp(encoded(PICTURE, "PNG"), 0, 5),
        "cmyk": bmp(bottom_up, 32, 11),
        "of 2 bits": bmp(bytes(24 * HEIGHT), 2, 0, bytes(16)),
        "of 64 bits": bmp(bytes(8 * WIDTH * HEIGHT), 64),
        "of 0 bits": bmp(bottom_up, 0),
        "of an unknown header": patched(plain, 14, 41),
        "of too many colours": patched(bmp(bytes(9), 8), 46, 0, 0, 2, 0),
        "of size 0": bmp(b"", size=(0, 0)),
        "header alone": plain[:54],
        "half": plain[: len(plain) // 2],
        "half, of bit fields": _bmp_of_masks(0xF800, 0x7E0, 0x1F, 16)[:4000],
    }


# ---- TIFF

GREY_RAMP = np.linspace(0, 1, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)


def tiff(
    pixels: bytes,
    bits: tuple[int, ...] = (8, 8, 8),
    photometric: int = 2,
    sample_format: int = 1,
    compression: int = 1,
    more: tuple[tuple[int, int, int, int], ...] = (),
) -> bytes:
    """A TIFF of one strip."""
    front = struct.pack(f"<{len(bits)}H", *bits)
    front += bytes(-len(front) % 8)
    where = 8 if len(bits) > 2 else int.from_bytes(front[: 2 * len(bits)], "little")
    entries = {
        256: (4, 1, WIDTH),
        257: (4, 1, HEIGHT),
        258: (3, len(bits), where),
        259: (3, 1, compression),
        262: (3, 1, photometric),
        273: (4, 1, 8 + len(front)),
        277: (3, 1, len(bits)),
        278: (4, 1, HEIGHT),
        279: (4, 1, len(pixels)),
        339: (3, 1, sample_format),
    }
    entries |= {tag: rest for tag, *rest in more}  # type: ignore[misc]
    return files.tiff_of([(tag, *rest) for tag, rest in entries.items()], front + pixels)


def _tiled() -> bytes:
    tiles = [
        zlib.compress(np.ascontiguousarray(PIXELS[y : y + 32, x : x + 48]).tobytes())
        for y in (0, 32)
        for x in (0, 48)
    ]
    front = struct.pack("<3HH", 8, 8, 8, 0)
    offsets = [8 + len(front) + 32 + sum(map(len, tiles[:number])) for number in range(4)]
    table = struct.pack("<8I", *offsets, *map(len, tiles))
    at = 8 + len(front)
    entries = [(256, 4, 1, WIDTH), (257, 4, 1, HEIGHT), (258, 3, 3, 8), (259, 3, 1, 8)]
    entries += [(262, 3, 1, 2), (277, 3, 1, 3), (322, 4, 1, 48), (323, 4, 1, 32)]
    entries += [(324, 4, 4, at), (325, 4, 4, at + 16)]
    return files.tiff_of(entries, front + table + b"".join(tiles))


def tiffs() -> dict[str, bytes]:
    grey = np.asarray(PICTURE.convert("L"))
    ramp = (GREY_RAMP * 65535).astype("<u2")
    rgb = PIXELS.tobytes()
    whole = encoded(PICTURE, "TIFF")
    small = bytes(PIXELS[..., 0].tobytes())
    return {
        "palette": encoded(PICTURE.quantize(4), "TIFF"),
        "tiled": _tiled(),
        "pages": encoded(PICTURE, "TIFF", save_all=True, append_images=[PICTURE.rotate(180)]),
        "cmyk": encoded(PICTURE.convert("CMYK"), "TIFF"),
        "a JPEG inside": encoded(PICTURE, "TIFF", compression="jpeg", quality=95),
        "big": encoded(PICTURE, "TIFF", big_tiff=True),
        "big end first": _big_endian(),
        "16 bits a colour": tiff((PIXELS.astype("<u2") * 257).tobytes(), (16, 16, 16)),
        "planes": _planes(),
        "lab": encoded(_lab(), "TIFF"),
        "damaged exif": tiff(rgb, more=((34665, 4, 1, 2**31),)),
        "damaged words": tiff(rgb, more=((270, 2, 2**31, 2**31),)),
        "16 bits of grey": tiff(ramp.tobytes(), (16,), 1),
        "16 bits of grey, white first": tiff(ramp.tobytes(), (16,), 0),
        "32 bits of grey": tiff((GREY_RAMP * (2**31 - 1)).astype("<i4").tobytes(), (32,), 1, 2),
        "32 bits of grey, unsigned": tiff((GREY_RAMP * 4e9).astype("<u4").tobytes(), (32,), 1, 1),
        "small numbers in 32 bits": tiff((GREY_RAMP * 255).astype("<i4").tobytes(), (32,), 1, 2),
        "floats": tiff(GREY_RAMP.astype("<f4").tobytes(), (32,), 1, 3),
        "floats of 64 bits": tiff(GREY_RAMP.astype("<f8").tobytes(), (64,), 1, 3),
        "floats of 16 bits": tiff(GREY_RAMP.astype("<f2").tobytes(), (16,), 1, 3),
        "floats a colour": tiff((PIXELS / 255).astype("<f4").tobytes(), (32, 32, 32), 2, 3),
        "five channels": tiff(small * 5, (8,) * 5, 2),
        "two kinds of channels": tiff(small * 2, (8, 16), 1),
        "a JPEG 2000 inside": tiff(rgb, compression=34712),
        "a JPEG XL inside": tiff(rgb, compression=50002),
        "a camera's raw": tiff(rgb, more=((254, 4, 1, 1), (330, 4, 1, 8))),
        "a DNG": tiff(rgb, more=((50706, 1, 4, 1),)),
        "of an unknown compression": tiff(rgb, compression=4711),
        "HDR colours": tiff(rgb, (16, 16, 16), 32845, 2, 34676),
        "noise in LZW": tiff(bytes(range(256)) * 9, compression=5),
        "noise in a JPEG": tiff(bytes(range(256)) * 9, compression=7),
        "noise in fax": tiff(bytes(range(256)) * 9, (1,), 1, 1, 4),
        "no sizes": files.tiff_of([(258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]),
        "no pixels": files.tiff_of(
            [(256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 1, 8), (262, 3, 1, 1)]
        ),
        "no directory": b"II*\0" + struct.pack("<I", 2**31),
        "an empty directory": b"II*\0" + struct.pack("<IH", 8, 0) + bytes(4),
        "half": whole[: len(whole) // 2],
        "grey": encoded(Image.fromarray(grey), "TIFF"),
    }


def _lab() -> Image.Image:
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    converted = ImageCms.applyTransform(PICTURE, to_lab)
    assert converted is not None
    converted.info.clear()
    return converted


def _planes() -> bytes:
    planes = b"".join(np.ascontiguousarray(PIXELS[..., channel]).tobytes() for channel in range(3))
    size = WIDTH * HEIGHT
    front = struct.pack("<3HH", 8, 8, 8, 0)
    table = struct.pack("<6I", *(8 + 32 + size * number for number in range(3)), *[size] * 3)
    entries = [(256, 4, 1, WIDTH), (257, 4, 1, HEIGHT), (258, 3, 3, 8), (259, 3, 1, 1)]
    entries += [(262, 3, 1, 2), (277, 3, 1, 3), (278, 4, 1, HEIGHT), (284, 3, 1, 2)]
    entries += [(273, 4, 3, 16), (279, 4, 3, 28)]
    return files.tiff_of(entries, front + table + planes)


def _big_endian() -> bytes:
    entries = [(256, WIDTH), (257, HEIGHT), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1)]
    entries += [(278, HEIGHT), (279, WIDTH * HEIGHT)]
    table = b"".join(struct.pack(">HHII", tag, 4, 1, value) for tag, value in entries)
    pixels = np.asarray(PICTURE.convert("L")).tobytes()
    return (
        b"MM\0*"
        + struct.pack(">I", 8 + len(pixels))
        + pixels
        + struct.pack(">H", len(entries))
        + table
        + bytes(4)
    )


# ---- WebP


def webps() -> dict[str, bytes]:
    whole = encoded(PICTURE, "WEBP", quality=95)
    lossless = encoded(PICTURE, "WEBP", lossless=True)
    animated = encoded(
        PICTURE, "WEBP", lossless=True, save_all=True, append_images=[PICTURE.rotate(180)]
    )
    with_profile = encoded(PICTURE, "WEBP", lossless=True, icc_profile=b"noise" * 20)
    with_exif = encoded(PICTURE, "WEBP", lossless=True, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    return {
        "lossy": whole,
        "lossless": lossless,
        "animated": animated,
        "damaged profile": with_profile,
        "damaged exif": with_exif,
        "noise behind the end": lossless + b"noise" * 20,
        "of another version": patched(whole, 20, whole[20] | 0x0E),
        "noise for pixels": lossless[:26] + b"\x55" * (len(lossless) - 26),
        "no pixels": b"RIFF\x04\0\0\0WEBP",
        "half an animation": animated[: len(animated) // 2],
    }


# ---- AVIF


def avif(image: Image.Image = PICTURE, **options: Any) -> bytes:
    return encoded(image, "AVIF", speed=10, quality=95, **options)


def _nearly_opaque() -> Image.Image:
    image = PICTURE.convert("RGBA")
    image.putalpha(230)
    return image


def avif_of_an_old_encoder() -> bytes:
    """Transparency whose size isn't said, as libavif wrote it before 2021.

    One byte less in the table of properties, so all that holds it is shorter by one byte.
    """
    whole = avif(_nearly_opaque())
    at = whole.index(b"ipma") + 4 + 4 + 4 + 2 + 1 + whole[whole.index(b"ipma") + 14]
    assert whole[at : at + 3] == b"\0\2\4"  # four properties of item 2
    data = bytearray(whole[: at + 2] + bytes([whole[at + 2] - 1]) + whole[at + 4 :])
    for box in (b"meta", b"iprp", b"ipma"):
        start = whole.index(box) - 4
        length = int.from_bytes(data[start : start + 4], "big")
        data[start : start + 4] = (length - 1).to_bytes(4, "big")
    places = data.index(b"iloc") + 4 + 4 + 2 + 2
    for number in range(2):
        start = places + 14 * number + 6
        offset = int.from_bytes(data[start : start + 4], "big")
        data[start : start + 4] = (offset - 1).to_bytes(4, "big")
    return bytes(data)


def _avif_with_exif(begins: bytes) -> bytes:
    whole = avif(exif=files.exif(1))
    return patched(whole, max(whole.find(b"II*\0"), whole.find(b"MM\0*")), *begins)


def avifs() -> dict[str, bytes]:
    whole = avif()
    size = whole.index(b"ispe") + 8
    animated = avif(save_all=True, append_images=[PICTURE.rotate(180)])
    return {
        "opaque": whole,
        "with alpha": avif(_nearly_opaque()),
        "animated": animated,
        "of an old encoder": avif_of_an_old_encoder(),
        "of an old encoder, in short": avif_of_an_old_encoder().replace(b"pixi", b"skip"),
        "by another name": whole.replace(b"ftypavif", b"ftypmif1"),
        "damaged exif": _avif_with_exif(b"II*\0\xff\xff\xff\xff"),
        "too large": whole[:size] + struct.pack(">2I", 40_000, 40_000) + whole[size + 8 :],
        "exif that is none": _avif_with_exif(b"nope"),
        "noise for pixels": whole[:-40] + b"\x55" * 40,
        "half": whole[: len(whole) // 2],
        "no items": whole[: whole.index(b"meta") - 4],
        "of size 0": whole[:size] + bytes(8) + whole[size + 8 :],
    }


# ---- HEIC


def heic(image: Image.Image = PICTURE, **options: Any) -> bytes:
    return encoded(image, HEIF, quality=95, **options)


def _heic_of_another_coding() -> bytes:
    return heic().replace(b"hvc1", b"vvc1").replace(b"hvcC", b"vvcC")


def heics() -> dict[str, bytes]:
    whole = heic()
    size = whole.index(b"ispe") + 8
    turned = PICTURE.transpose(Image.Transpose.ROTATE_90)  # which orientation 6 undoes
    return {
        "of a phone": whole,
        "turned": heic(turned, exif=files.exif(6)),
        "several pictures": heic(save_all=True, append_images=[PICTURE.rotate(180)]),
        "with alpha": heic(_nearly_opaque()),
        "damaged profile": heic(icc_profile=b"noise" * 20),
        "too large": whole[:size] + struct.pack(">2I", 40_000, 40_000) + whole[size + 8 :],
        "half": whole[: len(whole) // 2],
        "header alone": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99),
        "in another coding": _heic_of_another_coding(),
        "animated": b"\0\0\0\x18ftyphevc\0\0\0\0msf1hevc" + bytes(99),
    }


# ---- icons, JPEG 2000, the PPM family, TGA, QOI, Photoshop


def icon() -> bytes:
    return encoded(PICTURE, "ICO", sizes=[(16, 16), PICTURE.size])


def kept() -> dict[str, bytes]:
    """What people keep rather than post."""
    tga = encoded(PICTURE, "TGA")
    return {
        "ICO": icon(),
        "ICO of bitmaps": encoded(PICTURE, "ICO", sizes=[PICTURE.size], bitmap_format="bmp"),
        "JPEG 2000": encoded(PICTURE, "JPEG2000"),
        "JPEG 2000 alone": encoded(PICTURE, "JPEG2000", no_jp2=True),
        "PPM": encoded(PICTURE, "PPM"),
        "QOI": encoded(PICTURE, "QOI"),
        "TGA": tga,
        "TGA in runs": encoded(PICTURE, "TGA", compression="tga_rle"),
        "PSD": files.psd(PIXELS),
        "PSD of printing colours": files.psd(255 - np.asarray(PICTURE.convert("CMYK")), mode=4),
        "PSD of layers alone": files.psd(PIXELS, merged=False),
        "PSD of 16 bits": files.psd(PIXELS.astype(">u2") * 257, bits=16),
        "PSB": b"8BPS\0\2" + files.psd(PIXELS)[6:],
        "ICO: header alone": icon()[:30],
        "JPEG 2000: half": encoded(PICTURE, "JPEG2000")[:200],
        "PPM: half": encoded(PICTURE, "PPM")[:9000],
        "QOI: half": encoded(PICTURE, "QOI")[:200],
        "TGA: half": tga[:-9000] + b"TRUEVISION-XFILE.\0",
        "PSD: header alone": files.psd(PIXELS)[:16],
        "PSD: half": files.psd(PIXELS)[:9000],
    }


# ---- what is not read


def others() -> dict[str, bytes]:
    return {
        "CUR": icon()[:2] + b"\2" + icon()[3:],
        "DDS": encoded(PICTURE, "DDS"),
        "EPS": encoded(PICTURE, "EPS"),
        "camera's raw": b"\0\0\0\x18ftypcrx \0\0\0\0crx isom" + bytes(99),
        "JPEG XL": b"\xff\x0a" + bytes(99),
        "JPEG XR": b"II\xbc\x01" + bytes(99),
        "TGA without its mark": encoded(PICTURE, "TGA")[:-26],
        "raw of another camera": b"FUJIFILMCCD-RAW " + bytes(99),
        "icons of a Mac": b"icns" + bytes(99),
        "PCX": encoded(PICTURE, "PCX"),
        "SGI": encoded(PICTURE, "SGI"),
        "metafile": b"\xd7\xcd\xc6\x9a" + bytes(99),
        "XCF": b"gimp xcf file\0" + bytes(99),
        "MNG": b"\x8aMNG\r\n\x1a\n" + bytes(99),
        "JNG": b"\x8bJNG\r\n\x1a\n" + bytes(99),
        "HDR": b"#?RADIANCE\n" + bytes(99),
        "EXR": b"v/1\x01\2\0\0\0" + bytes(99),
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "OS/2 bitmap array": b"BA" + bytes(99),
        "zeros": bytes(999),
    }


ALL = {
    "JPEG": jpegs,
    "PNG": pngs,
    "GIF": gifs,
    "BMP": bmps,
    "TIFF": tiffs,
    "WebP": webps,
    "AVIF": avifs,
    "HEIC": heics,
    "kept": kept,
    "other": others,
}
