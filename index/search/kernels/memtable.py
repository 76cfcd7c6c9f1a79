"""Rows in memory: which of them may answer, and the best of those.

Arrays come one by one, and not in tuples by name: handing over a tuple of eight takes the
interpreter a microsecond longer, which is as long as comparing a hundred rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import CHUNK, EIGHT, FOREVER, PRODUCT_ERROR
from index.search.kernels.filters import first_place, has
from index.search.kernels.quantized import quantized_products, turn
from index.search.kernels.top import AT_ONCE, GREATEST, best_links


@compiled
def allowed_rows(
    keys: Any,  # (capacity,) int32, of rows: 0 of one that was removed
    links: Any,  # (capacity,) int64
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
    some: bool,  # whether only some links may answer
    only: Any,  # (o,) int64, these, ascending
    without: Any,  # (w,) int64, ascending: links to leave out
    rows: Any,  # (count + 1,) int64, filled with the rows that may answer
) -> tuple[int, int]:
    """How many (rows, links) in memory may answer."""
    allowed = np.zeros(1 + 2 * known, np.uint8)
    for i in range(groups.shape[0] if every else wanted.shape[0]):
        at = i if every else first_place(groups, wanted[i])
        if at < groups.shape[0] and (every or groups[at] == wanted[i]) and codes[at] < known:
            allowed[1 + 2 * codes[at]] = kind != 1
            allowed[2 + 2 * codes[at]] = kind != 0
    of_time = since > -FOREVER or until < FOREVER
    here = np.zeros(CHUNK, np.uint8)
    eights = here.view(np.uint64)
    found, of_links = np.int64(0), np.int64(0)
    for start in range(0, count, CHUNK):
        many = min(CHUNK, count - start)
        here[many:] = 0
        # One column is compared for all rows, and the others only where that leaves any.
        if of_named:
            theirs = owners[start : start + many]
            here[:many] = 0
            for o in range(named.shape[0]):
                one = named[o]
                for i in range(many):
                    here[i] |= np.uint8(theirs[i] == one)
        elif of_time:
            times = posted[start : start + many]
            for i in range(many):
                here[i] = np.uint8(since <= times[i]) & np.uint8(times[i] < until)
        else:
            some_keys = keys[start : start + many]
            for i in range(many):
                here[i] = allowed[np.uint32(some_keys[i])]
        for number in range(CHUNK // EIGHT):
            eight = eights[number]
            if eight == 0:
                continue
            # Without branches: the processor could not predict them.
            for i in range(EIGHT):
                rows[found] = start + number * EIGHT + i
                found += np.int64((eight >> np.uint64(8 * i)) & np.uint64(1))
    kept = np.int64(0)
    for i in range(found):
        row = rows[i]
        may = allowed[np.uint32(keys[row])] != 0
        if of_time:
            may = may and since <= posted[row] and posted[row] < until
        if not of_named and named.shape[0] > 0:
            may = may and not has(named, owners[row])
        if some or without.shape[0] > 0:
            may = may and (not some or has(only, links[row])) and not has(without, links[row])
        rows[kept] = row
        kept += np.int64(may)
        of_links += np.int64(may and frames[row] == 0)
    return int(kept), int(of_links)


@compiled
def best_in_memory(
    quantized: Any,  # (capacity, d) uint8, turned
    scales: Any,  # (capacity,) float32
    error: float,  # the greatest length of what `quantized` leaves out of a vector
    signs: Any,  # (rounds, d) float32, what they were turned with
    vectors: Any,  # (capacity, d) float32
    query: Any,  # (d,) float32
    keys: Any,  # from here on as in `allowed_rows`
    links: Any,
    frames: Any,
    owners: Any,
    posted: Any,
    count: int,
    animated: bool,
    groups: Any,
    codes: Any,
    known: int,
    every: bool,
    wanted: Any,
    kind: int,
    named: Any,
    of_named: bool,
    since: float,
    until: float,
    some: bool,
    only: Any,
    without: Any,
    rows: Any,
    out_links: Any,  # (k,) int64
    out_frames: Any,  # (k,) int32
    out_scores: Any,  # (k,) float64
    out_posted: Any,  # (k,) float64
    out_vectors: Any,  # (k, d) float32
    out_rows: Any,  # (k,) int64
) -> tuple[int, int, int]:
    """Fills these arrays with the k best links, as `top.best_links`; how many (rows, links) may
    answer, and how many are found."""
    n, of_links = allowed_rows(
        *(keys, links, frames, owners, posted, count, animated, groups, codes, known, every),
        *(wanted, kind, named, of_named, since, until, some, only, without, rows),
    )
    these, estimates, most = rows[:n], np.full(n, GREATEST), 0.0
    if n > AT_ONCE:
        turned = np.empty_like(query)
        turn(query, signs, turned)
        most = quantized_products(quantized, scales, these, turned, error, estimates)
    unchecked = np.empty((0, 0), np.uint64), np.empty(0, np.uint64), np.empty(0, np.uint64)
    found, _ = best_links(
        *(estimates, most + PRODUCT_ERROR, these, vectors, *unchecked),
        *(links, frames, posted, animated, query),
        *(out_links, out_frames, out_scores, out_posted, out_vectors, out_rows),
    )
    return n, of_links, found
