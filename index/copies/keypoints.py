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
# How much more blur a level has than the one before.
FACTOR = 2.0 ** (1 / INTERVALS)


def _gaussian(sigma: float) -> Floats:
    """A Gaussian of this width in pixels, as the kernel of a convolution."""
    radius = math.ceil(3 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    made: Floats = (kernel / kernel.sum()).astype(np.float32)
    return made


# What blurs a picture to the first level, and each level to the next one.
FIRST_KERNEL = _gaussian(math.sqrt(FIRST_BLUR**2 - OWN_BLUR**2))
KERNELS = tuple(
    _gaussian(FIRST_BLUR * FACTOR**level * math.sqrt(FACTOR**2 - 1))
    for level in range(INTERVALS + 2)
)


def keypoints(grey: Floats) -> tuple[Floats, Hashes]:
    """The keypoints of a grey picture, the most distinct first.

    grey     (h, w) float32, 0 to 255
    returns  (n, 3) float32: x, y and blur in pixels; and (n,) hashes of the surroundings
    """
    from index.copies import loops

    found: list[Floats] = []
    octaves: list[tuple[Floats, Floats, Floats]] = []
    image, step = np.empty_like(grey), 1
    loops.convolve(grey, FIRST_KERNEL, image)
    while min(image.shape) >= MIN_EDGE:
        levels, extremes = loops.octave(
            image, KERNELS, MIN_CONTRAST, MAX_RATIO, MARGIN, 4 * MAX_KEYPOINTS * CELLS
        )
        blurs = FIRST_BLUR * FACTOR ** extremes[:, 2]
        octaves.append((levels, extremes, blurs))
        places = (extremes[:, :2] + 0.5) * step
        found.append(np.column_stack((places, blurs * step, extremes[:, 3])).astype(np.float32))
        image = np.ascontiguousarray(levels[INTERVALS][::2, ::2])
        step *= 2
    every = np.concatenate(found)
    best = spread(every, grey.shape)
    hashes, start = np.empty(len(best), np.uint64), 0
    for levels, extremes, blurs in octaves:
        of_this = (start <= best) & (best < start + len(extremes))
        if of_this.any():
            mine = best[of_this] - start
            hashes[of_this] = loops.describe(levels, extremes[mine], blurs[mine], REACH, BASIS)
        start += len(extremes)
    return every[best, :3], hashes


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
