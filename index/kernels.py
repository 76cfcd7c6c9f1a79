"""The inner loops of search over many rows, compiled by numba when a large gallery needs them.

Imported late: numba takes a third of a second, which a small gallery doesn't spend. Each loop
lets go of the interpreter's lock, so that a search never holds up the event loop.

The numbers behind the layout are in docs/performance.md: codes of 32 rows lie word by word, so
that a popcount instruction counts one word of eight rows and nothing is summed across lanes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

LANES = 32  # rows of a block
PLANES = 4  # bits of a query's quantised numbers

_U1, _U2, _U3 = np.uint64(1), np.uint64(2), np.uint64(3)


def compiled(function: F) -> F:
    """The function as machine code, kept on disk where the package or a home can be written."""
    njit: Any = numba.njit  # its types say that it gives something else back
    try:
        result: F = njit(nogil=True, fastmath=True, cache=True)(function)
    except RuntimeError:  # no place to keep it: compiled again in each process
        result = njit(nogil=True, fastmath=True)(function)
    return result


def _count_ones(typing: Any, word: Any) -> Any:
    """How many bits of a 64-bit word are set, as one instruction where the machine has it."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


_ones: Any = intrinsic(_count_ones)


@compiled
def scan(
    lists: Any,  # (p,) int64, the lists in the order to look through
    starts: Any,  # (lists + 1,) int64, first block of each list
    base: Any,  # (lists,) float32, query · centroid
    along: Any,  # (lists,) float32, query · direction of the centroid
    planes: Any,  # (PLANES, w) uint64, bits of the quantised query
    step: Any,  # float32, of the quantisation
    most: Any,  # float32, the product of a code with the query if all their bits were alike
    codes: Any,  # (blocks, w, LANES) uint64
    factors: Any,  # (2, rows) float32
    keys: Any,  # (rows,) int32, ascending within a list
    bounds: Any,  # (blocks, 2) int32, the first and the last key of each block
    alive: Any,  # (blocks,) uint32, one bit a row
    before: Any,  # (keys + 1,) int32, how many keys below this one are allowed
    enough: int,  # allowed rows after which no further list is begun
    best: Any,  # (capacity,) float32, out: estimates
    rows: Any,  # (capacity,) int64, out: their rows
    wanted: int,
) -> tuple[int, int]:
    """(found, seen): at least the `wanted` best estimates of the allowed rows that were seen.

    `found` is -1 when `capacity` doesn't hold all that share one estimate.
    """
    differ = np.zeros(LANES, np.uint64)
    estimates = np.zeros(LANES, np.float32)
    capacity = best.shape[0]
    found, seen = 0, 0
    least = np.float32(-np.inf)
    for place in range(lists.shape[0]):
        if seen >= enough:
            break
        one = lists[place]
        at, slope = base[one], along[one]
        for block in range(starts[one], starts[one + 1]):
            first = block * LANES
            low, high = bounds[block, 0], bounds[block, 1]
            allowed = before[high + 1] - before[low]
            living = alive[block]
            if allowed == 0 or living == 0:
                continue
            for v in range(LANES):
                differ[v] = 0
            for j in range(codes.shape[1]):
                p0, p1, p2, p3 = planes[0, j], planes[1, j], planes[2, j], planes[3, j]
                for v in range(LANES):
                    c = codes[block, j, v]
                    differ[v] += (
                        _ones(c ^ p0)
                        + (_ones(c ^ p1) << _U1)
                        + (_ones(c ^ p2) << _U2)
                        + (_ones(c ^ p3) << _U3)
                    )
            for v in range(LANES):
                product = most - step * np.float32(differ[v])
                estimates[v] = at + slope * factors[1, first + v] + factors[0, first + v] * product
            whole = allowed == high + 1 - low and living == np.uint32(0xFFFFFFFF)
            if whole:
                seen += LANES
                promising = 0
                for v in range(LANES):
                    promising += 1 if estimates[v] >= least else 0
                if promising == 0:
                    continue
            for v in range(LANES):
                if not whole:
                    key = keys[first + v]
                    if before[key + 1] == before[key]:
                        continue
                    if not (living >> np.uint32(v)) & np.uint32(1):
                        continue
                    seen += 1
                if estimates[v] < least:
                    continue
                if found == capacity:
                    least = np.partition(best, capacity - wanted)[capacity - wanted]
                    found = _keep(best, rows, least)
                    if found > capacity - LANES:
                        return -1, seen
                    if estimates[v] < least:
                        continue
                best[found] = estimates[v]
                rows[found] = first + v
                found += 1
    return found, seen


@compiled
def _keep(best: Any, rows: Any, least: float) -> int:
    """Move what is at least `least` to the front; how many they are."""
    kept = 0
    for i in range(best.shape[0]):
        if best[i] >= least:
            best[kept] = best[i]
            rows[kept] = rows[i]
            kept += 1
    return kept


@compiled
def score(vectors: Any, words: Any, sums: Any, odd: Any, rows: Any, query: Any, out: Any) -> int:
    """Products of these rows with the query into `out`; the place of a row that isn't what was
    written, or -1.

    vectors  (n, d) float32        words  the same memory as (n, d / 2) uint64
    sums     (n,) uint64, what `checksum` gave        odd  (d / 2,) uint64
    """
    bad = -1
    for i in range(rows.shape[0]):
        row = rows[i]
        product = np.float32(0)
        for j in range(vectors.shape[1]):
            product += vectors[row, j] * query[j]
        out[i] = product
        check = np.uint64(0)
        for j in range(words.shape[1]):
            check += words[row, j] * odd[j]
        if check != sums[row]:
            bad = i
    return bad


@compiled
def products(vectors: Any, rows: Any, query: Any, out: Any) -> None:
    """Products of these rows with the query."""
    for i in range(rows.shape[0]):
        row = rows[i]
        product = np.float32(0)
        for j in range(vectors.shape[1]):
            product += vectors[row, j] * query[j]
        out[i] = product


@compiled
def checksums(words: Any, odd: Any, out: Any) -> None:
    """Σ word · odd number, modulo 2^64: any change within one word changes it."""
    for i in range(words.shape[0]):
        check = np.uint64(0)
        for j in range(words.shape[1]):
            check += words[i, j] * odd[j]
        out[i] = check


@compiled
def some_allowed(keys: Any, alive: Any, before: Any, stride: int, steps: int, out: Any) -> int:
    """Fills `out` with allowed rows, `stride` apart (round and round); how many there are."""
    n = keys.shape[0]
    found, row = 0, 0
    for _ in range(min(n, steps)):
        key = keys[row]
        if before[key + 1] > before[key] and (
            (alive[row // LANES] >> np.uint32(row % LANES)) & np.uint32(1)
        ):
            out[found] = row
            found += 1
            if found == out.shape[0]:
                break
        row += stride
        if row >= n:
            row -= n
    return found


@compiled
def scan_bytes(codes: Any, scales: Any, query: Any, step: float, offset: int, out: Any) -> None:
    """Estimated products of rows of bytes with a query of signed bytes.

    codes  (n, d) uint8        scales  (n,) float32        query  (d,) int16
    """
    for i in range(codes.shape[0]):
        s = np.int32(0)
        for j in range(codes.shape[1]):
            # Kept at 32 bits, for which there is an instruction that multiplies and adds.
            s = np.int32(s + np.int32(np.int32(codes[i, j]) * np.int32(query[j])))
        out[i] = np.float32(s - offset) * scales[i] * np.float32(step)


def warm(dimension: int) -> None:
    """Have every loop ready: from the disk in a tenth of a second, or compiled in several."""
    words = -(-dimension // 64)
    vectors = np.zeros((LANES, dimension), np.float32)
    halves, odd = vectors.view(np.uint64), np.ones(dimension // 2, np.uint64)
    sums, rows = np.zeros((2, LANES), np.uint64)[0], np.zeros(1, np.int64)
    keys, alive = np.zeros(LANES, np.int32), np.ones(1, np.uint32)
    before = np.array([0, 1], np.int32)
    out = np.zeros(LANES, np.float32)
    codes = np.zeros((1, words, LANES), np.uint64)
    scan(
        np.zeros(1, np.int64),
        np.array([0, 1]),
        out[:1],
        out[:1],
        np.zeros((PLANES, words), np.uint64),
        np.float32(1),
        np.float32(0),
        codes,
        np.zeros((2, LANES), np.float32),
        keys,
        np.zeros((1, 2), np.int32),
        alive,
        before,
        1,
        out,
        np.zeros(LANES, np.int64),
        1,
    )
    score(vectors, halves, sums, odd, rows, vectors[0], out)
    products(vectors, rows, vectors[0], out)
    checksums(halves, odd, sums)
    some_allowed(keys, alive, before, 1, 1, rows)
    scan_bytes(np.zeros((1, dimension), np.uint8), out, np.zeros(dimension, np.int16), 1.0, 0, out)
