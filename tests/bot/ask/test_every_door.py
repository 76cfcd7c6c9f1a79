"""Each way to ask, from a member's client to the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from bot.text import answers as answer_text
from sandbox.person import Answer
from tests.bot.ask.conftest import RED, Scene, look, similar
from tests.bot.ask.nest import EVERYBODYS, READERS
from tests.bot.running import PATIENCE_S, idle, png

PICTURE = ("red.png", RED)


def me(scene: Scene) -> str:
    return f"<@{scene.nest.world.bot_id}>"


async def posted_in(scene: Scene, place: str) -> dict[str, Any]:
    """The message with the picture in this place, as a client has it."""
    olga = await scene.log_in("olga")
    message: dict[str, Any] = await olga.request(
        "GET", f"/channels/{scene.channel(place)}/messages/{scene.nest.messages[place]}"
    )
    return message


# ── /find ────────────────────────────────────────────────────────────────────────────────


async def test_find_with_words(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await finn.command("find", where=scene.channel("general"), query="dog in **snow**")
    assert answer.private
    assert answer.lines()[0] == r"### Closest to “dog in \*\*snow\*\*”"
    assert len(scene.shown(answer)) == 5


async def test_find_with_a_picture_puts_its_copy_first(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    blue = png("blue")
    posted = await finn.post(scene.channel("pets"), pictures={"b.png": blue})
    await idle(scene.magpie)
    answer = await finn.command("find", where=scene.channel("general"), image=("x.png", blue))
    assert answer.lines()[0] == "### Closest to this picture"
    assert scene.shown(answer)[0] == int(posted["id"])


async def test_find_with_both(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await finn.command(
        "find", where=scene.channel("general"), query="at night", image=PICTURE
    )
    assert answer.lines()[0] == "### Closest to this picture and “at night”"
    assert len(scene.shown(answer)) == 5


async def test_find_with_nothing_is_told_what_to_give(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    assert (await finn.command("find")).text() == answer_text.ask_something()
    assert (await finn.command("find", query="<@123>  ")).text() == answer_text.ask_something()
    assert (
        await finn.command("find", query="https://a.example/b.png")
    ).text() == answer_text.only_links()


# ── Find similar ─────────────────────────────────────────────────────────────────────────


async def test_find_similar_leaves_its_own_message_out(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await finn.menu("Find similar", await posted_in(scene, "general"))
    assert answer.private
    assert scene.places(scene.shown(answer)) == READERS["finn"] - {"general"}
    link = f"{scene.nest.world.guild_id}/{scene.channel('general')}/"
    assert f"### Closest to [this picture](https://discord.com/channels/{link}" in answer.text()


async def test_find_similar_on_several_pictures_offers_each(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    blue, green = png("blue"), png("green")
    both = await finn.post(scene.channel("pets"), pictures={"1.png": blue, "2.png": green})
    blues = await finn.post(scene.channel("general"), pictures={"b.png": blue})
    greens = await finn.post(scene.channel("general"), pictures={"g.png": green})
    await idle(scene.magpie)
    first = await finn.menu("Find similar", both)
    assert scene.shown(first)[0] == int(blues["id"])
    assert answer_text.several_pictures(0, 2) in first.text()
    second = await finn.click(first, first.button("Picture 2"))
    assert second.private
    assert scene.shown(second)[0] == int(greens["id"])
    third = await finn.click(second, second.button("Picture 1"))
    assert scene.shown(third) == scene.shown(first)
    assert int(both["id"]) not in scene.shown(first) + scene.shown(second)


async def test_find_similar_on_a_text_says_what_to_do(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    text = await finn.post(scene.channel("general"), "no picture here")
    assert (await finn.menu("Find similar", text)).text() == answer_text.no_picture_there()


# ── Messages ─────────────────────────────────────────────────────────────────────────────


async def test_a_mention_with_words(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    posted = await finn.post(scene.channel("general"), f"{me(scene)} dog in snow")
    answer = await scene.answer_to(finn, posted)
    assert answer.lines()[0] == "### Closest to “dog in snow”"
    assert scene.places(scene.shown(answer)) == EVERYBODYS
    assert answer.message["mentions"] == []  # nobody is pinged


async def test_a_picture_posted_with_a_mention_finds_others_than_itself(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    posted = await finn.post(scene.channel("general"), me(scene), pictures={"r.png": RED})
    answer = await scene.answer_to(finn, posted)
    assert scene.places(scene.shown(answer)) == EVERYBODYS
    await idle(scene.magpie)
    assert await scene.magpie.gallery.links.slots(scene.nest.world.guild_id, posted["id"])


async def test_a_reply_with_a_mention_asks_with_somebodys_picture_and_words(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    original = await posted_in(scene, "general")
    posted = await finn.post(
        scene.channel("general"), f"{me(scene)} but at night", reply_to=original
    )
    answer = await scene.answer_to(finn, posted)
    assert "and “at night”" in answer.lines()[0]
    assert scene.places(scene.shown(answer)) == EVERYBODYS - {"general"}


async def test_a_reply_with_a_picture_to_an_answer_asks_anew(scene: Scene) -> None:
    finn, ada = await scene.log_in("finn"), await scene.log_in("ada")
    posted = await finn.post(scene.channel("general"), f"{me(scene)} dog")
    answer = await scene.answer_to(ada, posted)
    again = await ada.post(
        scene.channel("general"), pictures={"r.png": RED}, reply_to=answer.message
    )
    assert scene.places(scene.shown(await scene.answer_to(ada, again))) == EVERYBODYS


async def test_a_mention_of_magpies_role_counts_too(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    role = scene.nest.world.roles["Magpie"]
    posted = await finn.post(scene.channel("general"), f"<@&{role}> dog in snow")
    answer = await scene.answer_to(finn, posted)
    assert answer.lines()[0] == "### Closest to “dog in snow”"


async def test_a_mention_alone_gets_a_short_help(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    posted = await finn.post(scene.channel("general"), me(scene))
    assert (await scene.answer_to(finn, posted)).text() == answer_text.how_to_ask()


async def test_a_mention_in_a_thread_is_answered_there(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    posted = await finn.post(scene.channel("whispers"), f"{me(scene)} dog")
    answer = await scene.answer_to(finn, posted)
    assert scene.places(scene.shown(answer)) == EVERYBODYS | {"whispers"}


async def test_ordinary_chat_around_an_answer_gets_none(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    posted = await finn.post(scene.channel("general"), f"{me(scene)} dog")
    answer = await scene.answer_to(finn, posted)
    seen = finn.seen()
    await finn.post(scene.channel("general"), "thank you", reply_to=answer.message)
    await finn.post(scene.channel("general"), "see these", pictures={"r.png": RED})
    last = await finn.post(scene.channel("general"), f"{me(scene)} cat")
    await scene.answer_to(finn, last)
    await asyncio.sleep(0.2)  # time for an answer that must not come
    answered = [
        payload["message_reference"]["message_id"]
        for name, payload in finn._events[seen:]
        if name == "MESSAGE_CREATE" and payload["author"]["id"] == str(scene.nest.world.bot_id)
    ]
    assert answered == [last["id"]]


async def test_magpies_own_answers_are_not_found(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    posted = await finn.post(scene.channel("general"), f"{me(scene)} dog")
    answer = await scene.answer_to(finn, posted)
    await idle(scene.magpie)
    again = await finn.command("find", where=scene.channel("general"), image=PICTURE)
    assert int(answer.message["id"]) not in await scene.all_shown(finn, again)


# ── The acknowledgement ───────────────────────────────────────────────────────────────────────────

CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"


async def bots_requests(scene: Scene, work: Awaitable[Answer]) -> list[str]:
    """The routes of the bot's requests since the interaction."""
    before = len(scene.server.exchanges)
    await work
    routes = [exchange.route for exchange in scene.server.exchanges[before:]]
    return routes[routes.index("/interactions") + 1 :]


async def test_an_interaction_whose_work_takes_long_is_acknowledged_before_it_ends(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.magpie.clocks.acknowledge_s = 0.0
    finn = await scene.log_in("finn")
    original = await posted_in(scene, "general")
    asked = finn.command("find", where=scene.channel("general"), image=PICTURE)
    assert (await bots_requests(scene, asked))[0] == CALLBACK
    assert (await bots_requests(scene, finn.menu("Find similar", original)))[0] == CALLBACK
    answer = await finn.command("find", where=scene.channel("general"), image=PICTURE)
    assert (await bots_requests(scene, look(finn, answer)))[0] == CALLBACK
    refused = await finn.command("find", where=scene.channel("general"))
    assert refused.text() == answer_text.ask_something()


async def test_an_answer_that_is_ready_soon_is_the_acknowledgement(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.magpie.clocks.acknowledge_s = PATIENCE_S
    monkeypatch.setattr(scene.server.clocks, "acknowledge_s", PATIENCE_S)
    finn = await scene.log_in("finn")
    asked = finn.command("find", where=scene.channel("general"), query="dog", show="everyone")
    routes = await bots_requests(scene, asked)
    assert routes[-1] == CALLBACK
    assert not any(route.startswith("/webhooks") for route in routes)
    answer = await finn.command("find", where=scene.channel("general"), query="dog")
    assert answer.private
    assert (await similar(finn, answer)).private
