"""The score of a candidate for a query of several parts.

Each part's similarities are made comparable by how they spread over the gallery (a z-score), and
then combined. Measured on the demo's pictures, that ranks better than one vector mixed of all
parts, for a picture with words as well as for what is unwanted (`bench query`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.types.query import QueryEmbedding, middle
from index.types.records import Floats

# The least deviation that a part's similarities are taken to have: in a gallery of one picture, or
# of pictures that are all alike, they have none.
LEAST_DEVIATION = 0.01
# How far hits of which more is wanted pull, against the words, which pull with 1. With more than
# half, what they show beside what was asked begins to count (`bench query`).
MORE_WEIGHT = 0.5
# How much it counts against a row that it is more like a hit of which less is wanted than like the
# words. It may well be like both: such a hit was found for these words.
LESS_WEIGHT = 0.5
# The share of what is unwanted that is taken out of a vector to find candidates without it.
MINUS_SHARE = 0.5


def probes(embedding: QueryEmbedding) -> Floats:
    """(p, d) unit vectors whose nearest rows are the candidates of a query."""
    wanted = [*embedding.wanted]
    if len(wanted) > 1:
        wanted.append(embedding.vector)
    anchor = embedding.vector
    if len(embedding.minus):
        wanted.append(middle(np.stack([anchor, -MINUS_SHARE * middle(embedding.minus)])))
    if len(embedding.more):
        wanted.append(middle(np.stack([anchor, middle(embedding.more)])))
    return np.stack(wanted)


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation of a gallery's similarities with a part of a query."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, part: Floats, sample: Floats) -> Spread:
        if not len(sample):
            return cls(0.0, LEAST_DEVIATION)
        similarities = sample @ part
        return cls(float(similarities.mean()), max(float(similarities.std()), LEAST_DEVIATION))


@dataclass(frozen=True, slots=True)
class Spreads:
    """How the gallery spreads for each part of a query.

    The scores of a query depend on nothing else that changes. So its pages fit together while links
    come and go, as long as all of them are ranked with the same spreads.
    """

    wanted: tuple[Spread, ...]
    minus: tuple[Spread, ...]
    more: tuple[Spread, ...]
    less: tuple[Spread, ...]

    @classmethod
    def of(cls, embedding: QueryEmbedding, sample: Floats) -> Spreads:
        """sample  (s, d) rows from all that may answer"""
        return cls(
            *(
                tuple(Spread.of(part, sample) for part in parts)
                for parts in (embedding.wanted, embedding.minus, embedding.more, embedding.less)
            )
        )


def scores(embedding: QueryEmbedding, vectors: Floats, spreads: Spreads) -> NDArray[np.float64]:
    """(n,) how well each row fits: for a query of one part its cosine similarity, else a score
    that is spread as the similarities of its first part are.

    vectors  (n, d) unit rows
    source   product and difference of z-scores: measured by `bench query`
    """
    if not is_combined(embedding):
        return _similarities(vectors, embedding.wanted[0])
    fit, *others = _z_scores(embedding.wanted, spreads.wanted, vectors)
    for other in others:
        # The product falls to 0 where either part doesn't fit at all.
        fit = np.sqrt(np.maximum(fit, 0) * np.maximum(other, 0))
    score = fit.copy()
    for unwanted in _z_scores(embedding.minus, spreads.minus, vectors):
        score -= np.maximum(unwanted, 0)
    if len(embedding.more):
        score += MORE_WEIGHT * np.mean(_z_scores(embedding.more, spreads.more, vectors), axis=0)
    if len(embedding.less):
        like = np.mean(_z_scores(embedding.less, spreads.less, vectors), axis=0)
        score -= LESS_WEIGHT * np.maximum(like - fit, 0)
    first = spreads.wanted[0]
    return np.asarray(first.mean + first.deviation * score)


def is_combined(embedding: QueryEmbedding) -> bool:
    """Whether a query has several parts, whose similarities are combined."""
    steering = any(map(len, (embedding.minus, embedding.more, embedding.less)))
    return len(embedding.wanted) > 1 or steering


def _z_scores(
    parts: Iterable[Floats], spreads: Sequence[Spread], vectors: Floats
) -> list[NDArray[np.float64]]:
    """For each part, (n,) how many deviations the rows are more like it than the gallery is."""
    return [
        (_similarities(vectors, part) - spread.mean) / spread.deviation
        for part, spread in zip(parts, spreads, strict=True)
    ]


def _similarities(vectors: Floats, part: Floats) -> NDArray[np.float64]:
    """(n,) cosines, exact: a row has the same one whatever rows are compared beside it. A product
    of matrices adds up in another order for another number of rows."""
    similarities: NDArray[np.float64] = (vectors.astype(np.float64) * part).sum(axis=1)
    return similarities
