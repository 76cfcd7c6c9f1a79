"""Bytes to RGB frames: within limits, upright, and no larger than a model needs.

What is decoded is chosen by what the bytes say, never by a name. Limits are checked on the
header, before memory is spent on pixels.
"""

from __future__ import annotations

import contextlib
import io
import re
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageChops,
    ImageStat,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from index.types.errors import (
    NotAPicture,
    PictureBroken,
    PictureError,
    PictureTooLarge,
    PictureTooSlow,
)

# What cameras, chats and browsers use. Pillow knows more; each would be more code that
# hostile bytes can reach. (A JPEG with a second picture behind the first opens as "MPO".)
FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
        AvifImagePlugin.AvifImageFile,
        GifImagePlugin.GifImageFile,
        BmpImagePlugin.BmpImageFile,
        TiffImagePlugin.TiffImageFile,
    )
)
# Formats whose further frames are an animation; in others they are pages or previews.
ANIMATED = frozenset({"GIF", "PNG", "WEBP", "AVIF"})
# Frames of an animation that are searched, evenly spread from first to last. Each costs
# as much as a picture by itself.
MAX_FRAMES = 4
# Two frames that differ by less than this (mean of 255 at 32 × 32) count as one.
SAME_FRAME = 2.0
# A decoded picture keeps this many times the size that the model's own resize brings it to,
# exactly: with a pixel of 96 lost to rounding, a trained model's embedding has a cosine of
# .98 to that of the full picture; so it is > .9999, at a fraction of time and memory.
KEPT_SCALE = 3

# A model that takes the middle square first brings the short edge to its size: a picture of
# 1 × 30,000 pixels would become 224 × 6,720,000. Beyond this many times the short edge, the
# ends are cut off before; it never sees them.
MAX_ASPECT = 8

# How a model brings a picture to its size: by the short edge, and then it takes the middle;
# to a square, whatever its shape; or by the number of pixels, whatever the edges.
Shape: TypeAlias = Literal["crop", "squeeze", "free"]

# The orientation tag of Exif: how the sensor was held.
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Box: TypeAlias = tuple[float, float, float, float]
BAND_PIXELS = 2**20
# Pillow averages whole pixels first, down to this many times the target: for quality
# "indistinguishable", its documentation says, from 3.
REDUCING_GAP = 3.0

# Grounds under transparent pictures, see `on_ground`.
WHITE = (255, 255, 255)
DARK = (48, 48, 48)
LIGHT_PICTURE = 200  # mean luminance of what is visible, of 255

# Pillow's own guard looks at every size a file names, also at those inside. It warns; here
# that is a refusal. Ours, which knows what shrinks while it is decoded, comes after it.
Image.MAX_IMAGE_PIXELS = 500_000_000
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# Its other warnings are about data beside the pixels, such as a camera's notes.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture may cost.

    pixels   held at once: decoding takes 3 to 8 bytes for each. Photographs of any size
             shrink while they are decoded; these are screenshots, scans, drawings
    time_s   after which no further frame is decoded
    """

    bytes: int = 100_000_000
    pixels: int = 64_000_000
    frames: int = MAX_FRAMES
    time_s: float = 10.0


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture: its frames, and what the file said of it."""

    frames: list[Image.Image]  # RGB, upright, as `fitted` leaves them
    width: int  # of the whole picture, upright
    height: int
    format: str
    orientation: int  # Exif: 1 is upright
    n_frames: int  # in the file


def decode(
    data: bytes,
    side: int,
    shape: Shape = "crop",
    limits: Limits = LIMITS,
    resample: int | None = None,
) -> Decoded:
    """The picture in `data`, as RGB frames for a model that looks at `side` pixels.

    resample  the filter of the model's own resize, as Pillow numbers them: frames are then
              (side, side), just what its preprocessing would look at. None: they are left
              larger, for it to resize
    raises    PictureTooLarge, NotAPicture, PictureBroken, PictureTooSlow
    """
    if len(data) > limits.bytes:
        raise PictureTooLarge(len(data), limits.bytes, "bytes")
    if not data:
        raise PictureBroken("it has no bytes at all")
    started = time.monotonic()
    with _translated(data), _opened(data) as image:
        size = image.size
        box = _shrunk_while_decoding(image, KEPT_SCALE * side)
        _check_pixels(image, size[0] * size[1], limits.pixels)
        orientation = _orientation(image)
        n_frames = _n_frames(image)
        width, height = size if orientation < 5 else size[::-1]
        fit: Callable[[Image.Image], Image.Image]
        if resample is None:
            fit = partial(_fitting, box=box, size=size, side=side, shape=shape, way=orientation)
        else:
            part = _seen_part((width, height), side, shape)
            fit = partial(_seen, box=box, part=part, side=side, resample=resample, way=orientation)
        frames = [fit(_rgb(frame)) for frame in _frames(image, n_frames, limits, started)]
        format = "JPEG" if image.format == "MPO" else str(image.format)
        return Decoded(_different(frames), width, height, format, orientation, n_frames)


# ---- one step below the other


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        if _is_of_a_known_format(data):
            reason = _CUT_OFF if _ends_early(data) else "its header can't be read"
            raise PictureBroken(reason) from None
        raise NotAPicture(*described(data)) from None


def fitted(size: tuple[int, int], side: int, shape: Shape) -> tuple[int, int]:
    """KEPT_SCALE times the size that the model's own resize brings a picture of `size` to.

    source   transformers: the short edge becomes `side`, the long one is rounded down
    """
    if shape == "squeeze":
        return KEPT_SCALE * side, KEPT_SCALE * side
    short = min(size)
    if shape == "free":  # not by a whole number of pixels: only as near as rounding comes
        scale = KEPT_SCALE * side / short
        return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    width, height = (max(1, side * edge // short) for edge in size)
    return KEPT_SCALE * width, KEPT_SCALE * height


def _shrunk_while_decoding(image: Image.Image, edge: int) -> Box | None:
    """Let the JPEG decoder leave out detail beyond `edge` (only it can).

    returns  where the picture lies in what will be decoded, to a fraction of a pixel; None:
             it will be decoded whole
    """
    if image.format not in ("JPEG", "MPO"):
        return None
    drafted = image.draft(None, (edge, edge))
    return drafted[1] if drafted else None


def _check_pixels(image: Image.Image, pixels: int, limit: int) -> None:
    """Refuse a picture of so many `pixels`, unless it shrinks while it is decoded.

    A progressive JPEG doesn't: all its coefficients are held before the first pixel.
    """
    if image.format in ("JPEG", "MPO") and not image.info.get("progressive"):
        pixels = image.width * image.height
    if pixels > limit:
        raise PictureTooLarge(pixels, limit, "pixels")


def _orientation(image: Image.Image) -> int:
    """Exif's tag, 1 to 8; 1 where there is none or it can't be read."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged Exif data fails in many ways, and the pixels are fine
        return 1
    return value if value in UPRIGHT else 1


def _n_frames(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1)) if image.format in ANIMATED else 1


def _frames(
    image: Image.Image, n_frames: int, limits: Limits, started: float
) -> Iterator[Image.Image]:
    """The chosen frames, in order; those that are not reached in time are left out."""
    for place in _evenly(n_frames, limits.frames):
        while image.tell() < place:
            if time.monotonic() - started > limits.time_s:
                return
            image.seek(image.tell() + 1)
            _check_pixels(image, image.width * image.height, limits.pixels)  # a GIF may grow
        image.load()
        if place == 0 and time.monotonic() - started > limits.time_s:
            raise PictureTooSlow(limits.time_s)
        yield image.copy() if n_frames > 1 else image


def _evenly(n_frames: int, wanted: int) -> list[int]:
    """At most `wanted` frame numbers from the first to the last."""
    count = max(1, min(n_frames, wanted))
    return sorted({round(i * (n_frames - 1) / max(1, count - 1)) for i in range(count)})


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        image = _to_8_bits(image)
    if image.has_transparency_data:
        return on_ground(image.convert("RGBA"))
    return image if image.mode == "RGB" else image.convert("RGB")


def on_ground(image: Image.Image) -> Image.Image:
    """An RGBA picture on white, or on dark grey where what is visible is itself light.

    White, since models learnt from pictures of the web, where transparent ones were put on
    white; but a white drawing on white would vanish. Grey rather than black, so that black
    outlines stay as well. What lies under fully transparent pixels never shows.
    """
    alpha = image.getchannel("A")
    visible = alpha.point(lambda a: 255 if a >= 128 else 0)
    grey = image.convert("RGB").convert("L")
    light = visible.getbbox() is not None and ImageStat.Stat(grey, visible).mean[0] > LIGHT_PICTURE
    ground = Image.new("RGB", image.size, DARK if light else WHITE)
    ground.paste(image, mask=alpha)
    return ground


def _to_8_bits(image: Image.Image) -> Image.Image:
    """16-bit grey by its high byte; wider or floating numbers by their own range."""
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        return Image.fromarray((values >> 8).astype(np.uint8))
    # In bands: as 64-bit numbers, a large one would take gigabytes.
    rows = max(1, BAND_PIXELS // image.width)
    bands = [values[top : top + rows] for top in range(0, image.height, rows)]
    low = min(float(_finite(band).min()) for band in bands)
    high = max(float(_finite(band).max()) for band in bands)
    if image.mode == "I" and low >= 0:
        low, high = 0.0, 65535.0 if high > 255 else 255.0
    scale = 255.0 / max(high - low, 1e-12)
    scaled = [((_finite(band) - low) * scale).clip(0, 255).astype(np.uint8) for band in bands]
    return Image.fromarray(np.concatenate(scaled))


def _finite(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)


def _fitting(
    image: Image.Image,
    box: Box | None,
    size: tuple[int, int],
    side: int,
    shape: Shape,
    way: int,
) -> Image.Image:
    """A frame small enough to wait, and large enough for the model's own resize."""
    return upright(_middle(_small(image, fitted(size, side, shape), box), shape), way)


def _seen_part(size: tuple[int, int], side: int, shape: Shape) -> Box:
    """Which part of an upright picture the model looks at, as shares of its edges.

    source   transformers: the short edge becomes `side`, the long one is rounded down, and the
             middle is cut out at whole pixels
    """
    if shape != "crop":
        return 0.0, 0.0, 1.0, 1.0
    width, height = (max(1, side * edge // min(size)) for edge in size)
    left, top = (width - side) // 2, (height - side) // 2
    return left / width, top / height, (left + side) / width, (top + side) / height


def _seen(
    image: Image.Image, box: Box | None, part: Box, side: int, resample: int, way: int
) -> Image.Image:
    """(side, side): what the model's own resize and crop would leave, in one step."""
    left, top, right, bottom = _turned(box or (0, 0, *image.size), image.size, way)
    width, height = right - left, bottom - top
    seen = (
        left + part[0] * width,
        top + part[1] * height,
        left + part[2] * width,
        top + part[3] * height,
    )
    filter_ = Image.Resampling(resample)
    return upright(image, way).resize((side, side), filter_, seen, reducing_gap=REDUCING_GAP)


def _turned(box: Box, size: tuple[int, int], way: int) -> Box:
    """Where a box lies once a picture of `size` is upright."""
    left, top, right, bottom = box
    if way in (2, 3, 7, 8):
        left, right = size[0] - right, size[0] - left
    if way in (3, 4, 6, 7):
        top, bottom = size[1] - bottom, size[1] - top
    return (left, top, right, bottom) if way < 5 else (top, left, bottom, right)


def _small(image: Image.Image, target: tuple[int, int], box: Box | None) -> Image.Image:
    """The picture at its target size, if that is smaller on both edges."""
    if target[0] > image.width or target[1] > image.height:
        return image
    return image.resize(target, Image.Resampling.LANCZOS, box, reducing_gap=REDUCING_GAP)


def _middle(image: Image.Image, shape: Shape) -> Image.Image:
    """The picture without ends that the model would cut off anyway, see MAX_ASPECT."""
    longest = MAX_ASPECT * min(image.size)
    if shape != "crop" or max(image.size) <= longest:
        return image
    left, top = (max(0, edge - longest) // 2 for edge in image.size)
    return image.crop((left, top, image.width - left, image.height - top))


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as it was seen."""
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _different(frames: list[Image.Image]) -> list[Image.Image]:
    """Frames without those that look like the one before."""
    if len(frames) == 1:
        return frames
    kept: list[Image.Image] = []
    last: Image.Image | None = None
    for frame in frames:
        tiny = frame.resize((32, 32), Image.Resampling.BOX).convert("L")
        if last is None or ImageStat.Stat(ImageChops.difference(tiny, last)).mean[0] > SAME_FRAME:
            kept.append(frame)
            last = tiny
    return kept


# ---- what went wrong


@contextlib.contextmanager
def _translated(data: bytes) -> Iterator[None]:
    """Whatever a decoder says about bytes it can't read, as one of ours."""
    try:
        yield
    except (PictureError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        size = int(next(iter(re.findall(r"\d+", str(exc))), "0"))
        raise PictureTooLarge(size, Image.MAX_IMAGE_PIXELS or size, "pixels") from exc
    except Exception as exc:  # hostile bytes can fail anywhere in a decoder
        if str(exc).endswith(_OUT_OF_MEMORY):
            raise MemoryError from exc
        raise PictureBroken(_CUT_OFF if _ends_early(data) else _reason(exc)) from exc


# As Pillow says it, in words and by number.
_OUT_OF_MEMORY = ("out of memory error", "decoder error -9")
_CUT_OFF = "it is cut off before its end"


def _reason(exc: Exception) -> str:
    text = str(exc).strip().rstrip(".") or type(exc).__name__
    if "truncated" in text.lower() or "unexpected end" in text.lower() or isinstance(exc, EOFError):
        return _CUT_OFF
    return text.splitlines()[0]


def _ends_early(data: bytes) -> bool:
    """Whether a WebP or AVIF, whose decoders don't tell, is shorter than it says."""
    if data[:4] == b"RIFF":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if data[4:8] != b"ftyp":
        return False
    end = 0
    while 0 <= end < len(data):  # box after box, each with its length in front
        length = int.from_bytes(data[end : end + 4], "big")
        if length < 8:  # 0: to the end; 1: a length of 64 bits, which no picture needs
            return False
        end += length
    return end > len(data)


_KNOWN = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")


def _is_of_a_known_format(data: bytes) -> bool:
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return data.startswith(_KNOWN) or webp or data[4:12] in (b"ftypavif", b"ftypavis")


_SAVE_AS = "; save it as PNG or JPEG first"
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
    """What these bytes are, if not a picture that is read here, and what could be done."""
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
        if exc.start < len(head) - 3:  # a letter cut in two at the end is no objection
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
