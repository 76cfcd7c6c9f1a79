"""Which rows may answer: `arguments.Allowed` and `arguments.Limits`, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import FOREVER, LANES


@compiled
def limit(allowed: Any, columns: Any, limits: Any, out: Any) -> tuple[int, int]:
    """How many (rows, links) are allowed and within the limits.

    out      (blocks,) uint32, filled with one bit a row: 1 for these rows
    """
    keys, bounds, alive, yes, below = allowed
    frames, owners, posted = columns
    named, of_named, since, until = limits
    count, links = 0, 0
    of_time = since > -FOREVER or until < FOREVER
    may = np.zeros(LANES, np.uint32)
    for block in range(alive.shape[0]):
        out[block] = 0
        living = alive[block]
        if living == 0 or below[bounds[block, 1] + 1] == below[bounds[block, 0]]:
            continue
        first = block * LANES
        # One condition after the other, so that each works on many lanes at once.
        for v in range(LANES):
            may[v] = (living >> np.uint32(v)) & np.uint32(1)
        if of_named or named.shape[0] > 0:
            for v in range(LANES):
                is_named = np.uint32(0)
                for o in range(named.shape[0]):
                    is_named |= np.uint32(owners[first + v] == named[o])
                may[v] &= np.uint32(is_named == np.uint32(of_named))
        if of_time:
            for v in range(LANES):
                when = posted[first + v]
                may[v] &= np.uint32(since <= when) & np.uint32(when < until)
        some = np.uint32(0)
        for v in range(LANES):
            some |= may[v]
        if some == 0:
            continue
        bits = np.uint32(0)
        for v in range(LANES):
            may[v] &= np.uint32(yes[np.uint32(keys[first + v])])
            bits |= may[v] << np.uint32(v)
            count += may[v]
            links += may[v] & np.uint32(frames[first + v] == 0)
        out[block] = bits
    return count, links


@compiled
def all_rows(allowed: Any, out: Any) -> int:
    """Fills `out` with the allowed rows; how many there are."""
    found = 0
    keys, bounds, alive, yes, below = allowed
    for block in range(alive.shape[0]):
        living = alive[block]
        if living == 0 or below[bounds[block, 1] + 1] == below[bounds[block, 0]]:
            continue
        for v in range(LANES):
            row = block * LANES + v
            if (living >> np.uint32(v)) & np.uint32(1) and yes[keys[row]] != 0:
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
    keys, bounds, alive, yes, below = allowed
    found, block, blocks = 0, 0, alive.shape[0]
    for number in range(blocks):
        living = alive[block]
        if living != 0 and below[bounds[block, 1] + 1] > below[bounds[block, 0]]:
            for step in range(LANES):
                lane = (number + step) % LANES
                row = block * LANES + lane
                if (living >> np.uint32(lane)) & np.uint32(1) and yes[keys[row]] != 0:
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
    frames, owners, posted = columns
    named, of_named, since, until = limits
    count, links = 0, 0
    of_owners = of_named or named.shape[0] > 0
    limited = of_owners or since > -FOREVER or until < FOREVER
    for row in range(codes.shape[0]):
        # Without branches: the processor could not predict them.
        here = groups[np.uint32(codes[row])] & alive[row]
        here &= (kind < 0) | (texts[row] == (kind == 1))
        if limited:
            is_named = False
            for o in range(named.shape[0]):
                is_named |= owners[row] == named[o]
            here &= (not of_owners) | (is_named == of_named)
            here &= (since <= posted[row]) & (posted[row] < until)
        out[count] = row
        count += here
        links += here & (frames[row] == 0)
    return count, links
