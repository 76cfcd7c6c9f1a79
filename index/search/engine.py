"""A `VectorIndex` whose rows are in memory and in segment files on this machine.

The store holds the truth. The rows are made from it and can be made anew at any time, so a damaged
file costs time, but never a picture. A row *settles* when it is written from memory into a segment
file.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from index.concurrency import Pool, to_completion
from index.search.compaction import Compaction
from index.search.interface import Everything, Found, Listed, RowSource
from index.search.rows import Rows
from index.search.segment_file import Damaged
from index.search.sizes import Sizes
from index.types.errors import GalleryClosed, StoreError
from index.types.filter import Filter, Sort
from index.types.records import Changes, Entries, Floats, Position, Settled

log = logging.getLogger(__name__)
T = TypeVar("T")

# A store hands over about this many rows at once. Where it hands over more, an array has to grow.
CHUNK_ROWS = 4096


class Engine:
    """The rows of one store.

    source      the store
    folder      where segment files are kept; None: all rows stay in memory
    searching   threads for queries
    compacting  the thread that makes segment files
    closed      set from when on nothing changes
    write       False: segment files are read, and neither made nor changed
    """

    def __init__(
        self,
        source: RowSource,
        folder: Path | None,
        searching: Pool,
        compacting: Pool,
        closed: asyncio.Event,
        *,
        write: bool,
        sizes: Sizes,
    ) -> None:
        self._source = source
        self._folder = folder
        self._searching = searching
        self._compacting = compacting
        self._closed = closed
        self._write = write
        self._sizes = sizes
        self.rows = self._new_rows(0)
        self._dimension = 0
        self._queue = asyncio.Lock()  # of writers
        self._order = asyncio.Lock()  # held by whatever changes the store and the rows
        self._due = asyncio.Event()  # set when rows should settle
        self._settling: asyncio.Task[None] | None = None
        self._compaction: Compaction | None = None  # the one that runs
        self._failed = False  # whether rows could not settle the last time
        self._progress = asyncio.Event()  # set for a moment when rows have settled, or can't
        self._writer_waits = False  # whether a writer waits until rows have settled

    # ---- made from the store

    def begin(self, dimension: int) -> None:
        """Have no rows yet; those that come have this many numbers."""
        self._dimension = dimension
        self.rows = self._new_rows(dimension)

    def _new_rows(self, dimension: int, capacity: int = 0) -> Rows:
        return Rows(dimension, capacity, self._folder, self._sizes, write=self._write)

    async def load(self, dimension: int) -> None:
        """Settled rows are read from their files, the others from the store. When the files
        aren't what was written, all rows are read from the store."""
        self._dimension = dimension
        rows = self._new_rows(dimension)
        settled = await self._source.settled()
        try:
            if settled is not None:
                await asyncio.to_thread(rows.load, settled)
        except Damaged as exc:
            log.warning("%s; settled rows are made anew", exc)
            await self._load_all()
            return
        await asyncio.to_thread(rows.remove_other_files)
        if settled is None:
            await self._load_all()
            return
        newest = await self._fill(rows, self._source.entries(dimension, settled))
        if newest:
            await self._source.settle(await asyncio.to_thread(rows.settled, newest))
        await asyncio.to_thread(rows.warm)
        self.rows = rows

    async def _load_all(self) -> None:
        """Read all rows from the store, chunk by chunk."""
        if self._write:
            await self._source.settle(None)
        rows, settled = await self._read(self._dimension)
        await asyncio.to_thread(rows.remove_other_files)
        if settled is not None:
            await self._source.settle(settled)
        self.rows = rows
        self._tell_progress()

    async def _read(
        self, dimension: int, *, successor: bool = False
    ) -> tuple[Rows, Settled | None]:
        """All rows from the store, and which of them are in files now."""
        capacity = await self._source.frames(dimension, successor=successor)
        if capacity > self._sizes.settle_rows and self._write:
            # Most rows will settle, so the array in memory needn't hold them all.
            capacity = min(capacity, self._sizes.load_rows + CHUNK_ROWS)
        rows = self._new_rows(dimension, capacity)
        entries = self._source.entries(dimension, successor=successor)
        newest = await self._fill(rows, entries)
        return rows, await asyncio.to_thread(rows.settled, newest) if newest else None

    async def _fill(self, rows: Rows, entries: AsyncIterator[Entries]) -> int:
        """Add all these entries. Where they are many, rows settle on the way, so that memory is
        bounded.

        returns  the newest link that had come when rows settled for the last time; 0: none did
        """
        newest = 0
        async for some in entries:
            await asyncio.to_thread(rows.apply, Changes(added=some))
            if rows.unsettled >= self._sizes.load_rows and rows.can_settle:
                begin = partial(rows.begin_compaction, hurried=True, alone=True)
                compaction = await asyncio.to_thread(begin)
                made = await asyncio.to_thread(compaction.build)
                await asyncio.to_thread(rows.finish_compaction, compaction, made)
                newest = compaction.newest
        return newest

    # ---- in step with the store

    async def change(
        self, write: Callable[[], Awaitable[Changes]], *, adds: bool = False
    ) -> Changes:
        """Write to the store, then let the rows follow; a cancelled caller stops neither.

        adds     `write` brings rows: it waits while too many have not settled
        raises   GalleryClosed, and what `write` does
        """
        return await to_completion(self._changed(write, adds))

    async def _changed(self, write: Callable[[], Awaitable[Changes]], adds: bool) -> Changes:
        # Writers queue in order, so a removal can't run before the insert of what it removes.
        async with self._queue:
            if adds:
                await self._wait_for_room()
            async with self._order:  # so the rows get changes in the order of the store
                if self._closed.is_set():
                    raise GalleryClosed
                changes = await write()
                await asyncio.to_thread(self.rows.apply, changes)
                if self.rows.needs_compaction or self.rows.cold:
                    self._due.set()
                return changes

    async def _wait_for_room(self) -> None:
        """Wait until at most `held_rows` rows have not settled, or until none can settle now."""
        while self._is_full() and self._can_settle():
            self._writer_waits = True
            self._due.set()
            if self._compaction is not None:
                self._compaction.hurry()
            await self._progress.wait()
        self._writer_waits = False

    def _is_full(self) -> bool:
        return self.rows.unsettled > self._sizes.held_rows and self.rows.needs_compaction

    def _can_settle(self) -> bool:
        """Whether the task that settles rows runs, and did not fail the last time."""
        settling = self._settling is not None and not self._settling.done()
        return settling and not self._failed and not self._closed.is_set()

    async def switch_model(self, dimension: int, moved: Callable[[], None]) -> Changes:
        """Change over to the vectors of the new model; `moved` is called at the moment
        from which queries meet them. Queries are answered meanwhile, and writes wait."""
        async with self._order:
            if self._closed.is_set():
                raise GalleryClosed
            rows, settled = await self._read(dimension, successor=True)
            changes = await self._source.switch_model(settled)
            self.rows, self._dimension = rows, dimension
            moved()
            self._tell_progress()
            await asyncio.to_thread(rows.remove_other_files)
            return changes

    # ---- queries

    async def search(
        self, queries: Floats, filter: Filter, *, k: int, sampled: bool = True
    ) -> Found:
        """The `k` links that are most like each query, as `VectorIndex.search`."""
        question = partial(Rows.search, queries=queries, filter=filter, k=k, sampled=sampled)
        return await self._ask(question)

    async def listed(
        self, filter: Filter, *, k: int, sort: Sort, after: Position | None = None
    ) -> Listed:
        """The first `k` links that follow `after`, as `VectorIndex.listed`."""
        return await self._ask(lambda rows: rows.listed(filter, k=k, sort=sort, after=after))

    async def above(self, query: Floats, score: float, filter: Filter) -> int:
        """How many links that may answer have a greater score; exact."""
        return await self._ask(lambda rows: rows.above(query, score, filter))

    async def examine(self, filter: Filter, work: Callable[[Everything], T], pool: Pool) -> T:
        """What `work` makes of all links that may answer, as `VectorIndex.examine`."""
        return await self._ask(lambda rows: work(rows.everything(filter)), pool)

    async def _ask(self, question: Callable[[Rows], T], pool: Pool | None = None) -> T:
        """The answer of the rows, which are made anew if they turn out to be damaged.

        pool   None: the threads for queries
        """
        rows, pool = self.rows, pool or self._searching
        try:
            return await pool.run(partial(question, rows))
        except Damaged as exc:
            log.warning("%s; settled rows are made anew", exc)
            await self._make_anew(rows)
            return await pool.run(partial(question, self.rows))

    async def reload(self) -> None:
        """Have the rows that another process has written meanwhile."""
        async with self._order:
            if not self._closed.is_set():
                await self.load(self._dimension)

    async def _make_anew(self, damaged: Rows) -> None:
        """Read the rows from the store again, unless another query has done so meanwhile."""
        async with self._order:
            if self.rows is damaged and not self._closed.is_set():
                await self._load_all()

    # ---- settling

    def start(self) -> None:
        """From now on, let rows settle when they have become many."""
        if self._write:
            self._settling = asyncio.create_task(self._settle_when_due())
            self._settling.add_done_callback(lambda _: self._tell_progress())

    @property
    def idle(self) -> bool:
        """Whether no rows are due to settle."""
        return not self.rows.needs_compaction

    def _tell_progress(self) -> None:
        self._progress.set()
        self._progress.clear()

    async def _settle_when_due(self) -> None:
        while True:
            try:
                await self._settle_or_make_anew()
                self._failed = False
            except (OSError, StoreError, Damaged):
                log.exception("rows can't settle; they stay in memory for now")
                self._failed = True
                self._tell_progress()
                await asyncio.sleep(self._sizes.retry_s)
            self._tell_progress()
            if not self.rows.needs_compaction:
                await self._due.wait()
            self._due.clear()

    async def _settle_or_make_anew(self) -> None:
        rows = self.rows
        try:
            await self._compacting.run(rows.warm)
            if rows.needs_compaction:
                await self._settle(rows)
        except Damaged as exc:
            log.warning("%s; settled rows are made anew", exc)
            await self._make_anew(rows)

    async def _settle(self, rows: Rows) -> None:
        """Make a segment of the rows in memory and of small segments, and put it in their place."""
        async with self._order:
            if self.rows is not rows:
                return
            begin = partial(rows.begin_compaction, hurried=self._writer_waits)
            self._compaction = compaction = await asyncio.to_thread(begin)
        if self._writer_waits:  # it may have come to wait while the compaction began
            compaction.hurry()
        try:
            made = await self._compacting.run(compaction.build)
            async with self._order:
                await asyncio.to_thread(rows.finish_compaction, compaction, made)
                if self.rows is rows:
                    settled = await asyncio.to_thread(rows.settled, compaction.newest)
                    await self._source.settle(settled)
                    await asyncio.to_thread(rows.remove_other_files)
        except (OSError, Damaged):
            if self.rows is rows:
                raise
            # Otherwise the rows were replaced meanwhile, and their files removed.
        finally:
            self._compaction = None
            rows.abandon_compaction()

    async def stop_settling(self) -> None:
        """Stop what settles rows, even in the middle; the next start goes on with it."""
        if self._compaction is not None:
            self._compaction.stop()
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.wait([self._settling])

    async def close(self) -> None:
        """Stop settling, and let the change that is being made come to its end."""
        await self.stop_settling()
        async with self._queue, self._order:
            pass
