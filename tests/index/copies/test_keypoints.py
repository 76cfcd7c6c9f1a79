"""The loops that find keypoints, beside the same in plain numpy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from index.copies import keypoints, loops

NEVER_AN_EDGE = 1e9  # the ratio of a blob's curvatures, however long it is


@pytest.mark.parametrize("shape", [(16, 16), (17, 40), (61, 23)])
@pytest.mark.parametrize("kernel", keypoints.KERNELS, ids=len)
def test_a_blur_is_the_convolution_in_both_directions(
    shape: tuple[int, int], kernel: np.ndarray
) -> None:
    image = np.random.default_rng(1).uniform(0, 255, shape).astype(np.float32)
    made = np.empty_like(image)
    loops.convolve(image, kernel, made)
    padded = np.pad(image, len(kernel) // 2, mode="edge")
    wanted = sliding_window_view(padded, (len(kernel), len(kernel))) @ kernel @ kernel
    np.testing.assert_allclose(made, wanted, rtol=1e-5)


def test_extremes_are_above_or_below_all_their_neighbours() -> None:
    layers = np.random.default_rng(2).normal(0, 4, (4, 21, 38)).astype(np.float32)
    layers[:, :10] += 30.0
    layers[:, 10:] -= 30.0
    layers[:3, 4:7, 30:33], layers[1, 5, 31] = 95.0, 90.0  # a valley above zero
    layers[1:, 14:17, 30:33], layers[2, 15, 31] = -95.0, -90.0  # a hill below zero
    layers[1, 5, 9] = layers[1, 5, 10] = 90.0  # equal neighbours: neither is above the other
    least, margin = 38.0, 2
    out = np.empty((2000, 4), np.float32)
    count = loops.find_extremes(layers, least, NEVER_AN_EDGE, margin, out)
    found = {tuple(np.rint(row[[2, 1, 0]]).astype(int)) for row in out[:count]}
    assert count == len(found) > 10
    places = itertools.product(range(1, 3), range(margin, 21 - margin), range(margin, 38 - margin))
    assert found == {place for place in places if _stands_out(layers, place, least)}


def _stands_out(layers: np.ndarray, place: tuple[int, int, int], least: float) -> bool:
    """Whether a value is an extreme, and neither a saddle nor flat in its own layer."""
    n, y, x = place
    block = layers[n - 1 : n + 2, y - 1 : y + 2, x - 1 : x + 2]
    value, others = block[1, 1, 1], np.delete(block.ravel(), 13)
    flat = block[1]
    dxx, dyy = flat[1, 0] + flat[1, 2] - 2 * value, flat[0, 1] + flat[2, 1] - 2 * value
    dxy = 0.25 * (flat[2, 2] + flat[0, 0] - flat[2, 0] - flat[0, 2])
    if abs(value) < least or dxx * dyy <= dxy * dxy:
        return False
    return bool((value > others).all() if value > 0 else (value < others).all())
