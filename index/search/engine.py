"""The rows that answer questions: read from the store, kept in step with it, settled into files.

The store is the truth. Rows are made of it and can be made anew at any time, so a damaged file
costs time, never a picture.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TypeVar

from index.concurrency import Pool, to_completion
from index.search.merge import Merge
from index.search.rows import LOAD_ROWS, SETTLE_ROWS, Rows
from index.search.segment import Damaged
from index.store.sqlite import CHUNK_ROWS, SEGMENTS, Store
from index.types.errors import GalleryClosed, StoreError
from index.types.records import Changes, Entries, Settled

log = logging.getLogger(__name__)
T = TypeVar("T")

# Rows that come faster than they settle wait once so many are in memory, 170 MB.
HELD_ROWS = 4 * SETTLE_ROWS
# After a full disk or the like.
SETTLE_AGAIN_S = 60.0


class Engine:
    """The rows of one store.

    asking, merging   threads for questions and for merges
    closed            set from when on nothing changes
    write             False: files of settled rows are read, and neither made nor changed
    """

    def __init__(
        self, store: Store, asking: Pool, merging: Pool, closed: asyncio.Event, *, write: bool
    ) -> None:
        self._store = store
        self._asking = asking
        self._merging = merging
        self._closed = closed
        self._write = write
        self.rows = self._new_rows(0)
        self._dimension = 0
        self._in_turn = asyncio.Lock()
        self._in_order = asyncio.Lock()
        self._due = asyncio.Event()
        self._settling: asyncio.Task[None] | None = None
        self._merge: Merge | None = None
        self._failed = False  # rows could not settle the last time
        self._turned = asyncio.Event()  # for a moment, whenever settling got on or ended
        self._awaited = False  # somebody waits until rows have settled

    # ---- made of the store

    def begin(self, dimension: int) -> None:
        """No rows yet, of vectors of so many numbers."""
        self._dimension = dimension
        self.rows = self._new_rows(dimension)

    def _new_rows(self, dimension: int, capacity: int = 0) -> Rows:
        folder = self._store.path.with_name(self._store.path.name + SEGMENTS)
        return Rows(dimension, capacity, folder, write=self._write)

    async def load(self, dimension: int) -> None:
        """Settled rows from their files, the others from the store; all from the store when
        the files aren't what was written."""
        self._dimension = dimension
        rows = self._new_rows(dimension)
        settled = await self._store.settled()
        try:
            if settled is not None:
                await asyncio.to_thread(rows.load, settled)
        except Damaged as exc:
            log.warning("%s; settled rows are made anew", exc)
            await self._load_all()
            return
        await asyncio.to_thread(rows.discard_others)
        if settled is None:
            await self._load_all()
            return
        newest = await self._fill(rows, self._store.entries(dimension, settled))
        if newest:
            await self._store.settle(await asyncio.to_thread(rows.settled, newest))
        await asyncio.to_thread(rows.warm)
        self.rows = rows

    async def _load_all(self) -> None:
        """Rows from the store, chunk by chunk; they settle on the way where they are many."""
        if self._write:
            await self._store.settle(None)
        rows, settled = await self._read(self._dimension)
        await asyncio.to_thread(rows.discard_others)
        if settled is not None:
            await self._store.settle(settled)
        self.rows = rows
        self._turn()

    async def _read(
        self, dimension: int, *, successor: bool = False
    ) -> tuple[Rows, Settled | None]:
        """All rows from the store, and which of them are in files now."""
        # An array that is large enough at once, unless most of it would settle.
        capacity = await self._store.frames(dimension, successor=successor)
        many = capacity > SETTLE_ROWS and self._write
        rows = self._new_rows(
            dimension, min(capacity, LOAD_ROWS + CHUNK_ROWS) if many else capacity
        )
        newest = await self._fill(rows, self._store.entries(dimension, successor=successor))
        return rows, await asyncio.to_thread(rows.settled, newest) if newest else None

    async def _fill(self, rows: Rows, entries: AsyncIterator[Entries]) -> int:
        """Take all of these in. Where they are many they settle on the way, so that memory is
        bounded; returns the newest link that came before the last that did, or 0."""
        newest = 0
        async for some in entries:
            await asyncio.to_thread(rows.apply, Changes(added=some))
            if rows.recent >= LOAD_ROWS and rows.settles:
                merge = await asyncio.to_thread(partial(rows.begin, hurried=True, alone=True))
                made = await asyncio.to_thread(merge.build)
                await asyncio.to_thread(rows.finish, merge, made)
                newest = merge.newest
        return newest

    # ---- in step with the store

    async def change(
        self, write: Callable[[], Awaitable[Changes]], *, adds: bool = False
    ) -> Changes:
        """Write, then let the rows follow; a cancelled caller stops neither.

        adds     it brings rows, and waits while far too many have not settled
        raises   GalleryClosed, and what `write` does
        """
        return await to_completion(self._changed(write, adds))

    async def _changed(self, write: Callable[[], Awaitable[Changes]], adds: bool) -> Changes:
        # Nobody overtakes who waits: a removal would come before what it is to remove.
        async with self._in_turn:
            if adds:
                await self._room()
            async with self._in_order:  # search sees the changes in the order of the file
                if self._closed.is_set():
                    raise GalleryClosed
                changes = await write()
                await asyncio.to_thread(self.rows.apply, changes)
                if self.rows.due or self.rows.cold:
                    self._due.set()
                return changes

    async def _room(self) -> None:
        """Until no more than HELD_ROWS are left to settle, or none will settle for now."""
        while self.rows.recent > HELD_ROWS and self.rows.due and self._goes_on():
            self._awaited = True
            self._due.set()
            if self._merge is not None:
                self._merge.hurry()
            await self._turned.wait()
        self._awaited = False

    def _goes_on(self) -> bool:
        """Whether rows settle when they are due: nobody stopped it, and it did not fail."""
        settling = self._settling is not None and not self._settling.done()
        return settling and not self._failed and not self._closed.is_set()

    async def succeed(self, dimension: int, moved: Callable[[], None]) -> Changes:
        """Go over to the vectors of the model that follows; `moved` is called in the moment in
        which the rows are theirs. Questions are answered meanwhile, writes wait."""
        async with self._in_order:
            if self._closed.is_set():
                raise GalleryClosed
            rows, settled = await self._read(dimension, successor=True)
            changes = await self._store.succeed(settled)
            self.rows, self._dimension = rows, dimension
            moved()
            self._turn()
            await asyncio.to_thread(rows.discard_others)
            return changes

    # ---- asked

    async def ask(self, question: Callable[[Rows], T]) -> T:
        """The answer of the rows, made anew if they turn out to be damaged."""
        rows = self.rows
        try:
            return await self._asking.run(partial(question, rows))
        except Damaged as exc:
            log.warning("%s; settled rows are made anew", exc)
            await self._make_anew(rows)
            return await self._asking.run(partial(question, self.rows))

    async def _make_anew(self, damaged: Rows) -> None:
        """Rows from the store again, unless somebody else has done it meanwhile."""
        async with self._in_order:
            if self.rows is damaged and not self._closed.is_set():
                await self._load_all()

    # ---- settled

    def start(self) -> None:
        """From now on settle rows when they have become many."""
        if self._write:
            self._settling = asyncio.create_task(self._settle_when_due())
            self._settling.add_done_callback(lambda _: self._turn())

    def _turn(self) -> None:
        self._turned.set()
        self._turned.clear()

    async def _settle_when_due(self) -> None:
        while True:
            try:
                await self._settle_or_make_anew()
                self._failed = False
            except (OSError, StoreError, Damaged):
                log.exception("rows can't settle; they stay in memory for now")
                self._failed = True
                self._turn()
                await asyncio.sleep(SETTLE_AGAIN_S)
            self._turn()
            if not self.rows.due:
                await self._due.wait()
            self._due.clear()

    async def _settle_or_make_anew(self) -> None:
        rows = self.rows
        try:
            await self._merging.run(rows.warm)
            if rows.due:
                await self._settle(rows)
        except Damaged as exc:
            log.warning("%s; settled rows are made anew", exc)
            await self._make_anew(rows)

    async def _settle(self, rows: Rows) -> None:
        """Make a segment of recent rows and small segments, and let it stand for them."""
        async with self._in_order:
            if self.rows is not rows:
                return
            begin = partial(rows.begin, hurried=self._awaited)
            self._merge = merge = await asyncio.to_thread(begin)
        if self._awaited:  # since it began
            merge.hurry()
        try:
            made = await self._merging.run(merge.build)
            async with self._in_order:
                await asyncio.to_thread(rows.finish, merge, made)
                if self.rows is rows:
                    await self._store.settle(await asyncio.to_thread(rows.settled, merge.newest))
                    await asyncio.to_thread(rows.discard_others)
        except (OSError, Damaged):
            if self.rows is rows:  # else its file went with the rows that it was made of
                raise
        finally:
            self._merge = None
            rows.abandon()

    async def stop_settling(self) -> None:
        """Leave it, also a merge that is under way, for the next time."""
        if self._merge is not None:
            self._merge.stop()
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.wait([self._settling])

    async def close(self) -> None:
        """Stop settling, and let the change in hand come to its end."""
        await self.stop_settling()
        async with self._in_turn, self._in_order:
            pass
