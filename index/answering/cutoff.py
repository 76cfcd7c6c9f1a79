"""Whether an answer is more than chance: a gallery always has a best picture, even for a query that
none of its pictures fits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from index.answering.background import Background, Bools
from index.types.query import QueryEmbedding
from index.types.records import Floats, Verdict

# Candidates that are compared with the background. With more, the figures of `bench honesty` stay
# the same, and an answer takes longer.
JUDGED = 8
# The odds that a picture must have of showing what was asked: the square root of the gallery's
# size, divided by this. Measured with the pocket model, on galleries of 12 to 10,000 pictures.
ROOT_TO_ODDS = 80
MOST_SEARCHED = 100_000  # a greater gallery needs no more
# For each further part of the words, the odds may be this many times less. With 6, a subject with
# its place is kept as often as without it, within .05; with 2, within .08.
PART_EASES = 6.0
# How many times these odds make it sure. With 2, .97 of the sure hits are right; .04 of the
# subjects that a gallery lacks get one.
SURE_TIMES = 2.0
# Beside a picture that fits, one of the first candidates is let in with so many times less.
COMPANY_EASES = 8.0
# How far up from the gallery's middle to the candidates that fit another one must be.
PASSING_SHARE, SURE_SHARE = 0.7, 0.85
CLOSE_LOGITS = 1.0  # a candidate that is at most this much worse passes in any case
FEWEST_TO_JUDGE = 12
MAD_TO_SIGMA = 1.4826  # median absolute deviation to standard deviation, of a normal distribution


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What is said about c candidates, best first.

    passes    (c,) whether it belongs in the answer
    sure      (c,) whether it surely fits
    verdict   about the answer as a whole
    """

    passes: Bools
    sure: Bools
    verdict: Verdict


class Judge(Protocol):
    """Tells which candidates fit a query."""

    def __call__(
        self, embedding: QueryEmbedding, vectors: Floats, sample: Floats, searched: int
    ) -> Judgement:
        """The judgement of these candidates.

        vectors  (c, d) unit rows, the best candidate first
        sample   (s, d) rows from all that may answer    searched  how many those are
        """


def by_background(
    embedding: QueryEmbedding,
    vectors: Floats,
    sample: Floats,
    searched: int,
    *,
    background: Background,
) -> Judgement:
    """The judgement of words by a background: what they say fits a picture better than other words.

    Each part of the words must fit the same picture. The first candidates are compared with the
    background. If one of them fits, others fit that are nearly as similar to each part.
    """
    if embedding.words is None:
        return by_spread(embedding, vectors, sample, searched)
    count = len(vectors)
    parts = embedding.parts if len(embedding.parts) else embedding.words[None]
    fit = background.fit(parts, vectors[:JUDGED]).min(axis=0)
    odds = fit / np.maximum(1 - fit, np.float32(1e-9))
    needed = needed_odds(searched, len(parts))
    fits, surely = odds > needed, odds > SURE_TIMES * needed
    spelled = embedding.spelled and background.whole.any()  # else the tokenizer spells everything
    if spelled or not fits.any():
        nothing = np.zeros(count, bool)
        return Judgement(nothing, nothing, Verdict.NOTHING)
    close = partial(_close, parts, vectors, sample, background.scale)
    passes, sure = close(fits, PASSING_SHARE), close(surely, SURE_SHARE)
    passes[:JUDGED] &= odds > needed / COMPANY_EASES
    passes[:JUDGED] |= fits
    sure[:JUDGED] &= fits
    return Judgement(passes, sure & passes, Verdict.SURE if sure.any() else Verdict.UNSURE)


def needed_odds(searched: int, parts: int) -> float:
    """The least odds of a picture that fits: more in a greater gallery, of which more pictures look
    like something that they don't show.

    With the square root, as many absent things are refused among 50 pictures as among 10,000
    (`bench honesty`). Several parts seldom all fit the same picture by chance.
    """
    return math.sqrt(min(searched, MOST_SEARCHED)) / ROOT_TO_ODDS / PART_EASES ** (parts - 1)


def _close(
    parts: Floats, vectors: Floats, sample: Floats, scale: float, fits: Bools, share: float
) -> Bools:
    """(c,) whether candidates are nearly as similar to each part as those of the first that fit.

    fits    (j,) of the first candidates
    share   how far up from the gallery's middle to them
    """
    if not fits.any():
        return np.zeros(len(vectors), bool)
    similar = parts @ vectors.T  # (p, c)
    top = similar[:, : len(fits)][:, fits].mean(axis=1)
    middle = np.array([_median(row) for row in parts @ sample.T]) if len(sample) else top
    least = np.minimum(middle + share * (top - middle), top - CLOSE_LOGITS / scale)
    close: Bools = (similar >= least[:, None]).all(axis=0)
    return close


def by_spread(
    embedding: QueryEmbedding, vectors: Floats, sample: Floats, searched: int
) -> Judgement:
    """The judgement by how far candidates stand out of the gallery, and nothing else."""
    own = vectors @ embedding.vector
    sure = own > least_to_stand_out(np.append(sample @ embedding.vector, own))
    verdict = Verdict.SURE if sure.any() else Verdict.UNSURE
    return Judgement(np.ones(len(vectors), bool), sure, verdict)


def never_sure(
    embedding: QueryEmbedding, vectors: Floats, sample: Floats, searched: int
) -> Judgement:
    """Words until there is a background: all candidates pass, and none is sure."""
    if embedding.words is None:
        return by_spread(embedding, vectors, sample, searched)
    count = len(vectors)
    return Judgement(np.ones(count, bool), np.zeros(count, bool), Verdict.UNSURE)


def stands_out(scores: Floats) -> bool:
    """Whether the best score is greater than the best of as many unrelated pictures would be."""
    return len(scores) > 0 and float(scores.max()) > least_to_stand_out(scores)


def least_to_stand_out(scores: Floats) -> float:
    """About the best score that as many unrelated pictures would have.

    The scores of unrelated pictures are distributed like a bell around their median. Deviations are
    taken by the median too, so that pictures that do fit don't raise the bar for themselves. The
    judgement is wrong for a gallery of which half fits. Fewer than FEWEST_TO_JUDGE scores can't
    be judged, and all of them stand out.

    source   extreme value theory: the greatest of n normal numbers lies about
             t - (ln ln n + ln 4π) / 2t deviations above their middle, t = sqrt(2 ln n)
    """
    n = len(scores)
    if n < FEWEST_TO_JUDGE:
        return -math.inf
    middle = _median(scores)
    deviation = MAD_TO_SIGMA * _median(np.abs(scores - middle))
    t = math.sqrt(2 * math.log(n))
    by_chance = t - (math.log(math.log(n)) + math.log(4 * math.pi)) / (2 * t)
    return middle + by_chance * deviation


def _median(values: Floats) -> float:
    """The median. numpy's own function takes ten times as long for a few hundred values."""
    low, high = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, (low, high))
    return float(ordered[low] + ordered[high]) / 2
