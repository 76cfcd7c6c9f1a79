"""Rows in memory: which of them may answer, and the best of those.

Arrays come one by one, and not in tuples by name: handing over a tuple of eight takes the
interpreter a microsecond longer, which is as long as comparing a hundred rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import FOREVER, PRODUCT_ERROR
from index.search.kernels.products import quantized_products
from index.search.kernels.top import best_links

CHUNK = 1024  # rows whose columns are compared one after the other, while a cache holds the outcome
_BYTES = 8  # rows that are passed over at once where none of them may answer
_ONE = np.uint8(1)


@compiled
def allowed_rows(
    keys: Any,  # (capacity,) int32, of rows: 0 of one that was removed
    frames: Any,  # (capacity,) int32
    owners: Any,  # (capacity,) int64
    posted: Any,  # (capacity,) float64
    count: int,  # rows that count
    animated: bool,  # whether a link may have several rows
    groups: Any,  # (g,) int64, the groups of the space, ascending
    codes: Any,  # (g,) int32, of these groups
    known: int,  # codes that rows may have; a change that is being made may have given out more
    every: bool,  # whether all groups of the space may answer
    wanted: Any,  # (w,) int64, else these, ascending
    kind: int,  # 1: texts only, 0: images only, -1: both
    named: Any,  # owners, as the rest in `arguments.Limits`
    of_named: bool,
    since: float,
    until: float,
    rows: Any,  # (count + 1,) int64, filled with the rows that may answer
) -> tuple[int, int]:
    """How many (rows, links) in memory may answer."""
    allowed = np.zeros(1 + 2 * known, np.uint8)
    for i in range(groups.shape[0] if every else wanted.shape[0]):
        at = i if every else np.searchsorted(groups, wanted[i])
        if at < groups.shape[0] and (every or groups[at] == wanted[i]) and codes[at] < known:
            allowed[1 + 2 * codes[at]] = kind != 1
            allowed[2 + 2 * codes[at]] = kind != 0
    of_owners, of_time = of_named or named.shape[0] > 0, since > -FOREVER or until < FOREVER
    here, is_named = np.zeros(CHUNK, np.uint8), np.zeros(CHUNK, np.uint8)
    eights = here.view(np.uint64)
    found, links = 0, 0
    for start in range(0, count, CHUNK):
        many = min(CHUNK, count - start)
        here[many:] = 0
        some = keys[start : start + many]
        for i in range(many):
            here[i] = allowed[np.uint32(some[i])]
        if of_owners:
            theirs = owners[start : start + many]
            is_named[:] = 0
            for o in range(named.shape[0]):
                one = named[o]
                for i in range(many):
                    is_named[i] |= np.uint8(theirs[i] == one)
            for i in range(many):
                here[i] &= is_named[i] if of_named else is_named[i] ^ _ONE
        if of_time:
            times = posted[start : start + many]
            for i in range(many):
                here[i] &= np.uint8(since <= times[i]) & np.uint8(times[i] < until)
        for number in range(CHUNK // _BYTES):
            eight = eights[number]
            if eight == 0:
                continue
            # Without branches: the processor could not predict them.
            for i in range(_BYTES):
                rows[found] = start + number * _BYTES + i
                found += np.int64((eight >> np.uint64(8 * i)) & np.uint64(1))
    if animated:
        for i in range(found):
            links += frames[rows[i]] == 0
    return found, links if animated else found


@compiled
def best_in_memory(
    quantized: Any,  # (capacity, d) uint8
    scales: Any,  # (capacity,) float32
    error: float,  # the greatest length of what `quantized` leaves out of a vector
    vectors: Any,  # (capacity, d) float32
    links: Any,  # (capacity,) int64
    frames: Any,  # (capacity,) int32
    animated: bool,  # whether a link may have several rows
    rows: Any,  # (n,) int64, those that may answer
    query: Any,  # (d,) float32
    out_links: Any,  # (k,) int64
    out_frames: Any,  # (k,) int64
    out_scores: Any,  # (k,) float64
    out_rows: Any,  # (k,) int64
) -> int:
    """Fills these arrays with the k best links, as `top.best_links`; how many there are."""
    estimates, steps = np.empty(rows.shape[0], np.float32), np.empty(query.shape[0], np.int16)
    most = quantized_products(quantized, scales, rows, query, error, steps, estimates)
    return best_links(
        *(estimates, most + PRODUCT_ERROR, rows, vectors, links, frames, animated),
        *(query, out_links, out_frames, out_scores, out_rows),
    )
