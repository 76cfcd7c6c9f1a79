"""Which rows the filters of the last questions allow, kept for the next question with one of them.

Members of a server ask with the same filter again and again: the channels that they can read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import NamedTuple

from index.search.kernels.arguments import Bools, Ints

# Of each part of the index. Together they take a megabyte at most.
KEPT_FILTERS = 32
# Finding out more rows than this takes much less time than comparing them.
KEPT_ROWS = 4096


class FewRows(NamedTuple):
    """The rows of a part that a filter allows."""

    at: Ints  # (rows,)
    links: int


class KeptRows:
    """What the last filters allow of a part, where that are few rows. Threads may share it.

    Whether a filter is kept is decided by the filters that were asked, and by rows that it allows.
    Other rows must not decide it: else the time of an answer would tell of pictures that the asker
    can't see.
    """

    __slots__ = ("_lock", "_rows")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows = dict[Hashable, FewRows]()  # the filter that was kept last comes last

    @property
    def resident_bytes(self) -> int:
        """What the rows take in memory."""
        with self._lock:
            return sum(rows.at.nbytes for rows in self._rows.values())

    def get(self, filter: Hashable) -> FewRows | None:
        """The rows that a filter allows, if they are kept."""
        return self._rows.get(filter)

    def keep(self, filter: Hashable, rows: FewRows) -> None:
        """Keep what a filter allows, unless it is much."""
        if len(rows.at) > KEPT_ROWS:
            return
        # A copy, since they may be the beginning of a much larger array.
        rows = FewRows(rows.at.copy(), rows.links)
        with self._lock:
            self._rows[filter] = rows
            if len(self._rows) > KEPT_FILTERS:
                del self._rows[next(iter(self._rows))]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._rows.clear()

    def left(self, there: Callable[[Ints], Bools]) -> KeptRows:
        """What is kept of filters of which no row was removed.

        there   which of some rows were not
        """
        with self._lock:
            kept = list(self._rows.items())
        left = KeptRows()
        left._rows.update((filter, rows) for filter, rows in kept if there(rows.at).all())
        return left
