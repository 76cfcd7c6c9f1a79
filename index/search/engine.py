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


class _Duty:
    """Work on segments that is done in the background whenever it is needed.

    what     it does, in a sentence about what can't be done
    pool     its thread
    needed   whether it is
    begin    begins it
    """

    def __init__(
        self,
        what: str,
        pool: Pool,
        needed: Callable[[Rows], bool],
        begin: Callable[[Rows], Compaction],
    ) -> None:
        self.what = what
        self.pool = pool
        self.needed = needed
        self.begin = begin
        self.due = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.running: Compaction | None = None
        self.failed = False  # the last time


class Engine:
    """The rows of one store.

    source      the store
    folder      where segment files are kept; None: all rows stay in memory
    searching   threads for queries
    settling    the thread that makes segments of rows in memory
    compacting  the thread that makes one segment of several, which may take minutes
    closed      set from when on nothing changes
    write       False: segment files are read, and neither made nor changed
    """

    def __init__(
        self,
        source: RowSource,
        folder: Path | None,
        searching: Pool,
        settling: Pool,
        compacting: Pool,
        closed: asyncio.Event,
        *,
        write: bool,
        sizes: Sizes,
    ) -> None:
        self._source = source
        self._folder = folder
        self._searching = searching
        self._closed = closed
        self._write = write
        self._sizes = sizes
        self.rows = self._new_rows(0)
        self._dimension = 0
        self._queue = asyncio.Lock()  # of writers
        self._order = asyncio.Lock()  # held by whatever changes the store and the rows
        self._settling = _Duty(
            "rows can't settle; they stay in memory for now",
            settling,
            lambda rows: rows.needs_settling,
            lambda rows: rows.begin_settling(hurried=self._writer_waits),
        )
        self._compacting = _Duty(
            "segments can't be merged; they stay as they are for now",
            compacting,
            lambda rows: rows.needs_compaction,
            lambda rows: rows.begin_compaction(),
        )
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
        settled = await self._source.settled()
        new = 0 if settled is None else settled.newer + len(settled.touched)
        rows = self._new_rows(dimension, self._capacity(new))
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
        if await self._fill(rows, self._source.entries(dimension, settled)):
            await self._source.settle(await asyncio.to_thread(rows.settled))
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
        frames = await self._source.frames(dimension, successor=successor)
        rows = self._new_rows(dimension, self._capacity(frames))
        entries = self._source.entries(dimension, successor=successor)
        settled = await self._fill(rows, entries)
        return rows, await asyncio.to_thread(rows.settled) if settled else None

    def _capacity(self, rows: int) -> int:
        """Room for so many rows, of which most will settle if they are many."""
        if rows > self._sizes.settle_rows and self._write:
            return min(rows, self._sizes.load_rows + CHUNK_ROWS)
        return rows

    async def _fill(self, rows: Rows, entries: AsyncIterator[Entries]) -> bool:
        """Add all these entries. Where they are many, rows settle on the way, so that memory is
        bounded; whether some did."""
        settled = False
        async for some in entries:
            await asyncio.to_thread(rows.apply, Changes(added=some))
            if rows.unsettled >= self._sizes.load_rows and rows.can_settle:
                settling = await asyncio.to_thread(partial(rows.begin_settling, hurried=True))
                made = await asyncio.to_thread(settling.build)
                await asyncio.to_thread(rows.finish_compaction, settling, made)
                settled = True
        return settled

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
                self._call()
                return changes

    def _call(self) -> None:
        """Have the duties done that are needed."""
        if self.rows.needs_settling or self.rows.cold:
            self._settling.due.set()
        if self.rows.needs_compaction:
            self._compacting.due.set()

    async def _wait_for_room(self) -> None:
        """Wait until at most `held_rows` rows have not settled, or until none can settle now."""
        while self._is_full() and self._can_settle():
            self._writer_waits = True
            self._settling.due.set()
            if self._settling.running is not None:
                self._settling.running.hurry()
            await self._progress.wait()
        self._writer_waits = False

    def _is_full(self) -> bool:
        return self.rows.unsettled > self._sizes.held_rows and self.rows.needs_settling

    def _can_settle(self) -> bool:
        """Whether the task that settles rows runs, and did not fail the last time."""
        duty = self._settling
        runs = duty.task is not None and not duty.task.done()
        return runs and not duty.failed and not self._closed.is_set()

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

    # ---- settling and compaction

    def start(self) -> None:
        """From now on, let rows settle when they have become many, and segments become one."""
        if not self._write:
            return
        for duty in (self._settling, self._compacting):
            duty.task = asyncio.create_task(self._do_when_due(duty))
            duty.task.add_done_callback(lambda _: self._tell_progress())

    @property
    def idle(self) -> bool:
        """Whether no rows are due to settle, and no segments to become one."""
        return not (self.rows.needs_settling or self.rows.needs_compaction)

    def _tell_progress(self) -> None:
        self._progress.set()
        self._progress.clear()

    async def _do_when_due(self, duty: _Duty) -> None:
        while True:
            try:
                await self._do_or_make_anew(duty)
                duty.failed = False
            except (OSError, StoreError, Damaged):
                log.exception(duty.what)
                duty.failed = True
                self._tell_progress()
                await asyncio.sleep(self._sizes.retry_s)
            self._tell_progress()
            if not duty.needed(self.rows):
                await duty.due.wait()
            duty.due.clear()

    async def _do_or_make_anew(self, duty: _Duty) -> None:
        rows = self.rows
        try:
            await duty.pool.run(rows.warm)
            if duty.needed(rows):
                await self._do(duty, rows)
        except Damaged as exc:
            log.warning("%s; settled rows are made anew", exc)
            await self._make_anew(rows)

    async def _do(self, duty: _Duty, rows: Rows) -> None:
        """Make a segment, and put it in the place of the rows that it has."""
        async with self._order:
            if self.rows is not rows:
                return
            duty.running = running = await asyncio.to_thread(duty.begin, rows)
        if duty is self._settling and self._writer_waits:
            running.hurry()  # a writer may have come to wait while it began
        try:
            made = await duty.pool.run(running.build)
            async with self._order:
                await asyncio.to_thread(rows.finish_compaction, running, made)
                if self.rows is rows:
                    await self._source.settle(await asyncio.to_thread(rows.settled))
                    await asyncio.to_thread(rows.remove_other_files)
                    self._call()
        except (OSError, Damaged):
            if self.rows is rows:
                raise
            # Otherwise the rows were replaced meanwhile, and their files removed.
        finally:
            duty.running = None
            rows.abandon_compaction(running)

    async def stop_settling(self) -> None:
        """Stop what is done in the background, even in the middle; the next start goes on with
        it."""
        tasks = []
        for duty in (self._settling, self._compacting):
            if duty.running is not None:
                duty.running.stop()
            if duty.task is not None:
                duty.task.cancel()
                tasks.append(duty.task)
        if tasks:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Stop settling, and let the change that is being made come to its end."""
        await self.stop_settling()
        async with self._queue, self._order:
            pass
