"""How far each group has been read: the cursor that may be written at any moment.

A cursor says that every message in (oldest, newest] has been handled. After a crash, reading
continues at its two ends. So a cursor must never be ahead of what is on disk: it stops before a
message whose pictures are on their way, and before messages that were missed while the bot was
disconnected.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from index import Cursor


class Coverage:
    """The cursor of one group. Live messages move its newest end, history moves both ends.

    behind   messages may be missing between `newest` and the first live message. Then live messages
             are noted, and move `newest` only after `catch_up` has closed the gap
    """

    def __init__(self, space: int, group: int, cursor: Cursor | None = None) -> None:
        self.space = space
        self.group = group
        self.newest = cursor.newest if cursor else 0
        self.oldest = cursor.oldest if cursor else 0
        self.complete = cursor.complete if cursor else False
        self.behind = True
        self.gaps = 0  # how often it fell behind; shows whether that happened during a request
        self.dropped = False  # no longer watched: no cursor of it is written any more
        self._observed = 0
        self._taking: Counter[int] = Counter()
        self._saved = cursor

    @property
    def started(self) -> bool:
        """Whether any message of the group has been read, or it was found to be empty."""
        return self.newest > 0

    @property
    def idle(self) -> bool:
        """Whether no message's pictures are on their way."""
        return not self._taking

    def observe(self, message: int) -> None:
        """Note a live message. It is called for every message, so it must be cheap."""
        if self.behind:
            self._observed = max(self._observed, message)
        else:
            self.newest = max(self.newest, message)

    def take(self, message: int) -> None:
        """Keep the cursor before this message, since its pictures are on their way."""
        self._taking[message] += 1

    def done(self, message: int) -> None:
        """Let the cursor pass this message: its pictures are on disk, or were given up."""
        self._taking[message] -= 1
        if self._taking[message] <= 0:
            del self._taking[message]

    def fall_behind(self) -> None:
        """Note that messages may be missed from now on."""
        self.behind = True
        self.gaps += 1
        self._observed = 0

    def catch_up(self, gaps: int) -> bool:
        """Close the gap; False if another one opened since `gaps` was read."""
        if self.gaps != gaps:
            return False
        self.behind = False
        self.newest = max(self.newest, self._observed)
        return True

    def cursor(self, move: Move | None = None) -> Cursor | None:
        """The cursor that may be written together with the changes of `move`. Changes nothing.

        None before any message was read, and after the group was dropped.
        """
        move = move or Move(self)
        newest = max(self.newest, move.newest)
        if newest == 0 or self.dropped:
            return None
        oldest = self.oldest if move.oldest is None else move.oldest
        for message, count in self._taking.items():
            if count > (message == move.finishing):
                newest = min(newest, message - 1)
        complete = self.complete or move.complete
        return Cursor(self.space, self.group, max(newest, oldest), oldest, complete)

    def saved(self, cursor: Cursor, move: Move | None = None) -> None:
        """Note that this cursor is on disk."""
        self.newest = max(self.newest, cursor.newest, move.newest if move else 0)
        self.oldest = cursor.oldest
        self.complete = cursor.complete
        self._saved = cursor

    def unsaved(self) -> Cursor | None:
        """The cursor, if it differs from the one on disk."""
        cursor = self.cursor()
        return cursor if cursor != self._saved else None


@dataclass(frozen=True, slots=True)
class Move:
    """What a commit does to a cursor: finish a live message, or add a page of history."""

    coverage: Coverage
    finishing: int = 0  # the message whose pictures are in the commit
    newest: int = 0  # the page reaches forward to here
    oldest: int | None = None  # the page reaches back to here
    complete: bool = False  # the beginning was reached
