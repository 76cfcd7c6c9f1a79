"""Bytes of JPEGs → committed rows: the product beside a plain loop over transformers.

The pictures are photographs of a phone's and of a screenshot's size. The model has the shapes of
ViT-B/32 and random weights. Both sides run on one core, in turn, in one process. The plain loop
does what a first script would do: open, prepare with the model's processor, embed, insert, commit.
"""

from __future__ import annotations

import asyncio
import io
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from bench import photographs
from bench.checkpoint import vit_b32
from bench.lag import watch_loop
from bench.options import Options
from bench.report import Report, Target, spread
from bench.transformers_peer import Transformers
from index import Gallery, Group, Link, Precision

ROUNDS = 5
PICTURES = 24
PRECISIONS: tuple[Precision, ...] = ("default", "fast")
WORKERS = 16  # pictures that are on their way at once, as many as in the bot
LAG_PERIOD_S = 0.005


def run(options: Options) -> Report:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import torch

    torch.set_num_threads(1)
    folder = vit_b32()
    peer = Transformers(folder)
    rates: dict[str, list[float]] = {"plain": [], "default": [], "fast": []}
    lags: list[float] = []
    for round_ in range(ROUNDS):
        pictures = [photographs.jpeg(round_ * PICTURES + n) for n in range(PICTURES)]
        with tempfile.TemporaryDirectory() as scratch:
            seconds = _plain(peer, pictures, Path(scratch) / "plain.db")
            rates["plain"].append(PICTURES / seconds)
            for precision in PRECISIONS:
                file = Path(scratch) / f"{precision}.db"
                seconds, lag = asyncio.run(product(folder, pictures, file, precision))
                rates[precision].append(PICTURES / seconds)
                lags += lag
    default, fast = (_ratio(rates["plain"], rates[precision]) for precision in PRECISIONS)
    lag_p99_ms = float(np.percentile(np.array(lags), 99)) * 1000
    return Report(
        figures={
            "images_per_s": spread(rates["default"]),
            "default_speedup": default,
            "fast_images_per_s": spread(rates["fast"]),
            "fast_speedup": fast,
            "loop_lag_p99_ms": lag_p99_ms,
        },
        peers={"transformers loop, images_per_s": spread(rates["plain"])},
        targets={
            "default_speedup": Target(default, 2.5),
            "fast_speedup": Target(fast, 4),
            "loop_lag_p99_ms": Target(lag_p99_ms, 20, at_least=False),
        },
    )


def _ratio(peer: list[float], ours: list[float]) -> float:
    """The median over the rounds of our rate divided by the peer's."""
    return statistics.median(o / p for o, p in zip(ours, peer, strict=True))


def _plain(peer: Transformers, pictures: Sequence[bytes], database: Path) -> float:
    """Seconds of the plain loop, one picture after the other."""
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE picture (id INTEGER PRIMARY KEY, vector BLOB)")
    began = time.perf_counter()
    for data in pictures:
        features = peer.images([Image.open(io.BytesIO(data)).convert("RGB")])[0]
        vector = features / np.linalg.norm(features)
        connection.execute("INSERT INTO picture (vector) VALUES (?)", (vector.tobytes(),))
        connection.commit()
    taken = time.perf_counter() - began
    connection.close()
    return taken


async def product(
    folder: Path,
    pictures: Sequence[bytes],
    database: Path,
    precision: Precision,
    device: str = "cpu",
    workers: int = WORKERS,
) -> tuple[float, list[float]]:
    """Add the pictures as the bot does. -> seconds, and event-loop lags in seconds"""
    gallery = await Gallery.open(database, str(folder), device=device, precision=precision)
    await gallery.ready_to_embed()
    waiting = list(enumerate(pictures))
    lags: list[float] = []

    async def work() -> None:
        while waiting:
            number, data = waiting.pop()
            await gallery.add(data, Link(space=1, group=Group(1), source=str(number), slot=""))

    watch = asyncio.create_task(watch_loop(lags, LAG_PERIOD_S))
    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(workers)))
    taken = time.perf_counter() - began
    watch.cancel()
    await gallery.close()
    return taken, lags
