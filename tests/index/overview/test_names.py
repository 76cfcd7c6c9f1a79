"""Names of clusters, from a background in which each word has a direction of its own."""

from __future__ import annotations

import numpy as np

from index.answering.background import Background
from index.overview.names import names
from index.types.records import Floats

DIMENSION = 128
WORDS = ("animal", "dog", "puppy", "cat", "beach", "seaside", "xylophonist", "landscape", "snow")
OTHERS = tuple(f"word {n}" for n in range(80))
AXES = np.eye(DIMENSION, dtype=np.float32)
DOG, CAT, BEACH, SNOW, RARE, COMMON, TEXTS = AXES[:7]


def unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def background() -> Background:
    rows = [0.5 * DOG + 0.5 * CAT + 0.2 * AXES[9], DOG, DOG + 0.2 * CAT, CAT, BEACH]
    rows += [BEACH + 0.2 * SNOW, RARE, SNOW + 0.05 * AXES[9], SNOW, *AXES[10 : 10 + len(OTHERS)]]
    words = (*WORDS, *OTHERS)
    kinds = np.array([word in ("animal", "landscape") for word in words])
    whole = np.array([word != "xylophonist" for word in words])
    return Background(words, kinds, unit(np.stack(rows) + TEXTS), whole, 30.0)


def shown(*parts: Floats, count: int = 30) -> Floats:
    own = np.random.default_rng(int(1000 * np.sum(parts[0][:5] * np.arange(1, 6)))).standard_normal(
        (count, DIMENSION)
    )
    return unit(np.sum(parts, axis=0) + 0.5 * COMMON + own * 0.3 / np.sqrt(DIMENSION))


def named(*clusters: Floats) -> list[tuple[str, ...]]:
    of = np.concatenate([np.full(len(one), n) for n, one in enumerate(clusters)])
    return names(np.concatenate(clusters), of, background(), lambda: None)


def test_a_cluster_is_named_by_what_is_seen_in_its_pictures() -> None:
    assert named(shown(DOG), shown(CAT), shown(BEACH))[1] == ("cat",)


def test_no_two_names_mean_the_same() -> None:
    found = named(shown(DOG), shown(CAT), shown(BEACH), shown(BEACH, 0.2 * SNOW))
    said = [word for name in found for word in name]
    assert len(said) == len(set(said))
    assert not {"dog", "puppy"} <= set(said)
    assert not {"beach", "seaside"} <= set(said)


def test_a_cluster_of_all_sorts_of_things_has_no_name() -> None:
    assorted = np.concatenate([shown(axis, count=1) for axis in AXES[20:60]])
    assert named(shown(DOG), assorted)[1] == ()


def test_what_all_clusters_show_names_none_of_them() -> None:
    assert named(shown(BEACH, count=30), shown(BEACH, 0.05 * SNOW, count=30)) == [(), ()]


def test_a_word_that_the_model_spells_is_never_said() -> None:
    assert named(shown(RARE), shown(CAT))[0] == ()


def test_two_subjects_may_name_a_cluster() -> None:
    both = np.concatenate([shown(DOG, count=20), shown(CAT, count=20)])
    [first, _] = named(both, shown(BEACH))
    assert first == ("animal",) or set(first) in ({"dog", "cat"}, {"puppy", "cat"})


def test_a_thing_names_a_cluster_before_its_kind() -> None:
    assert named(shown(SNOW), shown(CAT))[0] == ("snow",)


def test_what_few_pictures_of_a_cluster_show_is_not_in_its_name() -> None:
    """A fifth of them are of a beach."""
    mixed = np.concatenate([shown(CAT, count=24), shown(BEACH, count=6)])
    assert named(mixed, shown(SNOW))[0] == ("cat",)
