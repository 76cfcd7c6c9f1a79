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
    # Newest first is the same as oldest first of times and ids below zero.
    direction = -1 if sort is Sort.NEWEST else 1
    times, ids = direction * np.concatenate([posted for _, posted in parts]), direction * links
    left = np.ones(len(links), np.bool_)
    if without:
        left &= ~np.isin(links, np.fromiter(without, np.int64, len(without)))
    if after is not None:
        last, id = direction * after.posted_at, direction * after.link
        left &= (times > last) | ((times == last) & (ids > id))
    kept = np.flatnonzero(left)
    if len(kept) > wanted > 0:  # sort only the links that may be among the first
        latest = np.partition(times[kept], wanted - 1)[wanted - 1]
        kept = kept[times[kept] <= latest]
    order = links[kept[np.lexsort((ids[kept], times[kept]))][:wanted]]
    in_memory = rows[np.isin(memtable.links[rows], order)]
    candidates = [
        Candidates(
            memtable.links[in_memory],
            memtable.frames[in_memory],
            exact_scores(memtable.vectors[in_memory], query),
        ),
        *(_scored(view, order, query) for view in views),
    ]
    best = best_frames(candidates)
    # A link that was removed meanwhile has no frame any more.
    return [(best[link][0], link, best[link][1]) for link in order.tolist() if link in best]


def _dates(view: View) -> tuple[Ints, NDArray[np.float64]]:
    """(links, times) of the view's links."""
    places, segment = view.places(), view.part.segment
    first = places[segment.mapped["frames"][places] == 0]
    posted = segment.posted[first]
    # Read after the times: `overwrite` marks a row before it clears its time.
    links = segment.links_at(first)
    there = (links != TOMBSTONE) & ~segment.overwritten(first)
    return links[there], posted[there]


def _scored(view: View, links: Ints, query: Floats) -> Candidates:
    """All frames of those links that are in the segment. raises Damaged"""
    places = view.part.places_of(links.tolist())
    view.part.segment.scores(places, query)  # for its check that each row is what was written
    return candidates_at(view, query, places)
