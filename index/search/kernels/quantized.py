"""Products of vectors and a query that are both quantized: a byte a number, and 16 bits a number.

They are looked through before the vectors themselves, of which they are a quarter. Both were turned
at random, so that no number of a vector is much greater than the others: the greatest one decides
how long the steps are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import QUERY_STEPS, ZERO
from index.search.kernels.instructions import prefetch

LINE = 64  # bytes that memory hands over at once


@compiled
def quantized_query(query: Any, error: float, steps: Any) -> tuple[Any, Any, float]:
    """Fills `steps` (d,) int16 with the quantized query; the size of a step, what the products get
    from the ZERO that each byte has too much, and how much greater than its estimate a product with
    a unit row may be.

    error   the greatest length of what is left out of a row
    """
    greatest, length, left_out = np.float32(0), np.float32(0), np.float32(0)
    offset = np.int32(0)
    for j in range(query.shape[0]):
        greatest = max(greatest, abs(query[j]))
        length += query[j] * query[j]
    step = max(greatest / np.float32(QUERY_STEPS), np.float32(1e-12))
    for j in range(query.shape[0]):
        number = np.rint(query[j] / step)
        left_out += (query[j] - number * step) ** 2
        steps[j] = np.int16(number)
        offset += np.int32(number)
    # Cauchy-Schwarz on what both sides leave out: no row that belongs among the best is missed.
    bound = error * math.sqrt(length) + (1 + error) * math.sqrt(left_out)
    return step, np.int32(offset * np.int32(ZERO)), bound


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
    quantized: Any, scales: Any, rows: Any, query: Any, error: float, steps: Any, out: Any
) -> float:
    """Estimated products of these rows with a query into `out` (r,) float32; how much greater than
    its estimate a product may be.

    quantized  (n, d) uint8        scales  (n,) float32        query  (d,) float32, turned
    steps      (d,) int16, to write in
    """
    step, offset, bound = quantized_query(query, error, steps)
    for i in range(rows.shape[0]):
        row = np.uint64(rows[i])
        s = sum_of_row(quantized, steps, row)
        out[i] = np.float32(s - offset) * scales[row] * step
    return bound


@compiled
def prefetch_quantized(quantized: Any, row: int) -> None:
    """`prefetch` of a whole row."""
    for column in range(0, quantized.shape[1], LINE):
        prefetch(quantized, row, column)


@compiled
def scale_and_check(quantized_words: Any, numbers: Any, multipliers: Any, row: Any) -> Any:
    """The scale of a row of a segment, and whether the row is what was written.

    quantized_words   (n, m + 1) uint64, the row in words, of which the last is the checksum
    numbers           (n, 2 m + 2) float32, the same memory
    multipliers       (m,) uint64
    """
    check, m = np.uint64(0), multipliers.shape[0]
    for j in range(m):
        check += quantized_words[row, j] * multipliers[j]
    return numbers[row, 2 * m - 2], check == quantized_words[row, m]
