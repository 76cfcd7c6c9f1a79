"""Bytes to RGB frames: within limits, upright, and no larger than a model needs.

The decoder is chosen by the bytes, never by a file's name. Limits are checked on the header, before
memory is spent on pixels.
"""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
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

from index.images import avif, heif, jpeg, lottie, png
from index.images.animation import MAX_FRAMES, different, evenly_spread, frame_count
from index.images.colour import SIGNIFICANT_BITS, rgb
from index.images.orientation import UPRIGHT_WHEN_LOADED, orientation_of, upright, upright_box
from index.images.profiles import MAX_BYTES as MAX_PROFILE_BYTES
from index.images.profiles import Profile, in_srgb, profile_of
from index.images.refusals import EMPTY, refusal
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
from index.images.unsupported import check_layers
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
    frames   decoded of an animation
    time_s   after this, no further frame is decoded
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
    raises    PictureTooLarge, NotAPicture, PictureUnsupported, PictureBroken, PictureTooSlow
    """
    if len(data) > limits.bytes:
        raise PictureTooLarge(len(data), limits.bytes, "bytes")
    if not data:
        raise PictureBroken(EMPTY)
    started = time.monotonic()
    with _opened(data, limits.pixels) as image, _as_picture_errors(data, limits.pixels, True):
        size = image.size
        profile = profile_of(_profile_bytes(data, image), image)
        box = _draft(image, KEPT_SCALE * side)
        _check_pixels(image, size[0] * size[1], limits.pixels)
        stored = orientation_of(image)
        orientation = 1 if image.format in UPRIGHT_WHEN_LOADED else stored
        n_frames = frame_count(image)
        width, height = size if orientation < 5 else size[::-1]
        fit: Callable[[Image.Image], Image.Image]
        if resample is None:
            target = kept_size(size, side, shape)
            fit = partial(_kept, box=box, target=target, shape=shape, orientation=orientation)
        else:
            part = visible_part((width, height), side, shape)
            fit = partial(
                _as_the_model_sees,
                box=box,
                part=part,
                side=side,
                resample=resample,
                orientation=orientation,
            )
        frames = [
            _coloured(frame, profile, fit) for frame in _frames(image, n_frames, limits, started)
        ]
        format = str(image.format)
        return Decoded(different(frames), width, height, format, stored, n_frames)


# ---- the steps of `decode`, in their order


def _opened(data: bytes, most_pixels: int) -> Image.Image:
    with _as_picture_errors(data, most_pixels, opened=False):
        formats = (TGA,) if is_tga(data) else FORMATS
        image = Image.open(io.BytesIO(_without_side_data(data)), formats=formats)
    if isinstance(image, PsdImagePlugin.PsdImageFile):
        check_layers(image)
    if data.startswith(png.SIGNATURE) and (bits := png.significant_bits(data)) is not None:
        image.info[SIGNIFICANT_BITS] = bits
    image.info.pop("xmp", None)  # Pillow would turn a TIFF by a word in it; no viewer does
    return image


def _without_side_data(data: bytes) -> bytes:
    """The picture without what damages nothing but itself, so that no decoder stumbles over it."""
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.without_side_segments(data)
    if data.startswith(png.SIGNATURE):
        return png.without_side_chunks(data)
    return avif.mended(data) if is_avif(data) else data


def _profile_bytes(data: bytes, image: Image.Image) -> bytes | None:
    """The colour profile in the file. Of JPEG and PNG, Pillow doesn't get to see it."""
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.profile(data)
    if data.startswith(png.SIGNATURE):
        return png.profile(data, MAX_PROFILE_BYTES)
    found = image.info.pop("icc_profile", None)
    return found if isinstance(found, bytes) else None


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
    if pixels > limit:
        raise PictureTooLarge(pixels, limit, "pixels")


def _frames(
    image: Image.Image, n_frames: int, limits: Limits, started: float
) -> Iterator[Image.Image]:
    """The chosen frames, in order; frames that aren't reached in time are left out."""
    for number in evenly_spread(n_frames, limits.frames):
        while image.tell() < number:
            if time.monotonic() - started > limits.time_s:
                return
            image.seek(image.tell() + 1)
            _check_pixels(image, image.width * image.height, limits.pixels)  # a GIF may grow
        image.load()
        _check_pixels(
            image, image.width * image.height, limits.pixels
        )  # an icon names its size twice
        if number == 0 and time.monotonic() - started > limits.time_s:
            raise PictureTooSlow(limits.time_s)
        yield image.copy() if n_frames > 1 else image


def _coloured(
    frame: Image.Image, profile: Profile | None, fit: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """The frame as RGB in its size, with the colours that its profile means."""
    if profile is None:
        return fit(rgb(frame))
    if profile.on_small:
        return in_srgb(fit(rgb(frame)), profile)
    return fit(rgb(in_srgb(frame, profile)))


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
