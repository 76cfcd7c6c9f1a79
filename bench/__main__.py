"""`python -m bench NAME`: measure or check one thing, or `all`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench import MEASUREMENTS
from bench.options import Options
from bench.report import Report
from checks import CHECKS

MODULES = dict(sorted({**MEASUREMENTS, **CHECKS}.items()))


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m bench") -> int:
    parser = _parser(prog)
    given = parser.parse_args(arguments)
    try:
        options = _options(given)
    except ValueError as error:
        parser.error(str(error))
    console = Console()
    for name in MODULES if given.name == "all" else [given.name]:
        report: Report = importlib.import_module(MODULES[name]).run(options)
        if given.json:
            print(json.dumps(report.as_json(name)), flush=True)
        else:
            report.show(name, console)
    return 0


def _parser(prog: str) -> argparse.ArgumentParser:
    environment = os.environ
    parser = argparse.ArgumentParser(prog=prog, description="Measure or check one thing, or all.")
    add = parser.add_argument
    add("name", choices=[*MODULES, "all"], metavar="NAME", help=", ".join([*MODULES, "all"]))
    add("--json", action="store_true", help="one JSON object a measurement")
    add("--device", default="cpu", help="for `embed`: cpu (default), or cuda")
    add("--plot", default="", help="for `search`: an SVG of how the time grows")
    add(
        "--seed",
        type=int,
        default=environment.get("BENCH_SEED", "1"),
        help="of `permissions`, `fuzz`, `chaos` and `search`",
    )
    add("--seeds", default="", metavar="A-B", help="for `chaos`: one by one")
    add(
        "--minutes",
        type=float,
        default=environment.get("BENCH_MINUTES"),
        help="for `chaos` (1) and `load` (10): how long it goes on",
    )
    add("--hurried", action="store_true", help="for `chaos`: short waits")
    add("--only", default="", metavar="WORD", help="for `mutants`: a word of those to run")
    return parser


def _options(given: argparse.Namespace) -> Options:
    """What was asked for.

    raises   ValueError that names an option or a variable which is no number
    """
    rows, worlds = os.environ.get("BENCH_ROWS", ""), os.environ.get("BENCH_WORLDS", "")
    return Options(
        device=given.device,
        plot=Path(given.plot) if given.plot else None,
        seed=given.seed,
        seeds=_range("--seeds", given.seeds),
        minutes=given.minutes,
        hurried=given.hurried,
        rows=tuple(_number("BENCH_ROWS", one) for one in rows.split(",") if one),
        only=given.only,
        worlds=_number("BENCH_WORLDS", worlds) if worlds else None,
    )


def _range(name: str, text: str) -> range | None:
    """All of A-B, both ends included; None when nothing is given."""
    if not text:
        return None
    first, _, last = text.partition("-")
    return range(_number(name, first), _number(name, last or first) + 1)


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name}: {text!r} is no whole number") from None


if __name__ == "__main__":
    sys.exit(main())
