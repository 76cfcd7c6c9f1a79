"""A member's `/find` until its answer arrives, beside the model and the search that it needs.

All of the way is measured: a member's client sends the interaction to the sandbox, which passes it
to the bot's process. The bot embeds the words, ranks what the member may see, reads the message of
each hit again, and answers. The peer is the text tower and the search alone, with the same rows and
the same words, asked in turn. Then the same is measured during a `/reindex` of real photographs.

The words in pictures are not read meanwhile. The world's pictures have other bytes than its gallery
says, so the bot would fetch one after another as fast as it can, and never be done.

The weights are random, so no picture fits any words. The model is without the number that words are
judged with, so that each answer has a page of pictures. What judging costs, `bench honesty` says.

BENCH_ROWS (such as 10000,1000000) chooses the sizes. The bot and its peer share one core. The
sandbox, which stands for Discord, and the member's client have another one if there is one, since
in life they are on other machines. The first run of a size makes its gallery under build/; for
1,000,000 rows that takes minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Set before numpy and torch are imported, which is when they choose their number of threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import aiohttp
import numpy as np

from bench import large_server
from bench.checkpoint import unjudging, vit_b32
from bench.options import Options
from bench.processes import bot_running, sandbox_running
from bench.report import Figure, Report, Target
from bot.ask.page import PAGE_SIZE
from index import Filter, Gallery, Query
from sandbox.person import Answer, Person

SIZES = (10_000, 1_000_000)
QUESTIONS = 96
IN_A_ROW = 8
WARMING = 16
REINDEXING = 64  # questions during /reindex
PAUSE_S = 0.3  # between those at most, so that they arrive at any moment of a batch
COLOURS = ("red", "blue", "yellow", "white", "tiny", "old", "shiny", "wooden")
THINGS = ("bicycle", "dog", "kite", "teapot", "owl", "train", "violin", "boat", "cactus", "lamp")
PLACES = ("in snow", "by the sea", "at night", "under a tree", "on a roof", "in the rain")


@dataclass
class Measured:
    """Seconds of each question, and processor time by process."""

    whole: list[float] = field(default_factory=list)
    tower: list[float] = field(default_factory=list)
    search: list[float] = field(default_factory=list)
    reindexing: list[float] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=dict)  # of `whole`, by process

    @property
    def p50_ratio(self) -> float:
        needed = [sum(both) for both in zip(self.tower, self.search, strict=True)]
        return statistics.median(self.whole) / statistics.median(needed)

    @property
    def p95_ratio(self) -> float:
        return float(np.percentile(self.reindexing, 95) / np.percentile(self.whole, 95))


def run(options: Options) -> Report:
    cores = sorted(os.sched_getaffinity(0))
    figures: dict[str, Figure] = {"each answer": f"{PAGE_SIZE} pictures; words are not judged"}
    peers: dict[str, Figure] = {}
    measured = []
    try:
        for size in options.rows or SIZES:
            one = asyncio.run(_measure(size, cores))
            figures[f"{size}, /find p50, p95, p99 ms"] = _percentiles(one.whole)
            figures[f"{size}, find_p50_ratio"] = one.p50_ratio
            figures[f"{size}, during /reindex p50, p95, p99 ms"] = _percentiles(one.reindexing)
            figures[f"{size}, find_p95_ratio_under_reindex"] = one.p95_ratio
            spent = {who: 1000 * cpu_s / QUESTIONS for who, cpu_s in one.cpu_s.items()}
            figures[f"{size}, processor ms a question"] = ", ".join(
                f"{who} {ms:.1f}" for who, ms in spent.items()
            )
            peers[f"{size}, text tower p50, p95, p99 ms"] = _percentiles(one.tower)
            peers[f"{size}, search p50, p95, p99 ms"] = _percentiles(one.search)
            measured.append(one)
    finally:
        os.sched_setaffinity(0, cores)
    p50 = max(one.p50_ratio for one in measured)
    p95 = max(one.p95_ratio for one in measured)
    figures |= {"find_p50_ratio": p50, "find_p95_ratio_under_reindex": p95}
    return Report(
        figures,
        peers,
        {
            "find_p50_ratio": Target(p50, 1.5, at_least=False),
            "find_p95_ratio_under_reindex": Target(p95, 3, at_least=False),
        },
    )


def _percentiles(seconds: Sequence[float]) -> str:
    return ", ".join(f"{1000 * np.percentile(seconds, p):.1f}" for p in (50, 95, 99))


def questions() -> Iterator[str]:
    """Different questions of about five words, always in the same order."""
    made = [f"{c} {t} {p}" for c in COLOURS for t in THINGS for p in PLACES]
    random.Random(6).shuffle(made)
    return iter(made)


# ---- the run


async def _measure(size: int, cores: Sequence[int]) -> Measured:
    """Measure one size, with a server and a gallery of its own."""
    os.sched_setaffinity(0, {cores[0]})
    model = unjudging(vit_b32())
    large_server.draw()
    file = await large_server.gallery(size, model)
    asked, measured = questions(), Measured()
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        discord, base = await stack.enter_async_context(
            sandbox_running(
                *("taskset", "-c", str(cores[-1])),
                *(sys.executable, "-m", "bench.large_server", str(size)),
            )
        )
        bot = await stack.enter_async_context(
            bot_running(session, base, large_server.TOKEN, file, model, MAGPIE_OCR="off")
        )
        peer = await Gallery.open(file, str(model), device="cpu", precision="auto", read_only=True)
        stack.push_async_callback(peer.close)
        await peer.ready_to_embed()
        # The bot has its compiled loops; a gallery that is only read doesn't load them by itself.
        index: Any = peer._ranking._index
        await asyncio.to_thread(index.rows.warm)
        member = await stack.enter_async_context(Person.log_in(session, base, large_server.MEMBER))
        for words in [next(asked) for _ in range(WARMING)]:
            await _ask(member, words)
            await _ask_peer(peer, words)
        spent = {"bot": 0.0, "sandbox": 0.0, "client": 0.0}
        for _ in range(QUESTIONS // IN_A_ROW):
            few = [next(asked) for _ in range(IN_A_ROW)]
            before = _cpu_s(bot), _cpu_s(discord), time.process_time()
            with _on(cores[-1]):
                measured.whole += [(await _ask(member, words)).took_s for words in few]
            after = _cpu_s(bot), _cpu_s(discord), time.process_time()
            for who, a, b in zip(spent, after, before, strict=True):
                spent[who] += a - b
            for words in few:
                tower_s, search_s = await _ask_peer(peer, words)
                measured.tower.append(tower_s)
                measured.search.append(search_s)
        measured.cpu_s = spent
        owner = await stack.enter_async_context(Person.log_in(session, base, large_server.OWNER))
        with _on(cores[-1]):
            measured.reindexing = await _while_reindexing(owner, member, asked)
    return measured


@contextlib.contextmanager
def _on(core: int) -> Iterator[None]:
    """Run this thread on another core. Threads that exist already stay where they are."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _ask(member: Person, words: str) -> Answer:
    answer = await member.command("find", query=words)
    shown = len(answer.pictures())
    assert shown == PAGE_SIZE, f"{shown} pictures for {words}: {answer.text()}"
    return answer


async def _ask_peer(peer: Gallery, words: str) -> tuple[float, float]:
    """Seconds of the text tower and of the search, among the same rows."""
    began = time.perf_counter()
    embedding = await peer.embed_query(Query(text=words))
    embedded = time.perf_counter()
    groups = frozenset({large_server.CAMERA, *large_server.PLACES})
    answer = await peer.search(embedding, Filter(large_server.GUILD, groups), k=PAGE_SIZE)
    assert len(answer.hits) == PAGE_SIZE
    return embedded - began, time.perf_counter() - embedded


async def _while_reindexing(owner: Person, member: Person, asked: Iterator[str]) -> list[float]:
    """Seconds of questions while #camera is read and embedded again."""
    await owner.command("reindex", channel=str(large_server.CAMERA), what="everything")
    progress = await owner.event(
        "MESSAGE_CREATE", where=lambda message: bool(message.get("components"))
    )
    await asyncio.sleep(2.0)  # until its pictures are being read
    pause = random.Random(7)
    seconds = []
    for words in [next(asked) for _ in range(REINDEXING)]:
        await asyncio.sleep(pause.uniform(0, PAUSE_S))
        seconds.append((await _ask(member, words)).took_s)
    now = (await owner.messages(progress["channel_id"], limit=1))[0]
    assert now.get("components"), f"the reindex was over too early: {now['content']}"
    await owner.click(Answer(now), Answer(now).button("Cancel"))
    return seconds


def _cpu_s(process: asyncio.subprocess.Process) -> float:
    """Processor time of the process so far, in seconds, to a hundredth."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
