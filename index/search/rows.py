"""The rows of a gallery: which links are most like a query, among those that may answer.

New rows live in memory, in the memtable, and are all compared. When they are many they *settle*:
they are written into a segment file of their own. A compaction makes one segment of smaller ones,
at the same time: settling is quick and never waits for it. Of a segment, the rows that look best by
their codes are compared. Either way the ranking is by the full vectors. Rows change from one
version to the next: a search that runs meanwhile keeps the version it began with.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from index.search import everything
from index.search.by_date import in_order_of_date
from index.search.compaction import Compaction, UnsettledRows, compacted
from index.search.found import rows_of, sample
from index.search.hits import Hits
from index.search.interface import Found, Listed
from index.search.kernels.arguments import Ints
from index.search.kernels.constants import PRODUCT_ERROR, TOMBSTONE
from index.search.limits import NO_IDS
from index.search.memtable import FIRST_KEY, GroupCodes, Memtable
from index.search.ranking import (
    PRODUCT_ROWS,
    QUANTIZED_ROWS,
    best_by_columns,
    best_links,
    similarities,
)
from index.search.segment import Part, Segment
from index.search.segment_file import Damaged
from index.search.sizes import DEFAULT_SIZES, Sizes
from index.search.view import View, views_of
from index.types.filter import Filter, Sort
from index.types.records import Changes, Floats, Position, Settled


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """All rows at one moment."""

    memtable: Memtable
    parts: tuple[Part, ...] = ()

    def without(self, links: Sequence[int]) -> tuple[Version, list[tuple[Segment, Ints]]]:
        """The rows without those of these links, and which places of which segments they had."""
        parts, removed = [], []
        for part in self.parts:
            places = part.places_of(links)
            parts.append(part.without(places))
            if len(places):
                removed.append((part.segment, places))
        return Version(self.memtable.without(links), tuple(parts)), removed


class Rows:
    """The rows of a gallery: changed by one thread at a time, searched by many.

    folder   where segment files are kept; None: all rows stay in memory
    write    False: segment files are read, and neither made nor changed
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
        self._no_hits = Hits.room(0, dimension)
        self._now = Version(Memtable.empty(dimension, capacity))
        # Segments hold whole bytes of bits: vectors of other dimensions stay in memory.
        self._folder = folder if dimension % 8 == 0 else None
        self._sizes = sizes
        self._write = write
        self._codes = GroupCodes()
        self._serial = 0  # of the next row
        self._newest = 0  # the greatest link that ever came
        self._newest_settled = 0  # had come when rows settled for the last time
        self._running = set[Compaction]()
        self._loops: Any = None  # the compiled loops, once they are loaded
        self._changing = threading.Lock()
        self._warming = threading.Lock()

    def __len__(self) -> int:
        return self.unsettled + sum(map(len, self._now.parts))

    @property
    def unsettled(self) -> int:
        """How many rows have not settled."""
        return len(self._now.memtable)

    @property
    def resident_bytes(self) -> int:
        """What all rows take in memory; vectors in files don't count."""
        now = self._now
        return now.memtable.resident_bytes + sum(part.resident_bytes for part in now.parts)

    @property
    def cold(self) -> bool:
        """Whether `warm` would make searches quicker, now or once rows have settled."""
        many = self._now.memtable.count >= QUANTIZED_ROWS or bool(self._now.parts)
        return self._loops is None and (many or self.needs_settling)

    def warm(self) -> None:
        """Load the compiled loops if there are many rows; takes seconds when they are compiled.

        It is done before rows settle, since a query of settled rows needs them, and would wait.
        """
        if not self.cold:
            return
        with self._warming:  # so that no two threads compile the same loops
            if self._loops is None:
                from index.search.kernels import loops
                from index.search.kernels.warm import warm

                warm(self._dimension)
                self._loops = loops

    # ---- changes

    def apply(self, changes: Changes) -> None:
        """Make the changes of one transaction visible, all at once."""
        with self._changing:
            now, removed = self._now, list[tuple[Segment, Ints]]()
            if changes.removed:
                now, removed = now.without(changes.removed)
                for compaction in self._running:
                    compaction.removed.update(changes.removed)
            if changes.added is not None:
                added, codes = changes.added, self._codes.of(changes.added)
                memtable = now.memtable.with_entries(added, codes, self._serial)
                now = replace(now, memtable=memtable)
                self._serial += len(added.vectors)
                self._newest = max(self._newest, int(added.links.max(initial=0)))
            self._now = now
            for segment, places in removed:
                segment.overwrite(places)

    # ---- settled rows

    def load(self, settled: Settled) -> None:
        """Begin with these segments, without the links that were touched since.

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
        # An older copy of a file still has what was removed from it later. A reader beside a
        # writer may find less than what the store said a moment ago, but never more.
        if settled.links is not None and (
            links > settled.links or (self._write and links < settled.links)
        ):
            raise Damaged(f"segments have {links} links, not {settled.links}: one is stale")
        with self._changing:
            self._now = replace(self._now, parts=tuple(parts))
            self._newest = self._newest_settled = settled.newest

    def settled(self) -> Settled:
        """Which links are in files, of those that had come when rows settled for the last time. The
        files are on disk when this returns."""
        with self._changing:
            now, newest = self._now, self._newest_settled
            links = now.memtable.living_links
        for part in now.parts:
            part.segment.flush()
        names = tuple(part.segment.path.name for part in now.parts)
        return Settled(names, newest, frozenset(links[links <= newest].tolist()))

    def remove_other_files(self) -> None:
        """Remove all files from the folder that hold no row and get none."""
        if self._folder is None or not self._write or not self._folder.is_dir():
            return
        with self._changing:
            names = {part.segment.path.name for part in self._now.parts}
            names |= {compaction.path.name for compaction in self._running}
        for path in self._folder.iterdir():
            if path.name not in names:
                # Some systems don't remove a file that is mapped; then it is removed next time.
                with contextlib.suppress(PermissionError):
                    path.unlink(missing_ok=True)

    # ---- settling

    @property
    def can_settle(self) -> bool:
        """Whether rows can settle at all; otherwise all stay in memory."""
        return self._folder is not None and self._write

    @property
    def needs_settling(self) -> bool:
        """Whether the rows in memory should settle."""
        return self.can_settle and self.unsettled > self._sizes.settle_rows

    @property
    def needs_compaction(self) -> bool:
        """Whether segments should become one, or one should be made anew."""
        return self.can_settle and bool(compacted(self._now.parts, self._sizes.largest_rows))

    def begin_settling(self, *, hurried: bool = False) -> Compaction:
        """A segment of the rows in memory. `build` it in a thread of its own, then finish it.

        hurried  a writer waits for it
        """
        with self._changing:
            table, rows = self._now.memtable, self._now.memtable.living
            settling = Compaction(
                self._new_path(),
                self._taken(table, rows),
                [],
                hurried=hurried,
                serial=self._serial,
                newest=self._newest,
            )
            self._running.add(settling)
        return settling

    def begin_compaction(self, *, hurried: bool = False) -> Compaction:
        """The compaction that is needed. `build` it in a thread of its own, then finish it. Rows
        may settle meanwhile."""
        with self._changing:
            none = self._taken(self._now.memtable, np.zeros(0, np.int64))
            parts = compacted(self._now.parts, self._sizes.largest_rows)
            compaction = Compaction(self._new_path(), none, parts, hurried=hurried)
            self._running.add(compaction)
        return compaction

    def _new_path(self) -> Path:
        assert self._folder is not None
        return self._folder / f"{secrets.token_hex(8)}.segment"

    def _taken(self, table: Memtable, rows: Ints) -> UnsettledRows:
        names = [(space, group, text) for space, group in self._codes.groups for text in (0, 1)]
        return UnsettledRows(
            vectors=table.vectors[rows],
            links=table.links[rows],
            frames=table.frames[rows],
            owners=table.owners[rows],
            posted=table.posted[rows],
            keys=table.keys[rows] - FIRST_KEY,
            key_names=np.array(names, np.int64).reshape(-1, 3),
        )

    def finish_compaction(self, compaction: Compaction, made: Part | None) -> None:
        """Put the new segment, if there is one, in the place of the rows it was made of."""
        with self._changing:
            replaced = {id(part.segment) for part in compaction.parts}
            parts = [part for part in self._now.parts if id(part.segment) not in replaced]
            if made is not None:
                places = made.places_of(compaction.removed)
                made = made.without(places)
                made.segment.overwrite(places)
                if len(made):
                    parts.append(made)
            memtable = self._now.memtable
            if compaction.newest:
                memtable = memtable.since(compaction.serial)
                self._newest_settled = compaction.newest
            self._now = Version(memtable, tuple(parts))
            self._running.discard(compaction)

    def abandon_compaction(self, compaction: Compaction) -> None:
        """Forget a compaction if it still runs: it failed."""
        with self._changing:
            self._running.discard(compaction)

    # ---- queries

    def search(self, queries: Floats, filter: Filter, *, k: int, sampled: bool = True) -> Found:
        """The `k` links that are most like each query, among those that may answer.

        queries  (q, d) float32, unit rows, or one (d,)
        filter   resolved: without what only the store can answer
        sampled  False: the sample is left empty
        raises   Damaged when a segment isn't what was written
        """
        assert filter.but_not_source is None
        now = self._now
        views = self._views(now, filter)
        of_views = _links_of(views, filter.without)
        best = []
        for query in queries if queries.ndim > 1 else (queries,):
            rows, links, hits = self._best_in_memory(now.memtable, filter, query, k)
            searched = links + of_views
            if views:
                hits = best_links(query, hits, views, filter.without, min(k, searched))
            best.append(hits)
        hits = Hits.joined(best)
        of_links = rows_of(now.memtable, views, hits)
        some = sample(now.memtable, rows, views) if sampled else now.memtable.vectors[:0]
        more = searched > k and searched > len(hits.links)
        return Found(hits.links, hits.scores, hits.frames, searched, more, *of_links, some)

    def _best_in_memory(
        self, table: Memtable, filter: Filter, query: Floats, k: int
    ) -> tuple[Ints, int, Hits]:
        """The rows in memory that may answer, of how many links they are, and the best of these."""
        if not table.count:
            return NO_IDS, 0, self._no_hits
        if self._loops is not None:
            return table.best(self._codes, filter, query, min(k, table.count), self._loops)
        rows, links = table.allowed(self._codes, filter, None)
        return rows, links, best_by_columns(query, table, rows, k)

    def listed(
        self, filter: Filter, *, k: int, sort: Sort, after: Position | None = None
    ) -> Listed:
        """The first `k` links that follow `after`, newest or oldest first."""
        now = self._now
        rows, views, searched = self._answering(now, filter)
        wanted = k + 1  # the last one tells whether there is a next page
        links = in_order_of_date(
            now.memtable, rows, views, filter.without, sort=sort, wanted=wanted, after=after
        )
        return Listed(links[:k], searched, more=len(links) > k)

    def everything(self, filter: Filter) -> everything.Rows:
        """All links that may answer, as they are at this moment."""
        now = self._now
        rows, views, _ = self._answering(now, filter)
        return everything.Rows(now.memtable, rows, views, filter.without)

    def _answering(self, now: Version, filter: Filter) -> tuple[Ints, list[View], int]:
        """The rows in memory and of each segment that may answer, and of how many links."""
        assert filter.but_not_source is None
        views = self._views(now, filter)
        rows, links = now.memtable.allowed(self._codes, filter, self._loops)
        return rows, views, links + _links_of(views, filter.without)

    def above(self, query: Floats, score: float, filter: Filter) -> int:
        """How many links that may answer have a greater score than this one; exact. The filter's
        `without` is not looked at."""
        now, least = self._now, score + float(PRODUCT_ERROR)
        rows, _ = now.memtable.allowed(self._codes, filter, self._loops)
        scores = similarities(now.memtable.vectors[: now.memtable.count], query, rows)
        links = [now.memtable.links[rows[scores > least]]]
        for view in self._views(now, filter):
            places = view.places()
            for start in range(0, len(places), PRODUCT_ROWS):
                chunk = places[start : start + PRODUCT_ROWS]
                found = view.part.segment.links_at(chunk)
                scores = view.part.segment.scores(chunk, query)
                links.append(found[(found != TOMBSTONE) & (scores > least)])
        return len(np.unique(np.concatenate(links)))

    def _views(self, now: Version, filter: Filter) -> list[View]:
        """The rows of each segment that may answer, where there are any."""
        if not now.parts:
            return []
        if self._loops is None:
            self.warm()
        return views_of(now.parts, filter, self._sizes)


def _links_of(views: list[View], without: frozenset[int]) -> int:
    """How many links may answer, without these."""
    links = sum([view.links for view in views])
    return links - sum([view.links_among(without) for view in views]) if without else links
