"""What is asked: ten hits among vectors of 512 numbers, with and without filters; and the columns
that the filters look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.types.filter import Filter

DIMENSION = 512
QUESTIONS = 32  # of each kind
K = 10
GROUPS, OWNERS = 1000, 100
CHUNK_ROWS = 20_000  # rows that are made, added or written at once


@dataclass(frozen=True)
class Limit:
    """A filter, by shares of the rows that it allows."""

    groups: float = 1.0  # the share of groups that is allowed; their rows are scattered
    owner: int | None = None
    since: float = 0.0
    until: float = 2.0

    def of(self, columns: Columns) -> tuple[Filter, NDArray[np.bool_]]:
        """The engine's filter, and a mask of the rows that it allows."""
        chosen = self._chosen()
        groups = None if len(chosen) == GROUPS else frozenset(chosen.tolist())
        since = self.since or None
        until = None if self.until > 1 else self.until
        owners = None if self.owner is None else frozenset({self.owner})
        return Filter(1, groups, owners=owners, since=since, until=until), self.mask(columns)

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """(rows,) which rows it allows."""
        mine = np.isin(columns.groups, self._chosen())
        if self.owner is not None:
            mine &= columns.owners == self.owner
        if (self.since, self.until) != (0.0, 2.0):
            mine &= (columns.posted >= self.since) & (columns.posted < self.until)
        return mine

    def _chosen(self) -> NDArray[np.int64]:
        count = round(self.groups * GROUPS)
        return np.random.default_rng(5).choice(GROUPS, count, replace=False)


@dataclass(frozen=True)
class Columns:
    """What is known of each row besides its vector."""

    spaces: NDArray[np.int64]
    groups: NDArray[np.int64]
    owners: NDArray[np.int64]
    posted: NDArray[np.float64]  # growing with the row number, from 0 to 1

    @classmethod
    def of(cls, rows: int) -> Columns:
        """The columns of `rows` rows, always the same."""
        random = np.random.default_rng(1)
        groups, owners = random.integers(0, GROUPS, rows), random.integers(0, OWNERS, rows)
        return cls(np.ones(rows, np.int64), groups, owners, np.arange(rows) / rows)


FILTERS = {
    "all": Limit(),
    "30%": Limit(0.3),
    "1%": Limit(0.01),
    "one owner, 1%": Limit(owner=7),
    "some days, 10%": Limit(since=0.5, until=0.6),
    "30%, owner, days": Limit(0.3, owner=7, since=0.25),
}
