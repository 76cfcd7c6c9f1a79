"""Colour profiles (ICC): what the numbers of a picture's pixels mean, brought to sRGB.

Models learnt from pictures as browsers show them, which is in sRGB. A profile that can't be used,
because it is damaged or of another kind of colours, is left out, as viewers do.
"""

from __future__ import annotations

import contextlib
import io
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageCms

# Profiles of printers have up to 3 MB, those of cameras and screens some 3 kB.
MAX_BYTES = 4 * 2**20
# Profiles whose transforms are kept. Making one takes 1 to 20 ms, and most pictures have one of a
# few.
KEPT = 8
# A profile that changes no colour by more than this, of 255, is sRGB by another name.
SAME_COLOUR = 2
# How far from the middle the middle grey may end, of 255, for curves that are like sRGB's. With
# curves that end farther, a small picture's colours depend on whether they were brought to sRGB
# before; with others, by less than half a step on average.
SAME_CURVE = 20
# Pillow's mode for each kind of colours that a profile may be of, as it names itself.
_MODES = {"RGB": "RGB", "CMYK": "CMYK", "GRAY": "L"}
_SRGB = ImageCms.createProfile("sRGB")


class Profile(NamedTuple):
    """A profile that changes colours.

    mode        of the pixels that it is for: RGB, CMYK or L
    on_small    whether it may wait until the picture is small. Its curves are like sRGB's, so that
                pixels average to the same colours before and after
    """

    mode: str
    on_small: bool
    transform: Any


def profile_of(data: bytes | None, image: Image.Image) -> Profile | None:
    """The profile for the pixels of a picture. None: they are sRGB, as far as one can tell."""
    if not data or len(data) > MAX_BYTES:
        return None
    found = _profile(data)
    return found if found is not None and found.mode == _base(image.mode) else None


def in_srgb(image: Image.Image, profile: Profile) -> Image.Image:
    """The picture in sRGB: RGB, or RGBA if anything in it is transparent."""
    if image.mode == profile.mode:
        clear = image.info.get("transparency")
        if clear is not None:
            return in_srgb(image.convert("RGBA" if profile.mode == "RGB" else "LA"), profile)
        return _applied(image, profile)
    if image.mode == "P" and not image.has_transparency_data:
        return _applied(image.convert("RGB"), profile)
    if image.mode in ("P", "PA", "RGBA", "RGBa"):
        image = image.convert("RGBA")
    *_, alpha = image.split()
    colours = _applied(image.convert(profile.mode), profile)
    colours.putalpha(alpha)
    return colours


def _applied(image: Image.Image, profile: Profile) -> Image.Image:
    managed = ImageCms.applyTransform(image, profile.transform)
    assert managed is not None  # only a transform in place gives None
    return managed


def _base(mode: str) -> str | None:
    """The mode of a picture's colours without its transparency."""
    if mode in ("RGB", "RGBA", "RGBa", "P", "PA"):
        return "RGB"
    return {"L": "L", "LA": "L", "CMYK": "CMYK"}.get(mode)


@lru_cache(KEPT)
def _profile(data: bytes) -> Profile | None:
    with contextlib.suppress(Exception):  # hostile bytes can fail anywhere in the library
        read = ImageCms.ImageCmsProfile(io.BytesIO(data))
        mode = _MODES[read.profile.xcolor_space.strip()]
        transform = ImageCms.buildTransform(read, _SRGB, mode, "RGB")
        if _changes(transform, mode):
            on_small = mode == "RGB" and read.profile.is_matrix_shaper and _like_srgb(transform)
            return Profile(mode, on_small, transform)
    return None


def _like_srgb(transform: Any) -> bool:
    """Whether the middle grey stays near the middle."""
    managed = ImageCms.applyTransform(Image.new("RGB", (1, 1), (128, 128, 128)), transform)
    return bool(np.abs(np.asarray(managed, np.int16) - 128).max() <= SAME_CURVE)


def _changes(transform: Any, mode: str) -> bool:
    """Whether the transform changes colours, by a sample of them all."""
    steps = np.linspace(0, 255, 6).astype(np.uint8)
    channels = len(Image.new(mode, (1, 1)).getbands())
    grid = np.stack(np.meshgrid(*[steps] * channels), axis=-1).reshape(1, -1, channels)
    sample = Image.fromarray(grid[..., 0] if mode == "L" else grid, mode)
    managed = ImageCms.applyTransform(sample, transform)
    plain = np.asarray(sample.convert("RGB"), np.int16)
    return bool(np.abs(np.asarray(managed, np.int16) - plain).max() > SAME_COLOUR)
