"""Ranking: which links are most like a query, among those that may answer; pure numpy.

Exact: every allowed row is compared. The rows live in memory and change by whole
snapshots: a search that runs meanwhile keeps the one it began with.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.records import Changes, Entries, Floats

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

# Rows that are gone stay in place, skipped, until they are this share of all.
DEAD_SHARE = 0.5
# Below this share of allowed rows, gathering them costs less than multiplying all.
GATHER_SHARE = 0.25
# Rows multiplied at once, so that a search at 1,000,000 rows needs no second matrix.
CHUNK_ROWS = 65_536
# float32 products of the same two vectors differ by up to this with the row's place.
ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class Found:
    """Links that answer, best first: each once, with its best frame."""

    links: Ints  # (k,)
    scores: NDArray[np.float64]  # (k,) cosine similarities
    frames: Ints  # (k,)
    searched: int  # links that were allowed to answer
    more: bool  # whether there are links after these
    confident: bool  # whether the best of all stands out


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Rows as they are at one moment; the first `count` of each array count.

    A later snapshot may share these arrays and have more rows behind `count`.
    """

    vectors: Floats  # (capacity, d) unit rows
    links: Ints  # (capacity,) whose frame this is
    frames: NDArray[np.int32]  # (capacity,) which frame it is
    codes: NDArray[np.int32]  # (capacity,) the group's code; negative: not yet used
    texts: Bools  # (capacity,)
    alive: Bools  # (capacity,) never changed in place for a row below `count`
    count: int
    dead: int


class Rows:
    """The rows of a gallery: changed by one at a time, searched by many."""

    def __init__(self, dimension: int, capacity: int = 0) -> None:
        self._now = _empty(dimension, capacity)
        self._codes: dict[int, dict[int, int]] = {}  # space -> group -> code
        self._n_codes = 0
        self._changing = threading.Lock()

    def __len__(self) -> int:
        return self._now.count - self._now.dead

    def apply(self, changes: Changes) -> None:
        """Make the changes of one transaction visible, all at once."""
        with self._changing:
            now = _without(self._now, changes.removed) if changes.removed else self._now
            if changes.added is not None:
                now = self._with(now, changes.added)
            self._now = now

    def _with(self, now: Snapshot, added: Entries) -> Snapshot:
        """Rows behind the last one: no snapshot that is in use looks there."""
        end = now.count + len(added.vectors)
        now = _grown(now, end)
        place = slice(now.count, end)
        now.vectors[place] = added.vectors
        now.links[place] = np.repeat(added.links, added.frames)
        now.frames[place] = np.concatenate([np.arange(n) for n in added.frames])
        now.codes[place] = np.repeat(self._codes_of(added), added.frames)
        now.texts[place] = np.repeat(added.texts, added.frames)
        now.alive[place] = True
        return replace(now, count=end)

    def _codes_of(self, added: Entries) -> NDArray[np.int32]:
        pairs = zip(added.spaces.tolist(), added.groups.tolist(), strict=True)
        return np.array([self._code(space, group) for space, group in pairs], np.int32)

    def _code(self, space: int, group: int) -> int:
        groups = self._codes.setdefault(space, {})
        if group not in groups:
            groups[group] = self._n_codes
            self._n_codes += 1
        return groups[group]

    def search(
        self,
        query: Floats,
        *,
        space: int,
        groups: Collection[int] | None,
        k: int,
        offset: int = 0,
        texts: bool | None = False,
        without: Collection[int] = (),
    ) -> Found:
        """The `k` best links after the first `offset`, among those allowed.

        query    (d,) float32, unit
        groups   only their links are looked at; None: all groups of the space
        texts    True: texts only, False: images only, None: both
        without  links to leave out
        """
        now = self._now
        rows = np.flatnonzero(self._allowed(now, space, groups, texts, without))
        scores = similarities(now.vectors[: now.count], query, rows)
        return _page(now, query, rows, scores, k, offset)

    def above(self, query: Floats, score: float, *, space: int, texts: bool | None = False) -> int:
        """How many links of a space answer the query better than with this score."""
        now = self._now
        rows = np.flatnonzero(self._allowed(now, space, None, texts, ()))
        scores = similarities(now.vectors[: now.count], query, rows)
        return len(np.unique(now.links[rows[scores > score + ROUNDING]]))

    def _allowed(
        self,
        now: Snapshot,
        space: int,
        groups: Collection[int] | None,
        texts: bool | None,
        without: Collection[int],
    ) -> Bools:
        """(count,) True for the living rows that may answer."""
        allowed = self._of_groups(now, space, groups)
        if texts is not None:
            allowed &= now.texts[: now.count] == texts
        if without:
            allowed &= ~np.isin(now.links[: now.count], np.fromiter(without, np.int64))
        return allowed

    def _of_groups(self, now: Snapshot, space: int, groups: Collection[int] | None) -> Bools:
        known = dict(self._codes.get(space, {}))
        codes = known.values() if groups is None else (known[g] for g in set(groups) & set(known))
        table = np.zeros(self._n_codes + 1, np.bool_)
        table[np.fromiter(codes, np.int64)] = True
        return table[now.codes[: now.count]] & now.alive[: now.count]


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


def _page(now: Snapshot, query: Floats, rows: Ints, scores: Floats, k: int, offset: int) -> Found:
    searched = int(np.count_nonzero(now.frames[rows] == 0))
    end = min(offset + k, searched)
    best = _best_links(now, query, rows, scores, end)
    page = best[offset:end]
    return Found(
        links=np.array([link for _, link, _ in page], np.int64),
        scores=np.array([score for score, _, _ in page], np.float64),
        frames=np.array([frame for _, _, frame in page], np.int64),
        searched=searched,
        more=searched > end,
        confident=stands_out(scores),
    )


def _best_links(
    now: Snapshot, query: Floats, rows: Ints, scores: Floats, wanted: int
) -> list[tuple[float, int, int]]:
    """(score, link, frame) of the `wanted` best links, best first; ties by the link's id.

    A link with several frames may fill the first places, so the slice taken for the exact
    second look grows until it has enough different links.
    """
    taken = wanted
    while wanted > 0:
        candidates = _top_rows(scores, taken)
        best: dict[int, tuple[float, int]] = {}
        chosen = rows[candidates]
        exact = _exactly(now.vectors[chosen], query)
        for row, score in zip(chosen.tolist(), exact.tolist(), strict=True):
            link, frame = int(now.links[row]), int(now.frames[row])
            if link not in best or (-score, frame) < (-best[link][0], best[link][1]):
                best[link] = (score, frame)
        if len(best) >= wanted or len(candidates) == len(rows):
            ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
            return [(score, link, frame) for link, (score, frame) in ranked[:wanted]]
        taken = 2 * max(taken, 1)
    return []


def _top_rows(scores: Floats, k: int) -> Ints:
    """Places of the `k` greatest scores, and of all that rounding might have put behind."""
    if k >= len(scores):
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    return np.flatnonzero(scores >= least - ROUNDING)


def _exactly(vectors: Floats, query: Floats) -> NDArray[np.float64]:
    """(n,) products in float64, each row by itself: the same vectors always give the same."""
    products = vectors.astype(np.float64) * query.astype(np.float64)
    similarity: NDArray[np.float64] = products.sum(axis=1).clip(-1, 1)
    return similarity


def stands_out(scores: Floats) -> bool:
    """Whether the best score is more than chance: what the best of as many unrelated pictures
    would reach.

    Unrelated pictures score bell-shaped around their median. Deviations are taken by the
    median too, since the pictures that do fit must not raise the bar for themselves. A
    gallery of which half fits is judged wrongly; one with fewer than FEWEST_TO_JUDGE can't
    be judged, and there it says True.
    source   extreme value theory: the greatest of n normal numbers lies about
             t - (ln ln n + ln 4π) / 2t deviations above their middle, t = sqrt(2 ln n)
    """
    n = len(scores)
    if n < FEWEST_TO_JUDGE:
        return n > 0
    middle = np.median(scores)
    deviation = MAD_TO_SIGMA * np.median(np.abs(scores - middle))
    t = math.sqrt(2 * math.log(n))
    by_chance = t - (math.log(math.log(n)) + math.log(4 * math.pi)) / (2 * t)
    return bool(scores.max() - middle > by_chance * deviation)


FEWEST_TO_JUDGE = 12
MAD_TO_SIGMA = 1.4826  # of a normal distribution


# ---- snapshots


def _empty(dimension: int, capacity: int) -> Snapshot:
    return Snapshot(
        vectors=np.zeros((capacity, dimension), np.float32),
        links=np.zeros(capacity, np.int64),
        frames=np.zeros(capacity, np.int32),
        codes=np.zeros(capacity, np.int32),
        texts=np.zeros(capacity, np.bool_),
        alive=np.zeros(capacity, np.bool_),
        count=0,
        dead=0,
    )


def _grown(now: Snapshot, needed: int) -> Snapshot:
    """The same rows with room for `needed`: at least doubled, so that n rows cost O(n)."""
    if needed <= len(now.links):
        return now
    return _copied(now, np.arange(now.count), max(needed, 2 * now.count, 64))


def _without(now: Snapshot, removed: Sequence[int]) -> Snapshot:
    """The rows without those links: skipped at first, taken out when they are many."""
    gone = np.isin(now.links[: now.count], np.asarray(removed, np.int64))
    alive = now.alive.copy()
    alive[: now.count][gone] = False
    dead = now.count - int(np.count_nonzero(alive[: now.count]))
    now = replace(now, alive=alive, dead=dead)
    if dead <= DEAD_SHARE * now.count:
        return now
    kept = np.flatnonzero(alive[: now.count])
    return _copied(now, kept, max(len(kept), 64))


def _copied(now: Snapshot, rows: Ints, capacity: int) -> Snapshot:
    fresh = _empty(now.vectors.shape[1], capacity)
    count = len(rows)
    for old, new in (
        (now.vectors, fresh.vectors),
        (now.links, fresh.links),
        (now.frames, fresh.frames),
        (now.codes, fresh.codes),
        (now.texts, fresh.texts),
        (now.alive, fresh.alive),
    ):
        np.take(old, rows, axis=0, out=new[:count])
    dead = count - int(np.count_nonzero(fresh.alive[:count]))
    return replace(fresh, count=count, dead=dead)
