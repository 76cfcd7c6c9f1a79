"""Bombs that one member asks with at the same time, and another's answers beside them.

The whole bot runs, against the sandbox. The other member asks in words and with a picture, first
alone, then beside the bombs, for as long as their member waits for an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Literal

import aiohttp
from PIL import Image

import sandbox
from bench.report import Figure, Target
from bot.text import answers as answer_text
from checks.fuzzing import bombs, doors, files
from checks.fuzzing.doors import SQUARE
from checks.fuzzing.target import Unsound, rng_of
from sandbox.person import Answer, Person, Refused

ROUNDS = 20  # of questions of either kind, without bombs
SURE = 5  # bombs that keep a decoder busy for a second
ANY = 5  # bombs of any kind
# Pictures of the sandbox fit both, so that every answer shows some.
WORDS = "black"
SOUND = files.encoded(Image.new("RGB", (64, 64), "black"), "PNG")
# How many times as long the slowest answer may take beside the bombs. They need a core for
# themselves, and who waits for a bomb to end waits a hundred times as long.
SLOWER = 10.0

Asking = Literal["in words", "with a picture"]
KINDS: tuple[Asking, ...] = ("in words", "with a picture")
SECONDS = dict[Asking, list[float]]


@dataclass
class Together:
    """How long another member's answers took, and what the bombs' member was told."""

    alone: SECONDS = field(default_factory=lambda: {kind: [] for kind in KINDS})
    beside: SECONDS = field(default_factory=lambda: {kind: [] for kind in KINDS})
    bombs: Counter[str] = field(default_factory=Counter)  # what came of them

    def slower(self, kind: Asking) -> float:
        """How many times as long the slowest answer takes beside the bombs."""
        return max(self.beside[kind]) / max(self.alone[kind])

    def figures(self) -> dict[str, Figure]:
        came = ", ".join(f"{count} {name}" for name, count in self.bombs.most_common())
        figures: dict[str, Figure] = {"bombs together": came}
        for kind in KINDS:
            figures[_slower(kind)] = self.slower(kind)
            figures[f"{kind} beside bombs, ms"] = _spread(self.beside[kind])
        return figures

    def peers(self) -> dict[str, Figure]:
        return {f"{kind} without bombs, ms": _spread(self.alone[kind]) for kind in KINDS}

    def targets(self) -> dict[str, Target]:
        return {_slower(kind): Target(self.slower(kind), SLOWER, at_least=False) for kind in KINDS}


def _slower(kind: Asking) -> str:
    return f"slowest {kind} beside bombs, times as long"


def _spread(seconds: Sequence[float]) -> str:
    """The median and the greatest, in milliseconds, and how many there are."""
    middle, most = statistics.median(seconds), max(seconds)
    return f"{1000 * middle:.0f}, at most {1000 * most:.0f} ({len(seconds)} answers)"


async def measure(seed: int, *, sure: int = SURE, any: int = ANY, rounds: int = ROUNDS) -> Together:
    """Ask alone, then beside bombs.

    raises   Unsound when an answer is wrong, or an error was logged
    """
    mistakes = doors.Mistakes()
    logging.getLogger().addHandler(mistakes)
    try:
        async with contextlib.AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="together-")))
            enter = stack.enter_async_context
            server = await enter(sandbox.serve(doors.world(folder), record=False))
            await enter(doors.bot(server, folder / "magpie.db"))
            session = await enter(aiohttp.ClientSession())
            owner = await enter(Person.log_in(session, server.url, "owner"))
            member = await enter(Person.log_in(session, server.url, "member"))
            await doors.index_all(owner)
            measured = await _measure(owner, member, _bombs(seed, sure, any), rounds)
            await _wait_for_turn(member)  # until no bomb is left; otherwise the bot closes on it
    finally:
        logging.getLogger().removeHandler(mistakes)
    if mistakes.found:
        raise Unsound(f"the log has {mistakes.found[0]}")
    return measured


def _bombs(seed: int, sure: int, any: int) -> list[bytes]:
    """Bombs, those first that surely take long."""
    whole = files.encoded(Image.new("L", (2000, 2000), 128), "JPEG", progressive=True)
    end = whole.rindex(b"\xff\xd9")
    scans = whole[whole.rindex(b"\xff\xda", 0, end) : end] * 300
    long = [whole[:end] + scans + whole[end:] + bytes([number]) for number in range(sure)]
    rngs = [rng_of(seed, "together", number) for number in range(any)]
    return long + [rng.choice(bombs.WAYS)(rng) for rng in rngs]


async def _measure(
    owner: Person, member: Person, subjects: Sequence[bytes], rounds: int
) -> Together:
    measured = Together()
    await _ask_both(owner, Together().alone)  # which starts a process that decodes
    for _ in range(rounds):
        await _ask_both(owner, measured.alone)
    asked = [asyncio.create_task(_came_of(member, data)) for data in subjects]

    async def ask_beside(kind: Asking) -> None:
        while not all(task.done() for task in asked):
            measured.beside[kind].append(await _ask(owner, kind))

    await asyncio.gather(*(ask_beside(kind) for kind in KINDS))
    measured.bombs.update(task.result() for task in asked)
    return measured


async def _ask_both(person: Person, times: SECONDS) -> None:
    """Ask in words and with a picture at the same time, and note how long each answer takes."""
    took_s = await asyncio.gather(*(_ask(person, kind) for kind in KINDS))
    for kind, seconds in zip(KINDS, took_s, strict=True):
        times[kind].append(seconds)


async def _ask(person: Person, kind: Asking) -> float:
    """Seconds until the answer."""
    asking = doors.ask(person, WORDS) if kind == "in words" else _ask_with(person, SOUND)
    answer = await asking
    if not answer.pictures():
        raise Unsound(f"no pictures {kind}: {answer.text()}")
    return answer.took_s


async def _came_of(member: Person, bomb: bytes) -> str:
    try:
        answer = await _ask_with(member, bomb)
    except TimeoutError:  # the member's client waits no longer
        return "waited for their turn until the end"
    except Refused as refused:
        if refused.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        return "were too large to be posted"
    if answer.text() == answer_text.your_pictures_wait():
        return "had no place"
    return "looked at"


async def _ask_with(person: Person, data: bytes) -> Answer:
    return await person.command("find", where=str(SQUARE), image=("a.png", data))


async def _wait_for_turn(member: Person) -> None:
    """Ask with a sound picture until it is answered: a member's pictures are decoded in order."""
    while True:
        with contextlib.suppress(TimeoutError):
            if (await _ask_with(member, SOUND)).pictures():
                return
        await asyncio.sleep(0.1)
