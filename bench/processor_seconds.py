"""Processor seconds of this process, thread by thread, and of its child processes."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent up to a moment.

    at         by the clock of `time.perf_counter`
    threads_s  of the threads that run, by their names without a number at the end
    children_s of child processes that run
    """

    at: float
    threads_s: Mapping[str, float]
    children_s: float

    @property
    def all_s(self) -> float:
        return sum(self.threads_s.values()) + self.children_s


def now() -> Spent:
    """What was spent until now."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    threads_s: dict[str, float] = {}
    for task in (PROC / "self" / "task").iterdir():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            nanoseconds = int((task / "schedstat").read_text().split()[0])
            name = names.get(int(task.name), "others").rstrip("0123456789").rstrip("_-")
            threads_s[name] = threads_s.get(name, 0.0) + nanoseconds / 1e9
    return Spent(time.perf_counter(), threads_s, _children_s())


def _children_s() -> float:
    ticks, me = 0, os.getpid()
    for process in PROC.iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == me:
                    ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
