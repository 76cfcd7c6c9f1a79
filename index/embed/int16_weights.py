"""The arithmetic of both towers in integers of 16 bits, for processors without bfloat16."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.embed.geometry import Pair, joined
from index.embed.in_numpy import InNumpy, Step
from index.types.records import Floats


class OnInt16Weights(InNumpy):
    """The arithmetic of both towers whose products are of integers of 16 bits.

    Make the products in the order in which they will be used: their weights then lie in that order.
    """

    def __init__(self) -> None:
        from index.embed import int16_products

        self._loops = int16_products
        self._room = int16_products.Room()

    def linear(self, pairs: Sequence[Pair], *, narrow: bool = False) -> Step:
        return self.product(joined(pairs))

    def product(self, pair: Pair) -> Step:
        """(n, in) → (n, out) float32."""
        weight, bias = pair
        packed, steps = self._loops.pack(weight, self._room)
        added = np.zeros(len(weight), np.float32) if bias is None else np.array(bias, np.float32)

        def product(x: Floats) -> Floats:
            # An odd number of inputs is filled up by one that is multiplied with zeros.
            rounded = np.empty((len(x), 2 * packed.shape[1]), np.int16)
            steps_of_x, y = np.empty(len(x), np.float32), np.empty((len(x), len(added)), np.float32)
            self._loops.in_steps(np.ascontiguousarray(x), rounded, steps_of_x)
            self._loops.multiply(rounded, steps_of_x, packed, steps, added, y)
            return y

        return product

    def norm(self, scale: Floats, shift: Floats, epsilon: float) -> Step:
        scale, shift = np.array(scale), np.array(shift)
        small = np.float32(epsilon)

        def normed(x: Floats) -> Floats:
            y = np.empty(x.shape, np.float32)
            width = x.shape[-1]
            self._loops.normalise(x.reshape(-1, width), scale, shift, small, y.reshape(-1, width))
            return y

        return normed
