"""The pictures of a gallery whose hashes are near those of a picture.

For each link that shows a picture with a fingerprint there is a row of 40 bytes in memory. The rows
of a space are read when somebody asks there for the first time, and follow the store from then on.
The spaces that nobody has asked in for longest are forgotten, so that memory is bounded.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
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
# What the rows of all spaces may take: six million pictures. A single space is kept in any case.
MOST_BYTES = 256_000_000

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

    def hashes(self, space: int) -> AsyncIterator[Rows]:
        """The rows of a space's links, in chunks. What changes meanwhile may be in them."""

    async def hashes_of_items(self, keys: Collection[bytes], spaces: Collection[int]) -> Rows:
        """The rows of the links of these spaces that show items with these keys."""


class Lookup:
    """The rows of one gallery, of the spaces that are asked.

    searching    threads that look through them
    most_bytes   what they may take; the space that was asked last is kept in any case
    """

    def __init__(self, source: HashSource, searching: Pool, most_bytes: int = MOST_BYTES) -> None:
        self._source = source
        self._searching = searching
        self._most_bytes = most_bytes
        self._spaces: OrderedDict[int, _Space] = OrderedDict()  # the last one was asked last
        self._changing = asyncio.Lock()

    @property
    def resident_bytes(self) -> int:
        """What the rows in memory take."""
        return sum(one.table.resident_bytes for one in self._spaces.values() if one.table)

    # ---- in step with the store; called while no other change is made

    async def follow(self, changes: Changes, keys: Collection[bytes] = ()) -> None:
        """Take over a change of the store, which committed items with these keys. Where the store
        can't be read, all rows are read again when somebody asks next."""
        async with self._changing:
            held = {space: one for space, one in self._spaces.items() if one.is_held}
            if not held:
                return
            try:
                rows = await self._source.hashes_of_items(keys, held) if keys else np.empty(0, ROW)
            except StoreError:
                # The store has changed already, and whoever else follows it must not miss that.
                self._spaces.clear()
                return
            changed = set(changes.dropped)
            if changes.added is not None:
                changed |= set(changes.added.spaces.tolist())
            for space, known in held.items():
                removed = changes.removed if space in changed else ()
                change = _Change(removed, rows[rows["space"] == space])
                if known.missed is not None:
                    known.missed.append(change)
                elif known.table is not None and (len(change.removed) or len(change.rows)):
                    await asyncio.to_thread(known.table.apply, change)

    async def forget(self) -> None:
        """Read all rows again when somebody asks next."""
        async with self._changing:
            self._spaces.clear()

    # ---- queries

    async def near(self, fingerprint: Fingerprint, filter: Filter, most: int) -> list[int]:
        """Links of which each shows another picture with a hash near the fingerprint's, the nearest
        first.

        filter  only its space and groups count here; a link that they exclude changes nothing
        most    how many pictures at most
        """
        rows, hashes = await self._present(filter.space)
        work = partial(nearest, rows, hashes, fingerprint, filter, most)
        return await self._searching.run(work)

    async def _present(self, space: int) -> tuple[Rows, Hashes]:
        """The rows of a space as they are now, and their hashes."""
        while True:
            known = self._spaces.setdefault(space, _Space())
            self._spaces.move_to_end(space)
            async with known.reading:
                if known.table is None:
                    await self._read(space, known)
            async with self._changing:
                # Else it was forgotten meanwhile.
                if self._spaces.get(space) is known and known.table is not None:
                    self._forget_some(space)
                    return known.table.present

    async def _read(self, space: int, known: _Space) -> None:
        """Read the rows of a space, which takes seconds for a million. Writers go on meanwhile;
        what they change is made up for at the end."""
        known.missed = missed = list[_Change]()
        try:
            chunks = [chunk async for chunk in self._source.hashes(space)]
            table = await asyncio.to_thread(_Table, chunks)
            while missed:
                await asyncio.to_thread(table.apply, missed.pop(0))
            known.table = table
        finally:
            known.missed = None

    def _forget_some(self, asked: int) -> None:
        """Forget spaces until the rest fits; never the one that is asked now."""
        for space in [one for one, known in self._spaces.items() if known.table and one != asked]:
            if self.resident_bytes <= self._most_bytes:
                return
            del self._spaces[space]


class _Space:
    """The rows of one space.

    table    None before they are read
    missed   what has changed since reading began; None while they aren't being read
    """

    def __init__(self) -> None:
        self.table: _Table | None = None
        self.missed: list[_Change] | None = None
        self.reading = asyncio.Lock()

    @property
    def is_held(self) -> bool:
        """Whether a change matters to it."""
        return self.table is not None or self.missed is not None


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """Links that are removed, and rows that take the place of those of the same links."""

    removed: Sequence[int]
    rows: Rows


class _Table:
    """The rows of a space, made of chunks."""

    def __init__(self, chunks: Sequence[Rows]) -> None:
        rows = np.concatenate(chunks) if chunks else np.empty(0, ROW)
        # Rows after `_count` are unused; link 0: removed. Their hashes are kept apart, so that a
        # search reads no other memory.
        self._rows, self._hashes = _beside_hashes(rows), np.ascontiguousarray(rows["hashes"])
        self._count = len(rows)

    @property
    def resident_bytes(self) -> int:
        """What it takes in memory."""
        return self._rows.nbytes + self._hashes.nbytes

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
        self._rows[self._count : end] = _beside_hashes(rows)
        self._hashes[self._count : end] = rows["hashes"]
        self._count = end


def _beside_hashes(rows: Rows) -> Rows:
    """The columns that are kept beside the hashes."""
    columns: Rows = repack_fields(rows[["link", "item", "group"]])
    return columns


def nearest(
    rows: Rows, hashes: Hashes, fingerprint: Fingerprint, filter: Filter, most: int
) -> list[int]:
    """What `Lookup.near` says of these rows of one space, of which the hashes are (n, 2)."""
    from index.copies import loops

    groups = np.array(sorted(filter.groups or ()), np.int64)
    every_way = oriented(fingerprint.hashes)
    wanted, quick = np.unique(every_way), steady(every_way[[0, TRANSPOSE]]).ravel()
    # Few of these places are written, and memory that nobody writes to costs nothing.
    near, bits = np.empty(hashes.size, np.int64), np.empty(hashes.size, np.uint8)
    found = loops.near(
        *(rows["link"], rows["group"], hashes.ravel()),
        *(groups, filter.groups is None, wanted, quick, NEAR_BITS, near, bits),
    )
    near, bits = near[:found], bits[:found]
    near = near[np.lexsort((rows["link"][near], bits))]
    _, first = np.unique(rows["item"][near], return_index=True)
    links: list[int] = rows["link"][near[np.sort(first)[:most]]].tolist()
    return links
