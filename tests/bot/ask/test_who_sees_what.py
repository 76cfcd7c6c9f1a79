"""Members find only what they may read at the moment they ask."""

from __future__ import annotations

from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.text import answers as answer_text
from index.embed.embedder import Embedder
from sandbox.person import Answer, Person
from tests.bot.ask.conftest import RED, Scene, look, watch_everything
from tests.bot.ask.nest import EVERYBODYS, READERS, Nest
from tests.bot.conftest import LogIn
from tests.bot.running import running, until

PICTURE = ("red.png", RED)
ONLY_FOR_ME = "More, only for me"


async def take_role(scene: Scene, name: str, role: str) -> None:
    """Olga takes a role from a member; Magpie gets no event before the next click."""
    olga = await scene.log_in("olga")
    world = scene.nest.world
    guild, user, id = world.guild_id, world.people[name], world.roles[role]
    await olga.request("DELETE", f"/guilds/{guild}/members/{user}/roles/{id}")


async def look_at(scene: Scene, person: Person, answer: Answer, place: str) -> Answer:
    """A closer look at the picture that was posted in `place`."""
    position = scene.shown(answer).index(scene.nest.messages[place])
    return await look(person, answer, position)


# ── Private answers ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", READERS)
async def test_each_member_finds_what_they_may_read_and_nothing_else(
    scene: Scene, name: str
) -> None:
    person = await scene.log_in(name)
    assert await scene.seen_by(person) == READERS[name]


async def test_age_restricted_pictures_are_found_only_from_an_age_restricted_channel(
    scene: Scene,
) -> None:
    finn = await scene.log_in("finn")
    assert await scene.seen_by(finn, "after dark") == READERS["finn"] | {"after dark"}
    assert await scene.seen_by(finn, "pets") == READERS["finn"]


async def test_a_member_who_leaves_a_private_thread_no_longer_finds_its_pictures(
    scene: Scene,
) -> None:
    finn = await scene.log_in("finn")
    assert "whispers" in await scene.seen_by(finn)
    await finn.request("DELETE", f"/channels/{scene.channel('whispers')}/thread-members/@me")
    assert "whispers" not in await scene.seen_by(finn)


async def test_a_role_lost_between_answer_and_more_counts(scene: Scene) -> None:
    mod = await scene.log_in("mod")
    answer = await mod.command("find", where=scene.channel("general"), image=PICTURE)
    first = scene.places(scene.shown(answer))
    assert len(first) == 6
    await take_role(scene, "mod", "Moderators")
    rest = scene.places(await scene.all_shown(mod, await mod.click(answer, answer.button("▶"))))
    assert rest <= EVERYBODYS | {"lounge"}


async def test_a_role_lost_between_answer_and_similar_counts(scene: Scene) -> None:
    mod = await scene.log_in("mod")
    answer = await mod.command("find", where=scene.channel("general"), image=PICTURE)
    looked = await look_at(scene, mod, answer, "mods")
    button = looked.button("Only similar")
    before = await mod.click(looked, button)
    assert scene.nest.messages["general"] in scene.shown(before)
    assert scene.nest.messages["mods"] not in scene.shown(before)
    await take_role(scene, "mod", "Moderators")
    assert (await mod.click(looked, button)).text() == answer_text.picture_unavailable()


async def test_an_answer_tells_nothing_of_how_much_was_left_out(scene: Scene) -> None:
    ada, finn = await scene.log_in("ada"), await scene.log_in("finn")
    for person in (ada, finn):  # five and five, of eleven in all
        answer = await person.command("find", where=scene.channel("general"), image=PICTURE)
        assert len(scene.shown(answer)) == 5
        assert "1–5, best first; that is all" in answer.text()
        assert "11" not in answer.text().replace("/11", "")


# ── After a restart ──────────────────────────────────────────────────────────────────────


async def test_buttons_work_after_a_restart(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    async with running(sandbox, db, model) as magpie:
        await watch_everything(magpie)
        scene = Scene(nest, sandbox, magpie, log_in)
        mod = await scene.log_in("mod")
        answer = await mod.command("find", where=scene.channel("general"), image=PICTURE)
        shared = await public(scene, mod, "general")
    async with running(sandbox, db, model) as magpie:
        scene = Scene(nest, sandbox, magpie, log_in)
        assert scene.places(await scene.all_shown(mod, answer)) == READERS["mod"]
        answer = await mod.command("find", where=scene.channel("general"), image=PICTURE)
    async with running(sandbox, db, model) as magpie:
        looked = await look_at(scene, mod, answer, "mods")
    async with running(sandbox, db, model) as magpie:
        similar = await mod.click(looked, looked.button("Only similar"))
        assert scene.nest.messages["general"] in scene.shown(similar)
        mine = await mod.click(shared, shared.button(ONLY_FOR_ME))
        assert scene.places(await scene.all_shown(mod, mine)) == READERS["mod"]


# ── Public answers ───────────────────────────────────────────────────────────────────────


async def public(scene: Scene, person: Person, where: str) -> Answer:
    answer = await person.command(
        "find", where=scene.channel(where), image=PICTURE, show="everyone"
    )
    assert not answer.private
    return answer


@pytest.mark.parametrize("name", ["olga", "mod"])
async def test_a_public_answer_shows_only_what_everyone_there_may_see(
    scene: Scene, name: str
) -> None:
    person = await scene.log_in(name)
    answer = await public(scene, person, "general")
    assert scene.places(scene.shown(answer)) == EVERYBODYS


async def test_a_public_answer_among_moderators_shows_what_moderators_share(scene: Scene) -> None:
    mod = await scene.log_in("mod")
    answer = await public(scene, mod, "mods")
    assert scene.places(scene.shown(answer)) == EVERYBODYS | {"mods", "old mod talk"}


async def test_more_of_a_public_answer_is_private_and_each_clickers_own(scene: Scene) -> None:
    finn, mod = await scene.log_in("finn"), await scene.log_in("mod")
    answer = await public(scene, finn, "general")
    assert [b["label"] for b in answer.buttons()] == [ONLY_FOR_ME]
    for name, person in (("finn", finn), ("mod", mod)):
        own = await person.click(answer, answer.button(ONLY_FOR_ME))
        assert own.private
        assert scene.places(await scene.all_shown(person, own)) == READERS[name]


async def test_an_answer_to_a_message_shows_what_everyone_there_may_see(scene: Scene) -> None:
    mod = await scene.log_in("mod")
    me = scene.nest.world.bot_id
    posted = await mod.post(scene.channel("general"), f"<@{me}>", pictures={"red.png": RED})
    answer = await scene.answer_to(mod, posted)

    def places(found: list[int]) -> set[str]:
        """Without the asker's own picture, which may be indexed by now."""
        return scene.places([message for message in found if message != int(posted["id"])])

    assert places(scene.shown(answer)) == EVERYBODYS
    own = await mod.click(answer, answer.button(ONLY_FOR_ME))
    assert own.private
    assert places(await scene.all_shown(mod, own)) == READERS["mod"]


async def test_a_public_answer_reads_the_same_whether_or_not_something_was_left_out(
    scene: Scene,
) -> None:
    mod = await scene.log_in("mod")
    with_hidden = await public(scene, mod, "general")
    for place in READERS["olga"] - EVERYBODYS | {"after dark"}:
        await olga_deletes(scene, place)
    without = await public(scene, mod, "general")
    assert without.lines() == with_hidden.lines()
    labels = [b["label"] for b in with_hidden.buttons()]
    assert [b["label"] for b in without.buttons()] == labels


async def test_a_public_answer_with_nothing_to_show_reads_the_same_too(scene: Scene) -> None:
    mod = await scene.log_in("mod")
    for place in EVERYBODYS:
        await olga_deletes(scene, place)
    with_hidden = await public(scene, mod, "general")
    for place in READERS["olga"] - EVERYBODYS | {"after dark"}:
        await olga_deletes(scene, place)
    without = await public(scene, mod, "general")
    assert (
        without.lines()
        == with_hidden.lines()
        == [
            answer_text.nothing_shared(),
            f"-# {answer_text.only_shared()}",
        ]
    )
    labels = [b["label"] for b in with_hidden.buttons()]
    assert [b["label"] for b in without.buttons()] == labels == [ONLY_FOR_ME]


async def olga_deletes(scene: Scene, place: str) -> None:
    """Olga deletes the picture in this place; waits until it is erased from the gallery."""
    olga = await scene.log_in("olga")
    message = scene.nest.messages[place]
    await olga.request("DELETE", f"/channels/{scene.channel(place)}/messages/{message}")

    async def erased() -> bool:
        space = scene.nest.world.guild_id
        return not await scene.magpie.gallery.links.slots(space, str(message))

    await until(erased)
