"""Links that are most like a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.search.kernels.arguments import Bools, Ints
from index.types.records import Floats

# An array is made sooner of these than of numpy's types of scalars.
INT64, INT32, FLOAT32 = np.dtype(np.int64), np.dtype(np.int32), np.dtype(np.float32)


class Hits(NamedTuple):
    """Links that are most like a query, each once, with its best frame: the greatest score first,
    then the least link."""

    links: Ints  # (m,)
    frames: NDArray[np.int32]  # (m,)
    scores: NDArray[np.float64]  # (m,)
    posted: NDArray[np.float64]  # (m,) Unix seconds
    vectors: Floats  # (m, d) of these frames

    @classmethod
    def room(cls, count: int, dimension: int) -> Hits:
        """Arrays for so many links, to be filled."""
        empty = np.empty
        return cls(
            empty(count, INT64),
            empty(count, INT32),
            empty(count),
            empty(count),
            empty((count, dimension), FLOAT32),
        )

    @classmethod
    def ordered(cls, *columns: NDArray[Any]) -> Hits:
        """The hits of these columns, of which a link may have several; the first one counts, if
        two are alike."""
        links, frames, scores, *_ = columns
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
        return self if len(self.links) <= count else self.at(slice(count))

    def at(self, places: slice | Bools) -> Hits:
        """Those at these places."""
        columns: Sequence[NDArray[Any]] = self
        return Hits(*(column[places] for column in columns))
