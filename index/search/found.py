"""What a search hands over beside the order: the rows of the links that it found, and a sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from index.search.kernels.arguments import Ints
from index.search.kernels.constants import TOMBSTONE
from index.search.memtable import Memtable
from index.search.view import View
from index.types.records import Floats

# Rows of a sample: the mean of their scores is off by a 22nd of their deviation.
SAMPLED_ROWS = 512


class LinkRows(TypedDict):
    """Fields of `Found`."""

    row_links: NDArray[np.int64]
    row_frames: NDArray[np.int64]
    posted: NDArray[np.float64]
    vectors: Floats


def rows_of(memtable: Memtable, rows: Ints, views: Sequence[View], links: Ints) -> LinkRows:
    """All rows of these links.

    rows    those of `memtable` that may answer
    raises  Damaged when a row isn't what was written
    """
    here = _in_memory(memtable, rows, links)
    parts = [(memtable.links[here], memtable.frames[here], memtable.posted[here])]
    vectors = [memtable.vectors[here]]
    if not views:
        ids, numbers, posted = parts[0]
        return LinkRows(
            row_links=ids,
            row_frames=numbers.astype(np.int64),
            posted=posted,
            vectors=vectors[0],
        )
    for view in views:
        segment = view.part.segment
        places = view.part.places_of(links.tolist())
        found, frames = segment.links_at(places), segment.mapped["frames"][places]
        posted = segment.posted[places]
        # Read last: `overwrite` marks a row before it clears its columns.
        rows_there, there = segment.read(places)
        there &= found != TOMBSTONE
        parts.append((found[there], frames[there], posted[there]))
        vectors.append(rows_there[there])
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return LinkRows(
        row_links=columns[0],
        row_frames=columns[1].astype(np.int64),
        posted=columns[2],
        vectors=np.concatenate(vectors),
    )


def _in_memory(memtable: Memtable, rows: Ints, links: Ints) -> Ints:
    """Those of these rows, which ascend, that are of one of these links.

    Links mostly come in the order of their ids. Then a few are found without a look at all rows.
    """
    ids = memtable.links[: memtable.count]
    if not len(rows) or not memtable.ascending:
        return rows[np.isin(ids[rows], links)]
    found = np.sort(np.searchsorted(ids, links))
    if memtable.animated:
        last = np.searchsorted(ids, np.sort(links), "right")
        counts = last - found
        before = np.cumsum(counts) - counts  # how many rows the links before have
        found = np.repeat(found - before, counts) + np.arange(counts.sum())
    at = np.searchsorted(rows, found)
    within = at < len(rows)
    allowed = np.zeros(len(found), np.bool_)
    allowed[within] = rows[at[within]] == found[within]
    return found[allowed]


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
