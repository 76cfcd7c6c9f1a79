"""All kinds of hostile input, one after the other, and what came of them.

A crash is an error that no document names, a wrong answer, or the end of the process. A hang is an
input that takes more processor time than its kind may, or never ends. Failures are kept in
build/fuzz, named by kind, seed and number. Bombs are also asked with together, by one member, while
another one asks (`together`). The peers are that member's answers without bombs, and the cost of a
legitimate picture: how long decoding in a process apart takes, beside decoding within the process.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from bench import BUILD, photographs
from bench.options import Options
from bench.report import Figure, Report, Target
from checks.fuzzing import together
from checks.fuzzing.target import file_of
from index.images import decode as images
from index.images import decoders

KEPT = BUILD / "fuzz"
# Inputs of each kind. All together take some minutes on one core.
COUNTS = {
    "pictures": 14_000,
    "bombs": 60,
    "clips": 300,
    "words": 300,
    "messages": 3_000,
    "addresses": 2_000,
    "settings": 1_500,
    "lines": 6_000,
    "questions": 800,
    "doors": 600,
}
INPUTS = 20_000
# On the clock, for a busy machine. The processor time of an input is limited by its kind.
PATIENCE_S = 180.0
# Enough for a transparent picture of 64 megapixels, and for the processes themselves.
MEMORY_MB = 1_600.0
SIDE = 224
ROUNDS = 15


@dataclass
class Outcomes:
    """What came of the inputs of one kind, and how much time and memory they took."""

    kind: str
    outcomes: Counter[str] = field(default_factory=Counter)
    crashes: list[int] = field(default_factory=list)
    hangs: list[int] = field(default_factory=list)
    slowest_s: float = 0.0  # on the clock, whatever came of it
    slowest: str = ""  # what came of that one
    at_rest: int = 0  # bytes of memory before the first input
    peak: int = 0

    @property
    def growth_mb(self) -> float:
        return max(0, self.peak - self.at_rest) / 1e6

    def told(self) -> str:
        came = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())
        slowest = f"slowest {self.slowest_s:.2f} s ({self.slowest})"
        return f"{came}; {slowest}, + {self.growth_mb:.0f} MB"

    def came(self, outcome: str, took_s: float) -> None:
        self.outcomes[outcome] += 1
        if took_s > self.slowest_s:
            self.slowest_s, self.slowest = took_s, outcome


def run(options: Options) -> Report:
    seed = options.seed
    tried = [Campaign(kind, seed, count, KEPT).run() for kind, count in COUNTS.items()]
    figures: dict[str, Figure] = {"seed": seed}
    figures["inputs"] = inputs = sum(sum(kind.outcomes.values()) for kind in tried)
    figures["crashes"] = crashes = sum(len(kind.crashes) for kind in tried)
    figures["hangs"] = hangs = sum(len(kind.hangs) for kind in tried)
    figures["peak_growth_mb"] = growth = max(kind.growth_mb for kind in tried)
    figures |= {f"{kind.kind}": kind.told() for kind in tried}
    for kind in tried:
        for number in kind.crashes + kind.hangs:
            figures[f"failed: {kind.kind} {number}"] = str(file_of(KEPT, seed, kind.kind, number))
    beside = asyncio.run(together.measure(seed))
    ours, within = _cost()
    figures |= beside.figures() | {"decoding apart, ms a photograph": ours}
    return Report(
        figures,
        beside.peers() | {"decoding within, ms a photograph": within},
        beside.targets()
        | {
            "inputs": Target(inputs, INPUTS),
            "crashes": Target(crashes, 0, at_least=False),
            "hangs": Target(hangs, 0, at_least=False),
            "peak_growth_mb": Target(growth, MEMORY_MB, at_least=False),
        },
    )


class Campaign:
    """The inputs of one kind, in a process of their own.

    When an input ends the process, a new one goes on with the next input.
    """

    def __init__(self, kind: str, seed: int, count: int, kept: Path) -> None:
        self._seed = seed
        self._count = count
        self._kept = kept
        self._limit_s = 0.0
        self._next = 0
        self._tried = Outcomes(kind)

    def run(self) -> Outcomes:
        while self._next < self._count:
            self._go_on()
        return self._tried

    def _go_on(self) -> None:
        """Run a process up to the last input, or to one that ends it."""
        begun_at = self._next
        process = self._begun()
        in_hand: int | None = None
        since = time.monotonic()
        try:
            for line in _lines(process):
                if "at" in line:
                    in_hand, since = line["at"], time.monotonic()
                elif "outcome" in line:
                    assert in_hand is not None
                    self._came(in_hand, line)
                    in_hand = None
                else:
                    self._limit_s = line["limit"]
                    self._tried.at_rest = self._tried.at_rest or line["memory"]
        except TimeoutError:
            self._ended(in_hand, time.monotonic() - since, self._tried.hangs)
        finally:
            process.kill()
            process.communicate()
        if in_hand is not None and in_hand not in self._tried.hangs:
            self._ended(in_hand, time.monotonic() - since, self._tried.crashes)
        if self._next == begun_at:
            raise RuntimeError(f"{self._tried.kind} can't be tried: its process ends at once")

    def _begun(self) -> subprocess.Popen[bytes]:
        place = map(str, (self._seed, self._next, self._count - self._next, self._kept))
        return subprocess.Popen(
            [sys.executable, "-m", "checks.fuzzing", self._tried.kind, *place],
            stdout=subprocess.PIPE,
        )

    def _came(self, number: int, line: dict[str, Any]) -> None:
        tried = self._tried
        tried.came(line["outcome"], line["took_s"])
        tried.peak = max(tried.peak, line["memory"])
        if line["outcome"] == "crash":
            tried.crashes.append(number)
        if line["cpu_s"] > self._limit_s:
            tried.hangs.append(number)
        self._next = number + 1

    def _ended(self, number: int | None, took_s: float, among: list[int]) -> None:
        """Note that this input ended the process. The next process begins after it."""
        if number is not None:
            among.append(number)
            self._tried.came("the end of the process", took_s)
            self._next = number + 1


def _lines(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """The lines that the process prints, until it ends.

    raises   TimeoutError when it prints nothing for too long
    """
    assert process.stdout is not None
    waiting = select.poll()
    waiting.register(process.stdout, select.POLLIN)
    rest = b""
    while waiting.poll(PATIENCE_S * 1000):
        said = os.read(process.stdout.fileno(), 2**16)
        if not said:
            return
        *lines, rest = (rest + said).split(b"\n")
        yield from map(json.loads, lines)
    raise TimeoutError


def _cost() -> tuple[float, float]:
    """Milliseconds to decode a photograph: in a process apart, and in this one."""
    data = photographs.jpeg(1, photographs.SCREENSHOT)
    took: dict[str, list[float]] = {"apart": [], "within": []}
    for _ in range(ROUNDS):
        for name, decode in (("apart", decoders.decode), ("within", images.decode)):
            began = time.perf_counter()
            decode(data, SIDE, resample=Image.Resampling.BICUBIC)
            took[name].append(1000 * (time.perf_counter() - began))
    decoders.close()
    return statistics.median(took["apart"]), statistics.median(took["within"])
