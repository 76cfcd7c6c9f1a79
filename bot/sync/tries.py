"""What failed, and when it is tried again: after a wait that doubles, and at last no more."""

from __future__ import annotations

import math
import time
from collections.abc import Collection

# With a first wait of an hour, the last try is two and a half days after the first: longer than an
# outage.
MOST = 7


class Tries:
    """The tries of things with an id. Nothing is kept of them beyond a restart."""

    def __init__(self) -> None:
        self._failed: dict[int, tuple[int, float]] = {}  # how often, and when to try again

    def failed(self, id: int, first_wait_s: float) -> None:
        """Note that a try failed."""
        times = self._failed.get(id, (0, 0.0))[0] + 1
        wait_s = first_wait_s * 2 ** (times - 1) if times < MOST else math.inf
        self._failed[id] = (times, time.monotonic() + wait_s)

    def wait_s(self, id: int) -> float:
        """How long it is until the next try; 0 or less: it may be tried now."""
        _, again = self._failed.get(id, (0, -math.inf))
        return again - time.monotonic()

    def ids(self) -> frozenset[int]:
        """What has failed, and wasn't forgotten."""
        return frozenset(self._failed)

    def forget(self) -> None:
        """Try everything anew."""
        self._failed.clear()

    def forget_others(self, than: Collection[int]) -> None:
        """Forget what is none of these."""
        self._failed = {id: self._failed[id] for id in self._failed.keys() & set(than)}
