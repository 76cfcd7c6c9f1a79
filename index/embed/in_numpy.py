"""The arithmetic of both towers in numpy, in float32: no torch, no transformers.

So a question on the command line is answered in less time than importing torch takes, and so is the
first one after the bot's start. It is also what integers are checked with, see `calibration`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from index.embed.geometry import Activation, Pair
from index.types.records import Floats

Step = Callable[[Floats], Floats]
FEW = 32  # rows of a question
# Rows whose activation is computed at once, so that what lies between its steps stays in a cache.
ACTIVATED = 16
# Subtracted from pixels, so that they are around zero.
MIDDLE = np.float32(128)


class InNumpy:
    """Plain products in numpy. The weights stay in the mapped file and are not copied."""

    def rows(self, array: Floats) -> Floats:
        return array

    def array(self, rows: Floats) -> Floats:
        return rows

    def linear(self, pairs: Sequence[Pair], *, narrow: bool = False) -> Step:
        def product(x: Floats) -> Floats:
            # With few rows, BLAS takes a third less time if weights are read in their own layout.
            few = len(x) <= FEW
            parts = [
                ((weight @ x.T).T if few else x @ weight.T) + (0 if bias is None else bias)
                for weight, bias in pairs
            ]
            y: Floats = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
            return y

        return product

    def mlp(self, up: Pair, down: Pair, activation: Activation) -> Step:
        first, second = self.linear([up]), self.linear([down])

        def both(x: Floats) -> Floats:
            y = first(x)
            for row in range(0, len(y), ACTIVATED):
                rows = y[row : row + ACTIVATED]
                rows[:] = activated(rows, activation)
            return second(y)

        return both

    def norm(self, scale: Floats, shift: Floats, epsilon: float) -> Step:
        def normed(x: Floats) -> Floats:
            centred = x - x.mean(axis=-1, keepdims=True)
            squares = np.einsum("...d,...d->...", centred, centred)[..., None]
            variance = (squares / x.shape[-1]).astype(np.float32)
            deviation = np.sqrt(variance + np.float32(epsilon))
            y: Floats = centred / deviation * scale + shift
            return y

        return normed

    def attended(self, qkv: Floats, spans: Sequence[slice], heads: int, *, causal: bool) -> Floats:
        n, width = qkv.shape[0], qkv.shape[1] // 3
        by_head = qkv.reshape(n, 3, heads, width // heads)
        attended = np.empty((n, width), np.float32)
        for span in spans:
            q, k, v = by_head[span].transpose(1, 2, 0, 3)  # (heads, tokens, width of a head)
            scores = q @ k.transpose(0, 2, 1) * np.float32(q.shape[-1] ** -0.5)
            if causal:
                scores[:, ~np.tri(scores.shape[-1], dtype=bool)] = -np.inf
            shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
            shares /= shares.sum(axis=-1, keepdims=True)
            attended[span] = (shares @ v).transpose(1, 0, 2).reshape(-1, width)
        return attended

    # ---- pictures

    middle = int(MIDDLE)

    def computing(self) -> contextlib.AbstractContextManager[object]:
        return contextlib.nullcontext()

    def pixels(self, patches: Floats) -> Floats:
        return patches.astype(np.float32) - MIDDLE

    def constant(self, array: Floats) -> Floats:
        return np.array(array)

    def behind(self, first: Floats, rows: Floats) -> Floats:
        return np.concatenate([np.broadcast_to(first, (len(rows), *first.shape)), rows], axis=1)

    def by_head(self, joined: Floats, n: int, heads: int, width: int) -> Floats:
        shape = n, len(joined) // n, joined.shape[1] // width, heads, width // heads
        return np.ascontiguousarray(joined.reshape(shape).transpose(2, 0, 3, 1, 4))

    def attention(self, q: Floats, k: Floats, v: Floats) -> Floats:
        scores = q @ k.transpose(0, 1, 3, 2)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        attended: Any = (scores @ v).transpose(0, 2, 1, 3)
        rows: Floats = attended.reshape(attended.shape[0] * attended.shape[1], -1)
        return rows


def activated(x: Floats, activation: Activation) -> Floats:
    """The activation of this name, of each number."""
    y: Floats
    if activation == "quick_gelu":
        y = x / (1 + np.exp(np.float32(-1.702) * x))
    elif activation == "gelu":
        y = x * np.float32(0.5) * (1 + _erf(x * np.float32(0.5**0.5)))
    elif activation == "relu":
        y = np.maximum(x, np.float32(0))
    else:
        inner = np.float32((2 / np.pi) ** 0.5) * (x + np.float32(0.044715) * x * x * x)
        y = x * np.float32(0.5) * (1 + np.tanh(inner))
    return y


def _erf(x: Floats) -> Floats:
    """The error function, which numpy doesn't have, with an error below 2e-7.

    source   Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26
    """
    t = 1 / (1 + np.float32(0.3275911) * np.abs(x))
    series = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(factor)) * t
    signed: Floats = np.sign(x) * (1 - series * np.exp(-x * x))
    return signed
