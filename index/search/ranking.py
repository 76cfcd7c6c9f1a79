"""The best of the rows that may answer, by their full vectors, each link once.

Of rows in memory and of small segments all are compared; of larger segments, those that look best
by their codes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.search.hits import Hits
from index.search.kernels.arguments import Ints
from index.search.kernels.constants import LOWEST, PRODUCT_ERROR, SCORE_STEP, SCORE_STEPS, TOMBSTONE
from index.search.limits import in_order
from index.search.memtable import Memtable
from index.search.view import Few, Many, View
from index.types.records import Floats

# Below this share of allowed rows, gathering them costs less than multiplying all.
GATHER_SHARE = 0.25
# Rows multiplied at once, so that a search among 1,000,000 rows needs no second matrix.
PRODUCT_ROWS = 65_536
# Rows in memory from which on the compiled loops are loaded, which compare quantized vectors first:
# 0.3 ms against 0.5 at 10,000 rows.
QUANTIZED_ROWS = 4096
# How many rows of a segment are looked through by their codes: this share of the allowed ones, in
# the most promising lists, and never fewer than this. Rows that lie scattered are taken one by one.
# Of 30,000 to 150,000 such rows among 3,000,000, a tenth would find .986 to .995 of the best ten,
# and these find .997 to .998.
LOOKED_SHARE, LOOKED_ROWS = 0.1, 20_000
SCATTERED_SHARE, SCATTERED_ROWS = 0.3, 4_000
LOOKED_TIMES = 20  # and at least this many times the rows that are wanted


def best_links(
    query: Floats, found: Hits, views: Sequence[View], without: frozenset[int], wanted: int
) -> Hits:
    """The `wanted` links that are most like a query, or all.

    found    the best in memory
    without  links to leave out
    raises   Damaged when a row of a segment isn't what was written
    """
    best, many = [found], []
    for view in views:
        if isinstance(view, Few):
            best.append(view.best(query, without, wanted))
        else:
            many.append(view)
    if len(many) > 1:  # The largest first: it is the most likely to have the best rows.
        many.sort(key=lambda view: -view.rows)
    for large in many:
        floor = np.sort(np.concatenate([one.scores for one in best]))[-wanted:]
        best.append(best_in_large(query, large, without, wanted, floor))
    return Hits.joined([one for one in best if len(one.links)] or best[:1]).first(wanted)


def best_by_columns(query: Floats, memtable: Memtable, rows: Ints, wanted: int) -> Hits:
    """The best links of these rows in memory, without the compiled loops."""
    scores = similarities(memtable.vectors[: memtable.count], query, rows)
    taken = wanted = min(wanted, len(rows))
    while True:
        near = rows[_top_rows(scores, taken)]
        exact = exact_scores(memtable.vectors[near], query)
        # Of rows with lesser scores than those that are taken, some are missing.
        least = np.partition(exact, len(exact) - taken)[len(exact) - taken] if taken else 0.0
        near, exact = near[exact >= least], exact[exact >= least]
        hits = Hits.ordered(
            *(memtable.links[near], memtable.frames[near], exact),
            *(memtable.posted[near], memtable.vectors[near]),
        )
        if len(hits.links) >= wanted or taken == len(rows):
            return hits.first(wanted)
        taken = min(2 * taken, len(rows))


def best_in_large(
    query: Floats, view: Many, without: frozenset[int], wanted: int, floor: NDArray[np.float64]
) -> Hits:
    """Those links of a larger view that may be among the best, by their codes.

    floor    the best scores of links elsewhere, ascending
    raises   Damaged
    """
    taken = wanted
    while True:
        top = np.full(taken, LOWEST)
        top[taken - len(floor) :] = floor
        _, rows = view.best(query, top, looked_at(view, taken))
        least = float(top[0]) - float(PRODUCT_ERROR)
        hits = candidates_at(view, query, rows, least, without)
        # A link with several frames may have filled the first places.
        enough = len(hits.links) + np.count_nonzero(floor >= least) >= wanted
        if enough or taken >= view.rows:
            return hits
        taken *= 2


def candidates_at(
    view: Many, query: Floats, rows: Ints, least: float, without: frozenset[int]
) -> Hits:
    """The links of these rows of a segment, with the best of all their frames, that reach a score.

    raises   Damaged
    """
    segment = view.part.segment
    if segment.animated:
        rows = view.part.places_of(segment.links_at(rows).tolist())
    scores = segment.exact(rows, query)
    rows, scores = rows[scores >= least], scores[scores >= least]
    links, frames = segment.links_at(rows), segment.mapped["frames"][rows]
    posted = segment.posted[rows]
    # Read last: `overwrite` marks a row before it clears its columns.
    vectors, there = segment.read(rows)
    there &= links != TOMBSTONE
    if without:
        there &= ~np.isin(links, in_order(without))
    columns = (links, frames, scores, posted, vectors)
    return Hits.ordered(*(column[there] for column in columns))


def looked_at(view: Many, taken: int) -> int:
    """How many allowed rows of a segment are looked through."""
    share, least = (
        (SCATTERED_SHARE, SCATTERED_ROWS) if view.scattered else (LOOKED_SHARE, LOOKED_ROWS)
    )
    return max(least, math.ceil(share * view.rows), LOOKED_TIMES * taken)


def similarities(vectors: Floats, query: Floats, rows: Ints) -> Floats:
    """(len(rows),) cosine similarities of those rows with the query.

    raises   ValueError when the dimensions differ
    """
    if len(rows) >= GATHER_SHARE * len(vectors):
        starts = range(0, len(vectors), PRODUCT_ROWS)
        products = [vectors[start : start + PRODUCT_ROWS] @ query for start in starts]
        return np.concatenate(products)[rows] if products else np.zeros(0, np.float32)
    starts = range(0, len(rows), PRODUCT_ROWS)
    products = [vectors[rows[start : start + PRODUCT_ROWS]] @ query for start in starts]
    return np.concatenate(products) if products else np.zeros(0, np.float32)


def exact_scores(vectors: Floats, query: Floats) -> NDArray[np.float64]:
    """(n,) what the compiled loop of this name gives for these vectors."""
    products = (vectors.astype(np.float64) * query.astype(np.float64)).sum(axis=1)
    scores: NDArray[np.float64] = (np.rint(products * SCORE_STEPS) * SCORE_STEP).clip(-1, 1)
    return scores


def _top_rows(scores: Floats, k: int) -> Ints:
    """Places of the `k` greatest scores, and of all that may be as great."""
    if k >= len(scores):
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    return np.flatnonzero(scores >= least - PRODUCT_ERROR)
