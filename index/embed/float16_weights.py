"""The arithmetic of the text tower on weights in float16, for processors without bfloat16."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from index.embed.geometry import Pair, joined
from index.embed.text_tower import InNumpy
from index.types.records import Floats


class OnFloat16Weights(InNumpy):
    """The arithmetic of `text_tower` whose weights are kept in float16.

    Make the products in the order in which they will be used: their weights then lie in that order.
    """

    def __init__(self) -> None:
        from index.embed import float16_products

        self._loops = float16_products
        self._room = float16_products.Room()

    def linear(self, pairs: Sequence[Pair]) -> Callable[[Floats], Floats]:
        return self.product(joined(pairs))

    def product(self, pair: Pair) -> Callable[[Floats], Floats]:
        """(n, in) → (n, out) float32."""
        weight, bias = pair
        packed = self._loops.pack(weight, self._room)
        added = np.zeros(len(weight), np.float32) if bias is None else np.ascontiguousarray(bias)

        def product(x: Floats) -> Floats:
            y = np.empty((len(x), len(added)), np.float32)
            self._loops.multiply(x, packed, added, y)
            return y

        return product

    def norm(self, scale: Floats, shift: Floats, epsilon: float) -> Callable[[Floats], Floats]:
        scale, shift = np.array(scale), np.array(shift)
        small = np.float32(epsilon)

        def normed(x: Floats) -> Floats:
            y = np.empty_like(x)
            self._loops.normalise(x, scale, shift, small, y)
            return y

        return normed
