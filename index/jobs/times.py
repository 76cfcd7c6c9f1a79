"""How long things take that have to do with jobs; tests make them shorter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds. All processes of one database should have the same.

    lease    of a worker, which renews it all the while; after it, another one takes the job
    asker    how long an asker may be silent before its jobs are deleted
    look     how often the table is compared with what is in hand, though nothing was heard
    again    the wait before the next try to reach the database
    retry    the waits before a picture is tried again, after each try
    rest     the wait of a worker after something failed that says nothing of the picture
    """

    lease: float = 30.0
    asker: float = 60.0
    look: float = 5.0
    again: float = 1.0
    retry: Sequence[float] = (2.0, 10.0)
    rest: float = 10.0


TIMES = Times()
