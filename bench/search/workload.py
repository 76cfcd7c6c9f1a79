"""What is asked: ten hits among vectors of 512 numbers, with and without filters; and the columns
that the filters look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMENSION = 512
QUESTIONS = 32  # of each kind
K = 10
GROUPS, OWNERS = 1000, 100
CHUNK_ROWS = 20_000  # rows that are made, added or written at once


@dataclass(frozen=True)
class Limit:
    """A filter, with the engine's own arguments for it."""

    groups: float = 1.0  # the share of groups that is allowed; their rows are scattered
    asked: dict[str, Any] = field(default_factory=dict)

    def of(self, columns: Columns) -> tuple[dict[str, Any], NDArray[np.bool_]]:
        """Arguments of a search, and a mask of the rows that they allow."""
        count = round(self.groups * GROUPS)
        chosen = np.random.default_rng(5).choice(GROUPS, count, replace=False)
        mine = np.isin(columns.groups, chosen)
        if "owner" in self.asked:
            mine &= columns.owners == self.asked["owner"]
        posted = columns.posted
        mine &= (posted >= self.asked.get("since", 0)) & (posted < self.asked.get("until", 2))
        groups = None if count == GROUPS else set(chosen.tolist())
        return {"groups": groups, **self.asked}, mine


@dataclass(frozen=True)
class Columns:
    """What is known of each row besides its vector."""

    groups: NDArray[np.int64]
    owners: NDArray[np.int64]
    posted: NDArray[np.float64]  # growing with the row number, from 0 to 1

    @classmethod
    def of(cls, rows: int) -> Columns:
        """The columns of `rows` rows, always the same."""
        random = np.random.default_rng(1)
        groups, owners = random.integers(0, GROUPS, rows), random.integers(0, OWNERS, rows)
        return cls(groups, owners, np.arange(rows) / rows)


FILTERS = {
    "all": Limit(),
    "30%": Limit(0.3),
    "1%": Limit(0.01),
    "one owner, 1%": Limit(asked={"owner": 7}),
    "some days, 10%": Limit(asked={"since": 0.5, "until": 0.6}),
    "30%, owner, days": Limit(0.3, {"owner": 7, "since": 0.25}),
}
