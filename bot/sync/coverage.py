"""How far each group has been read: the cursor that may be written at any moment.

A cursor says that every message in (oldest, newest] has been dealt with. After a crash,
reading goes on at its ends, so it must never run ahead of what is on disk: not past a
message whose pictures are still on their way, nor over messages missed while disconnected.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from index import Cursor


class Coverage:
    """One group's cursor, moved by live messages at its new end and by history at both.

    `behind`: messages may be missing between `newest` and what is heard live, so live
    messages are noted but don't move `newest` until `catch_up` has closed the gap.
    """

    def __init__(self, space: int, group: int, cursor: Cursor | None = None) -> None:
        self.space = space
        self.group = group
        self.newest = cursor.newest if cursor else 0
        self.oldest = cursor.oldest if cursor else 0
        self.complete = cursor.complete if cursor else False
        self.behind = True
        self.gaps = 0  # how often it fell behind; tells whether that happened during a request
        self.dropped = False  # no longer watched: nothing of it is written any more
        self._observed = 0
        self._taking: Counter[int] = Counter()
        self._saved = cursor

    @property
    def started(self) -> bool:
        """Whether any message of it has been read, or it was found to be empty."""
        return self.newest > 0

    @property
    def idle(self) -> bool:
        """Whether no message's pictures are on their way."""
        return not self._taking

    def observe(self, message: int) -> None:
        """Note a live message. Called for every one, so it does nothing more."""
        if self.behind:
            self._observed = max(self._observed, message)
        else:
            self.newest = max(self.newest, message)

    def take(self, message: int) -> None:
        """A message's pictures are on their way: the cursor stays before it."""
        self._taking[message] += 1

    def done(self, message: int) -> None:
        """They are on disk, or were given up."""
        self._taking[message] -= 1
        if self._taking[message] <= 0:
            del self._taking[message]

    def fall_behind(self) -> None:
        """From here on messages may have been missed."""
        self.behind = True
        self.gaps += 1
        self._observed = 0

    def catch_up(self, gaps: int) -> bool:
        """The gap is closed, unless another opened since `gaps` was read."""
        if self.gaps != gaps:
            return False
        self.behind = False
        self.newest = max(self.newest, self._observed)
        return True

    def cursor(self, move: Move | None = None) -> Cursor | None:
        """What may be written, together with what `move` stands for. Changes nothing.

        None before anything was read, and after the group was dropped.
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
        """This cursor is on disk."""
        self.newest = max(self.newest, cursor.newest, move.newest if move else 0)
        self.oldest = cursor.oldest
        self.complete = cursor.complete
        self._saved = cursor

    def unsaved(self) -> Cursor | None:
        """The cursor, where it says more than what is on disk."""
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
