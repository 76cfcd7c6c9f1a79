"""What a search hands over beside the order: the rows of the links that it found, and a sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.search.kernels.arguments import Ints
from index.search.kernels.constants import TOMBSTONE
from index.search.memtable import Memtable
from index.search.ranking import Hits, starts
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
    here = hits.rows[hits.rows < memtable.count] if views else hits.rows
    if memtable.animated:
        here = memtable.rows_of(memtable.links[here])
    in_memory = LinkRows(
        memtable.links[here],
        memtable.frames[here],
        memtable.posted[here],
        memtable.vectors.take(here, axis=0, mode="clip"),  # twice as quick as the default mode
    )
    if not views:
        return in_memory
    parts = [in_memory]
    for view, start in zip(views, starts(memtable, views), strict=True):
        segment, places = view.part.segment, hits.rows - start
        mine = (0 <= places) & (places < len(segment.keys))
        if not mine.any():
            continue
        places = view.part.places_of(hits.links[mine].tolist()) if segment.animated else places[mine]
        found, frames = segment.links_at(places), segment.mapped["frames"][places]
        posted = segment.posted[places]
        # Read last: `overwrite` marks a row before it clears its columns.
        rows_there, there = segment.read(places)
        there &= found != TOMBSTONE
        parts.append(LinkRows(found[there], frames[there], posted[there], rows_there[there]))
    return LinkRows(*map(joined, zip(*parts, strict=True)))


def joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """All of these in one."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def sample(memtable: Memtable, rows: Ints, views: Sequence[View]) -> Floats:
    """(s, d) rows from all that may answer, at most about SAMPLED_ROWS; the same ones each time.

    rows    those of `memtable` that may answer
    raises  Damaged when a row isn't what was written
    """
    total = len(rows) + sum(view.rows for view in views)
    if not total:
        return memtable.vectors[:0]
    count = math.ceil(SAMPLED_ROWS * len(rows) / total)
    parts = [memtable.vectors[rows[:: max(len(rows) // max(count, 1), 1)]]]
    for view in views:
        places = view.sample(math.ceil(SAMPLED_ROWS * view.rows / total))
        vectors, there = view.part.segment.read(places)
        parts.append(vectors[there])
    return np.concatenate(parts)
