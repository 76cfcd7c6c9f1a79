"""The best of the rows that may answer, by their full vectors, each link once.

Of rows in memory and of small segments all are compared; of larger segments, those that look best
by their codes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.search.kernels.arguments import Ints
from index.search.kernels.constants import LOWEST, PRODUCT_ERROR, SCORE_STEP, SCORE_STEPS, TOMBSTONE
from index.search.limits import ascending
from index.search.memtable import Memtable
from index.search.segment import Segment
from index.search.view import View
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

class Hits(NamedTuple):
    """Links that are most like a query, each once, with its best frame: the greatest score first,
    then the least link."""

    links: Ints  # (m,)
    frames: Ints  # (m,)
    scores: NDArray[np.float64]  # (m,)
    rows: Ints  # (m,) their rows, numbered through: those in memory, then those of each view

    @classmethod
    def room(cls, count: int) -> Hits:
        """Arrays for so many links, to be filled."""
        of_ids = np.int64
        return cls(
            *(np.empty(count, of_ids), np.empty(count, of_ids)),
            *(np.empty(count), np.empty(count, of_ids)),
        )

    @classmethod
    def ordered(cls, *columns: NDArray[Any]) -> Hits:
        """The hits of these columns, of which a link may have several; the first one counts, if
        two are alike."""
        links, frames, scores, _ = columns
        order = np.lexsort((frames, links, -scores))
        _, first = np.unique(links[order], return_index=True)
        best = order[np.sort(first)]
        return cls(*(column[best] for column in columns))

    @classmethod
    def joined(cls, some: Sequence[Hits]) -> Hits:
        """All of these as one."""
        if len(some) == 1:
            return some[0]
        return cls.ordered(*map(np.concatenate, zip(*some, strict=True)))

    def first(self, count: int) -> Hits:
        """The best of them."""
        return self if len(self.links) <= count else Hits(*(column[:count] for column in self))

    def behind(self, rows: int) -> Hits:
        """The same behind so many other rows."""
        return self._replace(rows=self.rows + rows)


def best_links(
    query: Floats,
    memtable: Memtable,
    rows: Ints,
    views: Sequence[View],
    without: frozenset[int],
    wanted: int,
    loops: Any,
) -> Hits:
    """The `wanted` links that are most like a query, or all.

    rows     those of `memtable` that may answer
    without  links to leave out, of which `rows` has none
    loops    the module of that name, once it is loaded; None before
    raises   Damaged when a row of a segment isn't what was written
    """
    found = [best_in_memory(query, memtable, rows, min(wanted, len(rows)), loops)]
    if not views:
        return found[0]
    before = dict(zip(views, starts(memtable, views), strict=True))
    for view in views:
        if view.small:
            hits = best_in_small(query, view, without, min(wanted, view.rows))
            found.append(hits.behind(before[view]))
    # The largest first: it is the most likely to have the best rows.
    for view in sorted((view for view in views if not view.small), key=lambda view: -view.rows):
        floor = np.sort(np.concatenate([one.scores for one in found]))[-wanted:]
        hits = best_in_large(query, view, without, wanted, floor)
        found.append(hits.behind(before[view]))
    return Hits.joined([one for one in found if len(one.links)] or found[:1]).first(wanted)


def starts(memtable: Memtable, views: Sequence[View]) -> list[int]:
    """How many places come before those of each view, where all are numbered through."""
    places = [memtable.count, *(len(view.part.segment.keys) for view in views)]
    return list(itertools.accumulate(places))[:-1]


def best_in_memory(query: Floats, memtable: Memtable, rows: Ints, wanted: int, loops: Any) -> Hits:
    """The best links of these rows in memory."""
    if loops is not None:
        hits = Hits.room(wanted)
        found = loops.best_in_memory(
            *(memtable.quantized, memtable.scales, memtable.error, memtable.vectors),
            *(memtable.links, memtable.frames, memtable.animated, rows, query, *hits),
        )
        return hits.first(found)
    scores = similarities(memtable.vectors[: memtable.count], query, rows)
    taken = wanted
    while True:
        near = rows[_top_rows(scores, taken)]
        exact = exact_scores(memtable.vectors[near], query)
        # Of rows with lesser scores than those that are taken, some are missing.
        least = np.partition(exact, len(exact) - taken)[len(exact) - taken] if taken else 0.0
        near, exact = near[exact >= least], exact[exact >= least]
        hits = Hits.ordered(memtable.links[near], memtable.frames[near], exact, near)
        if len(hits.links) >= wanted or taken == len(rows):
            return hits.first(wanted)
        taken = min(2 * taken, len(rows))


def best_in_small(query: Floats, view: View, without: frozenset[int], wanted: int) -> Hits:
    """The best links of a small view, of which all rows are compared. raises Damaged"""
    from index.search.kernels import top

    segment, hits, rows = view.part.segment, Hits.room(wanted), view.places()
    scores, links = segment.scores(rows, query), segment.mapped["links"]
    if without:
        scores[np.isin(links[rows], ascending(without))] = LOWEST
    found = top.best_links(
        *(scores, PRODUCT_ERROR, rows, segment.vectors, links, segment.mapped["frames"]),
        *(segment.animated, query, *hits),
    )
    return _there(hits.first(found), segment)


def best_in_large(
    query: Floats,
    view: View,
    without: frozenset[int],
    wanted: int,
    floor: NDArray[np.float64],
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
        hits = candidates_at(view, query, rows, without)
        least = float(top[0]) - float(PRODUCT_ERROR)
        hits = hits.first(int(np.count_nonzero(hits.scores >= least)))
        # A link with several frames may have filled the first places.
        enough = len(hits.links) + np.count_nonzero(floor >= least) >= wanted
        if enough or taken >= view.rows:
            return hits
        taken *= 2


def candidates_at(view: View, query: Floats, rows: Ints, without: frozenset[int]) -> Hits:
    """The links of these rows of a segment, with the best of all their frames."""
    segment = view.part.segment
    if segment.animated:
        rows = view.part.places_of(segment.links_at(rows).tolist())
    scores = segment.exact(rows, query)
    # After the vectors: a row whose link is still there was there a moment ago.
    links, frames = segment.links_at(rows), segment.mapped["frames"][rows]
    there = links != TOMBSTONE
    if without:
        there &= ~np.isin(links, ascending(without))
    columns = (links, frames.astype(np.int64), scores, rows)
    return Hits.ordered(*(column[there] for column in columns))


def _there(hits: Hits, segment: Segment) -> Hits:
    """Those of these hits of a segment whose rows were not removed meanwhile."""
    removed = segment.overwritten(hits.rows)
    return Hits(*(column[~removed] for column in hits)) if removed.any() else hits


def looked_at(view: View, taken: int) -> int:
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
