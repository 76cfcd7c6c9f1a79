"""What a caller of `python -m bench` chooses; each measurement or check reads what concerns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SQLITE, POSTGRES = "sqlite", "postgres"


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the command line, and the variables of the environment that the documents name."""

    device: str = "cpu"  # `embed`: cpu, or cuda
    plot: Path | None = None  # `search`: an SVG of how the time grows with the rows
    seed: int = 1
    seeds: range | None = None  # `chaos`: one run for each, instead of `seed`
    minutes: float | None = None  # `chaos` and `load`: how long a run goes on; None: its default
    hurried: bool = False  # `chaos`: the bot's long waits are shortened
    rows: tuple[int, ...] = ()  # BENCH_ROWS: sizes of the gallery; empty: the default sizes
    only: str = ""  # `mutants` and `models`: a word of those to run
    db: str = SQLITE  # `permissions` and `chaos`: what keeps the gallery
    # BENCH_SCALE, of `scale`: numbers that take the place of its own
    scale: Mapping[str, float] = field(default_factory=dict)
    worlds: int | None = None  # BENCH_WORLDS, of `permissions`; None: the default
