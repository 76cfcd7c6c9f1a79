"""Runs the tests on broken copies of the code, one copy a core, and counts what they notice.

The peer is the code as it is: all named tests must pass on it in the same run.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from bench.options import Options
from bench.report import Report, Target
from checks.mutants.mutant import ROOT, Mutant
from checks.mutants.promises import with_word
from console.exits import WrongUse

NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "node_modules", "build", "data", ".*_cache", "*.egg-info"
)
TEST_TIMEOUT_S = 120
LONGEST_S = 1200  # for all tests of a mutant, or of the code as it is
PASSED, FAILED = 0, 1  # exit codes of pytest; with any other one the tests could not judge
HUNG = -1
# A test that fails may leave a thread, which would keep the process from ending.
PYTEST = "import os, sys, pytest; os._exit(pytest.main(sys.argv[1:]))"


class Verdict(Enum):
    NOTICED = "noticed"
    SURVIVED = "survived"
    UNJUDGED = "unjudged"


def run(options: Options) -> Report:
    """What the tests notice. raises WrongUse when no mutant is meant"""
    chosen = with_word(options.only)
    if not chosen:
        raise WrongUse(
            f"No mutant has {options.only!r} in its promise, its file's name or its kind's name."
        )
    began = time.monotonic()
    with copies(len(os.sched_getaffinity(0))) as folders:
        spurious = not _unbroken(folders, chosen)
        verdicts = _judged(folders, chosen)
    counts = {verdict: verdicts.count(verdict) for verdict in Verdict}
    survived, unjudged = counts[Verdict.SURVIVED], counts[Verdict.UNJUDGED]
    return Report(
        figures={
            "mutants": len(chosen),
            "noticed": counts[Verdict.NOTICED],
            "survived": survived,
            "unjudged": unjudged,
            "minutes": (time.monotonic() - began) / 60,
        },
        peers={"tests that fail on the code as it is": "some" if spurious else "none"},
        targets={
            "survived": Target(survived, 0, at_least=False),
            "unjudged": Target(unjudged + spurious, 0, at_least=False),
        },
    )


@contextmanager
def copies(count: int) -> Iterator[queue.Queue[Path]]:
    """Folders with a copy of the checkout each; whoever takes one puts it back."""
    with tempfile.TemporaryDirectory(prefix="magpie-mutants-") as parent:
        folders: queue.Queue[Path] = queue.Queue()
        for number in range(count):
            folder = Path(parent, str(number))
            shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
            folders.put(folder)
        yield folders


def judge(folders: queue.Queue[Path], mutant: Mutant) -> Verdict:
    """Whether the mutant's tests notice it, in a copy that is free."""
    folder = folders.get()
    path = folder / mutant.file
    whole, stat = path.read_text(), path.stat()
    try:
        path.write_text(mutant.broken(whole))
        # Python compiles a file again if its size or its second of change is another one.
        os.utime(path, (stat.st_atime, stat.st_mtime + 2))
        code = _pytest(folder, mutant.tests)
    except ValueError as error:
        print(f"{mutant.promise}: {error}", file=sys.stderr)
        return Verdict.UNJUDGED
    finally:
        path.write_text(whole)
        os.utime(path, (stat.st_atime, stat.st_mtime))
        folders.put(folder)
    known = {PASSED: Verdict.SURVIVED, FAILED: Verdict.NOTICED}
    return known.get(code, Verdict.UNJUDGED)


def _judged(folders: queue.Queue[Path], mutants: Sequence[Mutant]) -> list[Verdict]:
    """The verdict on each, which is printed as soon as it is known."""

    def judged(mutant: Mutant) -> Verdict:
        began = time.monotonic()
        verdict = judge(folders, mutant)
        took_s = time.monotonic() - began
        print(f"{verdict.value:9} {took_s:4.0f} s  {mutant.promise}", file=sys.stderr, flush=True)
        return verdict

    with ThreadPoolExecutor(folders.qsize()) as pool:
        return list(pool.map(judged, mutants))


def _unbroken(folders: queue.Queue[Path], mutants: Sequence[Mutant]) -> bool:
    """Whether all tests that the mutants name pass without a change."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    workers, folder = folders.qsize(), folders.get()
    try:
        return _pytest(folder, tests, "--numprocesses", str(workers)) == PASSED
    finally:
        folders.put(folder)


def _pytest(folder: Path, tests: Sequence[str], *more: str) -> int:
    """The exit code of pytest on these tests; what it says is shown if they can't run."""
    command = [sys.executable, "-c", PYTEST, "-x", "--no-header", "-p", "no:cacheprovider"]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [*command, "--timeout", str(TEST_TIMEOUT_S), *more, *tests],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            code = HUNG
        finally:  # a broken copy may leave processes behind
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if code not in (PASSED, FAILED) or (more and code != PASSED):
            said.seek(0)
            print(said.read()[-2000:], file=sys.stderr)
    return code
