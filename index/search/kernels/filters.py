"""Which rows may answer: `arguments.Allowed` and `arguments.Limits`, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import FOREVER, LANES
from index.search.kernels.instructions import count_ones, count_zeros

NEAR = 32  # blocks whose marks are compared, before the rows are looked at that this leaves
# Of a word of eight bytes, each 0 or 1: a number that brings them together in its greatest byte.
_GATHER = np.uint64(0x0102040810204080)


@compiled
def first_place(ids: Any, id: int) -> int:
    """Before which of these ids, which ascend, a number belongs: numpy's `searchsorted`, which
    takes numba seconds to compile."""
    low, high = 0, ids.shape[0]
    while low < high:
        middle = (low + high) // 2
        if ids[middle] < id:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _place(key: int, lesser: int, places: int) -> int:
    """Where `Allowed.allowed`, which has so many places, tells of a key."""
    return min(max(key - lesser, 0), places - 1)


@compiled
def some_allowed(bounds: Any, block: int, lesser: int, below: Any) -> tuple[int, bool]:
    """How many keys between the first and the last one of a block may answer, and whether all."""
    places = below.shape[0] - 1
    low, high = bounds[block, 0], bounds[block, 1]
    some = below[_place(high, lesser, places) + 1] - below[_place(low, lesser, places)]
    return some, some == high + 1 - low


@compiled
def lanes_allowed(keys: Any, first: int, lesser: int, yes: Any, may: Any) -> None:
    """Fills `may` (LANES,) int32 with 1 for the rows from `first` on whose keys may answer."""
    last = np.int32(yes.shape[0] - 1)
    for v in range(LANES):
        key = np.int32(keys[np.uint64(first + v)] - np.int32(lesser))
        place = min(max(key, np.int32(0)), last)
        may[v] = yes[np.uint32(place)]


@compiled
def _among(keys: Any, first: int, lesser: int, yes: Any, may: Any) -> Any:
    """One bit for each of the rows from `first` on: 1 where its key may answer.

    may   (LANES,) int32, overwritten
    """
    lanes_allowed(keys, first, lesser, yes, may)
    among = np.uint32(0)
    for v in range(LANES):
        among |= np.uint32(may[v]) << np.uint32(v)
    return among


@compiled
def allowed_keys(
    groups: Any,  # (keys,) int64, ascending
    texts: Any,  # (keys,) bool
    rows: Any,  # (keys,) int64, of each key
    links: Any,  # (keys,) int64, of each key
    begin: int,  # the first key of a space
    end: int,  # the first one behind it
    every: bool,  # whether all groups may answer
    wanted: Any,  # (w,) int64, else these
    kind: int,  # 1: texts only, 0: images only, -1: both
    allowed: Any,  # (end - begin + 2,) int32, filled as `arguments.Allowed`
    below: Any,  # (end - begin + 3,) int32, filled as there
) -> tuple[int, int]:
    """How many (rows, links) the keys of a space have that may answer."""
    allowed[:] = 0
    if every:
        allowed[1:-1] = 1
    else:
        here = groups[begin:end]
        for i in range(wanted.shape[0]):
            key = first_place(here, wanted[i])
            # A group has at most two keys: of its pictures and of its texts.
            while key < here.shape[0] and here[key] == wanted[i]:
                allowed[1 + key] = 1
                key += 1
    some, of_links = 0, 0
    for key in range(begin, end):
        place = 1 + key - begin
        if kind >= 0 and texts[key] != (kind == 1):
            allowed[place] = 0
        some += allowed[place] * rows[key]
        of_links += allowed[place] * links[key]
    below[0] = 0
    for place in range(allowed.shape[0]):
        below[place + 1] = below[place] + allowed[place]
    return some, of_links


@compiled
def limit(
    allowed: Any, columns: Any, limits: Any, marks: Any, marked: Any, animated: bool, out: Any
) -> tuple[int, int]:
    """How many (rows, links) are allowed and within the limits.

    Marks are compared first, many with one instruction. Only where these leave a doubt, keys,
    owners and times themselves are looked at.

    animated  whether a link may have several rows
    out       (s,) uint32, filled with one bit a row: 1 for these rows
    """
    keys, bounds, begin, alive, lesser, yes, below = allowed
    frames, owners, posted = columns
    named, of_named, since, until = limits
    owner_marks, time_marks = marks
    named_marks, early, late = marked
    of_owners = of_named or named.shape[0] > 0
    of_time = since > -FOREVER or until < FOREVER
    count, links = np.int64(0), np.int64(0)
    near, may = np.empty(NEAR * LANES, np.uint8), np.zeros(LANES, np.int32)
    eights = near.view(np.uint64)
    for start in range(0, alive.shape[0], NEAR):
        blocks = min(NEAR, alive.shape[0] - start)
        rows = blocks * LANES
        first = (begin + start) * LANES
        near[:rows] = not of_named
        if of_named:
            theirs = owner_marks[first : first + rows]
            for o in range(named_marks.shape[0]):
                mark = named_marks[o]
                for i in range(rows):
                    near[i] |= np.uint8(theirs[i] == mark)
        if of_time:
            times = time_marks[first : first + rows]
            for i in range(rows):
                near[i] &= np.uint8(early <= times[i]) & np.uint8(times[i] <= late)
        for number in range(blocks):
            block, bits = begin + start + number, np.uint64(0)
            for part in range(LANES // 8):
                eight = eights[np.uint64(number * (LANES // 8) + part)]
                bits |= ((eight * _GATHER) >> np.uint64(56)) << np.uint64(8 * part)
            bits &= np.uint64(alive[start + number])
            # Each block is looked at, so that the time tells nothing of marks in closed channels.
            some, whole = some_allowed(bounds, block, lesser, below)
            if some == 0:
                bits = np.uint64(0)
            if bits != 0 and not whole:
                bits &= np.uint64(_among(keys, block * LANES, lesser, yes, may))
            left = np.uint32(bits)
            while left != 0:
                v = count_zeros(left)
                left &= left - np.uint32(1)
                row = np.uint64(block * LANES + v)
                within = True
                if of_owners:
                    is_named = False
                    for o in range(named.shape[0]):
                        is_named |= owners[row] == named[o]
                    within &= is_named == of_named
                if not (within and since <= posted[row] and posted[row] < until):
                    bits &= ~(np.uint64(1) << np.uint64(v))
            out[start + number] = np.uint32(bits)
            count += np.int64(count_ones(bits))
            if animated and bits != 0:
                for v in range(LANES):
                    is_first = np.uint64(frames[np.uint64(block * LANES + v)] == 0)
                    links += np.int64((bits >> np.uint64(v)) & is_first)
    return int(count), int(links if animated else count)


@compiled
def all_rows(allowed: Any, out: Any) -> int:
    """Fills `out` with the allowed rows; how many there are."""
    keys, bounds, begin, alive, lesser, yes, below = allowed
    found, may = 0, np.zeros(LANES, np.int32)
    for number in range(alive.shape[0]):
        left, block = alive[number], begin + number
        if left == 0:
            continue
        some, whole = some_allowed(bounds, block, lesser, below)
        if some == 0:
            continue
        if not whole:
            left &= _among(keys, block * LANES, lesser, yes, may)
        while left != 0:
            if found == out.shape[0]:
                return found
            out[found] = block * LANES + count_zeros(left)
            left &= left - np.uint32(1)
            found += 1
    return found


@compiled
def sample(allowed: Any, stride: int, out: Any) -> int:
    """Fills `out` with allowed rows, one from a block; how many there are.

    The blocks are `stride` apart, round and round, so that each is met once.
    """
    keys, bounds, begin, alive, lesser, yes, below = allowed
    found, place, blocks = 0, 0, alive.shape[0]
    for number in range(blocks):
        living, block = alive[place], begin + place
        if living != 0 and some_allowed(bounds, block, lesser, below)[0] > 0:
            for step in range(LANES):
                lane = (number + step) % LANES
                row = block * LANES + lane
                key = _place(keys[row], lesser, yes.shape[0])
                if (living >> np.uint32(lane)) & np.uint32(1) and yes[key] != 0:
                    out[found] = row
                    found += 1
                    break
            if found == out.shape[0]:
                break
        place = (place + stride) % blocks
    return found
