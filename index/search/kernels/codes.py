"""A query as it is compared with codes: rotated as the vectors were, in a few bits a number."""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import LEVELS, PLANES
from index.search.kernels.instructions import count_ones

_U1, _U2, _U3 = np.uint64(1), np.uint64(2), np.uint64(3)


@compiled
def _add_and_subtract(numbers: Any, out: Any) -> None:
    """A step of a Walsh-Hadamard transform; as many as the logarithm of the length make one."""
    half = numbers.shape[0] // 2
    for j in range(half):
        one, other = numbers[j], numbers[half + j]
        out[2 * j] = one + other
        out[2 * j + 1] = one - other


@compiled
def rotate(vector: Any, signs: Any, out: Any) -> None:
    """Fills `out` (d,) float32 with a vector, turned by random signs and Walsh-Hadamard transforms
    in turn, in O(d log d). The length stays the same.

    A transform takes a power of two of numbers. Those of the other ones are the first and the last
    numbers, in turn.
    signs   (rounds, d) float32, 1 or -1
    """
    count = 1
    while 2 * count <= vector.shape[0]:
        count *= 2
    scale = np.float32(1 / np.sqrt(count))
    out[:] = vector
    spare = np.empty(count, np.float32)
    for turn in range(signs.shape[0]):
        for j in range(out.shape[0]):
            out[j] *= signs[turn, j]
        first = 0 if turn % 2 == 0 else out.shape[0] - count
        here, there = out[first : first + count], spare
        done = 1
        while done < count:
            _add_and_subtract(here, there)
            here, there = there, here
            done *= 2
        for j in range(count):
            out[first + j] = here[j] * scale


@compiled
def rotated_bits(rotated: Any, planes: Any) -> Any:
    """Fills `planes` (PLANES, w) with the bits of the quantized numbers; the size of their step.

    The bits of a number are signs. Together they say step / 2 · (±8 ±4 ±2 ±1), so that a product
    with the signs of a code is a count of the bits in which both differ.
    """
    greatest = np.float32(1e-12)
    for j in range(rotated.shape[0]):
        greatest = max(greatest, abs(rotated[j]))
    step = 2 * greatest / LEVELS
    planes[:] = 0
    for j in range(rotated.shape[0]):
        number = int(rotated[j] / step + LEVELS / 2 + 0.5)
        number = min(max(number, 0), LEVELS)
        for plane in range(PLANES):
            bit = np.uint64((number >> plane) & 1)
            planes[plane, j // 64] |= bit << np.uint64(j % 64)
    return step


@compiled
def differing(word: Any, p0: Any, p1: Any, p2: Any, p3: Any) -> Any:
    """In how many bits a word of a code differs from the planes of the query. A bit of a plane
    counts as much as the plane does: 1, 2, 4 or 8."""
    return (
        count_ones(word ^ p0)
        + (count_ones(word ^ p1) << _U1)
        + (count_ones(word ^ p2) << _U2)
        + (count_ones(word ^ p3) << _U3)
    )


@compiled
def row_differing(bits: Any, block: int, lane: int, planes: Any) -> Any:
    """The same for all words of a row's code. bits (b, w, LANES) uint64, all codes"""
    found = np.uint64(0)
    for j in range(bits.shape[1]):
        p0, p1, p2, p3 = planes[0, j], planes[1, j], planes[2, j], planes[3, j]
        found += differing(bits[block, j, lane], p0, p1, p2, p3)
    return found
