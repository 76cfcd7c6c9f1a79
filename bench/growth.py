"""A gallery that grows for long: what the newest pictures cost, and who waits for segments.

Pictures come at 1,000 a second, more than a GPU embeds, and somebody asks all the time. Rows settle
into segments meanwhile, and segments become one. The largest segment has a sixth of the rows here
(`Sizes.largest_rows`; 2,000,000 by default), so that this run grows far beyond it. Told are the
processor time that settling and compaction take for each picture, in the middle and the last third
of the growth; the longest time that a commit took; and the times of questions while segments are
being made, beside those of the same questions on the gallery at rest.

BENCH_ROWS chooses another number of pictures; 300,000 take six minutes.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np

from bench import BUILD
from bench.options import Options
from bench.report import Figure, Report, Target
from bench.vectors import Floats, pictures, questions
from index import EmbeddedPicture, Filter, Gallery, Group, Link, ModelInfo, QueryEmbedding, Sizes
from index.concurrency import Pool
from index.store.opening import open_store
from index.types.derivations import NAMES

ROWS, DIMENSION, K = 300_000, 512, 10
SEGMENTS = 6
BATCH, PICTURES_A_SECOND = 100, 1_000
ASKED = 200  # different questions
AT_REST = 1_000  # questions
MODEL = ModelInfo("seeded", "1", DIMENSION)


def run(options: Options) -> Report:
    rows = options.rows[0] if options.rows else ROWS
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD.resolve()) as folder:
        return asyncio.run(_measure(rows, Path(folder) / "magpie.db"))


async def _measure(rows: int, file: Path) -> Report:
    sizes = Sizes(largest_rows=rows // SEGMENTS)
    store = await open_store(str(file), derivations=NAMES)
    await store.model_record.set(MODEL)
    await store.close()
    gallery = await Gallery.open(file, sizes=sizes)
    asked = np.concatenate(list(questions(rows, ASKED // 2, DIMENSION).values()))
    times: dict[bool, list[float]] = {True: [], False: []}
    asking = asyncio.create_task(_ask_on(gallery, asked, times))
    commits, spent = [], [0.0]
    vectors = pictures(rows, DIMENSION)
    begun = time.perf_counter()
    for third in range(3):
        for start in range(rows * third // 3, rows * (third + 1) // 3, BATCH):
            batch = [_picture(vectors, number) for number in range(start, min(start + BATCH, rows))]
            committing = time.perf_counter()
            await gallery.commit(batch)
            commits.append(time.perf_counter() - committing)
            ahead = start / PICTURES_A_SECOND - (time.perf_counter() - begun)
            await asyncio.sleep(max(ahead, 0))
        spent.append(_processor_s(gallery))
    grown_s = time.perf_counter() - begun
    while not gallery._engine.idle:  # noqa: ASYNC110 (there is no event for it)
        await asyncio.sleep(0.1)
    asking.cancel()
    await asyncio.wait([asking])
    at_rest = [await _seconds(gallery, asked[n % ASKED]) for n in range(AT_REST)]
    parts = len(gallery._engine.rows._now.parts)  # type: ignore[attr-defined]
    await gallery.close()
    per_picture = [1000 * float(cpu_s) / (rows / 3) for cpu_s in np.diff(spent)]
    busy = times[True]
    ratio = float(np.percentile(busy, 99) / np.percentile(at_rest, 99))
    figures: dict[str, Figure] = {
        "pictures": rows,
        "pictures a second": round(rows / grown_s),
        "segments at the end": parts,
        "questions while segments are made": len(busy),
        "questions meanwhile, p50, p99 ms": _percentiles(busy),
        "questions at rest, p50, p99 ms": _percentiles(at_rest),
        "processor ms a picture, in thirds": ", ".join(f"{ms:.2f}" for ms in per_picture),
        "growing_p99_ratio": round(ratio, 2),
        "longest_commit_s": round(max(commits), 2),
        "last_third_work_ratio": round(per_picture[2] / per_picture[1], 2),
    }
    return Report(
        figures,
        {},
        {
            "growing_p99_ratio": Target(ratio, 3, at_least=False),
            "longest_commit_s": Target(max(commits), 1, at_least=False),
            "last_third_work_ratio": Target(per_picture[2] / per_picture[1], 1.25, at_least=False),
        },
    )


async def _ask_on(gallery: Gallery, asked: Floats, times: dict[bool, list[float]]) -> None:
    """Ask one question after another, and keep how long each took, by whether a segment was being
    made."""
    engine = gallery._engine
    number = 0
    while True:
        making = bool(engine._settling.running or engine._compacting.running)  # type: ignore[attr-defined]
        times[making].append(await _seconds(gallery, asked[number % len(asked)]))
        number += 1
        await asyncio.sleep(0.02)


async def _seconds(gallery: Gallery, vector: Floats) -> float:
    begun = time.perf_counter()
    await gallery.search(QueryEmbedding(words=vector, revision="1"), Filter(1), k=K, guesses=True)
    return time.perf_counter() - begun


def _percentiles(seconds: list[float]) -> str:
    return ", ".join(f"{1000 * np.percentile(seconds, p):.1f}" for p in (50, 99))


def _processor_s(gallery: Gallery) -> float:
    """Processor time of the threads that make segments, in seconds."""
    engine = gallery._engine
    pools: list[Pool] = [engine._settling.pool, engine._compacting.pool]  # type: ignore[attr-defined]
    threads = [thread.native_id for pool in pools for thread in pool._threads._threads]
    spent = (Path(f"/proc/self/task/{one}/schedstat").read_text().split()[0] for one in threads)
    return sum(map(int, spent)) / 1e9


def _picture(vectors: Floats, number: int) -> tuple[EmbeddedPicture, Link]:
    key = hashlib.blake2b(str(number).encode(), digest_size=32).digest()
    vector = np.array(vectors[number : number + 1])
    picture = EmbeddedPicture(key, "image", vector, 800, 600, revision=MODEL.revision)
    return picture, Link(1, Group(number % 10 + 1), str(number), "a", 1, float(number))
