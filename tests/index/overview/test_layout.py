"""The map: whether like lies by like, and stays where it was."""

from __future__ import annotations

import numpy as np

from index.overview.clusters import directions
from index.overview.layout import laid_out
from index.types.records import Floats
from tests.index.overview.bunches import bunches


def pictures(sizes: list[int], noise: float = 0.7) -> Floats:
    vectors = bunches(sizes, noise=noise)
    return directions(vectors, vectors.mean(axis=0))


def on_a_map(vectors: Floats) -> Floats:
    return laid_out(vectors, lambda: None)


def test_pictures_of_a_bunch_lie_together() -> None:
    sizes = [40, 40, 40, 40]
    places = on_a_map(pictures(sizes)).reshape(4, 40, 2)
    middles = places.mean(axis=1)
    width = np.linalg.norm(places - middles[:, None], axis=2).mean()
    apart = np.linalg.norm(middles[:, None] - middles, axis=2)[np.triu_indices(4, 1)].min()
    assert apart > 3 * width


def test_all_places_are_on_the_map() -> None:
    for sizes in ([1], [2], [9], [30, 3]):
        places = on_a_map(pictures(sizes))
        assert places.shape == (sum(sizes), 2)
        assert places.min() >= 0
        assert places.max() <= 1


def test_in_what_pictures_do_not_differ_they_are_in_the_middle() -> None:
    """One picture is not in a corner, and two are on a line."""
    assert on_a_map(pictures([1])).tolist() == [[0.5, 0.5]]
    assert on_a_map(pictures([2]))[:, 1].tolist() == [0.5, 0.5]


def test_a_few_new_pictures_do_not_turn_the_map_over() -> None:
    vectors = pictures([40, 30, 50, 20, 35])
    kept = np.delete(np.arange(len(vectors)), np.arange(0, len(vectors), 20))
    before, after = on_a_map(vectors[kept]), on_a_map(vectors)[kept]
    size = np.linalg.norm(after - after.mean(axis=0), axis=1).mean()
    assert np.linalg.norm(before - after, axis=1).mean() < 0.3 * size
