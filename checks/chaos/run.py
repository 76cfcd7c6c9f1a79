"""One run of chaos: play the schedule, let the bot settle, judge. See the package."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import random
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import aiohttp

import sandbox
from bench import BUILD
from bench.options import SQLITE, Options
from bench.report import Figure, Report, Target
from checks.chaos import machine, notices, questions, schedule, servers, stores, truth
from checks.chaos.bot import Bot
from checks.chaos.clock import Clock
from checks.chaos.hearing import Hearing
from checks.chaos.notices import NoticeWitness
from checks.chaos.pictures import Pictures
from checks.chaos.questions import Asking
from checks.chaos.reading import Unreadable
from checks.chaos.schedule import Step
from checks.chaos.servers import GENERAL, NEST, NIGHT
from checks.chaos.steps import Steps
from checks.chaos.stores import Store
from checks.chaos.truth import Difference, Wishes
from checks.chaos.witness import Witness
from index.copies import warm as comparing
from index.overview import layout
from index.search.kernels import warm as searching
from sandbox.core import Clocks
from sandbox.person import Answer, Person, Refused, Unanswered

FOLDER = BUILD / "chaos"
MINUTES = 1.0  # of a run, unless another length is asked for
START_S = 120.0
LOOK_S = 1.0
# The time after which everything must be right again. A page that failed is tried again after 30 s.
# Deletions without an event are found by listing all channels, a page every 20 s.
SETTLE_S, SETTLE_HURRIED_S = 900.0, 150.0
LATE_S = 60.0  # the patience with the last deletions, on a busy machine
STEADY_LOOKS = 2  # in a row that find nothing wrong
# Discord waits three seconds for an answer. A machine that is busy with other things must not look
# like a bot that doesn't answer, whose times `bench load` measures.
CLOCKS = Clocks(unfurl_s=0.3, acknowledge_s=15.0)
ANSWER_S = 60.0
ASKED_ANYWAY = 0.05  # of the questions to a bot that isn't connected
SLOW_S = 10.0  # an answer that takes longer is noted in the log
HEARTBEAT_MS = 5_000
# A week, a day more, and as much as the clock may have been ahead when the week began.
WEEK_S = 8 * 86_400 + machine.CLOCK_WRONG_S
ASKED_FOR = 6  # pictures that are searched for at the end
PATIENT_TIMES = 5  # attempts at such a question
FOLLOWED = 0.5  # of the answers have a control used
# Members who are told of every picture that they can read.
WATCHING = (servers.ADA, servers.BO)
DIMENSION = 64  # of vectors; loops are compiled once for all
COUNTS = (
    *("missing", "duplicated", "undead", "late", "leaked", "twice", "told_gone", "untold"),
    *("unanswered", "stuck", "crashed"),
)


@dataclass
class Outcome:
    """The result of a run. `faults` says in words what is not as promised."""

    seed: int
    counts: dict[str, int] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def note(self, count: str, what: list[str]) -> None:
        self.counts[count] = self.counts.get(count, 0) + len(what)
        self.faults += [f"{count}: {one}" for one in what]

    def line(self) -> str:
        wrong = [f"{number} {count}" for count, number in self.counts.items() if number]
        return f"seed {self.seed}: {', '.join(wrong) or 'nothing wrong'}"


def run(options: Options) -> Report:
    """The counts of one seed, or of many together. Each count has to be 0."""
    compile_loops()
    minutes = MINUTES if options.minutes is None else options.minutes
    seeds = [options.seed] if options.seeds is None else options.seeds
    outcomes = []
    for seed in seeds:
        folder = (FOLDER / str(seed)).absolute()
        playing = play(seed, minutes * 60, folder, hurried=options.hurried, db=options.db)
        outcomes.append(asyncio.run(playing))
        if len(seeds) > 1:
            print(outcomes[-1].line(), file=sys.stderr, flush=True)
    counts = {count: sum(one.counts[count] for one in outcomes) for count in COUNTS}
    faults = [f"seed {one.seed}, {what}" for one in outcomes for what in one.faults]
    figures: dict[str, Figure] = {**counts, "seeds": len(outcomes), "minutes": minutes}
    for name in outcomes[0].figures:
        figures[name] = round(sum(one.figures[name] for one in outcomes), 1)
    figures |= {"logs": str(FOLDER / "SEED" / "log")}
    figures |= {f"fault {n}": what for n, what in enumerate(faults[:20], start=1)}
    targets = {count: Target(number, 0, at_least=False) for count, number in counts.items()}
    return Report(figures, {}, targets)


def compile_loops() -> None:
    """Compile all loops, unless that is done, so that each process of the bot finds them on disk.

    On a busy machine this takes minutes: longer than a run waits for a start or an answer.
    """
    comparing.warm()
    layout.warm()
    searching.warm(DIMENSION)


async def play(
    seed: int, seconds: float, folder: Path, *, hurried: bool, db: str = SQLITE
) -> Outcome:
    """Play a seed's schedule, let the bot settle, and judge. raises   Unavailable: no PostgreSQL"""
    # The sandbox cuts connections on purpose; its server need not log that.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "world").mkdir(parents=True)
    async with contextlib.AsyncExitStack() as stack:
        store = stack.enter_context(stores.serve(db, folder))
        log = stack.enter_context((folder / "log").open("w", buffering=1))
        return await ChaosRun(seed, seconds, folder, store, log, hurried=hurried).play(stack)


class ChaosRun:
    """One run."""

    def __init__(
        self,
        seed: int,
        seconds: float,
        folder: Path,
        store: Store,
        log: TextIO,
        *,
        hurried: bool,
    ) -> None:
        self._seed = seed
        self._seconds = seconds
        self._folder = folder
        self._store = store
        self._log = log
        self._hurried = hurried
        self._began = time.monotonic()
        self._wishes = Wishes()
        self._outcome = Outcome(seed, dict.fromkeys(COUNTS, 0))
        self._vectors: dict[bytes, bytes] = {}
        self._asked_with: set[bytes] = (
            set()
        )  # keys of files; a question keeps the vector for a week
        self._unheard = 0

    def say(self, what: str) -> None:
        self._log.write(f"{time.monotonic() - self._began:8.2f} {what}\n")

    async def play(self, stack: contextlib.AsyncExitStack) -> Outcome:
        rng = random.Random(self._seed)
        self._pictures = Pictures(rng)
        made = servers.world(self._folder / "world", self._pictures, rng)
        self._server = server = await stack.enter_async_context(
            sandbox.serve(made, clocks=CLOCKS, record=False)
        )
        server.gateway.heartbeat_ms = HEARTBEAT_MS
        self._witness = Witness(server)
        self._session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        self._people = {
            id: await stack.enter_async_context(
                Person.log_in(self._session, server.url, made.users[id].token)
            )
            for id in servers.PEOPLE
        }
        clock = Clock(self._folder)
        log = self._folder / "bot.log"
        self._bot = Bot(server.url, self._store.place, log, clock, hurried=self._hurried)
        self._hearing = Hearing(server, self._bot)
        self._steps = Steps(
            server, self._people, self._bot, self._pictures, self._wishes, self._store
        )
        self._bot.start()
        try:
            await self._under_chaos()
            difference = await self._settled()
            await self._look_at_what_was_not_told()
            await self._look_for_some()
            await self._ask_once_more()
            await self._delete_at_once()
            ended = await self._bot.close()
        except BaseException:
            self._bot.kill()
            raise
        self._judge(difference, ended)
        return self._outcome

    # ── While it happens ─────────────────────────────────────────────────────────────────

    async def _under_chaos(self) -> None:
        await self._connected()
        await self._do(schedule.draw_at_first(self._seed))
        await self._watch_channels()
        looking = asyncio.create_task(self._look())
        until = time.monotonic() + self._seconds
        asking = [
            asyncio.create_task(self._ask(id, random.Random(f"{self._seed} {id}"), until))
            for id in self._people
            if id != servers.ELI
        ]
        await self._follow_schedule()
        self.say("-- calm")
        await self._steps.calm()
        await asyncio.gather(*asking)
        await self._connected()
        # The next session reads the last minutes again, and must not bring this back.
        said = await self._steps.do(Step(0, "erase", (random.Random(self._seed).random(), 0, 0, 0)))
        await self._steps.finish()
        self.say(f"erase {said}")
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    async def _connected(self) -> None:
        async with asyncio.timeout(START_S):
            while not (await self._bot.health(self._session)).get("ready"):  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    async def _watch_channels(self) -> None:
        """Set the servers up, each step until it is answered: the first faults may strike it."""
        ada = self._people[servers.ADA]
        for guild, marks in ((NEST, servers.MARKED), *servers.MARKED_ELSEWHERE.items()):
            ada.guilds.sort(key=lambda one, first=guild: one["id"] != str(first))  # type: ignore[misc]
            for mark in marks:
                here = GENERAL if guild == NEST else mark
                add = functools.partial(ada.command, "channels", "add", where=str(here))
                await self._mark(functools.partial(add, channel=str(mark)), here, mark)
        ada.guilds.sort(key=lambda one: one["id"] != str(NEST))
        on = functools.partial(ada.command, "reposts", "on", where=str(GENERAL))
        await self._set_up(functools.partial(on, channel=str(GENERAL)), servers.ADA, GENERAL)
        for id in WATCHING:
            watch = functools.partial(notices.watch_everything, self._people[id], GENERAL)
            await self._set_up(watch, id, GENERAL)
            self._wishes.watching.add(id)
        self._notices = NoticeWitness(
            self._server, self._witness, WATCHING, self._wishes, self._bot.clock
        )

    async def _mark(self, add: Asking, here: int, mark: int) -> None:
        """Have a channel watched. An answer may also say that it could not be done just now."""
        for _ in range(PATIENT_TIMES):
            await self._set_up(add, servers.ADA, here)
            with contextlib.suppress(Unreadable):
                if mark in await asyncio.to_thread(truth.marked, self._store.place):
                    self._wishes.marked.add(mark)
                    return
        self._outcome.note("stuck", [f"{mark} can't be watched"])

    async def _set_up(self, step: Asking, user: int, here: int) -> None:
        if await self._answer_in_the_end(step, user, here) is None:
            self._outcome.note("stuck", [f"nobody answers {servers.PEOPLE[user]}, who sets it up"])

    async def _follow_schedule(self) -> None:
        steps = schedule.draw(self._seed, self._seconds)
        self.say(f"-- seed {self._seed}, {len(steps)} steps in {self._seconds:.0f} s")
        await self._do(steps)

    async def _do(self, steps: list[Step]) -> None:
        began = time.monotonic()
        for step in steps:
            await asyncio.sleep(max(0.0, began + step.at_s - time.monotonic()))
            said = await self._steps.do(step)
            self.say(f"{step.what} {said}")

    async def _look(self) -> None:
        """Remember each vector, so as to recognise it if it outlives its picture."""
        newest = 0
        while True:
            await asyncio.sleep(LOOK_S)
            # a file that is locked, full or not there yet is read the next time
            with contextlib.suppress(Exception):
                some, newest = await asyncio.to_thread(truth.vectors, self._store.place, newest)
                self._vectors |= some
                self._notices.covered = await asyncio.to_thread(truth.covered, self._store.place)

    # ── Questions ────────────────────────────────────────────────────────────────────────

    async def _ask(self, user: int, rng: random.Random, until: float) -> None:
        """Ask as one member, one question after the other."""
        person = self._people[user]
        last: Answer | None = None
        while time.monotonic() < until:
            await asyncio.sleep(rng.uniform(0.1, 1.0))
            if not self._hearing.now().sockets and rng.random() > ASKED_ANYWAY:
                continue
            here, used = NIGHT if rng.random() < 0.15 else GENERAL, None
            if last is not None and rng.random() < FOLLOWED:
                used = questions.control(self._server, person, last, rng)
            if used is not None and last is not None:
                here = int(last.message["channel_id"])
            channel = self._server.world.channel(here)
            if channel is None or not self._server.world.reads(user, channel):
                continue
            ask = used or questions.question(self._server, person, rng, here)
            began = time.monotonic()
            with self._witness.asked(user, NEST, here) as question:
                last = await self._answer(ask, user, here)
                if last is not None and not self._witness.judge(question, last):
                    self.say(f"{person.name} in {here} was shown too much: {last.text()}")
            if last is not None and (took_s := time.monotonic() - began) > SLOW_S:
                self.say(f"{person.name} was answered after {took_s:.1f} s")

    async def _answer(self, ask: Asking, user: int, here: int) -> Answer | None:
        """The answer; None when it came too late, was refused, or the bot ended meanwhile."""
        asked = self._hearing.now()
        answering = asyncio.create_task(ask())
        try:
            async with asyncio.timeout(ANSWER_S):
                while not answering.done() and not self._hearing.lost(asked):
                    await asyncio.wait({answering}, timeout=0.5)
                await asyncio.wait({answering}, timeout=1.0)  # it may have been sent already
                if answering.done():
                    return answering.result()
            why = "the bot was gone"
        except (Refused, Unanswered, TimeoutError, KeyError, aiohttp.ClientError) as error:
            why = repr(error)
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
        excuse = self._hearing.excuse(asked)
        channel = self._server.world.channel(here)
        if channel is None or not self._server.world.reads(user, channel):
            excuse = "the asker can no longer read the channel of the answer"
        who = f"{servers.PEOPLE[user]} in {here} after {time.monotonic() - asked.at_s:.1f} s"
        self.say(f"no answer to {who}: {why}; {excuse}")
        if excuse is None:
            self._outcome.note("unanswered", [f"{who}: {why}"])
        self._unheard += excuse is not None
        return None

    # ── When it is over ──────────────────────────────────────────────────────────────────

    async def _settled(self) -> Difference:
        """What is wrong once nothing is wrong any more, or once the time is up."""
        self.say("-- settling")
        began = time.monotonic()
        limit_s = SETTLE_HURRIED_S if self._hurried else SETTLE_S
        await asyncio.sleep(LOOK_S)  # Discord adds the embeds of links late
        before = set(self._server.gateway.sessions)
        self._server.strike("gateway_invalid")
        steady = 0
        health: dict[str, Any] = {}
        difference: Difference | None = None
        while steady < STEADY_LOOKS and time.monotonic() - began < limit_s:
            await asyncio.sleep(LOOK_S)
            health = await self._bot.health(self._session)
            try:
                difference = await asyncio.to_thread(self._difference)
            except Unreadable as error:
                self.say(f"the gallery can't be read: {error}")
                continue
            well = health.get("ready") and not health.get("indexing") and not difference
            well = well and self._is_connected_anew(before)
            if well and steady == STEADY_LOOKS - 1:  # rewriting the file removes the last bytes
                well = not await asyncio.to_thread(self._remains)
            steady = steady + 1 if well else 0
            if steady and difference.kept and self._can_pass_a_week():
                if not difference.unnoted:
                    self._pass_a_week()
                steady = 0
        self._outcome.figures["settled_s"] = round(time.monotonic() - began, 1)
        if difference is None or not health.get("ready") or health.get("indexing"):
            self._outcome.note("stuck", [f"not settled after {limit_s:.0f} s: {health}"])
        return difference if difference is not None else self._difference()

    def _is_connected_anew(self, before: set[str]) -> bool:
        """Whether the bot has a session that it did not have before."""
        return any(
            session.user.bot and session.socket is not None and session.id not in before
            for session in self._server.gateway.sessions.values()
        )

    def _can_pass_a_week(self) -> bool:
        return self._hurried and self._bot.clock.can_be_wrong and not self._wishes.week_over

    def _pass_a_week(self) -> None:
        """Let a week pass by the bot's clock.

        Then the rows of a deleted server, and of channels closed to the bot, must go.
        """
        self.say("-- a week passes")
        self._bot.clock.set(WEEK_S)
        self._wishes.week_over = True

    def _difference(self) -> Difference:
        wanted = truth.expected(self._server.core, self._pictures, self._wishes)
        return truth.difference(wanted, truth.found(self._store.place, self._wishes, wanted.closed))

    async def _look_for_some(self) -> None:
        """Check that asking with a picture's own bytes finds that picture first."""
        wanted = truth.expected(self._server.core, self._pictures, self._wishes).required
        files = {
            truth.key_of(path): (message, path)
            for message, path in truth.files(self._server.core, self._server.world.guilds[NEST])
            if (message, truth.key_of(path)) in wanted and not truth.is_animated(path)
        }
        rng = random.Random(self._seed)
        chosen = rng.sample(sorted(files), min(ASKED_FOR, len(files)))
        self._asked_with.update(chosen)
        lost = []
        for key in chosen:
            message, path = files[key]
            find = functools.partial(self._find, path)
            answer = await self._answer_in_the_end(find, servers.ADA, GENERAL)
            if answer is None:
                self._outcome.note("stuck", [f"nobody answers who asks for {path.name}"])
                continue
            first = answer.pictures()[:1]
            if not first or not self._is(first[0], key):
                instead = first[0]["media"]["url"] if first else answer.text()
                lost.append(f"{path.name} of message {message} is not found: {instead}")
        self._outcome.note("missing", lost)
        self._outcome.figures["asked_for"] = len(chosen)

    async def _answer_in_the_end(self, ask: Asking, user: int, here: int) -> Answer | None:
        """The answer, after several attempts if need be.

        A busy machine may be too slow for Discord's three seconds.
        """
        for _ in range(PATIENT_TIMES):
            if (answer := await self._answer(ask, user, here)) is not None:
                return answer
        return None

    async def _look_at_what_was_not_told(self) -> None:
        """Check that each picture was told that had to be, or waits to be told."""
        wanted = truth.expected(self._server.core, self._pictures, self._wishes).required
        left_out = await asyncio.to_thread(self._notices.left_out, wanted, self._store.place)
        self._outcome.note("untold", left_out)
        self._outcome.figures["had_to_be_told"] = self._notices.count_due(wanted)

    async def _ask_once_more(self) -> None:
        """Ask as everybody once more, now that the bot knows everything again."""
        general = self._server.world.guilds[NEST].channels[GENERAL]
        for id, person in self._people.items():
            if id == servers.ELI or not self._server.world.reads(id, general):
                continue
            for show in ("only me", "everyone"):
                ask = functools.partial(
                    person.command, "find", where=str(GENERAL), query=questions.WORDS[0], show=show
                )
                with self._witness.asked(id, NEST, GENERAL) as question:
                    if (answer := await self._answer(ask, id, GENERAL)) is not None:
                        self._witness.judge(question, answer)

    async def _delete_at_once(self) -> None:
        """Delete in every way, and note what the bot doesn't follow.

        Its last process never lists channels, and its session doesn't end. So it must follow what
        Discord announces: there is no second way to it.
        """
        deaths, self._bot.lists = self._bot.deaths, False
        self._bot.terminate()
        await self._until(lambda: self._is_back(deaths), START_S)
        self.say("-- at once")
        heard = self._hearing.now()
        await self._do(schedule.draw_at_once(self._seed))
        await self._steps.calm()
        self.say("-- at once: all is done")
        await self._until(self._has_followed, LATE_S)
        if self._hearing.now().sessions != heard.sessions:
            self.say("-- at once: its session ended, so it need not have heard of all")
            return
        late = self._difference().undead.elements()
        self._outcome.note("late", [f"{self._told(m)} key {key.hex()[:12]}" for m, key in late])

    async def _is_back(self, deaths: int) -> bool:
        """Whether the bot has ended since then, and its next process has caught up."""
        return self._bot.deaths > deaths and await self._is_idle()

    async def _is_idle(self) -> bool:
        health = await self._bot.health(self._session)
        return bool(health.get("ready")) and not health.get("indexing")

    async def _has_followed(self) -> bool:
        """Whether nothing is left that should be gone, and nothing is on its way."""
        followed = await self._is_idle() and not await asyncio.to_thread(self._difference)
        return followed and not await asyncio.to_thread(self._remains)

    async def _until(self, holds: Callable[[], Awaitable[bool]], patience_s: float) -> None:
        """Wait until `holds` says so, or the patience is over."""
        until = time.monotonic() + patience_s
        while not await holds() and time.monotonic() < until:  # noqa: ASYNC110 (it is asked)
            await asyncio.sleep(LOOK_S)

    async def _find(self, path: Path) -> Answer:
        image = ("asked.png", await asyncio.to_thread(path.read_bytes))
        return await self._people[servers.ADA].command("find", where=str(GENERAL), image=image)

    def _is(self, item: dict[str, Any], key: bytes) -> bool:
        """Whether a shown picture has the bytes that were asked with."""
        medium = truth.medium_at(item["media"]["url"])
        return any(
            truth.shown(self._server.core, message).get(medium) == key
            for guild in self._server.world.guilds.values()
            for channel in guild.channels.values()
            for message in self._server.world.messages(channel.id)
        )

    def _judge(self, difference: Difference, ended: bool) -> None:
        outcome = self._outcome
        for count in ("missing", "duplicated", "undead"):
            rows = getattr(difference, count).elements()
            outcome.note(count, [f"{self._told(m)} key {key.hex()[:12]}" for m, key in rows])
        outcome.note("undead", ["a row without its other half"] * difference.orphans)
        outcome.note("undead", self._remains())
        outcome.note("leaked", self._witness.leaked)
        outcome.note("leaked", self._notices.leaked)
        outcome.note("told_gone", self._notices.gone)
        outcome.note("twice", notices.told_twice(self._server))
        outcome.note("stuck", [] if ended else ["it did not end when told to"])
        outcome.note("crashed", self._bot.crashes)
        outcome.figures |= {
            "pictures": sum(truth.found(self._store.place, self._wishes).links.values()),
            "answers": self._witness.answers,
            "pictures_shown": self._witness.pictures,
            "unheard": self._unheard,
            "notices": notices.count(self._server),
            "notices_excused": self._notices.excused,
            "in_the_dark": self._witness.in_the_dark,
            "left_out": sum(one.surely > 0 for one in self._wishes.left_out.values()),
            "starts": self._bot.deaths,
            "refused_starts": self._bot.refusals,
        }
        for fault in outcome.faults:
            self.say(f"!! {fault}")
        if outcome.faults:
            self._store.keep(self._folder)
        self.say(f"-- {outcome.counts} {outcome.figures}")

    def _told(self, message: int) -> str:
        """A message and its channel, for readers of the log."""
        for guild in self._server.world.guilds.values():
            for channel in guild.channels.values():
                if self._server.world.message(channel.id, message):
                    return f"message {message} in {channel.name} ({channel.id})"
        return f"message {message}, which is not there"

    def _remains(self) -> list[str]:
        """Bytes of pictures that are no longer in the gallery, but still in its store."""
        names, keys = truth.kept(self._store.place)
        traces = {name.encode(): f"name {name}" for name in self._pictures.names - names}
        for key, blob in self._vectors.items():
            if key not in keys:
                traces[key] = f"key {key.hex()[:12]}"
            if key not in keys | self._asked_with:
                traces |= {one: f"vector of {key.hex()[:12]}" for one in truth.slices(blob)}
        return self._store.remains(traces)
