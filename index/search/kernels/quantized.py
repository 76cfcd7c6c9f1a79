"""Products of quantized vectors, a byte a number, with a quantized query, 16 bits a number.

Such products are made first, since a quantized vector has a quarter of the vector's bytes, and only
vectors that may be among the best are read after that. The greatest number of a vector decides how
long its steps are, and one number of CLIP's vectors is much greater than all others. So both are
turned first, which spreads each number over SPREAD of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import EIGHT, LOWEST, QUERY_STEPS, SPREAD, ZERO
from index.search.kernels.filters import has
from index.search.kernels.instructions import prefetch

AHEAD = 16  # rows that are being loaded from memory while one is compared
LINE = 64  # bytes that memory hands over at once
# A sum of products stays below the former, since a byte is the latter at most.
GREATEST_SUM, GREATEST_BYTE = 2**31 - 1, 255


@compiled
def _turn_eight(numbers: Any, first: int, apart: int) -> None:
    """A Walsh-Hadamard transform, not scaled, of 8 numbers that lie so far apart."""
    n, at, step = numbers, np.uint64(first), np.uint64(apart)
    at1, at2, at3 = at + step, at + 2 * step, at + 3 * step
    at4, at5, at6, at7 = at + 4 * step, at + 5 * step, at + 6 * step, at + 7 * step
    a0, a1, a2, a3 = n[at] + n[at1], n[at] - n[at1], n[at2] + n[at3], n[at2] - n[at3]
    a4, a5, a6, a7 = n[at4] + n[at5], n[at4] - n[at5], n[at6] + n[at7], n[at6] - n[at7]
    b0, b1, b2, b3 = a0 + a2, a1 + a3, a0 - a2, a1 - a3
    b4, b5, b6, b7 = a4 + a6, a5 + a7, a4 - a6, a5 - a7
    n[at], n[at1], n[at2], n[at3] = b0 + b4, b1 + b5, b2 + b6, b3 + b7
    n[at4], n[at5], n[at6], n[at7] = b0 - b4, b1 - b5, b2 - b6, b3 - b7


@compiled
def turn(vector: Any, signs: Any, out: Any) -> None:
    """Fills `out` (d,) float32 with a vector, turned by signs and Walsh-Hadamard transforms, each
    of as many numbers as `encoding.spread_of` says. The length stays the same.

    signs   (1 or more, d) float32, 1 or -1
    """
    spread = min(vector.shape[0] & -vector.shape[0], SPREAD)
    scale = np.float32(1 / np.sqrt(spread))
    for j in range(vector.shape[0]):
        out[j] = vector[j] * signs[0, j] * scale
    if spread == EIGHT * EIGHT:  # four times as fast as the loops below
        for first in range(0, vector.shape[0], EIGHT):
            _turn_eight(out, first, 1)
        for first in range(0, vector.shape[0], spread):
            for j in range(first, first + EIGHT):
                _turn_eight(out, j, EIGHT)
        return
    half = 1
    while half < spread:
        for first in range(0, vector.shape[0], 2 * half):
            for j in range(first, first + half):
                one, other = out[j], out[j + half]
                out[j] = one + other
                out[j + half] = one - other
        half *= 2


@compiled
def quantized_query(query: Any, steps: Any) -> tuple[Any, Any, Any, Any]:
    """Fills `steps` (d,) int16 with the quantized query; the size of a step, what the products get
    from the ZERO that each byte has too much, and the lengths of the query and of what is left out
    of it.

    A product with a unit row, of which something of length e is left out as well, may be greater
    than its estimate by e · length + (1 + e) · left_out, by Cauchy-Schwarz.
    """
    greatest, length, left_out = np.float32(0), np.float32(0), np.float32(0)
    offset = np.int32(0)
    for j in range(query.shape[0]):
        greatest = max(greatest, abs(query[j]))
        length += query[j] * query[j]
    steps_of_query = min(QUERY_STEPS, GREATEST_SUM // (GREATEST_BYTE * query.shape[0]))
    step = max(greatest / np.float32(steps_of_query), np.float32(1e-12))
    for j in range(query.shape[0]):
        number = np.rint(query[j] / step)
        left_out += (query[j] - number * step) ** 2
        steps[j] = np.int16(number)
        offset += np.int32(number)
    return step, np.int32(offset * np.int32(ZERO)), np.sqrt(length), np.sqrt(left_out)


@compiled
def sum_of_row(quantized: Any, steps: Any, row: Any) -> Any:
    """The sum of the products of a row's bytes and the steps of a query."""
    s = np.int32(0)
    for j in range(steps.shape[0]):
        # Kept at 32 bits, for which there is an instruction that multiplies and adds.
        s = np.int32(s + np.int32(np.int32(quantized[row, j]) * np.int32(steps[j])))
    return s


@compiled
def quantized_products(
    quantized: Any, scales: Any, rows: Any, query: Any, error: float, out: Any
) -> float:
    """Estimated products of these rows with a query into `out` (r,) float32; how much greater than
    its estimate a product may be.

    quantized  (n, d) uint8        scales  (n,) float32        query  (d,) float32, turned
    error      the greatest length of what is left out of a row
    """
    steps = np.empty(query.shape[0], np.int16)
    step, offset, length, left_out = quantized_query(query, steps)
    for i in range(rows.shape[0]):
        row = np.uint64(rows[i])
        s = sum_of_row(quantized, steps, row)
        out[i] = np.float32(s - offset) * scales[row] * step
    return float(error * length + (1 + error) * left_out)


@compiled
def prefetch_quantized(quantized: Any, row: int) -> None:
    """`prefetch` of a whole row."""
    for column in range(0, quantized.shape[1], LINE):
        prefetch(quantized, row, column)


@compiled
def greatest_products(
    quantized: Any,  # as `arguments.Quantized`
    multipliers: Any,
    signs: Any,
    rows: Any,  # (r,) int64
    left_out: Any,  # (n,) bool, rows that don't count
    links: Any,  # (n,) int64
    without: Any,  # (w,) int64, ascending: links that don't count either
    query: Any,  # (d,) float32, not turned
    out: Any,  # (r,) float32
) -> int:
    """Fills `out` with what the product of each of these rows of a segment with the query is at
    most, LOWEST for rows that don't count; a row that isn't what was written, or -1."""
    turned, steps = np.empty_like(query), np.empty(query.shape[0], np.int16)
    turn(query, signs, turned)
    step, offset, length, of_query = quantized_query(turned, steps)
    words, numbers = quantized.view(np.uint64), quantized.view(np.float32)
    n, m = rows.shape[0], multipliers.shape[0]
    for i in range(min(AHEAD, n)):
        prefetch_quantized(quantized, rows[i])
    for i in range(n):
        if i + AHEAD < n:
            prefetch_quantized(quantized, rows[i + AHEAD])
        out[i], row = LOWEST, np.uint64(rows[i])
        if left_out[row] or (without.shape[0] > 0 and has(without, links[row])):
            continue
        check = np.uint64(0)
        for j in range(m):
            check += words[row, j] * multipliers[j]
        if check != words[row, m]:
            return int(rows[i])
        scale, error = numbers[row, 2 * m - 2], numbers[row, 2 * m - 1]
        if scale == 0:  # Only zeros, which were never written: the vector itself tells.
            out[i] = length
            continue
        estimate = np.float32(sum_of_row(quantized, steps, row) - offset) * scale * step
        out[i] = estimate + error * length + (np.float32(1) + error) * of_query
    return -1
