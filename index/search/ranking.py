"""The best of the rows that may answer, by their full vectors, each link once.

Of rows in memory and of small segments all are compared; of larger segments, those that look best
by their codes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.search.kernels.arguments import Ints
from index.search.kernels.constants import LOWEST, PRODUCT_ERROR, SCORE_STEP, SCORE_STEPS, TOMBSTONE
from index.search.memtable import Memtable
from index.search.view import View
from index.types.records import Floats

# Below this share of allowed rows, gathering them costs less than multiplying all.
GATHER_SHARE = 0.25
# Rows multiplied at once, so that a search among 1,000,000 rows needs no second matrix.
PRODUCT_ROWS = 65_536
# Rows in memory from which on comparing quantized vectors first costs less than comparing all
# vectors, where the compiled loops are loaded: 0.3 ms against 0.5 at 10,000 rows.
QUANTIZED_ROWS = 4096
# How many rows of a segment are looked through by their codes: this share of the allowed ones, in
# the most promising lists, and never fewer than this. Rows that lie scattered are taken one by one.
# Of 30,000 to 150,000 such rows among 3,000,000, a tenth would find .986 to .995 of the best ten,
# and these find .997 to .998.
LOOKED_SHARE, LOOKED_ROWS = 0.1, 20_000
SCATTERED_SHARE, SCATTERED_ROWS = 0.3, 4_000
LOOKED_TIMES = 20  # and at least this many times the rows that are wanted
# Up to this many best scores are kept in order while a compiled loop meets all scores. Where more
# are wanted, numpy chooses them.
SORTED_ROWS = 64


# (score, link, frame) of a link that answers, with its best frame.
Answering: TypeAlias = tuple[float, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Rows with their exact scores."""

    links: Ints
    frames: NDArray[np.int32]
    scores: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredMemtable:
    """Rows in memory that may answer, with scores of which two are in the wrong order only if they
    differ by less than `slack`."""

    memtable: Memtable
    rows: Ints
    scores: Floats
    slack: float
    loops: Any  # the module of that name, once it is loaded; None before

    @classmethod
    def of(cls, memtable: Memtable, rows: Ints, query: Floats, loops: Any) -> ScoredMemtable:
        """The scores of these rows."""
        if not len(rows):
            return cls(memtable, rows, np.zeros(0, np.float32), 0.0, loops)
        if loops is None or memtable.count < QUANTIZED_ROWS:
            scores = similarities(memtable.vectors[: memtable.count], query, rows)
            return cls(memtable, rows, scores, float(PRODUCT_ERROR), loops)
        scores, steps = np.empty(len(rows), np.float32), np.empty(len(query), np.int16)
        slack = loops.quantized_products(
            memtable.quantized, memtable.scales, rows, query, memtable.error, steps, scores
        )
        return cls(memtable, rows, scores, float(PRODUCT_ERROR) + slack, loops)

    def candidates(self, query: Floats, taken: int) -> Candidates:
        """The `taken` best rows, and some more."""
        now = self.memtable
        rows = self.rows[_top_rows(self.scores, taken, self.slack, self.loops)]
        if self.loops is None:
            scores = exact_scores(now.vectors[rows], query)
        else:
            scores = np.empty(len(rows))
            self.loops.exact_scores(now.vectors, rows, query.astype(np.float64), scores)
        return Candidates(now.links[rows], now.frames[rows], scores)


@dataclass(frozen=True, slots=True, eq=False)
class ScoredView:
    """All rows of a small view, with their scores."""

    view: View
    rows: Ints
    scores: Floats

    @classmethod
    def of(cls, view: View, query: Floats) -> ScoredView:
        """The scores of all its rows. raises Damaged"""
        rows = view.places()
        scores = view.part.segment.scores(rows, query)
        return cls(view, rows[scores > LOWEST], scores[scores > LOWEST])

    def candidates(self, query: Floats, taken: int) -> Candidates:
        """The `taken` best rows, and some more."""
        from index.search.kernels import loops

        best = _top_rows(self.scores, taken, float(PRODUCT_ERROR), loops)
        return candidates_at(self.view, query, self.rows[best])


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The rows that may answer one query: those with scores, and segments too large for that."""

    query: Floats
    scored: Sequence[ScoredMemtable | ScoredView]
    large: Sequence[View]
    without: Collection[int]  # links to leave out
    rows: int  # how many may answer
    links: int  # how many links they are of

    @classmethod
    def of(
        cls,
        query: Floats,
        memtable: ScoredMemtable,
        views: Sequence[View],
        without: Collection[int],
        links: int,
    ) -> Ranking:
        """raises Damaged when a row of a segment isn't what was written"""
        small = [ScoredView.of(view, query) for view in views if view.small]
        # The largest first: it is the most likely to have the best rows.
        large = sorted((view for view in views if not view.small), key=lambda view: -view.rows)
        scored: list[ScoredMemtable | ScoredView] = [memtable, *small]
        rows = sum(len(one.rows) for one in scored) + sum(view.rows for view in large)
        return cls(query, scored, large, without, rows, links)

    def best(self, wanted: int) -> list[Answering]:
        """The `wanted` best links in order, or all.

        A link with several frames may fill the first places, so the number of rows that are taken
        grows until enough links are found.
        """
        taken = min(wanted, self.links)
        while taken > 0:
            candidates, least = self._candidates(taken)
            best = best_frames(candidates, self.without, least)
            if len(best) >= min(wanted, self.links) or taken >= self.rows:
                every = [(score, link, frame) for link, (score, frame) in best.items()]
                return sorted(every, key=lambda one: (-one[0], one[1]))[:wanted]
            taken *= 2
        return []

    def _candidates(self, taken: int) -> tuple[list[Candidates], float]:
        """Rows of which the `taken` best are among, and a score that these reach at least."""
        candidates = [one.candidates(self.query, taken) for one in self.scored if len(one.rows)]
        top = np.full(min(taken, self.rows), LOWEST, np.float32)
        for one in candidates:
            top = np.sort(np.append(top, one.scores.astype(np.float32)))[-len(top) :]
        for view in self.large:
            _, rows = view.best(self.query, top, looked_at(view, taken))
            candidates.append(candidates_at(view, self.query, rows))
        return candidates, float(top[0]) - float(PRODUCT_ERROR)


def best_frames(
    candidates: Sequence[Candidates], without: Collection[int] = (), least: float = -math.inf
) -> dict[int, tuple[float, int]]:
    """(score, frame) of the best frame of each link; the first one, if several are alike."""
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


def candidates_at(view: View, query: Floats, places: Ints) -> Candidates:
    """These rows of a segment with exact scores, and all other frames of their links."""
    segment = view.part.segment
    if segment.animated:
        places = view.part.places_of(segment.links_at(places).tolist())
    scores = segment.exact(places, query)
    # After the vectors: a row whose link is still there was there a moment ago.
    links, frames = segment.links_at(places), segment.mapped["frames"][places]
    there = links != TOMBSTONE
    return Candidates(links[there], frames[there], scores[there])


def similarities(vectors: Floats, query: Floats, rows: Ints) -> Floats:
    """(len(rows),) cosine similarities of those rows with the query.

    raises   ValueError when the dimensions differ
    """
    if len(rows) >= GATHER_SHARE * len(vectors):
        starts = range(0, len(vectors), PRODUCT_ROWS)
        products = [vectors[start : start + PRODUCT_ROWS] @ query for start in starts]
        return np.concatenate(products)[rows] if products else np.zeros(0, np.float32)
    starts = range(0, len(rows), PRODUCT_ROWS)
    products = [vectors[rows[start : start + PRODUCT_ROWS]] @ query for start in starts]
    return np.concatenate(products) if products else np.zeros(0, np.float32)


def exact_scores(vectors: Floats, query: Floats) -> NDArray[np.float64]:
    """(n,) what the compiled loop of this name gives for these vectors."""
    products = (vectors.astype(np.float64) * query.astype(np.float64)).sum(axis=1)
    scores: NDArray[np.float64] = (np.rint(products * SCORE_STEPS) * SCORE_STEP).clip(-1, 1)
    return scores


def _top_rows(scores: Floats, k: int, slack: float, loops: Any) -> Ints:
    """Places of the `k` greatest scores, and of all that are less by at most `slack`."""
    if k >= len(scores):
        return np.arange(len(scores))
    if loops is not None and k <= SORTED_ROWS:
        places, top = np.empty(len(scores), np.int64), np.full(k, LOWEST, np.float32)
        return places[: loops.best_rows(scores, top, slack, places)]
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    return np.flatnonzero(scores >= least - slack)
