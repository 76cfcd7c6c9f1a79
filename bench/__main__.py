"""`python -m bench NAME [--json] [--seed N]`: measure one thing, or `all`."""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import pkgutil
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console

import bench
from bench.report import Report

NOT_A_MEASUREMENT = {"__main__", "report", "checkpoint", "photographs", "plain", "town", "vectors"}


def main() -> int:
    names = sorted(m.name for m in pkgutil.iter_modules(bench.__path__))
    names = [name for name in names if name not in NOT_A_MEASUREMENT]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=[*names, "all"], metavar="NAME", help=", ".join(names))
    parser.add_argument("--json", action="store_true", help="one JSON object a measurement")
    parser.add_argument("--device", default="cpu", help="for `embed`: cpu (default), or cuda")
    parser.add_argument("--seed", type=int, help="what decides about chance, where there is any")
    parser.add_argument("--minutes", type=float, help="for `chaos`: how long the schedule is")
    parser.add_argument(
        "--hurried", action="store_true", default=None, help="for `chaos`: short waits in the bot"
    )
    options = parser.parse_args()
    os.environ["BENCH_DEVICE"] = options.device
    console = Console()
    for name in names if options.name == "all" else [options.name]:
        measure = importlib.import_module(f"bench.{name}").run
        report: Report = measure(**_given(options, measure))
        if options.json:
            print(json.dumps(report.as_json(name)), flush=True)
        else:
            report.show(name, console)
    return 0


def _given(options: argparse.Namespace, measure: Callable[..., Report]) -> dict[str, Any]:
    """The options that were given and that this measurement has."""
    known = inspect.signature(measure).parameters
    return {name: value for name, value in vars(options).items() if name in known and value}


if __name__ == "__main__":
    sys.exit(main())
