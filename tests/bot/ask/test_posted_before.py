"""Posted before? As members, moderators and everyone in a channel are told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from PIL import Image

from bot.ask.asker import Asker
from bot.ask.phrases import PHRASES, asks_whether_posted
from bot.ask.posted import REFUSED
from bot.ask.posted_cards import Spot
from bot.ask.rate_limiter import RateLimiter
from bot.languages.speech import LOCALES, speaking
from bot.platform.refusal import Refusal
from bot.text import answers as answer_text
from bot.text import copies as text
from sandbox.person import Answer, Payload, Person
from tests.bot.ask.conftest import Scene
from tests.bot.ask.test_last_look import close, take_moderators
from tests.bot.drawings import cropped, drawing, file, grey, mirrored, smaller
from tests.bot.running import idle, until

ORIGINAL = drawing(1)
NOT_A_COPY = "Not a copy:"
COPY_AFTER_ALL = "A copy after all:"
ASK = "Posted before?"


async def post(
    person: Person, scene: Scene, place: str, *images: Image.Image, name: str = "a.png"
) -> dict[str, Any]:
    """A message with these pictures, which are in the gallery when it returns."""
    pictures = {f"{n}{name}": file(image) for n, image in enumerate(images)}
    posted = await person.post(scene.channel(place), pictures=pictures)
    await idle(scene.magpie)
    return posted


def told(answer: Answer) -> list[str]:
    """The messages that an answer names as copies, in its order."""
    text_ = answer.text().split(text.look_alikes())[0].split(text.only_look_alikes())[0]
    return re.findall(r"\[go to message\]\(https://discord\.com/\S+/(\d+)\)", text_)


def ids(posts: Sequence[Payload]) -> list[str]:
    return [str(one["id"]) for one in posts]


async def forget_where(scene: Scene, place: str) -> None:
    """Pictures that are posted there from now on are not indexed."""
    guild = scene.magpie.guilds[0]
    await scene.magpie.watched.discard(guild.id, int(scene.channel(place)))


def option(answer: Answer, label: str) -> str:
    """The value of the first option of moderators whose label begins so."""
    options = answer.menu()["options"]
    return next(str(one["value"]) for one in options if one["label"].startswith(label))


async def correct(person: Person, answer: Answer, what: str) -> Answer:
    return await person.choose(answer, answer.menu(), option(answer, what))


def has_menu(answer: Answer) -> bool:
    return any(part["type"] == 3 for part in answer.parts())


# ── What is told ─────────────────────────────────────────────────────────────────────────


async def test_copies_are_told_oldest_first_without_the_message_itself(scene: Scene) -> None:
    ada, finn = await scene.log_in("ada"), await scene.log_in("finn")
    before = [
        await post(ada, scene, "pets", ORIGINAL),
        await post(finn, scene, "general", ORIGINAL),
    ]
    asked = await post(finn, scene, "pets", ORIGINAL)
    after = await post(ada, scene, "general", ORIGINAL)
    answer = await finn.menu(ASK, asked)
    assert answer.private
    assert answer.lines()[0] == f"### {text.heading(2, 1)}"
    assert told(answer) == ids([*before, after])
    _, first, by, small, *_ = answer.lines()
    assert before[0]["id"] in first
    assert by == f"<@{ada.user['id']}> in <#{before[0]['channel_id']}>"
    assert small.endswith("the same picture")
    assert answer.text().index(text.posted_since()) > answer.text().index(before[1]["id"])


async def test_another_picture_of_the_same_message_is_no_copy(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    asked = await post(finn, scene, "general", ORIGINAL, mirrored(ORIGINAL))
    answer = await finn.menu(ASK, asked)
    assert answer.lines()[0] == f"### {text.heading(0)}"
    assert told(answer) == []


EDITS: list[tuple[Callable[[Image.Image], Image.Image], str]] = [
    (cropped, "cropped"),
    (grey, "made grey"),
    (mirrored, "mirrored"),
    (lambda image: grey(mirrored(image)), "mirrored, made grey"),
]


async def test_an_edited_copy_is_told_with_what_was_done_to_it(scene: Scene) -> None:
    ada, finn = await scene.log_in("ada"), await scene.log_in("finn")
    first = await post(ada, scene, "pets", ORIGINAL)
    for edit, said in EDITS:
        edited = await post(finn, scene, "general", edit(ORIGINAL))
        answer = await finn.menu(ASK, edited)
        assert told(answer)[0] == first["id"], said
        assert f"edited: {said}" in answer.lines()[3]
    small = await post(finn, scene, "general", smaller(ORIGINAL))
    assert "resized or saved again" in (await finn.menu(ASK, small)).text()


async def test_a_look_alike_is_told_apart(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    first = await post(finn, scene, "pets", ORIGINAL)
    other = await post(finn, scene, "general", drawing(2))
    answer = await finn.menu(ASK, other)
    assert answer.lines()[0] == f"### {text.heading(0)}"
    assert text.none_before(public=False) in answer.text()
    assert told(answer) == []
    assert text.only_look_alikes() in answer.text()
    assert first["id"] in answer.text().split(text.only_look_alikes())[1]
    again = await post(finn, scene, "general", drawing(2))
    assert text.look_alikes() in (await finn.menu(ASK, again)).text()


async def test_a_picture_of_a_channel_that_isnt_watched_is_looked_for_too(scene: Scene) -> None:
    ada, finn = await scene.log_in("ada"), await scene.log_in("finn")
    first = await post(ada, scene, "pets", ORIGINAL)
    await forget_where(scene, "general")
    asked = await post(finn, scene, "general", cropped(ORIGINAL))
    after = await post(ada, scene, "pets", grey(ORIGINAL))
    mod = await scene.log_in("mod")
    answer = await mod.menu(ASK, asked)
    assert told(answer) == ids([first, after])
    assert "edited: cropped" in answer.text()


async def test_each_picture_of_a_message_can_be_asked_about(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    one = await post(finn, scene, "pets", ORIGINAL)
    two = await post(finn, scene, "pets", drawing(2))
    both = await post(finn, scene, "general", ORIGINAL, drawing(2))
    answer = await finn.menu(ASK, both)
    assert told(answer) == ids([one])
    assert text.several_pictures(0, 2) in answer.text()
    second = await finn.click(answer, answer.button("Picture 2"))
    assert second.message["id"] == answer.message["id"]  # in place
    assert told(second) == ids([two])


async def test_many_places_are_paged(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    pets, pictures = scene.channel("pets"), {"a.png": file(ORIGINAL)}
    posts = [await finn.post(pets, pictures=pictures) for _ in range(10)]
    await idle(scene.magpie)
    answer = await finn.menu(ASK, posts[-1])
    assert told(answer) == ids(posts[:8])
    assert answer.lines()[1] == f"-# {text.span(1, 8, 9)}"
    further = await finn.click(answer, answer.button("▶"))
    assert told(further) == ids(posts[8:9])
    assert further.lines()[0] == f"### {text.heading(9)}"
    assert told(await finn.click(further, further.button("◀"))) == ids(posts[:8])


async def test_a_message_without_a_picture_is_refused(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    plain = await finn.post(scene.channel("general"), "no picture here")
    assert (await finn.menu(ASK, plain)).text() == answer_text.no_picture_there()


async def test_a_copy_that_was_deleted_unnoticed_isnt_told(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    gone = await post(finn, scene, "pets", ORIGINAL)
    there = await post(finn, scene, "pets", ORIGINAL)
    asked = await post(finn, scene, "general", ORIGINAL)
    unknown = {"status": 404, "code": 10008, "message": "Unknown Message", "times": None}
    messages = f"/channels/{gone['channel_id']}/messages"
    scene.server.strike("error", path=f"{messages}/{gone['id']}", who="bot", **unknown)
    answer = await finn.menu(ASK, asked)
    assert answer.lines()[0] == f"### {text.heading(1)}"
    assert told(answer) == ids([there])
    scene.server.strike("error", path=f"{messages}/{there['id']}", who="bot", **unknown)
    assert (await finn.menu(ASK, asked)).lines()[0] == f"### {text.heading(0)}"


# ── Replies ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ("<@1> posted before?", True),
        ("Has this been posted here already??", True),
        ("hasn’t somebody shared this one before <:hm:12>", True),
        ("who posted this first", True),
        ("is this a repost", True),
        ("a repost of a dog", False),
        ("posted before 2020", False),
        ('"repost"', False),
        ("this one here", False),
        ("but at night", False),
        ("", False),
    ],
)
def test_a_phrase_counts_as_a_whole(said: str, asks: bool) -> None:
    assert asks_whether_posted(said) is asks


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("de", "<@1> schon mal gepostet?"),
        ("de", "Wurde das hier schon geteilt?"),
        ("de", "war das schon da"),
        ("fr", "déjà posté ?"),
        ("fr", "<@1> quelqu’un l’a deja postée ?"),
        ("fr", "Cette image a-t-elle déjà été partagée ici ?"),
        ("es-ES", "¿ya se publicó?"),
        ("es-419", "¿Alguien ha publicado esto antes?"),
        ("pt-BR", "já foi postada?"),
        ("pt-BR", "alguém já postou essa imagem?"),
        ("ja", "既出？"),
        ("ja", "<@1> この画像、前に投稿された？"),
        ("ja", "もう誰かが貼った画像ですか"),
    ],
)
def test_it_is_asked_in_each_language_of_magpie(locale: str, said: str) -> None:
    assert not asks_whether_posted(said)
    with speaking(locale):
        assert asks_whether_posted(said)
        assert asks_whether_posted("posted before?")  # many write to bots in English


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("de", "schon ein Hund"),
        ("de", "gepostet 2020 schon"),
        ("fr", "une photo de chien déjà postée"),
        ("es-ES", "«ya publicado»"),
        ("pt-BR", "repost de um cachorro"),
        ("ja", "前に投稿された犬の画像"),
        ("ja", "「既出」"),
        ("ja", "夜の写真"),
    ],
)
def test_words_to_look_for_ask_nothing_else(locale: str, said: str) -> None:
    with speaking(locale):
        assert not asks_whether_posted(said)


def test_each_language_of_magpie_has_its_phrases() -> None:
    assert PHRASES.keys() == LOCALES.keys()


async def ask_in_public(
    scene: Scene, person: Person, picture: Payload, said: str = "posted before?"
) -> Answer:
    me = f"<@{scene.nest.world.bot_id}>"
    posted = await person.post(picture["channel_id"], f"{me} {said}", reply_to=picture)
    return await scene.answer_to(person, posted)


async def test_a_reply_is_answered_for_everyone(scene: Scene) -> None:
    ada, finn = await scene.log_in("ada"), await scene.log_in("finn")
    first = await post(ada, scene, "pets", ORIGINAL)
    asked = await post(finn, scene, "general", ORIGINAL)
    answer = await ask_in_public(scene, finn, asked)
    assert not answer.private
    assert told(answer) == ids([first])
    assert text.only_shared() in answer.text()
    assert answer.message["mentions"] == []
    own = await ada.click(answer, answer.button(text.details()))
    assert own.private
    assert told(own) == ids([first])


async def test_a_reply_to_no_picture_is_told_what_to_do(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    plain = await finn.post(scene.channel("general"), "no picture")
    assert (await ask_in_public(scene, finn, plain)).text() == text.reply_to_a_picture()


# ── Who is told what ─────────────────────────────────────────────────────────────────────


async def test_only_copies_that_the_asker_may_read_are_told_and_counted(scene: Scene) -> None:
    mod, finn = await scene.log_in("mod"), await scene.log_in("finn")
    hidden = await post(mod, scene, "mods", ORIGINAL)
    asked = await post(finn, scene, "general", ORIGINAL)
    answer = await finn.menu(ASK, asked)
    assert answer.lines()[0] == f"### {text.heading(0)}"
    assert told(answer) == []
    assert told(await mod.menu(ASK, asked)) == ids([hidden])


async def test_an_answer_is_the_same_with_and_without_hidden_copies(scene: Scene) -> None:
    mod, finn = await scene.log_in("mod"), await scene.log_in("finn")
    await post(finn, scene, "pets", ORIGINAL)
    asked = await post(finn, scene, "general", ORIGINAL)
    alone = [await finn.menu(ASK, asked), await ask_in_public(scene, mod, asked)]
    for edit in (mirrored, cropped, lambda image: image):
        await post(mod, scene, "mods", edit(ORIGINAL))
    beside = [await finn.menu(ASK, asked), await ask_in_public(scene, mod, asked)]
    for before, after in zip(alone, beside, strict=True):
        assert before.lines() == after.lines()
        assert before.buttons() == after.buttons()


async def test_a_copy_in_a_channel_that_is_closed_meanwhile_isnt_counted(scene: Scene) -> None:
    mod = await scene.log_in("mod")
    await post(mod, scene, "pets", ORIGINAL)
    there = await post(mod, scene, "mods", ORIGINAL)
    asked = await post(mod, scene, "general", ORIGINAL)
    assert len(told(await mod.menu(ASK, asked))) == 2
    mod.forget()
    path = f"/channels/{there['channel_id']}/messages/{there['id']}"
    scene.server.strike("hold", path=path, method="GET", who="bot")
    asking = asyncio.create_task(mod.menu(ASK, asked))

    async def is_held() -> bool:
        return bool(scene.server.faults.held)

    await until(is_held)
    await close(scene, "pets")
    scene.server.faults.clear()
    answer = await asking
    assert answer.lines()[0] == f"### {text.heading(1)}"
    assert told(answer) == ids([there])


async def test_what_a_member_has_left_out_isnt_told(scene: Scene) -> None:
    ada, finn = await scene.log_in("ada"), await scene.log_in("finn")
    await post(ada, scene, "pets", ORIGINAL)
    asked = await post(finn, scene, "general", ORIGINAL)
    await ada.command("privacy", "opt-out")
    answer = await finn.menu(ASK, asked)
    assert answer.lines()[0] == f"### {text.heading(0)}"
    assert ada.user["id"] not in answer.text()


async def test_a_spoiler_stays_hidden(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    pictures = {"SPOILER_butler.png": file(ORIGINAL)}
    await finn.post(scene.channel("pets"), pictures=pictures)
    asked = await post(finn, scene, "general", ORIGINAL)
    answer = await finn.menu(ASK, asked)
    first = answer.pictures()[0]
    assert first["spoiler"]
    assert "butler" not in f"{answer.text()}{first['description']}"


async def test_a_page_needs_its_message_to_be_open(scene: Scene) -> None:
    mod = await scene.log_in("mod")
    asked = await post(mod, scene, "mods", ORIGINAL)
    guild, world = scene.magpie.guilds[0], scene.nest.world
    spot = Spot(int(asked["channel_id"]), int(asked["id"]))
    for name, may in (("mod", True), ("finn", False)):
        member = await guild.fetch_member(world.people[name])
        asking = scene.magpie.posted.page(
            Asker(member, guild, guild.get_channel(world.channels["general"])), spot
        )
        if may:
            await asking
        else:
            with pytest.raises(Refusal, match=answer_text.picture_unavailable()):
                await asking


async def test_each_page_and_each_word_of_a_moderator_counts_as_a_question(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    mod = await scene.log_in("mod")
    await post(mod, scene, "pets", ORIGINAL)
    asked = await post(mod, scene, "general", cropped(ORIGINAL), drawing(2))
    answer = await mod.menu(ASK, asked)
    counted: list[int] = []
    monkeypatch.setattr(RateLimiter, "take", lambda _, guild, member: counted.append(member))
    await mod.click(answer, answer.button("Picture 2"))
    await correct(mod, await mod.menu(ASK, asked), NOT_A_COPY)
    assert counted == [int(mod.user["id"])] * 3


# ── Moderators ───────────────────────────────────────────────────────────────────────────


async def test_a_moderator_can_say_that_it_is_no_copy_and_take_it_back(scene: Scene) -> None:
    ada, mod = await scene.log_in("ada"), await scene.log_in("mod")
    first = await post(ada, scene, "pets", ORIGINAL)
    asked = await post(ada, scene, "general", cropped(ORIGINAL))
    answer = await mod.menu(ASK, asked)
    assert told(answer) == ids([first])
    corrected = await correct(mod, answer, NOT_A_COPY)
    assert corrected.message["id"] == answer.message["id"]
    assert told(corrected) == []
    assert text.said_not_a_copy() in corrected.text()
    assert told(await ada.menu(ASK, asked)) == []
    link = await scene.magpie.gallery.links.ids_of_source(scene.nest.world.guild_id, asked["id"])
    assert await scene.magpie.gallery.bookkeeping.not_copies_of(next(iter(link.values())))
    back = await correct(mod, corrected, COPY_AFTER_ALL)
    assert told(back) == ids([first])
    assert told(await ada.menu(ASK, asked)) == ids([first])


async def test_only_moderators_can_say_it(scene: Scene) -> None:
    ada, mod = await scene.log_in("ada"), await scene.log_in("mod")
    await post(ada, scene, "pets", ORIGINAL)
    asked = await post(ada, scene, "general", cropped(ORIGINAL))
    answer = await mod.menu(ASK, asked)
    assert has_menu(answer)
    assert not has_menu(await ada.menu(ASK, asked))
    assert not has_menu(await ask_in_public(scene, mod, asked))
    await take_moderators(scene)
    assert (await correct(mod, answer, NOT_A_COPY)).text() == text.not_a_moderator()
    assert told(await ada.menu(ASK, asked))


async def test_a_moderator_can_say_nothing_of_a_picture_that_they_cant_read(scene: Scene) -> None:
    mod = await scene.log_in("mod")
    hidden = await post(mod, scene, "mods", ORIGINAL)
    asked = await post(mod, scene, "general", cropped(ORIGINAL))
    answer = await mod.menu(ASK, asked)
    assert told(answer) == ids([hidden])
    await close(scene, "mods")
    said = await correct(mod, answer, NOT_A_COPY)
    assert said.text() == answer_text.picture_unavailable()
    link = await scene.magpie.gallery.links.ids_of_source(scene.nest.world.guild_id, asked["id"])
    assert not await scene.magpie.gallery.bookkeeping.not_copies_of(next(iter(link.values())))


async def test_what_was_called_no_copy_is_shown_to_those_who_may_read_it(scene: Scene) -> None:
    mod, olga = await scene.log_in("mod"), await scene.log_in("olga")
    hidden = await post(olga, scene, "birding", ORIGINAL)
    asked = await post(mod, scene, "general", cropped(ORIGINAL))
    corrected = await correct(olga, await olga.menu(ASK, asked), NOT_A_COPY)
    assert option(corrected, COPY_AFTER_ALL)
    theirs = await mod.menu(ASK, asked)
    assert not has_menu(theirs)
    assert hidden["id"] not in theirs.text()


async def test_what_is_hidden_takes_no_place_among_what_was_called_no_copy(scene: Scene) -> None:
    mod, olga = await scene.log_in("mod"), await scene.log_in("olga")
    asked = await post(mod, scene, "general", ORIGINAL)
    seen = await post(mod, scene, "pets", drawing(2))
    hidden = await post(olga, scene, "birding", *map(drawing, range(3, 3 + REFUSED)))
    guild, links = scene.magpie.guilds[0].id, scene.magpie.gallery.links
    (own,) = (await links.ids_of_source(guild, asked["id"])).values()
    for message in (seen, hidden):
        for other in (await links.ids_of_source(guild, message["id"])).values():
            await scene.magpie.writer.not_a_copy(guild, own, other, said=True)
    theirs = await mod.menu(ASK, asked)
    assert option(theirs, COPY_AFTER_ALL)
    assert str(seen["id"]) in theirs.text()
