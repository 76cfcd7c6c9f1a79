"""Pixels of any mode as RGB: transparency on a background, wide numbers on 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageStat
from PIL.TiffImagePlugin import (
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
# Ranges that whole numbers without a sign are taken to fill: of 8 bits, and of 16.
WHOLE_RANGES = (255.0, 65535.0)


def rgb(image: Image.Image) -> Image.Image:
    """The picture as RGB, with 8 bits a channel."""
    if image.mode.startswith(("I", "F")):
        image = _to_8_bits(image)
    if image.has_transparency_data and not _is_empty_alpha_of_bmp(image):
        return on_background(image.convert("RGBA"))
    return image if image.mode == "RGB" else image.convert("RGB")


def _is_empty_alpha_of_bmp(image: Image.Image) -> bool:
    """Whether its transparency is unused bytes. Many programs wrote 0 there, and mean opaque."""
    return (
        image.format == "BMP" and image.mode == "RGBA" and not image.getchannel("A").getextrema()[1]
    )


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
    """16-bit grey by its high byte; wider or floating numbers scaled by their own range.

    returns  L; LA where one grey is transparent
    """
    values = _numbers(image)
    if image.mode.startswith("I;16"):
        grey = Image.fromarray(_from_white(image, (values >> 8).astype(np.uint8)))
        if isinstance(clear := image.info.get("transparency"), int):
            alpha = Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8))
            return Image.merge("LA", (grey, alpha))
        return grey
    rows = max(1, BAND_PIXELS // image.width)
    bands = [values[top : top + rows] for top in range(0, image.height, rows)]
    low = min(float(_finite(band).min()) for band in bands)
    high = max(float(_finite(band).max()) for band in bands)
    if image.mode == "I" and low >= 0:
        low, high = 0.0, next((full for full in WHOLE_RANGES if high <= full), high)
    scale = 255.0 / max(high - low, 1e-12)
    scaled = [((_finite(band) - low) * scale).clip(0, 255).astype(np.uint8) for band in bands]
    return Image.fromarray(_from_white(image, np.concatenate(scaled)))


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
