"""What a measurement gives back, as JSON and as a table for people."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.machine import machine

Figure = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and what it should reach: at least `target`, or else at most."""

    value: float
    target: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a run, those of its peers, and targets by the name of a figure."""

    figures: dict[str, Figure]
    peers: dict[str, Figure]
    targets: dict[str, Target] = field(default_factory=dict)

    def as_json(self, name: str) -> dict[str, Any]:
        targets = {k: {**_without_direction(t), "met": t.met} for k, t in self.targets.items()}
        return {
            "name": name,
            "machine": machine(),
            "figures": self.figures,
            "peers": self.peers,
            "targets": targets,
        }

    def show(self, name: str, console: Console) -> None:
        table = Table(title=f"bench {name}", title_justify="left")
        for column in ("", "measured", "target", ""):
            table.add_column(column, justify="left" if not column else "right")
        for key, value in self.figures.items():
            target = self.targets.get(key)
            sign = "" if target is None else ("≥ " if target.at_least else "≤ ")
            wanted = "" if target is None else f"{sign}{target.target:g}"
            table.add_row(key, _text(value), wanted, _verdict(target))
        table.add_section()
        for key, value in self.peers.items():
            table.add_row(f"peer: {key}", _text(value), "", "")
        console.print(table)
        console.print(", ".join(f"{key} {value}" for key, value in machine().items()))


def spread(values: Sequence[float]) -> str:
    """Median and range of several runs, as 'median (least–most)'."""
    return f"{statistics.median(values):.3g} ({min(values):.3g}–{max(values):.3g})"


def _without_direction(target: Target) -> dict[str, float]:
    fields = asdict(target)
    del fields["at_least"]
    return fields


def _text(value: Figure) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _verdict(target: Target | None) -> str:
    if target is None:
        return ""
    return "met" if target.met else "missed"
