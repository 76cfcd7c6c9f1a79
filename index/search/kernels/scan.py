"""Looking through the codes of a segment for the rows that are most like a query.

The numbers behind the layout are in docs/performance.md. Codes of 32 rows lie word by word, so
that a popcount instruction counts one word of eight rows, and nothing is summed across lanes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.codes import differing, row_differing
from index.search.kernels.constants import LANES
from index.search.kernels.filters import lanes_allowed, some_allowed
from index.search.kernels.instructions import count_zeros, prefetch, prefetch_row
from index.search.kernels.products import row_score
from index.search.kernels.top import enter, keep

BATCH = 128  # rows that are loaded from memory together, where few of a block are allowed


@compiled
def scan(
    lists: Any, query: Any, codes: Any, allowed: Any, vectors: Any, enough: int, best: Any
) -> tuple[int, int, int]:
    """(found, ranked, bad): the allowed rows that are among the best go into `best`.

    The vector of a row is only compared when its estimate and the slack reach the least of the
    best scores so far. This lowest score rises quickly, since the most promising lists come first.

    lists, query, codes, allowed, vectors, best    as in `arguments`
    enough   allowed rows after which no further list is begun
    found    how many rows are in `best`; -1 when it has no room for all that share one score
    ranked   how many vectors were compared
    bad      a row that isn't what was written, or -1
    """
    order, starts, bases, alongs, slacks = lists
    planes, step, most, vector = query
    bits, factors = codes
    full, words, checksums, multipliers, overwritten = vectors
    top, scores, rows = best
    keys, bounds, begin, alive, lesser, yes, below = allowed
    differ = np.zeros(LANES, np.uint64)
    estimates = np.zeros(LANES, np.float32)
    may = np.zeros(LANES, np.int32)
    found, seen, ranked, end = 0, 0, 0, begin + alive.shape[0]
    for place in range(order.shape[0]):
        if seen >= enough:
            break
        one = order[place]
        at, slope, more = bases[one], alongs[one], slacks[one]
        # A list of small spaces has blocks of others, too.
        for block in range(max(starts[one], begin), min(starts[one + 1], end)):
            first, living = block * LANES, alive[block - begin]
            some, whole = some_allowed(bounds, block, lesser, below)
            if some == 0 or living == 0:
                continue
            whole = whole and living == np.uint32(0xFFFFFFFF)
            if whole:
                seen += LANES
            else:
                lanes_allowed(keys, first, lesser, yes, may)
                count = 0
                for v in range(LANES):
                    may[v] &= np.int32((living >> np.uint32(v)) & np.uint32(1))
                    count += may[v]
                if count == 0:
                    continue
                seen += count
            for v in range(LANES):
                differ[v] = 0
            for j in range(bits.shape[1]):
                p0, p1, p2, p3 = planes[0, j], planes[1, j], planes[2, j], planes[3, j]
                for v in range(LANES):
                    differ[v] += differing(bits[np.uint64(block), j, v], p0, p1, p2, p3)
            promising = 0
            for v in range(LANES):
                product = most - step * np.float32(differ[v])
                row = np.uint64(first + v)
                estimate = at + slope * factors[1, row] + factors[0, row] * product
                estimates[v] = estimate + more
                promising += estimates[v] >= top[0]
            if promising == 0:
                continue
            for v in range(LANES):
                if estimates[v] >= top[0] and (whole or may[v] != 0):
                    prefetch_row(full, first + v)
            for v in range(LANES):
                if estimates[v] < top[0] or not (whole or may[v] != 0):
                    continue
                if overwritten[first + v]:
                    continue
                score, intact = row_score(full, words, checksums, multipliers, vector, first + v)
                if not intact:
                    return found, ranked, first + v
                ranked += 1
                found = enter(top, scores, rows, found, score, first + v)
                if found < 0:
                    return -1, ranked, -1
    return keep(top, scores, rows, found), ranked, -1


@compiled
def scan_scattered(
    lists: Any, query: Any, codes: Any, allowed: Any, vectors: Any, enough: int, best: Any
) -> tuple[int, int, int]:
    """What `scan` gives, from the same arguments, where few rows of a block are allowed.

    Most of the memory of such a block is not needed, and the time goes into waiting for what is.
    So rows come in batches: all rows of a batch are being loaded before the first is compared.
    """
    order, starts, _, _, _ = lists
    bits, factors = codes
    top, scores, rows = best
    code_words, words = bits.reshape(-1, LANES), bits.shape[1]
    batch, list_of = np.zeros(BATCH, np.int64), np.zeros(BATCH, np.int64)
    estimates, may = np.zeros(BATCH, np.float32), np.zeros(LANES, np.int32)
    keys, bounds, begin, alive, lesser, yes, below = allowed
    found, seen, ranked, count, end = 0, 0, 0, 0, begin + alive.shape[0]
    for place in range(order.shape[0] + 1):
        last = place == order.shape[0] or seen >= enough
        one = 0 if last else order[place]
        low = end if last else max(starts[one], begin)
        for block in range(low, end if last else min(starts[one + 1], end)):
            living, first = alive[block - begin], block * LANES
            if living == 0 or some_allowed(bounds, block, lesser, below)[0] == 0:
                continue
            lanes_allowed(keys, first, lesser, yes, may)
            some = np.uint32(0)
            for v in range(LANES):
                some |= (np.uint32(may[v]) << np.uint32(v)) & living
            while some != 0:
                v = count_zeros(some)
                some &= some - np.uint32(1)
                batch[count], list_of[count] = first + v, one
                count += 1
                for j in range(words):
                    prefetch(code_words, block * words + j, v)
                prefetch(factors, 0, first + v)
                prefetch(factors, 1, first + v)
            if count <= BATCH - LANES:
                continue
            seen += count
            found, close, bad = _rank(
                batch[:count], list_of, estimates, lists, query, codes, vectors, best, found
            )
            ranked += close
            count = 0
            if found < 0 or bad >= 0:
                return found, ranked, bad
        if last:
            break
    found, close, bad = _rank(
        batch[:count], list_of, estimates, lists, query, codes, vectors, best, found
    )
    if found < 0 or bad >= 0:
        return found, ranked + close, bad
    return keep(top, scores, rows, found), ranked + close, -1


@compiled
def _rank(
    batch: Any,  # (n,) int64, rows; overwritten
    list_of: Any,  # (n or more,) int64, the list of each
    estimates: Any,  # (n or more,) float32, to write in
    lists: Any,
    query: Any,
    codes: Any,
    vectors: Any,
    best: Any,
    found: int,
) -> tuple[int, int, int]:
    """What `scan` gives, for a batch of rows."""
    _, _, bases, alongs, slacks = lists
    planes, step, most, vector = query
    bits, factors = codes
    full, words, checksums, multipliers, overwritten = vectors
    top, scores, rows = best
    near = 0
    for i in range(batch.shape[0]):
        row, one = batch[i], list_of[i]
        block, v = row // LANES, row % LANES
        product = most - step * np.float32(row_differing(bits, block, v, planes))
        estimate = bases[one] + alongs[one] * factors[1, row] + factors[0, row] * product
        estimate += slacks[one]
        if estimate >= top[0] and not overwritten[row]:
            prefetch_row(full, row)
            batch[near], estimates[near] = row, estimate
            near += 1
    ranked = 0
    for i in range(near):
        if estimates[i] < top[0]:
            continue
        score, intact = row_score(full, words, checksums, multipliers, vector, batch[i])
        if not intact:
            return found, ranked, batch[i]
        ranked += 1
        found = enter(top, scores, rows, found, score, batch[i])
        if found < 0:
            break
    return found, ranked, -1
