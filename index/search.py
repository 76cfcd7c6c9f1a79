"""Ranking: which links are most like a query, among those that may answer.

Recent rows live in memory and are all compared. When they are many they settle, together with
smaller segments, into a new segment (segment.py), of which the rows that look best by their
codes are compared. Either way the ranking is by the full vectors. Rows change by whole states:
a search that runs meanwhile keeps the one it began with.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.merge import Merge, Recent
from index.records import Changes, Entries, Floats, Settled
from index.segment import (
    FOREVER,
    GONE,
    LOWEST,
    Damaged,
    Filter,
    Part,
    Segment,
    View,
)

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
# From here on, comparing bytes first costs less than comparing all vectors (0.3 against 0.5 ms
# at 10,000 rows), if the compiled loops are there.
BYTES_ROWS = 4096
# Recent rows that settle into a segment: 42 MB, which are compared in 0.5 ms.
SETTLE_ROWS = 16_384
# A segment is merged with what came after it once that has this share of its rows: each row is
# written some ten times while a gallery grows, and a question looks at two segments, seldom more.
MERGE_SHARE = 0.1
# Recent rows that make a segment while a gallery is loaded: 170 MB.
LOAD_ROWS = 65_536
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
    small: NDArray[np.uint8]  # (capacity, d) the same in 255 steps of `scales`, around 128
    scales: Floats  # (capacity,)
    error: float  # the greatest length of what `small` leaves out of a vector
    serials: Ints  # (capacity,) counts all rows that ever came
    links: Ints  # (capacity,) whose frame this is
    frames: NDArray[np.int32]  # (capacity,) which frame it is
    codes: NDArray[np.int32]  # (capacity,) the group's code; negative: not yet used
    texts: Bools  # (capacity,)
    owners: Ints  # (capacity,)
    posted: NDArray[np.float64]  # (capacity,) Unix seconds
    alive: Bools  # (capacity,) never changed in place for a row below `count`
    count: int
    dead: int


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """All rows at one moment."""

    recent: Snapshot
    parts: tuple[Part, ...] = ()


class Rows:
    """The rows of a gallery: changed by one at a time, searched by many.

    folder   where segments are kept; None: all rows stay in memory
    settle   recent rows from which on they settle
    write    False: segments are read, and neither made nor changed
    """

    def __init__(
        self,
        dimension: int,
        capacity: int = 0,
        folder: Path | None = None,
        settle: int = SETTLE_ROWS,
        write: bool = True,
    ) -> None:
        self._dimension = dimension
        self._now = State(_empty(dimension, capacity))
        # Segments keep bits and words: other dimensions than whole bytes stay in memory.
        self._folder = folder if dimension % 8 == 0 else None
        self._settle = settle
        self._write = write
        self._codes: dict[int, dict[int, int]] = {}  # space -> group -> code
        self._names: list[tuple[int, int]] = []  # by code
        self._spaces: Ints = np.zeros(0, np.int64)  # by code
        self._serial = 0
        self._newest = 0  # the greatest link that ever came
        self._gone: set[int] | None = None  # links removed while a merge is under way
        self._kernels: Any = None
        self._changing = threading.Lock()

    def __len__(self) -> int:
        now = self._now
        return now.recent.count - now.recent.dead + sum(map(len, now.parts))

    @property
    def recent(self) -> int:
        """How many rows have not settled."""
        return self._now.recent.count - self._now.recent.dead

    @property
    def resident_bytes(self) -> int:
        """What all rows take in memory; vectors on disk not counted."""
        now, recent = self._now, self._now.recent
        columns = (getattr(recent, field.name) for field in fields(recent))
        settled = sum(part.segment.resident_bytes + part.alive.nbytes for part in now.parts)
        return sum(column.nbytes for column in columns if isinstance(column, np.ndarray)) + settled

    def warm(self) -> None:
        """Bring the compiled loops, if there are enough rows; seconds when they are compiled."""
        if self.cold:
            from index import kernels

            kernels.warm(self._dimension)
            self._kernels = kernels

    # ---- changes

    def apply(self, changes: Changes) -> None:
        """Make the changes of one transaction visible, all at once."""
        with self._changing:
            now = self._now
            overwritten: list[tuple[Segment, Ints]] = []
            if changes.removed:
                now, overwritten = _less(now, changes.removed)
                if self._gone is not None:
                    self._gone.update(changes.removed)
            if changes.added is not None:
                now = replace(now, recent=self._with(now.recent, changes.added))
            self._now = now
            for segment, places in overwritten:
                segment.overwrite(places)

    def _with(self, now: Snapshot, added: Entries) -> Snapshot:
        """Rows behind the last one: no snapshot that is in use looks there."""
        count = len(added.vectors)
        end = now.count + count
        now = _grown(now, end)
        place = slice(now.count, end)
        now.vectors[place] = added.vectors
        now.small[place], now.scales[place], error = _in_bytes(added.vectors)
        now.serials[place] = np.arange(self._serial, self._serial + count)
        now.links[place] = np.repeat(added.links, added.frames)
        now.frames[place] = np.concatenate([np.arange(n) for n in added.frames])
        now.codes[place] = np.repeat(self._codes_of(added), added.frames)
        now.texts[place] = np.repeat(added.texts, added.frames)
        now.owners[place] = np.repeat(added.owners, added.frames)
        now.posted[place] = np.repeat(added.posted, added.frames)
        now.alive[place] = True
        self._serial += count
        self._newest = max(self._newest, int(added.links.max(initial=0)))
        return replace(now, count=end, error=max(now.error, error))

    def _codes_of(self, added: Entries) -> NDArray[np.int32]:
        pairs = zip(added.spaces.tolist(), added.groups.tolist(), strict=True)
        codes = np.array([self._code(space, group) for space, group in pairs], np.int32)
        if len(self._spaces) < len(self._names):
            self._spaces = np.array([space for space, _ in self._names], np.int64)
        return codes

    def _code(self, space: int, group: int) -> int:
        groups = self._codes.setdefault(space, {})
        if group not in groups:
            groups[group] = len(self._names)
            self._names.append((space, group))
        return groups[group]

    # ---- settling

    def load(self, settled: Settled) -> None:
        """Begin with those segments, without the links that were touched since.

        raises   Damaged when one isn't what was written; nothing is changed then
        """
        assert self._folder is not None
        parts = [
            Segment(self._folder / name, write=self._write).whole(settled.touched)
            for name in settled.names
        ]
        if any(part.segment.vectors.shape[1] != self._dimension for part in parts):
            raise Damaged("a segment has vectors of another model")
        links = sum(int(part.links.sum()) for part in parts)
        # An older copy of a file still has what was removed from it later. Beside a writer, a
        # reader may find less than it read of a moment ago, never more.
        if settled.links is not None and (
            links > settled.links or (self._write and links < settled.links)
        ):
            raise Damaged(f"segments have {links} links, not {settled.links}: one is stale")
        with self._changing:
            self._now = replace(self._now, parts=tuple(parts))
            self._newest = settled.newest

    def settled(self, newest: int) -> Settled:
        """What is on disk now, of the links up to `newest`, which all had come when the last
        merge began; the disk has it when this returns."""
        with self._changing:
            now = self._now
            recent = now.recent
            links = recent.links[: recent.count][recent.alive[: recent.count]]
        for part in now.parts:
            part.segment.flush()
        names = tuple(part.segment.path.name for part in now.parts)
        return Settled(names, newest, frozenset(links[links <= newest].tolist()))

    def discard_others(self) -> None:
        """Remove all files from the folder that no row is in."""
        if self._folder is None or not self._write or not self._folder.is_dir():
            return
        names = {part.segment.path.name for part in self._now.parts}
        for path in self._folder.iterdir():
            if path.name not in names:
                # A system that keeps mapped files from being removed has it done next time.
                with contextlib.suppress(PermissionError):
                    path.unlink(missing_ok=True)

    @property
    def cold(self) -> bool:
        """Whether `warm` would make questions faster."""
        now = self._now
        return self._kernels is None and (now.recent.count >= BYTES_ROWS or bool(now.parts))

    @property
    def due(self) -> bool:
        """Whether rows should settle, or segments should be merged or remade."""
        if self._folder is None or not self._write:
            return False
        now = self._now
        sizes = sorted(map(len, now.parts))
        return (
            self.recent > self._settle
            or any(_to_remake(part) for part in now.parts)
            or any(small > MERGE_SHARE * large for small, large in pairwise(sizes))
        )

    def begin(self, *, hurried: bool = False, alone: bool = False) -> Merge:
        """The merge that is due; `build` it in a thread of its own, then `finish`.

        hurried  somebody waits for it
        alone    a segment of the recent rows only, to be merged with others later
        """
        assert self._folder is not None
        with self._changing:
            assert self._gone is None, "one merge at a time"
            self._gone = set()
            now, serial, newest = self._now, self._serial, self._newest
        recent = now.recent
        rows = np.flatnonzero(recent.alive[: recent.count])
        names = [(space, group, text) for space, group in self._names for text in (0, 1)]
        return Merge(
            self._folder / f"{secrets.token_hex(8)}.segment",
            Recent(
                vectors=recent.vectors[rows],
                links=recent.links[rows],
                frames=recent.frames[rows],
                owners=recent.owners[rows],
                posted=recent.posted[rows],
                keys=2 * recent.codes[rows] + recent.texts[rows],
                key_names=np.array(names, np.int64).reshape(-1, 3),
            ),
            [] if alone else _merged(now.parts, len(rows)),
            hurried=hurried,
            serial=serial,
            newest=newest,
        )

    def finish(self, merge: Merge, made: Part) -> None:
        """Let the new segment stand for the rows it was made of."""
        with self._changing:
            assert self._gone is not None
            places = made.places_of(self._gone)
            made = made.less(places)
            made.segment.overwrite(places)
            kept = [part for part in self._now.parts if not _is_in(part, merge.parts)]
            if len(made):
                kept.append(made)
            recent = self._now.recent
            later = np.flatnonzero(
                recent.alive[: recent.count] & (recent.serials[: recent.count] >= merge.serial)
            )
            self._now = State(_copied(recent, later, max(len(later), 64)), tuple(kept))
            self._gone = None

    def abandon(self) -> None:
        """Forget the merge that is under way: it failed."""
        with self._changing:
            self._gone = None

    # ---- questions

    def search(
        self,
        query: Floats,
        *,
        space: int,
        groups: Collection[int] | None,
        k: int,
        offset: int = 0,
        texts: bool | None = False,
        owner: int | None = None,
        since: float | None = None,
        until: float | None = None,
        without: Collection[int] = (),
    ) -> Found:
        """The `k` best links after the first `offset`, among those allowed.

        query         (d,) float32, unit
        groups        only their links are looked at; None: all groups of the space
        texts         True: texts only, False: images only, None: both
        owner         only this one's; None: everybody's
        since, until  posted in [since, until), Unix seconds; None: at any time
        without       links to leave out
        raises        Damaged when a segment isn't what was written
        """
        wanted = Filter(
            *(space, groups, texts, owner),
            -FOREVER if since is None else since,
            FOREVER if until is None else until,
            frozenset(without),
        )
        now = self._now
        if now.parts:
            self.warm()
        views = _views(now, wanted)
        recent, searched = self._recent(now.recent, query, wanted)
        searched += sum(view.links - view.links_among(wanted.without) for view in views)
        scored: list[Scored | Ranked] = [recent]
        scored += [Ranked.of(view, query) for view in views if view.small]
        many = [view for view in views if not view.small]
        end = min(offset + k, searched)
        best = _best_links(scored, many, query, wanted.without, end)
        page = best[offset:end]
        return Found(
            links=np.array([link for _, link, _ in page], np.int64),
            scores=np.array([score for score, _, _ in page], np.float64),
            frames=np.array([frame for _, _, frame in page], np.int64),
            searched=searched,
            more=searched > end,
            confident=_confident(scored, many, query, best, self._kernels is not None),
        )

    def above(self, query: Floats, score: float, *, space: int, texts: bool | None = False) -> int:
        """How many links of a space answer the query better than with this score; exact."""
        now, wanted = self._now, Filter(space, texts=texts)
        rows, _ = self._allowed(now.recent, wanted)
        scores = similarities(now.recent.vectors[: now.recent.count], query, rows)
        links = [now.recent.links[rows[scores > score + ROUNDING]]]
        for view in _views(now, wanted):
            places = view.places()
            for start in range(0, len(places), CHUNK_ROWS):
                chunk = places[start : start + CHUNK_ROWS]
                found = view.part.segment.links_at(chunk)
                scores = view.part.segment.scores(chunk, query)
                links.append(found[(found != GONE) & (scores > score + ROUNDING)])
        return len(np.unique(np.concatenate(links)))

    def _recent(self, now: Snapshot, query: Floats, wanted: Filter) -> tuple[Scored, int]:
        """Recent rows that may answer, and how many links they are of."""
        rows, links = self._allowed(now, wanted)
        if self._kernels is None or now.count < BYTES_ROWS:
            scores = similarities(now.vectors[: now.count], query, rows)
            return Scored(rows, scores, ROUNDING, now, self._kernels), links
        step = max(float(np.abs(query).max()) / QUERY_STEPS, 1e-12)
        steps = np.rint(query / step).astype(np.int16)
        scores = np.empty(len(rows), np.float32)
        self._kernels.scan_bytes(
            now.small, now.scales, rows, steps, step, 128 * int(steps.sum()), scores
        )
        # Cauchy-Schwarz on what both sides leave out: no row that belongs here is missed.
        left_out = float(np.linalg.norm(query - steps * np.float32(step)))
        slack = ROUNDING + 2 * (now.error * float(np.linalg.norm(query)) + 1.02 * left_out)
        return Scored(rows, scores, slack, now, self._kernels), links

    def _allowed(self, now: Snapshot, wanted: Filter) -> tuple[Ints, int]:
        """The living rows that may answer, and how many links they are of."""
        groups = self._groups(wanted)
        if self._kernels is None:
            rows, links = _chosen(now, groups, wanted)
        else:
            rows, kind = (
                np.empty(now.count + 1, np.int64),
                -1 if wanted.texts is None else wanted.texts,
            )
            columns = (now.codes, now.alive, now.texts, now.frames, now.owners, now.posted)
            count, links = self._kernels.chosen(
                *(column[: now.count] for column in columns),
                *(groups, kind, *wanted.narrowness, rows),
            )
            rows = rows[:count]
        if wanted.without and len(rows):
            rows = rows[~np.isin(now.links[rows], np.fromiter(wanted.without, np.int64))]
            links = int(np.count_nonzero(now.frames[rows] == 0))
        return rows, links

    def _groups(self, wanted: Filter) -> Bools:
        """(codes,) which groups are allowed."""
        if wanted.groups is None:
            table: Bools = self._spaces == wanted.space
            return table
        known = self._codes.get(wanted.space, {})
        table = np.zeros(len(self._spaces), np.bool_)
        table[[known[group] for group in wanted.groups if group in known]] = True
        return table


QUERY_STEPS = 4095  # of 16 bits: 512 products with a byte stay below 2^31


def _chosen(now: Snapshot, groups: Bools, wanted: Filter) -> tuple[Ints, int]:
    """What `kernels.chosen` gives, while it isn't loaded."""
    allowed = groups[now.codes[: now.count]] & now.alive[: now.count]
    if wanted.texts is not None:
        allowed &= now.texts[: now.count] == wanted.texts
    if wanted.narrow:
        posted = now.posted[: now.count]
        allowed &= (posted >= wanted.since) & (posted < wanted.until)
        if wanted.owner is not None:
            allowed &= now.owners[: now.count] == wanted.owner
    rows = np.flatnonzero(allowed)
    return rows, int(np.count_nonzero(now.frames[rows] == 0))


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


def _views(now: State, wanted: Filter) -> list[View]:
    views = (View.of(part, wanted) for part in now.parts)
    return [view for view in views if view.rows]


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
        from index import kernels

        return _of_segment(
            self.view, query, self.rows[_top_rows(self.scores, taken, ROUNDING, kernels)]
        )


def _best_links(
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


def _confident(
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


FEWEST_TO_JUDGE = 12
MAD_TO_SIGMA = 1.4826  # of a normal distribution


# ---- states


def _less(now: State, removed: Sequence[int]) -> tuple[State, list[tuple[Segment, Ints]]]:
    """The state without those links, and which rows of which segments are to be overwritten."""
    parts, overwritten = [], []
    for part in now.parts:
        places = part.places_of(removed)
        parts.append(part.less(places))
        if len(places):
            overwritten.append((part.segment, places))
    return State(_without(now.recent, removed), tuple(parts)), overwritten


def _merged(parts: Sequence[Part], rows: int) -> list[Part]:
    """Those parts that `rows` recent rows join: smaller ones, and each that the rows so far
    have a good share of; and parts that are to be remade."""
    merged: list[Part] = []
    for part in sorted(parts, key=len):
        if rows > MERGE_SHARE * len(part) or _to_remake(part) or _has_equal(part, parts):
            merged.append(part)
            rows += len(part)
    return merged


def _has_equal(part: Part, parts: Sequence[Part]) -> bool:
    """Whether another part is larger, but not by much."""
    return any(
        other is not part and len(part) <= len(other) < len(part) / MERGE_SHARE for other in parts
    )


def _to_remake(part: Part) -> bool:
    """Whether it is mostly gone, or its file still tells what is."""
    return len(part) < DEAD_SHARE * part.segment.rows or part.tells


def _is_in(part: Part, parts: Sequence[Part]) -> bool:
    """Whether it is of the same segment as one of those, whatever has been removed since."""
    return any(part.segment is other.segment for other in parts)


def _in_bytes(vectors: Floats) -> tuple[NDArray[np.uint8], Floats, float]:
    """The vectors in 255 steps, the size of each one's step, and what is left out at most."""
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-12) / 127
    steps = np.rint(vectors / scales[:, None])
    left_out = np.linalg.norm(vectors - steps * scales[:, None], axis=1)
    return (steps + 128).astype(np.uint8), scales, float(left_out.max(initial=0))


def _empty(dimension: int, capacity: int) -> Snapshot:
    return Snapshot(
        vectors=np.zeros((capacity, dimension), np.float32),
        small=np.zeros((capacity, dimension), np.uint8),
        scales=np.zeros(capacity, np.float32),
        error=0.0,
        serials=np.zeros(capacity, np.int64),
        links=np.zeros(capacity, np.int64),
        frames=np.zeros(capacity, np.int32),
        codes=np.zeros(capacity, np.int32),
        texts=np.zeros(capacity, np.bool_),
        owners=np.zeros(capacity, np.int64),
        posted=np.zeros(capacity, np.float64),
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
        (now.small, fresh.small),
        (now.scales, fresh.scales),
        (now.serials, fresh.serials),
        (now.links, fresh.links),
        (now.frames, fresh.frames),
        (now.codes, fresh.codes),
        (now.texts, fresh.texts),
        (now.owners, fresh.owners),
        (now.posted, fresh.posted),
        (now.alive, fresh.alive),
    ):
        np.take(old, rows, axis=0, out=new[:count])
    dead = count - int(np.count_nonzero(fresh.alive[:count]))
    return replace(fresh, count=count, dead=dead, error=now.error)
