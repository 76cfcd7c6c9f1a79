"""A channel or thread that is to be read: how far it is, and what keeps it from being read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import discord
from discord.utils import snowflake_time

from bot.platform.places import Place, WithMessages
from bot.sync.coverage import Coverage

# A thread with as many messages at most is one page of history; a search would take longer.
SHORT_THREAD = 100


class ReadingState(Enum):
    WAITING = "waiting"
    READING = "reading"
    DONE = "done"
    UNREADABLE = "unreadable"


@dataclass(eq=False)
class Reading:
    """A channel or thread whose history is being read, or has been."""

    coverage: Coverage
    place: Place | None  # None: only its id is known, from a cursor
    missing: tuple[str, ...] = ()  # permissions the bot lacks there
    position: int | None = None  # where catching up continues, if not at the cursor
    threads_due: bool = False  # its archived threads must be looked through
    at_beginning: bool = False  # its own messages are read; archived threads may not be
    busy: bool = False
    failures: int = 0  # consecutive ones, of the next page
    messages: int = 0  # read since the start
    searched: bool = False  # a search for its old pictures was begun

    @property
    def top(self) -> int:
        """Its channel: of a thread, the one that it is in."""
        place = self.place
        parent = place.parent_id if isinstance(place, discord.Thread) else None
        return parent or self.coverage.group

    @property
    def to_search(self) -> bool:
        """Whether its old messages are worth a search for pictures."""
        coverage, place = self.coverage, self.place
        if self.searched or self.missing or coverage.complete or self.at_beginning:
            return False
        if not coverage.started or coverage.behind or coverage.oldest == 0:
            return False
        short = isinstance(place, discord.Thread) and place.message_count <= SHORT_THREAD
        return isinstance(place, WithMessages) and not short

    @property
    def unfinished(self) -> bool:
        coverage = self.coverage
        return coverage.behind or not coverage.complete or self.threads_due

    @property
    def state(self) -> ReadingState:
        if self.missing:
            return ReadingState.UNREADABLE
        if self.busy:
            return ReadingState.READING
        return ReadingState.WAITING if self.unfinished else ReadingState.DONE

    @property
    def fraction(self) -> float:
        """How much of its history is read, by time; 0 to 1."""
        coverage = self.coverage
        if coverage.complete:
            return 1.0
        span = seconds(coverage.newest) - seconds(coverage.group)
        read = seconds(coverage.newest) - seconds(coverage.oldest)
        return min(max(read / span, 0.0), 0.99) if coverage.started and span > 0 else 0.0


def seconds(snowflake: int) -> float:
    """When something was made, by its id, in Unix seconds."""
    return snowflake_time(snowflake).timestamp()
