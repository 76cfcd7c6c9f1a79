"""The engine that is measured: fills its rows, merges them, and times the steps of a question."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.search.timed import AGAIN, OURS, Timed
from bench.search.workload import Columns, K
from bench.vectors import Floats
from index.search.compaction import Compaction
from index.search.found import SAMPLED_ROWS
from index.search.interface import Found
from index.search.kernels.constants import LOWEST
from index.search.ranking import looked_at
from index.search.rows import Rows
from index.search.sizes import DEFAULT_SIZES
from index.search.view import Many, view_of
from index.types.filter import Filter
from index.types.records import Changes, Entries

WHERE = "all, where the time goes"  # the name under which times of the steps are reported


def filled(chunks: Iterable[Floats], dimension: int, columns: Columns, folder: Path) -> Rows:
    """Rows of these vectors, (n, dimension) a chunk, with all merges done that are due."""
    rows = Rows(dimension, folder=folder)
    start = 0
    for vectors in chunks:
        rows.apply(Changes(added=entries(vectors, columns, start)))
        start += len(vectors)
        if rows.unsettled >= DEFAULT_SIZES.load_rows:
            _finish(rows, rows.begin_settling(hurried=True))
    if rows.needs_settling:
        _finish(rows, rows.begin_settling(hurried=True))
    while rows.needs_compaction:
        _finish(rows, rows.begin_compaction(hurried=True))
    rows.warm()
    return rows


def _finish(rows: Rows, compaction: Compaction) -> None:
    rows.finish_compaction(compaction, compaction.build())
    rows.remove_other_files()


def entries(vectors: Floats, columns: Columns, first: int) -> Entries:
    """Rows as a store hands them over; `first` is the place of the first one in the columns."""
    count = len(vectors)
    some = slice(first, first + count)
    return Entries(
        links=np.arange(first, first + count),
        spaces=columns.spaces[some],
        groups=columns.groups[some],
        texts=np.zeros(count, np.bool_),
        owners=columns.owners[some],
        posted=columns.posted[some],
        frames=np.ones(count, np.int64),
        vectors=np.asarray(vectors),
    )


def ask(rows: Rows, filter: Filter, query: Floats) -> Found:
    """The K best rows that the filter allows, as the peers are asked for them."""
    return rows.search(query, filter, k=K, sampled=False)


def ask_first(rows: Rows, filter: Filter, query: Floats) -> Found:
    """The same, as if nobody had asked with this filter before."""
    for part in rows._now.parts:
        part.kept.clear()
    return ask(rows, filter, query)


def of_engine(rows: Rows, filter: Filter) -> dict[str, Callable[[Floats], Any]]:
    """The engine with a filter that it must make for each question, and with one that it keeps."""
    return {OURS: partial(ask_first, rows, filter), AGAIN: partial(ask, rows, filter)}


def step_times(rows: Rows, asked: dict[str, Floats]) -> Timed:
    """Times of each step of a question without a filter, in the largest segment."""
    steps: dict[str, Callable[[Floats], Any]] = {
        OURS: lambda query: rows.search(query, Filter(1), k=K)
    }
    if rows._now.parts:
        part = max(rows._now.parts, key=len)
        one, view = part.segment, view_of(part, Filter(1))
        assert isinstance(view, Many)
        places = view.sample(SAMPLED_ROWS)
        steps |= {
            "which rows may answer": lambda query: view_of(part, Filter(1)),
            "query · centroids, rotated": lambda query: (
                one.centroids @ query,
                one.rotated(query),
            ),
            "that, codes looked through, vectors ranked": lambda query: view.best(
                query, np.full(K, LOWEST, np.float32), looked_at(view, K)
            ),
            "a sample to judge by": lambda query: one.read(places),
        }
    timed = Timed({who: [] for who in steps})
    for queries in asked.values():
        for who, step in steps.items():
            timed.ask(who, step, queries)
    return timed
