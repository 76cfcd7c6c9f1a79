"""Keeping the best while rows are compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import LANES, PRODUCT_ERROR


@compiled
def enter(top: Any, scores: Any, rows: Any, found: int, score: float, row: int) -> int:
    """Take a row in, if it is among the best. How many there are then; -1: no room.

    The arrays are those of `arguments.Best`, one by one as in `products.row_score`.
    """
    if score < top[0] - PRODUCT_ERROR:
        return found
    if score > top[0]:
        raise_top(top, score)
    if found == scores.shape[0]:
        found = keep(top, scores, rows, found)
        if found > scores.shape[0] - LANES:
            return -1
    scores[found] = score
    rows[found] = row
    return found + 1


@compiled
def raise_top(top: Any, score: float) -> None:
    """Put a score among the best, which are ascending, in place of the least."""
    i = 0
    while i + 1 < top.shape[0] and top[i + 1] < score:
        top[i] = top[i + 1]
        i += 1
    top[i] = score


@compiled
def keep(top: Any, scores: Any, rows: Any, found: int) -> int:
    """Move the rows that are still among the best to the front; how many they are."""
    kept, least = 0, top[0] - PRODUCT_ERROR
    for i in range(found):
        if scores[i] >= least:
            scores[kept] = scores[i]
            rows[kept] = rows[i]
            kept += 1
    return kept


@compiled
def best_rows(scores: Any, top: Any, slack: float, out: Any) -> int:
    """Fills `out` with the places of the k greatest scores, and of those that are less than the
    k-th by at most `slack`; how many there are.

    scores (n,) float32    top (k,) float32: LOWEST before, the k greatest after    out (n,) int64
    """
    for i in range(scores.shape[0]):
        if scores[i] > top[0]:
            raise_top(top, scores[i])
    found, least = 0, top[0] - np.float32(slack)
    for i in range(scores.shape[0]):
        if scores[i] >= least:
            out[found] = i
            found += 1
    return found
