"""A terminal with colours and progress bars, for programs that have time to load rich."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from console.output import OutputLost, losing


class Terminal(Console):
    """rich's console, whose losses end a program as those of `console.output` do."""

    def print(self, *objects: Any, **settings: Any) -> None:
        """Print. raises OutputLost"""
        with losing():
            super().print(*objects, **settings)

    def on_broken_pipe(self) -> None:
        """rich would end the process here. raises OutputLost"""
        raise OutputLost(None)
