"""Whether an answer is more than chance: a gallery always has a best picture, even for a query that
none of its pictures fits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.types.query import QueryEmbedding
from index.types.records import Floats, Verdict

FEWEST_TO_JUDGE = 12
MAD_TO_SIGMA = 1.4826  # median absolute deviation to standard deviation, of a normal distribution


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What is said about c candidates, best first.

    passes    (c,) whether it belongs in the answer
    sure      (c,) whether it surely fits
    verdict   about the answer as a whole
    concepts  what the model sees in each of them
    """

    passes: NDArray[np.bool_]
    sure: NDArray[np.bool_]
    verdict: Verdict
    concepts: Sequence[tuple[str, ...]]


class Judge(Protocol):
    """Tells which candidates fit a query."""

    def __call__(
        self,
        embedding: QueryEmbedding,
        vectors: Floats,
        scores: NDArray[np.float64],
        sample: Floats,
    ) -> Judgement:
        """The judgement of these candidates.

        vectors  (c, d) unit rows    scores  (c,) of `scoring.scores`, descending
        sample   (s, d) rows from all that may answer
        """


def by_spread(
    embedding: QueryEmbedding,
    vectors: Floats,
    scores: NDArray[np.float64],
    sample: Floats,
) -> Judgement:
    """The judgement by how far the best candidate stands out of the gallery, and nothing else."""
    count = len(vectors)
    similarities = np.append(sample @ embedding.vector, vectors @ embedding.vector)
    stands = stands_out(similarities)
    verdict = Verdict.SURE if stands else Verdict.UNSURE
    return Judgement(np.ones(count, bool), np.full(count, stands), verdict, [()] * count)


def stands_out(scores: Floats, best: float | None = None, count: int | None = None) -> bool:
    """Whether the best score is greater than the best of as many unrelated pictures would be.

    The scores of unrelated pictures are distributed like a bell around their median. Deviations are
    taken by the median too, so that pictures that do fit don't raise the bar for themselves. The
    judgement is wrong for a gallery of which half fits. Fewer than FEWEST_TO_JUDGE scores can't
    be judged, and the result is True.

    best, count  of all rows, where `scores` is a sample of them
    source   extreme value theory: the greatest of n normal numbers lies about
             t - (ln ln n + ln 4π) / 2t deviations above their middle, t = sqrt(2 ln n)
    """
    n = len(scores) if count is None else count
    if n < FEWEST_TO_JUDGE or not len(scores):
        return n > 0
    middle = _median(scores)
    deviation = MAD_TO_SIGMA * _median(np.abs(scores - middle))
    t = math.sqrt(2 * math.log(n))
    by_chance = t - (math.log(math.log(n)) + math.log(4 * math.pi)) / (2 * t)
    best = float(scores.max()) if best is None else best
    return bool(best - middle > by_chance * deviation)


def _median(values: Floats) -> float:
    """The median. numpy's own function takes ten times as long for a few hundred values."""
    low, high = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, (low, high))
    return float(ordered[low] + ordered[high]) / 2
