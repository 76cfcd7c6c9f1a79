"""Bytes to rows on two cores beside one, and how much of a picture's time is Python's.

One core and two cores are measured in turn, each time in a new process that may use no others. The
pictures are photographs of a phone's and a screenshot's size, and the model has the shapes of
ViT-B/32 and random weights. As many pictures are on their way as in the bot. What is counted is the
middle of a run, in which all parts have work.

How far Python goes on 16 cores is told by a bot whose model waits a fixed time and computes
nothing: 16 calls at once, of 20 ms for each picture. The bot reads the history of a server in the
sandbox. The sandbox and the decoders are other processes. The bench counts the processor seconds of
each of the bot's threads. Its event loop can't take more than a whole core. All of its threads
share Python's lock for a part of their time, so the rate that Python allows lies between that of
the event loop alone and that of all threads on one core. BENCH_ROWS is another number of pictures.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

from bench import photographs
from bench.checkpoint import vit_b32
from bench.options import Options
from bench.processor_seconds import Spent, now
from bench.report import Figure, Report, Target, spread
from index import Gallery, Group, Link, Precision

ROUNDS = 3
PICTURES, DIFFERENT = 64, 24
PRECISIONS: tuple[Precision, ...] = ("default", "fast")
CORES = (1, 2)
AT_ONCE_OF_A_CORE = 8  # pictures on their way; as many again are downloaded and decoded
WANTED, WANTED_PYTHON = 1.8, 500.0
PASSED = 4000  # pictures of the bot that is measured
# The bot's threads by the beginning of their names, as parts.
PARTS = {
    "MainThread": "event loop",
    "model": "model threads",
    "decode": "decoding threads",
    "Thread": "store",
    "asyncio": "hashes and files",
}


def run(options: Options) -> Report:
    rates: dict[Precision, dict[int, list[float]]] = {
        precision: {cores: [] for cores in CORES} for precision in PRECISIONS
    }
    busy: dict[Precision, list[float]] = {precision: [] for precision in PRECISIONS}
    for _ in range(ROUNDS):
        for precision in PRECISIONS:
            for cores in CORES:
                measured = asyncio.run(_child("gallery", str(cores), precision))
                rates[precision][cores].append(measured["rate"])
                if cores > 1:
                    busy[precision].append(measured["busy"])
    figures: dict[str, Figure] = {}
    peers: dict[str, Figure] = {}
    targets: dict[str, Target] = {}
    for precision, by_cores in rates.items():
        one, two = (by_cores[cores] for cores in CORES)
        times = statistics.median(b / a for a, b in zip(one, two, strict=True))
        figures[f"{precision}_two_cores"] = times
        figures[f"{precision}, two cores, pictures_per_s"] = spread(two)
        figures[f"{precision}, two cores, busy"] = statistics.median(busy[precision])
        peers[f"{precision}, one core, pictures_per_s"] = spread(one)
        targets[f"{precision}_two_cores"] = Target(times, WANTED)
    count = options.rows[0] if options.rows else PASSED
    python = _python(asyncio.run(_child("bot", str(count))))
    figures |= python
    for name in ("event loop alone", "all threads on one core"):
        name = f"python, {name}, pictures_per_s"
        targets[name] = Target(cast(float, python[name]), WANTED_PYTHON)
    return Report(figures, peers, targets)


def _python(measured: dict[str, Any]) -> dict[str, Figure]:
    """What the bot's process takes for a picture, by part, and what follows from that."""
    taken: dict[str, float] = dict.fromkeys([*PARTS.values(), "others"], 0.0)
    for thread, milliseconds in measured["threads_ms"].items():
        part = next((part for start, part in PARTS.items() if thread.startswith(start)), "others")
        taken[part] += milliseconds
    most = max(taken, key=lambda part: taken[part])
    return {
        "python, pictures": measured["pictures"],
        "python, on this machine, pictures_per_s": measured["rate"],
        **{f"python, {part}, ms": milliseconds for part, milliseconds in taken.items()},
        "python, decoder processes, ms": measured["children_ms"],
        "python, the most is taken by": most,
        "python, event loop alone, pictures_per_s": 1000 / taken["event loop"],
        "python, all threads on one core, pictures_per_s": 1000 / sum(taken.values()),
    }


async def _child(*arguments: str) -> dict[str, Any]:
    """What a process of this module prints last."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.cores", *arguments), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, "a process of this bench failed"
    measured: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return measured


async def _gallery(cores: int, precision: Precision) -> dict[str, float]:
    """Pictures a second from bytes to rows, and how many cores were busy."""
    at_once = AT_ONCE_OF_A_CORE * (cores + 1)
    count = PICTURES + 2 * at_once
    different = [photographs.jpeg(n) for n in range(DIFFERENT)]
    waiting = [(n, different[n % DIFFERENT] + n.to_bytes(4, "big")) for n in range(count)]
    marks: list[Spent] = []
    done = 0
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "gallery.db"
        gallery = await Gallery.open(file, str(vit_b32()), device="cpu", precision=precision)

        async def work() -> None:
            nonlocal done
            while waiting:
                number, data = waiting.pop()
                await gallery.add(data, Link(space=1, group=Group(1), source=str(number), slot=""))
                done += 1
                if done in (at_once, at_once + PICTURES):
                    marks.append(now())

        await asyncio.gather(*(work() for _ in range(at_once)))
        await gallery.close()
    began, ended = marks
    seconds = ended.at - began.at
    return {
        "rate": PICTURES / seconds,
        "busy": (ended.all_s - began.all_s) / seconds,
    }


def main(what: str, *arguments: str) -> None:
    """What a new process does: `gallery CORES PRECISION`, or `bot PICTURES`."""
    if what == "gallery":
        cores = int(arguments[0])
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
        print(json.dumps(asyncio.run(_gallery(cores, cast(Precision, arguments[1])))))
    else:
        from bench import passing

        print(json.dumps(asyncio.run(passing.measured(int(arguments[0])))))


if __name__ == "__main__":
    main(*sys.argv[1:])
