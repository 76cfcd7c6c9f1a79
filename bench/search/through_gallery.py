"""A gallery's file: how soon it answers after a start, and while links are added and removed."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import Figure, Report, Target, spread
from bench.search.workload import CHUNK_ROWS, DIMENSION, GROUPS, K
from bench.vectors import Floats, pictures, questions
from index import EmbeddedPicture, Filter, Gallery, Group, Link, QueryEmbedding

LOAD_S = 20.0
WRITES_PER_S, QUESTIONS_PER_S, COMMITS_PER_S = 500, 50, 10


class Nothing:
    """Takes the place of a model, since the vectors are known already."""

    name, revision, dimension, side, shape, batch = "bench", "1", DIMENSION, 1, "squeeze", 1
    resample, scale, bias, languages, device = None, None, None, "english", "cpu"


async def measure(report: Report, size: int, scratch: Path, seed: int) -> None:
    """Add to the report how a gallery of `size` rows starts, and how it answers under load."""
    path = scratch / "gallery.db"
    model: Any = Nothing()
    await (await Gallery.open(path, model)).close()
    vectors = pictures(size, DIMENSION, seed)
    _fill(path, vectors)
    query = questions(size, 1, DIMENSION, seed)["text"][0]
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
    writes = questions(size, round(WRITES_PER_S * LOAD_S), DIMENSION, seed)["image"]
    asked = questions(size, 200, DIMENSION, seed)["text"]
    load = await _under_load(gallery, vectors, writes, asked)
    report.figures.update(load)
    for name in ("deleted_found", "added_missed"):
        report.targets[name] = Target(float(load[name] or 0), 0, at_least=False)
    await gallery.close()
    report.peers["start without derived files (made from SQLite), s"] = from_store
    report.peers["start, rows of SQLite into a matrix, s"] = _matrix_s(path)


def _fill(path: Path, vectors: Floats) -> None:
    """Write the rows into the file directly, since embedding them would take hours."""
    groups = np.random.default_rng(1).integers(0, GROUPS, len(vectors)).tolist()
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    group = "INSERT INTO groups (space, id, private) VALUES (1, ?, 0)"
    db.executemany(group, [(n,) for n in range(GROUPS)])
    for start in range(0, len(vectors), CHUNK_ROWS):
        numbers = range(start + 1, min(start + CHUNK_ROWS, len(vectors)) + 1)
        db.executemany(
            "INSERT INTO items (id, key, kind, width, height) VALUES (?, ?, 'image', 1, 1)",
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
    answer = await gallery.search(QueryEmbedding(query), Filter(1), k=K)
    assert len(answer.hits) == K
    return time.perf_counter() - began, gallery


def _matrix_s(path: Path) -> float:
    """The peer of a start: seconds to read all vectors from SQLite into one array, in chunks."""
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


Picture = tuple[str, Floats]  # a link's source, and its vector


@dataclass
class Load:
    """Links that are added and removed, and what questions for them find.

    A removal takes a while: some of it is done before the caller hears that it is. A link counts as
    leaving from before that on, since a question that runs meanwhile may find it or not. One that
    isn't leaving when the answer comes, and isn't in it, was missed.
    """

    added: list[Picture] = field(default_factory=list)  # and not leaving
    leaving: set[str] = field(default_factory=set)  # sources; those that are gone stay
    removed: list[Picture] = field(default_factory=list)
    writes: int = 0
    deleted_found: int = 0
    added_missed: int = 0
    left_meanwhile: int = 0  # not found, since its removal had begun when the answer came
    ms: list[float] = field(default_factory=list)

    async def add(self, gallery: Gallery, new: Sequence[Picture]) -> None:
        """Commit pictures; questions may ask for them from then on."""
        await gallery.commit(
            [
                (
                    EmbeddedPicture(source.encode(), "image", vector[None]),
                    Link(space=1, group=Group(1), source=source, slot=""),
                )
                for source, vector in new
            ]
        )
        self.added += new
        self.writes += len(new)

    async def remove(self, gallery: Gallery, gone: Sequence[Picture]) -> None:
        """Remove links; no question may find them from then on."""
        self.leaving.update(source for source, _ in gone)
        await gallery.remove_sources(1, [source for source, _ in gone])
        self.removed += gone
        self.writes += len(gone)

    async def ask_for_added(self, gallery: Gallery, one: Picture) -> None:
        """Ask for a link of `added` by its vector."""
        if not await self._found(gallery, one):
            left = one[0] in self.leaving
            self.left_meanwhile += left
            self.added_missed += not left

    async def ask_for_removed(self, gallery: Gallery, one: Picture) -> None:
        """Ask for a link of `removed` by its vector."""
        self.deleted_found += await self._found(gallery, one)

    async def _found(self, gallery: Gallery, one: Picture) -> bool:
        source, vector = one
        asked = time.perf_counter()
        answer = await gallery.search(QueryEmbedding(vector), Filter(1), k=K)
        self.ms.append((time.perf_counter() - asked) * 1000)
        return source in {hit.link.source for hit in answer.hits}


async def _under_load(
    gallery: Gallery, vectors: Floats, writes: Floats, asked: Floats
) -> dict[str, Figure]:
    idle = [await _asked_ms(gallery, query) for query in asked]
    load = Load()
    ends = time.perf_counter() + LOAD_S
    await asyncio.gather(_write(gallery, vectors, writes, load, ends), _ask(gallery, load, ends))
    return {
        "deleted_found": load.deleted_found,
        "added_missed": load.added_missed,
        "mixed load, not found since removed meanwhile": load.left_meanwhile,
        "mixed load, writes a second": load.writes / LOAD_S,
        "mixed load, questions a second": len(load.ms) / LOAD_S,
        "mixed load, p50 and p99 ms": _percentiles(load.ms),
        "idle, p50 and p99 ms": _percentiles(idle),
    }


def _percentiles(ms: Sequence[float]) -> str:
    return f"{np.percentile(ms, 50):.3g}, {np.percentile(ms, 99):.3g}"


async def _asked_ms(gallery: Gallery, query: Floats) -> float:
    began = time.perf_counter()
    await gallery.search(QueryEmbedding(query), Filter(1), k=K)
    return (time.perf_counter() - began) * 1000


async def _write(gallery: Gallery, vectors: Floats, world: Floats, load: Load, ends: float) -> None:
    """Write at a steady rate: half of the writes add a link, half remove an old or a new one."""
    random = np.random.default_rng(3)
    old = random.choice(len(vectors), 2 * len(world), replace=False).tolist()
    half = WRITES_PER_S // COMMITS_PER_S // 2
    for turn in range(round(LOAD_S * COMMITS_PER_S)):
        new = [(f"new {turn} {n}", world[turn * half + n]) for n in range(half)]
        await load.add(gallery, new)
        gone = [load.added.pop(int(random.integers(len(load.added)))) for _ in range(half // 2)]
        gone += [(str(n + 1), vectors[n]) for n in (old.pop() for _ in range(half - half // 2))]
        await load.remove(gallery, gone)
        left = ends - LOAD_S + (turn + 1) / COMMITS_PER_S - time.perf_counter()
        await asyncio.sleep(max(left, 0))
        if time.perf_counter() > ends:
            break


async def _ask(gallery: Gallery, load: Load, ends: float) -> None:
    """Ask at a steady rate, in turn for a link that is there and a removed one, by its vector."""
    random = np.random.default_rng(4)
    began, number = time.perf_counter(), 0
    while time.perf_counter() < ends:
        number += 1
        await asyncio.sleep(max(began + number / QUESTIONS_PER_S - time.perf_counter(), 0))
        known = load.added if number % 2 else load.removed
        if known:
            one = known[int(random.integers(len(known)))]
            await (load.ask_for_added if number % 2 else load.ask_for_removed)(gallery, one)
