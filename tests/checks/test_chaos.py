"""A short run of chaos with every promise held, and that the judges would tell otherwise."""

from __future__ import annotations

import contextlib
import math
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

import trial_postgres
from bench.options import POSTGRES, SQLITE
from checks.chaos import privacy, questions, run, schedule, servers, steps, truth
from checks.chaos.bot import Bot
from checks.chaos.clock import Clock
from checks.chaos.hearing import Hearing
from checks.chaos.notices import NoticeWitness
from checks.chaos.pictures import Pictures, key
from checks.chaos.truth import Difference, Expected, Found, LeftOut, Wishes
from checks.chaos.witness import NEWS_S, Witness
from index.store.sqlite import SQLiteStore
from index.types.records import EmbeddedPicture, Group, Link, ModelInfo
from index.types.watches import MOST_PENDING
from sandbox import Server, permissions, serve
from sandbox.person import Answer, Person
from sandbox.world import Message, Overwrite

SECONDS = 10.0


@pytest.mark.slow
@pytest.mark.timeout(900)  # a busy machine settles late
@pytest.mark.parametrize("db", [SQLITE, POSTGRES])
async def test_ten_seconds_of_chaos_break_no_promise(tmp_path: Path, db: str) -> None:
    try:
        outcome = await run.play(8, SECONDS, tmp_path / "run", hurried=True, db=db)
    except trial_postgres.Unavailable as exc:
        pytest.skip(f"no PostgreSQL: {exc}")
    assert outcome.faults == []
    assert set(outcome.counts) == set(run.COUNTS)
    assert not any(outcome.counts.values())


def test_a_seed_draws_the_same_schedule_again() -> None:
    assert schedule.draw(5, 60) == schedule.draw(5, 60)
    assert schedule.draw(5, 60) != schedule.draw(6, 60)


def test_every_step_can_be_done() -> None:
    kinds = (schedule.DEEDS, schedule.FAULTS, schedule.AT_ONCE, schedule.HARMLESS)
    for what in {kind for some in kinds for kind in some}:
        assert sum(callable(getattr(kind, what, None)) for kind in steps.KINDS) == 1


@pytest.fixture
async def bo(tmp_path: Path) -> AsyncIterator[tuple[Server, Person]]:
    """The sandbox with the servers of a run, and a member of one."""
    rng = random.Random(3)
    async with (
        serve(servers.world(tmp_path, Pictures(rng), rng)) as server,
        aiohttp.ClientSession() as session,
        Person.log_in(session, server.url, server.world.users[servers.BO].token) as person,
    ):
        yield server, person


def below(*rows: dict[str, Any]) -> Answer:
    """An answer with these controls."""
    return Answer({"components": [{"type": 1, "components": list(rows)}]})


async def test_every_control_of_an_answer_is_used_and_the_form_is_sent(
    bo: tuple[Server, Person],
) -> None:
    rows = [
        {"type": 2, "custom_id": "n:x", "label": "Narrow"},
        {"type": 2, "custom_id": "m:x::g", "label": "Show the nearest guesses"},
        {"type": 2, "custom_id": "b:-", "label": "◀", "disabled": True},
        {"type": 2, "url": "https://discord.com/channels/1/2/3", "label": "Go to message"},
        {"type": 3, "custom_id": "l:x:", "options": [{"value": "7"}, {"value": "newest"}]},
    ]
    answer, rng = below(*rows), random.Random(3)
    uses: Any = [questions.control(*bo, answer, rng) for _ in range(60)]
    used = {(use.func.__name__, str(use.args[2])) for use in uses if use.func.__name__ == "choose"}
    assert used == {("choose", "7"), ("choose", "newest")}
    clicked = {use.args[1]["custom_id"] for use in uses if use.func.__name__ == "click"}
    assert clicked == {"m:x::g"}
    lines = [use.args[3] for use in uses if use.func.__name__ == "_narrow"]
    assert any("in:<#" in line for line in lines)
    assert any("sort:" in line for line in lines)


async def test_no_kind_of_control_is_hidden_by_a_long_menu(bo: tuple[Server, Person]) -> None:
    rng, options = random.Random(3), [{"value": str(link)} for link in range(25)]
    found = ("l:x:", ("b:x:", "w:x::7", "i:x:1", "u:x:more"))
    posted_before = ("k:1:2:0:0", ("q:1:2:0:5",))
    for menu, others in (found, posted_before):
        rows = [{"type": 2, "custom_id": one, "label": "?"} for one in others]
        answer = below(*rows, {"type": 3, "custom_id": menu, "options": options})
        uses: Any = [questions.control(*bo, answer, rng) for _ in range(100)]
        used = Counter(use.args[1]["custom_id"] for use in uses)
        assert used.keys() == {menu, *others}
        assert min(used.values()) >= 10


def test_a_difference_tells_missing_from_duplicated_from_undead() -> None:
    here, away, gone, unread = (1, b"a"), (2, b"b"), (3, b"c"), (4, b"d")
    wanted = Expected(Counter([here, away]), Counter())
    rows = Counter({here: 2, gone: 1, unread: 1})
    seen = truth.difference(wanted, Found(rows, Counter([unread]), 0))
    assert (seen.missing, seen.duplicated, seen.undead) == (
        Counter([away]), Counter([here]), Counter([gone]),
    )  # fmt: skip


def test_each_way_of_deleting_is_judged_at_once_and_no_fault_hides_one() -> None:
    drawn = {step.what for step in schedule.draw_at_once(5)}
    ways = {kind for kind in schedule.AT_ONCE if not kind.startswith("post")}
    assert ways <= drawn <= schedule.AT_ONCE.keys() | schedule.HARMLESS.keys()


@pytest.mark.parametrize(
    ("wishes", "surely", "maybe"),
    [
        ([("erase", True)], 10, 15),
        ([("erase", False)], 0, 15),
        ([("opt-out", True)], math.inf, math.inf),
        ([("opt-out", False)], 0, math.inf),
        ([("opt-out", True), ("opt-in", True)], 20, 25),
        ([("opt-out", True), ("opt-in", False)], 20, math.inf),
        ([("opt-out", False), ("opt-in", True)], 0, 25),
        ([("erase", True), ("opt-in", True)], 10, 15),
        ([("erase", True), ("opt-in earlier", True)], 0, 25),
        ([("erase", True), ("opt-out", False), ("opt-in", True)], 10, 35),
    ],
)
def test_a_wish_says_what_may_and_what_must_not_be_there(
    wishes: list[tuple[str, bool]], surely: float, maybe: float
) -> None:
    out = LeftOut()
    for number, (wish, certain) in enumerate(wishes, start=1):
        out = privacy.after(out, wish, 10 * number, 10 * number + 5, certain=certain)
    assert out == LeftOut(surely, maybe)


async def test_what_a_member_erased_must_not_be_there_and_what_they_posted_later_must(
    tmp_path: Path,
) -> None:
    rng = random.Random(3)
    pictures = Pictures(rng)
    async with serve(servers.world(tmp_path, pictures, rng)) as server:
        wishes = Wishes(marked=set(servers.MARKED))
        posted = sorted(
            message.id
            for channel in (servers.GENERAL, servers.HALL)
            for message in server.world.messages(channel)
            if message.author_id == servers.BO and message.attachments
        )
        surely, maybe = posted[1], posted[2]
        wishes.left_out[servers.NEST, servers.BO] = LeftOut(surely, maybe)
        wanted = truth.expected(server.core, pictures, wishes)
        required = {message for message, _ in wanted.required}
        allowed = {message for message, _ in wanted.allowed}
        assert not {*posted[:2]} & (required | allowed)
        assert allowed == {maybe}
        assert required >= {*posted[3:]}


async def test_a_question_is_excused_only_by_what_was_done_to_the_bot(tmp_path: Path) -> None:
    rng = random.Random(3)
    async with serve(servers.world(tmp_path, Pictures(rng), rng)) as server:
        bot = Bot(server.url, tmp_path / "g.db", tmp_path / "log", Clock(tmp_path), hurried=True)
        hearing = Hearing(server, bot)
        assert hearing.excuse(hearing.now()) == "it was not connected all the time"
        async with aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bot {servers.TOKEN}"}
            async with session.ws_connect(f"{server.url}/gateway?v=10&encoding=json") as socket:
                await socket.receive()
                identify = {"token": servers.TOKEN, "intents": 1, "properties": {}}
                await socket.send_json({"op": 2, "d": identify})
                await socket.receive()
                asked = hearing.now()
                assert hearing.excuse(asked) is None
                server.strike("error", who="bot", path="/users/@me")
                await session.get(f"{server.url}/api/v10/users/@me", headers=headers)
                assert hearing.excuse(asked) == "a fault struck one of its requests"
                bot.deaths += 1
                assert hearing.lost(asked)


def test_what_is_left_of_a_picture_is_found_in_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "magpie.db-wal"
    file.write_bytes(b"\0" * 5000 + b"mark7xabc.png" + b"\0" * 100)
    traces = {b"mark7xabc.png": "a name", b"mark8xabc.png": "another"}
    assert truth.remains([file], traces) == ["a name in magpie.db-wal"]


def answer_with(server: Server, message: Message) -> Answer:
    """A private answer to interaction 7 that shows the first picture of a message."""
    url = server.core.links.attachment(message.attachments[0])[0]
    line = f"[go to message](https://discord.com/channels/{servers.NEST}/1/{message.id})"
    parts = [
        {"type": 12, "items": [{"media": {"url": url}}]},
        {"type": 10, "content": line},
    ]  # fmt: skip
    return Answer({"flags": 64, "components": parts}, interaction="7")


async def test_the_witness_tells_what_an_asker_could_not_read(tmp_path: Path) -> None:
    rng = random.Random(3)
    pictures = Pictures(rng)
    async with serve(servers.world(tmp_path, pictures, rng)) as server:
        core, guild = server.core, server.world.guilds[servers.NEST]
        message = next(one for one in server.world.messages(servers.INSIDE) if one.attachments)
        answer = answer_with(server, message)
        witness = Witness(server)
        with witness.asked(servers.CY, guild.id, servers.GENERAL) as question:
            witness.judge(question, answer)
        assert witness.leaked == []
        with witness.asked(servers.BO, guild.id, servers.GENERAL) as question:
            witness.judge(question, answer)
        assert len(witness.leaked) == 1
        with witness.asked(servers.CY, guild.id, servers.GENERAL) as question:
            core.delete(message)  # it could be read when the question was asked
            witness.judge(question, answer)
        assert len(witness.leaked) == 1


@pytest.mark.parametrize("closer", [True, False])
async def test_the_witness_judges_a_closer_look_and_a_list_of_places(
    tmp_path: Path, closer: bool
) -> None:
    rng = random.Random(3)
    async with serve(servers.world(tmp_path, Pictures(rng), rng)) as server:
        message = next(one for one in server.world.messages(servers.INSIDE) if one.attachments)
        [gallery, line] = answer_with(server, message).parts()
        button = {"type": 2, "style": 5, "label": "Go to message", "url": line["content"][16:-1]}
        parts = [gallery, button] if closer else [line]
        answer = Answer({"flags": 64, "components": parts}, interaction="7")
        witness = Witness(server)
        for asker, leaks in ((servers.CY, 0), (servers.BO, 1)):
            with witness.asked(asker, servers.NEST, servers.GENERAL) as question:
                witness.judge(question, answer)
            assert len(witness.leaked) == leaks


ACKNOWLEDGED, ANSWERED = "/interactions/7/token/callback", "/webhooks/1/token/messages/@original"


@pytest.mark.parametrize(
    ("sent", "asked_again", "leaked"),
    [
        ((ACKNOWLEDGED, ANSWERED), False, True),
        ((ACKNOWLEDGED,), False, False),  # it was the answer, and Discord was slow with it
        ((ACKNOWLEDGED, ANSWERED), True, False),  # Discord was slow to tell the roles
    ],
)
async def test_the_witness_judges_by_the_moment_at_which_an_answer_was_sent(
    tmp_path: Path, sent: tuple[str, ...], asked_again: bool, leaked: bool
) -> None:
    rng = random.Random(3)
    now = 0.0
    async with serve(servers.world(tmp_path, Pictures(rng), rng)) as server:
        guild = server.world.guilds[servers.NEST]
        message = next(one for one in server.world.messages(servers.INSIDE) if one.attachments)
        witness = Witness(server, lambda: now)
        first, *later = sent
        with witness.asked(servers.CY, guild.id, servers.GENERAL) as question:
            server.doorway.arrivals[-1]("bot", "POST", first)
            if asked_again:
                server.doorway.arrivals[-1]("bot", "GET", f"/guilds/1/members/{servers.CY}")
            guild.channels[servers.INSIDE].overwrites = [
                Overwrite(servers.CY, 1, 0, permissions.VIEW_CHANNEL)
            ]
            server.core.channel_changed(guild.channels[servers.INSIDE])
            now += NEWS_S + 0.1
            for path in later:
                server.doorway.arrivals[-1]("bot", "PATCH", path)
            assert witness.judge(question, answer_with(server, message)) != leaked
        assert len(witness.leaked) == leaked


async def test_what_should_be_there_leaves_out_the_unwatched_and_the_broken(tmp_path: Path) -> None:
    rng = random.Random(3)
    pictures = Pictures(rng)
    async with serve(servers.world(tmp_path, pictures, rng)) as server:
        everything = Wishes(marked={*servers.MARKED, *servers.MARKED_ELSEWHERE[servers.ROCK]})
        wanted = truth.expected(server.core, pictures, everything).required
        attic = {message.id for message in server.world.messages(servers.ATTIC)}
        assert wanted
        assert not attic & {message for message, _ in wanted}
        (message, one), *_ = wanted
        pictures.broken.add(one)
        assert (message, one) not in truth.expected(server.core, pictures, everything).required
        assert not truth.expected(server.core, pictures, Wishes()).required


async def test_what_is_closed_to_the_bot_may_be_kept_for_a_week(tmp_path: Path) -> None:
    rng = random.Random(3)
    pictures = Pictures(rng)
    async with serve(servers.world(tmp_path, pictures, rng)) as server:
        wishes = Wishes(marked=set(servers.MARKED))
        inside = server.world.guilds[servers.NEST].channels[servers.INSIDE]
        message, item = next(
            one for one in truth.expected(server.core, pictures, wishes).required
            if server.world.message(inside.id, one[0])
        )  # fmt: skip
        inside.overwrites = [Overwrite(servers.BOT, 1, 0, permissions.READ_MESSAGE_HISTORY)]
        store = await SQLiteStore.open(tmp_path / "g.db")
        await store.model_record.set(ModelInfo("m", "1", 8))
        shown = EmbeddedPicture(item, "image", np.ones((1, 8), np.float32), 1, 1)
        gone = EmbeddedPicture(b"gone", "image", np.ones((1, 8), np.float32), 1, 1)
        link = Link(servers.NEST, Group(inside.id), str(message), "a")
        await store.writes.commit([(shown, link), (gone, replace(link, slot="b"))])

        def seen() -> Difference:
            wanted = truth.expected(server.core, pictures, wishes)
            wanted.required.clear()  # of other channels
            return truth.difference(wanted, truth.found(store.path, wishes, wanted.closed))

        assert not seen()
        assert (seen().kept, seen().unnoted) == (2, True)
        await store.bookkeeping.close_group(servers.NEST, inside.id, time.time())
        assert not seen().unnoted
        wishes.week_over = True
        assert seen().undead == Counter([(message, item), (message, b"gone")])
        await store.close()


def test_broken_pictures_are_known_as_such() -> None:
    pictures = Pictures(random.Random(1))
    _, data = pictures.draw_broken()
    assert key(data) in pictures.broken


def test_a_clock_is_wrong_for_its_process_only(tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    if not clock.can_be_wrong:
        pytest.skip("no C compiler")
    tell = "import time, datetime; print(time.time(), datetime.datetime.now().timestamp())"
    for wrong_s in (0, 86_400, -3_600):
        clock.set(wrong_s)
        told = subprocess.run(
            [sys.executable, "-c", tell],
            env={**os.environ, **clock.environment},
            capture_output=True,
            check=True,
        )
        for seconds in map(float, told.stdout.split()):
            assert 0 <= time.time() + wrong_s - seconds < 60


def test_no_two_things_of_the_servers_share_an_id(tmp_path: Path) -> None:
    rng = random.Random(4)
    made = servers.world(tmp_path, Pictures(rng), rng)
    places = [one.id for guild in made.guilds.values() for one in guild.channels.values()]
    messages = [message for place in places for message in made.messages(place)]
    ids = [message.id for message in messages]
    ids += [attachment.id for message in messages for attachment in message.attachments]
    assert len(ids) == len(set(ids)) > 300


def notice_of(server: Server, message: Message, watch: int = 1) -> list[dict[str, Any]]:
    """The components of a notice of the first picture of a message."""
    url = server.core.links.attachment(message.attachments[0])[0]
    line = f"[go to message](https://discord.com/channels/{servers.NEST}/1/{message.id})"
    row = {
        "type": 9,
        "components": [{"type": 10, "content": line}],
        "accessory": {"type": 11, "media": {"url": url}},
    }
    return [row, {"type": 1, "components": [{"type": 2, "custom_id": f"wp:{watch}:0a"}]}]


@pytest.mark.parametrize(
    ("told", "faults"),
    [
        ("hall", (0, 0, 0)),
        ("inside", (1, 0, 1)),  # which the member can't read
        ("gone", (0, 1, 1)),
        ("", (0, 0, 1)),
    ],
)
async def test_what_watches_tell_is_judged(
    tmp_path: Path, told: str, faults: tuple[int, int, int]
) -> None:
    rng = random.Random(3)
    now = 0.0
    async with serve(servers.world(tmp_path, Pictures(rng), rng)) as server:
        core, world = server.core, server.world
        wishes = Wishes(marked={servers.INDOORS}, watching={servers.BO})
        witness = NoticeWitness(
            *(server, Witness(server), [servers.BO], wishes, Clock(tmp_path)), lambda: now
        )
        witness.covered = {servers.HALL}
        pictures = [one for one in world.messages(servers.HALL) if one.attachments][:3]
        posted = {}
        places = (("hall", servers.HALL), ("inside", servers.INSIDE), ("gone", servers.HALL))
        for (name, place), like in zip(places, pictures, strict=True):
            posted[name] = Message(core.next_id(), place, servers.CY, "")
            posted[name].attachments = like.attachments[:1]
            core.post(posted[name])
        core.delete(posted["gone"])
        now += NEWS_S + 0.1
        direct = core.direct(servers.BOT, servers.BO)
        server.doorway.arrivals[-1]("bot", "POST", f"/channels/{direct.id}/messages")
        if told:
            sent = Message(core.next_id(), direct.id, servers.BOT, "")
            sent.components = notice_of(server, posted[told])
            core.post(sent)
        db = tmp_path / "magpie.db"
        await (await SQLiteStore.open(db)).close()
        [key] = truth.shown(core, posted["hall"]).values()
        left_out = witness.left_out({(posted["hall"].id, key)}, db)
        assert (len(witness.leaked), len(witness.gone), len(left_out)) == faults


@pytest.mark.parametrize("excuse", ["", "the watch is erased", "an event was missed", "many wait"])
async def test_nothing_is_left_out_that_need_not_be_told(tmp_path: Path, excuse: str) -> None:
    rng = random.Random(3)
    db = tmp_path / "magpie.db"
    await (await SQLiteStore.open(db)).close()
    async with (
        serve(servers.world(tmp_path, Pictures(rng), rng)) as server,
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{server.url}/gateway?v=10&encoding=json") as socket,
    ):
        await socket.receive()
        identify = {"token": servers.TOKEN, "intents": 1, "properties": {}}
        await socket.send_json({"op": 2, "d": identify})
        await socket.receive()
        wishes = Wishes(marked={servers.INDOORS}, watching={servers.BO})
        witness = NoticeWitness(server, Witness(server), [servers.BO], wishes, Clock(tmp_path))
        witness.covered = {servers.HALL}
        like = next(one for one in server.world.messages(servers.HALL) if one.attachments)
        posted = Message(server.core.next_id(), servers.HALL, servers.CY, "")
        posted.attachments = like.attachments[:1]
        server.core.post(posted)
        if excuse == "the watch is erased":
            wishes.watching.clear()
        elif excuse == "an event was missed":
            [session] = server.core.gateway.sessions.values()
            session.missed.add("CHANNEL_UPDATE")
            server.core.post(Message(server.core.next_id(), servers.HALL, servers.CY, "hm"))
        elif excuse == "many wait":
            fill_with_notices(db, servers.BO)
        [key] = truth.shown(server.core, posted).values()
        assert len(witness.left_out({(posted.id, key)}, db)) == (not excuse)


def fill_with_notices(db: Path, owner: int) -> None:
    """Let as many notices of a watch wait as may."""
    with contextlib.closing(sqlite3.connect(db)) as rows, rows:
        rows.execute(
            """INSERT INTO watches VALUES
            (1, 1, ?, '{}', NULL, '{}', NULL, NULL, NULL, '', 0, '', 0, 0)""",
            (owner,),
        )
        rows.executemany(
            "INSERT INTO notices VALUES (?, 1, NULL, 0, '', NULL)",
            [(number,) for number in range(1, MOST_PENDING + 1)],
        )
