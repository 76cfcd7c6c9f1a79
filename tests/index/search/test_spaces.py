"""Rows of spaces that are in memory while others change them."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import numpy as np

from index import Filter, Sizes
from index.concurrency import Pool
from index.search.spaces import SpaceChanges, SpaceIndex
from index.types.errors import StoreUnreachable
from tests.index.search.oracle import Row, unit
from tests.index.search.source import MemorySource, SpacesInMemory


async def opened(source: SpacesInMemory, cached_bytes: int = 1_000_000) -> SpaceIndex:
    closed = asyncio.Event()
    sizes = Sizes(cached_bytes=cached_bytes)
    index = SpaceIndex(source, Pool(2, "search", closed), closed, sizes=sizes)
    await index.load(16)
    return index


def rows_of(rng: np.random.Generator, space: int, links: range) -> list[Row]:
    return [Row(link, space, 1, False, unit(rng, 1)) for link in links]


async def test_what_another_process_wrote_is_found_by_the_next_question() -> None:
    """Also where more was changed than is known one by one."""
    rng, source = np.random.default_rng(1), MemorySource()
    here = await opened(SpacesInMemory(source, kept=10))
    elsewhere = await opened(SpacesInMemory(source, kept=10))
    for count in (5, 30, 3):
        first = len(source.rows) + 1
        new = rows_of(rng, 1, range(first, first + count))
        await elsewhere.change(partial(source.put, new), adds=True)
        found = await here.search(unit(rng, 1)[0], Filter(1), k=99)
        assert sorted(found.links.tolist()) == list(range(1, first + count))
    await elsewhere.change(partial(source.remove, range(1, 30)))
    found = await here.search(unit(rng, 1)[0], Filter(1), k=99)
    assert sorted(found.links.tolist()) == list(range(30, 39))


async def test_large_change_of_another_process_is_seen_whole_or_not_at_all() -> None:
    rng, source = np.random.default_rng(2), MemorySource()
    index, query, seen = await opened(SpacesInMemory(source, kept=10_000)), unit(rng, 1)[0], set()
    await source.put(rows_of(rng, 1, range(1, 2001)))
    over = asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            # Of the rows as they are: `_present` waits until those that come are there.
            known = index._spaces.get(1)
            if known is not None and known.rows is not None:
                found = await asyncio.to_thread(known.rows.search, query, Filter(1), k=1)
                seen.add(found.searched)
            await asyncio.sleep(0)

    asking = asyncio.create_task(ask())
    for _ in range(10):
        await source.put(rows_of(rng, 1, range(1, 2001)))  # 40 chunks of new vectors
        assert (await index.search(query, Filter(1), k=1)).searched == 2000
    over.set()
    await asking
    assert seen == {2000}


async def test_change_of_many_spaces_while_spaces_are_forgotten() -> None:
    rng, source = np.random.default_rng(3), MemorySource()
    index, over = await opened(SpacesInMemory(source), cached_bytes=0), asyncio.Event()
    for space in range(1, 6):
        await source.put(rows_of(rng, space, range(space * 100, space * 100 + 20)))

    async def ask() -> None:
        while not over.is_set():
            for space in range(1, 6):
                await index.search(unit(rng, 1)[0], Filter(space), k=1)

    asking = [asyncio.create_task(ask()) for _ in range(3)]
    for at in range(20, 60):
        new = [
            row
            for n in range(1, 6)
            for row in rows_of(rng, n, range(n * 100 + at, n * 100 + at + 1))
        ]
        await index.change(partial(source.put, new), adds=True)
    over.set()
    await asyncio.gather(*asking)
    assert (await index.search(unit(rng, 1)[0], Filter(3), k=1)).searched == 60


async def test_write_is_made_though_its_rows_cannot_be_read_at_once() -> None:
    rng, memory = np.random.default_rng(4), MemorySource()

    class Failing(SpacesInMemory):
        fails = False

        async def changed(self, space: int, dimension: int, since: int | None) -> SpaceChanges:
            if self.fails:
                raise StoreUnreachable(Path("gallery"), "the server went away")
            return await super().changed(space, dimension, since)

    source = Failing(memory)
    index = await opened(source)
    await index.search(unit(rng, 1)[0], Filter(1), k=1)
    source.fails = True
    changes = await index.change(partial(memory.put, rows_of(rng, 1, range(1, 4))), adds=True)
    assert changes.added is not None
    source.fails = False
    assert (await index.search(unit(rng, 1)[0], Filter(1), k=9)).searched == 3
