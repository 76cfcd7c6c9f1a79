"""Keypoints of a grey picture: blobs that stand out, each with its place, size and a hash.

The detector is the one of SIFT (Lowe 2004): extremes of differences of Gaussians over place and
scale, without those on plain edges. The descriptor is a perceptual hash of the surroundings, since
its signs can be mirrored and turned without the pixels, which a SIFT or ORB descriptor can't.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from index.copies.orientation import BASIS, Hashes
from index.types.records import Floats

MAX_KEYPOINTS = 96
# Levels of blur in an octave in which extremes are looked for, and the blur of the first one in
# pixels.
INTERVALS = 2
FIRST_BLUR = 1.4
# A camera's or a resize's blur that every picture has, in pixels.
OWN_BLUR = 0.5
MIN_EDGE = 16  # of the smallest octave
# Of 255: weaker extremes come from noise.
MIN_CONTRAST = 1.6
# How much longer than wide a blob may be, as the ratio of its curvatures; longer ones are edges.
MAX_RATIO = 10.0
MARGIN = 2  # pixels at the edge of an octave without keypoints
REACH = 6.0  # how far the surroundings of a keypoint go to each side, in times its blur
# Cells to a side of a grid; each gives its best keypoints before any gives more.
CELLS = 4


def keypoints(grey: Floats) -> tuple[Floats, Hashes]:
    """The keypoints of a grey picture, the most distinct first.

    grey     (h, w) float32, 0 to 255
    returns  (n, 3) float32: x, y and blur in pixels; and (n,) hashes of the surroundings
    """
    from index.copies import loops

    found: list[Floats] = []
    hashes: list[Hashes] = []
    image = blurred(grey, math.sqrt(FIRST_BLUR**2 - OWN_BLUR**2))
    step, factor = 1, 2.0 ** (1 / INTERVALS)
    while min(image.shape) >= MIN_EDGE:
        levels = np.empty((INTERVALS + 3, *image.shape), np.float32)
        levels[0] = image
        for number in range(1, len(levels)):
            before = FIRST_BLUR * factor ** (number - 1)
            levels[number] = blurred(levels[number - 1], before * math.sqrt(factor**2 - 1))
        extremes = np.empty((4 * MAX_KEYPOINTS * CELLS, 4), np.float32)
        count = loops.find_extremes(
            np.diff(levels, axis=0), MIN_CONTRAST, MAX_RATIO, MARGIN, extremes
        )
        extremes = extremes[:count]
        blurs = FIRST_BLUR * factor ** extremes[:, 2]
        hashes.append(loops.describe(levels, extremes, blurs, REACH, BASIS))
        places = (extremes[:, :2] + 0.5) * step
        found.append(np.column_stack((places, blurs * step, extremes[:, 3])).astype(np.float32))
        image = np.ascontiguousarray(levels[INTERVALS][::2, ::2])
        step *= 2
    every, all_hashes = np.concatenate(found), np.concatenate(hashes)
    best = spread(every, grey.shape)
    return every[best, :3], all_hashes[best]


def spread(found: Floats, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The most distinct keypoints, at most MAX_KEYPOINTS, from all over the picture."""
    height, width = shape
    order = np.argsort(-found[:, 3], kind="stable")
    x, y = found[order, 0] * CELLS / width, found[order, 1] * CELLS / height
    cells = np.minimum(y.astype(np.int64), CELLS - 1) * CELLS + np.minimum(
        x.astype(np.int64), CELLS - 1
    )
    place = np.empty(len(order), np.int64)
    for cell in range(CELLS * CELLS):
        mine = cells == cell
        place[mine] = np.arange(np.count_nonzero(mine))
    fair = MAX_KEYPOINTS // (CELLS * CELLS)
    late = np.where(place < fair, 0, 1)
    chosen: NDArray[np.int64] = order[np.argsort(late, kind="stable")[:MAX_KEYPOINTS]]
    return chosen


def blurred(image: Floats, sigma: float) -> Floats:
    """The picture under a Gaussian of this width, in pixels."""
    from index.copies import loops

    radius = math.ceil(3 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    out = np.empty_like(image)
    loops.convolve(image, (kernel / kernel.sum()).astype(np.float32), out)
    return out
