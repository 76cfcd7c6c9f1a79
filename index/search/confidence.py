"""Whether an answer is more than chance: a gallery always has a best picture, also for a question
that none of its pictures fits."""

from __future__ import annotations

import math

import numpy as np

from index.types.records import Floats

FEWEST_TO_JUDGE = 12
MAD_TO_SIGMA = 1.4826  # of a normal distribution


def stands_out(scores: Floats, best: float | None = None, count: int | None = None) -> bool:
    """Whether the best score is more than chance: what the best of as many unrelated pictures
    would reach.

    Unrelated pictures score bell-shaped around their median. Deviations are taken by the
    median too, since the pictures that do fit must not raise the bar for themselves. A
    gallery of which half fits is judged wrongly; one with fewer than FEWEST_TO_JUDGE can't
    be judged, and there it says True.
    best, count  of all rows, where `scores` is a sample of theirs
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
    """As numpy's, which takes ten times as long for a few hundred values."""
    low, high = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, (low, high))
    return float(ordered[low] + ordered[high]) / 2
