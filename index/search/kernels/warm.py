"""Having every loop ready before a query needs it."""

from __future__ import annotations

import numpy as np

from index.search.encoding import signs
from index.search.hits import Hits
from index.search.kernels import codes as of_codes
from index.search.kernels import filters, memtable, products, quantized, scan, top
from index.search.kernels.arguments import (
    Allowed,
    Best,
    ByKey,
    Codes,
    Columns,
    Limits,
    Lists,
    RotatedQuery,
    Vectors,
)
from index.search.kernels.constants import LANES, PLANES
from index.search.limits import ascending


def warm(dimension: int) -> None:
    """Load every loop from the disk, in a tenth of a second, or compile it, in several seconds.

    It is called with arguments of the types that it meets later: one block, of which no row
    is compared.
    """
    words = -(-dimension // 64)
    rows, number = np.zeros(1, np.int64), np.zeros(LANES, np.int32)
    out, places = np.zeros(LANES, np.float32), np.zeros(LANES, np.int64)
    vectors = Vectors(
        rows=np.zeros((LANES, dimension), np.float32),
        words=np.zeros((LANES, dimension // 2), np.uint64),
        checksums=np.zeros((2, LANES), np.uint64)[0],
        multipliers=np.ones(dimension // 2, np.uint64),
        overwritten=np.ones(LANES, np.bool_),
    )
    query = vectors.rows[0]
    codes = Codes(np.zeros((1, words, LANES), np.uint64), np.zeros((2, LANES), np.float32))
    allowed = Allowed(
        keys=number,
        bounds=np.zeros((1, 2), np.int32),
        begin=0,
        alive=np.ones(1, np.uint32),
        lesser=-1,
        allowed=np.array([0, 1, 0], np.int32),
        below=np.array([0, 0, 1, 1], np.int32),
    )
    columns = Columns(number, places, np.zeros(LANES))
    lists = Lists(rows, np.array([0, 1]), out[:1], out[:1], out[:1])
    planes = np.zeros((PLANES, words), np.uint64)
    turns = signs(dimension)
    of_codes.rotate(query, turns, np.zeros_like(query))
    of_codes.rotated_bits(query, planes)
    for loop in (scan.scan, scan.scan_scattered):
        rotated = RotatedQuery(planes, np.float32(1), np.float32(0), query)
        loop(lists, rotated, codes, allowed, vectors, 1, Best(out[:1], out, places))
    products.scores(vectors, rows, query, out)
    products.exact_scores(vectors.rows, rows, query.astype(np.float64), np.zeros(1))
    bytes_ = np.zeros((1, dimension), np.uint8)
    quantized.quantized_products(bytes_, out, rows, query, 0.0, out)
    sums = np.zeros(LANES, np.uint64)
    products.checksums(vectors.words, vectors.multipliers, sums)
    products.checksums(vectors.words, vectors.multipliers, vectors.checksums)
    products.add_to_checksums(allowed.alive, vectors.multipliers[0], sums)
    products.add_to_checksums(sums, vectors.multipliers[0], sums)
    products.add_codes_to_checksums(codes.bits, vectors.multipliers, sums)
    by_key = ByKey(np.zeros(2, np.int64), number[:1], *np.zeros((2, 1), np.uint8))
    filters.order_by_key(number, ~vectors.overwritten, by_key.starts, by_key.rows)
    ids, both = ascending(frozenset()), np.zeros(1, np.bool_)
    filters.allowed_keys(
        *(rows, both, rows, rows, 0, 0, False, ids, -1),
        *(allowed.allowed.copy(), allowed.below.copy()),
    )
    limits = Limits(ids, False, 0.0, 1.0)
    filters.rows_within(
        *(allowed.allowed, -1, number, *by_key, allowed.alive, *columns, False, *limits),
        *(by_key.owner_marks[:0], 0, 1, False, number[:0], 0, allowed.alive, rows),
    )
    filters.unmark(number, *by_key, rows[:0])
    filters.all_rows(allowed, rows)
    filters.sample(allowed, 1, rows)
    posted, frames = columns.posted, columns.frames
    hits = Hits.room(1, dimension)
    top.best_of_few(
        *(
            rows[:0],
            ids,
            np.zeros((1, 8), np.uint8),
            vectors.multipliers,
            signs(dimension),
            *vectors,
        ),
        *(places, frames, posted, False, query, *hits, rows),
    )
    asked = (
        *(number, places, frames, places, posted, 0, False, rows, number, 1, False, ids, -1),
        *(*limits, False, ids, ids, rows),
    )
    memtable.allowed_rows(*asked)
    memtable.best_in_memory(
        bytes_, out, 0.0, signs(dimension), vectors.rows, query, *asked, *hits, rows
    )
