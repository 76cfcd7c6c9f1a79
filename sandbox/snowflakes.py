"""Ids in Discord's format: milliseconds since 2015 in the upper 42 bits."""

from __future__ import annotations

import time
from datetime import UTC, datetime

DISCORD_EPOCH_MS = 1_420_070_400_000


def unix_time(snowflake: int) -> float:
    """The time at which this id was made, in seconds since 1970."""
    return ((snowflake >> 22) + DISCORD_EPOCH_MS) / 1000


def at_time(unix_s: float, counter: int = 0) -> int:
    """An id of this time; `counter` (0 to 4,194,303) distinguishes ids of one millisecond."""
    return (int(unix_s * 1000) - DISCORD_EPOCH_MS) << 22 | counter


def iso(unix_s: float) -> str:
    """The timestamp format of Discord's payloads: 2026-01-05T12:00:00.123000+00:00."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="microseconds")


class Snowflakes:
    """Makes ids, each greater than the last one, also within one millisecond."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """An id of the present time, greater than all earlier ids."""
        self._last = max(at_time(time.time()), self._last + 1)
        return self._last

    def passed(self, snowflake: int) -> None:
        """Make only greater ids from now on. It is called with the ids of a journal."""
        self._last = max(self._last, snowflake)
