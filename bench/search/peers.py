"""The engine beside faiss Flat, numpy, USearch and sqlite-vec, which are asked in turn."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.search.rows import WHERE, ask, filled, step_times
from bench.search.timed import Timed
from bench.search.workload import CHUNK_ROWS, FILTERS, QUESTIONS, Columns, K
from bench.vectors import Floats
from index.search.rows import Rows
from index.types.filter import Filter

SLOW_ROWS = 100_000  # up to this size the slower peers are asked too
IN_A_ROW = 8


def compare(
    vectors: Floats, asked: dict[str, Floats], folder: Path
) -> tuple[float, dict[str, Timed]]:
    """Resident bytes a row of the engine, and the times by filter."""
    import faiss

    faiss.omp_set_num_threads(1)
    size, dimension = vectors.shape
    columns = Columns.of(size)
    chunks = (vectors[start : start + CHUNK_ROWS] for start in range(0, size, CHUNK_ROWS))
    rows = filled(chunks, dimension, columns, folder)
    flat = faiss.IndexFlatIP(dimension)
    for start in range(0, size, CHUNK_ROWS):
        flat.add(np.ascontiguousarray(vectors[start : start + CHUNK_ROWS]))
    timed = {}
    for name, limit in FILTERS.items():
        filter, mine = limit.of(columns)
        slow = _slow_peers(vectors) if mine.all() and size <= SLOW_ROWS else {}
        timed[name] = _in_turn(rows, flat, vectors, filter, mine, asked, slow)
    return rows.resident_bytes / size, timed | {WHERE: step_times(rows, asked)}


def _in_turn(
    rows: Rows,
    flat: Any,
    vectors: Floats,
    filter: Filter,
    mine: Any,
    asked: dict[str, Floats],
    slow: dict[str, Callable[[Floats], Any]],
) -> Timed:
    """Ask the engine and each peer the same few questions, in turn, until all are asked."""
    ids = np.flatnonzero(mine)
    answers: dict[str, Callable[[Floats], Any]] = {
        "magpie": partial(ask, rows, filter),
        "numpy": lambda query: _numpy(vectors, ids, query),
        **slow,
    }
    for number, parameters in enumerate(_selectors(mine)):
        answers[f"faiss {number}"] = partial(_faiss, flat, parameters)
    timed = Timed({who: [] for who in answers})
    for kind, queries in asked.items():
        for start in range(0, QUESTIONS, IN_A_ROW):
            few = queries[start : start + IN_A_ROW]
            found = {who: timed.ask(who, answer, few) for who, answer in answers.items()}
            for query, ours, (scores, _) in zip(
                few, found["magpie"], found["faiss 0"], strict=True
            ):
                some = min(K, len(ids))
                near = vectors[ours.links] @ query >= scores[0, some - 1] - 1e-6
                right = np.count_nonzero(near & mine[ours.links])
                timed.recalls.setdefault(kind, []).append(float(right) / some)
    fastest = min(
        (who for who in answers if who.startswith("faiss")),
        key=lambda who: statistics.median(timed.seconds[who]),
    )
    timed.seconds["faiss"] = timed.seconds[fastest]
    return timed


def _faiss(flat: Any, parameters: Any, query: Floats) -> Any:
    return flat.search(query[None], K, params=parameters)


def _selectors(mine: Any) -> list[Any]:
    """faiss's two kinds of filter, a set of numbers and a bitmap; None if all rows are allowed."""
    import faiss

    if mine.all():
        return [None]
    library: Any = faiss  # its types lack the methods that its Python layer adds
    bits = np.packbits(mine, bitorder="little")
    selectors = [library.IDSelectorBatch(np.flatnonzero(mine)), library.IDSelectorBitmap(bits)]
    return [library.SearchParameters(sel=selector) for selector in selectors]


def _numpy(vectors: Floats, ids: Any, query: Floats) -> Any:
    scores = vectors @ query if len(ids) == len(vectors) else (vectors @ query)[ids]
    best = np.argpartition(-scores, min(K, len(ids)) - 1)[:K]
    return ids[best[np.argsort(-scores[best])]]


def _slow_peers(vectors: Floats) -> dict[str, Callable[[Floats], Any]]:
    """USearch and sqlite-vec, for questions without a filter, with which HNSW would lose recall."""
    import apsw
    import sqlite_vec
    from usearch.index import Index

    size, dimension = vectors.shape
    hnsw = Index(ndim=dimension, metric="ip", dtype="f32")
    hnsw.add(np.arange(size), np.asarray(vectors), threads=1)
    db = apsw.Connection(":memory:")
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    db.execute(f"CREATE VIRTUAL TABLE v USING vec0(x float[{dimension}] distance_metric=cosine)")
    with db:
        db.executemany(
            "INSERT INTO v (rowid, x) VALUES (?, ?)",
            ((n, vectors[n].tobytes()) for n in range(size)),
        )
    nearest = "SELECT rowid FROM v WHERE x MATCH ? AND k = ?"
    return {
        "usearch": lambda query: hnsw.search(query, K, threads=1),
        "sqlite-vec": lambda query: list(db.execute(nearest, (query.tobytes(), K))),
    }
