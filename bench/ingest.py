"""Bytes of JPEGs → committed rows: the product's own path beside the plain transformers loop.

The pictures are photographs of a phone's and of a screenshot's size; the model has ViT-B/32's true
geometry with seeded weights; both sides run on one core, in turn, in one process. The plain loop
does what a first script would: open, let the model's processor prepare, embed, insert, commit.
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

from bench.checkpoint import vit_b32
from bench.report import Report, Target, spread
from index import Gallery, Group, Link

ROUNDS = 5
PICTURES = 24
PHONE, SCREENSHOT = (2048, 1536), (1080, 1350)
WORKERS = 8  # as many pictures in the air as the bot's ingest keeps
LAG_PERIOD_S = 0.005


def run() -> Report:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ["OMP_NUM_THREADS"] = "1"
    folder = vit_b32()
    plain, ours, lags = [], [], []
    loop = PlainLoop(folder)
    for round_ in range(ROUNDS):
        pictures = [_photograph(round_ * PICTURES + n) for n in range(PICTURES)]
        with tempfile.TemporaryDirectory() as scratch:
            plain.append(PICTURES / loop.seconds(pictures, Path(scratch) / "plain.db"))
            seconds, lag = asyncio.run(_product(folder, pictures, Path(scratch) / "magpie.db"))
            ours.append(PICTURES / seconds)
            lags += lag
    ratio = statistics.median(o / p for o, p in zip(ours, plain, strict=True))
    lag_p99_ms = float(np.percentile(np.array(lags), 99)) * 1000
    return Report(
        figures={
            "images_per_s": spread(ours),
            "default_speedup": ratio,
            "loop_lag_p99_ms": lag_p99_ms,
        },
        peers={"transformers loop, images_per_s": spread(plain)},
        targets={
            "default_speedup": Target(ratio, 2.5),
            "loop_lag_p99_ms": Target(lag_p99_ms, 20, at_least=False),
        },
    )


def _photograph(seed: int) -> bytes:
    """A JPEG cut at random from a real photograph, so that no two are the same bytes."""
    from skimage import data

    source = Image.fromarray((data.astronaut, data.coffee, data.chelsea, data.rocket)[seed % 4]())
    random = np.random.default_rng(seed)
    width, height = source.size
    left, top = random.integers(0, width // 4), random.integers(0, height // 4)
    box = (int(left), int(top), int(left) + width * 3 // 4, int(top) + height * 3 // 4)
    size = PHONE if seed % 2 else SCREENSHOT
    out = io.BytesIO()
    source.resize(size, Image.Resampling.BICUBIC, box=box).save(out, "JPEG", quality=88)
    return out.getvalue()


class PlainLoop:
    """The peer: transformers as its documentation shows it, one picture after the other."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoProcessor, CLIPModel

        torch.set_num_threads(1)
        self._model = CLIPModel.from_pretrained(folder).eval()
        self._processor = AutoProcessor.from_pretrained(folder)

    def seconds(self, pictures: Sequence[bytes], database: Path) -> float:
        import torch

        connection = sqlite3.connect(database)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE picture (id INTEGER PRIMARY KEY, vector BLOB)")
        began = time.perf_counter()
        for data in pictures:
            image = Image.open(io.BytesIO(data)).convert("RGB")
            pixels = self._processor(images=image, return_tensors="pt")
            with torch.inference_mode():
                features = self._model.get_image_features(**pixels).pooler_output[0]
            vector = (features / features.norm()).numpy().astype(np.float32)
            connection.execute("INSERT INTO picture (vector) VALUES (?)", (vector.tobytes(),))
            connection.commit()
        taken = time.perf_counter() - began
        connection.close()
        return taken


async def _product(
    folder: Path, pictures: Sequence[bytes], database: Path
) -> tuple[float, list[float]]:
    """(seconds, event-loop lags in seconds) of adding the pictures the way the bot does."""
    gallery = await Gallery.open(database, str(folder), device="cpu")
    waiting = list(enumerate(pictures))
    lags: list[float] = []

    async def work() -> None:
        while waiting:
            number, data = waiting.pop()
            await gallery.add(data, Link(space=1, group=Group(1), source=str(number), slot=""))

    watch = asyncio.create_task(_watch_lag(lags))
    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    taken = time.perf_counter() - began
    watch.cancel()
    await gallery.close()
    return taken, lags


async def _watch_lag(lags: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_PERIOD_S
        await asyncio.sleep(LAG_PERIOD_S)
        lags.append(max(loop.time() - due, 0.0))
