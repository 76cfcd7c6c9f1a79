"""Which rows may answer: `arguments.Allowed` and `arguments.Limits`, row by row.

Arrays come one by one where a question of few rows calls a loop, as in `kernels.memtable`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import CHUNK, EIGHT, FOREVER, LANES
from index.search.kernels.instructions import count_zeros

_LANES = np.uint64(LANES)
FEW = 8  # owners that are all compared with a row's: there is no branch that can't be predicted


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
def has(ids: Any, id: int) -> bool:
    """Whether a number is among these, which ascend."""
    at = first_place(ids, id)
    return bool(at < ids.shape[0] and ids[at] == id)


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
def order_by_key(keys: Any, there: Any, starts: Any, out: Any) -> None:
    """Puts rows together that have the same key.

    keys    (n,) int32 of each row        there   (n,) bool, whether it holds one
    starts  (k + 1,) int64, filled with where the rows of each key begin in `out`
    out     (rows,) int32, filled with the rows that are there, ascending within a key
    """
    starts[:] = 0
    for row in range(keys.shape[0]):
        starts[keys[row] + 1] += np.int64(there[row])
    for key in range(starts.shape[0] - 1):
        starts[key + 1] += starts[key]
    following = starts.copy()
    for row in range(keys.shape[0]):
        if there[row]:
            out[following[keys[row]]] = row
            following[keys[row]] += 1


@compiled
def unmark(
    keys: Any, starts: Any, by_key: Any, owner_marks: Any, time_marks: Any, rows: Any
) -> None:
    """Sets the marks of these rows to 0; those that `order_by_key` was not told of have none."""
    for i in range(rows.shape[0]):
        start, end = starts[keys[rows[i]]], starts[keys[rows[i]] + 1]
        at = start + first_place(by_key[start:end], rows[i])
        if at < end and by_key[at] == rows[i]:
            owner_marks[at] = time_marks[at] = 0


@compiled
def _near(
    owners: Any,  # (CHUNK,) uint8, the marks of some rows
    times: Any,  # (CHUNK,) uint8
    many: int,  # rows
    named: Any,  # (o,) uint8, the marks of the owners of whom they are, if `of_named`
    of_named: bool,
    early: Any,  # uint8, the least mark that they may have, if `of_time`
    late: Any,  # uint8, the greatest one
    of_time: bool,
    near: Any,  # (CHUNK,) uint8, to write in
    out: Any,  # (CHUNK + EIGHT,) int64, filled with the numbers of rows that are near
) -> int:
    """How many of these rows have marks that leave them a chance."""
    for i in range(many):
        near[i] = not of_named
    if of_named:
        for o in range(named.shape[0]):
            mark = named[o]
            for i in range(many):
                near[i] |= np.uint8(owners[i] == mark)
    if of_time:
        for i in range(many):
            near[i] &= np.uint8(early <= times[i]) & np.uint8(times[i] <= late)
    whole = (many + EIGHT - 1) // EIGHT
    for i in range(many, whole * EIGHT):
        near[i] = 0
    found, eights = np.int64(0), near.view(np.uint64)
    for number in range(whole):
        eight = eights[number]
        if eight == 0:
            continue
        # Without branches: the processor could not predict them.
        for i in range(EIGHT):
            out[found] = number * EIGHT + i
            found += np.int64((eight >> np.uint64(8 * i)) & np.uint64(1))
    return int(found)


@compiled
def rows_within(
    allowed: Any,  # (k + 2,) int32, of the keys of a space, as `arguments.Allowed`
    lesser: int,  # as there
    keys: Any,  # (n,) int32, of each row
    starts: Any,  # as `arguments.ByKey`
    order: Any,
    owner_marks: Any,
    time_marks: Any,
    alive: Any,  # (b,) uint32, of all blocks, one bit a row: 0 if it was removed
    frames: Any,  # as `arguments.Columns`
    owners: Any,
    posted: Any,
    animated: bool,  # whether a link may have several rows
    named: Any,  # as `arguments.Limits`
    of_named: bool,
    since: float,
    until: float,
    named_marks: Any,  # (o,) uint8, of `named`
    early: int,  # the mark of `since`
    late: int,  # of `until`
    some: bool,  # whether only some rows may answer
    only: Any,  # (o,) int32, these, of any space
    first: int,  # the first block that `bits` tells of
    bits: Any,  # (s,) uint32, all 0; gets one bit a row: 1 for those that may answer. Or no blocks
    out: Any,  # (m,) int64, filled with the first m of these rows
) -> tuple[int, int]:
    """How many (rows, links) have keys that may answer, are there, and are within the limits.

    The time it takes grows with the rows of these keys, or with those of `only`. Of others, such as
    rows in channels that the asker can't read, it looks at none.
    """
    of_owners = of_named or named.shape[0] > 0
    of_time = since > -FOREVER or until < FOREVER
    marked, source = (of_named or of_time) and not some, only if some else order
    # Rows of keys that may have few are put together, so that many are looked at together.
    these, numbers = np.empty(CHUNK, np.int32), np.empty(CHUNK + EIGHT, np.int64)
    near, theirs, times = np.empty((3, CHUNK), np.uint8)
    found, links, many = np.int64(0), np.int64(0), np.int64(0)
    key, end = 1, allowed.shape[0] - 1
    low, high = np.int64(0), np.int64(only.shape[0] if some else 0)
    while True:
        while low == high and key < end and not some:  # on to keys that may answer
            low = high = starts[lesser + key]
            while key < end and allowed[key] != 0:
                key += 1
            high = starts[lesser + key]
            key += int(low == high)
        more = min(high - low, CHUNK - many)
        at, place, together = np.uint64(low), np.uint64(many), more == CHUNK
        if not together:  # a whole chunk that lies together is read in place
            for i in range(np.uint64(more)):
                these[place + i] = source[at + i]
        if marked and of_named:
            for i in range(np.uint64(more)):
                theirs[place + i] = owner_marks[at + i]
        if marked and of_time:
            for i in range(np.uint64(more)):
                times[place + i] = time_marks[at + i]
        low, many = low + more, many + more
        if many < CHUNK and more > 0:
            continue
        if marked:
            many = _near(
                *(theirs, times, many, named_marks, of_named),
                *(np.uint8(early), np.uint8(late), of_time, near, numbers),
            )
        # No loop is called for each row, but where many owners are named: handing arrays on takes
        # longer than all else.
        for i in range(many):
            number = np.uint64(numbers[i] if marked else i)
            row = np.uint64(source[at + number] if together else these[number])
            may = (alive[row // _LANES] >> np.uint32(row % _LANES)) & np.uint32(1)
            if some:
                place_of_key = min(max(keys[row] - lesser, 0), allowed.shape[0] - 1)
                may &= np.uint32(allowed[place_of_key])
            if of_owners and named.shape[0] > FEW:
                may &= np.uint32(has(named, owners[row]) == of_named)
            elif of_owners:
                one = False
                for o in range(named.shape[0]):
                    one |= named[o] == owners[row]
                may &= np.uint32(one == of_named)
            # A time is surely within the limits if its mark lies between theirs.
            if of_time and not (marked and early < times[number] and times[number] < late):
                may &= np.uint32(since <= posted[row]) & np.uint32(posted[row] < until)
            if found < out.shape[0]:
                out[found] = row
            if bits.shape[0] > 0:
                # Of a row that may not, the block may be of another space.
                block = (row // _LANES - np.uint64(first)) * np.uint64(may)
                bits[block] |= may << np.uint32(row % _LANES)
            if animated:
                links += np.int64(may != 0 and frames[row] == 0)
            found += np.int64(may)
        many = np.int64(0)
        if more == 0:
            return int(found), int(links if animated else found)


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
