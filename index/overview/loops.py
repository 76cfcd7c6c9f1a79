"""The loops of the layout, as machine code. Imported where they are needed, since the compiler
takes half a second to load."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.compiled import compiled
from index.types.records import Floats

# As in the first program for t-SNE, but its step is the number of pictures (Belkina and others,
# 2019), divided by STEP_SHARE.
EARLY_STEPS, EARLY_MOMENTUM, MOMENTUM = 50, 0.5, 0.8
GAIN_UP, GAIN_DOWN, LEAST_GAIN = 0.2, 0.8, 0.01
STEP_SHARE, LEAST_STEP = 4.0, 50.0


class State(NamedTuple):
    """Where the n pictures are, how they move, and how eagerly; each (n, 2) and changed in
    place."""

    places: Floats
    moves: Floats
    gains: Floats


class Edges(NamedTuple):
    """Which pictures belong together: those of picture i are at starts[i]:starts[i + 1]."""

    starts: NDArray[np.int64]  # (n + 1,)
    others: NDArray[np.int64]
    weights: Floats


@compiled
def improve(state: State, edges: Edges, first: int, steps: int) -> None:
    """Some steps down the gradient of t-SNE's cost; `first` is the number of the first one."""
    places, moves, gains = state.places, state.moves, state.gains
    n = len(places)
    apart = np.zeros((n, 2), np.float32)
    rate = max(n / STEP_SHARE, LEAST_STEP)
    for step in range(first, first + steps):
        momentum = EARLY_MOMENTUM if step < EARLY_STEPS else MOMENTUM
        total = 0.0
        for i in range(n):
            x, y = places[i, 0], places[i, 1]
            push_x, push_y, sum_ = np.float32(0), np.float32(0), np.float32(0)
            for j in range(n):
                dx, dy = x - places[j, 0], y - places[j, 1]
                near = np.float32(1) / (np.float32(1) + dx * dx + dy * dy)
                sum_ += near
                push_x += near * near * dx
                push_y += near * near * dy
            apart[i, 0], apart[i, 1] = push_x, push_y
            total += float(sum_) - 1
        total = max(total, 1e-12)
        for i in range(n):
            pull_x, pull_y = 0.0, 0.0
            for edge in range(edges.starts[i], edges.starts[i + 1]):
                j = edges.others[edge]
                dx, dy = places[i, 0] - places[j, 0], places[i, 1] - places[j, 1]
                force = edges.weights[edge] / (1 + dx * dx + dy * dy)
                pull_x += force * dx
                pull_y += force * dy
            for axis in range(2):
                pull = pull_x if axis == 0 else pull_y
                slope = 4 * (pull - apart[i, axis] / total)
                opposed = slope * moves[i, axis] < 0
                gain = gains[i, axis] + GAIN_UP if opposed else gains[i, axis] * GAIN_DOWN
                gains[i, axis] = max(LEAST_GAIN, gain)
                moves[i, axis] = momentum * moves[i, axis] - rate * gains[i, axis] * slope
        for i in range(n):
            places[i, 0] += moves[i, 0]
            places[i, 1] += moves[i, 1]
