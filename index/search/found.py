"""What a search hands over beside the order: the rows of the links that it found, and a sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.search.hits import Hits
from index.search.kernels.arguments import Ints
from index.search.kernels.constants import TOMBSTONE
from index.search.memtable import Memtable
from index.search.view import View
from index.types.records import Floats

# Rows of a sample: the mean of their scores is off by a 22nd of their deviation.
SAMPLED_ROWS = 512


class LinkRows(NamedTuple):
    """Fields of `Found`."""

    row_links: NDArray[np.int64]
    row_frames: NDArray[np.int32]
    posted: NDArray[np.float64]
    vectors: Floats


def rows_of(memtable: Memtable, views: Sequence[View], hits: Hits) -> LinkRows:
    """All rows of the links of these hits.

    raises  Damaged when a row isn't what was written
    """
    if not memtable.animated and True not in [view.part.segment.animated for view in views]:
        return LinkRows(hits.links, hits.frames, hits.posted, hits.vectors)
    here = memtable.rows_of(hits.links)
    parts = [
        LinkRows(
            memtable.links[here],
            memtable.frames[here],
            memtable.posted[here],
            memtable.vectors[here],
        )
    ]
    for view in views:
        segment, places = view.part.segment, view.part.places_of(hits.links.tolist())
        found, frames = segment.links_at(places), segment.mapped["frames"][places]
        posted = segment.posted[places]
        # Read last: `overwrite` marks a row before it clears its columns.
        vectors, there = segment.read(places)
        there &= found != TOMBSTONE
        parts.append(LinkRows(found[there], frames[there], posted[there], vectors[there]))
    return LinkRows(*map(np.concatenate, zip(*parts, strict=True)))


def sample(memtable: Memtable, rows: Ints, views: Sequence[View]) -> Floats:
    """(s, d) rows from all that may answer, about SAMPLED_ROWS at most; the same ones each time.

    rows    those of `memtable` that may answer
    raises  Damaged when a row isn't what was written
    """
    total = len(rows) + sum(view.rows for view in views)
    if not total:
        return memtable.vectors[:0]
    count = math.ceil(SAMPLED_ROWS * len(rows) / total)
    parts = [memtable.vectors[rows[:: max(math.ceil(len(rows) / max(count, 1)), 1)]]]
    for view in views:
        places = view.sample(math.ceil(SAMPLED_ROWS * view.rows / total))
        vectors, there = view.part.segment.read(places)
        parts.append(vectors[there])
    return np.concatenate(parts)
