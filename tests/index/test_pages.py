"""Page after page of an answer, while links come and go and rows settle."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from index.search.rows import Rows
from index.search.sizes import Sizes
from index.types.filter import Filter, Sort
from index.types.records import Changes, Position
from tests.index.test_search import DIMENSION, Row, end_of, entries, may_answer, some_row, unit
from tests.index.test_segment import SETTLE, settle

FILTERS = (Filter(1), Filter(1, frozenset({1, 2, 3}), kind=None, since=20.0))


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_no_hit_comes_twice_and_none_is_left_out(
    seed: int, settles: bool, sort: Sort, tmp_path: Path
) -> None:
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    sizes = Sizes(settle_rows=SETTLE)
    rows = Rows(DIMENSION, folder=tmp_path if settles else None, sizes=sizes)
    repeated, following = unit(rng, 1), iter(range(1, 100_000))
    # Many share a time and a score, so that ids have to tell them apart.
    made = [some_row(rng, next(following), repeated) for _ in range(600)]
    rows.apply(Changes(added=entries(made)))
    settle(rows)
    known = {row.link: row for row in made}
    for filter in FILTERS:
        query = repeated[0] if chance.random() < 0.5 else unit(rng, 1)[0]
        living = dict(known)
        shown: list[int] = []
        staying, after = set(living), None
        while True:
            found = rows.search(query, filter, k=7, after=after, sort=sort)
            assert set(found.links.tolist()) <= set(living)
            shown += found.links.tolist()
            if not found.more:
                break
            after = end_of(found, known, rank=len(shown))
            gone = chance.sample(sorted(living), 2) + [shown[-1]] * (shown[-1] in living)
            new = [some_row(rng, next(following), repeated) for _ in range(5)]
            rows.apply(Changes(gone, entries(new)))
            known |= {row.link: row for row in new}
            living = {link: row for link, row in living.items() if link not in gone}
            living |= {row.link: row for row in new}
            staying -= set(gone)
            settle(rows)
        assert len(shown) == len(set(shown))
        due = {link for link in staying if may_answer(known[link], filter)}
        assert due <= set(shown)
        assert len(shown) > 50
        known = living


def test_row_keeps_its_score_when_it_settles(tmp_path: Path) -> None:
    """Pages may come from memory and then from a segment."""
    rng = np.random.default_rng(3)
    rows = Rows(512, folder=tmp_path, sizes=Sizes(settle_rows=SETTLE))
    vectors = rng.normal(size=(2000, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    made = [Row(n, 1, 1, False, vectors[n : n + 1]) for n in range(len(vectors))]
    rows.apply(Changes(added=entries(made)))
    question = vectors[0]
    before = rows.search(question, Filter(1), k=50)
    rows.warm()
    compiled = rows.search(question, Filter(1), k=50)
    settle(rows)
    settled = rows.search(question, Filter(1), k=50)
    assert rows.unsettled == 0
    for other in (compiled, settled):
        assert other.links.tolist() == before.links.tolist()
        assert other.scores.tolist() == before.scores.tolist()


def test_score_that_differs_in_its_last_bits_is_the_same_place() -> None:
    """As one that was written down with fewer digits."""
    rng = np.random.default_rng(4)
    copy, query = unit(rng, 2)
    rows = Rows(DIMENSION)
    copies = [Row(n, 1, 1, False, copy[None]) for n in range(1, 10)]
    rows.apply(Changes(added=entries(copies)))
    found = rows.search(query, Filter(1), k=4)
    for error in (-1e-12, 0.0, 1e-12):
        end = Position(4, float(found.scores[-1]) + error, 4, 0.0)
        assert rows.search(query, Filter(1), k=9, after=end).links.tolist() == [5, 6, 7, 8, 9]


def test_answer_in_the_order_of_dates_says_whether_its_best_hit_stands_out() -> None:
    rng = np.random.default_rng(5)
    query = unit(rng, 1)
    others = [Row(n, 1, 1, False, unit(rng, 1), posted=float(n)) for n in range(2, 300)]
    rows = Rows(DIMENSION)
    rows.apply(Changes(added=entries([Row(1, 1, 1, False, query, posted=0.0), *others])))
    newest = rows.search(query[0], Filter(1), k=3, sort=Sort.NEWEST)
    assert newest.links.tolist() == [299, 298, 297]
    assert newest.confident == rows.search(query[0], Filter(1), k=3).confident
