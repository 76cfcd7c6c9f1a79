"""The implementations of `VectorIndex`, for the tests that each of them has to pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from index import Sizes
from index.concurrency import Pool
from index.search.engine import Engine
from index.search.interface import VectorIndex
from index.search.spaces import SpaceIndex
from tests.index.search.source import MemorySource, SpacesInMemory

# An index of what a source has, open for queries; opened again, it is what a restart finds.
Opening = Callable[[MemorySource], Awaitable[VectorIndex]]

# Rows settle soon, and all the time.
SMALL = Sizes(settle_rows=40, load_rows=100, held_rows=80, largest_rows=200, retry_s=0.01)


def _engine(folder: Path | None, closed: asyncio.Event, source: MemorySource) -> VectorIndex:
    pools = Pool(2, "search", closed), Pool(1, "settle", closed), Pool(1, "compact", closed)
    return Engine(source, folder, *pools, closed, write=True, sizes=SMALL)


def _spaces(
    cached_bytes: int, closed: asyncio.Event, source: MemorySource, kept: int = 60
) -> VectorIndex:
    sizes = replace(SMALL, cached_bytes=cached_bytes)
    return SpaceIndex(SpacesInMemory(source, kept), Pool(2, "search", closed), closed, sizes=sizes)


# A further implementation is a further entry: (a folder for its files, what closes it, the store).
IMPLEMENTATIONS: dict[str, Callable[[Path, asyncio.Event, MemorySource], VectorIndex]] = {
    "rows in memory": lambda folder, closed, source: _engine(None, closed, source),
    "rows in segment files": lambda folder, closed, source: _engine(folder, closed, source),
    "rows of spaces": lambda folder, closed, source: _spaces(1_000_000, closed, source),
    "rows of one space at a time": lambda folder, closed, source: _spaces(0, closed, source),
}


@pytest.fixture(params=IMPLEMENTATIONS)
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opening]:
    """Opens an index, and closes the one that was open before."""
    open_now: list[tuple[VectorIndex, asyncio.Event]] = []

    async def close() -> None:
        while open_now:
            index, closed = open_now.pop()
            closed.set()
            await index.close()

    async def open(source: MemorySource, dimension: int = 16) -> VectorIndex:
        await close()
        closed = asyncio.Event()
        index = IMPLEMENTATIONS[request.param](tmp_path / "segments", closed, source)
        open_now.append((index, closed))
        await index.load(dimension)
        index.start()
        return index

    yield open
    await close()
