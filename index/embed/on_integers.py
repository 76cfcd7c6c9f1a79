"""The arithmetic of both towers in integers, for processors without bfloat16."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from index.embed.geometry import Activation, Pair, joined
from index.embed.in_numpy import InNumpy, Step
from index.types.records import Floats

if TYPE_CHECKING:
    from index.embed.integer_products import Bits


class OnIntegers(InNumpy):
    """The arithmetic of both towers whose products are of integers of 16 or 8 bits; what lies
    between them is float32.

    Make the products in the order in which they will be used: their weights then lie in that order.
    """

    def __init__(self, bits: Bits) -> None:
        from index.embed import float_loops, integer_products

        self._bits: Bits = bits
        self._loops, self._products = float_loops, integer_products
        self._room = integer_products.Room()

    def linear(self, pairs: Sequence[Pair], *, narrow: bool = False) -> Step:
        return self.product(joined(pairs))

    def mlp(self, up: Pair, down: Pair, activation: Activation) -> Step:
        first, second = self.product(up), self.product(down, activation)
        return lambda x: second(first(x))

    def product(self, pair: Pair, activation: Activation | None = None) -> Step:
        """(n, in) → (n, out) float32: the product of the activation of x, which it may write over
        x."""
        weight, bias = pair
        packed, steps, totals = self._products.pack(weight, self._bits, self._room)
        added, outputs = np.zeros(len(steps), np.float32), len(weight)
        if bias is not None:
            added[:outputs] = bias
        number, multiply = self._loops.ACTIVATIONS[activation], self._products.multiply

        def product(x: Floats) -> Floats:
            n = len(x)
            groups = np.empty((n, packed.shape[1]), np.int32)
            steps_of_x, zeros = np.empty(n, np.float32), np.zeros(n, np.float32)
            y = np.empty((n, outputs), np.float32)
            self._rounded(np.ascontiguousarray(x), number, groups, steps_of_x, zeros)
            multiply(self._bits, groups, steps_of_x, zeros, packed, steps, totals, added, y)
            return y

        return product

    def _rounded(
        self, x: Floats, activation: int, groups: Floats, steps: Floats, zeros: Floats
    ) -> None:
        if self._bits == 16:
            self._products.in_steps(x, activation, groups.view(np.int16), steps)
        else:
            self._products.in_bytes(x, activation, groups.view(np.uint8), steps, zeros)

    def norm(self, scale: Floats, shift: Floats, epsilon: float) -> Step:
        scale, shift = np.array(scale), np.array(shift)
        small = np.float32(epsilon)

        def normed(x: Floats) -> Floats:
            y = np.empty(x.shape, np.float32)
            width = x.shape[-1]
            self._loops.normalise(x.reshape(-1, width), scale, shift, small, y.reshape(-1, width))
            return y

        return normed

    def attended(self, qkv: Floats, spans: Sequence[slice], heads: int, *, causal: bool) -> Floats:
        n, width = qkv.shape[0], qkv.shape[1] // 3
        by_head = qkv.reshape(n, 3, heads, width // heads)
        attended = np.empty((n, heads, width // heads), np.float32)
        by_head[:, 0] *= np.float32((width // heads) ** -0.5)
        for span in spans:
            q, k, v = by_head[None, span].transpose(2, 0, 3, 1, 4)  # (1, heads, tokens, w)
            self._loops.attend(q, k, v, causal, attended[None, span])
        return attended.reshape(n, width)

    def by_head(self, joined: Floats, n: int, heads: int, width: int) -> Floats:
        shape = n, len(joined) // n, joined.shape[1] // width, heads, width // heads
        by_head: Floats = joined.reshape(shape).transpose(2, 0, 3, 1, 4)
        return by_head

    def attention(self, q: Floats, k: Floats, v: Floats) -> Floats:
        n, heads, _, width = v.shape
        out = np.empty((n, q.shape[2], heads, width), np.float32)
        self._loops.attend(q, k, v, False, out)
        return out.reshape(-1, heads * width)
