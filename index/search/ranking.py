"""The best of the rows that may answer, by their full vectors, each link once.

Of recent rows and of small segments all are compared; of larger ones those that look best by their
codes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.search.confidence import stands_out
from index.search.segment import GONE, LOWEST, View
from index.search.snapshot import Ints, Snapshot
from index.types.records import Floats

# Below this share of allowed rows, gathering them costs less than multiplying all.
GATHER_SHARE = 0.25
# Rows multiplied at once, so that a search at 1,000,000 rows needs no second matrix.
CHUNK_ROWS = 65_536
# float32 products of the same two vectors differ by up to this with the row's place.
ROUNDING = 1e-5
# Rows of a segment whose codes are looked through: this share of the allowed ones, in the most
# promising lists, and never fewer than this. Where they lie scattered, each is waited for; of
# 30,000 to 150,000 such rows among 3,000,000 a tenth would find .986 to .995 of the best ten, these
# .997 to .998.
LOOKED_SHARE, LOOKED_ROWS = 0.1, 20_000
SCATTERED_SHARE, SCATTERED_ROWS = 0.3, 4_000
LOOKED_TIMES = 20  # and this many times those that are wanted
# So few best scores are kept in order while all are gone through; more are chosen by numpy.
SORTED_ROWS = 64
# Scores by which a best hit is judged; of more rows, a sample.
JUDGED_ROWS = 4096
SAMPLED_FROM = 1024  # where the compiled loops are there: their answers come in 0.1 ms
SAMPLED_ROWS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Rows with their exact scores."""

    links: Ints
    frames: NDArray[np.int32]
    scores: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Recent rows that may answer, with scores of which any two are off by less than `slack`."""

    rows: Ints
    scores: Floats
    slack: float
    snapshot: Snapshot
    kernels: Any

    def candidates(self, query: Floats, taken: int) -> Candidates:
        """The `taken` best rows, and some more."""
        now = self.snapshot
        if self.kernels is None:
            rows = self.rows[_top_rows(self.scores, taken, self.slack)]
            exact = _exactly(now.vectors[rows], query)
        else:
            rows = self.rows[_top_rows(self.scores, taken, self.slack, self.kernels)]
            exact = np.empty(len(rows))
            self.kernels.exact(now.vectors, rows, query.astype(np.float64), exact)
        return Candidates(now.links[rows], now.frames[rows], exact)


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """All rows of a small view, with their scores."""

    view: View
    rows: Ints
    scores: Floats

    @classmethod
    def of(cls, view: View, query: Floats) -> Ranked:
        rows = view.places()
        scores = view.part.segment.scores(rows, query)
        return cls(view, rows[scores > LOWEST], scores[scores > LOWEST])

    def candidates(self, query: Floats, taken: int) -> Candidates:
        """The `taken` best rows, and some more."""
        from index.search import kernels

        return _of_segment(
            self.view, query, self.rows[_top_rows(self.scores, taken, ROUNDING, kernels)]
        )


def best_links(
    scored: Sequence[Scored | Ranked],
    many: Sequence[View],
    query: Floats,
    without: Collection[int],
    wanted: int,
) -> list[tuple[float, int, int]]:
    """(score, link, frame) of the `wanted` best links, best first; ties by the link's id.

    A link with several frames may fill the first places, so the number of rows that are taken
    grows until it has enough different links.
    """
    everything = sum(len(one.rows) for one in scored) + sum(view.rows for view in many)
    taken = wanted
    while wanted > 0:
        candidates = [one.candidates(query, taken) for one in scored if len(one.rows)]
        top = np.full(min(taken, everything), LOWEST, np.float32)
        for one in candidates:
            top = np.sort(np.append(top, one.scores.astype(np.float32)))[-len(top) :]
        for view in sorted(many, key=lambda view: -view.rows):
            _, rows = view.best(query, top, looked_at(view, taken))
            candidates.append(_of_segment(view, query, rows))
        best = _best_frames(candidates, without, float(top[0]) - ROUNDING)
        if len(best) >= wanted or taken >= everything:
            every = [(score, link, frame) for link, (score, frame) in best.items()]
            return sorted(every, key=lambda hit: (-hit[0], hit[1]))[:wanted]
        taken *= 2
    return []


def _best_frames(
    candidates: Sequence[Candidates], without: Collection[int], least: float
) -> dict[int, tuple[float, int]]:
    """(score, frame) of each link's best frame, the first of those that are alike."""
    best: dict[int, tuple[float, int]] = {}
    for one in candidates:
        columns = (one.links.tolist(), one.frames.tolist(), one.scores.tolist())
        for link, frame, score in zip(*columns, strict=True):
            if score < least or link in without:
                continue
            if link not in best or (-score, frame) < (-best[link][0], best[link][1]):
                best[link] = (score, frame)
    return best


def looked_at(view: View, taken: int) -> int:
    """How many allowed rows of a segment are looked through."""
    share, least = (
        (SCATTERED_SHARE, SCATTERED_ROWS) if view.scattered else (LOOKED_SHARE, LOOKED_ROWS)
    )
    return max(least, math.ceil(share * view.rows), LOOKED_TIMES * taken)


def _of_segment(view: View, query: Floats, places: Ints) -> Candidates:
    """Exact scores of these rows and, where links have several frames, of all frames of theirs."""
    segment = view.part.segment
    if segment.animated:
        places = view.part.places_of(segment.links_at(places).tolist())
    scores = segment.exact(places, query)
    # After the vectors: a row whose link is still there was there a moment ago.
    links, frames = segment.links_at(places), segment.mapped["frames"][places]
    there = links != GONE
    return Candidates(links[there], frames[there], scores[there])


def similarities(vectors: Floats, query: Floats, rows: Ints) -> Floats:
    """(len(rows),) cosine similarities of those rows with the query.

    raises   ValueError when the dimensions differ
    """
    if len(rows) >= GATHER_SHARE * len(vectors):
        starts = range(0, len(vectors), CHUNK_ROWS)
        products = [vectors[start : start + CHUNK_ROWS] @ query for start in starts]
        return np.concatenate(products)[rows] if products else np.zeros(0, np.float32)
    starts = range(0, len(rows), CHUNK_ROWS)
    products = [vectors[rows[start : start + CHUNK_ROWS]] @ query for start in starts]
    return np.concatenate(products) if products else np.zeros(0, np.float32)


def _top_rows(scores: Floats, k: int, slack: float = ROUNDING, kernels: Any = None) -> Ints:
    """Places of the `k` greatest scores, and of all that rounding might have put behind."""
    if k >= len(scores):
        return np.arange(len(scores))
    if kernels is not None and k <= SORTED_ROWS:
        places = np.empty(len(scores), np.int64)
        top = np.full(k, LOWEST, np.float32)
        return places[: kernels.best_rows(scores, top, slack, places)]
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    return np.flatnonzero(scores >= least - slack)


def _exactly(vectors: Floats, query: Floats) -> NDArray[np.float64]:
    """(n,) products in float64, each row by itself: the same vectors always give the same."""
    products = vectors.astype(np.float64) * query.astype(np.float64)
    similarity: NDArray[np.float64] = products.sum(axis=1).clip(-1, 1)
    return similarity


def confident(
    scored: Sequence[Scored | Ranked],
    many: Sequence[View],
    query: Floats,
    best: Sequence[tuple[float, int, int]],
    compiled: bool,
) -> bool:
    """`stands_out`, of a sample where there are many rows."""
    total = sum(len(one.rows) for one in scored) + sum(view.rows for view in many)
    if not many and total <= (SAMPLED_FROM if compiled else JUDGED_ROWS):
        return stands_out(np.concatenate([one.scores for one in scored]))
    sample = []
    for one in scored:
        count = math.ceil(SAMPLED_ROWS * len(one.rows) / total)
        sample.append(one.scores[:: max(len(one.rows) // max(count, 1), 1)])
    for view in many:
        places = view.sample(math.ceil(SAMPLED_ROWS * view.rows / total))
        scores = view.part.segment.scores(places, query)
        sample.append(scores[scores > LOWEST])
    return stands_out(np.concatenate(sample), best[0][0] if best else None, total)
