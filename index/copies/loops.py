"""The loops over pixels, keypoints and hashes, as machine code.

Imported where they are needed, since the compiler takes half a second to load.

A placement maps places of picture a to places of picture b: an orientation (see there), then
x' = scale_x · x + shift_x, and the same for y.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.copies.orientation import FLIP_X, FLIP_Y, PAIR, PAIRED, STEADY, TRANSPOSE
from index.search.kernels.instructions import count_ones

# Two keypoints of one match may differ so much in size, beside the pictures' own scale.
MOST_BLUR_RATIO = 2.0
# Scales between the two pictures; a phone's screenshot has a picture at a third of its size.
LEAST_SCALE, MOST_SCALE = 0.15, 6.0
NEAR_PIXELS = 20.0  # two keypoints that are nearer tell too little of a scale
TOLERANCE = 4.0  # pixels between where a keypoint is and where its match puts it
REFINED_TIMES = 2

# A placement is improved so often by half a step: of a thumbnail's pixel, and of this growth.
IMPROVED_TIMES, FIRST_GROWTH = 4, 0.02

# So many hashes are looked through before any of them is looked at closely.
TOGETHER = 128

# The overlap is compared in samples, of which BLOCK × BLOCK are one block.
BLOCK = 4
# Of 255: deviation below which a block shows nothing, and an overlap can't be judged.
FLAT_BLOCK, FLAT = 2.0, 1.0
# A block of the overlap agrees if what it shows correlates at least so much.
BLOCK_CORRELATION = 0.5
# A flat block disagrees where its tone differs by so many deviations of the overlap.
TONE_DIFFERENCE = 0.5


# ---- keypoints


def _octave(image: Any, kernels: Any, contrast: float, ratio: float, margin: int, most: int) -> Any:
    """A picture under one blur after the other, and the extremes of the differences between them.

    returns   (n, h, w) the picture and its levels of blur; and (m, 4) as `find_extremes` writes
              them, with m at most `most`
    """
    height, width = image.shape
    # One piece of memory: of two, the C library gives one back to the system after each picture,
    # and the system clears its pages for the next one.
    room = np.empty((2 * len(kernels) + 1, height, width), np.float32)
    levels, layers = room[: len(kernels) + 1], room[len(kernels) + 1 :]
    levels[0] = image
    for n in range(len(kernels)):
        convolve(levels[n], kernels[n], levels[n + 1])
        for y in range(height):
            for x in range(width):
                layers[n, y, x] = levels[n + 1, y, x] - levels[n, y, x]
    extremes = np.empty((most, 4), np.float32)
    return levels, extremes[: find_extremes(layers, contrast, ratio, margin, extremes)]


def _convolve(image: Any, kernel: Any, out: Any) -> None:
    """Beyond its edges, the picture goes on as it ends there.

    Three taps are added at a time, each to the sum of those before it.
    """
    height, width = image.shape
    radius = len(kernel) // 2
    taps = np.zeros(-(-len(kernel) // 3) * 3, np.float32)
    taps[: len(kernel)] = kernel
    row = np.zeros(width + len(taps) - 1, np.float32)
    middle = row[radius : radius + width]
    for y in range(height):
        middle[:] = 0.0
        for k in range(0, len(taps), 3):
            u, v, w = taps[k], taps[k + 1], taps[k + 2]
            a = image[min(max(y + k - radius, 0), height - 1)]
            b = image[min(max(y + k + 1 - radius, 0), height - 1)]
            c = image[min(max(y + k + 2 - radius, 0), height - 1)]
            for x in range(width):
                middle[x] = middle[x] + u * a[x] + v * b[x] + w * c[x]
        row[:radius] = middle[0]
        row[radius + width : width + 2 * radius] = middle[width - 1]
        sums = out[y]
        sums[:] = 0.0
        for k in range(0, len(taps), 3):
            u, v, w = taps[k], taps[k + 1], taps[k + 2]
            a, b, c = row[k:], row[k + 1 :], row[k + 2 :]
            for x in range(width):
                sums[x] = sums[x] + u * a[x] + v * b[x] + w * c[x]


def _find_extremes(layers: Any, contrast: float, ratio: float, margin: int, out: Any) -> int:
    """Extremes of the layers over place and level: x, y, level (with fractions) and strength.

    layers   (n, h, w) differences of neighbouring levels of blur
    returns  how many there are in `out`
    """
    count = 0
    depth, height, width = layers.shape
    most = (ratio + 1.0) * (ratio + 1.0) / ratio
    highest, lowest = np.empty(width, np.float32), np.empty(width, np.float32)
    peaks = np.zeros(width, np.bool_)
    for level in range(1, depth - 1):
        for y in range(margin, height - margin):
            find_peaks(layers, level, y, highest, lowest, peaks)
            for x in range(margin, width - margin):
                value = layers[level, y, x]
                if not peaks[x] or abs(value) < contrast:
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


def _find_peaks(layers: Any, level: int, y: int, highest: Any, lowest: Any, peaks: Any) -> None:
    """Which values of a row are above zero and all their 26 neighbours, or below.

    Loops without branches, which are compiled to the machine's widest instructions.

    highest, lowest   (w,) written over
    peaks             (w,) gets them, but for its ends
    """
    width = layers.shape[2]
    row, up, down = layers[level, y], layers[level, y - 1], layers[level, y + 1]
    for x in range(width):
        highest[x], lowest[x] = max(up[x], down[x]), min(up[x], down[x])
    for i in (level - 1, level + 1):
        for j in range(y - 1, y + 2):
            other = layers[i, j]
            for x in range(width):
                highest[x], lowest[x] = max(highest[x], other[x]), min(lowest[x], other[x])
    for x in range(1, width - 1):
        before, value, after = row[x - 1], row[x], row[x + 1]
        high = max(max(before, after), max(highest[x - 1], max(highest[x], highest[x + 1])))
        low = min(min(before, after), min(lowest[x - 1], min(lowest[x], lowest[x + 1])))
        peaks[x] = ((value > 0) & (value > high)) | ((value <= 0) & (value < low))


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


# ---- placements


def _match(of_a: Any, of_b: Any, most: int, in_a: Any, in_b: Any) -> int:
    """Pairs of hashes that are each other's nearest and differ in at most `most` bits.

    returns   how many places were written to `in_a` and `in_b`
    """
    nearest_a, nearest_b = np.full(len(of_a), 65), np.full(len(of_b), 65)
    partner_a, partner_b = np.zeros(len(of_a), np.int64), np.zeros(len(of_b), np.int64)
    for i in range(len(of_a)):
        for j in range(len(of_b)):
            bits = np.int64(count_ones(of_a[i] ^ of_b[j]))
            if bits < nearest_a[i]:
                nearest_a[i], partner_a[i] = bits, j
            if bits < nearest_b[j]:
                nearest_b[j], partner_b[j] = bits, i
    count = 0
    for i in range(len(of_a)):
        if nearest_a[i] <= most and partner_b[partner_a[i]] == i:
            in_a[count], in_b[count] = i, partner_a[i]
            count += 1
    return count


def _placed(a: Any, b: Any, out: Any) -> int:
    """The scale and shifts on which most matches agree.

    a, b     (n, 3) x, y and blur of matched keypoints, a's in b's orientation
    out      gets scale, shift_x, shift_y
    returns  how many matches agree, 0 when there is nothing to agree on
    """
    best = 0
    for p in range(len(a)):
        for q in range(p):
            dx, dy = a[q, 0] - a[p, 0], a[q, 1] - a[p, 1]
            ex, ey = b[q, 0] - b[p, 0], b[q, 1] - b[p, 1]
            length = dx * dx + dy * dy
            if length < NEAR_PIXELS * NEAR_PIXELS:
                continue
            scale = (dx * ex + dy * ey) / length
            if scale < LEAST_SCALE or scale > MOST_SCALE:
                continue
            if abs(ex - scale * dx) + abs(ey - scale * dy) > 2 * TOLERANCE * max(1.0, scale):
                continue
            x = 0.5 * (b[p, 0] + b[q, 0] - scale * (a[p, 0] + a[q, 0]))
            y = 0.5 * (b[p, 1] + b[q, 1] - scale * (a[p, 1] + a[q, 1]))
            if not (fits(a, b, p, scale, x, y) and fits(a, b, q, scale, x, y)):
                continue
            agree = 0
            for k in range(len(a)):
                if fits(a, b, k, scale, x, y):
                    agree += 1
            if agree > best:
                best = agree
                out[0], out[1], out[2] = scale, x, y
    for _ in range(REFINED_TIMES if best >= 2 else 0):
        best = refine(a, b, out)
    return best


def _fits(a: Any, b: Any, k: int, scale: float, x: float, y: float) -> bool:
    """Whether a placement puts a keypoint where its match is, in its size."""
    within = TOLERANCE * max(1.0, scale)
    if abs(scale * a[k, 0] + x - b[k, 0]) > within or abs(scale * a[k, 1] + y - b[k, 1]) > within:
        return False
    ratio = b[k, 2] / (a[k, 2] * scale)
    return bool(MOST_BLUR_RATIO > ratio > 1 / MOST_BLUR_RATIO)


def _refine(a: Any, b: Any, out: Any) -> int:
    """Least squares over the matches that agree; returns how many they are."""
    scale, x, y = out[0], out[1], out[2]
    count = 0
    sums = np.zeros(4)
    agree = np.zeros(len(a), np.bool_)
    for k in range(len(a)):
        if fits(a, b, k, scale, x, y):
            agree[k] = True
            count += 1
            sums += np.array((a[k, 0], a[k, 1], b[k, 0], b[k, 1]))
    if count < 2:
        return count
    middle = sums / count
    product = square = 0.0
    for k in range(len(a)):
        if agree[k]:
            dx, dy = a[k, 0] - middle[0], a[k, 1] - middle[1]
            product += dx * (b[k, 0] - middle[2]) + dy * (b[k, 1] - middle[3])
            square += dx * dx + dy * dy
    if square > 0:
        out[0] = product / square
        out[1], out[2] = middle[2] - out[0] * middle[0], middle[3] - out[0] * middle[1]
    return count


def _value(thumbnail: Any, x: float, y: float) -> float:
    """The thumbnail between its pixels; x and y are in its pixels, of which the first has 0.5."""
    height, width = thumbnail.shape
    x, y = min(max(x - 0.5, 0.0), width - 1.001), min(max(y - 0.5, 0.0), height - 1.001)
    column, row = int(x), int(y)
    x, y = x - column, y - row
    above = thumbnail[row, column] * (1 - x) + thumbnail[row, column + 1] * x
    below = thumbnail[row + 1, column] * (1 - x) + thumbnail[row + 1, column + 1] * x
    return float(above * (1 - y) + below * y)


def _sample(
    a: Any, b: Any, size_a: Any, size_b: Any, way: int, at: Any, box: Any, out: Any
) -> None:
    """Both pictures in `box` of b, in samples, each the mean of four values.

    at   scale_x, scale_y, shift_x, shift_y
    out  (2, rows, columns)
    """
    rows, columns = out.shape[1:]
    step_x, step_y = (box[2] - box[0]) / columns, (box[3] - box[1]) / rows
    for i in range(rows):
        for j in range(columns):
            of_a = of_b = 0.0
            for k in range(4):
                x = box[0] + (j + 0.25 + 0.5 * (k % 2)) * step_x
                y = box[1] + (i + 0.25 + 0.5 * (k // 2)) * step_y
                of_b += value(b, x * b.shape[1] / size_b[0], y * b.shape[0] / size_b[1])
                x, y = (x - at[2]) / at[0], (y - at[3]) / at[1]
                if way & FLIP_X:
                    x = -x
                if way & FLIP_Y:
                    y = -y
                if way & TRANSPOSE:
                    x, y = y, x
                of_a += value(a, x * a.shape[1] / size_a[0], y * a.shape[0] / size_a[1])
            out[0, i, j], out[1, i, j] = of_a / 4, of_b / 4


def _improve(
    a: Any, b: Any, size_a: Any, size_b: Any, way: int, at: Any, box: Any, samples: Any
) -> None:
    """Shift and scale a placement in small steps for as long as the pictures correlate better.

    samples   (2, rows, columns), written over
    """
    sample(a, b, size_a, size_b, way, at, box, samples)
    best = correlation(samples)
    pixel = size_b[0] / b.shape[1]
    middle_x, middle_y = 0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3])
    tried = np.empty(4)
    for attempt in range(IMPROVED_TIMES):
        shift, growth = pixel / 2**attempt, 1.0 + FIRST_GROWTH / 2**attempt
        for direction in range(6):
            tried[:] = at
            sign = 1.0 if direction % 2 else -1.0
            if direction < 2:
                tried[2] += sign * shift
            elif direction < 4:
                tried[3] += sign * shift
            else:
                by = growth if direction % 2 else 1.0 / growth
                tried[0] *= by
                tried[1] *= by
                tried[2] = middle_x + (tried[2] - middle_x) * by
                tried[3] = middle_y + (tried[3] - middle_y) * by
            sample(a, b, size_a, size_b, way, tried, box, samples)
            found = correlation(samples)
            if found > best:
                best = found
                at[:] = tried


def _correlation(samples: Any) -> float:
    """Of both pictures' samples; 0 where either shows nothing."""
    a, b = samples[0] - samples[0].mean(), samples[1] - samples[1].mean()
    spread_a, spread_b = np.sqrt((a * a).mean()), np.sqrt((b * b).mean())
    if spread_a < FLAT or spread_b < FLAT:
        return 0.0
    return float((a * b).mean() / (spread_a * spread_b))


def _agreement(samples: Any) -> float:
    """The share of blocks that show the same, among those that show something or differ in tone.

    -1 when there are none of these: then nothing can be told.
    """
    a, b = samples[0] - samples[0].mean(), samples[1] - samples[1].mean()
    spread_a, spread_b = np.sqrt((a * a).mean()), np.sqrt((b * b).mean())
    a, b = a / spread_a, b / spread_b
    least = (FLAT_BLOCK / max(spread_a, spread_b)) ** 2
    agree = disagree = 0
    for i in range(0, a.shape[0], BLOCK):
        for j in range(0, a.shape[1], BLOCK):
            here, there = a[i : i + BLOCK, j : j + BLOCK], b[i : i + BLOCK, j : j + BLOCK]
            tone_a, tone_b = here.mean(), there.mean()
            var_a = ((here - tone_a) ** 2).mean()
            var_b = ((there - tone_b) ** 2).mean()
            if max(var_a, var_b) < least:
                if abs(tone_a - tone_b) > TONE_DIFFERENCE:
                    disagree += 1
                continue
            both = ((here - tone_a) * (there - tone_b)).mean()
            if 2 * both > BLOCK_CORRELATION * (var_a + var_b):
                agree += 1
            else:
                disagree += 1
    return agree / (agree + disagree) if agree + disagree else -1.0


# ---- lookup


def _near(
    links: Any, groups: Any, hashes: Any, allowed: Any, every: bool, wanted: Any, quick: Any,
    most: int, rows: Any, bits: Any,
) -> int:  # fmt: skip
    """Find the hashes that are near one that is wanted; how many there are.

    A hash is compared as a whole only where its steady bits are near: one in a hundred.

    hashes   (2n,) two of each row
    allowed  sorted ids of groups; of no account when `every` group is allowed
    wanted   in every orientation
    quick    (4,) the steady bits of these
    most     bits in which a hash may differ
    rows     gets the row of each that is found; a row may be found twice
    bits     gets in how many bits each differs from the nearest wanted one
    """
    found, limit = 0, np.uint64(most)
    steady_bits = np.empty(TOGETHER, np.uint64)
    for start in range(0, len(hashes), TOGETHER):
        some = hashes[start : start + TOGETHER]
        if least_steady_bits(some, quick, steady_bits) > limit:
            continue
        for n in range(len(some)):
            if steady_bits[n] > limit:
                continue
            least = least_bits(some[n], wanted)
            if least > limit:
                continue
            # The other columns come last, since few rows come so far.
            row = (start + n) // 2
            if links[row] == 0:  # removed
                continue
            if every or is_in(allowed, groups[row]):
                rows[found], bits[found] = row, least
                found += 1
    return found


def _least_steady_bits(hashes: Any, quick: Any, out: Any) -> Any:
    """In how many steady bits each hash differs from the nearest of `quick`; the least of them.

    A loop without branches, over four words that stay in registers, so it is compiled to the
    machine's widest instructions.
    """
    one, two, three, four = quick[0], quick[1], quick[2], quick[3]
    least = np.uint64(64)
    for n in range(len(hashes)):
        bits = (hashes[n] ^ ((hashes[n] >> PAIR) & PAIRED)) & STEADY
        nearer = min(count_ones(bits ^ one), count_ones(bits ^ two))
        nearest = min(nearer, min(count_ones(bits ^ three), count_ones(bits ^ four)))
        out[n] = nearest
        least = min(least, nearest)
    return least


def _least_bits(hash: Any, wanted: Any) -> Any:
    """In how many bits a hash differs from the nearest that is wanted."""
    least = np.uint64(64)
    for w in range(len(wanted)):
        least = min(least, count_ones(hash ^ wanted[w]))
    return least


def _is_in(sorted_ids: Any, id: int) -> bool:
    place = np.searchsorted(sorted_ids, id)
    return bool(place < len(sorted_ids) and sorted_ids[place] == id)


# Those that others call come first.
vertex = compiled(_vertex)
find_peaks = compiled(_find_peaks)
convolve = compiled(_convolve, in_order=True)
find_extremes = compiled(_find_extremes)
octave = compiled(_octave)
describe = compiled(_describe)
match = compiled(_match)
fits = compiled(_fits)
refine = compiled(_refine)
placed = compiled(_placed)
value = compiled(_value)
sample = compiled(_sample)
correlation = compiled(_correlation)
agreement = compiled(_agreement)
improve = compiled(_improve)
is_in = compiled(_is_in)
least_steady_bits = compiled(_least_steady_bits)
least_bits = compiled(_least_bits)
near = compiled(_near)
