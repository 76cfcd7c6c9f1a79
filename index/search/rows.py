"""The rows of a gallery: which links are most like a query, among those that may answer.

Recent rows live in memory and are all compared. When they are many they settle, together with
smaller segments, into a new segment (segment.py), of which the rows that look best by their
codes are compared. Either way the ranking (ranking.py) is by the full vectors. Rows change by whole
states: a search that runs meanwhile keeps the one it began with.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.search.by_date import in_order_of_date
from index.search.interface import Found
from index.search.merge import Merge, Recent
from index.search.ranking import (
    CHUNK_ROWS,
    ROUNDING,
    Ranked,
    Scored,
    best_links,
    confident,
    follows,
    similarities,
)
from index.search.segment import GONE, Damaged, Part, Segment, View, has_limits, limits_of
from index.search.sizes import DEFAULT_SIZES, Sizes
from index.search.snapshot import DEAD_SHARE, Bools, Ints, Snapshot, in_bytes
from index.types.filter import Filter, Sort
from index.types.records import Changes, Entries, Floats, Kind, Position, Settled

# From here on, comparing bytes first costs less than comparing all vectors (0.3 against 0.5 ms
# at 10,000 rows), if the compiled loops are there.
BYTES_ROWS = 4096
# A segment is merged with what came after it once that has this share of its rows: each row is
# written some ten times while a gallery grows, and a question looks at two segments, seldom more.
MERGE_SHARE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """All rows at one moment."""

    recent: Snapshot
    parts: tuple[Part, ...] = ()


class Rows:
    """The rows of a gallery: changed by one at a time, searched by many.

    folder   where segments are kept; None: all rows stay in memory
    write    False: segments are read, and neither made nor changed
    """

    def __init__(
        self,
        dimension: int,
        capacity: int = 0,
        folder: Path | None = None,
        sizes: Sizes = DEFAULT_SIZES,
        *,
        write: bool = True,
    ) -> None:
        self._dimension = dimension
        self._now = State(Snapshot.empty(dimension, capacity))
        # Segments keep bits and words: other dimensions than whole bytes stay in memory.
        self._folder = folder if dimension % 8 == 0 else None
        self._sizes = sizes
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
            from index.search import kernels

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
        now = now.grown(end)
        place = slice(now.count, end)
        now.vectors[place] = added.vectors
        now.small[place], now.scales[place], error = in_bytes(added.vectors)
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
    def settles(self) -> bool:
        """Whether rows can settle at all; otherwise all stay in memory."""
        return self._folder is not None and self._write

    @property
    def due(self) -> bool:
        """Whether rows should settle, or segments should be merged or remade."""
        if not self.settles:
            return False
        now = self._now
        sizes = sorted(map(len, now.parts))
        return (
            self.recent > self._sizes.settle_rows
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
            self._now = State(recent.copied(later, max(len(later), 64)), tuple(kept))
            self._gone = None

    def abandon(self) -> None:
        """Forget the merge that is under way: it failed."""
        with self._changing:
            self._gone = None

    # ---- questions

    def search(
        self,
        query: Floats,
        filter: Filter,
        *,
        k: int,
        after: Position | None = None,
        sort: Sort = Sort.BEST,
    ) -> Found:
        """The first `k` links after `after`, among those that may answer.

        query    (d,) float32, unit
        filter   without `but_not_source`, which only the store can resolve
        raises   Damaged when a segment isn't what was written
        """
        assert filter.but_not_source is None
        now = self._now
        if now.parts:
            self.warm()
        views = self._views(now, filter)
        recent, searched = self._recent(now.recent, query, filter)
        searched += sum(view.links - view.links_among(filter.without) for view in views)
        scored: list[Scored | Ranked] = [recent]
        scored += [Ranked.of(view, query) for view in views if view.small]
        many = [view for view in views if not view.small]
        # One more than the page has, which tells whether there is a next page.
        if sort is Sort.BEST:
            best = best_links(
                scored, many, query, filter.without, links=searched, wanted=k + 1, after=after
            )
            page = [one for one in best if follows(after, one.score, one.link)]
        else:
            best = best_links(
                scored, many, query, filter.without, links=searched, wanted=1, after=None
            )
            page = in_order_of_date(
                *(now.recent, recent.rows, views, query, filter.without),
                sort=sort,
                wanted=k + 1,
                after=after,
            )
        return Found(
            links=np.array([one.link for one in page[:k]], np.int64),
            scores=np.array([one.score for one in page[:k]], np.float64),
            frames=np.array([one.frame for one in page[:k]], np.int64),
            searched=searched,
            more=len(page) > k,
            confident=confident(
                *(scored, many, query, best[0].score if best else None),
                compiled=self._kernels is not None,
            ),
        )

    def above(self, query: Floats, score: float, filter: Filter) -> int:
        """How many links that may answer have a greater score than this one; exact. The filter's
        `without` is not looked at."""
        now = self._now
        rows, _ = self._allowed(now.recent, filter)
        scores = similarities(now.recent.vectors[: now.recent.count], query, rows)
        links = [now.recent.links[rows[scores > score + ROUNDING]]]
        for view in self._views(now, filter):
            places = view.places()
            for start in range(0, len(places), CHUNK_ROWS):
                chunk = places[start : start + CHUNK_ROWS]
                found = view.part.segment.links_at(chunk)
                scores = view.part.segment.scores(chunk, query)
                links.append(found[(found != GONE) & (scores > score + ROUNDING)])
        return len(np.unique(np.concatenate(links)))

    def _views(self, now: State, filter: Filter) -> list[View]:
        views = (View.of(part, filter, self._sizes.scattered_lanes) for part in now.parts)
        return [view for view in views if view.rows]

    def _recent(self, now: Snapshot, query: Floats, filter: Filter) -> tuple[Scored, int]:
        """Recent rows that may answer, and how many links they are of."""
        rows, links = self._allowed(now, filter)
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

    def _allowed(self, now: Snapshot, filter: Filter) -> tuple[Ints, int]:
        """The living rows that may answer, and how many links they are of."""
        groups = self._groups(filter)
        if self._kernels is None:
            rows, links = _chosen(now, groups, filter)
        else:
            rows, kind = np.empty(now.count + 1, np.int64), KINDS[filter.kind]
            columns = (now.codes, now.alive, now.texts, now.frames, now.owners, now.posted)
            count, links = self._kernels.chosen(
                *(column[: now.count] for column in columns),
                *(groups, kind, *limits_of(filter), rows),
            )
            rows = rows[:count]
        if filter.without and len(rows):
            rows = rows[~np.isin(now.links[rows], np.fromiter(filter.without, np.int64))]
            links = int(np.count_nonzero(now.frames[rows] == 0))
        return rows, links

    def _groups(self, filter: Filter) -> Bools:
        """(codes,) which groups are allowed."""
        if filter.groups is None:
            table: Bools = self._spaces == filter.space
            return table
        known = self._codes.get(filter.space, {})
        table = np.zeros(len(self._spaces), np.bool_)
        table[[known[group] for group in filter.groups if group in known]] = True
        return table


KINDS: dict[Kind | None, int] = {None: -1, "image": 0, "text": 1}  # as the compiled loops know them
QUERY_STEPS = 4095  # of 16 bits: 512 products with a byte stay below 2^31


def _chosen(now: Snapshot, groups: Bools, filter: Filter) -> tuple[Ints, int]:
    """What `kernels.chosen` gives, while it isn't loaded."""
    allowed = groups[now.codes[: now.count]] & now.alive[: now.count]
    if filter.kind is not None:
        allowed &= now.texts[: now.count] == (filter.kind == "text")
    if has_limits(filter):
        owner, of_owner, since, until = limits_of(filter)
        posted = now.posted[: now.count]
        allowed &= (posted >= since) & (posted < until)
        if of_owner:
            allowed &= now.owners[: now.count] == owner
    rows = np.flatnonzero(allowed)
    return rows, int(np.count_nonzero(now.frames[rows] == 0))


# ---- states


def _less(now: State, removed: Sequence[int]) -> tuple[State, list[tuple[Segment, Ints]]]:
    """The state without those links, and which rows of which segments are to be overwritten."""
    parts, overwritten = [], []
    for part in now.parts:
        places = part.places_of(removed)
        parts.append(part.less(places))
        if len(places):
            overwritten.append((part.segment, places))
    return State(now.recent.without(removed), tuple(parts)), overwritten


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
