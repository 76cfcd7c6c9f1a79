"""A `VectorIndex` whose rows are in a database, and in memory for the spaces that are asked.

The rows of a space are read when somebody asks in it, and kept for later questions. The spaces
that nobody has asked in for longest are forgotten, so that memory is bounded. Several processes may
write to the database: each change of a space has a number, and a question first looks whether the
rows in memory are of the newest one. If they aren't, only what has changed is read.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Protocol, TypeVar

import numpy as np

from index.concurrency import Pool, to_completion
from index.search.interface import Everything, Found, Listed
from index.search.rows import Rows
from index.search.sizes import Sizes
from index.types.errors import GalleryClosed, StoreError
from index.types.filter import Filter, Sort
from index.types.records import Changes, Entries, Floats, Position

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class SpaceChanges:
    """What changed in a space.

    version   the number of its newest change
    touched   the links that were added, changed or removed; None: everything may have changed
    entries   those of these links that are there now; of everything, if `touched` is None
    """

    version: int
    touched: Sequence[int] | None
    entries: Sequence[Entries]


class SpaceSource(Protocol):
    """The store of such an index."""

    async def version(self, space: int) -> int:
        """The number of the newest change of a space's links; 0: it has none."""

    async def changed(self, space: int, dimension: int, since: int | None) -> SpaceChanges:
        """What changed in a space after this change; everything, where that is not known."""

    async def switch_model(self) -> Changes:
        """Let the vectors of the new model be the gallery's."""


class _Space:
    """The rows of one space, as of a change; None before they are read."""

    def __init__(self) -> None:
        self.rows: Rows | None = None
        self.version = 0
        self.reading = asyncio.Lock()


class SpaceIndex:
    """The rows of one store.

    source      the store
    searching   threads for queries
    closed      set from when on nothing changes
    """

    def __init__(
        self, source: SpaceSource, searching: Pool, closed: asyncio.Event, *, sizes: Sizes
    ) -> None:
        self._source = source
        self._searching = searching
        self._closed = closed
        self._sizes = sizes
        self._dimension = 0
        self._spaces: OrderedDict[int, _Space] = OrderedDict()  # the last one was asked last
        self._order = asyncio.Lock()  # held by whatever changes the store

    def begin(self, dimension: int) -> None:
        """Vectors have this many numbers."""
        self._dimension = dimension
        self._spaces.clear()

    async def load(self, dimension: int) -> None:
        """Nothing is read before somebody asks."""
        self.begin(dimension)

    async def reload(self) -> None:
        """Nothing: each question looks whether something has changed."""

    def start(self) -> None:
        """Nothing is done in the background."""

    @property
    def idle(self) -> bool:
        """Nothing is left to do in the background."""
        return True

    @property
    def resident_bytes(self) -> int:
        """What the rows in memory take."""
        return sum(one.rows.resident_bytes for one in self._spaces.values() if one.rows)

    # ---- in step with the store

    async def change(
        self, write: Callable[[], Awaitable[Changes]], *, adds: bool = False
    ) -> Changes:
        """Write to the store, as `VectorIndex.change`."""
        return await to_completion(self._changed(write))

    async def _changed(self, write: Callable[[], Awaitable[Changes]]) -> Changes:
        async with self._order:
            if self._closed.is_set():
                raise GalleryClosed
            changes = await write()
            # Now, and not with the next question: its time would tell that something was posted in
            # a channel which the asker can't read.
            spaces = set(changes.dropped)
            if changes.added is not None:
                spaces |= set(changes.added.spaces.tolist())
            for space in spaces:
                if (known := self._spaces.get(space)) is not None:
                    await self._follow(space, known)
            return changes

    async def _follow(self, space: int, known: _Space) -> None:
        """Read what has changed; the next question reads it if that can't be done now."""
        try:
            await self._caught_up(space, known)
        except StoreError as exc:
            # The change itself is made, and whoever made it must not be told otherwise.
            log.warning("%s; the rows of space %d are read with the next question", exc, space)

    async def switch_model(self, dimension: int, moved: Callable[[], None]) -> Changes:
        """Change over to the vectors of the new model, as `VectorIndex.switch_model`."""
        async with self._order:
            if self._closed.is_set():
                raise GalleryClosed
            changes = await self._source.switch_model()
            self.begin(dimension)
            moved()
            return changes

    # ---- queries

    async def search(
        self, queries: Floats, filter: Filter, *, k: int, sampled: bool = True
    ) -> Found:
        """The `k` links that are most like each query, as `VectorIndex.search`."""
        question = partial(Rows.search, queries=queries, filter=filter, k=k, sampled=sampled)
        return await self._ask(filter, question)

    async def listed(
        self, filter: Filter, *, k: int, sort: Sort, after: Position | None = None
    ) -> Listed:
        """The first `k` links that follow `after`, as `VectorIndex.listed`."""
        return await self._ask(
            filter, lambda rows: rows.listed(filter, k=k, sort=sort, after=after)
        )

    async def above(self, query: Floats, score: float, filter: Filter) -> int:
        """How many links that may answer have a greater score; exact."""
        return await self._ask(filter, lambda rows: rows.above(query, score, filter))

    async def examine(self, filter: Filter, work: Callable[[Everything], T], pool: Pool) -> T:
        """What `work` makes of all links that may answer, as `VectorIndex.examine`."""
        return await self._ask(filter, lambda rows: work(rows.everything(filter)), pool)

    async def _ask(
        self, filter: Filter, question: Callable[[Rows], T], pool: Pool | None = None
    ) -> T:
        rows = await self._present(filter.space)
        return await (pool or self._searching).run(partial(question, rows))

    async def _present(self, space: int) -> Rows:
        """The rows of a space as they are now."""
        known = self._spaces.setdefault(space, _Space())
        self._spaces.move_to_end(space)
        rows = await self._caught_up(space, known)
        self._forget_some()
        return rows

    async def _caught_up(self, space: int, known: _Space) -> Rows:
        async with known.reading:
            rows = known.rows
            if rows is not None and await self._source.version(space) == known.version:
                return rows
            since = None if rows is None else known.version
            changes = await self._source.changed(space, self._dimension, since)
            if rows is None or changes.touched is None:
                rows = Rows(self._dimension, sizes=self._sizes)
            await asyncio.to_thread(_apply, rows, changes)
            known.rows, known.version = rows, changes.version
            return rows

    def _forget_some(self) -> None:
        """Forget spaces until the rest fits; never the one that was asked last."""
        while len(self._spaces) > 1 and self.resident_bytes > self._sizes.cached_bytes:
            self._spaces.popitem(last=False)

    async def close(self) -> None:
        """Let the change that is being made come to its end."""
        async with self._order:
            self._spaces.clear()


def _apply(rows: Rows, changes: SpaceChanges) -> None:
    if changes.touched is None:  # nobody asks these rows yet
        for entries in changes.entries:
            rows.apply(Changes(added=entries))
    else:
        added = _joined(changes.entries) if changes.entries else None
        rows.apply(Changes(removed=changes.touched, added=added))
    rows.warm()


def _joined(chunks: Sequence[Entries]) -> Entries:
    """All of these, so that no question sees half of a change."""
    columns = (field.name for field in fields(Entries))
    return Entries(*(np.concatenate([getattr(one, name) for one in chunks]) for name in columns))
