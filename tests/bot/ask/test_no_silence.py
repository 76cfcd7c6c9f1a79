"""Whoever asks gets a word, whatever Discord does with the answer."""

from __future__ import annotations

import asyncio
import gc

import pytest

from bot.platform.codes import REPLY_WITHOUT_HISTORY
from bot.text import answers as text
from bot.text import errors as error_text
from sandbox.person import Answer, Person
from tests.bot.ask.conftest import RED, Scene, look
from tests.bot.ask.nest import EVERYBODYS
from tests.bot.running import until
from tests.worlds import READ_MESSAGE_HISTORY

PICTURE = ("red.png", RED)
REFUSED = {"status": 400, "code": 50035, "message": "Invalid Form Body", "who": "bot"}
CALLBACK = "/interactions/*"


async def ask(scene: Scene, person: Person) -> Answer:
    return await person.command("find", where=scene.channel("general"), image=PICTURE)


async def said_by_magpie(scene: Scene, person: Person, content: str) -> Answer:
    """Magpie's next message in #general after this question, a reply or not."""
    since, me = person.seen(), scene.nest.world.bot_id
    await person.post(scene.channel("general"), f"<@{me}> {content}")
    said = await person.event(
        "MESSAGE_CREATE", where=lambda message: message["author"]["id"] == str(me), since=since
    )
    return Answer(said)


# ── Mentions ─────────────────────────────────────────────────────────────────────────────


async def test_where_magpie_may_not_read_the_history_it_answers_without_a_reply(
    scene: Scene,
) -> None:
    finn, olga = await scene.log_in("finn"), await scene.log_in("olga")
    me, general = scene.nest.world.bot_id, scene.channel("general")
    deny = {"id": str(me), "type": 1, "allow": "0", "deny": str(READ_MESSAGE_HISTORY)}
    await olga.request("PATCH", f"/channels/{general}", json={"permission_overwrites": [deny]})
    answer = await said_by_magpie(scene, finn, "dog")
    assert "message_reference" not in answer.message
    assert answer.lines()[0] == "### Closest to “dog”"
    assert scene.places(scene.shown(answer)) == EVERYBODYS - {"general"}
    assert (await said_by_magpie(scene, finn, "")).text() == text.how_to_ask()


@pytest.mark.parametrize(
    "refusal",
    [
        {"status": 403, "code": REPLY_WITHOUT_HISTORY, "message": "Cannot reply"},
        {"status": 400, "code": 50035, "message": "In message_reference: Unknown message"},
    ],
)
async def test_where_discord_refuses_the_reply_the_answer_is_a_message_of_its_own(
    scene: Scene, refusal: dict[str, object]
) -> None:
    finn = await scene.log_in("finn")
    path = f"/channels/{scene.channel('general')}/messages"
    scene.server.strike("error", path=path, method="POST", who="bot", **refusal)
    answer = await said_by_magpie(scene, finn, "dog")
    assert "message_reference" not in answer.message
    assert scene.places(scene.shown(answer)) == EVERYBODYS


@pytest.mark.parametrize("kind", ["error", "drop"])
async def test_an_answer_that_discord_doesnt_take_is_followed_by_a_sentence(
    scene: Scene, kind: str
) -> None:
    finn = await scene.log_in("finn")
    path = f"/channels/{scene.channel('general')}/messages"
    refusal = REFUSED if kind == "error" else {"who": "bot"}
    scene.server.strike(kind, path=path, method="POST", **refusal)
    answer = await said_by_magpie(scene, finn, "dog")
    expected = error_text.something_wrong() if kind == "error" else error_text.discord_trouble()
    assert answer.text().startswith(expected)


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ("answer_forbidden", {"status": 403, "code": 50013, "message": "Missing Permissions"}),
        ("answer_forbidden", {"status": 400, "code": 50083, "message": "Thread is archived"}),
        ("answer_undelivered", {"status": 400, "code": 50035, "message": "Invalid Form Body"}),
    ],
)
async def test_where_nothing_can_be_said_the_log_says_so_in_one_line(
    scene: Scene, caplog: pytest.LogCaptureFixture, event: str, fault: dict[str, object]
) -> None:
    finn, general = await scene.log_in("finn"), scene.channel("general")
    path = f"/channels/{general}/messages"
    scene.server.strike("error", path=path, method="POST", who="bot", times=None, **fault)
    posted = await finn.post(general, f"<@{scene.nest.world.bot_id}> dog")

    async def logged() -> bool:
        return f"event={event} message={posted['id']}" in caplog.text

    await until(logged)
    assert "event_failed" not in caplog.text


# ── Commands and buttons ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("label", ["▶", "Only similar"])
async def test_a_button_whose_answer_discord_refuses_is_followed_by_a_sentence(
    scene: Scene, label: str
) -> None:
    olga = await scene.log_in("olga")
    answer = await ask(scene, olga)
    if label == "Only similar":
        answer = await look(olga, answer)
    scene.server.strike("error", path=CALLBACK, **REFUSED)
    said = await olga.click(answer, answer.button(label))
    assert said.private
    assert said.text().startswith(error_text.something_wrong())


async def test_an_answer_that_is_refused_after_its_acknowledgement_is_replaced_by_a_sentence(
    scene: Scene,
) -> None:
    finn = await scene.log_in("finn")
    scene.magpie.clocks.acknowledge_s = 0.0
    answer = await ask(scene, finn)
    looked = await look(finn, answer)
    similar = finn.click(looked, looked.button("Only similar"))
    back = finn.click(looked, looked.button(text.to_results()))
    for asking in (ask(scene, finn), similar, back):
        scene.server.strike("error", path="/webhooks/*", **REFUSED)
        assert (await asking).text().startswith(error_text.something_wrong())


@pytest.mark.parametrize("after", [False, True])
async def test_an_acknowledgement_that_is_lost_doesnt_lose_the_answer(
    scene: Scene, after: bool
) -> None:
    finn = await scene.log_in("finn")
    scene.magpie.clocks.acknowledge_s = 0.0
    scene.server.strike("drop", path=CALLBACK, who="bot", after=after)
    assert scene.shown(await ask(scene, finn))
    answer = await ask(scene, finn)
    scene.server.strike("drop", path=CALLBACK, who="bot", after=after)
    looked = await look(finn, answer)
    assert looked.pictures()
    for label in ("Only similar", text.to_results()):
        scene.server.strike("drop", path=CALLBACK, who="bot", after=after)
        assert scene.shown(await finn.click(looked, looked.button(label)))


async def test_a_command_whose_acknowledgement_is_lost_says_so(scene: Scene) -> None:
    olga = await scene.log_in("olga")
    for name in (("status",), ("channels", "list"), ("privacy", "status")):
        for after in (False, True):
            scene.server.strike("drop", path=CALLBACK, who="bot", after=after)
            said = await olga.command(*name, where=scene.channel("general"))
            assert said.text() == error_text.discord_trouble()


# ── The end ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("door", ["command", "mention"])
async def test_a_question_that_is_open_at_the_end_leaves_no_traceback(
    scene: Scene, caplog: pytest.LogCaptureFixture, door: str
) -> None:
    finn, me = await scene.log_in("finn"), scene.nest.world.bot_id
    path = "/channels/*/messages/*"
    scene.server.strike("slow", path=path, method="GET", who="bot", delay_s=3.0)
    if door == "command":
        asking = asyncio.create_task(ask(scene, finn))
    else:
        general = scene.channel("general")
        asking = asyncio.create_task(finn.post(general, f"<@{me}> dog"))

    async def being_answered() -> bool:
        return not scene.server.faults.waiting()

    await until(being_answered)
    await scene.magpie.close()
    await asyncio.sleep(0.2)
    asking.cancel()
    gc.collect()  # a task whose error nobody took says so when it is deleted
    told = [one for one in caplog.records if one.exc_info or "unexpected" in one.getMessage()]
    assert [record.getMessage() for record in told] == []
