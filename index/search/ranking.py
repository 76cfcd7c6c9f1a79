"""The best of the rows that may answer, by their full vectors, each link once.

Of recent rows and of small segments all are compared; of larger ones those that look best by their
codes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.search.confidence import stands_out
from index.search.segment import GONE, LOWEST, View
from index.search.snapshot import Ints, Snapshot
from index.types.records import Floats, Position

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
# Scores are rounded to so many decimals. The last bits of a product depend on where its row lies,
# in memory or in a segment; without them a row keeps its place in the order when it moves, and
# rows with the same vectors are in the order of their links.
SCORE_DECIMALS = 9
LOOKED_TIMES = 20  # and this many times those that are wanted
# So few best scores are kept in order while all are gone through; more are chosen by numpy.
SORTED_ROWS = 64
# Scores by which a best hit is judged; of more rows, a sample.
JUDGED_ROWS = 4096
SAMPLED_FROM = 1024  # where the compiled loops are there: their answers come in 0.1 ms
SAMPLED_ROWS = 256


class Answering(NamedTuple):
    """A link that answers, with its best frame."""

    score: float
    link: int
    frame: int


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
            exact = exact_scores(now.vectors[rows], query)
        else:
            rows = self.rows[_top_rows(self.scores, taken, self.slack, self.kernels)]
            exact = np.empty(len(rows))
            self.kernels.exact(now.vectors, rows, query.astype(np.float64), exact)
            exact = as_scores(exact)
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

        return of_segment(
            self.view, query, self.rows[_top_rows(self.scores, taken, ROUNDING, kernels)]
        )


def best_links(
    scored: Sequence[Scored | Ranked],
    many: Sequence[View],
    query: Floats,
    without: Collection[int],
    *,
    links: int,
    wanted: int,
    after: Position | None,
) -> list[Answering]:
    """The best links in the order of an answer, of which `wanted` follow `after`, or all.

    A link with several frames may fill the first places, and links before `after` may have come
    since, so the number of rows that are taken grows until enough links are found.

    links   how many may answer
    """
    everything = sum(len(one.rows) for one in scored) + sum(view.rows for view in many)
    taken = min(wanted + (max(after.rank, 0) if after else 0), links)
    while taken > 0:
        candidates = [one.candidates(query, taken) for one in scored if len(one.rows)]
        top = np.full(min(taken, everything), LOWEST, np.float32)
        for one in candidates:
            top = np.sort(np.append(top, one.scores.astype(np.float32)))[-len(top) :]
        for view in sorted(many, key=lambda view: -view.rows):
            _, rows = view.best(query, top, looked_at(view, taken))
            candidates.append(of_segment(view, query, rows))
        best = best_frames(candidates, without, float(top[0]) - ROUNDING)
        following = sum(follows(after, score, link) for link, (score, _) in best.items())
        if following >= wanted or len(best) >= links or taken >= everything:
            every = [Answering(score, link, frame) for link, (score, frame) in best.items()]
            return sorted(every, key=lambda one: (-one.score, one.link))
        taken *= 2
    return []


def follows(after: Position | None, score: float, link: int) -> bool:
    """Whether a link comes after a position in the order of scores, then of ids."""
    if after is None:
        return True
    last = round(after.score, SCORE_DECIMALS)
    return (score < last or (score == last and link > after.link)) and link != after.link


def best_frames(
    candidates: Sequence[Candidates], without: Collection[int] = (), least: float = float(LOWEST)
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


def of_segment(view: View, query: Floats, places: Ints) -> Candidates:
    """Exact scores of these rows and, where links have several frames, of all frames of theirs."""
    segment = view.part.segment
    if segment.animated:
        places = view.part.places_of(segment.links_at(places).tolist())
    scores = as_scores(segment.exact(places, query))
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


def exact_scores(vectors: Floats, query: Floats) -> NDArray[np.float64]:
    """(n,) scores of these vectors."""
    return as_scores((vectors.astype(np.float64) * query.astype(np.float64)).sum(axis=1))


def as_scores(products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Products in float64 as scores: from -1 to 1, and without the last bits."""
    scores: NDArray[np.float64] = products.round(SCORE_DECIMALS).clip(-1, 1)
    return scores


def confident(
    scored: Sequence[Scored | Ranked],
    many: Sequence[View],
    query: Floats,
    best: float | None,
    *,
    compiled: bool,
) -> bool:
    """`stands_out`, of a sample where there are many rows; `best` is the score of the best link."""
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
    return stands_out(np.concatenate(sample), best, total)
