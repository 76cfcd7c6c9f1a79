"""Rows of a gallery, and what a vector index should answer: the plain way, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from index.types.filter import Filter, Sort
from index.types.records import Entries, Floats, Kind

DIMENSION = 16


def unit(rng: np.random.Generator, count: int, dimension: int = DIMENSION) -> Floats:
    """(count, dimension) vectors of length 1."""
    vectors = rng.normal(size=(count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Row:
    """A link with the vectors of its frames."""

    link: int
    space: int
    group: int
    text: bool
    vectors: Floats
    owner: int = 0
    posted: float = 0.0


def entries(rows: Sequence[Row]) -> Entries:
    """The rows as a store hands them over."""
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
    """What a filter says."""
    return (
        row.space == filter.space
        and (filter.groups is None or row.group in filter.groups)
        and (filter.kind is None or row.text == (filter.kind == "text"))
        and (filter.owners is None or row.owner in filter.owners)
        and row.owner not in filter.but_owners
        and (filter.since is None or row.posted >= filter.since)
        and (filter.until is None or row.posted < filter.until)
        and (filter.only is None or row.link in filter.only)
        and row.link not in filter.without
    )


def score(row: Row, query: Floats) -> tuple[float, int]:
    """(score, frame) of the best frame, the first one if several are alike."""
    products = row.vectors.astype(np.float64) @ query.astype(np.float64)
    scores = [round(float(product), 9) for product in products]
    frame = max(range(len(scores)), key=lambda i: (scores[i], -i))
    return scores[frame], frame


def answer(
    rows: Iterable[Row], query: Floats, filter: Filter, sort: Sort = Sort.BEST
) -> list[tuple[int, int]]:
    """(link, frame) of all that may answer, in order."""
    answering = []
    for row in rows:
        if not may_answer(row, filter):
            continue
        best, frame = score(row, query)
        places = {
            Sort.BEST: (-best, row.link),
            Sort.NEWEST: (-row.posted, -row.link),
            Sort.OLDEST: (row.posted, row.link),
        }
        answering.append((places[sort], row.link, frame))
    return [(link, frame) for _, link, frame in sorted(answering)]


def some_row(rng: np.random.Generator, link: int, repeated: Floats) -> Row:
    """Of three spaces with five groups each, now and then animated, a text or a copy."""
    vectors = unit(rng, int(rng.choice([1, 1, 1, 4])), repeated.shape[1])
    if rng.random() < 0.2:
        vectors = repeated
    space, group = rng.integers(1, 4), rng.integers(1, 6)
    owner, posted = int(rng.integers(1, 4)), float(rng.integers(0, 100))
    return Row(link, int(space), int(group), bool(rng.random() < 0.2), vectors, owner, posted)


def some_filter(rng: np.random.Generator, links: Iterable[int]) -> Filter:
    """Any filter. Most let something through."""
    groups: list[set[int] | None] = [None, set(), {1}, {2, 5, 99}, {1, 2, 3, 4, 5}]
    some = groups[rng.integers(5)]
    kinds: list[Kind | None] = [None, "text", "image"]
    since, until = [(None, None), (None, None), (30.0, None), (20.0, 60.0)][rng.integers(4)]
    without = rng.choice(sorted(links) or [1], int(rng.choice([0, 3])))
    only = rng.choice(sorted(links) or [1], len(list(links)) // 2, replace=False)
    return Filter(
        only=frozenset(only.tolist()) if rng.random() < 0.3 else None,
        space=int(rng.integers(1, 5)),
        groups=None if some is None else frozenset(some),
        kind=kinds[rng.integers(3)],
        owners=[None, None, frozenset({1}), frozenset({4, 2})][rng.integers(4)],
        but_owners=[frozenset(), frozenset(), frozenset({3}), frozenset({1, 2})][rng.integers(4)],
        since=since,
        until=until,
        without=frozenset(without.tolist()),
    )
