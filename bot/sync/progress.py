"""How far a guild's history is read, and how long it still takes by what was read so far."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable
from dataclasses import dataclass

from bot.sync.history_search import HistorySearch
from bot.sync.reading import Reading

MIN_MEASURED_S = 2.0  # a rate measured over a shorter time is too uncertain to be shown


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a guild's history is read."""

    done: int  # messages read since the start
    total_estimate: int | None  # messages in the whole history; None while it can't be estimated
    channels_left: int  # channels and threads
    channels: int
    fraction: float  # 0 to 1
    seconds_left: float | None
    searching: bool = False  # Discord's search is looking for the pictures of old messages
    found: int = 0  # pictures that it brought

    @property
    def percent(self) -> int:
        return min(int(self.fraction * 100), 99)


class ProgressMeter:
    """Measures how fast the history of each guild is read."""

    def __init__(self) -> None:
        # guild → when, and at which fraction each group was
        self._began: dict[int, tuple[float, dict[int, float]]] = {}

    def begin(self, guild_id: int, readings: Iterable[Reading]) -> None:
        """Measure the reading of a guild from now on.

        readings   all of the guild
        """
        fractions = {reading.coverage.group: reading.fraction for reading in readings}
        self._began[guild_id] = (time.monotonic(), fractions)

    def progress(
        self,
        guild_id: int,
        readings: Iterable[Reading],
        groups: Container[int],
        search: HistorySearch | None,
    ) -> Progress | None:
        """How far the history of these groups of a guild is read; None when all of it is.

        readings   all of the guild
        search     the latest one in the guild
        """
        some = [r for r in readings if not r.missing and r.coverage.group in groups]
        left = sum(reading.unfinished for reading in some)
        if not left:
            return None
        fraction = _mean(reading.fraction for reading in some)
        done = sum(reading.messages for reading in some)
        began, then = self._began.get(guild_id, (time.monotonic(), {}))
        at = _mean(then.get(reading.coverage.group, 0.0) for reading in some)
        elapsed, gained = time.monotonic() - began, fraction - at
        known = gained > 0 and elapsed > MIN_MEASURED_S
        return Progress(
            done=done,
            total_estimate=round(done * (1 - at) / gained) if known else None,
            channels_left=left,
            channels=len(some),
            fraction=fraction,
            seconds_left=elapsed * (1 - fraction) / gained if known else None,
            searching=search is not None and search.is_for_any_of(groups),
            found=search.found_in(groups) if search is not None else 0,
        )


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 1.0
