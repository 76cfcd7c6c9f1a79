"""Sizes: the part of a picture that a model sees, and the size at which a picture is kept."""

from __future__ import annotations

from typing import Literal, TypeAlias

from PIL import Image

# How a model brings a picture to its size.
#   crop      the short edge gets the model's size, then the middle square is cut out
#   squeeze   the picture becomes a square, whatever its shape
#   free      the number of pixels is fixed, and the edges keep their ratio
Shape: TypeAlias = Literal["crop", "squeeze", "free"]
Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom

# A decoded picture is kept at this many times the size that the model's own resize gives it, to
# the pixel. When rounding loses one pixel of 96, the embedding of a trained model has a cosine of
# only .98 to that of the full picture. With exact sizes it is > .9999, for a fraction of the time
# and memory.
KEPT_SCALE = 3
# A model with "crop" brings the short edge to its size: a picture of 1 × 30,000 pixels would become
# 224 × 6,720,000. The ends of a picture that is longer than this many times its short edge are cut
# off first; the model never sees them.
MAX_ASPECT = 8
# Pillow first averages whole pixels, down to this many times the target size. From 3 on its
# documentation calls the result "indistinguishable".
REDUCING_GAP = 3.0


def kept_size(size: tuple[int, int], side: int, shape: Shape) -> tuple[int, int]:
    """KEPT_SCALE times the size that the model's own resize gives a picture of `size`.

    source   transformers: the short edge becomes `side`, the long one is rounded down
    """
    if shape == "squeeze":
        return KEPT_SCALE * side, KEPT_SCALE * side
    short = min(size)
    if shape == "free":  # this resize has no fixed factor, so this is correct up to rounding
        scale = KEPT_SCALE * side / short
        return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    width, height = (max(1, side * edge // short) for edge in size)
    return KEPT_SCALE * width, KEPT_SCALE * height


def shrunk(image: Image.Image, target: tuple[int, int], box: Box | None) -> Image.Image:
    """The picture (or its `box`) at the target size; unchanged when an edge is smaller already."""
    if target[0] > image.width or target[1] > image.height:
        return image
    return image.resize(target, Image.Resampling.LANCZOS, box, reducing_gap=REDUCING_GAP)


def without_ends(image: Image.Image, shape: Shape) -> Image.Image:
    """The picture without the ends that the model would cut off anyway, see MAX_ASPECT."""
    longest = MAX_ASPECT * min(image.size)
    if shape != "crop" or max(image.size) <= longest:
        return image
    left, top = (max(0, edge - longest) // 2 for edge in image.size)
    return image.crop((left, top, image.width - left, image.height - top))


def visible_part(size: tuple[int, int], side: int, shape: Shape) -> Box:
    """The part of an upright picture that the model looks at, in fractions of the edges.

    source   transformers: the short edge becomes `side`, the long one is rounded down, and the
             middle is cut out at whole pixels
    """
    if shape != "crop":
        return 0.0, 0.0, 1.0, 1.0
    width, height = (max(1, side * edge // min(size)) for edge in size)
    left, top = (width - side) // 2, (height - side) // 2
    return left / width, top / height, (left + side) / width, (top + side) / height


def resized(image: Image.Image, box: Box, part: Box, side: int, resample: int) -> Image.Image:
    """What the model's resize and crop would leave of an upright picture, in one step.

    box       where the picture is in `image`, in pixels
    part      of the picture, as `visible_part` returns it
    resample  the filter of the model's resize, as Pillow numbers them
    returns   (side, side)
    """
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    source = (
        left + part[0] * width,
        top + part[1] * height,
        left + part[2] * width,
        top + part[3] * height,
    )
    filter_ = Image.Resampling(resample)
    return image.resize((side, side), filter_, source, reducing_gap=REDUCING_GAP)
