"""Runs benches one after another, each as a process, and keeps what they print.

A bench that fails, hangs or is stopped by Ctrl-C keeps its earlier runs, and the others go on, but
for Ctrl-C. The tables are written in any case from all that is kept then.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.measured import kept, tables
from bench.measured.kept import Kept, Run
from console import output
from console.arguments import meant
from console.exits import DONE, REFUSED, WrongUse
from console.output import counted

DOCS = Path("docs")
MEASURED = "measured"  # below DOCS
# Variables of the environment by which a caller of a single bench chooses sizes.
SIZES = ("BENCH_ROWS", "BENCH_MINUTES", "BENCH_SEED", "BENCH_WORLDS")
# Where a bench takes so many times the minutes that are expected, and these minutes at least, it is
# taken to hang.
LONGEST, LEAST_MINUTES = 5, 10
END_S = 30.0  # for a bench that was told to stop, to delete what it made


@dataclass(frozen=True, slots=True)
class Plan:
    """How a bench is called, and how long it takes on two free cores of a server's processor.

    minutes     an estimate, for the first run; later ones are expected to take as long as the last
    variables   of the environment, by name
    arguments   behind the bench's name
    """

    minutes: float
    variables: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    def command(self, name: str) -> str:
        """How it is called, as somebody would type it."""
        variables = [f"{key}={value}" for key, value in self.variables.items()]
        return " ".join([*variables, "python -m bench", name, *self.arguments])


# In the order in which they run: what the page on performance shows comes first. Sizes that differ
# from a bench's own are smaller, so that all of them take about an hour.
PLANS = {
    "search": Plan(8),
    "find": Plan(6.5),
    "embed": Plan(2),
    "ingest": Plan(1),
    "cores": Plan(4, {"BENCH_ROWS": "2000"}),
    "prepare": Plan(0.5),
    "growth": Plan(2.5, {"BENCH_ROWS": "120000"}),
    "start": Plan(4),
    "footprint": Plan(2, {"BENCH_ROWS": "10000,100000"}),
    "watches": Plan(1),
    "honesty": Plan(3, {"BENCH_ROWS": "50,500,2000,10000"}),
    "quality": Plan(2),
    "words": Plan(1),
    "query": Plan(2, {"BENCH_ROWS": "2000"}),
    "ocr": Plan(2),
    "frames": Plan(1.5),
    "copies": Plan(2.5, {"BENCH_ROWS": "100000"}),
    "overview": Plan(2.5),
    "page": Plan(1.5, {"BENCH_ROWS": "20000"}),
    "history": Plan(2, {"BENCH_ROWS": "30000"}),
    "store": Plan(2, {"BENCH_ROWS": "20000"}),
    "workers": Plan(2),
    "models": Plan(1, arguments=("--only", "base-patch32")),
    "load": Plan(10.5),
}


def run(only: str) -> int:
    """Run all benches, or those that `only` names, and write the pages; returns the exit code.

    raises   WrongUse for a name that no bench has, for sizes in the environment, and where there
             are no pages
    """
    chosen = only.replace(",", " ").split() or list(PLANS)
    for name in chosen:
        if name not in PLANS:
            raise WrongUse(f"--only takes names of benches, not {name!r}{meant(name, PLANS)}")
    for variable in SIZES:
        if os.environ.get(variable):
            raise WrongUse(
                f"{variable} is set, but a report chooses the sizes itself, so that its figures "
                f"can be compared.\n  Unset it, or run one bench: {variable}=… python -m bench NAME"
            )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends a bench, as Ctrl-C does
    return measure({name: PLANS[name] for name in PLANS if name in chosen}, DOCS)


def write_tables() -> int:
    """Write the tables of all pages from what is kept; returns the exit code."""
    _write(DOCS, kept.read(DOCS / MEASURED))
    return DONE


def measure(plans: Mapping[str, Plan], docs: Path) -> int:
    """Run these benches, keep what they print, and write the pages; returns the exit code.

    raises   WrongUse where there are no pages, and for a kept file that can't be read
    """
    _pages(docs)
    before = kept.read(docs / MEASURED)
    minutes = {name: _minutes(plan, before.get(name, {})) for name, plan in plans.items()}
    _say(f"{counted(len(plans), 'bench', 'benches')}, about {_spoken(sum(minutes.values()))}")
    date, commit = datetime.date.today().isoformat(), _commit()
    failed = []
    try:
        for number, (name, plan) in enumerate(plans.items(), 1):
            _say(f"{name} ({number} of {len(plans)}), about {_spoken(minutes[name])}")
            longest = max(LEAST_MINUTES, LONGEST * minutes[name])
            began = time.monotonic()
            try:
                printed = _printed(name, plan, longest_s=60 * longest)
            except _Failed as error:
                failed.append(name)
                _say(f"  {error}")
                continue
            except KeyboardInterrupt:
                _say(
                    f"  stopped. Not measured: {', '.join([*failed, *list(plans)[number - 1 :]])}."
                )
                raise
            seconds = time.monotonic() - began
            run = kept.run_of(
                printed, date=date, commit=commit, seconds=seconds, command=plan.command(name)
            )
            kept.keep(docs / MEASURED, name, run)
            _say(f"  kept; {_spoken(seconds / 60)}")
    finally:
        _write(docs, kept.read(docs / MEASURED))
    if failed:
        _say(
            f"Not measured: {', '.join(failed)}. The tables show earlier runs where there are any."
        )
    return REFUSED if failed else DONE


class _Failed(Exception):
    """A bench gave no report; the message says why."""


def _minutes(plan: Plan, kinds: Mapping[str, Sequence[Run]]) -> float:
    """How long a bench takes: as long as its last run on this kind of processor, if any."""
    for earlier in reversed(kinds.get(str(machine()["kind"]), [])):
        if earlier.seconds is not None:
            return earlier.seconds / 60
    return plan.minutes


def _spoken(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes >= 10 else f"{minutes:.1f} min"


def _printed(name: str, plan: Plan, longest_s: float) -> dict[str, Any]:
    """The report of a bench, which runs as a process. raises _Failed"""
    command = [sys.executable, "-m", "bench", name, "--json", *plan.arguments]
    with subprocess.Popen(
        command,
        env={**os.environ, **plan.variables},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # so that all that it starts can be stopped with it
    ) as process:
        try:
            said, _ = process.communicate(timeout=longest_s)
        except subprocess.TimeoutExpired:
            raise _Failed(f"stopped: it took more than {longest_s / 60:.0f} min") from None
        finally:
            _stop(process)
    if process.returncode:
        raise _Failed(f"failed, with exit code {process.returncode}")
    try:
        printed: dict[str, Any] = json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        raise _Failed("failed: it printed no report") from None
    return printed


def _stop(process: subprocess.Popen[str]) -> None:
    """End a bench and all that it started. It is asked first, so that it deletes what it made."""
    try:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
    finally:  # also where Ctrl-C is pressed once more
        with contextlib.suppress(ProcessLookupError):  # nothing of it is left
            os.killpg(process.pid, signal.SIGKILL)


def _commit() -> str:
    """The commit of the code in the current directory, or "unknown" where git can't tell."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return told.strip()


def _pages(docs: Path) -> list[Path]:
    """The pages that may have tables. raises WrongUse where there are none"""
    if pages := sorted(docs.glob("*.md")):
        return pages
    raise WrongUse(f"There are no pages in {docs}/ here; run this in a checkout of Magpie.")


def _say(line: str) -> None:
    """Print a line at once, since the next one may come after minutes."""
    output.say(line)
    output.flush()


def _write(docs: Path, all_: Kept) -> None:
    for page in tables.write(_pages(docs), all_):
        _say(f"written: {page}")
