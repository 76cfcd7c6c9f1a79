"""What Discord sent and could not be read: a line in the log for each, and counts for `/status`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Container

from cachetools import LRUCache

from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.platform.unreadable import MESSAGE, Unread

log = logging.getLogger(__name__)

REMEMBERED = 10_000  # messages, threads and so on; one that is met again isn't counted again


class UnreadCounts:
    """Counts what could not be read since the start."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._met: LRUCache[tuple[str, int], Unread] = LRUCache(REMEMBERED)
        # By server, and channel where an event is about one.
        self._events: Counter[tuple[int | None, int | None]] = Counter()

    def note(self, unread: Unread) -> None:
        """Log it and count it; a message that was met before is neither logged nor counted."""
        if unread.is_event or unread.id is None:
            self._events[unread.guild, unread.channel] += 1
        elif (unread.what, unread.id) in self._met:
            return
        else:
            self._met[unread.what, unread.id] = unread
        self._metrics.unread.labels(unread.what).inc()
        ids = {"guild": unread.guild, "channel": unread.channel, "id": unread.id}
        where = {name: id for name, id in ids.items() if id is not None}
        log.warning(fields("unread", what=unread.what, **where, why=unread.why))

    def messages(self, guild: int) -> Counter[int]:
        """How many messages of a server, by channel or thread."""
        return Counter(one.channel or 0 for one in self._of(guild) if one.what == MESSAGE)

    def others(self, guild: int, seen: Container[int]) -> int:
        """How many events of a server, and parts of it such as threads; of those about a channel,
        only where that is `seen`."""
        channels = [one.channel for one in self._of(guild) if one.what != MESSAGE]
        parts = sum(channel is None or channel in seen for channel in channels)
        return parts + sum(
            count
            for (server, channel), count in self._events.items()
            if server == guild and (channel is None or channel in seen)
        )

    def _of(self, guild: int) -> list[Unread]:
        return [one for one in self._met.values() if one.guild == guild]
