"""`python -m bench NAME [--json] [--seed N]`: measure one thing, or `all`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import sys

from rich.console import Console

import bench
from bench.report import Report

NOT_A_MEASUREMENT = {
    *("__main__", "report", "checkpoint", "photographs", "plain", "town", "vectors"),
    *("hostile", "oracle", "servers", "stage", "telling"),
}


def main() -> int:
    names = sorted(m.name for m in pkgutil.iter_modules(bench.__path__))
    names = [name for name in names if name not in NOT_A_MEASUREMENT]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=[*names, "all"], metavar="NAME", help=", ".join(names))
    parser.add_argument("--json", action="store_true", help="one JSON object a measurement")
    parser.add_argument("--device", default="cpu", help="for `embed`: cpu (default), or cuda")
    parser.add_argument("--plot", default="", help="for `search`: an SVG of how the time grows")
    parser.add_argument("--seed", default="1", help="of `permissions`, `fuzz` and `chaos`")
    parser.add_argument("--seeds", default="", metavar="A-B", help="for `chaos`: one by one")
    parser.add_argument("--minutes", help="for `chaos` (1) and `load` (10): how long it goes on")
    parser.add_argument("--hurried", action="store_true", help="for `chaos`: short waits")
    options = parser.parse_args()
    os.environ["BENCH_DEVICE"] = options.device
    os.environ["BENCH_PLOT"] = options.plot
    os.environ["BENCH_SEED"] = options.seed
    os.environ["BENCH_SEEDS"] = options.seeds
    os.environ["BENCH_HURRIED"] = "1" if options.hurried else ""
    if options.minutes:
        os.environ["BENCH_MINUTES"] = options.minutes
    console = Console()
    for name in names if options.name == "all" else [options.name]:
        report: Report = importlib.import_module(f"bench.{name}").run()
        if options.json:
            print(json.dumps(report.as_json(name)), flush=True)
        else:
            report.show(name, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
