"""The engine beside faiss Flat, numpy, USearch and sqlite-vec, which are asked in turn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.search import graph
from bench.search.rows import WHERE, filled, of_engine, step_times
from bench.search.timed import AGAIN, MADE, OURS, Timed
from bench.search.workload import CHUNK_ROWS, FILTERS, QUESTIONS, Columns, K
from bench.vectors import Floats
from index.search.interface import Found

SLOW_ROWS = 100_000  # up to this size the slower peers are asked too
IN_A_ROW = 8
ENOUGH_RECALL = 0.99
FIRST_EXPANSION, LAST_EXPANSION = 64, 16_384  # of USearch: how many candidates it keeps on its way

Answer: TypeAlias = Callable[[Floats], Any]


def compare(
    vectors: Floats, asked: dict[str, Floats], folder: Path
) -> tuple[float, dict[str, Timed]]:
    """Resident bytes a row of the engine, and the times by filter."""
    size, dimension = vectors.shape
    columns = Columns.of(size)
    chunks = (vectors[start : start + CHUNK_ROWS] for start in range(0, size, CHUNK_ROWS))
    rows = filled(chunks, dimension, columns, folder)
    flat = flat_of(vectors)
    timed = {}
    for name, limit in FILTERS.items():
        filter, mine = limit.of(columns)
        answers: dict[str, Answer] = of_engine(rows, filter)
        if mine.all() and size <= SLOW_ROWS:
            answers |= _slow_peers(vectors, asked)
        answers["numpy"] = partial(_numpy, vectors, np.flatnonzero(mine))
        answers |= of_faiss(flat, mine, partial(limit.mask, columns))
        timed[name] = Timed({who: [] for who in answers})
        for kind, queries in asked.items():
            for start in range(0, QUESTIONS, IN_A_ROW):
                in_turn(timed[name], answers, vectors, mine, kind, queries[start:][:IN_A_ROW])
        timed[name].keep_fastest("faiss")
    return rows.resident_bytes / size, timed | {WHERE: step_times(rows, asked)}


def in_turn(
    timed: Timed,
    answers: dict[str, Answer],
    vectors: Floats,
    mine: NDArray[np.bool_],
    kind: str,
    queries: Floats,
) -> None:
    """Ask the engine and each peer the same few questions, in turn, and note what they find.

    answers   by name; "faiss 0" compares everything that the filter allows, so it is right
    mine      (rows,) which rows the filter allows
    """
    found = {who: timed.ask(who, answer, queries) for who, answer in answers.items()}
    some = min(K, int(np.count_nonzero(mine)))
    for number, query in enumerate(queries):
        least = found["faiss 0"][number][0][0, some - 1] - 1e-6
        for who, answered in found.items():
            links = _links(answered[number])[:K]
            right = np.count_nonzero((vectors[links] @ query >= least) & mine[links]) / some
            kinds = (
                timed.recalls if who in (OURS, AGAIN) else timed.peer_recalls.setdefault(who, {})
            )
            kinds.setdefault(kind, []).append(float(right))


def _links(found: Any) -> NDArray[np.int64]:
    """The rows that an answer names, whoever gave it."""
    if isinstance(found, Found):
        return found.links
    if isinstance(found, tuple):  # of faiss: fewer than were wanted end with -1
        found = found[1][found[1] >= 0]
    links: NDArray[np.int64] = np.asarray(found).reshape(-1).astype(np.int64)
    return links


def flat_of(vectors: Floats) -> Any:
    """faiss's index that compares everything, on one thread."""
    import faiss

    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    for start in range(0, len(vectors), CHUNK_ROWS):
        flat.add(np.ascontiguousarray(vectors[start : start + CHUNK_ROWS]))
    return flat


def of_faiss(
    flat: Any, mine: NDArray[np.bool_], made: Callable[[], NDArray[np.bool_]]
) -> dict[str, Answer]:
    """faiss with each kind of filter, ready-made; and with the quickest one, made by the question
    as the engine makes its own.

    made   what makes the mask of allowed rows from the columns
    """
    answers: dict[str, Answer] = {
        f"faiss {number}": partial(_faiss, flat, parameters)
        for number, parameters in enumerate(_selectors(mine))
    }
    if not mine.all():
        answers[MADE] = lambda query: _faiss(flat, _only(np.flatnonzero(made())), query)
    return answers


def of_usearch(
    hnsw: Any, vectors: Any, mine: NDArray[np.bool_], asked: dict[str, Floats]
) -> tuple[Answer, int]:
    """USearch, tuned until it finds enough, and how many candidates it keeps on its way then.

    Its Python interface takes no filter. So with one it is asked for all of its candidates, of
    which those that are allowed are kept.

    asked   the questions that it is asked later, by kind
    """
    ids, expansion = np.flatnonzero(mine), FIRST_EXPANSION
    tuning = np.concatenate(list(asked.values()))
    right = ids[np.argsort(-(tuning @ vectors[ids].T), axis=1)[:, :K]]
    while True:
        hnsw.expansion_search = expansion
        answer = partial(_usearch, hnsw, mine, K if mine.all() else expansion)
        found = [
            np.isin(best, answer(query)).mean() for best, query in zip(right, tuning, strict=True)
        ]
        if np.mean(found) >= ENOUGH_RECALL or expansion >= LAST_EXPANSION:
            return answer, expansion
        expansion *= 2


def _usearch(hnsw: Any, mine: NDArray[np.bool_], count: int, query: Floats) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = hnsw.search(query, count, threads=1).keys.astype(np.int64)
    return keys[mine[keys]][:K]


def _faiss(flat: Any, parameters: Any, query: Floats) -> Any:
    return flat.search(query[None], K, params=parameters)


def _selectors(mine: NDArray[np.bool_]) -> list[Any]:
    """faiss's kinds of filter, a set of numbers, a bitmap, and numbers in a row, of which it reads
    no others; None if all rows are allowed."""
    import faiss

    if mine.all():
        return [None]
    library: Any = faiss  # its types lack the methods that its Python layer adds
    bits, ids = np.packbits(mine, bitorder="little"), np.flatnonzero(mine)
    of_bits, of_ids = library.IDSelectorBitmap(bits), library.IDSelectorBatch(ids)
    return [*(library.SearchParameters(sel=selector) for selector in (of_ids, of_bits)), _only(ids)]


def _only(ids: NDArray[np.int64]) -> Any:
    """faiss's filter of these rows."""
    import faiss

    library: Any = faiss
    return library.SearchParameters(sel=library.IDSelectorArray(ids))


def _numpy(vectors: Floats, ids: Any, query: Floats) -> Any:
    scores = vectors @ query if len(ids) == len(vectors) else (vectors @ query)[ids]
    best = np.argpartition(-scores, min(K, len(ids)) - 1)[:K]
    return ids[best[np.argsort(-scores[best])]]


def _slow_peers(vectors: Floats, asked: dict[str, Floats]) -> dict[str, Answer]:
    """USearch, tuned, and sqlite-vec, for questions without a filter."""
    import apsw
    import sqlite_vec

    size, dimension = vectors.shape
    hnsw = graph.made(vectors)
    everything = np.ones(size, np.bool_)
    tuned, expansion = of_usearch(hnsw, vectors, everything, asked)
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
        f"usearch, expansion {expansion},": tuned,
        "sqlite-vec": lambda query: list(db.execute(nearest, (query.tobytes(), K))),
    }
