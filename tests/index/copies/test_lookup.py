"""Hashes in memory: the nearest among what may answer, in step with the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo import FOLDER
from index.concurrency import Pool
from index.copies.fingerprint import fingerprint
from index.copies.lookup import NEAR_BITS, ROW, Lookup, Rows, nearest
from index.copies.orientation import ORIENTATIONS, oriented
from index.types.errors import StoreUnreachable
from index.types.filter import Filter
from index.types.records import Changes

with Image.open(sorted((FOLDER / "pictures").iterdir())[0]) as file:
    PICTURE = file.convert("RGB")
ASKED = fingerprint([PICTURE], PICTURE.size)


def row(
    link: int, bits: int, *, item: int = 0, group: int = 10, way: int = 0, space: int = 1
) -> Rows:
    """A link whose picture's hash differs in so many bits from that of the turned picture."""
    hash = oriented(ASKED.hashes)[way, 0] ^ np.uint64(2**bits - 1 << 8)
    made = np.zeros(1, ROW)
    made["link"], made["item"], made["space"], made["group"] = link, item or link, space, group
    made["hashes"] = hash
    return made


def gone(*links: int) -> Changes:
    """That these links of space 1 were removed."""
    return Changes(removed=links, dropped={1: len(links)})


class Source:
    def __init__(self, *rows: Rows) -> None:
        self.rows = np.concatenate(rows)

    async def hashes(self, space: int) -> AsyncIterator[Rows]:
        there = self.rows[self.rows["space"] == space]
        yield there[:2]
        yield there[2:]

    async def hashes_of_items(self, keys: Collection[bytes], spaces: Collection[int]) -> Rows:
        there = self.rows[np.isin(self.rows["space"], list(spaces))]
        return there[np.isin(there["item"], [int(key) for key in keys])]


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    opened = Pool(1, "test", asyncio.Event())
    yield opened
    await opened.close()


async def test_the_nearest_come_first_each_picture_once_and_only_what_may_answer(
    pool: Pool,
) -> None:
    rows = [row(way + 1, bits=way, way=way) for way in range(ORIENTATIONS)]
    again, far = row(20, bits=9, item=3), row(21, bits=20)
    hidden = [row(100 + n, bits=0, group=99) for n in range(50)]
    lookup = Lookup(Source(*hidden, *rows[::-1], again, far), pool)
    seen = Filter(1, frozenset({10, 11}))
    assert await lookup.near(ASKED, seen, 50) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert await lookup.near(ASKED, seen, 3) == [1, 2, 3]
    assert len(await lookup.near(ASKED, Filter(1), 90)) == 58
    assert await lookup.near(ASKED, Filter(2), 90) == []
    assert await lookup.near(ASKED, Filter(1, frozenset()), 90) == []


async def test_exactly_the_rows_are_found_whose_hashes_are_near_in_some_orientation() -> None:
    """Each hash is compared as a whole here, and only where its steady bits are near there."""
    random = np.random.default_rng(1)
    count = 20_001
    rows, hashes = np.zeros(count, ROW), random.integers(0, 2**64, (count, 2), np.uint64)
    rows["link"] = rows["item"] = np.arange(count) + 1
    wanted = oriented(ASKED.hashes).ravel()
    for place in range(0, count, 2):  # near ones, and those that are a bit too far
        bits = random.permutation(64)[: random.integers(NEAR_BITS + 4)].astype(np.uint64)
        changed = (np.uint64(1) << bits).sum(dtype=np.uint64)
        hashes[place, random.integers(2)] = random.choice(wanted) ^ changed
    differ = np.bitwise_count(hashes[:, :, None] ^ wanted).min(axis=(1, 2))
    near = np.lexsort((rows["link"], differ))[: np.count_nonzero(differ <= NEAR_BITS)]
    assert 5_000 < len(near) < 10_000
    assert nearest(rows, hashes, ASKED, Filter(1), count) == rows["link"][near].tolist()


async def test_it_follows_what_is_added_moved_and_removed(pool: Pool) -> None:
    source = Source(row(1, bits=0), row(2, bits=1), row(3, bits=2))
    lookup = Lookup(source, pool)
    seen = Filter(1, frozenset({10}))
    await lookup.follow(gone(1), {b"1"})  # before it was read: nothing to do
    assert await lookup.near(ASKED, seen, 9) == [1, 2, 3]
    source.rows = np.concatenate([source.rows, row(4, bits=0)])
    await lookup.follow(Changes(), {b"4"})
    assert await lookup.near(ASKED, seen, 9) == [1, 4, 2, 3]
    source.rows["group"][0] = 99
    await lookup.follow(gone(1), {b"1"})
    assert await lookup.near(ASKED, seen, 9) == [4, 2, 3]
    await lookup.follow(gone(4, 2))
    assert await lookup.near(ASKED, seen, 9) == [3]
    for number in range(5, 2000, 7):
        source.rows = np.concatenate([source.rows, row(number, bits=3)])
        await lookup.follow(Changes(), {b"%d" % number})
    assert len(await lookup.near(ASKED, seen, 5000)) == 1 + len(range(5, 2000, 7))
    await lookup.forget()
    assert len(await lookup.near(ASKED, seen, 5000)) == 3 + len(range(5, 2000, 7))


async def test_spaces_are_read_when_they_are_asked_and_followed_from_then_on(pool: Pool) -> None:
    source = Source(row(1, bits=0), row(2, bits=1, space=2), row(3, bits=0, space=3))
    lookup = Lookup(source, pool)
    assert await lookup.near(ASKED, Filter(1), 9) == [1]
    of_one = lookup.resident_bytes
    source.rows = np.concatenate([source.rows, row(4, bits=0, space=2), row(5, bits=2)])
    await lookup.follow(Changes(), {b"4", b"5"})
    assert await lookup.near(ASKED, Filter(1), 9) == [1, 5]
    assert await lookup.near(ASKED, Filter(2), 9) == [4, 2]
    source.rows = np.concatenate([source.rows, row(6, bits=0, space=2)])
    await lookup.follow(Changes(), {b"6"})
    assert await lookup.near(ASKED, Filter(1), 9) == [1, 5]
    assert await lookup.near(ASKED, Filter(2), 9) == [4, 6, 2]
    await lookup.follow(Changes(removed=[2], dropped={2: 1}))
    assert await lookup.near(ASKED, Filter(2), 9) == [4, 6]
    assert await lookup.near(ASKED, Filter(1), 9) == [1, 5]
    assert of_one == 40


async def test_spaces_that_nobody_asks_in_are_forgotten(pool: Pool) -> None:
    source = Source(*(row(number, bits=0, space=number % 3) for number in range(1, 301)))
    lookup = Lookup(source, pool, most_bytes=2 * 100 * 40)
    for space in (0, 1, 2, 1):
        assert len(await lookup.near(ASKED, Filter(space), 999)) == 100
    assert lookup.resident_bytes == 2 * 100 * 40
    asked = Lookup(source, pool, most_bytes=0)
    for space in (0, 1):
        assert len(await asked.near(ASKED, Filter(space), 999)) == 100
    assert asked.resident_bytes == 100 * 40


async def test_a_store_that_cannot_be_read_stops_no_change_and_is_read_again(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(row(1, bits=0))
    lookup = Lookup(source, pool)
    assert await lookup.near(ASKED, Filter(1), 9) == [1]

    async def fail(keys: Collection[bytes], spaces: Collection[int]) -> Rows:
        raise StoreUnreachable(Path("g.db"), "the disk is gone")

    monkeypatch.setattr(source, "hashes_of_items", fail)
    source.rows = np.concatenate([row(2, bits=0), row(3, bits=1)])
    await lookup.follow(gone(1), {b"2"})
    assert await lookup.near(ASKED, Filter(1), 9) == [2, 3]


class SlowSource(Source):
    """A source of which the first chunk is read, and the rest when `go_on` is set."""

    def __init__(self, *rows: Rows) -> None:
        super().__init__(*rows)
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def hashes(self, space: int) -> AsyncIterator[Rows]:
        first, rest = self.rows[:2].copy(), self.rows[2:].copy()
        yield first
        self.begun.set()
        await self.go_on.wait()
        yield rest


async def test_changes_do_not_wait_while_rows_are_read_and_are_not_missed(pool: Pool) -> None:
    source = SlowSource(row(1, bits=0), row(2, bits=1), row(3, bits=2))
    lookup = Lookup(source, pool)
    asked = asyncio.create_task(lookup.near(ASKED, Filter(1), 9))
    await source.begun.wait()
    source.rows = np.concatenate([source.rows, row(4, bits=0), row(5, bits=0)])
    async with asyncio.timeout(30):  # it would wait for ever
        await lookup.follow(Changes(), {b"4", b"5"})
        await lookup.follow(gone(1, 3, 5))
    assert not asked.done()
    source.go_on.set()
    assert await asked == [4, 2]
    assert await lookup.near(ASKED, Filter(1), 9) == [4, 2]


async def test_what_is_forgotten_while_it_is_read_is_read_again(pool: Pool) -> None:
    source = SlowSource(row(1, bits=0), row(2, bits=1))
    lookup = Lookup(source, pool)
    asked = asyncio.create_task(lookup.near(ASKED, Filter(1), 9))
    await source.begun.wait()
    async with asyncio.timeout(30):
        await lookup.forget()
    source.rows = row(7, bits=0)
    source.go_on.set()
    assert await asked == [7]
