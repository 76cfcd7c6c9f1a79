"""The inner loops of search over many rows, compiled by numba when a large gallery needs them.

Imported late: numba takes a third of a second, which a small gallery doesn't spend. Each loop
lets go of the interpreter's lock, so that a search never holds up the event loop.

The numbers behind the layout are in docs/performance.md: codes of 32 rows lie word by word, so
that a popcount instruction counts one word of eight rows and nothing is summed across lanes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils as _cgutils
from numba.core import types
from numba.extending import intrinsic

from index.compiled import compiled

cgutils: Any = _cgutils  # has no types

LANES = 32  # rows of a block
PLANES = 4  # bits of a query's quantised numbers
LEVELS = 2**PLANES - 1  # steps from the least to the greatest of them
BATCH = 128  # rows that are looked at together where few are allowed
AHEAD = 4  # rows that are on their way from memory while one is ranked
# float32 products of the same two vectors differ by up to this with the row's place.
ROUNDING = np.float32(1e-5)
# Below every score. Not an infinity, which `fastmath` takes not to be there.
LOWEST = np.float32(-9)
FOREVER = 1e18  # seconds; not an infinity either

_U1, _U2, _U3 = np.uint64(1), np.uint64(2), np.uint64(3)


def _count_ones(typing: Any, word: Any) -> Any:
    """How many bits of a 64-bit word are set, as one instruction where the machine has it."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


_ones: Any = intrinsic(_count_ones)


def _count_zeros(typing: Any, word: Any) -> Any:
    """How many bits of a 32-bit word lie below the lowest that is set."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))
        return builder.zext(found, ir.IntType(64))

    return types.int64(types.uint32), generate


_zeros: Any = intrinsic(_count_zeros)


def _fetch(typing: Any, vectors: Any, row: Any, column: Any) -> Any:
    """Have the memory at this place brought near, without waiting for it."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = cgutils.get_item_pointer(
            context, builder, signature.args[0], array, list(args[1:]), wraparound=False
        )
        bytes_, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [bytes_, number, number, number])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        # To read, and to keep in all caches, data.
        how = [ir.Constant(number, value) for value in (0, 3, 1)]
        builder.call(fetch, [builder.bitcast(place, bytes_), *how])
        return context.get_dummy_value()

    return types.void(vectors, types.intp, types.intp), generate


_fetch_line: Any = intrinsic(_fetch)


@compiled
def _fetch_row(vectors: Any, row: int) -> None:
    for column in range(0, vectors.shape[1], 16):  # 64 bytes, a line of the caches
        _fetch_line(vectors, row, column)


@compiled
def _differing(word: Any, p0: Any, p1: Any, p2: Any, p3: Any) -> Any:
    """In how many bits a word of a code differs from the planes of the query, each bit worth what
    its plane is."""
    return (
        _ones(word ^ p0)
        + (_ones(word ^ p1) << _U1)
        + (_ones(word ^ p2) << _U2)
        + (_ones(word ^ p3) << _U3)
    )


@compiled
def scan(
    lists: Any,  # (p,) int64, the lists in the order to look through
    starts: Any,  # (lists + 1,) int64, first block of each list
    base: Any,  # (lists,) float32, query · centroid
    along: Any,  # (lists,) float32, query · direction of the centroid
    slack: Any,  # (lists,) float32, how much better than its estimate a row may be
    planes: Any,  # (PLANES, w) uint64, bits of the quantised query
    step: Any,  # float32, of the quantisation
    most: Any,  # float32, the product of a code with the query if all their bits were alike
    codes: Any,  # (blocks, w, LANES) uint64
    factors: Any,  # (2, rows) float32
    keys: Any,  # (rows,) int32, ascending within a list
    bounds: Any,  # (blocks, 2) int32, the first and the last key of each block
    alive: Any,  # (blocks,) uint32, one bit a row
    allowed: Any,  # (keys,) int32, 1 or 0
    before: Any,  # (keys + 1,) int32, how many keys below this one are allowed
    enough: int,  # allowed rows after which no further list is begun
    vectors: Any,  # (rows, d) float32
    words: Any,  # the same memory as (rows, d / 2) uint64
    sums: Any,  # (rows,) uint64, what `checksums` gave
    odd: Any,  # (d / 2,) uint64
    gone: Any,  # (rows,) bool, rows that were overwritten
    query: Any,  # (d,) float32
    top: Any,  # (taken,) float32, ascending, in and out: the best scores so far
    best: Any,  # (capacity,) float32, out: scores
    rows: Any,  # (capacity,) int64, out: their rows
) -> tuple[int, int, int]:
    """(found, ranked, bad): the rows that belong among the best `taken`, and their scores.

    The vector of a row is only looked at when its estimate and the slack reach the least of the
    best so far, which rises quickly, since the most promising lists come first.
    `found` is -1 when `capacity` doesn't hold all that share one score; `bad` is a row that isn't
    what was written, or -1.
    """
    differ = np.zeros(LANES, np.uint64)
    estimates = np.zeros(LANES, np.float32)
    may = np.zeros(LANES, np.int32)
    found, seen, ranked = 0, 0, 0
    for place in range(lists.shape[0]):
        if seen >= enough:
            break
        one = lists[place]
        at, slope, more = base[one], along[one], slack[one]
        for block in range(starts[one], starts[one + 1]):
            first = block * LANES
            low, high = bounds[block, 0], bounds[block, 1]
            some = before[high + 1] - before[low]
            living = alive[block]
            if some == 0 or living == 0:
                continue
            whole = some == high + 1 - low and living == np.uint32(0xFFFFFFFF)
            if whole:
                seen += LANES
            else:
                # Numbers of 32 bits without a sign, so that one instruction takes many lanes.
                for v in range(LANES):
                    may[v] = allowed[np.uint32(keys[first + v])]
                count = 0
                for v in range(LANES):
                    may[v] &= np.int32((living >> np.uint32(v)) & np.uint32(1))
                    count += may[v]
                if count == 0:
                    continue
                seen += count
            for v in range(LANES):
                differ[v] = 0
            for j in range(codes.shape[1]):
                p0, p1, p2, p3 = planes[0, j], planes[1, j], planes[2, j], planes[3, j]
                for v in range(LANES):
                    differ[v] += _differing(codes[block, j, v], p0, p1, p2, p3)
            promising = 0
            for v in range(LANES):
                product = most - step * np.float32(differ[v])
                estimate = at + slope * factors[1, first + v] + factors[0, first + v] * product
                estimates[v] = estimate + more
                promising += estimates[v] >= top[0]
            if promising == 0:
                continue
            for v in range(LANES):
                if estimates[v] >= top[0] and (whole or may[v] != 0):
                    _fetch_row(vectors, first + v)
            for v in range(LANES):
                if estimates[v] < top[0] or not (whole or may[v] != 0) or gone[first + v]:
                    continue
                score, intact = _score(vectors, words, sums, odd, query, first + v)
                if not intact:
                    return found, ranked, first + v
                ranked += 1
                found = _enter(best, rows, found, top, score, first + v)
                if found < 0:
                    return -1, ranked, -1
    return _keep(best, rows, found, top[0] - ROUNDING), ranked, -1


@compiled
def scan_scattered(
    lists: Any,
    starts: Any,
    base: Any,
    along: Any,
    slack: Any,
    planes: Any,
    step: Any,
    most: Any,
    codes: Any,
    factors: Any,
    keys: Any,
    bounds: Any,
    alive: Any,
    allowed: Any,
    before: Any,
    enough: int,
    vectors: Any,
    words: Any,
    sums: Any,
    odd: Any,
    gone: Any,
    query: Any,
    top: Any,
    best: Any,
    rows: Any,
) -> tuple[int, int, int]:
    """What `scan` gives, of the same arguments, where a block has few allowed rows.

    Of such a block most lines of memory are not needed, and what takes the time is waiting for
    those that are. So rows come in batches: all are on their way before the first is looked at.
    """
    code_words = codes.reshape(-1, LANES)
    batch, of = np.zeros(BATCH, np.int64), np.zeros(BATCH, np.int64)
    estimates, may = np.zeros(BATCH, np.float32), np.zeros(LANES, np.int32)
    found, seen, ranked, count = 0, 0, 0, 0
    for place in range(lists.shape[0] + 1):
        last = place == lists.shape[0] or seen >= enough
        one = 0 if last else lists[place]
        for block in range(0 if last else starts[one], 0 if last else starts[one + 1]):
            if before[bounds[block, 1] + 1] == before[bounds[block, 0]]:
                continue
            living = alive[block]
            if living == 0:
                continue
            first = block * LANES
            for v in range(LANES):
                may[v] = allowed[np.uint32(keys[first + v])]
            some = np.uint32(0)
            for v in range(LANES):
                some |= (np.uint32(may[v]) << np.uint32(v)) & living
            while some != 0:
                v = _zeros(some)
                some &= some - np.uint32(1)
                batch[count], of[count] = first + v, one
                count += 1
                for j in range(codes.shape[1]):
                    _fetch_line(code_words, block * codes.shape[1] + j, v)
                _fetch_line(factors, 0, first + v)
                _fetch_line(factors, 1, first + v)
            if count <= BATCH - LANES:
                continue
            seen += count
            found, close, bad = _rank(
                batch, of, estimates, count, base, along, slack, planes, step, most,
                codes, factors, vectors, words, sums, odd, gone, query, top, best, rows, found,
            )  # fmt: skip
            ranked += close
            count = 0
            if found < 0 or bad >= 0:
                return found, ranked, bad
        if last:
            break
    found, close, bad = _rank(
        batch, of, estimates, count, base, along, slack, planes, step, most,
        codes, factors, vectors, words, sums, odd, gone, query, top, best, rows, found,
    )  # fmt: skip
    if found < 0 or bad >= 0:
        return found, ranked + close, bad
    return _keep(best, rows, found, top[0] - ROUNDING), ranked + close, -1


@compiled
def _rank(
    batch: Any,  # (BATCH,) int64, rows, of which the first `count` count
    of: Any,  # (BATCH,) int64, their lists
    estimates: Any,  # (BATCH,) float32, room to write in
    count: int,
    base: Any,
    along: Any,
    slack: Any,
    planes: Any,
    step: Any,
    most: Any,
    codes: Any,
    factors: Any,
    vectors: Any,
    words: Any,
    sums: Any,
    odd: Any,
    gone: Any,
    query: Any,
    top: Any,
    best: Any,
    rows: Any,
    found: int,
) -> tuple[int, int, int]:
    """As `scan`, of a batch of rows."""
    near = 0
    for i in range(count):
        row, one = batch[i], of[i]
        block, v = row // LANES, row % LANES
        differ = np.uint64(0)
        for j in range(codes.shape[1]):
            p0, p1, p2, p3 = planes[0, j], planes[1, j], planes[2, j], planes[3, j]
            differ += _differing(codes[block, j, v], p0, p1, p2, p3)
        product = most - step * np.float32(differ)
        estimate = base[one] + along[one] * factors[1, row] + factors[0, row] * product + slack[one]
        if estimate >= top[0] and not gone[row]:
            _fetch_row(vectors, row)
            batch[near], estimates[near] = row, estimate
            near += 1
    ranked = 0
    for i in range(near):
        if estimates[i] < top[0]:
            continue
        score, intact = _score(vectors, words, sums, odd, query, batch[i])
        if not intact:
            return found, ranked, batch[i]
        ranked += 1
        found = _enter(best, rows, found, top, score, batch[i])
        if found < 0:
            break
    return found, ranked, -1


@compiled
def _enter(best: Any, rows: Any, found: int, top: Any, score: float, row: int) -> int:
    """Take a row in, if it belongs among the best. How many there are then; -1: no room."""
    if score < top[0] - ROUNDING:
        return found
    if score > top[0]:
        _rise(top, score)
    if found == best.shape[0]:
        found = _keep(best, rows, found, top[0] - ROUNDING)
        if found > best.shape[0] - LANES:
            return -1
    best[found] = score
    rows[found] = row
    return found + 1


@compiled
def _score(vectors: Any, words: Any, sums: Any, odd: Any, query: Any, row: int) -> tuple[Any, Any]:
    """The product of a row with the query, and whether the row is what was written."""
    product = np.float32(0)
    for j in range(vectors.shape[1]):
        product += vectors[row, j] * query[j]
    check = np.uint64(0)
    for j in range(words.shape[1]):
        check += words[row, j] * odd[j]
    return product, check == sums[row]


@compiled
def _rise(top: Any, score: float) -> None:
    """Put a score among the best, which are ascending, in place of the least."""
    i = 0
    while i + 1 < top.shape[0] and top[i + 1] < score:
        top[i] = top[i + 1]
        i += 1
    top[i] = score


@compiled
def _keep(best: Any, rows: Any, found: int, least: float) -> int:
    """Move what is at least `least` to the front; how many they are."""
    kept = 0
    for i in range(found):
        if best[i] >= least:
            best[kept] = best[i]
            rows[kept] = rows[i]
            kept += 1
    return kept


@compiled
def score(
    vectors: Any, words: Any, sums: Any, odd: Any, gone: Any, rows: Any, query: Any, out: Any
) -> int:
    """Products of these rows with the query into `out`, LOWEST for those that are gone; a row
    that isn't what was written, or -1. The arrays are `scan`'s."""
    for i in range(rows.shape[0]):
        if i + AHEAD < rows.shape[0]:
            _fetch_row(vectors, rows[i + AHEAD])
        out[i] = LOWEST
        if not gone[rows[i]]:
            out[i], intact = _score(vectors, words, sums, odd, query, rows[i])
            if not intact:
                return int(rows[i])
    return -1


@compiled
def exact(vectors: Any, rows: Any, query: Any, out: Any) -> None:
    """Products of these rows with the query in float64: the same vectors always give the same."""
    for i in range(rows.shape[0]):
        product = 0.0
        for j in range(vectors.shape[1]):
            product += np.float64(vectors[rows[i], j]) * query[j]
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
def add_products(column: Any, number: Any, out: Any) -> None:
    """Adds to `out` (n,) uint64 what a column of bits (n,) gives for a checksum. Not 0 for bits
    that are all 0, as those of a file that was never written are."""
    for i in range(column.shape[0]):
        out[i] += (np.uint64(column[i]) + _U2) * number


@compiled
def add_products_of_codes(codes: Any, odd: Any, out: Any) -> None:
    """The same for codes (blocks, w, LANES), each word with its own number."""
    for block in range(codes.shape[0]):
        for j in range(codes.shape[1]):
            for v in range(LANES):
                out[block * LANES + v] += codes[block, j, v] * odd[j]


@compiled
def narrowed(
    keys: Any,
    bounds: Any,
    alive: Any,
    allowed: Any,
    before: Any,
    frames: Any,  # (rows,) int32
    owners: Any,  # (rows,) int64
    posted: Any,  # (rows,) float64
    owner: int,
    of_owner: bool,
    since: float,
    until: float,
    out: Any,  # (blocks,) uint32, out: one bit a row that is allowed
) -> tuple[int, int]:
    """(rows, links) that are alive, allowed, of the owner and posted in [since, until)."""
    count, links = 0, 0
    of_time = since > -FOREVER or until < FOREVER
    may = np.zeros(LANES, np.uint32)
    for block in range(alive.shape[0]):
        out[block] = 0
        living = alive[block]
        if living == 0 or before[bounds[block, 1] + 1] == before[bounds[block, 0]]:
            continue
        first = block * LANES
        # One condition after the other, so that each takes many lanes at once.
        for v in range(LANES):
            may[v] = (living >> np.uint32(v)) & np.uint32(1)
        if of_owner:
            for v in range(LANES):
                may[v] &= np.uint32(owners[first + v] == owner)
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
            may[v] &= np.uint32(allowed[np.uint32(keys[first + v])])
            bits |= may[v] << np.uint32(v)
            count += may[v]
            links += may[v] & np.uint32(frames[first + v] == 0)
        out[block] = bits
    return count, links


@compiled
def places(keys: Any, bounds: Any, alive: Any, allowed: Any, before: Any, out: Any) -> int:
    """Fills `out` with the rows that are alive and allowed; how many there are."""
    found = 0
    for block in range(alive.shape[0]):
        living = alive[block]
        if living == 0 or before[bounds[block, 1] + 1] == before[bounds[block, 0]]:
            continue
        for v in range(LANES):
            row = block * LANES + v
            if (living >> np.uint32(v)) & np.uint32(1) and allowed[keys[row]] != 0:
                if found == out.shape[0]:
                    return found
                out[found] = row
                found += 1
    return found


@compiled
def sample(
    keys: Any, bounds: Any, alive: Any, allowed: Any, before: Any, stride: int, out: Any
) -> int:
    """Fills `out` with rows that are alive and allowed, one a block, from blocks `stride` apart
    (round and round, each once); how many there are."""
    found, block = 0, 0
    for turn in range(alive.shape[0]):
        living = alive[block]
        if living != 0 and before[bounds[block, 1] + 1] > before[bounds[block, 0]]:
            for step in range(LANES):
                lane = (turn + step) % LANES
                row = block * LANES + lane
                if (living >> np.uint32(lane)) & np.uint32(1) and allowed[keys[row]] != 0:
                    out[found] = row
                    found += 1
                    break
            if found == out.shape[0]:
                break
        block = (block + stride) % alive.shape[0]
    return found


@compiled
def chosen(
    codes: Any,  # (n,) int32, groups
    alive: Any,  # (n,) bool
    texts: Any,  # (n,) bool
    frames: Any,  # (n,) int32
    owners: Any,  # (n,) int64
    posted: Any,  # (n,) float64
    groups: Any,  # (groups,) bool, which groups are allowed
    kind: int,  # 1: texts only, 0: images only, -1: both
    owner: int,
    of_owner: bool,
    since: float,
    until: float,
    out: Any,  # (n + 1,) int64, out: rows
) -> tuple[int, int]:
    """(rows, links) in memory that may answer."""
    count, links = 0, 0
    narrow = of_owner or since > -FOREVER or until < FOREVER
    for row in range(codes.shape[0]):
        # Without branches, which nothing could foresee.
        here = groups[np.uint32(codes[row])] & alive[row]
        here &= (kind < 0) | (texts[row] == (kind == 1))
        if narrow:
            here &= (not of_owner) | (owners[row] == owner)
            here &= (since <= posted[row]) & (posted[row] < until)
        out[count] = row
        count += here
        links += here & (frames[row] == 0)
    return count, links


@compiled
def best_rows(scores: Any, top: Any, slack: float, out: Any) -> int:
    """Fills `out` (n,) with the places of all scores that the greatest are not better than by more
    than `slack`; how many there are. `top` (k,), LOWEST before, becomes the k greatest."""
    for i in range(scores.shape[0]):
        if scores[i] > top[0]:
            _rise(top, scores[i])
    found, least = 0, top[0] - np.float32(slack)
    for i in range(scores.shape[0]):
        if scores[i] >= least:
            out[found] = i
            found += 1
    return found


@compiled
def bit_planes(turned: Any, out: Any) -> Any:
    """Fills `out` (PLANES, w) with the bits of the numbers; the size of their step.

    The bits of a number are signs: all together they say step / 2 · (±8 ±4 ±2 ±1), so that
    products with the signs of a code are counts of the bits in which both differ.
    """
    greatest = np.float32(1e-12)
    for j in range(turned.shape[0]):
        greatest = max(greatest, abs(turned[j]))
    step = 2 * greatest / LEVELS
    out[:] = 0
    for j in range(turned.shape[0]):
        number = int(turned[j] / step + LEVELS / 2 + 0.5)
        number = min(max(number, 0), LEVELS)
        for plane in range(PLANES):
            bit = np.uint64((number >> plane) & 1)
            out[plane, j // 64] |= bit << np.uint64(j % 64)
    return step


@compiled
def scan_bytes(
    codes: Any, scales: Any, rows: Any, query: Any, step: float, offset: int, out: Any
) -> None:
    """Estimated products of these rows of bytes with a query of signed numbers.

    codes  (n, d) uint8        scales  (n,) float32        rows  (r,)        query  (d,) int16
    """
    for i in range(rows.shape[0]):
        row = np.uint64(rows[i])
        s = np.int32(0)
        for j in range(codes.shape[1]):
            # Kept at 32 bits, for which there is an instruction that multiplies and adds.
            s = np.int32(s + np.int32(np.int32(codes[row, j]) * np.int32(query[j])))
        out[i] = np.float32(s - offset) * scales[row] * np.float32(step)


def warm(dimension: int) -> None:
    """Have every loop ready: from the disk in a tenth of a second, or compiled in several."""
    words = -(-dimension // 64)
    vectors = np.zeros((LANES, dimension), np.float32)
    halves, odd = vectors.view(np.uint64), np.ones(dimension // 2, np.uint64)
    sums, rows = np.zeros((2, LANES), np.uint64)[0], np.zeros(1, np.int64)
    keys, alive, yes = np.zeros(LANES, np.int32), np.ones(1, np.uint32), np.ones(LANES, np.bool_)
    one = np.ones(1, np.int32)
    before, bounds = np.array([0, 1], np.int32), np.zeros((1, 2), np.int32)
    out, query = np.zeros(LANES, np.float32), vectors[0]
    owners, posted = np.zeros(LANES, np.int64), np.zeros(LANES)
    planes = np.zeros((PLANES, words), np.uint64)
    which = (0, False, 0.0, 1.0)
    codes, factors = np.zeros((1, words, LANES), np.uint64), np.zeros((2, LANES), np.float32)
    bit_planes(query, planes)
    for loop in (scan, scan_scattered):
        loop(
            rows,
            np.array([0, 1]),
            *(out[:1], out[:1], out[:1]),
            planes,
            *(np.float32(1), np.float32(0)),
            *(codes, factors, keys, bounds, alive, one, before),
            1,
            *(vectors, halves, sums, odd, yes, query, out[:1], out, owners),
        )
    score(vectors, halves, sums, odd, yes, rows, query, out)
    exact(vectors, rows, query.astype(np.float64), posted)
    checksums(halves, odd, sums)
    add_products(alive, odd[0], sums[:1])
    add_products(sums, odd[0], sums)
    add_products_of_codes(codes, odd, sums)
    narrowed(keys, bounds, alive, one, before, keys, owners, posted, *which, alive)
    places(keys, bounds, alive, one, before, rows)
    sample(keys, bounds, alive, one, before, 1, rows)
    chosen(keys, yes, yes, keys, owners, posted, yes[:1], -1, *which, owners)
    best_rows(out, out[:1], 0.0, owners)
    small = np.zeros((1, dimension), np.uint8)
    scan_bytes(small, out, rows, np.zeros(dimension, np.int16), 1.0, 0, out)
