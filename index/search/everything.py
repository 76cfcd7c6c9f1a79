"""All links that a filter allows, and the vectors of their first frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.search.kernels.arguments import Bools, Ints
from index.search.kernels.constants import TOMBSTONE
from index.search.memtable import Memtable
from index.search.view import View
from index.types.records import Floats


class Rows:
    """The links of one version of the rows, as `interface.Everything`.

    rows     those of `memtable` that may answer
    without  links to leave out
    """

    def __init__(
        self, memtable: Memtable, rows: Ints, views: Sequence[View], without: frozenset[int]
    ) -> None:
        self._memtable = memtable
        self._views = views
        first = rows[memtable.frames[rows] == 0]
        parts = [(memtable.links[first], memtable.posted[first], first)]
        parts += [first_frames(view) for view in views]
        self._bounds = np.cumsum([len(links) for links, _, _ in parts])
        links, posted, places = (np.concatenate(column) for column in zip(*parts, strict=True))
        kept = np.arange(len(links))
        if without:
            kept = np.flatnonzero(~np.isin(links, np.fromiter(without, np.int64)))
        self._kept: Ints = kept
        self._places: Ints = places
        self.links: NDArray[np.int64] = links[kept]
        self.posted: NDArray[np.float64] = posted[kept]

    def vectors(self, places: Ints) -> tuple[Floats, Bools]:
        """The vectors of the first frames of the links at these places, (p, d), and whether each is
        still there. raises Damaged"""
        kept = self._kept[places]
        part, rows = np.searchsorted(self._bounds, kept, "right"), self._places[kept]
        found = np.zeros((len(places), self._memtable.vectors.shape[1]), np.float32)
        there = np.zeros(len(places), np.bool_)
        found[part == 0], there[part == 0] = self._memtable.vectors[rows[part == 0]], True
        for number, view in enumerate(self._views, start=1):
            here = part == number
            found[here], there[here] = view.part.segment.read(rows[here])
        return found, there


def first_frames(view: View) -> tuple[Ints, NDArray[np.float64], Ints]:
    """(links, times, rows) of the view's links."""
    places, segment = view.places(), view.part.segment
    first = places[segment.mapped["frames"][places] == 0]
    posted = segment.posted[first]
    # Read after the times: `overwrite` marks a row before it clears its time.
    links = segment.links_at(first)
    there = (links != TOMBSTONE) & ~segment.overwritten(first)
    return links[there], posted[there], first[there]
