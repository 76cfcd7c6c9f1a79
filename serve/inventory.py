"""The pictures of the folder in short, column by column: what is told of all of them at once."""

from __future__ import annotations

import base64
import bisect
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.cli.paths import is_under
from index.types.records import Outlines

Ints = NDArray[np.int64]
MOST_RATIO = 9999  # of width to height, in percent
NAMES_SHOWN = 5
NO_VERSION = "----"
EARLIEST, LATEST = -30_610_224_000, 253_370_764_800  # the years 1000 and 9999, in Unix seconds


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a listing: "2024-05", where it begins there, and how many pictures it has."""

    month: str
    start: int
    count: int


_NONE = np.zeros(0, np.int64)
NOTHING = Outlines(_NONE, _NONE, _NONE, _NONE, np.zeros(0), (), ())


class Inventory:
    """What the folder `root` has of a gallery.

    whole   whether that is all that the gallery has
    """

    def __init__(self, outlines: Outlines, root: str) -> None:
        mine = [place for place, source in enumerate(outlines.sources) if is_under(source, root)]
        self.root = root
        self.whole = len(mine) == len(outlines)
        self.links: Ints = outlines.links[mine]
        self.items: Ints = outlines.items[mine]
        self.widths: Ints = outlines.widths[mine]
        self.heights: Ints = outlines.heights[mine]
        # A file may have been changed in a year that no calendar has.
        self.posted: NDArray[np.float64] = outlines.posted[mine].clip(EARLIEST, LATEST)
        self.keys: Sequence[bytes] = [outlines.keys[place] for place in mine]
        self.sources: Sequence[str] = [outlines.sources[place] for place in mine]

    def __len__(self) -> int:
        return len(self.links)

    def is_as(self, other: Inventory) -> bool:
        """Whether both have the same pictures, at the same places and times."""
        return (
            np.array_equal(self.links, other.links)
            and np.array_equal(self.posted, other.posted)
            and self.keys == other.keys
            and self.whole == other.whole
        )

    def place(self, link: int) -> int | None:
        """Which of the pictures this link is; None: it is not in the folder."""
        place = int(np.searchsorted(self.links, link))
        return place if place < len(self.links) and self.links[place] == link else None

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {source: place for place, source in enumerate(self.sources)}

    def of_source(self, source: str) -> int | None:
        """Which of the pictures this file is; None: it is not in the folder."""
        return self._places.get(source)

    def version(self, place: int) -> str:
        """A few letters that change when the picture of a link does."""
        return base64.urlsafe_b64encode(self.keys[place][:3]).decode()

    def relative(self, source: str) -> str:
        """The path from the folder."""
        return os.path.relpath(source, self.root)

    @cached_property
    def folders(self) -> Mapping[str, int]:
        """The folders with pictures, by their path from the root ("" is the root itself), each with
        how many it has."""
        counts: dict[str, int] = {}
        for source in self.sources:
            folder = os.path.dirname(source)
            counts[folder] = counts.get(folder, 0) + 1
        named = {self.relative(folder): count for folder, count in counts.items()}
        return {"" if path == "." else path: named[path] for path in sorted(named)}

    @cached_property
    def months(self) -> list[Month]:
        """All months, the newest first."""
        return months(np.sort(self.posted)[::-1])

    @cached_property
    def _names(self) -> list[str]:
        return [os.path.basename(source).casefold() for source in self.sources]

    def named(self, part: str) -> list[int]:
        """Places of a few pictures whose file names have this part, those that begin with it
        first."""
        part = part.casefold()
        found = [place for place, name in enumerate(self._names) if part in name]
        found.sort(key=lambda place: (not self._names[place].startswith(part), self._names[place]))
        return found[:NAMES_SHOWN]

    def folded(self, order: Sequence[int]) -> Ints:
        """Those of these links that are in the folder, of the same bytes only the first."""
        places = self._known(np.array(order, np.int64))
        places = places[places >= 0]
        _, first = np.unique(self.items[places], return_index=True)
        return self.links[places[np.sort(first)]]

    def listing(self, links: Ints) -> dict[str, Any]:
        """A listing as the page reads it; nothing is told of a link that left the folder."""
        places = self._known(links)
        there = places >= 0
        widths, heights = (
            np.where(there, column[places], 0) if len(self) else np.zeros(len(links), np.int64)
            for column in (self.widths, self.heights)
        )
        ratios = np.clip(100 * widths // np.maximum(heights, 1), 1, MOST_RATIO)
        ratios[(widths == 0) | (heights == 0)] = 0
        versions = [self.version(place) if place >= 0 else NO_VERSION for place in places.tolist()]
        posted = self.posted[places[there]]
        starts = np.flatnonzero(there)
        return {
            "ids": links.tolist(),
            "ratios": ratios.tolist(),
            "versions": "".join(versions),
            "months": [
                {"month": one.month, "start": int(starts[one.start])} for one in months(posted)
            ],
        }

    def _known(self, links: Ints) -> Ints:
        """Which of the pictures these links are; -1: none."""
        if not len(self):
            return np.full(len(links), -1, np.int64)
        places = np.minimum(np.searchsorted(self.links, links), len(self) - 1)
        return np.where(self.links[places] == links, places, -1)


def months(posted: NDArray[np.float64]) -> list[Month]:
    """The months of times that are in order, either way, as this machine's clock has them."""
    found: list[Month] = []
    newest_first = len(posted) > 1 and posted[0] > posted[-1]
    start = 0
    while start < len(posted):
        first, after = span(month_of(float(posted[start])))
        if newest_first:
            end = bisect.bisect_right(posted, -first, start, key=lambda time: -time)
        else:
            end = bisect.bisect_left(posted, after, start)
        end = max(end, start + 1)
        found.append(Month(month_of(float(posted[start])), start, end - start))
        start = end
    return found


def month_of(seconds: float) -> str:
    """ "2024-05" """
    return f"{datetime.fromtimestamp(seconds):%Y-%m}"


def span(month: str) -> tuple[float, float]:
    """When a month begins and when the next one does, in Unix seconds. raises ValueError"""
    begin = datetime.strptime(month, "%Y-%m")
    end = begin.replace(year=begin.year + (begin.month == 12), month=begin.month % 12 + 1)
    return begin.timestamp(), end.timestamp()
