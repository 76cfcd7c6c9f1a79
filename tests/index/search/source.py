"""Stores of rows in memory, that tests can write to: a `RowSource` and a `SpaceSource`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

from index.search.spaces import SpaceChanges
from index.types.records import Changes, Entries, Floats, Settled
from tests.index.search.oracle import Row, entries

CHUNK_ROWS = 50


class MemorySource:
    """The rows, the vectors of the new model, and what is in files."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.successors: dict[int, Floats] = {}
        self.touched: list[tuple[int, int]] = []  # (space, link) of each change, in order
        self._settled: Settled | None = None

    async def put(self, rows: Iterable[Row]) -> Changes:
        """Add these rows, or replace those of the same links."""
        added = {row.link: row for row in rows}
        replaced = [link for link in added if link in self.rows]
        left = self._touch(replaced)
        self.rows |= added
        self.touched += [(row.space, row.link) for row in added.values()]
        new = entries(list(added.values())) if added else None
        return Changes(replaced, new, dropped=left)

    async def remove(self, links: Iterable[int]) -> Changes:
        """Remove the rows of these links."""
        removed = [link for link in links if link in self.rows]
        left = self._touch(removed)
        for link in removed:
            del self.rows[link]
        return Changes(removed, dropped=left)

    def _touch(self, links: Iterable[int]) -> dict[int, int]:
        """Note that these links go; returns how many leave each space."""
        left = [(self.rows[link].space, link) for link in links]
        self.touched += left
        if self._settled is not None:
            touched = {link for link in links if link <= self._settled.newest}
            self._settled = replace(self._settled, touched=self._settled.touched | touched)
        return Counter(space for space, _ in left)

    # ---- what an index needs

    async def entries(
        self, dimension: int, settled: Settled | None = None, *, successor: bool = False
    ) -> AsyncIterator[Entries]:
        rows = [self.rows[link] for link in sorted(self.rows)]
        if successor:
            rows = self._following()
        elif settled is not None:
            rows = [row for row in rows if not _is_in(settled, row.link)]
        for start in range(0, len(rows), CHUNK_ROWS):
            yield entries(rows[start : start + CHUNK_ROWS])

    def _following(self) -> list[Row]:
        return [
            replace(self.rows[link], vectors=self.successors[link])
            for link in sorted(self.rows)
            if link in self.successors
        ]

    async def frames(self, dimension: int, *, successor: bool = False) -> int:
        rows = self._following() if successor else list(self.rows.values())
        return sum(len(row.vectors) for row in rows)

    async def settled(self) -> Settled | None:
        if self._settled is None:
            return None
        links = sum(_is_in(self._settled, link) for link in self.rows)
        return replace(self._settled, links=links)

    async def settle(self, settled: Settled | None) -> None:
        self._settled = settled

    async def switch_model(self, settled: Settled | None) -> Changes:
        removed = [link for link in self.rows if link not in self.successors]
        self._touch(list(self.rows))
        self.rows = {row.link: row for row in self._following()}
        self.successors, self._settled = {}, settled
        return Changes(removed)


def _is_in(settled: Settled, link: int) -> bool:
    """Whether a link is in the files."""
    return link <= settled.newest and link not in settled.touched


class SpacesInMemory:
    """The same rows, as they are asked for by spaces. A change has the number of its place in
    `touched`, and it is known what the last `kept` of them were."""

    def __init__(self, source: MemorySource, kept: int = 60) -> None:
        self._source = source
        self._kept = kept

    async def version(self, space: int) -> int:
        await asyncio.sleep(0)  # others go on meanwhile, as when a server is asked
        numbers = [at for at, (other, _) in enumerate(self._source.touched, 1) if other == space]
        return numbers[-1] if numbers else 0

    async def changed(self, space: int, dimension: int, since: int | None) -> SpaceChanges:
        version, touched = await self.version(space), self._source.touched
        here = [row for _, row in sorted(self._source.rows.items()) if row.space == space]
        if since is None or since < len(touched) - self._kept:
            return SpaceChanges(version, None, _chunks(here))
        links = {link for other, link in touched[since:version] if other == space}
        return SpaceChanges(version, sorted(links), _chunks([r for r in here if r.link in links]))

    async def switch_model(self) -> Changes:
        return await self._source.switch_model(None)


def _chunks(rows: Sequence[Row]) -> list[Entries]:
    starts = range(0, len(rows), CHUNK_ROWS)
    return [entries(rows[start : start + CHUNK_ROWS]) for start in starts]
