"""Bytes to RGB frames: within limits, upright, and no larger than a model needs.

The decoder is chosen by the bytes, never by a file's name. Limits are checked on the header, before
memory is spent on pixels.
"""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial as bound
from typing import NamedTuple

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    PsdImagePlugin,
    QoiImagePlugin,
    TgaImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from index.images import avif, heif, jpeg, lottie, partial, png, stated, webp
from index.images.animation import (
    MAX_FRAMES,
    Tiny,
    chosen,
    compared,
    frame_count,
    shown_s,
    tiny,
)
from index.images.colour import SIGNIFICANT_BITS, rgb
from index.images.heif import is_heif
from index.images.orientation import UPRIGHT_WHEN_LOADED, orientation_of, upright, upright_box
from index.images.profiles import MAX_BYTES as MAX_PROFILE_BYTES
from index.images.profiles import Profile, in_srgb, profile_of
from index.images.refusals import EMPTY, PIXELS, refusal
from index.images.resize import (
    KEPT_SCALE,
    Box,
    Shape,
    kept_size,
    resized,
    shrunk,
    visible_part,
    without_ends,
)
from index.images.sniffing import is_avif, is_tga
from index.images.unsupported import check_layers, check_raw
from index.types.errors import PictureBroken, PictureError, PictureTooLarge, PictureTooSlow

# What people post and keep. Pillow knows more formats, but each is more code that hostile bytes can
# reach; docs/formats.md has the reason for each.
_PLUGINS = tuple(
    str(plugin.format)
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
        AvifImagePlugin.AvifImageFile,
        GifImagePlugin.GifImageFile,
        BmpImagePlugin.BmpImageFile,
        TiffImagePlugin.TiffImageFile,
        IcoImagePlugin.IcoImageFile,
        Jpeg2KImagePlugin.Jpeg2KImageFile,
        PpmImagePlugin.PpmImageFile,
        PsdImagePlugin.PsdImageFile,
        QoiImagePlugin.QoiImageFile,
    )
)
FORMATS = (*_PLUGINS, heif.FORMAT, lottie.FORMAT)
# A TGA begins with no mark of its own, so only one that ends with its mark is taken for one.
TGA = str(TgaImagePlugin.TgaImageFile.format)

# Pillow checks every size that a file names, also the sizes of pictures inside it. Above its limit
# it warns; here the warning is an error. Our own limit is lower and comes after it, because it
# knows which pictures shrink while they are decoded.
Image.MAX_IMAGE_PIXELS = 500_000_000
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# One thread a picture: pictures are decoded side by side, and a decoder process may start none.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
# Pillow's other warnings are about data beside the pixels, such as a camera's notes.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture may cost.

    bytes    of the file
    pixels   in memory at once; decoding takes 3 to 8 bytes for each. Photographs of any size pass,
             since they shrink while they are decoded. It stops huge screenshots, scans and
             drawings
    frames   of an animation that are kept
    time_s   of computing; after this, no further frame is decoded
    """

    bytes: int = 100_000_000
    pixels: int = 64_000_000
    frames: int = MAX_FRAMES
    time_s: float = 10.0


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture: its frames, and what its file says about it."""

    frames: list[Image.Image]  # RGB, upright, of the size that `decode` says
    width: int  # of the full picture, upright
    height: int
    format: str
    orientation: int  # Exif: 1 is upright
    n_frames: int  # in the file
    seconds: list[float]  # when each of these frames is first shown; of a still picture 0
    partial: bool = False  # the file lacks some of its pixels or frames


def decode(
    data: bytes,
    side: int,
    shape: Shape = "crop",
    limits: Limits = LIMITS,
    resample: int | None = None,
) -> Decoded:
    """The picture in `data`, as RGB frames for a model that looks at `side` pixels.

    resample  the filter of the model's own resize, as Pillow numbers them. Frames are then
              (side, side), exactly the pixels that its preprocessing makes. None: they are kept
              larger, see `kept_size`, and the model resizes them
    returns   also a picture that is damaged, if enough of it can be seen
    raises    PictureTooLarge, NotAPicture, PictureUnsupported, PictureBroken, PictureTooSlow
    """
    if len(data) > limits.bytes:
        raise PictureTooLarge(len(data), limits.bytes, "bytes")
    if not data:
        raise PictureBroken(EMPTY)
    wanted = _Wanted(side, shape, limits, resample, time.process_time())
    try:
        return _decoded(data, wanted)
    except PictureBroken as error:
        broken = PictureBroken(error.reason)  # without the pixels that its traceback keeps
    with contextlib.suppress(PictureError):
        return _decoded(data, wanted, in_part=True)
    raise broken


class _Wanted(NamedTuple):
    """What `decode` was asked for, and how long this process had computed before.

    A busy machine makes no difference to that, and so none to which frames are searched.
    """

    side: int
    shape: Shape
    limits: Limits
    resample: int | None
    started: float


def _decoded(data: bytes, wanted: _Wanted, in_part: bool = False) -> Decoded:
    side, shape, limits, resample, _ = wanted
    with _opened(data, limits.pixels) as image, _as_picture_errors(data, limits.pixels, True):
        size = image.size
        profile = profile_of(_profile_bytes(data, image), image)
        box = _draft(image, KEPT_SCALE * side)
        _check_pixels(image, size[0] * size[1], limits.pixels)
        stored = orientation_of(image)
        orientation = 1 if image.format in UPRIGHT_WHEN_LOADED else stored
        n_frames = 1 if in_part else frame_count(image)
        width, height = size if orientation < 5 else size[::-1]
        fit: Callable[[Image.Image], Image.Image]
        if resample is None:
            target = kept_size(size, side, shape)
            fit = bound(_kept, box=box, target=target, shape=shape, orientation=orientation)
        else:
            part = visible_part((width, height), side, shape)
            fit = bound(
                _as_the_model_sees,
                box=box,
                part=part,
                side=side,
                resample=resample,
                orientation=orientation,
            )
        moments: Iterable[tuple[float, Image.Image]]
        if in_part:
            moments, lacks = [(0.0, _seen_in_part(image, data, KEPT_SCALE * side))], True
        else:
            moments, lacks = _frames(image, n_frames, limits, wanted.started)
        shown = [(second, _coloured(frame, profile, fit)) for second, frame in moments]
        seconds, frames = ([*column] for column in zip(*shown, strict=True))
        format = str(image.format)
        lacks = lacks or _without_side_data(data)[1]
        return Decoded(frames, width, height, format, stored, n_frames, seconds, lacks)


# ---- the steps of `decode`, in their order


def _opened(data: bytes, most_pixels: int) -> Image.Image:
    with _as_picture_errors(data, most_pixels, opened=False):
        formats = (TGA,) if is_tga(data) else FORMATS
        image = Image.open(io.BytesIO(_without_side_data(data)[0]), formats=formats)
    if isinstance(image, PsdImagePlugin.PsdImageFile):
        check_layers(image)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        check_raw(image)
    if data.startswith(png.SIGNATURE) and (bits := png.significant_bits(data)) is not None:
        image.info[SIGNIFICANT_BITS] = bits
    image.info.pop("xmp", None)  # Pillow would turn a TIFF by a word in it; no viewer does
    return image


def _without_side_data(data: bytes) -> tuple[bytes, bool]:
    """The picture without what damages nothing but itself, so that no decoder stumbles over it;
    and whether frames behind a damage were left out, too."""
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.without_side_segments(data), False
    if data.startswith(png.SIGNATURE):
        return png.without_side_chunks(data)
    if data[8:12] == b"WEBP":
        return webp.mended(data)
    return (avif.mended(data) if is_avif(data) else data), False


def _profile_bytes(data: bytes, image: Image.Image) -> bytes | None:
    """The colour profile in the file, or one that is made of the numbers that stand for it. Of JPEG
    and PNG, Pillow doesn't get to see it."""
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.profile(data)
    if data.startswith(png.SIGNATURE):
        return png.profile(data, MAX_PROFILE_BYTES)
    found = image.info.pop("icc_profile", None)
    if isinstance(found, bytes) and found:
        return found
    if is_avif(data) or is_heif(data):
        numbers = avif.code_points(data)
        return stated.by_code_points(*numbers) if numbers is not None else None
    return None


def _draft(image: Image.Image, edge: int) -> Box | None:
    """Let the JPEG decoder leave out detail beyond `edge` pixels. Other decoders can't.

    returns  where the picture is in the decoded image, to a fraction of a pixel; None when it will
             be decoded at its full size
    """
    if image.format != "JPEG":
        return None
    drafted = image.draft(None, (edge, edge))
    return drafted[1] if drafted else None


def _check_pixels(image: Image.Image, pixels: int, limit: int) -> None:
    """Refuse a picture of more than `limit` pixels, unless it shrinks while it is decoded.

    A progressive JPEG doesn't shrink: all its coefficients are held before the first pixel.
    """
    if image.format == "JPEG" and not image.info.get("progressive"):
        pixels = image.width * image.height
    if isinstance(image, TiffImagePlugin.TiffImageFile):  # a tile is held whole, however large
        width, height = TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH
        pixels = max(pixels, image.tag_v2.get(width, 0) * image.tag_v2.get(height, 0))
    if pixels > limit:
        raise PictureTooLarge(pixels, limit, "pixels")


def _frames(
    image: Image.Image, n_frames: int, limits: Limits, started: float
) -> tuple[Iterable[tuple[float, Image.Image]], bool]:
    """The chosen frames, in order, each with the second at which it is shown; and whether others
    can't be read, which come behind a damage."""
    if n_frames == 1:
        image.load()
        _check_pixels(image, image.width * image.height, limits.pixels)  # an icon names it twice
        if time.process_time() - started > limits.time_s:
            raise PictureTooSlow(limits.time_s)
        return [(0.0, image)], False
    seconds, seen, damaged = _compared(image, n_frames, limits, started)
    numbers = compared(n_frames)

    def taken() -> Iterator[tuple[float, Image.Image]]:
        for place in chosen(seen, limits.frames):
            _load(image, numbers[place], limits)
            yield round(seconds[place], 3), image.copy()

    return taken(), damaged


def _compared(
    image: Image.Image, n_frames: int, limits: Limits, started: float
) -> tuple[list[float], list[Tiny], bool]:
    """When each of the frames that are compared is shown, and these; and whether they end before a
    damaged one. Those that aren't reached in time are left out.

    The chosen ones are decoded a second time. So this may take a third of the time, and the rest
    is for that, and to spare.
    """
    seconds: list[float] = []
    seen: list[Tiny] = []
    second, wanted = 0.0, compared(n_frames)
    for number in range(n_frames):
        if number and time.process_time() - started > limits.time_s / 3:
            break
        if number and not _loads(image, number, limits):
            return seconds, seen, True
        if not number:
            _load(image, number, limits)
        if not number and time.process_time() - started > limits.time_s:
            raise PictureTooSlow(limits.time_s)
        if number in wanted:
            seconds.append(second)
            seen.append(tiny(image))
        second += shown_s(image)
    return seconds, seen, False


def _loads(image: Image.Image, number: int, limits: Limits) -> bool:
    """Decode this frame, if it isn't damaged."""
    try:
        _load(image, number, limits)
    except (PictureError, MemoryError):
        raise
    except Exception:  # hostile bytes can fail anywhere in a decoder
        return False
    return True


def _load(image: Image.Image, number: int, limits: Limits) -> None:
    """Decode this frame of the picture."""
    image.seek(number)
    _check_pixels(image, image.width * image.height, limits.pixels)  # a GIF may grow
    image.load()


def _coloured(
    frame: Image.Image, profile: Profile | None, fit: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """The frame as RGB in its size, with the colours that its profile means."""
    if profile is None:
        return fit(rgb(frame))
    if profile.on_small:
        return in_srgb(fit(rgb(frame)), profile)
    return fit(rgb(in_srgb(frame, profile)))


def _seen_in_part(image: Image.Image, data: bytes, edge: int) -> Image.Image:
    """What can be seen of a damaged picture.

    raises   PictureBroken when that is too little
    """
    assert isinstance(image, ImageFile.ImageFile)
    if not image.info.get("progressive"):
        seen = partial.read_in_part(image)
    elif (ends := jpeg.finest(_without_side_data(data)[0])) is not None:
        fine, coarse = (Image.open(io.BytesIO(end), formats=("JPEG",)) for end in ends)
        for each in (fine, coarse):
            _draft(each, edge)
        seen = partial.refined(fine, coarse)
    else:
        seen = None
    if seen is None:
        raise PictureBroken(PIXELS)
    return seen


def _kept(
    image: Image.Image, box: Box | None, target: tuple[int, int], shape: Shape, orientation: int
) -> Image.Image:
    """A frame small enough for the queue, and large enough for the model's own resize."""
    return upright(without_ends(shrunk(image, target, box), shape), orientation)


def _as_the_model_sees(
    image: Image.Image, box: Box | None, part: Box, side: int, resample: int, orientation: int
) -> Image.Image:
    """(side, side): what the model's own resize and crop would leave."""
    box = upright_box(box or (0, 0, *image.size), image.size, orientation)
    return resized(upright(image, orientation), box, part, side, resample)


# ---- errors


@contextlib.contextmanager
def _as_picture_errors(data: bytes, most_pixels: int, opened: bool) -> Iterator[None]:
    """Raise a PictureError in place of whatever a decoder raises on bytes that it can't read."""
    try:
        yield
    except (PictureError, MemoryError):
        raise
    except Exception as exc:  # hostile bytes can fail anywhere in a decoder
        if str(exc).lower().endswith(_OUT_OF_MEMORY):
            raise MemoryError from exc
        raise refusal(data, exc, most_pixels, opened) from exc


# How Pillow says it, in words and as a number.
_OUT_OF_MEMORY = ("out of memory error", "out of memory", "decoder error -9")
