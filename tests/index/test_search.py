"""Ranking against a brute-force oracle, and while rows come and go."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from index.search.cutoff import stands_out
from index.search.interface import Found
from index.search.ranking import similarities
from index.search.rows import Rows
from index.types.filter import Filter, Sort
from index.types.records import Changes, Entries, Floats, Kind, Position

DIMENSION = 16


def unit(rng: np.random.Generator, count: int) -> Floats:
    vectors = rng.normal(size=(count, DIMENSION))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Row:
    link: int
    space: int
    group: int
    text: bool
    vectors: Floats
    owner: int = 0
    posted: float = 0.0


def entries(rows: Sequence[Row]) -> Entries:
    return Entries(
        links=np.array([row.link for row in rows], np.int64),
        spaces=np.array([row.space for row in rows], np.int64),
        groups=np.array([row.group for row in rows], np.int64),
        texts=np.array([row.text for row in rows], np.bool_),
        owners=np.array([row.owner for row in rows], np.int64),
        posted=np.array([row.posted for row in rows]),
        frames=np.array([len(row.vectors) for row in rows], np.int64),
        vectors=np.concatenate([row.vectors for row in rows]),
    )


def may_answer(row: Row, filter: Filter) -> bool:
    """What a filter says, the plain way."""
    return (
        row.space == filter.space
        and (filter.groups is None or row.group in filter.groups)
        and (filter.kind is None or row.text == (filter.kind == "text"))
        and (filter.owner is None or row.owner == filter.owner)
        and (filter.since is None or row.posted >= filter.since)
        and (filter.until is None or row.posted < filter.until)
        and row.link not in filter.without
    )


def oracle(
    rows: Iterable[Row], query: Floats, filter: Filter, sort: Sort = Sort.BEST
) -> list[tuple[int, int]]:
    """(link, frame) of all that may answer, in order, the plain way."""
    answering = []
    for row in rows:
        if not may_answer(row, filter):
            continue
        products = row.vectors.astype(np.float64) @ query.astype(np.float64)
        scores = [round(float(product), 9) for product in products]
        frame = max(range(len(scores)), key=lambda i: (scores[i], -i))
        places = {
            Sort.BEST: (-scores[frame], row.link),
            Sort.NEWEST: (-row.posted, -row.link),
            Sort.OLDEST: (row.posted, row.link),
        }
        answering.append((places[sort], row.link, frame))
    return [(link, frame) for _, link, frame in sorted(answering)]


def end_of(found: Found, rows: Mapping[int, Row], rank: int) -> Position:
    """Where a page ended."""
    link = int(found.links[-1])
    return Position(rank, float(found.scores[-1]), link, rows[link].posted)


def some_row(rng: np.random.Generator, link: int, repeated: Floats) -> Row:
    """Of three spaces with five groups each, now and then animated, a text or a copy."""
    vectors = unit(rng, int(rng.choice([1, 1, 1, 4])))
    if rng.random() < 0.2:
        vectors = repeated
    space, group = rng.integers(1, 4), rng.integers(1, 6)
    owner, posted = int(rng.integers(1, 4)), float(rng.integers(0, 100))
    return Row(link, int(space), int(group), bool(rng.random() < 0.2), vectors, owner, posted)


def some_filter(rng: np.random.Generator, living: Mapping[int, Row]) -> Filter:
    """Any, of which most let something through."""
    groups: list[set[int] | None] = [None, set(), {1}, {2, 5, 99}, {1, 2, 3, 4, 5}]
    some = groups[rng.integers(5)]
    kinds: list[Kind | None] = [None, "text", "image"]
    since, until = [(None, None), (None, None), (30.0, None), (20.0, 60.0)][rng.integers(4)]
    without = rng.choice(sorted(living) or [1], int(rng.choice([0, 3])))
    return Filter(
        space=int(rng.integers(1, 5)),
        groups=None if some is None else frozenset(some),
        kind=kinds[rng.integers(3)],
        owner=[None, None, 1, 4][rng.integers(4)],
        since=since,
        until=until,
        without=frozenset(without.tolist()),
    )


def check(
    rows: Rows, living: Mapping[int, Row], query: Floats, filter: Filter, rng: np.random.Generator
) -> None:
    """Two pages, in any order, are those of the oracle; so is what is said beside them."""
    k, sort = int(rng.integers(1, 13)), [Sort.BEST, *Sort][rng.integers(4)]
    expected = oracle(living.values(), query, filter, sort)
    after = None
    for start in (0, k):
        found = rows.search(query, filter, k=k, after=after, sort=sort)
        pairs = list(zip(found.links.tolist(), found.frames.tolist(), strict=True))
        assert pairs == expected[start : start + k]
        assert found.searched == len(expected)
        assert found.more == (len(expected) > start + k)
        if not found.more:
            break
        # The rank is a hint only.
        after = end_of(found, living, int(rng.choice([0, k, 1000])))
    assert len(rows) == sum(len(row.vectors) for row in living.values())


@pytest.mark.parametrize("seed", range(4))
def test_same_answers_as_brute_force_over_a_random_history(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chance = random.Random(seed)
    rows, living = Rows(DIMENSION), dict[int, Row]()
    repeated, following = unit(rng, 1), iter(range(1, 100_000))
    for _ in range(60):
        new = [some_row(rng, next(following), repeated) for _ in range(chance.randint(0, 30))]
        gone = chance.sample(sorted(living), min(len(living), chance.randint(0, 25)))
        rows.apply(Changes(gone, entries(new) if new else None))
        living = {k: v for k, v in living.items() if k not in gone} | {r.link: r for r in new}

        query = unit(rng, 1)[0] if chance.random() < 0.8 else repeated[0]
        check(rows, living, query, some_filter(rng, living), rng)


def test_link_appears_once_however_many_of_its_frames_fit() -> None:
    rng = np.random.default_rng(1)
    query = unit(rng, 1)
    animated = Row(1, 1, 1, False, np.repeat(query, 50, axis=0))
    others = [Row(link, 1, 1, False, unit(rng, 1)) for link in range(2, 6)]
    rows = Rows(DIMENSION)
    rows.apply(Changes(added=entries([animated, *others])))
    found = rows.search(query[0], Filter(1), k=3)
    assert found.links[0] == 1
    assert len(set(found.links.tolist())) == 3
    assert found.scores[0] == pytest.approx(1, abs=1e-6)


def test_group_that_is_not_allowed_is_never_looked_at() -> None:
    rng = np.random.default_rng(2)
    query = unit(rng, 1)
    secret = [Row(link, 1, 7, False, query) for link in range(1, 50)]
    public = [Row(link, 1, 8, False, -query) for link in range(50, 60)]
    elsewhere = [Row(link, 2, 8, False, query) for link in range(60, 70)]
    rows = Rows(DIMENSION)
    rows.apply(Changes(added=entries([*secret, *public, *elsewhere])))
    found = rows.search(query[0], Filter(1, frozenset({8})), k=5)
    assert found.links.tolist() == [50, 51, 52, 53, 54]
    assert (found.searched, found.more) == (10, True)
    assert rows.search(query[0], Filter(1, frozenset()), k=5).searched == 0


def test_links_can_be_left_out() -> None:
    rng = np.random.default_rng(3)
    query = unit(rng, 1)
    rows = Rows(DIMENSION)
    rows.apply(Changes(added=entries([Row(link, 1, 1, False, query) for link in range(1, 6)])))
    found = rows.search(query[0], Filter(1, without=frozenset({2, 4})), k=9)
    assert found.links.tolist() == [1, 3, 5]


def test_same_vectors_are_always_in_the_same_order() -> None:
    rng = np.random.default_rng(4)
    query, copy = unit(rng, 2)
    rows = Rows(DIMENSION)
    for link in rng.permutation(1001).tolist():
        vectors = copy[None] if link % 2 else unit(rng, 1)
        rows.apply(Changes(added=entries([Row(link, 1, 1, False, vectors)])))
    found = rows.search(query, Filter(1), k=1001)
    copies = [link for link in found.links.tolist() if link % 2]
    assert copies == sorted(copies)


def test_wrong_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="mismatch"):
        similarities(np.zeros((3, 4), np.float32), np.zeros(5, np.float32), np.arange(3))


def test_no_search_sees_half_a_change() -> None:
    """Pairs of links come and go together while others search."""
    rng = np.random.default_rng(5)
    query = unit(rng, 1)[0]
    rows, over, odd = Rows(DIMENSION), threading.Event(), list[int]()

    def search() -> None:
        while not over.is_set():
            found = rows.search(query, Filter(1), k=400)
            if found.searched % 2 or len(found.links) != min(400, found.searched):
                odd.append(found.searched)

    searching = [threading.Thread(target=search) for _ in range(2)]
    for thread in searching:
        thread.start()
    for link in range(0, 3000, 2):
        pair = [Row(n, 1, 1, False, unit(rng, 1)) for n in (link, link + 1)]
        gone = [link - 100, link - 99] if link >= 100 else []
        rows.apply(Changes(gone, entries(pair)))
    over.set()
    for thread in searching:
        thread.join()
    assert not odd
    assert len(rows) == 100


def test_memory_of_removed_rows_is_given_back() -> None:
    rng = np.random.default_rng(6)
    rows = Rows(DIMENSION)
    rows.apply(Changes(added=entries([Row(n, 1, 1, False, unit(rng, 1)) for n in range(4000)])))
    rows.apply(Changes(list(range(3900))))
    assert len(rows) == 100
    assert len(rows._now.memtable.links) <= 200


def test_best_picture_stands_out_or_not() -> None:
    rng = np.random.default_rng(7)
    unrelated = rng.normal(0.2, 0.02, 2000).astype(np.float32)
    assert not stands_out(unrelated)
    assert stands_out(np.append(unrelated, np.float32(0.33)))
    many = np.append(unrelated, rng.normal(0.33, 0.02, 300).astype(np.float32))
    assert stands_out(many)
    assert not stands_out(np.zeros(0, np.float32))
