"""The progress of work: a bar in a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
)
from rich.text import Text

from console.output import OutputLost, flush, say

# Time between two lines where no bar can be drawn, such as in a log.
LINE_EVERY_S = 5.0


class Tally(Protocol):
    """How far some work has come."""

    @property
    def total(self) -> int: ...
    @property
    def done(self) -> int:
        """What is finished."""

    @property
    def worked(self) -> int:
        """What of that took work; speed is measured by it."""


class Report(Protocol):
    """Shows how far some work has come."""

    def __call__(self, tally: Tally) -> None: ...


@contextmanager
def reporting(console: Console, what: str = "") -> Iterator[Report]:
    """A function to call after each picture; it draws as often as a person can read.

    what   a word that tells this work from the rest
    """
    if console.is_terminal:
        with _bar(console, what) as progress:
            task = progress.add_task("reading", total=None)
            yield lambda tally: progress.update(
                task, total=tally.total or None, completed=tally.done, tally=tally
            )
    else:
        yield _Lines(what)


def _bar(console: Console, what: str) -> Progress:
    return Progress(
        SpinnerColumn(),
        *([TextColumn(what, markup=False)] if what else []),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        _Speed(),
        TextColumn("·"),
        _TimeLeft(),
        console=console,
        transient=True,
        expand=True,
    )


class _Speed(ProgressColumn):
    """Pictures a second. Those that were skipped don't count."""

    def __init__(self) -> None:
        super().__init__()
        self._speed = Speed()

    def render(self, task: Task) -> Text:
        tally = task.fields.get("tally")
        per_s = self._speed.per_s(tally) if tally else None
        return Text("" if per_s is None else f"{per_s:,.3g}/s", style="cyan")


class _TimeLeft(_Speed):
    """The time left at the present speed."""

    def render(self, task: Task) -> Text:
        tally = task.fields.get("tally")
        per_s = self._speed.per_s(tally) if tally else None
        if not per_s or tally is None:
            return Text("…")
        return Text(f"{duration((tally.total - tally.done) / per_s)} left", style="cyan")


class _Lines:
    """Prints a line every LINE_EVERY_S. When nobody reads them any more, the work goes on."""

    def __init__(self, what: str) -> None:
        self._what = f"{what}: " if what else ""
        self._next_line = time.monotonic() + LINE_EVERY_S
        self._speed = Speed()

    def __call__(self, tally: Tally) -> None:
        per_s = self._speed.per_s(tally)
        if time.monotonic() < self._next_line:
            return
        self._next_line = time.monotonic() + LINE_EVERY_S
        line = f"{self._what}{tally.done:,} of {tally.total:,}"
        if per_s:
            left = duration((tally.total - tally.done) / per_s)
            line += f" · {per_s:,.3g}/s · {left} left"
        try:
            say(line)
            flush()
        except OutputLost:
            self._next_line = math.inf


class Speed:
    """Pictures a second since the first one that took work. Skipped pictures cost no time."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._before = 0

    def per_s(self, tally: Tally) -> float | None:
        """The speed; None until there is something to measure."""
        now = time.monotonic()
        if self._since is None:
            if tally.worked:
                self._since, self._before = now, tally.worked
            return None
        worked = tally.worked - self._before
        return worked / (now - self._since) if worked and now > self._since else None


def duration(seconds: float) -> str:
    """A time in words, such as "2 min 05 s"."""
    total_s = round(seconds)
    if total_s < 60:
        return f"{total_s} s"
    if total_s < 3600:
        return f"{total_s // 60} min {total_s % 60:02} s"
    return f"{total_s // 3600} h {total_s % 3600 // 60:02} min"
