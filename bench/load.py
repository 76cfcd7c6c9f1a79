"""Fifty servers at once for ten minutes: bursts of pictures, and questions at the same time.

The bot, with the pocket model, and the sandbox are processes of their own. At the start nothing is
indexed. Every ten seconds 200 pictures are posted within one second, half of them in one noisy
server. A member of each server asks once a second. The lag of a picture is the time from the
sandbox's answer to its post until its link is in the gallery's file. No words fit these pictures,
so the model is without the number that words are judged with: once some pictures are indexed,
answers show them. BENCH_MINUTES (10) shortens the run; `docs/load.svg` shows memory and lag over
time.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np
from PIL import Image

import sandbox
from bench.checkpoint import unjudging
from bench.options import Options
from bench.processes import bot_running, sandbox_running
from bench.report import Figure, Report, Target
from index import Gallery
from pocket import MODEL
from sandbox.person import Person, Refused, Unanswered
from sandbox.snowflakes import at_time
from sandbox.world import Application, Channel, Guild, Member, Role, User, World

GUILDS, CHANNELS = 50, 40
BURST, EVERY_S, A_MESSAGE = 200, 10.0, 5  # pictures, and how many go into one message
NOISY_SHARE = 0.5
MINUTES = 10.0  # unless another length is asked for
LOOK_S = 0.5
SETTLE_S = 600.0
BEGAN = 1_767_225_600
TOKEN = "the-bots-token"
PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 31
WORDS = ("dog in snow", "cat at night", "a red car", "fish", "house by the sea", "two birds")
PLOT = Path("docs", "load.svg")


def _id(number: int) -> int:
    return at_time(BEGAN + number)


BOT = _id(0)


def guild_id(n: int) -> int:
    return _id(1000 + n)


def member_id(n: int) -> int:
    return _id(2000 + n)


def channel_id(n: int, c: int) -> int:
    return _id(10_000 + n * CHANNELS + c)


def world(folder: Path) -> World:
    """Fifty servers of forty channels, each server with its own member."""
    made = World(Application(BOT, "Magpie", "Finds pictures.", TOKEN, BOT), folder)
    made.users[BOT] = User(BOT, "magpie", bot=True)
    for n in range(GUILDS):
        user = made.users[member_id(n)] = User(member_id(n), f"member-{n}", token=f"token-{n}")
        guild = made.guilds[guild_id(n)] = Guild(guild_id(n), f"Server {n}", owner_id=user.id)
        guild.roles[guild.id] = Role(guild.id, "@everyone", PERMISSIONS)
        guild.members = {id: Member(guild.id, id) for id in (BOT, user.id)}
        for c in range(CHANNELS):
            id = channel_id(n, c)
            guild.channels[id] = Channel(id, guild.id, 0, f"channel-{c}", c)
    return made


async def gallery(path: Path) -> None:
    """Make an empty gallery that watches every channel and has read all of them so far."""
    opened = await Gallery.open(path, str(unjudging(MODEL)), device="cpu")
    await opened.close()
    places = [(guild_id(n), channel_id(n, c)) for n in range(GUILDS) for c in range(CHANNELS)]
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executemany("INSERT INTO watched VALUES (?, ?)", places)
        newest = at_time(BEGAN + 900_000)
        db.executemany(f"INSERT INTO cursors VALUES (?, ?, {newest}, 0, 1)", places)
        db.commit()


@dataclass
class Seen:
    """What was seen during the run; times are seconds since its start."""

    posted: dict[str, tuple[float, int]] = field(default_factory=dict)  # message → when, guild
    indexed: dict[str, float] = field(default_factory=dict)
    took_s: list[float] = field(default_factory=list)  # of each answer
    with_pictures: int = 0  # answers
    unanswered: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)  # when, MB

    def lags(self, *, noisy: bool) -> list[float]:
        return [
            self.indexed[message] - when
            for message, (when, guild) in self.posted.items()
            if message in self.indexed and (guild == 0) == noisy
        ]


def run(options: Options) -> Report:
    minutes = MINUTES if options.minutes is None else options.minutes
    with tempfile.TemporaryDirectory() as scratch:
        seen, pictures = asyncio.run(_under_load(Path(scratch), minutes * 60))
    PLOT.parent.mkdir(exist_ok=True)
    PLOT.write_text(plot(seen))
    posted = len(seen.posted)
    quiet, noisy = seen.lags(noisy=False), seen.lags(noisy=True)
    early, late = _thirds(seen.memory, minutes * 60)
    lost = posted * A_MESSAGE - pictures
    p50, p95, p99 = np.percentile(seen.took_s, [50, 95, 99])
    figures: dict[str, Figure] = {
        "minutes": minutes,
        "pictures": posted * A_MESSAGE,
        "lost": lost,
        "answers": len(seen.took_s),
        "answers_per_s": len(seen.took_s) / (minutes * 60),
        "answers_with_pictures": seen.with_pictures,
        "unanswered": seen.unanswered,
        "answer_p50_s": float(p50),
        "answer_p95_s": float(p95),
        "answer_p99_s": float(p99),
        "lag_quiet_p50_s": statistics.median(quiet),
        "lag_quiet_p95_s": float(np.percentile(quiet, 95)),
        "lag_noisy_p50_s": statistics.median(noisy),
        "lag_noisy_p95_s": float(np.percentile(noisy, 95)),
        "memory_mb_second_third": early,
        "memory_mb_last_third": late,
        "memory_growth": late / early,
    }
    targets = {
        "lost": Target(lost, 0, at_least=False),
        "unanswered": Target(seen.unanswered, 0, at_least=False),
        "memory_growth": Target(late / early, 1.05, at_least=False),
    }
    return Report(figures, {}, targets)


def _thirds(memory: list[tuple[float, float]], load_s: float) -> tuple[float, float]:
    """Median memory of the second third of the load, and of the last."""
    sizes = [mb for when, mb in memory if when < load_s]
    third = len(sizes) // 3
    return statistics.median(sizes[third : 2 * third]), statistics.median(sizes[2 * third :])


async def _under_load(folder: Path, load_s: float) -> tuple[Seen, int]:
    """What was seen, and how many pictures the gallery had at the end."""
    path = folder / "magpie.db"
    await gallery(path)
    seen = Seen()
    async with contextlib.AsyncExitStack() as stack:
        _, base = await stack.enter_async_context(
            sandbox_running(sys.executable, "-m", "bench.load", str(folder))
        )
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        bot = await stack.enter_async_context(
            bot_running(session, base, TOKEN, path, unjudging(MODEL))
        )
        people = [
            await stack.enter_async_context(Person.log_in(session, base, f"token-{n}"))
            for n in range(GUILDS)
        ]
        began = time.monotonic()
        looking = asyncio.create_task(_look(seen, began, path, bot.pid))
        asking = [asyncio.create_task(_ask(seen, began, load_s, person)) for person in people]
        await _post(seen, began, load_s, people)
        await asyncio.gather(*asking)
        async with asyncio.timeout(SETTLE_S):
            while len(seen.indexed) < len(seen.posted):  # noqa: ASYNC110 (only the file shows it)
                await asyncio.sleep(LOOK_S)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        return seen, _count(path)


async def _post(seen: Seen, began: float, load_s: float, people: list[Person]) -> None:
    """Post a burst every ten seconds."""
    rng = np.random.default_rng(7)
    numbers = itertools.count()
    while (now := time.monotonic() - began) < load_s:
        messages = BURST // A_MESSAGE
        guilds = [
            0 if rng.random() < NOISY_SHARE else int(g) for g in rng.integers(1, GUILDS, messages)
        ]
        posts = []
        for at, guild in enumerate(guilds):
            channel = channel_id(guild, int(rng.integers(CHANNELS)))
            files = {f"{n}.jpg": _picture(n) for n in itertools.islice(numbers, A_MESSAGE)}
            posts.append(
                _post_one(seen, began, people[guild], guild, channel, files, at / messages)
            )
        await asyncio.gather(*posts)
        await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic() - began - now)))


async def _post_one(
    seen: Seen,
    began: float,
    person: Person,
    guild: int,
    channel: int,
    files: dict[str, bytes],
    after_s: float,
) -> None:
    await asyncio.sleep(after_s)
    message = await person.post(str(channel), pictures=files)
    seen.posted[message["id"]] = (time.monotonic() - began, guild)


def _picture(number: int) -> bytes:
    """A small JPEG that differs from all others."""
    patch = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(patch).resize((320, 240), Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()


async def _ask(seen: Seen, began: float, load_s: float, person: Person) -> None:
    """Ask one question a second, or as fast as they are answered."""
    words = itertools.cycle(WORDS)
    await asyncio.sleep(int(person.user["id"]) % 1000 / 1000)
    while time.monotonic() - began < load_s:
        asked = time.monotonic()
        try:
            answer = await person.command("find", query=next(words))
            seen.with_pictures += bool(answer.pictures())
            seen.took_s.append(time.monotonic() - asked)
        except (Refused, Unanswered, TimeoutError):
            seen.unanswered += 1
        await asyncio.sleep(max(0.0, 1.0 - (time.monotonic() - asked)))


async def _look(seen: Seen, began: float, path: Path, pid: int) -> None:
    """Note which messages are in the file, and how much memory the bot uses."""
    newest = 0
    while True:
        rows = await asyncio.to_thread(_links, path, newest)
        now = time.monotonic() - began
        for id, source in rows:
            newest = max(newest, id)
            seen.indexed.setdefault(source, now)
        seen.memory.append((now, _resident_mb(pid)))
        await asyncio.sleep(LOOK_S)


def _links(path: Path, newest: int) -> list[tuple[int, str]]:
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return db.execute("SELECT id, source FROM links WHERE id > ?", (newest,)).fetchall()


def _count(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT COUNT(*) FROM links").fetchone()[0])


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def _serve(folder: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with sandbox.serve(world(folder), record=False) as server:
        print(server.url, flush=True)
        await stop.wait()


def plot(seen: Seen) -> str:
    """An SVG of the bot's memory, and of the lag of pictures in quiet servers and the noisy one."""
    wide, high = 720, 300
    last = seen.memory[-1][0]
    most = max(mb for _, mb in seen.memory) * 1.1
    lags = sorted(
        (when, seen.indexed[message] - when, guild)
        for message, (when, guild) in seen.posted.items()
        if message in seen.indexed
    )
    slowest = max(lag for _, lag, _ in lags) * 1.1

    def at(when: float, share: float) -> str:
        return f"{40 + when / last * (wide - 60):.1f},{high - 30 - share * (high - 70):.1f}"

    line = " ".join(at(when, mb / most) for when, mb in seen.memory)
    dots = "".join(
        '<circle cx="{}" cy="{}" r="1.5" fill="{}"/>'.format(
            *at(when, lag / slowest).split(","), "#e64980" if guild == 0 else "#12b886"
        )
        for when, lag, guild in lags
    )
    legend = (
        f"memory (line, top {most:.0f} MB); lag of pictures of the noisy server (red) and the "
        f"others (green), top {slowest:.1f} s; {last / 60:.1f} minutes"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        f'font-family="sans-serif" font-size="12"><rect width="{wide}" height="{high}" '
        f'fill="white"/><text x="40" y="18">{legend}</text>{dots}<polyline points="{line}" '
        'fill="none" stroke="#4c6ef5" stroke-width="2"/></svg>\n'
    )


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
