"""Which rows may answer: `arguments.Allowed` and `arguments.Limits`, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import FOREVER, LANES


@compiled
def nothing_allowed(allowed: Any, block: int) -> Any:
    """Whether no row of this block may answer, as far as its first and last key tell."""
    first, last = allowed.bounds[block, 0], allowed.bounds[block, 1]
    return allowed.alive[block] == 0 or allowed.below[last + 1] == allowed.below[first]


@compiled
def limit(allowed: Any, columns: Any, limits: Any, out: Any) -> tuple[int, int]:
    """How many (rows, links) are allowed and within the limits.

    out      (blocks,) uint32, filled with one bit a row: 1 for these rows
    """
    count, links = 0, 0
    of_time = limits.since > -FOREVER or limits.until < FOREVER
    may = np.zeros(LANES, np.uint32)
    for block in range(allowed.alive.shape[0]):
        out[block] = 0
        if nothing_allowed(allowed, block):
            continue
        living, first = allowed.alive[block], block * LANES
        # One condition after the other, so that each works on many lanes at once.
        for v in range(LANES):
            may[v] = (living >> np.uint32(v)) & np.uint32(1)
        if limits.of_owner:
            for v in range(LANES):
                may[v] &= np.uint32(columns.owners[first + v] == limits.owner)
        if of_time:
            for v in range(LANES):
                posted = columns.posted[first + v]
                may[v] &= np.uint32(limits.since <= posted) & np.uint32(posted < limits.until)
        some = np.uint32(0)
        for v in range(LANES):
            some |= may[v]
        if some == 0:
            continue
        bits = np.uint32(0)
        for v in range(LANES):
            may[v] &= np.uint32(allowed.allowed[np.uint32(allowed.keys[first + v])])
            bits |= may[v] << np.uint32(v)
            count += may[v]
            links += may[v] & np.uint32(columns.frames[first + v] == 0)
        out[block] = bits
    return count, links


@compiled
def all_rows(allowed: Any, out: Any) -> int:
    """Fills `out` with the allowed rows; how many there are."""
    found = 0
    for block in range(allowed.alive.shape[0]):
        if nothing_allowed(allowed, block):
            continue
        for v in range(LANES):
            row = block * LANES + v
            alive = (allowed.alive[block] >> np.uint32(v)) & np.uint32(1)
            if alive and allowed.allowed[allowed.keys[row]] != 0:
                if found == out.shape[0]:
                    return found
                out[found] = row
                found += 1
    return found


@compiled
def sample(allowed: Any, stride: int, out: Any) -> int:
    """Fills `out` with allowed rows, one from a block; how many there are.

    The blocks are `stride` apart, round and round, so that each is met once.
    """
    blocks = allowed.alive.shape[0]
    found, block = 0, 0
    for number in range(blocks):
        if not nothing_allowed(allowed, block):
            for step in range(LANES):
                lane = (number + step) % LANES
                row = block * LANES + lane
                alive = (allowed.alive[block] >> np.uint32(lane)) & np.uint32(1)
                if alive and allowed.allowed[allowed.keys[row]] != 0:
                    out[found] = row
                    found += 1
                    break
            if found == out.shape[0]:
                break
        block = (block + stride) % blocks
    return found


@compiled
def memtable_rows(
    codes: Any,  # (n,) int32, of groups
    alive: Any,  # (n,) bool
    texts: Any,  # (n,) bool
    columns: Any,  # Columns of these rows
    groups: Any,  # (groups,) bool, which groups are allowed, by code
    kind: int,  # 1: texts only, 0: images only, -1: both
    limits: Any,
    out: Any,  # (n + 1,) int64, filled with rows
) -> tuple[int, int]:
    """How many (rows, links) in memory may answer."""
    count, links = 0, 0
    limited = limits.of_owner or limits.since > -FOREVER or limits.until < FOREVER
    for row in range(codes.shape[0]):
        # Without branches: the processor could not predict them.
        here = groups[np.uint32(codes[row])] & alive[row]
        here &= (kind < 0) | (texts[row] == (kind == 1))
        if limited:
            posted = columns.posted[row]
            here &= (not limits.of_owner) | (columns.owners[row] == limits.owner)
            here &= (limits.since <= posted) & (posted < limits.until)
        out[count] = row
        count += here
        links += here & (columns.frames[row] == 0)
    return count, links
