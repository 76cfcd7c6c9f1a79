"""How far an `add` has come: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

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

from index.cli.folder import Tally

# Between two lines where no bar can be drawn, such as a log.
LINE_EVERY_S = 5.0


class Shown(Protocol):
    """Where an `add` says how far it is."""

    def __call__(self, tally: Tally) -> None: ...


@contextmanager
def shown(console: Console) -> Iterator[Shown]:
    """What to call after each picture; it draws as often as a person can read."""
    if console.is_terminal:
        with _bar(console) as progress:
            task = progress.add_task("reading", total=None)
            yield lambda tally: progress.update(
                task, total=tally.total or None, completed=tally.done, tally=tally
            )
    else:
        yield _Lines(console)


def _bar(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        _Speed(),
        TextColumn("·"),
        _Left(),
        console=console,
        transient=True,
        expand=True,
    )


class _Speed(ProgressColumn):
    """Pictures a second, of those that took work."""

    def __init__(self) -> None:
        super().__init__()
        self._pace = Pace()

    def render(self, task: Task) -> Text:
        tally = task.fields.get("tally")
        per_s = self._pace.per_s(tally) if tally else None
        return Text("" if per_s is None else f"{per_s:,.3g}/s", style="cyan")


class _Left(_Speed):
    """Time left at that speed."""

    def render(self, task: Task) -> Text:
        tally = task.fields.get("tally")
        per_s = self._pace.per_s(tally) if tally else None
        if not per_s or tally is None:
            return Text("…")
        return Text(f"{duration((tally.total - tally.done) / per_s)} left", style="cyan")


class _Lines:
    """A line every LINE_EVERY_S."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._due = time.monotonic() + LINE_EVERY_S
        self._pace = Pace()

    def __call__(self, tally: Tally) -> None:
        per_s = self._pace.per_s(tally)
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + LINE_EVERY_S
        line = f"{tally.done:,} of {tally.total:,}"
        if per_s:
            left = duration((tally.total - tally.done) / per_s)
            line += f" · {per_s:,.3g}/s · {left} left"
        self._console.print(line, markup=False, highlight=False)


class Pace:
    """Pictures a second since the first one that took work: what was skipped costs nothing."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._before = 0

    def per_s(self, tally: Tally) -> float | None:
        """None until there is something to measure."""
        now = time.monotonic()
        if self._since is None:
            if tally.worked:
                self._since, self._before = now, tally.worked
            return None
        worked = tally.worked - self._before
        return worked / (now - self._since) if worked and now > self._since else None


def duration(seconds: float) -> str:
    """A time as a person says it: "2 min 05 s"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
