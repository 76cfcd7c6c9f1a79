"""What the pictures of a gallery are about: clusters of them, and a map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.types.records import Floats

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
