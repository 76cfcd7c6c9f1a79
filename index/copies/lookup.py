"""The pictures of a gallery whose hashes are near those of a picture.

For each link that shows a picture with a fingerprint there is a row of 48 bytes in memory. They are
read when somebody asks for the first time, and follow the store from then on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.lib.recfunctions import repack_fields
from numpy.typing import NDArray

from index.concurrency import Pool
from index.copies.fingerprint import Fingerprint
from index.copies.orientation import TRANSPOSE, Hashes, oriented, steady
from index.types.errors import StoreError
from index.types.filter import Filter
from index.types.records import Changes

# Hashes that differ in more bits are not looked at; the hash of an edited copy differs in fewer.
NEAR_BITS = 10
FIRST_ROWS = 1024

ROW = np.dtype(
    [
        ("link", np.int64),
        ("item", np.int64),
        ("space", np.int64),
        ("group", np.int64),
        ("hashes", np.uint64, (2,)),
    ]
)
Rows = NDArray[np.void]


class HashSource(Protocol):
    """Where the rows are read from."""

    def hashes(self) -> AsyncIterator[Rows]:
        """The rows of all links, in chunks. A change that is made meanwhile may be in them."""

    async def hashes_of_items(self, keys: Collection[bytes]) -> Rows:
        """The rows of all links that show items with these keys."""


class Lookup:
    """The rows of one gallery.

    searching   threads that look through them
    """

    def __init__(self, source: HashSource, searching: Pool) -> None:
        self._source = source
        self._searching = searching
        self._table: _Table | None = None
        # What has changed since reading began; None while nothing is being read.
        self._missed: list[_Change] | None = None
        self._reading = asyncio.Lock()
        self._changing = asyncio.Lock()

    # ---- in step with the store; called while no other change is made

    async def follow(self, changes: Changes, keys: Collection[bytes] = ()) -> None:
        """Take over a change of the store, which committed items with these keys. Where the store
        can't be read, all rows are read again when somebody asks next."""
        async with self._changing:
            if self._table is None and self._missed is None:
                return
            try:
                rows = await self._source.hashes_of_items(keys) if keys else np.empty(0, ROW)
            except StoreError:
                # The store has changed already, and whoever else follows it must not miss that.
                self._forget()
                return
            change = _Change(changes.removed, rows)
            if self._missed is not None:
                self._missed.append(change)
            elif self._table is not None:
                await asyncio.to_thread(self._table.apply, change)

    async def forget(self) -> None:
        """Read all rows again when somebody asks next."""
        async with self._changing:
            self._forget()

    def _forget(self) -> None:
        self._table = self._missed = None

    # ---- queries

    async def near(self, fingerprint: Fingerprint, filter: Filter, most: int) -> list[int]:
        """Links of which each shows another picture with a hash near the fingerprint's, the nearest
        first.

        filter  only its space and groups count here; a link that they exclude changes nothing
        most    how many pictures at most
        """
        rows, hashes = await self._present()
        work = partial(nearest, rows, hashes, fingerprint, filter, most)
        return await self._searching.run(work)

    async def _present(self) -> tuple[Rows, Hashes]:
        """The rows as they are now, and their hashes."""
        while True:
            async with self._changing:
                if self._table is not None:
                    return self._table.present
            async with self._reading:
                if self._table is None:
                    await self._read()

    async def _read(self) -> None:
        """Read all rows, which takes seconds for a million. Writers go on meanwhile; what they
        change is made up for at the end."""
        self._missed = missed = list[_Change]()
        try:
            chunks = [chunk async for chunk in self._source.hashes()]
            table = await asyncio.to_thread(_Table, chunks)
            while missed:
                await asyncio.to_thread(table.apply, missed.pop(0))
            if self._missed is missed:  # else all was forgotten meanwhile
                self._table = table
        finally:
            if self._missed is missed:
                self._missed = None


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """Links that are removed, and rows that take the place of those of the same links."""

    removed: Sequence[int]
    rows: Rows


class _Table:
    """The rows of all links, made of chunks."""

    def __init__(self, chunks: Sequence[Rows]) -> None:
        rows = np.concatenate(chunks) if chunks else np.empty(0, ROW)
        # Rows after `_count` are unused; link 0: removed. Their hashes are kept apart, so that a
        # search reads no other memory.
        self._rows, self._hashes = _without_hashes(rows), np.ascontiguousarray(rows["hashes"])
        self._count = len(rows)

    @property
    def present(self) -> tuple[Rows, Hashes]:
        """The rows, and (n, 2) their hashes."""
        return self._rows[: self._count], self._hashes[: self._count]

    def apply(self, change: _Change) -> None:
        """Make a change. Not to be called while another one is made, or for `present`."""
        rows = change.rows
        gone = np.concatenate((np.array(change.removed, np.int64), rows["link"]))
        now = self._rows[: self._count]
        if len(gone):
            places = np.flatnonzero(np.isin(now["link"], gone))
            now[places] = np.zeros((), now.dtype)
            self._hashes[places] = 0
        if not len(rows):
            return
        if self._count + len(rows) > len(self._rows):
            # A new array: a search may be looking through the old one.
            there = np.flatnonzero(now["link"])
            capacity = max(FIRST_ROWS, (len(there) + len(rows)) * 5 // 4)
            grown, hashes = np.zeros(capacity, now.dtype), np.zeros((capacity, 2), np.uint64)
            grown[: len(there)], hashes[: len(there)] = now[there], self._hashes[there]
            self._rows, self._hashes, self._count = grown, hashes, len(there)
        end = self._count + len(rows)
        self._rows[self._count : end] = _without_hashes(rows)
        self._hashes[self._count : end] = rows["hashes"]
        self._count = end


def _without_hashes(rows: Rows) -> Rows:
    columns: Rows = repack_fields(rows[[name for name in ROW.names or () if name != "hashes"]])
    return columns


def nearest(
    rows: Rows, hashes: Hashes, fingerprint: Fingerprint, filter: Filter, most: int
) -> list[int]:
    """What `Lookup.near` says of these rows, of which the hashes are (n, 2)."""
    from index.copies import loops

    groups = np.array(sorted(filter.groups or ()), np.int64)
    every_way = oriented(fingerprint.hashes)
    wanted, quick = np.unique(every_way), steady(every_way[[0, TRANSPOSE]]).ravel()
    # Few of these places are written, and memory that nobody writes to costs nothing.
    near, bits = np.empty(hashes.size, np.int64), np.empty(hashes.size, np.uint8)
    found = loops.near(
        *(rows["link"], rows["space"], rows["group"], hashes.ravel(), filter.space),
        *(groups, filter.groups is None, wanted, quick, NEAR_BITS, near, bits),
    )
    near, bits = near[:found], bits[:found]
    near = near[np.lexsort((rows["link"][near], bits))]
    _, first = np.unique(rows["item"][near], return_index=True)
    links: list[int] = rows["link"][near[np.sort(first)[:most]]].tolist()
    return links
