"""Questions of 10⁴ to 10⁶ rows beside faiss Flat and numpy, with the same filter, on one core.

BENCH_ROWS (as 10000,100000) chooses the sizes, BENCH_SEED another world of vectors, and `--plot
docs/search.svg` measures from 10³ to 10⁷ and draws how the time grows: most of an hour, with 45 GB
of disk. The engine and the peers are asked in turn, a few questions each, in time of the processor,
so that their ratio holds on a noisy machine. faiss is given its filter ready made, and of its two
kinds of filter the faster counts; the engine's time includes making its own. Recall counts against
faiss Flat, which compares everything. Up to 100,000 rows USearch (HNSW) and sqlite-vec answer too.
Of 10⁷ rows, which take the peers more memory than there is, the engine is asked alone; the right
answers are found while the vectors are made. The same is asked of real vectors: the pocket model's,
of the demo's pictures and of parts of them.

At 1,000,000 rows they also go through a gallery's file: a start from the derived files beside one
from SQLite, and questions while 500 links a second come and go.
"""

from __future__ import annotations

import asyncio
import math
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

# Before numpy comes: its library takes as many threads as it sees cores then.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from bench.report import Figure, Report, Target, spread
from bench.vectors import Floats, made, pictures, questions, real
from index import Gallery, Group, Link
from index.query import QueryEmbedding
from index.records import Changes, EmbeddedPicture, Entries
from index.search import LOAD_ROWS, SAMPLED_ROWS, Found, Rows, looked_at
from index.segment import LOWEST, Filter, View

SIZES = (10_000, 100_000, 1_000_000)
PLOTTED = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
SLOW_ROWS = 100_000  # up to so many the slower peers are asked too
LOADED_ROWS = 1_000_000  # this size also through a gallery's file
ALONE_ROWS = 10_000_000  # from this size on without peers
DIMENSION = 512
QUESTIONS = 32  # of each kind
IN_A_ROW = 8
K = 10
GROUPS, OWNERS = 1000, 100


@dataclass(frozen=True)
class Limit:
    """What a question is limited to, with the engine's own words for it."""

    groups: float = 1.0  # share of the groups, which are scattered
    asked: dict[str, Any] = field(default_factory=dict)

    def of(self, columns: Columns) -> tuple[dict[str, Any], NDArray[np.bool_]]:
        """Arguments of a search, and which rows they allow."""
        count = round(self.groups * GROUPS)
        chosen = np.random.default_rng(5).choice(GROUPS, count, replace=False)
        mine = np.isin(columns.groups, chosen)
        if "owner" in self.asked:
            mine &= columns.owners == self.asked["owner"]
        posted = columns.posted
        mine &= (posted >= self.asked.get("since", 0)) & (posted < self.asked.get("until", 2))
        groups = None if count == GROUPS else set(chosen.tolist())
        return {"groups": groups, **self.asked}, mine


@dataclass(frozen=True)
class Columns:
    """What is known of each row beside its vector."""

    groups: NDArray[np.int64]
    owners: NDArray[np.int64]
    posted: NDArray[np.float64]  # in the order of the rows, from 0 to 1

    @classmethod
    def of(cls, rows: int) -> Columns:
        random = np.random.default_rng(1)
        groups, owners = random.integers(0, GROUPS, rows), random.integers(0, OWNERS, rows)
        return cls(groups, owners, np.arange(rows) / rows)


FILTERS = {
    "all": Limit(),
    "30%": Limit(0.3),
    "1%": Limit(0.01),
    "one owner, 1%": Limit(asked={"owner": 7}),
    "some days, 10%": Limit(asked={"since": 0.5, "until": 0.6}),
    "30%, owner, days": Limit(0.3, {"owner": 7, "since": 0.25}),
}
TARGETS = {
    "10k_speedup": (10_000, "all", 1.3),
    "100k_speedup": (100_000, "all", 12.0),
    "1m_speedup": (1_000_000, "all", 20.0),
    "1m_30_speedup": (1_000_000, "30%", 20.0),
    "1m_1_speedup": (1_000_000, "1%", 5.0),
}
WHERE = "all, where the time goes"
CHUNK_ROWS = 20_000
LOAD_S = 20.0
WRITES_PER_S, QUESTIONS_PER_S, COMMITS_PER_S = 500, 50, 10


@dataclass
class Timed:
    """Seconds of each question, by who answered it, and how many of the right hits were found."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    recalls: dict[str, list[float]] = field(default_factory=dict)  # by kind of question
    elapsed: dict[str, list[float]] = field(default_factory=dict)  # with waiting for the disk

    def ask(self, who: str, answer: Callable[[Floats], Any], queries: Floats) -> list[Any]:
        """The answers, one after the other, the first question once before the clock runs."""
        answer(queries[0])
        answers = []
        for query in queries:
            began, began_at = time.thread_time(), time.perf_counter()
            answers.append(answer(query))
            self.seconds[who].append(time.thread_time() - began)
            self.elapsed.setdefault(who, []).append(time.perf_counter() - began_at)
        return answers

    def ms(self, who: str) -> list[float]:
        return [1000 * seconds for seconds in self.seconds[who]]

    def ratio(self, peer: str) -> float:
        pairs = zip(self.seconds[peer], self.seconds["magpie"], strict=True)
        return statistics.median(theirs / ours for theirs, ours in pairs)

    @property
    def peers(self) -> list[str]:
        return [who for who in self.seconds if who != "magpie" and not who.startswith("faiss ")]

    @property
    def recall(self) -> float:
        return min(statistics.mean(found) for found in self.recalls.values())


def run() -> Report:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    plot = os.environ.get("BENCH_PLOT", "")
    asked = [int(size) for size in os.environ.get("BENCH_ROWS", "").split(",") if size]
    sizes = asked or list(PLOTTED if plot else SIZES)
    report = Report({}, {}, {})
    measured: dict[int, dict[str, Timed]] = {}
    with tempfile.TemporaryDirectory(dir=_scratch()) as scratch:
        for size in sizes:
            questions_, folder = questions(size, QUESTIONS, DIMENSION), Path(scratch) / str(size)
            if size >= ALONE_ROWS:
                held, measured[size] = _alone(size, questions_, folder)
            else:
                held, measured[size] = _compare(pictures(size, DIMENSION), questions_, folder)
            _tell(report, str(size), held, measured[size])
        recalls = [
            timed.recall for one in measured.values() for timed in one.values() if timed.recalls
        ]
        for target, (size, name, least) in TARGETS.items():
            if size in measured:
                report.figures[target] = measured[size][name].ratio("faiss")
                report.targets[target] = Target(measured[size][name].ratio("faiss"), least)
        held_real, timed_real = _compare(*real(QUESTIONS), Path(scratch) / "real")
        _tell(report, "pocket model's", held_real, timed_real)
        recalls += [timed.recall for timed in timed_real.values() if timed.recalls]
        report.figures["worst_recall@10"] = min(recalls)
        report.targets["worst_recall@10"] = Target(min(recalls), 0.99)
        if LOADED_ROWS in measured:
            asyncio.run(_through_a_gallery(report, LOADED_ROWS, Path(scratch)))
    if plot:
        Path(plot).write_text(_drawn(measured), "utf-8")
    return report


def _tell(report: Report, of: str, held: float, timed: dict[str, Timed]) -> None:
    report.figures[f"{of}, resident bytes a row"] = held
    if of == str(LOADED_ROWS):
        report.figures["resident_bytes"] = held
        report.targets["resident_bytes"] = Target(held, 160, at_least=False)
    for name, times in timed.items():
        if name == WHERE:
            for step in times.seconds:
                report.figures[f"{of}, {name}: {step}, ms"] = spread(times.ms(step))
            continue
        report.figures[f"{of}, {name}, ms"] = spread(times.ms("magpie"))
        report.figures[f"{of}, {name}, recall@10"] = times.recall
        if not times.peers:
            waited = spread([1000 * seconds for seconds in times.elapsed["magpie"]])
            report.figures[f"{of}, {name}, ms with waiting for the disk"] = waited
        if not times.peers:
            waited = spread([1000 * seconds for seconds in times.elapsed["magpie"]])
            report.figures[f"{of}, {name}, ms with waiting for the disk"] = waited
        if not times.peers:
            waited = spread([1000 * seconds for seconds in times.elapsed["magpie"]])
            report.figures[f"{of}, {name}, ms with waiting for the disk"] = waited
        if not times.peers:
            waited = spread([1000 * seconds for seconds in times.elapsed["magpie"]])
            report.figures[f"{of}, {name}, ms with waiting for the disk"] = waited
        for peer in times.peers:
            ratio = f"{spread(times.ms(peer))} × {times.ratio(peer):.3g}"
            report.peers[f"{of}, {name}, {peer} ms (× ours)"] = ratio


def _scratch() -> Path:
    folder = Path(__file__).resolve().parent.parent / "build"
    folder.mkdir(exist_ok=True)
    return folder


# ---- beside the peers


def _compare(
    vectors: Floats, asked: dict[str, Floats], folder: Path
) -> tuple[float, dict[str, Timed]]:
    """Resident bytes a row, and the times by filter."""
    import faiss

    faiss.omp_set_num_threads(1)
    size, dimension = vectors.shape
    columns = Columns.of(size)
    chunks = (vectors[start : start + CHUNK_ROWS] for start in range(0, size, CHUNK_ROWS))
    rows = _rows(chunks, dimension, columns, folder)
    flat = faiss.IndexFlatIP(dimension)
    for start in range(0, size, CHUNK_ROWS):
        flat.add(np.ascontiguousarray(vectors[start : start + CHUNK_ROWS]))
    timed = {}
    for name, limit in FILTERS.items():
        arguments, mine = limit.of(columns)
        slow = _slow_peers(vectors) if mine.all() and size <= SLOW_ROWS else {}
        timed[name] = _in_turn(rows, flat, vectors, arguments, mine, asked, slow)
    return rows.resident_bytes / size, timed | {WHERE: _where(rows, asked)}


def _where(rows: Rows, asked: dict[str, Floats]) -> Timed:
    """The steps of an unlimited question, each by itself, where the largest segment answers it."""
    steps: dict[str, Callable[[Floats], Any]] = {
        "magpie": lambda query: rows.search(query, space=1, groups=None, k=K)
    }
    if rows._now.parts:
        part = max(rows._now.parts, key=len)
        one, view = part.segment, View.of(part, Filter(1))
        places = view.sample(SAMPLED_ROWS)
        steps |= {
            "which rows may answer": lambda query: View.of(part, Filter(1)),
            "query · centroids, rotated": lambda query: (
                one.centroids @ query,
                one.rotation @ query,
            ),
            "that, codes looked through, vectors ranked": lambda query: view.best(
                query, np.full(K, LOWEST, np.float32), looked_at(view, K)
            ),
            "whether the best stands out": lambda query: one.scores(places, query),
        }
    timed = Timed({who: [] for who in steps})
    for queries in asked.values():
        for who, step in steps.items():
            timed.ask(who, step, queries)
    return timed


def _slow_peers(vectors: Floats) -> dict[str, Callable[[Floats], Any]]:
    """Without a filter only: HNSW would lose its recall with one."""
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


def _rows(chunks: Iterable[Floats], dimension: int, columns: Columns, folder: Path) -> Rows:
    rows = Rows(dimension, folder=folder)
    start = 0
    for vectors in chunks:
        rows.apply(Changes(added=_entries(vectors, columns, start)))
        start += len(vectors)
        if rows.recent >= LOAD_ROWS:
            _settle(rows, alone=True)
    while rows.due:
        _settle(rows)
    rows.warm()
    return rows


def _settle(rows: Rows, *, alone: bool = False) -> None:
    merge = rows.begin(hurried=True, alone=alone)
    rows.finish(merge, merge.build())
    rows.discard_others()


def _entries(vectors: Floats, columns: Columns, first: int) -> Entries:
    count = len(vectors)
    some = slice(first, first + count)
    return Entries(
        links=np.arange(first, first + count),
        spaces=np.ones(count, np.int64),
        groups=columns.groups[some],
        texts=np.zeros(count, np.bool_),
        owners=columns.owners[some],
        posted=columns.posted[some],
        frames=np.ones(count, np.int64),
        vectors=np.asarray(vectors),
    )


class Exact:
    """The best rows of each limit for many questions at once, while the vectors pass."""

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


def _alone(size: int, asked: dict[str, Floats], folder: Path) -> tuple[float, dict[str, Timed]]:
    """Resident bytes a row, and the times by filter, of rows that only the engine keeps."""
    columns = Columns.of(size)
    exact = Exact(columns, np.concatenate(list(asked.values())))
    rows = _rows(exact.passing(made(size, DIMENSION)), DIMENSION, columns, folder)
    timed = {}
    for name, limit in FILTERS.items():
        arguments, _ = limit.of(columns)
        timed[name] = Timed({"magpie": []})
        parts = np.split(exact.best[name], len(asked))  # as they were put together
        for (kind, queries), best in zip(asked.items(), parts, strict=True):
            found = timed[name].ask("magpie", partial(_ours, rows, arguments), queries)
            timed[name].recalls[kind] = [
                float(np.isin(ours.links, right).mean())
                for ours, right in zip(found, best, strict=True)
            ]
    return rows.resident_bytes / size, timed | {WHERE: _where(rows, asked)}


def _ours(rows: Rows, arguments: dict[str, Any], query: Floats) -> Found:
    return rows.search(query, space=1, k=K, **arguments)


def _in_turn(
    rows: Rows,
    flat: Any,
    vectors: Floats,
    arguments: dict[str, Any],
    mine: Any,
    asked: dict[str, Floats],
    slow: dict[str, Callable[[Floats], Any]],
) -> Timed:
    """A few questions to one, the same to the next, and so on."""
    ids = np.flatnonzero(mine)
    answers: dict[str, Callable[[Floats], Any]] = {
        "magpie": partial(_ours, rows, arguments),
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
    """faiss's filters: by a set of numbers, by a bitmap; none when everything is allowed."""
    import faiss

    if mine.all():
        return [None]
    library: Any = faiss  # its types miss what its classes are given by its Python side
    bits = np.packbits(mine, bitorder="little")
    selectors = [library.IDSelectorBatch(np.flatnonzero(mine)), library.IDSelectorBitmap(bits)]
    return [library.SearchParameters(sel=selector) for selector in selectors]


def _numpy(vectors: Floats, ids: Any, query: Floats) -> Any:
    scores = vectors @ query if len(ids) == len(vectors) else (vectors @ query)[ids]
    best = np.argpartition(-scores, min(K, len(ids)) - 1)[:K]
    return ids[best[np.argsort(-scores[best])]]


# ---- through a gallery's file


class Nothing:
    """Stands where a model would: the vectors are here already."""

    name, revision, dimension, side, shape, batch = "bench", "1", DIMENSION, 1, "squeeze", 1


async def _through_a_gallery(report: Report, size: int, scratch: Path) -> None:
    path = scratch / "gallery.db"
    model: Any = Nothing()
    await (await Gallery.open(path, model)).close()
    vectors = pictures(size, DIMENSION)
    _fill(path, vectors)
    query = questions(size, 1, DIMENSION)["text"][0]
    from_store, gallery = await _first_answer(path, model, query)
    await gallery.close()
    starts = []
    for _ in range(3):
        seconds, gallery = await _first_answer(path, model, query)
        starts.append(seconds)
        if len(starts) < 3:
            await gallery.close()
    report.figures["start, first answer from derived files, s"] = spread(starts)
    report.figures["first_answer_s"] = statistics.median(starts)
    report.targets["first_answer_s"] = Target(statistics.median(starts), 0.5, at_least=False)
    load = await _under_load(gallery, vectors, questions(size, 200, DIMENSION)["text"])
    report.figures.update(load)
    for name in ("deleted_found", "added_missed"):
        report.targets[name] = Target(float(load[name] or 0), 0, at_least=False)
    await gallery.close()
    report.peers["start without derived files (made from SQLite), s"] = from_store
    report.peers["start, rows of SQLite into a matrix, s"] = _matrix_s(path)


def _fill(path: Path, vectors: Floats) -> None:
    """The rows as a gallery keeps them, without the hours that embedding them would take."""
    groups = np.random.default_rng(1).integers(0, GROUPS, len(vectors)).tolist()
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    group = "INSERT INTO groups (space, id, private) VALUES (1, ?, 0)"
    db.executemany(group, [(n,) for n in range(GROUPS)])
    for start in range(0, len(vectors), CHUNK_ROWS):
        numbers = range(start + 1, min(start + CHUNK_ROWS, len(vectors)) + 1)
        db.executemany(
            "INSERT INTO items VALUES (?, ?, 'image', 1, 1, NULL)",
            [(n, n.to_bytes(8, "little")) for n in numbers],
        )
        db.executemany(
            "INSERT INTO embeddings VALUES (?, ?)", [(n, vectors[n - 1].tobytes()) for n in numbers]
        )
        db.executemany(
            """INSERT INTO links (id, space, group_id, source, slot, item, owner, posted_at, name,
            spoiler, details) VALUES (?, 1, ?, ?, '', ?, 0, 0, '', 0, '{}')""",
            [(n, groups[n - 1], str(n), n) for n in numbers],
        )
        db.commit()
    db.close()


async def _first_answer(path: Path, model: Any, query: Floats) -> tuple[float, Gallery]:
    began = time.perf_counter()
    gallery = await Gallery.open(path, model)
    answer = await gallery.search(QueryEmbedding(query, None), space=1, groups=None, k=K)
    assert len(answer.hits) == K
    return time.perf_counter() - began, gallery


def _matrix_s(path: Path) -> float:
    """The peer of a start: all vectors out of SQLite into one array, in chunks."""
    began = time.perf_counter()
    db = sqlite3.connect(path)
    ((count,),) = db.execute("SELECT COUNT(*) FROM embeddings")
    matrix = np.empty((count, DIMENSION), np.float32)
    cursor = db.execute("SELECT vectors FROM links JOIN embeddings ON embeddings.item = links.item")
    filled = 0
    while rows := cursor.fetchmany(4096):
        chunk = np.frombuffer(b"".join(blob for (blob,) in rows), np.float32)
        matrix[filled : filled + len(rows)] = chunk.reshape(len(rows), DIMENSION)
        filled += len(rows)
    db.close()
    return time.perf_counter() - began


@dataclass
class Load:
    """Links that came and went, and what questions for them found."""

    added: list[tuple[str, Floats]] = field(default_factory=list)
    removed: list[tuple[str, Floats]] = field(default_factory=list)
    writes: int = 0
    deleted_found: int = 0
    added_missed: int = 0
    ms: list[float] = field(default_factory=list)


async def _under_load(gallery: Gallery, vectors: Floats, asked: Floats) -> dict[str, Figure]:
    idle = [await _asked_ms(gallery, query) for query in asked]
    load = Load()
    ends = time.perf_counter() + LOAD_S
    await asyncio.gather(_write(gallery, vectors, load, ends), _ask(gallery, load, ends))
    return {
        "deleted_found": load.deleted_found,
        "added_missed": load.added_missed,
        "mixed load, writes a second": load.writes / LOAD_S,
        "mixed load, questions a second": len(load.ms) / LOAD_S,
        "mixed load, p50 and p99 ms": _percentiles(load.ms),
        "idle, p50 and p99 ms": _percentiles(idle),
    }


def _percentiles(ms: Sequence[float]) -> str:
    return f"{np.percentile(ms, 50):.3g}, {np.percentile(ms, 99):.3g}"


async def _asked_ms(gallery: Gallery, query: Floats) -> float:
    began = time.perf_counter()
    await gallery.search(QueryEmbedding(query, None), space=1, groups=None, k=K)
    return (time.perf_counter() - began) * 1000


async def _write(gallery: Gallery, vectors: Floats, load: Load, ends: float) -> None:
    """Half of the writes add a link, half remove an old or a new one."""
    random = np.random.default_rng(3)
    world = questions(len(vectors), round(WRITES_PER_S * LOAD_S), DIMENSION)["image"]
    old = random.choice(len(vectors), 2 * len(world), replace=False).tolist()
    half = WRITES_PER_S // COMMITS_PER_S // 2
    for turn in range(round(LOAD_S * COMMITS_PER_S)):
        new = [(f"new {turn} {n}", world[turn * half + n]) for n in range(half)]
        await gallery.commit(
            [
                (
                    EmbeddedPicture(source.encode(), "image", vector[None]),
                    Link(space=1, group=Group(1), source=source, slot=""),
                )
                for source, vector in new
            ]
        )
        load.added += new
        gone = [load.added.pop(int(random.integers(len(load.added)))) for _ in range(half // 2)]
        gone += [(str(n + 1), vectors[n]) for n in (old.pop() for _ in range(half - half // 2))]
        await gallery.remove_sources(1, [source for source, _ in gone])
        load.removed += gone
        load.writes += 2 * half
        left = ends - LOAD_S + (turn + 1) / COMMITS_PER_S - time.perf_counter()
        await asyncio.sleep(max(left, 0))
        if time.perf_counter() > ends:
            break


async def _ask(gallery: Gallery, load: Load, ends: float) -> None:
    """In turn for a link that is there and for one that is gone, by its own vector."""
    random = np.random.default_rng(4)
    began, number = time.perf_counter(), 0
    while time.perf_counter() < ends:
        number += 1
        await asyncio.sleep(max(began + number / QUESTIONS_PER_S - time.perf_counter(), 0))
        known = load.added if number % 2 else load.removed
        if not known:
            continue
        source, vector = known[int(random.integers(len(known)))]
        asked = time.perf_counter()
        answer = await gallery.search(QueryEmbedding(vector, None), space=1, groups=None, k=K)
        load.ms.append((time.perf_counter() - asked) * 1000)
        found = source in {hit.link.source for hit in answer.hits}
        gone = any(source == other for other, _ in load.removed)
        load.deleted_found += found and number % 2 == 0
        load.added_missed += not found and not gone and number % 2 == 1


# ---- the plot

WIDE, HIGH, EDGE = 720, 400, 60
LINES = {
    ("magpie", "all"): "#4c6ef5",
    ("magpie", "1%"): "#12b886",
    ("faiss", "all"): "#e64980",
    ("faiss", "1%"): "#f59f00",
}


def _drawn(measured: dict[int, dict[str, Timed]]) -> str:
    """Milliseconds of a question over the number of rows, both in powers of ten, as an SVG."""
    lines = {
        (who, name): {
            size: statistics.median(one[name].ms(who))
            for size, one in measured.items()
            if who in one[name].seconds
        }
        for who, name in LINES
    }
    rows = [math.log10(size) for size in measured]
    times = [math.log10(ms) for line in lines.values() for ms in line.values()]
    left, right = math.floor(min(rows)), max(math.ceil(max(rows)), math.floor(min(rows)) + 1)
    low, high = math.floor(min(times)), math.ceil(max(times))

    def at(size: float, ms: float) -> str:
        x = EDGE + (math.log10(size) - left) / (right - left) * (WIDE - 3 * EDGE)
        y = HIGH - EDGE - (math.log10(ms) - low) / (high - low) * (HIGH - 1.5 * EDGE)
        return f"{x:.0f},{y:.0f}"

    parts = [f'<rect width="{WIDE}" height="{HIGH}" fill="white"/>']
    parts.append('<text x="60" y="18">ms of a question (median, one core) over rows of 512</text>')
    for power in range(low, high + 1):
        begin, end = at(10**left, 10**power), at(10**right, 10**power)
        parts.append(f'<polyline points="{begin} {end}" stroke="#dee2e6"/>')
        parts.append(f'<text x="8" y="{begin.split(",")[1]}">{10.0**power:g}</text>')
    for power in range(left, right + 1):
        x, y = at(10**power, 10**low).split(",")
        parts.append(f'<text x="{x}" y="{int(y) + 20}">{10**power:,}</text>')
    for (who, name), colour in LINES.items():
        points = lines[who, name]
        path = " ".join(at(size, ms) for size, ms in points.items())
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = at(max(points), points[max(points)]).split(",")
        title = "faiss Flat" if who == "faiss" else who
        parts.append(f'<text x="{int(x) + 6}" y="{y}" fill="{colour}">{title}, {name}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{HIGH}" '
        f'font-family="sans-serif" font-size="12">{"".join(parts)}</svg>\n'
    )
