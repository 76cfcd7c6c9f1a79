"""Recent rows: columns in memory, of which a search keeps the state that it began with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.types.records import Floats

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

# Rows that are gone stay in place, skipped, until they are this share of all.
DEAD_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Rows as they are at one moment; the first `count` of each array count.

    A later snapshot may share these arrays and have more rows behind `count`.
    """

    vectors: Floats  # (capacity, d) unit rows
    small: NDArray[np.uint8]  # (capacity, d) the same in 255 steps of `scales`, around 128
    scales: Floats  # (capacity,)
    error: float  # the greatest length of what `small` leaves out of a vector
    serials: Ints  # (capacity,) counts all rows that ever came
    links: Ints  # (capacity,) whose frame this is
    frames: NDArray[np.int32]  # (capacity,) which frame it is
    codes: NDArray[np.int32]  # (capacity,) the group's code; negative: not yet used
    texts: Bools  # (capacity,)
    owners: Ints  # (capacity,)
    posted: NDArray[np.float64]  # (capacity,) Unix seconds
    alive: Bools  # (capacity,) never changed in place for a row below `count`
    count: int
    dead: int

    @classmethod
    def empty(cls, dimension: int, capacity: int) -> Snapshot:
        """No rows yet, and room for `capacity`."""
        return cls(
            vectors=np.zeros((capacity, dimension), np.float32),
            small=np.zeros((capacity, dimension), np.uint8),
            scales=np.zeros(capacity, np.float32),
            error=0.0,
            serials=np.zeros(capacity, np.int64),
            links=np.zeros(capacity, np.int64),
            frames=np.zeros(capacity, np.int32),
            codes=np.zeros(capacity, np.int32),
            texts=np.zeros(capacity, np.bool_),
            owners=np.zeros(capacity, np.int64),
            posted=np.zeros(capacity, np.float64),
            alive=np.zeros(capacity, np.bool_),
            count=0,
            dead=0,
        )

    def grown(self, needed: int) -> Snapshot:
        """The same rows with room for `needed`: at least doubled, so that n rows cost O(n)."""
        if needed <= len(self.links):
            return self
        return self.copied(np.arange(self.count), max(needed, 2 * self.count, 64))

    def without(self, removed: Sequence[int]) -> Snapshot:
        """The rows without those links: skipped at first, taken out when they are many."""
        gone = np.isin(self.links[: self.count], np.asarray(removed, np.int64))
        alive = self.alive.copy()
        alive[: self.count][gone] = False
        dead = self.count - int(np.count_nonzero(alive[: self.count]))
        now = replace(self, alive=alive, dead=dead)
        if dead <= DEAD_SHARE * now.count:
            return now
        kept = np.flatnonzero(alive[: now.count])
        return now.copied(kept, max(len(kept), 64))

    def copied(self, rows: Ints, capacity: int) -> Snapshot:
        """Those rows, in arrays of their own with room for `capacity`."""
        fresh = Snapshot.empty(self.vectors.shape[1], capacity)
        count = len(rows)
        for old, new in (
            (self.vectors, fresh.vectors),
            (self.small, fresh.small),
            (self.scales, fresh.scales),
            (self.serials, fresh.serials),
            (self.links, fresh.links),
            (self.frames, fresh.frames),
            (self.codes, fresh.codes),
            (self.texts, fresh.texts),
            (self.owners, fresh.owners),
            (self.posted, fresh.posted),
            (self.alive, fresh.alive),
        ):
            np.take(old, rows, axis=0, out=new[:count])
        dead = count - int(np.count_nonzero(fresh.alive[:count]))
        return replace(fresh, count=count, dead=dead, error=self.error)


def in_bytes(vectors: Floats) -> tuple[NDArray[np.uint8], Floats, float]:
    """The vectors in 255 steps, the size of each one's step, and what is left out at most."""
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-12) / 127
    steps = np.rint(vectors / scales[:, None])
    left_out = np.linalg.norm(vectors - steps * scales[:, None], axis=1)
    return (steps + 128).astype(np.uint8), scales, float(left_out.max(initial=0))
