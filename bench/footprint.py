"""What a gallery takes: its bytes on disk, and the memory of the bot that serves it.

BENCH_ROWS (such as 10000,1000000) chooses the sizes. Each picture has what the bot keeps of a
photograph: an embedding of 512 numbers as those of ViT-B/32, a fingerprint, and its link; every
fourth has some words in it. Vectors and words are drawn at random.

The bot runs as a process, with a model of ViT-B/32's true shapes. A member asks, and somebody posts
a photograph, so that the processes which decode pictures and read the words in them have started,
too. Only the newest messages are on the server. So what a question finds may be erased, which
changes nothing that is measured.

"its own" is the memory that the system can't take back; the rest of "resident" is files that are
mapped, which the system drops where it needs the room. The peer is the same vectors as float32,
which is the least that an exact search in memory needs.

The gallery of 1,000,000 rows takes 8 GB of disk under build/ while it is measured, and minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import aiohttp
import numpy as np

from bench import BUILD, large_server, photographs
from bench.checkpoint import unjudging, vit_b32
from bench.options import Options
from bench.processes import bot_running, sandbox_running
from bench.report import Figure, Report
from bench.vectors import made
from bench.words import captions
from index import Gallery, Transcriber
from index.copies.derivation import fingerprint_of
from index.store.sql import words
from index.store.sql.database import Transaction
from index.store.sqlite import SEGMENTS, SQLiteStore
from sandbox.person import Person

SIZES = (10_000, 100_000, 1_000_000)
DIMENSION = 512
NEWEST = 2_000  # messages that are on the server
FINGERPRINTS = 64  # of different photographs
HASHES = 16  # bytes at the beginning of a fingerprint
WORDS_EVERY = 4  # pictures
CHUNK_ROWS = 20_000
PATIENCE_S = 300.0
QUESTIONS = ("red dog in snow", "old train at night", "tiny boat by the sea")
MB = 1e6


def run(options: Options) -> Report:
    report = Report({}, {})
    large_server.draw()
    for size in options.rows or SIZES:
        BUILD.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD.resolve()) as scratch:
            _measure(report, size, Path(scratch) / "magpie.db")
    return report


def _measure(report: Report, size: int, file: Path) -> None:
    model = unjudging(vit_b32())
    asyncio.run(_fill(file, size, model))
    segments = sum(one.stat().st_size for one in Path(f"{file}{SEGMENTS}").glob("*"))
    disk = {"file": file.stat().st_size, "segments": segments}
    memory = asyncio.run(_memory(size, file, model))
    figures: dict[str, Figure] = {
        f"{size:,}, on disk, MB": round(sum(disk.values()) / MB),
        **{f"{size:,}, {what}, bytes a picture": b // size for what, b in disk.items()},
        **{f"{size:,}, {what}, MB": round(b / MB) for what, b in memory.items()},
    }
    report.figures.update(figures)
    report.peers[f"{size:,}, vectors alone, MB"] = round(size * DIMENSION * 4 / MB)


# ---- the gallery


async def _fill(file: Path, size: int, model: Path) -> None:
    """Make the gallery, with nothing left to merge."""
    await (await Gallery.open(file, str(model), device="cpu")).close()
    vectors = np.concatenate(list(made(size, DIMENSION)))
    await asyncio.to_thread(large_server.fill, file, size, vectors, _fingerprints())
    del vectors
    await _write_words(file, size)
    gallery = await Gallery.open(file, str(model), device="cpu")
    while not gallery._engine.idle:  # noqa: ASYNC110 (there is no event for it)
        await asyncio.sleep(0.1)
    await gallery.close()


def _fingerprints() -> Callable[[int], bytes]:
    """The fingerprint of each row: that of a photograph, with hashes of its own."""
    photographs_ = [large_server.FOLDER / f"{n}.jpg" for n in range(FINGERPRINTS)]
    some = [fingerprint_of(file.read_bytes()).to_bytes() for file in photographs_]

    def of_row(row: int) -> bytes:
        return np.random.default_rng(row).bytes(HASHES) + some[row % len(some)][HASHES:]

    return of_row


async def _write_words(file: Path, size: int) -> None:
    """Give every fourth picture a sentence; of the others it is known that they say nothing."""
    revision = Transcriber().revision
    store = await SQLiteStore.open(file)
    await store.transcripts.begin(revision)
    random = np.random.default_rng(0)
    for start in range(1, size + 1, CHUNK_ROWS):
        ids = range(start, min(start + CHUNK_ROWS, size + 1))
        with_words = [id for id in ids if id % WORDS_EVERY == 0]
        said = {one.row: one.said for one in captions(with_words, random)}
        await store.database.write(partial(_put, {id: said.get(id, "") for id in ids}))
    await store.close()


async def _put(said: Mapping[int, str], db: Transaction) -> None:
    await db.execute_many(
        "INSERT INTO transcripts (item, lines, stale) VALUES (?, ?, 0)", list(said.items())
    )
    await words.add(db, [id for id, sentence in said.items() if sentence])


# ---- the bot


async def _memory(size: int, file: Path, model: Path) -> dict[str, int]:
    """Bytes of memory, by whose they are, once everything that a bot does was done."""
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        command = [sys.executable, "-m", "bench.large_server", str(size), str(NEWEST)]
        _, base = await stack.enter_async_context(sandbox_running(*command))
        bot = await stack.enter_async_context(
            bot_running(session, base, large_server.TOKEN, file, model)
        )
        owner = await stack.enter_async_context(Person.log_in(session, base, large_server.OWNER))
        for question in QUESTIONS:
            await owner.command("find", query=question)
        photograph = photographs.jpeg(large_server.PHOTOGRAPHS, photographs.SCREENSHOT)
        posted = await owner.post(str(large_server.SQUARE), pictures={"new.jpg": photograph})
        below = await _most_below(bot.pid, file, posted["id"])
        return {
            "the bot's own": _status(bot.pid, "RssAnon"),
            "the bot, resident": _status(bot.pid, "VmRSS"),
            "decoders and reader of words, their own": below,
        }


async def _most_below(pid: int, file: Path, message: str) -> int:
    """The most that the processes of this one had at a time, until the words in the picture of
    this message were read. The one that reads ends soon afterwards."""
    asked = "SELECT 1 FROM links JOIN transcripts USING (item) WHERE source = ?"
    most, uri = 0, f"{file.as_uri()}?mode=ro"
    async with asyncio.timeout(PATIENCE_S):
        while True:
            most = max(most, sum(_status(one, "RssAnon") for one in _descendants(pid)))
            with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
                if db.execute(asked, (message,)).fetchall():
                    return most
            await asyncio.sleep(0.05)


def _status(pid: int, name: str) -> int:
    """A figure of a process in bytes; 0 of one that has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return 0


def _descendants(pid: int) -> list[int]:
    """The processes that this one, or one of those, has started."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            found += [int(one) for one in (task / "children").read_text().split()]
    return found + [below for child in found for below in _descendants(child)]
