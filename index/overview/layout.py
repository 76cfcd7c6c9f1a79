"""Pictures → places on a map, on which pictures that look alike lie together.

It is t-SNE with all pairs, begun at the principal components. The first two directions in which the
pictures differ give the map its large shape; what follows only sorts it out nearby. So a few new
pictures don't turn the map over, and the same pictures make the same map.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from index.types.records import Floats

# Pictures that each picture shall lie by.
NEIGHBOURS = 15
STEPS, STEPS_AT_ONCE = 250, 25
# How far the places are from each other at the beginning: their deviation.
BEGINNING = 1.0
# Places that are less than this apart differ by rounding alone: they are in the middle.
FLAT = 1e-5


def laid_out(pictures: Floats, check: Callable[[], None]) -> Floats:
    """(n, 2) places, each coordinate from 0 to 1.

    pictures  (n, d) unit rows; all pairs are compared, so n is at most some thousand
    check     called now and then; what it raises ends the work
    source    t-SNE (van der Maaten and Hinton, 2008) with the neighbours of UMAP (McInnes and
              others, 2018), begun at the principal components (Kobak and Berens, 2019)
    """
    places = _principal(pictures)
    if len(pictures) > NEIGHBOURS:
        from index.overview import loops

        weights = _weights(pictures)
        rows, columns = np.nonzero(weights)
        starts = np.searchsorted(rows, np.arange(len(pictures) + 1))
        state = loops.State(
            places.astype(np.float32) * np.float32(BEGINNING / max(float(places.std()), 1e-12)),
            np.zeros_like(places),
            np.ones_like(places),
        )
        edges = loops.Edges(starts, columns, weights[rows, columns])
        for step in range(0, STEPS, STEPS_AT_ONCE):
            check()
            loops.improve(state, edges, step, STEPS_AT_ONCE)
        places = state.places
    low, high = places.min(axis=0), places.max(axis=0)
    flat = high - low < FLAT
    scaled: Floats = np.where(flat, 0.5, (places - low) / np.where(flat, 1, high - low))
    return scaled.astype(np.float32)


def warm() -> None:
    """Load the loop of the layout from the disk, in a second, or compile it."""
    few = np.eye(NEIGHBOURS + 1, dtype=np.float32)
    laid_out(few, lambda: None)


def _principal(pictures: Floats) -> Floats:
    """(n, 2) the two principal components. The sign of each is the one of its greater end, so that
    it doesn't depend on chance."""
    rest = pictures - pictures.mean(axis=0)
    _, axes = np.linalg.eigh(rest.T @ rest)
    components = rest @ axes[:, :-3:-1]
    signs = np.sign((components**3).sum(axis=0))
    found: Floats = (components * np.where(signs == 0, 1, signs)).astype(np.float32)
    return found


def _weights(pictures: Floats) -> Floats:
    """(n, n) how much each pair of pictures belongs together; 1 in all, 0 for most pairs.

    The most similar neighbour counts fully, others less as they are farther.
    """
    away = 1 - pictures @ pictures.T
    np.fill_diagonal(away, np.inf)
    near = np.argpartition(away, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    far = np.take_along_axis(away, near, axis=1)
    far -= far.min(axis=1, keepdims=True)
    mine = np.exp(-far / np.maximum(far.mean(axis=1, keepdims=True), np.float32(1e-6)))
    weights = np.zeros_like(away)
    np.put_along_axis(weights, near, mine, axis=1)
    weights = weights + weights.T - weights * weights.T  # either may count the other
    total: Floats = weights / weights.sum()
    return total
