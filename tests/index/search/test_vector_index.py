"""What every `VectorIndex` does, against brute force."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from index import Filter, GalleryClosed, Sort
from index.concurrency import Pool
from index.search.interface import Everything, Found, Listed, VectorIndex
from index.types.records import Changes, Floats, Position
from tests.index.search import oracle
from tests.index.search.conftest import Opening
from tests.index.search.oracle import Row, may_answer, some_filter, some_row, unit
from tests.index.search.source import MemorySource


async def put(index: VectorIndex, source: MemorySource, *rows: Row) -> None:
    await index.change(partial(source.put, rows), adds=True)


async def remove(index: VectorIndex, source: MemorySource, *links: int) -> None:
    await index.change(partial(source.remove, links))


def end_of(listed: Listed, source: MemorySource) -> Position:
    """Where a page ended."""
    link = int(listed.links[-1])
    return Position(0, 0.0, link, source.rows[link].posted)


async def check(
    index: VectorIndex, source: MemorySource, query: Floats, rng: np.random.Generator
) -> None:
    """The best of any filter are those of the oracle, and so are two pages in the order of dates;
    so is what is said beside them."""
    filter, k = some_filter(rng, source.rows), int(rng.integers(1, 13))
    expected = oracle.answer(source.rows.values(), query, filter)
    found = await index.search(query, filter, k=k)
    assert list(zip(found.links.tolist(), found.frames.tolist(), strict=True)) == expected[:k]
    assert found.searched == len(expected)
    assert found.more == (len(expected) > k)
    check_rows(found, source, filter)
    sort, after = [Sort.NEWEST, Sort.OLDEST][rng.integers(2)], None
    dated = [link for link, _ in oracle.answer(source.rows.values(), query, filter, sort)]
    for start in (0, k):
        listed = await index.listed(filter, k=k, sort=sort, after=after)
        assert listed.links.tolist() == dated[start : start + k]
        assert listed.searched == len(dated)
        assert listed.more == (len(dated) > start + k)
        if not listed.more:
            break
        after = end_of(listed, source)
    await check_everything(index, source, filter)


async def check_everything(index: VectorIndex, source: MemorySource, filter: Filter) -> None:
    """All links that may answer can be looked at, with the vectors of their first frames."""
    pool = Pool(1, "survey", asyncio.Event())

    def look(everything: Everything) -> tuple[list[int], list[float], Floats]:
        places = np.arange(len(everything.links))[::-1]
        vectors, there = everything.vectors(places)
        assert there.all()
        return everything.links[places].tolist(), everything.posted[places].tolist(), vectors

    links, posted, vectors = await index.examine(filter, look, pool)
    await pool.close()
    assert sorted(links) == sorted(
        row.link for row in source.rows.values() if may_answer(row, filter)
    )
    for link, moment, vector in zip(links, posted, vectors, strict=True):
        assert moment == source.rows[link].posted
        assert (vector == source.rows[link].vectors[0]).all()


def check_rows(found: Found, source: MemorySource, filter: Filter) -> None:
    """All frames of the links that were found come along, and a sample of what may answer."""
    whole = {link: source.rows[link] for link in found.links.tolist()}
    frames = zip(found.row_links.tolist(), found.row_frames.tolist(), strict=True)
    assert sorted(frames) == [
        (link, frame) for link in sorted(whole) for frame in range(len(whole[link].vectors))
    ]
    for link, frame, posted, vector in zip(
        *(found.row_links.tolist(), found.row_frames.tolist(), found.posted, found.vectors),
        strict=True,
    ):
        assert (vector == whole[link].vectors[frame]).all()
        assert posted == whole[link].posted
    # Links of `without` are no secret: the sample may have rows of theirs.
    every = replace(filter, without=frozenset())
    may = [row.vectors for row in source.rows.values() if may_answer(row, every)]
    assert bool(len(found.sample)) or not found.searched
    if may:
        nearest = np.abs(found.sample[:, None] - np.concatenate(may)[None]).max(axis=2).min(axis=1)
        assert (nearest == 0).all()


async def test_several_queries_have_the_best_of_each(opened: Opening) -> None:
    rng, source = np.random.default_rng(3), MemorySource()
    index = await opened(source)
    await put(index, source, *(Row(n, 1, 1, False, unit(rng, 1)) for n in range(300)))
    queries = unit(rng, 2)
    each = [await index.search(query, Filter(1), k=9) for query in queries]
    both = await index.search(queries, Filter(1), k=9)
    assert set(both.links.tolist()) == {link for one in each for link in one.links.tolist()}
    assert (np.diff(both.scores) <= 0).all()


@pytest.mark.parametrize("seed", range(3))
async def test_same_answers_as_brute_force_over_a_random_history(
    seed: int, opened: Opening
) -> None:
    """Rows come, go and are replaced; now and then the index starts again."""
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    source, repeated = MemorySource(), unit(rng, 1)
    index, following = await opened(source), iter(range(1, 100_000))
    for _ in range(40):
        known = sorted(source.rows)
        new = [some_row(rng, next(following), repeated) for _ in range(chance.randint(0, 20))]
        replaced = chance.sample(known, min(len(known), chance.randint(0, 3)))
        await put(index, source, *new, *(some_row(rng, link, repeated) for link in replaced))
        await remove(index, source, *chance.sample(known, min(len(known), chance.randint(0, 15))))
        query = unit(rng, 1)[0] if chance.random() < 0.8 else repeated[0]
        await check(index, source, query, rng)
        if chance.random() < 0.15:
            index = await opened(source)
            await check(index, source, query, rng)


async def test_group_that_is_not_allowed_is_never_looked_at(opened: Opening) -> None:
    rng = np.random.default_rng(2)
    query, source = unit(rng, 1), MemorySource()
    index = await opened(source)
    secret = [Row(link, 1, 7, False, query) for link in range(1, 50)]
    public = [Row(link, 1, 8, False, -query) for link in range(50, 60)]
    elsewhere = [Row(link, 2, 8, False, query) for link in range(60, 70)]
    await put(index, source, *secret, *public, *elsewhere)
    found = await index.search(query[0], Filter(1, frozenset({8})), k=5)
    assert found.links.tolist() == [50, 51, 52, 53, 54]
    assert (found.searched, found.more) == (10, True)
    none = await index.search(query[0], Filter(1, frozenset()), k=5)
    assert (none.links.tolist(), none.searched, none.more) == ([], 0, False)


async def test_link_appears_once_however_many_of_its_frames_fit(opened: Opening) -> None:
    rng = np.random.default_rng(1)
    query, source = unit(rng, 1), MemorySource()
    index = await opened(source)
    animated = Row(1, 1, 1, False, np.repeat(query, 50, axis=0))
    await put(index, source, animated, *(Row(n, 1, 1, False, unit(rng, 1)) for n in range(2, 6)))
    found = await index.search(query[0], Filter(1), k=3)
    assert found.links[0] == 1
    assert len(set(found.links.tolist())) == 3
    assert found.scores[0] == pytest.approx(1, abs=1e-6)


async def test_links_with_the_same_score_come_in_the_order_of_their_ids(opened: Opening) -> None:
    """Also when their rows are in different places."""
    rng = np.random.default_rng(4)
    (query, copy), source = unit(rng, 2), MemorySource()
    index = await opened(source)
    for link in rng.permutation(301).tolist():
        vectors = copy[None] if link % 2 else unit(rng, 1)
        await put(index, source, Row(link, 1, 1, False, vectors))
    found = await index.search(query, Filter(1), k=301)
    copies = [link for link in found.links.tolist() if link % 2]
    assert copies == list(range(1, 301, 2))


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.OLDEST])
@pytest.mark.parametrize("seed", range(2))
async def test_no_hit_comes_twice_and_none_is_left_out_while_links_come_and_go(
    seed: int, sort: Sort, opened: Opening
) -> None:
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    source, repeated, following = MemorySource(), unit(rng, 1), iter(range(1, 100_000))
    index = await opened(source)
    # Many have a time and a score in common, so that ids have to tell them apart.
    await put(index, source, *(some_row(rng, next(following), repeated) for _ in range(300)))
    for filter in (Filter(1), Filter(1, frozenset({1, 2, 3}), kind=None, since=20.0)):
        staying, shown, after = dict(source.rows), list[int](), None
        while True:
            listed = await index.listed(filter, k=7, sort=sort, after=after)
            assert set(listed.links.tolist()) <= set(source.rows)
            shown += listed.links.tolist()
            if not listed.more:
                break
            after = end_of(listed, source)
            gone = [*chance.sample(sorted(source.rows), 2), shown[-1]]
            await remove(index, source, *gone)
            await put(index, source, *(some_row(rng, next(following), repeated) for _ in range(3)))
            for link in gone:
                staying.pop(link, None)
        assert len(shown) == len(set(shown)) > 20
        due = {link for link, row in staying.items() if may_answer(row, filter)}
        assert due <= set(shown)


async def test_above_counts_exactly(opened: Opening) -> None:
    rng = np.random.default_rng(4)
    vectors, source = unit(rng, 300), MemorySource()
    index = await opened(source)
    await put(index, source, *(Row(n, 1, n % 3, False, vectors[n : n + 1]) for n in range(300)))
    query = unit(rng, 1)[0]
    expected = int((vectors @ query > 0.2).sum())
    assert await index.above(query, 0.2, Filter(1)) == expected
    in_group = int((vectors[1::3] @ query > 0.2).sum())
    assert await index.above(query, 0.2, Filter(1, frozenset({1}))) == in_group


async def test_no_query_sees_half_a_change(opened: Opening) -> None:
    """Pairs of links come and go together. One that goes meanwhile may be missing."""
    rng = np.random.default_rng(8)
    query, source, odd, there = unit(rng, 1)[0], MemorySource(), list[int](), set[int]()
    index, over = await opened(source), asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            before = set(there)
            found = await index.search(query, Filter(1), k=400)
            missing = (before & there) - set(found.links.tolist())
            if found.searched % 2 or missing:
                odd.append(found.searched)

    asking = asyncio.create_task(ask())
    for link in range(0, 400, 2):
        await put(index, source, *(Row(link + n, 1, 1, False, unit(rng, 1)) for n in (0, 1)))
        there |= {link, link + 1}
        if link >= 100:
            there -= {link - 100, link - 99}
            await remove(index, source, link - 100, link - 99)
    over.set()
    await asking
    assert not odd


async def test_write_that_fails_changes_nothing(opened: Opening) -> None:
    rng, source = np.random.default_rng(9), MemorySource()
    index = await opened(source)
    await put(index, source, Row(1, 1, 1, False, unit(rng, 1)))

    async def fail() -> Changes:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        await index.change(fail)
    assert (await index.search(unit(rng, 1)[0], Filter(1), k=5)).links.tolist() == [1]


async def test_cancelled_writer_does_not_stop_its_write(opened: Opening) -> None:
    rng, source = np.random.default_rng(10), MemorySource()
    index, begun, go_on = await opened(source), asyncio.Event(), asyncio.Event()

    async def slowly() -> Changes:
        begun.set()
        await go_on.wait()
        return await source.put([Row(1, 1, 1, False, unit(rng, 1))])

    writing = asyncio.create_task(index.change(slowly, adds=True))
    await begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    await put(index, source, Row(2, 1, 1, False, unit(rng, 1)))  # waits behind it
    assert (await index.search(unit(rng, 1)[0], Filter(1), k=5)).searched == 2


async def test_model_that_follows_has_only_the_links_that_it_embedded(opened: Opening) -> None:
    rng, source = np.random.default_rng(11), MemorySource()
    index, moved = await opened(source), list[str]()
    await put(index, source, *(Row(n, 1, 1, False, unit(rng, 1)) for n in range(300)))
    vectors = unit(rng, 200, 24)
    source.successors = {n: vectors[n : n + 1] for n in range(200)}
    changes = await index.switch_model(24, lambda: moved.append("moved"))
    assert (sorted(changes.removed), moved) == (list(range(200, 300)), ["moved"])
    for n in (0, 199):
        found = await index.search(vectors[n], Filter(1), k=5)
        assert (found.links[0], found.searched) == (n, 200)


async def test_closed_index_refuses_to_change(opened: Opening) -> None:
    rng, source = np.random.default_rng(12), MemorySource()
    index = await opened(source)
    await opened(source)  # closes the one before
    with pytest.raises(GalleryClosed):
        await put(index, source, Row(1, 1, 1, False, unit(rng, 1)))
