"""The scores of candidates for a query of one part, or of several."""

from __future__ import annotations

import numpy as np
import pytest

from index import QueryEmbedding
from index.answering.scoring import Spreads, probes, scores
from index.types.query import middle
from index.types.records import Floats
from tests.index.search.oracle import unit

DOG, SNOW, NIGHT, REST = np.eye(16, dtype=np.float32)[:4]


def shown(*things: Floats) -> Floats:
    """A picture that shows these things, and much else."""
    return middle(np.stack([*things, 2 * REST]))


@pytest.fixture
def sample() -> Floats:
    """A gallery that shows each of the things now and then."""
    rng = np.random.default_rng(1)
    parts = (rng.random((200, 3)) < 0.2) @ np.stack([DOG, SNOW, NIGHT])
    rows = parts.astype(np.float32) + 2 * REST + 0.8 * unit(rng, 200)
    unit_rows: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit_rows


def order(embedding: QueryEmbedding, pictures: dict[str, Floats], sample: Floats) -> list[str]:
    fits = scores(embedding, np.stack([*pictures.values()]), Spreads.of(embedding, sample))
    return sorted(pictures, key=lambda name: -fits[list(pictures).index(name)])


def test_scores_of_a_query_of_one_part_are_cosines(sample: Floats) -> None:
    rng = np.random.default_rng(2)
    vectors, (query,) = unit(rng, 50), unit(rng, 1)
    for embedding in (QueryEmbedding(words=query), QueryEmbedding(picture=query)):
        found = scores(embedding, vectors, Spreads.of(embedding, sample))
        assert np.allclose(found, vectors.astype(np.float64) @ query, atol=1e-6)


def test_a_picture_with_words_finds_what_fits_both(sample: Floats) -> None:
    pictures = {"dog": shown(DOG), "snow": shown(SNOW), "both": shown(DOG, SNOW), "none": REST}
    both = QueryEmbedding(words=SNOW, picture=DOG)
    assert order(both, pictures, sample)[0] == "both"
    assert order(both, pictures, sample)[-1] == "none"


def test_what_is_unwanted_comes_behind_what_is_not_there(sample: Floats) -> None:
    pictures = {"in snow": shown(DOG, SNOW), "at night": shown(DOG, NIGHT), "alone": shown(DOG)}
    less = QueryEmbedding(words=DOG, minus=SNOW[None])
    assert order(less, pictures, sample) == ["alone", "at night", "in snow"]
    # That a picture is most unlike what is unwanted is no merit.
    off = {"alone": shown(DOG), "the other way": middle(np.stack([DOG, 2 * REST, -0.5 * SNOW]))}
    assert order(less, off, sample)[0] == order(QueryEmbedding(words=DOG), off, sample)[0]


def test_more_like_a_hit_is_more_of_what_else_it_shows(sample: Floats) -> None:
    pictures = {"alone": shown(DOG), "in snow": shown(DOG, SNOW), "at night": shown(DOG, NIGHT)}
    more = QueryEmbedding(words=DOG, more=shown(DOG, SNOW)[None])
    assert order(more, pictures, sample)[0] == "in snow"


def test_a_click_does_not_drift_from_the_words(sample: Floats) -> None:
    """What shows all of a hit but not what was asked stays behind what was asked."""
    pictures = {"dog": shown(DOG), "snow at night": shown(SNOW, NIGHT)}
    hit = shown(DOG, SNOW, NIGHT)[None]
    assert order(QueryEmbedding(words=DOG, more=hit), pictures, sample)[0] == "dog"


def test_less_like_a_hit_does_not_push_away_what_was_asked(sample: Floats) -> None:
    """A hit and the others have in common that they fit the words. That isn't held against them."""
    pictures = {"alone": shown(DOG), "in snow": shown(DOG, SNOW), "snow": shown(SNOW), "-": REST}
    less = QueryEmbedding(words=DOG, less=shown(DOG, SNOW)[None])
    assert order(less, pictures, sample)[0] == "alone"
    alone = QueryEmbedding(words=DOG)
    spread = Spreads.of(less, sample)
    fits = scores(less, shown(DOG)[None], spread)
    assert fits == pytest.approx(scores(alone, shown(DOG)[None], spread), abs=1e-6)


def test_there_are_candidates_without_what_is_unwanted() -> None:
    wanted, *others = probes(QueryEmbedding(words=DOG, minus=SNOW[None], more=NIGHT[None]))
    assert np.array_equal(wanted, DOG)
    assert [float(one @ SNOW) < 0 for one in others] == [True, False]
    assert [float(one @ NIGHT) > 0 for one in others] == [False, True]
