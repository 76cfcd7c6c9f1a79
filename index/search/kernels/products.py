"""Products of rows with a query, and the checksums that tell whether rows are what was written."""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import LANES, LOWEST, SCORE_STEP, SCORE_STEPS
from index.search.kernels.instructions import prefetch_row

AHEAD = 4  # rows that are being loaded from memory while one is compared
_U2 = np.uint64(2)


@compiled
def row_score(
    vectors: Any, words: Any, checksums: Any, multipliers: Any, query: Any, row: int
) -> tuple[Any, Any]:
    """The product of a row with the query, and whether the row is what was written.

    The arrays are those of `arguments.Vectors`. They come one by one, since handing on the tuple
    would count the references to each of them, for every row.
    """
    product = np.float32(0)
    for j in range(vectors.shape[1]):
        product += vectors[row, j] * query[j]
    return product, is_intact(words, checksums, multipliers, row)


@compiled
def is_intact(words: Any, checksums: Any, multipliers: Any, row: int) -> bool:
    """Whether a row is what was written."""
    check = np.uint64(0)
    for j in range(words.shape[1]):
        check += words[row, j] * multipliers[j]
    return bool(check == checksums[row])


@compiled
def scores(vectors: Any, rows: Any, query: Any, out: Any) -> int:
    """Products of these rows with the query into `out`, LOWEST for those that were overwritten.

    returns  a row that isn't what was written, or -1
    """
    full, words, checksums, multipliers, overwritten = vectors
    for i in range(rows.shape[0]):
        if i + AHEAD < rows.shape[0]:
            prefetch_row(full, rows[i + AHEAD])
        out[i] = LOWEST
        if not overwritten[rows[i]]:
            out[i], intact = row_score(full, words, checksums, multipliers, query, rows[i])
            if not intact:
                return int(rows[i])
    return -1


@compiled
def exact_score(vectors: Any, row: int, query: Any) -> float:
    """The product in float64 of a row of `vectors` (n, d) with the query (d,) float64, from -1 to 1
    and in whole steps."""
    product = 0.0
    for j in range(vectors.shape[1]):
        product += np.float64(vectors[row, j]) * query[j]
    return float(min(max(np.rint(product * SCORE_STEPS) * SCORE_STEP, -1.0), 1.0))


@compiled
def exact_scores(vectors: Any, rows: Any, query: Any, out: Any) -> None:
    """`exact_score` of these rows into `out` (n,) float64."""
    for i in range(rows.shape[0]):
        out[i] = exact_score(vectors, rows[i], query)


@compiled
def checksums(words: Any, multipliers: Any, out: Any) -> None:
    """Σ word · odd number, modulo 2^64: every change within one word changes it."""
    for i in range(words.shape[0]):
        check = np.uint64(0)
        for j in range(words.shape[1]):
            check += words[i, j] * multipliers[j]
        out[i] = check


@compiled
def add_to_checksums(column: Any, multiplier: Any, out: Any) -> None:
    """Adds to `out` (n,) uint64 what a column (n,) of unsigned integers gives. Numbers that are 0
    add something too, since a file that was never written consists of them."""
    for i in range(column.shape[0]):
        out[i] += (np.uint64(column[i]) + _U2) * multiplier


@compiled
def add_codes_to_checksums(bits: Any, multipliers: Any, out: Any) -> None:
    """The same for codes (b, w, LANES), each word with a multiplier of its own."""
    for block in range(bits.shape[0]):
        for j in range(bits.shape[1]):
            for v in range(LANES):
                out[block * LANES + v] += bits[block, j, v] * multipliers[j]
