"""Where the time of a question's text tower goes, part by part, and how many bytes it reads.

The tower is built with an arithmetic that notes how long each of its steps takes. What is left is
the tokenizer, the rows of the tokens, sums, and Python between the steps. A narrow tower of as many
layers, in which there is next to nothing to compute, tells what calling all the steps costs.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from index.embed import checkpoint, packed
from index.embed.calibration import CANDIDATES
from index.embed.geometry import Activation, Pair
from index.embed.packed import NumberFormat
from index.embed.text_tower import Arithmetic, Step, TextTower, text_tower
from index.embed.tokens import tokens
from index.embed.weights import Weights
from index.types.records import Floats

ROUNDS = 15
BYTES = {"plain": 4, "float32": 4, "bfloat16": 2, "int16": 2}
READ_BYTES = 2**28  # more than any cache has


class _Timed:
    """An arithmetic that notes its times, by part, and how many weights its products have."""

    def __init__(self, arithmetic: Arithmetic) -> None:
        self._arithmetic = arithmetic
        self.rows, self.array = arithmetic.rows, arithmetic.array
        self.seconds = defaultdict[str, float](float)
        self.weights = 0

    def linear(self, pairs: Sequence[Pair]) -> Step:
        self.weights += sum(weight.size for weight, _ in pairs)
        return self._timed("products", self._arithmetic.linear(pairs))

    def mlp(self, up: Pair, down: Pair, activation: Activation) -> Step:
        self.weights += up[0].size + down[0].size
        return self._timed("products", self._arithmetic.mlp(up, down, activation))

    def norm(self, scale: Floats, shift: Floats, epsilon: float) -> Step:
        return self._timed("norms", self._arithmetic.norm(scale, shift, epsilon))

    def attended(self, qkv: Any, spans: Sequence[slice], heads: int, *, causal: bool) -> Any:
        began = time.perf_counter()
        attended = self._arithmetic.attended(qkv, spans, heads, causal=causal)
        self.seconds["attention"] += time.perf_counter() - began
        return attended

    def _timed(self, part: str, step: Step) -> Step:
        def timed(x: Any) -> Any:
            began = time.perf_counter()
            y = step(x)
            self.seconds[part] += time.perf_counter() - began
            return y

        return timed


def figures(folder: Path, narrow: Path, questions: Sequence[str]) -> dict[str, float | str]:
    """Milliseconds of a question by part, and the bytes that it reads; the median of all.

    narrow   a checkpoint with as many layers, as narrow as can be
    """
    candidates: tuple[NumberFormat, ...] = (*CANDIDATES["texts"]["default"], "plain")
    number_format = next(one for one in candidates if packed.supported(one))
    timed = _Timed(packed.arithmetic(number_format))
    answer = _answering(folder, timed)
    parts: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for question in questions:
            timed.seconds.clear()
            began = time.perf_counter()
            answer(question)
            all_s = time.perf_counter() - began
            taken = {**timed.seconds, "rest": all_s - sum(timed.seconds.values())}
            for part, seconds in taken.items():
                parts.setdefault(part, []).append(seconds)
    milliseconds = {part: 1000 * median(seconds) for part, seconds in parts.items()}
    megabytes = timed.weights * BYTES[number_format] / 1e6
    return {
        "text, number format": number_format,
        "text, weights read, MB": megabytes,
        **{f"text, {part}, ms": value for part, value in milliseconds.items()},
        "text, products, GB/s": megabytes / milliseconds["products"],
        "text, memory, GB/s": _memory_gb_per_s(),
        "text, calls alone, ms": _calls_ms(narrow, number_format, questions),
    }


def _answering(folder: Path, arithmetic: Arithmetic) -> Callable[[str], Floats]:
    found = checkpoint.find(str(folder))
    tower: TextTower = text_tower(found, Weights(found), arithmetic)
    read = tokens(found, tower.context, padded=False)
    return lambda question: tower(read([question])[0])


def _calls_ms(narrow: Path, number_format: NumberFormat, questions: Sequence[str]) -> float:
    answer = _answering(narrow, packed.arithmetic(number_format))
    times = []
    for _ in range(ROUNDS):
        for question in questions:
            began = time.perf_counter()
            answer(question)
            times.append(time.perf_counter() - began)
    return 1000 * median(times)


def _memory_gb_per_s() -> float:
    """How fast one core reads memory."""
    import torch

    much = torch.from_numpy(np.ones(READ_BYTES // 4, np.float32))
    times = []
    for _ in range(5):
        began = time.perf_counter()
        much.sum()
        times.append(time.perf_counter() - began)
    return READ_BYTES / 1e9 / min(times)
