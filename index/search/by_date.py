"""The links that may answer, in the order of the time at which they were posted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.search.everything import first_frames
from index.search.kernels.arguments import Ints
from index.search.memtable import Memtable
from index.search.view import View
from index.types.filter import Sort
from index.types.records import Position


def in_order_of_date(
    memtable: Memtable,
    rows: Ints,
    views: Sequence[View],
    without: frozenset[int],
    *,
    sort: Sort,
    wanted: int,
    after: Position | None,
) -> Ints:
    """The first `wanted` links after `after`, newest or oldest first; at the same time, by id.

    rows    those of `memtable` that may answer
    """
    first = rows[memtable.frames[rows] == 0]
    parts = [
        (memtable.links[first], memtable.posted[first]),
        *(first_frames(view)[:2] for view in views),
    ]
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
    return links[kept[np.lexsort((ids[kept], times[kept]))][:wanted]]
