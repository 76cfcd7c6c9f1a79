"""Clusters of vectors whose bunches are known."""

from __future__ import annotations

import numpy as np
import pytest

from index.overview.clusters import FEWEST, clustered, directions, distinct, nearest
from index.types.records import Floats
from tests.index.overview.bunches import bunches, unit


def of(vectors: Floats) -> list[int]:
    pictures = directions(vectors, vectors.mean(axis=0))
    return nearest(pictures, clustered(pictures, lambda: None)).tolist()


@pytest.mark.parametrize("sizes", [[30, 30], [40, 20, 10], [25, 50, 12, 30, 18, 40, 22]])
def test_each_bunch_is_a_cluster(sizes: list[int]) -> None:
    """Their number comes from the vectors."""
    found = of(bunches(sizes))
    ends = np.cumsum(sizes)
    parts = [set(found[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
    assert all(len(part) == 1 for part in parts)
    assert len(set.union(*parts)) == len(sizes)


def test_a_few_new_pictures_move_hardly_any_other() -> None:
    vectors = bunches([60, 40, 30, 50, 20], noise=0.9)
    kept = np.delete(np.arange(len(vectors)), np.arange(0, len(vectors), 20))
    before, after = np.array(of(vectors[kept])), np.array(of(vectors))[kept]
    together_before = before[:, None] == before
    together_after = after[:, None] == after
    assert (together_before == together_after).mean() > 0.97


def test_the_same_pictures_make_the_same_clusters() -> None:
    vectors = bunches([20, 20, 20], noise=1.5)
    assert of(vectors) == of(vectors.copy())


def test_near_copies_are_found_and_look_alikes_are_not() -> None:
    vectors = bunches([5, 5])
    random = np.random.default_rng(2)
    copies = unit(vectors[[3] * 50] + 0.002 * random.standard_normal((50, vectors.shape[1])))
    assert distinct(np.concatenate([vectors, copies])).tolist() == [True] * 10 + [False] * 50


def test_a_handful_of_pictures_is_one_cluster() -> None:
    assert set(of(bunches([FEWEST - 1, FEWEST - 1]))) == {0}
    assert of(bunches([1])) == [0]


def test_pictures_of_one_vector_are_one_cluster() -> None:
    assert set(of(bunches([1])[[0] * 40])) == {0}
