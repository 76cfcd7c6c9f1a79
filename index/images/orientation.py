"""Exif's orientation tag: how a camera was held, and how its picture becomes upright."""

from __future__ import annotations

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from index.images.resize import Box

# The number of Exif's orientation tag.
ORIENTATION = 0x0112
# What makes a picture upright, by the value of its tag. 1 is upright already.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Formats that Pillow turns itself, with their size. What it returns of others is as it is stored.
UPRIGHT_WHEN_LOADED = frozenset({"TIFF"})


def orientation_of(image: Image.Image) -> int:
    """The orientation in the file of a picture that isn't loaded yet, 1 to 8.

    AVIF has properties for it, which Pillow puts into Exif. Other places than Exif don't count, as
    in browsers.

    returns  1, too, when there is none or none that can be read
    """
    try:
        if isinstance(image, TiffImageFile):
            value = image.tag_v2.get(ORIENTATION, 1)
        else:
            exif = Image.Exif()
            exif.load(image.info.get("exif", b""))
            value = exif.get(ORIENTATION, 1)
    except Exception:  # damaged Exif data fails in many ways, and the pixels are fine
        return 1
    return value if value in UPRIGHT else 1


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The picture the right way up."""
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def upright_box(box: Box, size: tuple[int, int], orientation: int) -> Box:
    """The place of a box of a picture of `size` after `upright`."""
    left, top, right, bottom = box
    if orientation in (2, 3, 7, 8):
        left, right = size[0] - right, size[0] - left
    if orientation in (3, 4, 6, 7):
        top, bottom = size[1] - bottom, size[1] - top
    return (left, top, right, bottom) if orientation < 5 else (top, left, bottom, right)
