"""What filters of the last questions allow is kept, and never shows more than they allow now."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.search import view
from index.search.kept_rows import KEPT_FILTERS, KEPT_ROWS, FewRows, KeptRows
from index.search.rows import Rows
from index.search.sizes import Sizes
from index.types.filter import Filter
from index.types.records import Changes, Floats
from tests.index.search import oracle
from tests.index.search.oracle import DIMENSION, Row, entries, some_filter, some_row, unit

SETTLE = 40
FILTERS = (
    Filter(1),
    Filter(1, frozenset({1, 2})),
    Filter(1, owners=frozenset({1}), since=5.0),
    Filter(1, but_owners=frozenset({1}), until=90.0),
    Filter(1, frozenset({9})),
)


def settled(folder: Path, some: list[Row]) -> Rows:
    """These rows, in a segment."""
    rows = Rows(DIMENSION, folder=folder, sizes=Sizes(settle_rows=SETTLE))
    rows.apply(Changes(added=entries(some)))
    settle(rows)
    return rows


def settle(rows: Rows) -> None:
    while rows.needs_settling or rows.needs_compaction:
        begin = rows.begin_settling if rows.needs_settling else rows.begin_compaction
        rows.finish_compaction(one := begin(hurried=True), one.build())


def some_rows(count: int = 200) -> tuple[list[Row], Floats]:
    vectors = unit(np.random.default_rng(5), count)
    return [
        Row(n, 1, n % 5, False, vectors[n : n + 1], n % 3, float(n)) for n in range(count)
    ], vectors


def ask(rows: Rows, filter: Filter, query: Floats, living: list[Row]) -> None:
    """The same question in three ways, each with the right answer."""
    right = [link for link, _ in oracle.answer(living, query, filter)]
    found = rows.search(query, filter, k=5)
    assert found.links.tolist() == right[:5]
    assert found.searched == len(right)
    everything = rows.everything(filter)
    assert sorted(everything.links.tolist()) == sorted(right)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[Filter]:
    """The filters of which a segment was asked which rows they allow."""
    asked, found_out = list[Filter](), view.view_of

    def look(part: view.Part, filter: Filter, sizes: Sizes) -> view.View | None:
        asked.append(filter)
        return found_out(part, filter, sizes)

    monkeypatch.setattr(view, "view_of", look)
    return asked


@pytest.mark.parametrize("filter", FILTERS)
def test_a_filter_that_was_asked_shows_no_row_that_was_removed(
    tmp_path: Path, filter: Filter
) -> None:
    some, vectors = some_rows()
    rows = settled(tmp_path, some)
    for query in vectors[[1, 6, 11]]:
        ask(rows, filter, query, some)
        for gone in oracle.answer(some, query, filter)[:3]:
            rows.apply(Changes([gone[0]]))
            some = [row for row in some if row.link != gone[0]]
            ask(rows, filter, query, some)


@pytest.mark.parametrize("filter", FILTERS)
def test_a_filter_that_was_asked_shows_rows_that_came_later(tmp_path: Path, filter: Filter) -> None:
    some, vectors = some_rows()
    rows = settled(tmp_path, some)
    ask(rows, filter, vectors[1], some)
    new = [Row(1000 + n, 1, 1, False, vectors[n : n + 1], 1 + n % 2, 50.0) for n in range(60)]
    rows.apply(Changes(added=entries(new)))
    ask(rows, filter, vectors[1], some + new)
    settle(rows)
    ask(rows, filter, vectors[1], some + new)


def test_channels_that_can_no_longer_be_read_show_nothing(tmp_path: Path) -> None:
    some, vectors = some_rows()
    rows = settled(tmp_path, some)
    for readable in ({0, 1, 2}, {0, 2}, {1, 2, 9}, {2}, set[int](), {0, 1, 2}):
        ask(rows, Filter(1, frozenset(readable)), vectors[6], some)


@pytest.mark.parametrize(
    "condition",
    [
        {"groups": frozenset({1, 2})},
        {"kind": None},
        {"owners": frozenset({1})},
        {"but_owners": frozenset({1})},
        {"since": 50.0},
        {"until": 50.0},
        {"only": frozenset({3, 4})},
        {"without": frozenset({6, 7})},
        {"space": 2},
    ],
)
def test_filters_that_differ_in_one_condition_are_told_apart(
    tmp_path: Path, condition: dict[str, Any]
) -> None:
    some, vectors = some_rows()
    some += [replace(row, link=500 + row.link, text=True) for row in some[:40]]
    some += [replace(row, link=600 + row.link, space=2) for row in some[:40]]
    rows, filter = settled(tmp_path, some), Filter(1)
    for one in (filter, replace(filter, **condition), filter):
        ask(rows, one, vectors[6], some)


def test_same_answers_as_brute_force_when_few_filters_are_asked_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows, living, repeated = settled(tmp_path, some_rows()[0]), some_rows()[0], unit(rng, 1)
    filters = [*FILTERS, *(some_filter(rng, range(200)) for _ in range(15))]
    for step in range(40):
        gone = rng.choice([row.link for row in living], int(rng.integers(0, 4))).tolist()
        new = [some_row(rng, 1000 + 20 * step + n, repeated) for n in range(int(rng.integers(20)))]
        rows.apply(Changes(gone, entries(new) if new else None))
        living = [row for row in living if row.link not in gone] + new
        if step % 5 == 0:
            settle(rows)
        for number in rng.integers(0, len(filters), 6):
            ask(rows, filters[number], unit(rng, 1)[0], living)


def test_which_rows_a_filter_allows_is_found_out_once(tmp_path: Path, looked: list[Filter]) -> None:
    some, vectors = some_rows()
    rows = settled(tmp_path, some)
    for filter in FILTERS * 3:
        ask(rows, filter, vectors[3], some)
    assert looked == list(FILTERS)


def test_a_removal_in_a_hidden_channel_shows_in_no_time(
    tmp_path: Path, looked: list[Filter]
) -> None:
    some, vectors = some_rows()
    rows = settled(tmp_path, some)
    mine = Filter(1, frozenset({0, 1}))
    ask(rows, mine, vectors[3], some)
    rows.apply(Changes([2, 3, 4, 7]))
    ask(rows, mine, vectors[3], some)
    assert looked == [mine]
    rows.apply(Changes([5]))
    ask(rows, mine, vectors[3], [row for row in some if row.link != 5])
    assert looked == [mine, mine]


def test_what_is_kept_takes_little_memory() -> None:
    kept, most = KeptRows(), np.arange(4 * KEPT_ROWS)
    for number in range(3 * KEPT_FILTERS):
        kept.keep(number, FewRows(most[:KEPT_ROWS], KEPT_ROWS))
    kept.keep("more", FewRows(most[: KEPT_ROWS + 1], KEPT_ROWS + 1))
    assert kept.get("more") is None
    assert kept.resident_bytes == KEPT_FILTERS * KEPT_ROWS * most.itemsize
    last = kept.get(3 * KEPT_FILTERS - 1)
    assert last is not None
    assert last.at.base is None  # the larger array isn't held


def test_threads_ask_with_more_filters_than_are_kept(tmp_path: Path) -> None:
    some, vectors = some_rows()
    rows = settled(tmp_path, some)
    filters = [Filter(1, since=float(n)) for n in range(2 * KEPT_FILTERS)]
    right = [[link for link, _ in oracle.answer(some, vectors[9], one)][:5] for one in filters]
    wrong = list[object]()

    def search(first: int) -> None:
        try:
            for number in range(first, first + 6 * len(filters)):
                which = number * 7 % len(filters)
                found = rows.search(vectors[9], filters[which], k=5).links.tolist()
                if found != right[which]:
                    wrong.append((which, found))
        except Exception as exc:
            wrong.append(exc)

    threads = [threading.Thread(target=search, args=[11 * n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
