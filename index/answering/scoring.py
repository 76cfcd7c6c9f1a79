"""The score of a candidate for a query of several parts.

Each part's similarities are made comparable by how they spread over the gallery (a z-score), and
then combined. Measured on the demo's pictures, that ranks better than one vector mixed of all
parts, for a picture with words as well as for what is unwanted (`bench query`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from index.types.query import QueryEmbedding, middle
from index.types.records import Floats

# The least deviation that a part's similarities are taken to have: in a gallery of one picture, or
# of pictures that are all alike, they have none.
LEAST_DEVIATION = 0.01
# How far a hit of which more is wanted pulls, and one of which less is wanted pushes, against the
# words, which pull with 1.
MORE_WEIGHT, LESS_WEIGHT = 0.5, 0.5
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


def scores(embedding: QueryEmbedding, vectors: Floats, sample: Floats) -> NDArray[np.float64]:
    """(n,) how well each row fits: for a query of one part its cosine similarity, else a score
    that is spread as the similarities of its first part are.

    vectors  (n, d) unit rows    sample  (s, d) rows from all that may answer
    source   sum, product and difference of z-scores: measured by `bench query`
    """
    first, *others = embedding.wanted
    steering = any(map(len, (embedding.minus, embedding.more, embedding.less)))
    if not others and not steering:
        return _similarities(vectors, first)
    z = _z(first, vectors, sample)
    for other in others:
        # The product falls to 0 where either part doesn't fit at all.
        z = np.sqrt(np.maximum(z, 0) * np.maximum(_z(other, vectors, sample), 0))
    for unwanted in embedding.minus:
        z -= np.maximum(_z(unwanted, vectors, sample), 0)
    for weight, examples in ((MORE_WEIGHT, embedding.more), (-LESS_WEIGHT, embedding.less)):
        if len(examples):
            z += weight * np.mean([_z(one, vectors, sample) for one in examples], axis=0)
    mean, deviation = _spread(first, sample)
    return np.asarray(mean + deviation * z)


def _z(part: Floats, vectors: Floats, sample: Floats) -> NDArray[np.float64]:
    """(n,) how many deviations the rows are more like this part than the gallery is."""
    mean, deviation = _spread(part, sample)
    return (_similarities(vectors, part) - mean) / deviation


def _spread(part: Floats, sample: Floats) -> tuple[float, float]:
    """Mean and standard deviation of the gallery's similarities with this part."""
    similarities = _similarities(sample, part)
    if not len(similarities):
        return 0.0, LEAST_DEVIATION
    return float(similarities.mean()), max(float(similarities.std()), LEAST_DEVIATION)


def _similarities(vectors: Floats, part: Floats) -> NDArray[np.float64]:
    return (vectors @ part).astype(np.float64)
