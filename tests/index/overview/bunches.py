"""Vectors in bunches: each of a direction of its own, beside a part that all have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.types.records import Floats

DIMENSION = 64


def bunches(sizes: Sequence[int], *, seed: int = 1, noise: float = 0.4) -> Floats:
    """(n, DIMENSION) unit rows, bunch after bunch."""
    random = np.random.default_rng(seed)
    basis = np.linalg.qr(random.standard_normal((DIMENSION, DIMENSION)))[0]
    rows = np.concatenate([np.tile(basis[1 + n], (size, 1)) for n, size in enumerate(sizes)])
    own = random.standard_normal(rows.shape) * noise / np.sqrt(DIMENSION) * 2
    return unit(rows + own + 0.8 * basis[0])


def unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
