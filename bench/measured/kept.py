"""Runs of benches as they are kept under docs/measured/, a file for each bench and kind of
processor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from bench.machine import KINDS
from bench.report import Figure
from console.exits import WrongUse

MOST_RUNS = 3
# The build of the system's kernel is left out: it changes no figure, and names whose machine it is.
MACHINE = ("cpu", "kind", "products", "cores", "python")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of a bench printed, and where and how it was made.

    date       the day, as 2026-05-31
    commit     of the code, with "-dirty" behind it where files differed from it
    seconds    how long it took; None where nobody noted it
    command    how it was called, with the variables that chose its sizes
    machine    see `bench.machine`
    targets    by name: "value", "target" and "met"
    """

    date: str
    commit: str
    seconds: float | None
    command: str
    machine: Mapping[str, Figure]
    figures: Mapping[str, Figure]
    peers: Mapping[str, Figure]
    targets: Mapping[str, Mapping[str, float]]

    @property
    def kind(self) -> str:
        return str(self.machine["kind"])

    def comparable(self, other: Run) -> bool:
        """Whether both measured the same thing on the same processor."""
        return (self.command, self.machine["cpu"]) == (other.command, other.machine["cpu"])


# By the bench's name, then by the kind of processor: its runs, the newest last.
Kept: TypeAlias = dict[str, dict[str, list[Run]]]


def run_of(
    printed: Mapping[str, Any], *, date: str, commit: str, seconds: float, command: str
) -> Run:
    """The run that printed this, as `Report.as_json` makes it. raises KeyError"""
    return Run(
        date=date,
        commit=commit,
        seconds=round(seconds),
        command=command,
        machine={name: printed["machine"][name] for name in MACHINE},
        **{part: printed[part] for part in ("figures", "peers", "targets")},
    )


def keep(folder: Path, name: str, run: Run) -> None:
    """Add a run to the file of its bench and kind; only the newest that can be compared stay."""
    path = folder / run.kind / f"{name}.json"
    earlier = _read(path) if path.exists() else []
    runs = [*(one for one in earlier if one.comparable(run)), run][-MOST_RUNS:]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")  # a stop while it is written must not cost the earlier runs
    text = json.dumps([asdict(one) for one in runs], indent=1, ensure_ascii=False)
    part.write_text(f"{text}\n", "utf-8")
    part.replace(path)


def read(folder: Path) -> Kept:
    """All that is kept, by names in the alphabet and kinds in the order of KINDS.

    raises   WrongUse for a file that can't be read
    """
    kept: Kept = {}
    for path in sorted(
        folder.glob("*/*.json"), key=lambda path: (path.stem, order(path.parent.name))
    ):
        kept.setdefault(path.stem, {})[path.parent.name] = _read(path)
    return kept


def order(kind: str) -> tuple[int, str]:
    """Where a kind of processor stands among others: in the order of KINDS, unknown ones last."""
    known = list(KINDS)
    return (known.index(kind) if kind in known else len(known)), kind


def _read(path: Path) -> list[Run]:
    try:
        return [Run(**one) for one in json.loads(path.read_text("utf-8"))]
    except (ValueError, TypeError) as error:
        raise WrongUse(
            f"{path} does not hold runs of a bench: {error}.\n"
            "  Take it from git again, or delete it and measure anew."
        ) from error
