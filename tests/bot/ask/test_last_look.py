"""What an answer shows is looked at again at the moment it leaves, through every door.

In each test an answer is under way: Discord holds back the message of a picture that it would show.
Meanwhile something is closed or deleted. Then Discord goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest

from bot.ask.asker import Asker
from bot.platform.refusal import Refusal
from bot.text import answers as text
from index import Group, Link
from sandbox.person import Answer, Person
from tests.bot.ask.conftest import RED, Scene, look
from tests.bot.running import idle, png, sources, until
from tests.worlds import READ_MESSAGE_HISTORY, VIEW_CHANNEL

PICTURE = ("red.png", RED)
FRESH_S = 0.2  # how long the roles of a question count, in the tests where they change

Door = Callable[[Scene, Person], Awaitable[Answer]]


@asynccontextmanager
async def under_way(
    scene: Scene, person: Person, door: Door
) -> AsyncIterator[asyncio.Task[Answer]]:
    """An answer whose pictures are found, and one of whose messages is being read."""
    held = scene.nest.messages["general"]
    path = f"/channels/{scene.channel('general')}/messages/{held}"
    scene.server.strike("hold", path=path, method="GET", who="bot")
    asking = asyncio.create_task(door(scene, person))

    async def is_held() -> bool:
        return bool(scene.server.faults.held)

    await until(is_held)
    yield asking
    assert not asking.done()
    scene.server.faults.clear()


async def close(
    scene: Scene, place: str, permission: int = VIEW_CHANNEL, *, but_to: Iterable[str] = ()
) -> None:
    """Olga closes a channel to all but some roles; returns when Magpie has been told."""
    olga, guild = await scene.log_in("olga"), scene.magpie.guilds[0]
    everyone, id = guild.id, int(scene.channel(place))
    deny = {"id": str(everyone), "type": 0, "allow": "0", "deny": str(permission)}
    allow = [
        {"id": str(scene.nest.world.roles[role]), "type": 0, "allow": str(permission), "deny": "0"}
        for role in but_to
    ]
    await olga.request("PATCH", f"/channels/{id}", json={"permission_overwrites": [deny, *allow]})

    needed = discord.Permissions(permission)

    async def is_told() -> bool:
        channel = guild.get_channel(id)
        return channel is not None and not channel.permissions_for(guild.default_role) >= needed

    await until(is_told)


async def take_moderators(scene: Scene) -> None:
    """Olga takes a role from mod; Magpie isn't told."""
    olga, world = await scene.log_in("olga"), scene.nest.world
    user, role = world.people["mod"], world.roles["Moderators"]
    await olga.request("DELETE", f"/guilds/{world.guild_id}/members/{user}/roles/{role}")


async def delete(scene: Scene, place: str, message: int) -> None:
    """Olga deletes a message; returns when Magpie has been told."""
    olga = await scene.log_in("olga")
    await olga.request("DELETE", f"/channels/{scene.channel(place)}/messages/{message}")

    async def is_told() -> bool:
        return scene.magpie.writer.is_deleted(message)

    await until(is_told)


async def indexed(
    scene: Scene, author: Person, place: str, pictures: dict[str, bytes]
) -> dict[str, Any]:
    """A new message; returns when its pictures are in the gallery."""
    posted = await author.post(scene.channel(place), pictures=pictures)

    async def is_indexed() -> bool:
        return posted["id"] in await sources(scene.magpie)

    await until(is_indexed)
    return posted


# ── Doors ────────────────────────────────────────────────────────────────────────────────


async def find_for_me(scene: Scene, person: Person) -> Answer:
    return await person.command("find", where=scene.channel("general"), image=PICTURE)


async def find_for_everyone(scene: Scene, person: Person) -> Answer:
    where = scene.channel("general")
    return await person.command("find", where=where, image=PICTURE, show="everyone")


async def mention(scene: Scene, person: Person) -> Answer:
    me = f"<@{scene.nest.world.bot_id}>"
    posted = await person.post(scene.channel("general"), f"{me} dog")
    return await scene.answer_to(person, posted)


async def menu(scene: Scene, person: Person) -> Answer:
    target = {"id": str(scene.nest.messages["lounge"]), "channel_id": scene.channel("lounge")}
    return await person.menu("Find similar", target)


DOORS = (find_for_me, find_for_everyone, mention, menu)


@pytest.mark.parametrize("door", DOORS)
async def test_a_channel_that_is_closed_meanwhile_is_not_shown(scene: Scene, door: Door) -> None:
    mod, pets = await scene.log_in("mod"), {"pets", "old walks"}
    assert pets <= scene.places(scene.shown(await door(scene, mod)))
    mod.forget()
    async with under_way(scene, mod, door) as asking:
        await close(scene, "pets")
    left = scene.places(scene.shown(await asking))
    assert "general" in left
    assert not pets & left


@pytest.mark.parametrize("label", [text.only_for_me(), "Only similar"])
async def test_a_button_doesnt_show_what_is_closed_meanwhile(scene: Scene, label: str) -> None:
    mod = await scene.log_in("mod")
    answer = await find_for_everyone(scene, mod)
    if label == "Only similar":
        answer = await look(mod, answer, -1)  # not general's

    async def click(_: Scene, person: Person) -> Answer:
        return await person.click(answer, answer.button(label))

    place = "pets" if label == text.only_for_me() else "mods"
    assert place in scene.places(scene.shown(await click(scene, mod)))
    async with under_way(scene, mod, click) as asking:
        await close(scene, place)
    assert place not in scene.places(scene.shown(await asking))


# ── What may change ──────────────────────────────────────────────────────────────────────


async def test_a_role_that_is_lost_meanwhile_counts(scene: Scene) -> None:
    scene.magpie.clocks.roles_fresh_s = FRESH_S
    mod = await scene.log_in("mod")
    async with under_way(scene, mod, find_for_me) as asking:
        await take_moderators(scene)
        await asyncio.sleep(FRESH_S)
    left = scene.places(scene.shown(await asking))
    assert "general" in left
    assert not {"mods", "old mod talk"} & left


async def test_a_private_thread_that_is_left_meanwhile_is_not_shown(scene: Scene) -> None:
    scene.magpie.clocks.roles_fresh_s = FRESH_S
    finn = await scene.log_in("finn")
    assert "whispers" in scene.places(scene.shown(await find_for_me(scene, finn)))
    async with under_way(scene, finn, find_for_me) as asking:
        thread = scene.channel("whispers")
        await finn.request("DELETE", f"/channels/{thread}/thread-members/@me")
        await asyncio.sleep(FRESH_S)
    assert "whispers" not in scene.places(scene.shown(await asking))


async def test_roles_that_discord_doesnt_tell_show_nothing(scene: Scene) -> None:
    scene.magpie.clocks.roles_fresh_s = FRESH_S
    mod = await scene.log_in("mod")
    async with under_way(scene, mod, find_for_me) as asking:
        refused = {"status": 404, "code": 10007, "message": "Unknown Member", "times": None}
        await asyncio.sleep(FRESH_S)
        path = f"/guilds/*/members/{scene.nest.world.people['mod']}"
    scene.server.strike("error", path=path, who="bot", **refused)
    assert (await asking).text() == text.roles_unknown()


async def test_a_picture_that_is_deleted_meanwhile_is_not_shown(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    async with under_way(scene, finn, find_for_me) as asking:
        await delete(scene, "pets", scene.nest.messages["pets"])
    assert "pets" not in scene.places(scene.shown(await asking))


@pytest.mark.parametrize("wish", ["erase", "opt-out"])
async def test_a_picture_that_its_author_erases_meanwhile_is_not_shown(
    scene: Scene, wish: str
) -> None:
    finn, author = await scene.log_in("finn"), await scene.log_in("mod")
    posted = await indexed(scene, author, "pets", {"other.png": png("#d02020")})
    assert int(posted["id"]) in scene.shown(await find_for_me(scene, finn))
    finn.forget()
    async with under_way(scene, finn, find_for_me) as asking:
        await author.command("privacy", wish)
    assert int(posted["id"]) not in scene.shown(await asking)


async def test_a_picture_that_the_server_no_longer_keeps_is_not_shown(scene: Scene) -> None:
    """The nest's own pictures are years old."""
    finn, olga = await scene.log_in("finn"), await scene.log_in("olga")
    posted = await indexed(scene, olga, "pets", {"new.png": png("#d02020")})
    async with under_way(scene, finn, find_for_me) as asking:
        await olga.command("privacy", "retention", where=scene.channel("general"), days=30)
    assert scene.shown(await asking) == [int(posted["id"])]


async def test_a_picture_that_is_put_behind_a_spoiler_meanwhile_is_hidden(scene: Scene) -> None:
    finn, olga = await scene.log_in("finn"), await scene.log_in("olga")
    (scene.nest.world.folder / "late.png").write_bytes(png("#b01010"))  # no copy of another one
    link = "https://pictures.example/late.png"
    posted = await olga.post(scene.channel("pets"), f"see {link}")
    id = int(posted["id"])

    async def is_indexed() -> bool:
        return posted["id"] in await sources(scene.magpie)

    async def is_hidden() -> bool:
        slots = await scene.magpie.gallery.links.slots(scene.magpie.guilds[0].id, posted["id"])
        group = Group(int(scene.channel("pets")))
        links = [Link(scene.magpie.guilds[0].id, group, posted["id"], slot) for slot in slots]
        return any(scene.magpie.writer.hides(link) for link in links)

    def spoilers(answer: Answer) -> dict[int, bool]:
        hidden = [picture["spoiler"] for picture in answer.pictures()]
        return dict(zip(scene.shown(answer), hidden, strict=True))

    await until(is_indexed)
    assert not spoilers(await find_for_me(scene, finn))[id]
    async with under_way(scene, finn, find_for_me) as asking:
        path = f"/channels/{scene.channel('pets')}/messages/{id}"
        await olga.request("PATCH", path, json={"content": f"see ||{link}||"})
        await until(is_hidden)
    assert spoilers(await asking)[id]


@pytest.mark.parametrize(
    ("show", "sentence"), [("only me", text.nothing_found()), ("everyone", text.nothing_shared())]
)
async def test_an_answer_that_loses_all_its_pictures_says_what_one_without_any_says(
    scene: Scene, show: str, sentence: str
) -> None:
    finn = await scene.log_in("finn")

    async def ask_elsewhere(_: Scene, person: Person) -> Answer:
        where = scene.channel("no history")
        return await person.command("find", where=where, image=PICTURE, show=show)

    async with under_way(scene, finn, ask_elsewhere) as asking:
        for place in ("general", "pets", "lounge"):
            await close(scene, place)
    answer = await asking
    assert answer.lines()[0] == sentence
    assert not answer.pictures()


async def test_nothing_is_shown_when_an_outage_begins_meanwhile(scene: Scene) -> None:
    finn, guild = await scene.log_in("finn"), scene.magpie.guilds[0]
    async with under_way(scene, finn, find_for_me) as asking:
        scene.server.strike("outage", guild_id=str(guild.id), who="bot")

        async def is_told() -> bool:
            return guild.unavailable

        await until(is_told)
    assert (await asking).text() == text.outage()


# ── When it leaves ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("door", "path"), [(find_for_me, "/interactions/*"), (mention, "/channels/*/messages")]
)
async def test_an_attempt_that_discord_fails_is_not_repeated_with_what_was_closed_since(
    scene: Scene, door: Door, path: str
) -> None:
    finn = await scene.log_in("finn")
    scene.magpie.clocks.acknowledge_s = 10.0
    trouble = {"status": 502, "method": "POST", "who": "bot"}
    scene.server.strike("error", path=path, **trouble)
    asking = asyncio.create_task(door(scene, finn))

    async def has_failed() -> bool:
        return any(one.status == 502 for one in scene.server.exchanges)

    await until(has_failed)
    await close(scene, "pets")
    left = scene.places(scene.shown(await asking))
    assert "general" in left
    assert not {"pets", "old walks"} & left


# ── The picture that is asked with again ─────────────────────────────────────────────────


async def asked_with_pets(scene: Scene, person: Person) -> Answer:
    """The answer to a question with the picture in #pets; it has more than one page."""
    for _ in range(2):
        await person.post(scene.channel("general"), pictures={"red.png": RED})
    await idle(scene.magpie)
    target = {"id": str(scene.nest.messages["pets"]), "channel_id": scene.channel("pets")}
    return await person.menu("Find similar", target)


async def test_more_of_a_picture_that_the_asker_can_no_longer_read_is_refused(
    scene: Scene,
) -> None:
    mod = await scene.log_in("mod")
    answer = await asked_with_pets(scene, mod)
    second = await mod.click(answer, answer.button("▶"))
    assert scene.shown(second)
    await close(scene, "pets", READ_MESSAGE_HISTORY)  # the answer below it can still be clicked
    assert (await mod.click(second, second.button("◀"))).text() == text.picture_unavailable()


async def test_a_picture_that_cant_be_read_any_more_is_not_even_fetched(scene: Scene) -> None:
    mod, guild = await scene.log_in("mod"), scene.magpie.guilds[0]
    found = await find_for_me(scene, mod)
    position = scene.shown(found).index(scene.nest.messages["pets"])
    link = int(found.menu()["options"][position]["value"])
    answer = await asked_with_pets(scene, mod)
    id = answer.button("▶")["custom_id"].split(":")[1]
    await close(scene, "pets")
    member = await guild.fetch_member(int(mod.user["id"]))
    asker = Asker(member, guild, guild.get_channel(int(scene.channel("general"))))
    questions = scene.magpie.questions
    search = await questions.saved(asker, id)
    before = len(scene.server.exchanges)
    with pytest.raises(Refusal, match=text.picture_unavailable()):
        await questions.again(asker, search)
    with pytest.raises(Refusal, match=text.picture_unavailable()):
        await questions.instead(asker, search, 0)
    with pytest.raises(Refusal, match=text.picture_unavailable()):
        await questions.like(asker, link)
    assert scene.server.exchanges[before:] == []


async def test_a_picture_asked_with_again_that_is_closed_meanwhile_gets_no_answer(
    scene: Scene,
) -> None:
    mod = await scene.log_in("mod")
    click = await similar_to(scene, mod, scene.nest.messages["pets"])
    async with under_way(scene, mod, click) as asking:
        await close(scene, "pets")
    assert (await asking).text() == text.picture_unavailable()


async def similar_to(scene: Scene, person: Person, message: int) -> Door:
    """The button "Only similar" of the picture of this message."""
    answer = await find_for_me(scene, person)
    looked = await look(person, answer, scene.shown(answer).index(message))

    async def click(_: Scene, person: Person) -> Answer:
        return await person.click(looked, looked.button("Only similar"))

    return click


@pytest.mark.parametrize("by", ["Only similar", "Find similar"])
async def test_a_picture_asked_with_that_is_deleted_meanwhile_gets_no_answer(
    scene: Scene, by: str
) -> None:
    mod = await scene.log_in("mod")
    place = "pets" if by == "Only similar" else "lounge"
    asked_with = scene.nest.messages[place]
    door = await similar_to(scene, mod, asked_with) if by == "Only similar" else menu
    mod.forget()
    async with under_way(scene, mod, door) as asking:
        await delete(scene, place, asked_with)
    assert (await asking).text() == text.picture_unavailable()


async def test_a_picture_asked_with_that_its_author_erases_meanwhile_gets_no_answer(
    scene: Scene,
) -> None:
    finn, author = await scene.log_in("finn"), await scene.log_in("mod")
    posted = await indexed(scene, author, "pets", {"other.png": png("#d02020")})
    click = await similar_to(scene, finn, int(posted["id"]))
    finn.forget()
    async with under_way(scene, finn, click) as asking:
        await author.command("privacy", "erase")
    assert (await asking).text() == text.picture_unavailable()


async def test_more_of_a_picture_whose_author_opted_out_before_is_answered(scene: Scene) -> None:
    mod = await scene.log_in("mod")
    await mod.command("privacy", "opt-out")
    posted = await mod.post(scene.channel("pets"), pictures={"1.png": RED, "2.png": RED})
    answer = await mod.menu("Find similar", posted)
    assert scene.shown(await mod.click(answer, answer.button("Picture 2")))


async def test_another_picture_of_a_message_in_a_thread_that_is_not_watched(scene: Scene) -> None:
    finn, guild = await scene.log_in("finn"), scene.magpie.guilds[0]
    await scene.magpie.watched.discard(guild.id, int(scene.channel("general")))
    await scene.magpie.erasure.erase_group(guild.id, int(scene.channel("whispers")))
    pictures = {"1.png": RED, "2.png": RED}
    posted = await finn.post(scene.channel("whispers"), pictures=pictures)
    answer = await finn.menu("Find similar", posted)
    assert scene.shown(await finn.click(answer, answer.button("Picture 2")))
