"""Rows in memory while they come and go, and the judgement of an answer."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from index.answering.cutoff import stands_out
from index.search.encoding import CACHED_ROWS, quantized, signs
from index.search.kernels import loops
from index.search.kernels.quantized import turn
from index.search.memtable import ROOM
from index.search.ranking import similarities
from index.search.rows import Rows
from index.types.filter import Filter
from index.types.records import Changes
from tests.index.search.oracle import (
    DIMENSION,
    Row,
    answer,
    entries,
    some_filter,
    some_row,
    unit,
)


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


def test_question_in_a_channel_whose_first_picture_is_being_added() -> None:
    rng = np.random.default_rng(8)
    rows, filter = Rows(DIMENSION), Filter(1, frozenset({10, 11}))
    rows.apply(Changes(added=entries([Row(1, 1, 10, False, unit(rng, 1))])))
    rows._codes.of(entries([Row(2, 1, 11, False, unit(rng, 1))]))
    rows._codes.count = 1  # the middle of a change: nobody has been told of the new code yet
    assert rows._codes.allowed(filter).tolist() == [False, True, False]
    table = rows._now.memtable
    found, links = table.allowed(rows._codes, filter, loops)
    assert (found.tolist(), links) == ([0], 1)
    # The same as Python, which notices a place that is out of bounds.
    asked, found = table._asked(rows._codes, filter), np.zeros(table.count + ROOM, np.int64)
    assert loops.allowed_rows.py_func(*asked, found) == (1, 1)
    rows.apply(Changes(added=entries([Row(2, 1, 11, False, unit(rng, 1))])))
    assert rows._codes.allowed(filter).tolist() == [False, True, False, True, False]


def test_compiled_loops_answer_as_the_oracle_does_while_rows_come_and_go() -> None:
    """With any filter, of pictures, animations and copies in memory."""
    rng = np.random.default_rng(11)
    rows, living, repeated = Rows(DIMENSION), dict[int, Row](), unit(rng, 1)
    rows._loops = loops
    for first in range(0, 400, 40):
        new = [some_row(rng, link, repeated) for link in range(first, first + 40)]
        gone = rng.choice(sorted(living), 15, replace=False).tolist() if living else []
        rows.apply(Changes(gone, entries(new)))
        living |= {row.link: row for row in new}
        for link in gone:
            del living[link]
        for _ in range(20):
            query, filter = unit(rng, 1)[0], some_filter(rng, living)
            k = int(rng.integers(1, 30))
            expected = answer(living.values(), query, filter)
            found = rows.search(query, filter, k=k)
            named = zip(found.links.tolist(), found.frames.tolist(), strict=True)
            assert list(named) == expected[:k]
            assert (found.searched, found.more) == (len(expected), len(expected) > k)
            for link, frame, posted, vector in zip(
                found.row_links, found.row_frames, found.posted, found.vectors, strict=True
            ):
                assert posted == living[link].posted
                assert (vector == living[link].vectors[frame]).all()


@pytest.mark.parametrize("dimension", [16, 72, 100, 512])
def test_quantized_rows_are_turned_as_queries_are_and_leave_out_what_is_said(
    dimension: int,
) -> None:
    rows = 2 * CACHED_ROWS + 44
    vectors = np.random.default_rng(2).standard_normal((rows, dimension)).astype(np.float32)
    numbers, scales, left_out = quantized(vectors)
    turned = np.empty_like(vectors)
    for vector, out in zip(vectors, turned, strict=True):
        turn(vector, signs(dimension), out)
    np.testing.assert_allclose(turned @ turned[0], vectors @ vectors[0], rtol=1e-4, atol=1e-3)
    missing = turned - (numbers.astype(np.float32) - 128) * scales[:, None]
    np.testing.assert_allclose(np.linalg.norm(missing, axis=1), left_out, rtol=1e-3)


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
