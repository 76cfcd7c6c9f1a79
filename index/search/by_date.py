"""The links that may answer, in the order of the time at which they were posted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.search.kernels.arguments import Ints
from index.search.kernels.constants import TOMBSTONE
from index.search.memtable import Memtable
from index.search.ranking import Answering, Candidates, best_frames, candidates_at, exact_scores
from index.search.view import View
from index.types.filter import Sort
from index.types.records import Floats, Position


def in_order_of_date(
    memtable: Memtable,
    rows: Ints,
    views: Sequence[View],
    query: Floats,
    without: frozenset[int],
    *,
    sort: Sort,
    wanted: int,
    after: Position | None,
) -> list[Answering]:
    """The first `wanted` links after `after`, newest or oldest first; at the same time, by id.

    rows    those of `memtable` that may answer
    raises  Damaged when a row isn't what was written
    """
    first = rows[memtable.frames[rows] == 0]
    parts = [(memtable.links[first], memtable.posted[first]), *(_dates(view) for view in views)]
    links = np.concatenate([links for links, _ in parts])
    # As if all were oldest first.
    direction = -1 if sort is Sort.NEWEST else 1
    times, ids = direction * np.concatenate([posted for _, posted in parts]), direction * links
    left = np.ones(len(links), np.bool_)
    if without:
        left &= ~np.isin(links, np.fromiter(without, np.int64, len(without)))
    if after is not None:
        last, id = direction * after.posted_at, direction * after.link
        left &= (times > last) | ((times == last) & (ids > id))
    kept = np.flatnonzero(left)
    if len(kept) > wanted > 0:  # only those that may be among the first are put in order
        latest = np.partition(times[kept], wanted - 1)[wanted - 1]
        kept = kept[times[kept] <= latest]
    order = links[kept[np.lexsort((ids[kept], times[kept]))][:wanted]]
    mine = rows[np.isin(memtable.links[rows], order)]
    candidates = [
        Candidates(
            memtable.links[mine], memtable.frames[mine], exact_scores(memtable.vectors[mine], query)
        ),
        *(_scored(view, order, query) for view in views),
    ]
    best = best_frames(candidates)
    # A link that was removed meanwhile has no frame any more.
    return [
        Answering(best[link][0], link, best[link][1]) for link in order.tolist() if link in best
    ]


def _dates(view: View) -> tuple[Ints, NDArray[np.float64]]:
    """(links, times) of the view's links."""
    places, segment = view.places(), view.part.segment
    first = places[segment.mapped["frames"][places] == 0]
    posted = segment.posted[first]
    # After the times, which are overwritten last when a row is removed.
    links = segment.links_at(first)
    there = (links != TOMBSTONE) & ~segment.overwritten(first)
    return links[there], posted[there]


def _scored(view: View, links: Ints, query: Floats) -> Candidates:
    """All frames of those of the links which are in the view."""
    places = view.part.places_of(links.tolist())
    view.part.segment.scores(places, query)  # is here for its check of every row
    return candidates_at(view, query, places)
