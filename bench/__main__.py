"""`python -m bench NAME`: measure or check one thing, or all, or write the tables in docs/."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from bench import COMPUTED, MEASUREMENTS
from bench.measured import campaign
from bench.options import POSTGRES, SQLITE, Options
from bench.report import Report
from checks import CHECKS
from console import commands, output
from console.called import as_typed
from console.commands import Called, Choice, Command, Name, flag, option
from console.exits import DONE, WrongUse
from console.terminal import Terminal

T = TypeVar("T")

MODULES = dict(sorted({**MEASUREMENTS, **COMPUTED, **CHECKS}.items()))
# Names that are no measurement or check: all of them; measuring for the pages; writing the pages.
ALL, REPORT, TABLES = "all", "report", "tables"


@dataclass(frozen=True, kw_only=True)
class Given(Called):
    """What the bench is given on the command line."""

    name: str
    json: bool
    device: str
    plot: str | None
    seed: str | None
    seeds: str
    minutes: str | None
    hurried: bool
    only: str
    db: str


def run(given: Given) -> int:
    """Run one measurement or check, all, or what writes the pages; returns the exit code."""
    if given.name == REPORT:
        return campaign.run(given.only)
    if given.name == TABLES:
        return campaign.write_tables()
    options = _options(given)
    terminal = Terminal()
    for name in MODULES if given.name == ALL else [given.name]:
        report: Report = importlib.import_module(MODULES[name]).run(options)
        if given.json:
            output.say(json.dumps(report.as_json(name)))
            output.flush()
        else:
            report.show(name, terminal)
    return DONE


COMMAND = Command(
    "bench",
    run,
    Given,
    help=f"Measure or check one thing, or all. NAME is one of: {', '.join([*MODULES, ALL])}. "
    f"`{REPORT}` measures everything and writes the tables in docs/; `{TABLES}` only writes them.",
    params=[
        click.Argument(["name"], metavar="NAME", type=Choice(*MODULES, ALL, REPORT, TABLES)),
        flag("--json", help="one JSON object a measurement"),
        option(
            "--device", metavar="NAME", default="cpu", help="for `embed`: cpu (default), or cuda"
        ),
        option(
            "--plot", metavar="FILE", type=Name(), help="for `search`: an SVG of how the time grows"
        ),
        option(
            "--seed", metavar="NUMBER", help="of `permissions`, `fuzz`, `chaos` and `search` (1)"
        ),
        option("--seeds", metavar="A-B", default="", help="for `chaos`: one by one"),
        option(
            "--minutes",
            metavar="NUMBER",
            help="for `chaos` (1) and `load` (10): how long it goes on",
        ),
        flag("--hurried", help="for `chaos`: short waits"),
        option(
            "--only",
            metavar="WORD",
            default="",
            help="for `mutants` and `models`: a word of those to run; for `report`: names",
        ),
        option(
            "--db",
            metavar="STORE",
            type=Choice(SQLITE, POSTGRES),
            default=SQLITE,
            help="for `permissions` and `chaos`: sqlite (default), or a new server of postgres",
        ),
    ],
)


def _options(given: Given) -> Options:
    """What was asked for, by options or by variables of the environment.

    raises   WrongUse that names an option or a variable which is no number
    """
    variables = os.environ
    rows, worlds = variables.get("BENCH_ROWS", ""), variables.get("BENCH_WORLDS", "")
    seed = _either("--seed", given.seed, "BENCH_SEED", _whole)
    return Options(
        device=given.device,
        plot=Path(given.plot) if given.plot else None,
        seed=1 if seed is None else seed,
        seeds=_range("--seeds", given.seeds),
        minutes=_either("--minutes", given.minutes, "BENCH_MINUTES", _number),
        hurried=given.hurried,
        rows=tuple(_whole("BENCH_ROWS", one) for one in rows.split(",") if one),
        only=given.only,
        db=given.db,
        scale=_numbers("BENCH_SCALE", variables.get("BENCH_SCALE", "")),
        worlds=_whole("BENCH_WORLDS", worlds) if worlds else None,
    )


def _either(
    option: str, value: str | None, variable: str, read: Callable[[str, str], T]
) -> T | None:
    """The value of an option, else that of a variable, else None."""
    if value is not None:
        return read(option, value)
    return read(variable, os.environ[variable]) if os.environ.get(variable) else None


def _range(name: str, text: str) -> range | None:
    """All of A-B, both ends included; None when nothing is given."""
    if not text:
        return None
    first, _, last = text.partition("-")
    return range(_whole(name, first), _whole(name, last or first) + 1)


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise WrongUse(f"{name} takes a whole number, not {text!r}.") from None


def _numbers(name: str, text: str) -> dict[str, float]:
    """What is given as `one=1,other=2.5`."""
    pairs = [one.partition("=") for one in text.split(",") if one.strip()]
    return {key.strip(): _number(f"{name}: {key.strip()}", value) for key, _, value in pairs}


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise WrongUse(f"{name} takes a number, not {text!r}.") from None


if __name__ == "__main__":
    sys.exit(commands.run(COMMAND, sys.argv[1:], program=as_typed()))
