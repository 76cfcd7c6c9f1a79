"""Sizes for which the peers would need more memory than there is: only the engine is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.search.rows import WHERE, ask, filled, step_times
from bench.search.timed import OURS, Timed
from bench.search.workload import DIMENSION, FILTERS, Columns, K
from bench.vectors import Floats, made
from index.search.kernels.constants import LOWEST


def answer(
    size: int, asked: dict[str, Floats], folder: Path, seed: int
) -> tuple[float, dict[str, Timed]]:
    """Resident bytes a row, and times by filter, of rows that only the engine holds."""
    columns = Columns.of(size)
    exact = Exact(columns, np.concatenate(list(asked.values())))
    rows = filled(exact.passing(made(size, DIMENSION, seed)), DIMENSION, columns, folder)
    timed = {}
    for name, limit in FILTERS.items():
        filter, _ = limit.of(columns)
        timed[name] = Timed({OURS: []})
        parts = np.split(exact.best[name], len(asked))  # in the order in which they were joined
        for (kind, queries), best in zip(asked.items(), parts, strict=True):
            found = timed[name].ask(OURS, partial(ask, rows, filter), queries)
            timed[name].recalls[kind] = [
                float(np.isin(ours.links, right).mean())
                for ours, right in zip(found, best, strict=True)
            ]
    return rows.resident_bytes / size, timed | {WHERE: step_times(rows, asked)}


class Exact:
    """The exact best rows of each filter for many questions, found while the vectors are made."""

    def __init__(self, columns: Columns, queries: Floats) -> None:
        self._queries = queries
        self._mine = {name: limit.of(columns)[1] for name, limit in FILTERS.items()}
        self._scores = {name: np.full((len(queries), K), LOWEST, np.float32) for name in FILTERS}
        self.best = {name: np.full((len(queries), K), -1) for name in FILTERS}  # rows

    def passing(self, chunks: Iterable[Floats]) -> Iterator[Floats]:
        start = 0
        for vectors in chunks:
            scores = self._queries @ vectors.T
            for name, mine in self._mine.items():
                rows = start + np.flatnonzero(mine[start : start + len(vectors)])
                self._take(name, rows, scores[:, rows - start])
            start += len(vectors)
            yield vectors

    def _take(self, name: str, rows: NDArray[np.int64], scores: Floats) -> None:
        among = np.hstack([self._scores[name], scores])
        which = np.hstack([self.best[name], np.broadcast_to(rows, scores.shape)])
        top = np.argpartition(-among, K - 1, axis=1)[:, :K]
        self._scores[name] = np.take_along_axis(among, top, axis=1)
        self.best[name] = np.take_along_axis(which, top, axis=1)
