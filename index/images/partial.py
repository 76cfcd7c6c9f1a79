"""Pictures of which the file lacks a part: what can still be seen of them.

Decoders write rows as they read them, and fail at the damage. So the picture is filled with noise
first; what is still that noise afterwards was not read.
"""

from __future__ import annotations

import contextlib
import os

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from index.images.colour import BAND_PIXELS

# The least share of its rows with which a picture is read; docs/formats.md has the measurement.
LEAST_SHARE = 0.75
# What takes the place of the others. With this grey, pictures stay more like themselves than with
# black, with the last row again and again, or with nothing.
MISSING = 128
# A row with a greater part of the noise in it was not read to its end.
_MOST_NOISE = 0.25
_NOISE_BYTES = 2**16 + 1
# Modes of 8 bits a channel.
_MODES = frozenset({"L", "LA", "P", "RGB", "RGBA", "CMYK"})


def read_in_part(image: ImageFile.ImageFile) -> Image.Image | None:
    """What can be seen of a picture that was opened and not loaded yet, in its full size.

    returns  None when less than LEAST_SHARE was read, or it can't be told
    """
    if image.mode not in _MODES or (image.mode == "P" and image.palette is None):
        return None
    mode, size = image.mode, image.size
    noise = _noise(image)
    image.im = Image.frombytes(mode, size, noise).im
    with contextlib.suppress(Exception):  # hostile bytes can fail anywhere in a decoder
        image.load()
    if (image.mode, image.size) != (mode, size):
        return None
    image.tile = []  # else it would be loaded once more
    missing = _missing(image, noise)
    del noise
    if missing.mean() > 1 - LEAST_SHARE:
        return None
    seen = image.convert("RGB") if mode in ("P", "CMYK") else image
    grey = (MISSING,) * 3 if seen.mode.startswith("RGB") else MISSING
    seen.paste(grey, mask=Image.fromarray(np.repeat(missing[:, None], size[0], axis=1)))
    return seen


def refined(fine: Image.Image, coarse: Image.Image) -> Image.Image | None:
    """A progressive JPEG, of which the finest scan was cut off, and which is `coarse` without it.

    Below the last row in which they differ, the picture is coarse as well.

    returns  None when less than LEAST_SHARE of the rows is finer
    """
    differ = (np.asarray(fine) != np.asarray(coarse)).reshape(fine.height, -1).any(axis=1)
    last = int(np.flatnonzero(differ).max(initial=-1)) + 1
    return fine if last >= LEAST_SHARE * fine.height else None


def _noise(image: Image.Image) -> NDArray[np.uint8]:
    """(height, width, channels) random bytes, which come again after _NOISE_BYTES of them."""
    shape = (image.height, image.width, len(image.getbands()))
    return np.resize(np.frombuffer(os.urandom(_NOISE_BYTES), np.uint8), shape)


def _missing(image: Image.Image, noise: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(height,) which rows were not read, in all their channels."""
    same = []
    step = max(1, BAND_PIXELS // image.width)
    for top in range(0, image.height, step):
        old = noise[top : top + step]
        band = image.crop((0, top, image.width, top + len(old)))
        same.append((np.asarray(band).reshape(old.shape) == old).any(axis=-1).mean(axis=1))
    return np.concatenate(same) > _MOST_NOISE
