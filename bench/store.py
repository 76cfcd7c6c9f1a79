"""PostgreSQL beside SQLite: the same questions and writes in one run.

A gallery of 500,000 pictures in 200 Discord servers of very unequal size (Zipf) is kept in a file
and in a database of a PostgreSQL that this bench starts. Both are filled as the bot does it, by
commits. Then the same questions are asked in turn, as `Gallery.search` answers them, with the hits
read: like a picture and like a text, without a filter and with several. A server is asked as often
as it has pictures. The first question in a server, which reads its rows from the database, is told
apart.

recall@10 is that of the index, beside a comparison with all vectors. The live writes are commits of
100 pictures of one server, while somebody asks in that server all the time. Both stores wait for
their disk. In the end the file is moved to another database. BENCH_ROWS chooses another number of
pictures.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import numpy as np

import trial_postgres
from bench import BUILD
from bench.options import Options
from bench.report import Figure, Report, Target
from bench.vectors import Floats, made, questions
from index import EmbeddedPicture, Filter, Gallery, Group, Link, ModelInfo, QueryEmbedding
from index.store.moving.moving import move
from index.store.opening import open_store
from index.types.derivations import NAMES

ROWS, SPACES, DIMENSION, K = 500_000, 200, 512, 10
GROUPS, OWNERS = 10, 50  # of a server
BATCH = 100
QUESTIONS = 60  # of each kind with each filter
WRITING_S = 8.0
MODEL = ModelInfo("seeded", "1", DIMENSION)


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Pictures by their number: their vectors, and the server of each."""

    vectors: Floats  # (n, d)
    spaces: np.ndarray  # (n,) int64

    def link(self, number: int) -> Link:
        space = int(self.spaces[number])
        group = Group(space * 1_000 + number % GROUPS)
        return Link(space, group, str(number), "a", number % OWNERS + 1, float(number))

    def picture(self, number: int) -> EmbeddedPicture:
        key = hashlib.blake2b(str(number).encode(), digest_size=32).digest()
        vectors = self.vectors[number : number + 1]
        return EmbeddedPicture(key, "image", vectors, 800, 600, revision=MODEL.revision)


def run(options: Options) -> Report:
    rows = options.rows[0] if options.rows else ROWS
    BUILD.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=BUILD.resolve()) as folder,
        trial_postgres.serve({"shared_buffers": "1GB"}, lasting=True) as server,
    ):
        return asyncio.run(_measure(rows, Path(folder) / "magpie.db", server.url))


async def _measure(rows: int, file: Path, url: str) -> Report:
    world = _world(rows)
    figures: dict[str, Figure] = {"pictures": rows, "servers": SPACES}
    places = {"sqlite": str(file), "postgres": url}
    async with contextlib.AsyncExitStack() as stack:
        galleries = {}
        for name, place in places.items():
            figures[f"{name}, filled with pictures a second"] = await _fill(place, world)
            galleries[name] = gallery = await Gallery.open(place)
            stack.push_async_callback(gallery.close)
            while not gallery._engine.idle:  # noqa: ASYNC110 (there is no event for it)
                await asyncio.sleep(0.1)
            figures[f"{name}, bytes a picture"] = await gallery.links.disk_bytes() // rows
        asked = await _ask(world, galleries)
        for name, gallery in galleries.items():
            figures[f"{name}_live_writes_per_s"] = await _write(world, gallery)
        kept = (await galleries["sqlite"].links.count()).images
    figures |= asked | await _move(kept, str(file), url)
    targets = {
        "postgres_worst_recall@10": Target(float(asked["postgres_worst_recall@10"] or 0), 0.99),
        "postgres_p99_ratio": Target(float(asked["postgres_p99_ratio"] or 0), 3, at_least=False),
        "postgres_live_writes_per_s": Target(
            float(figures["postgres_live_writes_per_s"] or 0), 1000
        ),
    }
    return Report(figures, {}, targets)


def _world(rows: int) -> World:
    shares = 1 / np.arange(1, SPACES + 1)
    sizes = np.maximum((rows * shares / shares.sum()).astype(int), 1)
    sizes[0] += rows - sizes.sum()
    vectors = np.concatenate(list(made(rows, DIMENSION)))
    return World(vectors, np.repeat(np.arange(1, SPACES + 1), sizes))


async def _fill(place: str, world: World) -> float:
    store = await open_store(place, derivations=NAMES)
    await store.model_record.set(MODEL)
    begun, rows = time.perf_counter(), len(world.vectors)
    for start in range(0, rows, BATCH):
        numbers = range(start, min(start + BATCH, rows))
        await store.writes.commit([(world.picture(n), world.link(n)) for n in numbers])
    took = time.perf_counter() - begun
    await store.close()
    return round(rows / took)


def _filters(space: int, rows: np.ndarray) -> dict[str, Filter]:
    """Filters of a server whose pictures these are, by name."""
    groups = frozenset(space * 1_000 + number for number in range(GROUPS * 7 // 10))
    since = float(rows[len(rows) * 7 // 10])
    return {
        "all": Filter(space),
        "70 % of the channels": Filter(space, groups),
        "an author": Filter(space, groups, owners=frozenset({3})),
        "the last days": Filter(space, groups, since=since),
        "an author's last days": Filter(space, owners=frozenset({3}), since=since),
    }


async def _ask(world: World, galleries: dict[str, Gallery]) -> dict[str, Figure]:
    """Times of all questions and the recall of each kind."""
    random = np.random.default_rng(7)
    vectors = questions(len(world.vectors), QUESTIONS, DIMENSION)
    times: dict[str, list[float]] = {name: [] for name in galleries}
    first: list[float] = []
    recalls: dict[tuple[str, str], list[float]] = {}
    seen: set[int] = set()
    engine: Any = galleries["postgres"]._engine  # of spaces in memory
    held: dict[int, int] = {}  # bytes in memory by the size of a server, when it is first asked
    for kind, queries in vectors.items():
        for query in queries:
            space = int(random.choice(world.spaces))
            rows = np.flatnonzero(world.spaces == space)
            for label, filter in _filters(space, rows).items():
                embedding = QueryEmbedding(words=query, revision=MODEL.revision)
                before = engine.resident_bytes
                for name, gallery in galleries.items():
                    begun = time.perf_counter()
                    await gallery.search(embedding, filter, k=K, guesses=True)
                    took = (time.perf_counter() - begun) * 1000
                    if name == "postgres" and space not in seen:
                        first.append(took)
                        seen.add(space)
                        held[len(rows)] = engine.resident_bytes - before
                    else:
                        times[name].append(took)
                found = await galleries["postgres"]._engine.search(query, filter, k=K)
                recalls.setdefault((kind, label), []).append(
                    await _recall(world, rows, query, filter, found.links, galleries["postgres"])
                )
    p50, p99 = (
        {name: float(np.percentile(took, at)) for name, took in times.items()} for at in (50, 99)
    )
    worst = min((float(np.mean(one)), key) for key, one in recalls.items())
    return {
        "questions": sum(map(len, recalls.values())),
        "postgres_worst_recall@10": round(worst[0], 4),
        "postgres_p99_ratio": round(p99["postgres"] / p99["sqlite"], 2),
        "postgres_p50_ratio": round(p50["postgres"] / p50["sqlite"], 2),
        **{f"{name}_p50_ms": round(ms, 2) for name, ms in p50.items()},
        **{f"{name}_p99_ms": round(ms, 2) for name, ms in p99.items()},
        "postgres, bytes in memory a picture": held[max(held)] // max(held),
        "first question in a server, median ms": round(float(np.median(first)), 1),
        "first question in a server, worst ms": round(max(first), 1),
    }


async def _move(pictures: int, file: str, url: str) -> dict[str, Figure]:
    """How long `magpie move` takes to copy the file to an empty database, and to compare it."""
    empty = urlsplit(url)._replace(path="/moved").geturl()
    server = await asyncpg.connect(url)
    await server.execute("CREATE DATABASE moved")
    await server.close()
    figures: dict[str, Figure] = {}
    for what in ("moved", "compared again"):
        begun = time.perf_counter()
        moved = await move(file, empty, lambda *_: None)
        assert moved.complete
        took = time.perf_counter() - begun
        rate = round(pictures / took)
        figures |= {f"{what}, seconds": round(took, 1), f"{what}, pictures/s": rate}
    return figures


async def _recall(
    world: World,
    rows: np.ndarray,
    query: Floats,
    filter: Filter,
    found: np.ndarray,
    gallery: Gallery,
) -> float:
    """Which share of the best ten among all that the filter allows was found."""
    links = await gallery.links.with_ids(filter.space, found.tolist())
    sources = {int(link.source) for link, _, _ in links.values()}
    allowed = [number for number in rows.tolist() if filter.admits(0, world.link(number), "image")]
    scores = world.vectors[allowed] @ query
    best = {allowed[at] for at in np.argsort(-scores, kind="stable")[:K].tolist()}
    return len(best & sources) / len(best) if best else 1.0


async def _write(world: World, gallery: Gallery) -> float:
    """Pictures a second that are committed to a server in which somebody asks all the time."""
    space, number = SPACES, len(world.vectors)
    embedding = QueryEmbedding(words=world.vectors[0], revision=MODEL.revision)

    async def ask() -> None:
        while True:
            await gallery.search(embedding, Filter(space), k=K, guesses=True)

    asking = asyncio.create_task(ask())
    begun, written = time.perf_counter(), 0
    while (took := time.perf_counter() - begun) < WRITING_S:
        batch = [_new(world, number + written + n, space) for n in range(BATCH)]
        await gallery.commit(batch)
        written += BATCH
    asking.cancel()
    await asyncio.wait([asking])
    return round(written / took)


def _new(world: World, number: int, space: int) -> tuple[EmbeddedPicture, Link]:
    vectors = world.vectors[number % len(world.vectors)][None]
    key = hashlib.blake2b(str(number).encode(), digest_size=32).digest()
    picture = EmbeddedPicture(key, "image", vectors, 800, 600, revision=MODEL.revision)
    return picture, Link(space, Group(space * 1_000), str(number), "a", 1, float(number))
