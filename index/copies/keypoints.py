"""Keypoints of a grey picture: blobs that stand out, each with its place, size and a hash.

The detector is the one of SIFT (Lowe 2004): extremes of differences of Gaussians over place and
scale, without those on plain edges. The descriptor is a perceptual hash of the surroundings, since
its signs can be mirrored and turned without the pixels, which a SIFT or ORB descriptor can't.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.compiled import compiled
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
        count = find_extremes(np.diff(levels, axis=0), MIN_CONTRAST, MAX_RATIO, MARGIN, extremes)
        extremes = extremes[:count]
        blurs = FIRST_BLUR * factor ** extremes[:, 2]
        hashes.append(describe(levels, extremes, blurs, REACH, BASIS))
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
    radius = math.ceil(3 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    out = np.empty_like(image)
    convolve(image, (kernel / kernel.sum()).astype(np.float32), out)
    return out


def _convolve(image: Any, kernel: Any, out: Any) -> None:
    height, width = image.shape
    radius = len(kernel) // 2
    row = np.empty(width + 2 * radius, np.float32)
    for y in range(height):
        for x in range(width):
            row[radius + x] = 0.0
        for k in range(len(kernel)):
            source = min(max(y + k - radius, 0), height - 1)
            weight = kernel[k]
            for x in range(width):
                row[radius + x] += weight * image[source, x]
        for x in range(radius):
            row[x] = row[radius]
            row[radius + width + x] = row[radius + width - 1]
        for x in range(width):
            out[y, x] = 0.0
        for k in range(len(kernel)):
            weight = kernel[k]
            for x in range(width):
                out[y, x] += weight * row[x + k]


def _find_extremes(layers: Any, contrast: float, ratio: float, margin: int, out: Any) -> int:
    """Extremes of the layers over place and level: x, y, level (with fractions) and strength.

    layers   (n, h, w) differences of neighbouring levels of blur
    returns  how many there are in `out`
    """
    count = 0
    depth, height, width = layers.shape
    most = (ratio + 1.0) * (ratio + 1.0) / ratio
    for level in range(1, depth - 1):
        for y in range(margin, height - margin):
            for x in range(margin, width - margin):
                value = layers[level, y, x]
                if abs(value) < contrast or not stands_out(layers, level, y, x):
                    continue
                left, right = layers[level, y, x - 1], layers[level, y, x + 1]
                up, down = layers[level, y - 1, x], layers[level, y + 1, x]
                dxx, dyy = left + right - 2 * value, up + down - 2 * value
                dxy = 0.25 * (
                    layers[level, y + 1, x + 1]
                    + layers[level, y - 1, x - 1]
                    - layers[level, y + 1, x - 1]
                    - layers[level, y - 1, x + 1]
                )
                trace, determinant = dxx + dyy, dxx * dyy - dxy * dxy
                if determinant <= 0 or trace * trace >= most * determinant:
                    continue
                out[count, 0] = x + vertex(left, value, right)
                out[count, 1] = y + vertex(up, value, down)
                below, above = layers[level - 1, y, x], layers[level + 1, y, x]
                out[count, 2] = level + vertex(below, value, above)
                out[count, 3] = abs(value)
                count += 1
                if count == len(out):
                    return count
    return count


def _stands_out(layers: Any, level: int, y: int, x: int) -> bool:
    """Whether a value is above all its 26 neighbours, or below all."""
    value = layers[level, y, x]
    sign = 1.0 if value > 0 else -1.0
    for i in range(level - 1, level + 2):
        for j in range(y - 1, y + 2):
            for k in range(x - 1, x + 2):
                here = i == level and j == y and k == x
                if not here and sign * layers[i, j, k] >= sign * value:
                    return False
    return True


def _vertex(before: float, middle: float, after: float) -> float:
    """Where the parabola through three neighbours has its extreme, from the middle one."""
    curve = before + after - 2 * middle
    if curve == 0.0:
        return 0.0
    return min(max(0.5 * (before - after) / curve, -0.5), 0.5)


def _describe(levels: Any, points: Any, blurs: Any, reach: float, basis: Any) -> Any:
    """Hashes of the surroundings of these points: a bit says whether a wave's sum is positive."""
    depth, height, width = levels.shape
    waves, samples = basis.shape
    hashes = np.zeros(len(points), np.uint64)
    patch = np.empty((samples, samples), np.float32)
    half = np.empty((waves, samples), np.float32)
    for n in range(len(points)):
        level = min(max(int(points[n, 2] + 0.5), 0), depth - 1)
        pitch = 2 * reach * blurs[n] / samples
        for i in range(samples):
            y = min(max(points[n, 1] + (i - 0.5 * (samples - 1)) * pitch, 0.0), height - 1.001)
            y0 = int(y)
            fy = y - y0
            for j in range(samples):
                x = min(max(points[n, 0] + (j - 0.5 * (samples - 1)) * pitch, 0.0), width - 1.001)
                x0 = int(x)
                fx = x - x0
                top = levels[level, y0, x0] * (1 - fx) + levels[level, y0, x0 + 1] * fx
                low = levels[level, y0 + 1, x0] * (1 - fx) + levels[level, y0 + 1, x0 + 1] * fx
                patch[i, j] = top * (1 - fy) + low * fy
        for u in range(waves):
            for j in range(samples):
                total = 0.0
                for i in range(samples):
                    total += basis[u, i] * patch[i, j]
                half[u, j] = total
        bits = np.uint64(0)
        for u in range(waves):
            for v in range(waves):
                if u == 0 and v == 0:
                    continue
                total = 0.0
                for j in range(samples):
                    total += half[u, j] * basis[v, j]
                if total > 0:
                    bits |= np.uint64(1) << np.uint64(u * waves + v)
        hashes[n] = bits
    return hashes


vertex = compiled(_vertex)
stands_out = compiled(_stands_out)
convolve = compiled(_convolve)
find_extremes = compiled(_find_extremes)
describe = compiled(_describe)
