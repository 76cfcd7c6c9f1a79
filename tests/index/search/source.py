"""A store of rows in memory: a `RowSource` that tests can write to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from index.types.records import Changes, Entries, Floats, Settled
from tests.index.search.oracle import Row, entries

CHUNK_ROWS = 50


class MemorySource:
    """The rows, the vectors of the new model, and what is in files."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.successors: dict[int, Floats] = {}
        self._settled: Settled | None = None

    async def put(self, rows: Iterable[Row]) -> Changes:
        """Add these rows, or replace those of the same links."""
        added = {row.link: row for row in rows}
        replaced = [link for link in added if link in self.rows]
        self._touch(replaced)
        self.rows |= added
        return Changes(replaced, entries(list(added.values())) if added else None)

    async def remove(self, links: Iterable[int]) -> Changes:
        """Remove the rows of these links."""
        removed = [link for link in links if self.rows.pop(link, None) is not None]
        self._touch(removed)
        return Changes(removed)

    def _touch(self, links: Iterable[int]) -> None:
        if self._settled is not None:
            touched = {link for link in links if link <= self._settled.newest}
            self._settled = replace(self._settled, touched=self._settled.touched | touched)

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
        self.rows = {row.link: row for row in self._following()}
        self.successors, self._settled = {}, settled
        return Changes(removed)


def _is_in(settled: Settled, link: int) -> bool:
    """Whether a link is in the files."""
    return link <= settled.newest and link not in settled.touched
