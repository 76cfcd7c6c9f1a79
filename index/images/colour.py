"""Pixels of any mode as RGB: transparency on a background, wide numbers on 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageStat
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    SAMPLEFORMAT,
    TiffImageFile,
)

# Backgrounds for transparent pictures, see `on_background`.
WHITE = (255, 255, 255)
DARK = (48, 48, 48)
# Mean luminance of the visible part, of 255, above which a transparent picture counts as light.
LIGHT_PICTURE = 200
# Pixels that are converted at once. As 64-bit numbers, a whole large picture would take gigabytes.
BAND_PIXELS = 2**20
# Greatest numbers that whole numbers without a sign are taken to go up to, where their file doesn't
# say it: those of cameras and scanners, of 8 to 16 bits. Pictures of 12 bits in files of 16 would
# be nearly black otherwise.
WHOLE_RANGES = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
# Where `decode` notes how many bits of a PNG's numbers mean something.
SIGNIFICANT_BITS = "significant bits"
# TIFF's tags for the greatest number of a channel, of any kind and of whole ones.
_GREATEST = (341, 281)
# Formats in which alpha may be unused bytes. Many programs wrote 0 there, and mean opaque.
_ALPHA_UNUSED = frozenset({"BMP", "TGA"})


def rgb(image: Image.Image) -> Image.Image:
    """The picture as RGB, with 8 bits a channel."""
    if image.mode.startswith(("I", "F")):
        image = _to_8_bits(image)
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        if not _hides_a_picture(clear, image.format):
            return on_background(clear)
        image = clear
    return image if image.mode == "RGB" else image.convert("RGB")


def _hides_a_picture(image: Image.Image, format: str | None) -> bool:
    """Whether an RGBA picture has all its colours under an alpha of 0.

    Programs write that by mistake. Where all is one colour, nothing is hidden.
    """
    if image.getchannel("A").getextrema() != (0, 0):
        return False
    return format in _ALPHA_UNUSED or image.convert("RGB").getcolors(1) is None


def on_background(image: Image.Image) -> Image.Image:
    """An RGBA picture on white, or on dark grey when its visible part is itself light.

    White, because models learnt from pictures of the web, where transparent ones were put on white.
    But a white drawing on white would vanish. Dark grey rather than black, so that black outlines
    stay visible too. The colour of fully transparent pixels never shows.
    """
    alpha = image.getchannel("A")
    visible = alpha.point(lambda a: 255 if a >= 128 else 0)
    grey = image.convert("RGB").convert("L")
    light = visible.getbbox() is not None and ImageStat.Stat(grey, visible).mean[0] > LIGHT_PICTURE
    background = Image.new("RGB", image.size, DARK if light else WHITE)
    background.paste(image, mask=alpha)
    return background


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits, scaled by its range, see `_range`.

    returns  L; LA where one grey is transparent
    """
    values = _numbers(image)
    rows = max(1, BAND_PIXELS // image.width)
    bands = [values[top : top + rows] for top in range(0, image.height, rows)]
    low = min(float(_finite(band).min()) for band in bands)
    high = max(float(_finite(band).max()) for band in bands)
    low, high = _range(image, low, high)
    scale = 255.0 / max(high - low, 1e-12)
    scaled = [((_finite(band) - low) * scale).clip(0, 255).astype(np.uint8) for band in bands]
    grey = Image.fromarray(_from_white(image, np.concatenate(scaled)))
    if isinstance(clear := image.info.get("transparency"), int):
        alpha = Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8))
        return Image.merge("LA", (grey, alpha))
    return grey


def _range(image: Image.Image, low: float, high: float) -> tuple[float, float]:
    """Which numbers are black and white, of numbers from `low` to `high`.

    For whole numbers without a sign, 0 is black. White is the greatest that the file names; else
    the greatest of the kinds of numbers that hold them all; below those of 8 bits, the greatest
    itself. Others are seen by their own range.
    """
    if image.mode == "F" or low < 0:
        return low, high
    stated = _greatest(image)
    if stated is not None and high <= stated:
        return 0.0, stated
    if high < WHOLE_RANGES[0]:
        return 0.0, max(high, 1.0)
    return 0.0, next((full for full in WHOLE_RANGES if high <= full), high)


def _greatest(image: Image.Image) -> float | None:
    """The greatest number that the file names, for its pixels or for those that they came from."""
    bits = image.info.get(SIGNIFICANT_BITS)
    if isinstance(image, TiffImageFile):
        for tag in _GREATEST:
            named = image.tag_v2.get(tag)
            [greatest, *_] = named if isinstance(named, tuple) and named else (named,)
            if isinstance(greatest, int | float) and greatest > 0:
                return float(greatest)
        [bits, *_] = image.tag_v2.get(BITSPERSAMPLE, (16,))
        bits = bits if bits < 16 else None
    return float(2**bits - 1) if bits else None


def _numbers(image: Image.Image) -> NDArray[Any]:
    """The pixels of one channel, as they are meant: a TIFF may hold 32 bits without a sign."""
    values = np.asarray(image)
    if image.mode == "I" and isinstance(image, TiffImageFile):
        signs = image.tag_v2.get(SAMPLEFORMAT, 1)
        return values.view(np.uint32) if signs in (1, (1,)) else values
    return values


def _from_white(image: Image.Image, grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The grey turned round where 0 is white, as a TIFF may say."""
    white_first = isinstance(image, TiffImageFile) and (
        image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0
    )
    return 255 - grey if white_first else grey


def _finite(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
