"""`python -m checks.fuzzing KIND SEED FIRST COUNT FOLDER`: some inputs of one kind, in one process.

Prints a line of JSON before each input, and another with what came of it. So the process that
started this one knows which input ended it. Failures are kept in FOLDER with their traceback.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Set before numpy and torch are imported, which is when they choose their number of threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from checks.fuzzing.target import FuzzTarget, file_of, rng_of

# Limit of the whole process: a decoder that grows without end must not take all of the machine.
MEMORY_BYTES = 12 * 2**30


def kinds() -> dict[str, Any]:
    """Module and class of each kind, by name, so that only the wanted one is imported."""
    return {
        "pictures": ("checks.fuzzing.pictures", "Pictures"),
        "bombs": ("checks.fuzzing.bombs", "Bombs"),
        "clips": ("checks.fuzzing.clips", "Clips"),
        "messages": ("checks.fuzzing.messages", "Messages"),
        "addresses": ("checks.fuzzing.messages", "Addresses"),
        "words": ("checks.fuzzing.words", "Words"),
        "settings": ("checks.fuzzing.settings", "AllSettings"),
        "lines": ("checks.fuzzing.lines", "Lines"),
        "questions": ("checks.fuzzing.questions", "Questions"),
        "doors": ("checks.fuzzing.doors", "Doors"),
    }


@contextlib.contextmanager
def opened(kind: str) -> Iterator[FuzzTarget[Any]]:
    """A kind of input, with a folder of its own."""
    module, name = kinds()[kind]
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        target: FuzzTarget[Any] = getattr(__import__(module, fromlist=[name]), name)(Path(folder))
        try:
            yield target
        finally:
            target.close()


def main() -> int:
    kind, (seed, first, count), folder = sys.argv[1], map(int, sys.argv[2:5]), Path(sys.argv[5])
    warnings.simplefilter("ignore")
    with _only_ours() as say, opened(kind) as target:
        most = target.memory_bytes or MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        say(memory=_resident(), limit=target.limit_s)
        for number in range(first, first + count):
            say(at=number)
            subject = target.make(rng_of(seed, kind, number))
            _resident()  # else its peak would count what it took to make the input
            began, cpu_began = time.monotonic(), processor_s()
            try:
                outcome = target.run(subject)
            except Exception:
                outcome = "crash"
                keep(file_of(folder, seed, kind, number), target, subject, traceback.format_exc())
            took_s, cpu_s = time.monotonic() - began, processor_s() - cpu_began
            say(outcome=outcome, took_s=took_s, cpu_s=cpu_s, memory=_resident())
    return 0


def keep(path: Path, target: FuzzTarget[Any], subject: Any, why: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(target.kept(subject))
    path.with_name(path.name + ".txt").write_text(why, errors="backslashreplace")


@contextlib.contextmanager
def _only_ours() -> Iterator[Any]:
    """A function that writes lines to the real standard output, which no library can write to."""
    ours = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    os.dup2(sys.stdout.fileno(), sys.stderr.fileno())  # libtiff reports every fault

    def say(**what: Any) -> None:
        print(json.dumps(what), file=ours, flush=True)

    with ours:
        yield say


def processor_s() -> float:
    """Processor time so far of this process, and of those in which it lets pictures be decoded."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    running = sum(map(_ticks, children())) / os.sysconf("SC_CLK_TCK")
    return time.process_time() + ended.ru_utime + ended.ru_stime + running


def _ticks(id: int) -> int:
    """Processor time of another process, and of those of its own that have ended, in ticks."""
    try:
        stat = Path(f"/proc/{id}/stat").read_text()
    except OSError:  # it has ended, and counts among the ended ones
        return 0
    after_its_name = stat.rpartition(")")[2].split()
    return sum(map(int, after_its_name[11:15]))  # utime and stime, and those of the ended ones


def _resident() -> int:
    """Bytes of memory at the highest point since the last call.

    Counts this process and the process in which it lets pictures be decoded.
    """
    return sum(_peak(f"/proc/{id}") for id in (os.getpid(), *children()))


def children() -> list[int]:
    """The processes that this one's threads have started, and what those have started."""
    found: list[int] = []
    unseen = [os.getpid()]
    while unseen:
        for task in Path(f"/proc/{unseen.pop()}/task").glob("*"):
            with contextlib.suppress(OSError):  # the thread has ended meanwhile
                begun = [*map(int, (task / "children").read_text().split())]
                found += begun
                unseen += begun
    return found


def _peak(process: str) -> int:
    """The peak of its memory in bytes (VmHWM), which is then reset."""
    try:
        with open(f"{process}/status") as file:
            line = next(line for line in file if line.startswith("VmHWM"))
        with open(f"{process}/clear_refs", "w") as file:
            file.write("5")
    except (OSError, StopIteration):  # it has ended
        return 0
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    sys.exit(main())
