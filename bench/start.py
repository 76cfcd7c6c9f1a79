"""How long a cold question on the command line and the start of the bot take; and memory.

`python -m index find WORDS` is a new process over 10,000 pictures, beside a process that only
imports torch and transformers. The start of the bot is timed from its process to the word `ready`
in its log, with a sandbox as Discord; and to the answer of a member who asks as soon as the bot is
connected, among 10,000 pictures. Memory is that of a process which has opened a gallery of
BENCH_ROWS rows (1,000,000 by default), loaded all of its model and answered a question, beside a
process that only imports torch. Vectors are random with a fixed seed; galleries are kept under
build/. Everything runs on one core, in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import numpy as np

from bench import BUILD, large_server
from bench.checkpoint import unjudging, vit_b32
from bench.options import Options
from bench.processes import sandbox_running, settings_of
from bench.report import Figure, Report, Target, spread
from demo import WORLD
from index import EmbeddedPicture, Gallery, Group, Link, ModelMismatch, StoreTooNew
from pocket import MODEL
from sandbox.person import Person

ROUNDS = 5
BOT_ROUNDS = 3
FOUND_AMONG = 10_000
REMEMBERED = 1_000_000
CHUNK_ROWS = 10_000
READY_TIMEOUT_S = 120.0
WORDS = ("dog", "in", "snow")
BOT = [sys.executable, "-m", "bot"]
PEER = "import torch, transformers"
# Prints the memory of its own process in MB: the peak, now, and now without mapped files, which the
# system can drop at any time.
TELL = """
import re
def tell():
    status = open("/proc/self/status").read()
    for name in ("VmHWM", "VmRSS", "RssAnon"):
        print(int(re.search(rf"{name}:\\s+(\\d+)", status)[1]) // 1000)
"""
TORCH = """
import torch
tell()
"""
SERVE = """
import asyncio, sys
from index import Filter, Gallery, Query
async def serve():
    gallery = await Gallery.open(sys.argv[1], sys.argv[2], device="cpu", precision="default")
    await gallery.ready_to_embed()
    answer = await gallery.find(Query(text="dog in snow"), Filter(0), k=10)
    assert answer.searched
    tell()
    await gallery.close()
asyncio.run(serve())
"""


def run(options: Options) -> Report:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = options.rows[0] if options.rows else REMEMBERED
    models = {"pocket": MODEL, "ViT-B/32": vit_b32()}
    galleries = {name: _gallery(folder, FOUND_AMONG) for name, folder in models.items()}
    import_s: list[float] = []
    find_s: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(ROUNDS + 1):  # the first round reads the disk
        import_s.append(_seconds([sys.executable, "-c", PEER]))
        for name, path in galleries.items():
            # Nothing in this gallery looks like anything, so it is asked for what comes nearest.
            where = ["--db", str(path), "--guesses"]
            command = [sys.executable, "-m", "index", "find", *WORDS, *where]
            find_s[name].append(_seconds(command))
    ratios = {
        name: statistics.median(f / i for f, i in zip(times[1:], import_s[1:], strict=True))
        for name, times in find_s.items()
    }
    ready_s = {
        name: [_bot_ready_s(folder) for _ in range(BOT_ROUNDS)] for name, folder in models.items()
    }
    answer_s = asyncio.run(_bot_answer_s(unjudging(models["ViT-B/32"])))
    large = _gallery(models["ViT-B/32"], rows)
    ours = _memory(SERVE, str(large), str(models["ViT-B/32"]))
    theirs = _memory(TORCH)
    figures: dict[str, Figure] = {
        **{f"cold find, {name}, s": spread(times[1:]) for name, times in find_s.items()},
        **{f"cold find, {name}, × the import": ratio for name, ratio in ratios.items()},
        "cold_find_ratio": max(ratios.values()),
        **{f"bot ready, {name}, s": spread(times) for name, times in ready_s.items()},
        "bot_answer_s": statistics.median(answer_s),
        "bot's first answer, ViT-B/32, s": spread(answer_s),
        **{f"memory, ViT-B/32 and {rows:,} rows, {what} MB": mb for what, mb in ours.items()},
    }
    targets = {
        "cold_find_ratio": Target(max(ratios.values()), 1, at_least=False),
        "bot_answer_s": Target(statistics.median(answer_s), 5, at_least=False),
    }
    if rows == REMEMBERED:
        own = f"memory, ViT-B/32 and {rows:,} rows, its own MB"
        targets[own] = Target(ours["its own"], 500, at_least=False)
    return Report(
        figures,
        {
            "import torch, transformers, s": spread(import_s[1:]),
            **{f"memory, torch alone, {what} MB": mb for what, mb in theirs.items()},
        },
        targets,
    )


def _seconds(command: list[str]) -> float:
    """Seconds of a whole process."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _memory(code: str, *arguments: str) -> dict[str, int]:
    """Memory in MB of a process that ran this code."""
    command = [sys.executable, "-c", TELL + code, *arguments]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(zip(("peak", "resident", "its own"), map(int, said.split()), strict=True))


# ---- galleries


def _gallery(model: Path, rows: int) -> Path:
    """A gallery of this many random unit vectors, of the model's dimension."""
    path = BUILD / f"gallery-{model.name}-{rows}.db"
    ready = path.with_suffix(".ready")
    if not (ready.exists() and asyncio.run(_still_good(path, model))):
        for old in path.parent.glob(f"{path.stem}.*"):
            if old.is_file():
                old.unlink()
        asyncio.run(_fill(path, model, rows))
        ready.touch()
    return path


async def _still_good(path: Path, model: Path) -> bool:
    """Whether this version can open it, and it was made with this model."""
    try:
        await (await Gallery.open(path, str(model), device="cpu")).close()
    except (ModelMismatch, StoreTooNew):
        return False
    return True


async def _fill(path: Path, model: Path, rows: int) -> None:
    random = np.random.default_rng(0)
    gallery = await Gallery.open(path, str(model), device="cpu")
    for start in range(0, rows, CHUNK_ROWS):
        count = min(CHUNK_ROWS, rows - start)
        vectors = random.standard_normal((count, 1, gallery.dimension), np.float32)
        vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
        await gallery.commit(
            [
                (
                    EmbeddedPicture((start + n).to_bytes(32, "big"), "image", vectors[n], 640, 480),
                    Link(space=0, group=Group(0), source=f"{start + n}.jpg", slot=""),
                )
                for n in range(count)
            ]
        )
    await _settled(gallery)
    await gallery.close()


async def _settled(gallery: Gallery) -> None:
    """Wait until its rows are merged, as in a gallery that grew at the speed of embedding."""
    while True:
        if gallery._engine.idle:
            return
        await asyncio.sleep(1)


# ---- the bot


def _bot_ready_s(model: Path) -> float:
    """Seconds from the start of the bot's process until it is ready, with the demo's world."""
    token: str = json.loads(WORLD.read_text(encoding="utf-8"))["application"]["token"]
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        sandbox = [sys.executable, "-m", "sandbox", "--port", "0", "--world", str(WORLD)]
        log = stack.enter_context(_running([*sandbox, "--data", scratch], Path(scratch) / "log"))
        base = _said(log, r"http://127\.0\.0\.1:\d+")
        began = time.perf_counter()
        settings = settings_of(base, token, Path(scratch) / "magpie.db", model)
        log = stack.enter_context(_running(BOT, Path(scratch) / "bot.log", settings))
        _said(log, r"\bready\b.*shard")
        return time.perf_counter() - began


async def _bot_answer_s(model: Path) -> list[float]:
    """Seconds from the start of the bot's process to its first answer, start by start."""
    large_server.draw()
    file = await large_server.gallery(FOUND_AMONG, model)
    server = [sys.executable, "-m", "bench.large_server", str(FOUND_AMONG)]
    seconds = []
    async with (
        sandbox_running(*server) as (_, base),
        aiohttp.ClientSession() as session,
        Person.log_in(session, base, large_server.OWNER) as owner,
    ):
        settings = settings_of(base, large_server.TOKEN, file, model)
        for _ in range(BOT_ROUNDS):
            began = time.perf_counter()
            with _running(BOT, file.parent / "bot.log", settings):
                while not await _is_connected(session, base):  # noqa: ASYNC110 (no event tells)
                    await asyncio.sleep(0.02)
                answer = await owner.command("find", query=" ".join(WORDS))
                seconds.append(time.perf_counter() - began)
                assert answer.pictures()
    return seconds


async def _is_connected(session: aiohttp.ClientSession, base: str) -> bool:
    async with session.get(f"{base}/sandbox/health") as answer:
        return bool((await answer.json())["bot_connected"])


@contextlib.contextmanager
def _running(
    command: list[str], log: Path, settings: dict[str, str] | None = None
) -> Iterator[Path]:
    """Run a process whose output goes to `log`; it is ended when the block is left."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MAGPIE_", "DISCORD_"))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**inherited, **(settings or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield log
    finally:
        process.terminate()
        process.wait()


def _said(log: Path, pattern: str) -> str:
    """The part of the log that matches the pattern, once it is there."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if found := re.search(pattern, log.read_text(encoding="utf-8", errors="replace")):
            return found[0]
        time.sleep(0.02)
    raise TimeoutError(f"nothing like {pattern} in {log.read_text(encoding='utf-8')}")
