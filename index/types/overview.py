"""What the pictures of a gallery are about: clusters of them, and a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.types.records import Floats

# So many of all pictures may have a date that is wrong.
STRANGE_SHARE = 0.05
Month: TypeAlias = tuple[int, int]  # (year, 1 to 12), of universal time


@dataclass(frozen=True, slots=True)
class Cluster:
    """Pictures that are about the same.

    words    its name, the best word first; () where no words fit
    count    how many links it has
    months   of the links, by when they were posted
    shown    links that stand for it, the best first; none is a near-copy of another
    place    where its middle is on the map, each coordinate from 0 to 1
    """

    words: tuple[str, ...]
    count: int
    months: Mapping[Month, int]
    shown: tuple[int, ...]
    place: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Overview:
    """All links that a filter allows, as clusters and as a map.

    count     how many links
    months    of the links, by when they were posted
    clusters  those with the most links first
    links     (m,) those on the map: all, or a sample of many; of near-copies one
    places    (m, 2) where each is, each coordinate from 0 to 1
    of        (m,) the number of its cluster
    """

    count: int
    months: Mapping[Month, int]
    clusters: tuple[Cluster, ...]
    links: NDArray[np.int64]
    places: Floats
    of: NDArray[np.int64]

    @property
    def span(self) -> tuple[Month, Month]:
        """The first and the last month; of an overview of something."""
        return min(self.months), max(self.months)

    def last_months(self, most: int) -> list[Month]:
        """Months one after another, those without pictures too, at most `most`; the last ones.

        A few dates may be wrong, such as those of a camera whose clock was never set: of the year
        1970, or in the future. So a few pictures that are more than `most` months away from all
        others are left out.
        """
        months = {12 * year + month - 1: count for (year, month), count in self.months.items()}
        near = _without_strange(_without_strange(sorted(months), months, most)[::-1], months, most)
        if not near:
            return []
        begin, end = max(min(near), max(near) - most + 1), max(near)
        return [(month // 12, month % 12 + 1) for month in range(begin, end + 1)]


def _without_strange(months: Sequence[int], counts: Mapping[int, int], far: int) -> Sequence[int]:
    """The months without those at the end that have few pictures, and are far from the others."""
    few = STRANGE_SHARE * sum(counts.values())
    kept = months
    for place in range(len(months) - 1, 0, -1):
        few -= counts[months[place]]
        if few < 0:
            break
        if abs(months[place] - months[place - 1]) > far:
            kept = months[:place]
    return kept
