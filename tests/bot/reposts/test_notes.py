"""Quiet notes below pictures that were posted before."""

from __future__ import annotations

from pathlib import Path

import discord
import pytest
from PIL import Image

import sandbox as sandbox_package
from bot.reposts import notes as notes_module
from bot.text import copies as text
from index import Note
from index.embed.embedder import Embedder
from sandbox.person import Answer, Payload, Person
from tests.bot.ask.conftest import Scene, watch_everything
from tests.bot.ask.nest import Nest
from tests.bot.ask.test_last_look import delete
from tests.bot.ask.test_posted_before import correct, ids, told
from tests.bot.conftest import LogIn
from tests.bot.drawings import cropped, drawing, file, mirrored
from tests.bot.running import idle, quick_clocks, running, sources, until, watch

ORIGINAL = drawing(1)
SUPPRESS_NOTIFICATIONS = 1 << 12
PEOPLE = 4


@pytest.fixture
async def noted(scene: Scene) -> Scene:
    """Notes are on in general, for what fewer than four people have posted."""
    guild = scene.magpie.guilds[0]
    await scene.magpie.noted.set(guild.id, int(scene.channel("general")), PEOPLE)
    return scene


async def settled(scene: Scene) -> None:
    """Wait until everything is indexed, and noted."""
    await idle(scene.magpie)

    async def is_done() -> bool:
        return not scene.magpie.notes.busy

    await until(is_done)


async def post(person: Person, scene: Scene, place: str, image: Image.Image) -> Payload:
    posted = await person.post(scene.channel(place), pictures={"a.png": file(image)})
    await settled(scene)
    return posted


async def notes_in(scene: Scene, person: Person, place: str = "general") -> dict[str, Payload]:
    """Magpie's messages there, by the message that they reply to."""
    me = str(scene.nest.world.bot_id)
    messages = await person.messages(scene.channel(place))
    return {
        message["message_reference"]["message_id"]: message
        for message in messages
        if message["author"]["id"] == me
    }


async def replies(scene: Scene, person: Person, place: str = "general") -> list[str]:
    """The messages that Magpie's own messages there reply to, once for each."""
    me = str(scene.nest.world.bot_id)
    messages = await person.messages(scene.channel(place))
    return [m["message_reference"]["message_id"] for m in messages if m["author"]["id"] == me]


async def note_below(scene: Scene, person: Person, posted: Payload) -> Answer | None:
    found = (await notes_in(scene, person)).get(posted["id"])
    return Answer(found) if found else None


async def test_a_quiet_note_tells_of_the_first_place(noted: Scene) -> None:
    ada, finn = await noted.log_in("ada"), await noted.log_in("finn")
    first = await post(ada, noted, "pets", ORIGINAL)
    again = await post(finn, noted, "general", cropped(ORIGINAL))
    note = await note_below(noted, finn, again)
    assert note is not None
    assert note.message["flags"] & SUPPRESS_NOTIFICATIONS
    assert note.message["mentions"] == []
    (line,) = note.lines()
    assert line.startswith(f"-# Posted before, once; first by <@{ada.user['id']}>")
    assert first["id"] in line
    own = await finn.click(note, note.button(text.details()))
    assert own.private
    assert told(own) == ids([first])


async def test_a_note_speaks_the_language_of_the_server(noted: Scene) -> None:
    noted.magpie.guilds[0].preferred_locale = discord.Locale.german
    finn, ada = await noted.log_in("finn"), await noted.log_in("ada")
    await post(ada, noted, "pets", ORIGINAL)
    note = await note_below(noted, finn, await post(finn, noted, "general", ORIGINAL))
    assert note is not None
    assert note.text().startswith("-# Schon gepostet, einmal; zuerst von <@")
    own = await finn.click(note, note.button("Mehr, nur für mich"))
    assert own.lines()[0] == "### Posted before: once"


async def test_a_note_tells_nothing_of_what_not_everybody_there_may_read(noted: Scene) -> None:
    mod, finn = await noted.log_in("mod"), await noted.log_in("finn")
    await post(mod, noted, "mods", ORIGINAL)
    only_hidden = await post(mod, noted, "general", cropped(ORIGINAL))
    assert await notes_in(noted, finn) == {}
    again = await post(finn, noted, "general", mirrored(ORIGINAL))
    note = await note_below(noted, finn, again)
    assert note is not None
    assert "once" in note.text()
    assert only_hidden["id"] in note.text()


async def test_no_note_for_what_is_new_or_ones_own_or_what_everybody_posts(noted: Scene) -> None:
    ada, finn, mod, olga = [await noted.log_in(name) for name in ("ada", "finn", "mod", "olga")]
    await post(finn, noted, "general", ORIGINAL)
    await post(finn, noted, "general", ORIGINAL)
    await post(finn, noted, "general", drawing(2))
    assert await notes_in(noted, finn) == {}
    await post(ada, noted, "pets", ORIGINAL)
    await post(mod, noted, "pets", ORIGINAL)
    third = await post(mod, noted, "general", ORIGINAL)
    await post(olga, noted, "general", ORIGINAL)
    assert list(await notes_in(noted, finn)) == [third["id"]]


async def test_a_moderator_lets_a_picture_pass_and_takes_it_back(noted: Scene) -> None:
    finn, mod = await noted.log_in("finn"), await noted.log_in("mod")
    await post(mod, noted, "pets", ORIGINAL)
    noticed = await post(finn, noted, "general", ORIGINAL)
    note = await note_below(noted, mod, noticed)
    assert note is not None
    passed = await correct(mod, await mod.click(note, note.button(text.details())), text.let_pass())
    assert text.said_passes() in passed.text()
    await post(finn, noted, "general", cropped(ORIGINAL))
    assert list(await notes_in(noted, finn)) == [noticed["id"]]
    await correct(mod, passed, text.note_again())
    third = await post(finn, noted, "general", mirrored(ORIGINAL))
    assert set(await notes_in(noted, finn)) == {noticed["id"], third["id"]}


async def test_history_gets_no_notes(noted: Scene) -> None:
    finn, mod = await noted.log_in("finn"), await noted.log_in("mod")
    await post(mod, noted, "pets", ORIGINAL)
    guild, general = noted.magpie.guilds[0], noted.magpie.get_channel(int(noted.channel("general")))
    await noted.magpie.watched.discard(guild.id, general.id)
    await noted.magpie.erasure.erase_group(guild.id, general.id)
    old = await post(finn, noted, "general", ORIGINAL)
    await noted.magpie.watched.add(guild.id, general.id)
    noted.magpie.backlog.begin([general])
    await settled(noted)
    assert old["id"] in await sources(noted.magpie)
    assert await notes_in(noted, finn) == {}


async def test_a_picture_of_this_moment_gets_one_note_though_history_brings_it_first(
    noted: Scene,
) -> None:
    """The first page of a channel has it, and its event comes after that page, twice."""
    finn, mod = await noted.log_in("finn"), await noted.log_in("mod")
    magpie, general = noted.magpie, int(noted.channel("general"))
    guild = magpie.guilds[0].id
    await post(mod, noted, "pets", ORIGINAL)
    await magpie.erasure.erase_group(guild, general)
    noted.server.strike("gateway_miss", event="MESSAGE_CREATE")
    posted = await finn.post(str(general), pictures={"a.png": file(ORIGINAL)})
    await watch(magpie, general)
    await settled(noted)
    assert posted["id"] in await sources(magpie, general)
    assert await notes_in(noted, finn) == {}
    [session] = [one for one in noted.server.core.gateway.sessions.values() if one.user.bot]
    for _ in range(2):
        session.add("MESSAGE_CREATE", posted | {"guild_id": str(guild)})
        await post(finn, noted, "general", drawing(2))
    assert await replies(noted, finn) == [posted["id"]]


async def test_a_note_that_a_kill_prevented_is_written_once_after_the_start(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    """Its picture was in the gallery by then. What was posted meanwhile gets one, too."""
    async with running(sandbox, db, model) as magpie:
        await watch_everything(magpie)
        scene = Scene(nest, sandbox, magpie, log_in)
        general = int(scene.channel("general"))
        await magpie.noted.set(magpie.guilds[0].id, general, PEOPLE)
        finn, mod = await scene.log_in("finn"), await scene.log_in("mod")
        await post(mod, scene, "pets", ORIGINAL)
        await magpie.notes.close()
        indexed = await finn.post(str(general), pictures={"a.png": file(ORIGINAL)})
        await idle(magpie)
        assert indexed["id"] in await sources(magpie, general)
    meanwhile = await finn.post(str(general), pictures={"a.png": file(ORIGINAL)})
    for _ in range(2):
        async with running(sandbox, db, model) as magpie:
            scene = Scene(nest, sandbox, magpie, log_in)
            await settled(scene)
            assert sorted(await replies(scene, finn)) == ids([indexed, meanwhile])


@pytest.mark.parametrize("was_sent", [True, False])
async def test_a_note_on_its_way_at_a_kill_is_sent_once(
    nest: Nest,
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    log_in: LogIn,
    was_sent: bool,
) -> None:
    """After the kill it is only known that it was being sent."""
    async with running(sandbox, db, model) as magpie:
        await watch_everything(magpie)
        scene = Scene(nest, sandbox, magpie, log_in)
        guild, general = magpie.guilds[0].id, int(scene.channel("general"))
        await magpie.noted.set(guild, general, PEOPLE)
        finn, mod = await scene.log_in("finn"), await scene.log_in("mod")
        first = await post(mod, scene, "pets", ORIGINAL)
        again = await post(finn, scene, "general", ORIGINAL)
        if not was_sent:
            note = (await notes_in(scene, finn))[again["id"]]
            await magpie.http.delete_message(general, int(note["id"]))
        await magpie.notes.close()
        unsent = Note(guild, general, again["id"], first["id"], notes_module.UNSENT)
        await magpie.gallery.bookkeeping.keep_note(unsent)
    # So catching up comes to the message before it is known whether it has a note.
    sandbox.strike("error", path=f"/channels/{general}/messages", who="bot", status=400)
    async with running(sandbox, db, model, quick_clocks(expire_s=1.0)) as magpie:
        scene = Scene(nest, sandbox, magpie, log_in)
        bookkeeping = magpie.gallery.bookkeeping

        async def known() -> bool:
            note = await bookkeeping.note_below(guild, again["id"])
            return note is not None and note.id != notes_module.UNSENT

        await until(known)
        await settled(scene)
        assert await replies(scene, finn) == [again["id"]]


async def test_a_note_that_is_refused_is_not_tried_again_and_again(noted: Scene) -> None:
    finn, mod = await noted.log_in("finn"), await noted.log_in("mod")
    await post(mod, noted, "pets", ORIGINAL)
    path = f"/channels/{noted.channel('general')}/messages"
    refused = {"status": 403, "code": 50013, "message": "Missing Permissions", "times": None}
    noted.server.strike("error", path=path, method="POST", who="bot", **refused)
    posted = await post(finn, noted, "general", ORIGINAL)
    guild, bookkeeping = noted.magpie.guilds[0].id, noted.magpie.gallery.bookkeeping

    async def forgotten() -> bool:
        return await bookkeeping.note_below(guild, posted["id"]) is None

    await until(forgotten)
    await settled(noted)
    asked = [
        one for one in noted.server.exchanges if one.route == "/channels/{channel_id}/messages"
    ]
    assert len([one for one in asked if (one.who, one.method) == ("bot", "POST")]) == 1


async def test_notes_come_no_faster_than_they_may(
    noted: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes_module, "NOTES", 2)
    finn, mod = await noted.log_in("finn"), await noted.log_in("mod")
    await post(mod, noted, "pets", ORIGINAL)
    for _ in range(4):
        await post(finn, noted, "general", ORIGINAL)
    assert len(await notes_in(noted, finn)) == 2


async def test_a_note_goes_with_its_picture(noted: Scene) -> None:
    finn, mod = await noted.log_in("finn"), await noted.log_in("mod")
    await post(mod, noted, "pets", ORIGINAL)
    deleted, edited, erased = [await post(finn, noted, "general", ORIGINAL) for _ in range(3)]
    assert len(await notes_in(noted, mod)) == 3
    await finn.request("DELETE", f"/channels/{deleted['channel_id']}/messages/{deleted['id']}")
    path = f"/channels/{edited['channel_id']}/messages/{edited['id']}"
    await finn.request("PATCH", path, json={"content": "no picture", "attachments": []})

    async def only_one_is_left() -> bool:
        return list(await notes_in(noted, mod)) == [erased["id"]]

    await until(only_one_is_left)
    await finn.command("privacy", "erase")

    async def none_is_left() -> bool:
        kept = await noted.magpie.gallery.bookkeeping.loose_notes()
        return await notes_in(noted, mod) == {} and not kept

    await until(none_is_left)


async def test_a_note_is_known_before_it_is_sent(noted: Scene) -> None:
    finn, mod = await noted.log_in("finn"), await noted.log_in("mod")
    await post(mod, noted, "pets", ORIGINAL)
    path = f"/channels/{noted.channel('general')}/messages"
    noted.server.strike("slow", path=path, method="POST", who="bot", times=1, delay_s=1.0)
    posted = await finn.post(noted.channel("general"), pictures={"a.png": file(ORIGINAL)})
    bookkeeping = noted.magpie.gallery.bookkeeping

    async def known() -> bool:
        unsent = await bookkeeping.notes_with_id(notes_module.UNSENT)
        return [note.source for note in unsent] == [posted["id"]]

    await until(known)
    assert await notes_in(noted, finn) == {}
    await settled(noted)
    (note,) = (await notes_in(noted, finn)).values()
    assert [kept.source for kept in await bookkeeping.notes_with_id(note["id"])] == [posted["id"]]


async def test_a_note_goes_that_was_sent_just_before_a_kill(noted: Scene) -> None:
    """After a kill between sending and saving, only that it is being sent is known."""
    finn, mod = await noted.log_in("finn"), await noted.log_in("mod")
    await post(mod, noted, "pets", ORIGINAL)
    sent, unsent = [await post(finn, noted, "general", ORIGINAL) for _ in range(2)]
    general, notes = noted.channel("general"), await notes_in(noted, mod)
    await noted.magpie.http.delete_message(int(general), int(notes.pop(unsent["id"])["id"]))
    bookkeeping = noted.magpie.gallery.bookkeeping
    for one in (sent, unsent):
        space = noted.magpie.guilds[0].id
        note = Note(space, int(general), one["id"], sent["id"], notes_module.UNSENT)
        await bookkeeping.keep_note(note)
    noted.magpie.writer.erased.set()  # as at a start

    async def known() -> bool:
        return not await bookkeeping.notes_with_id(notes_module.UNSENT)

    await until(known)
    assert len(await bookkeeping.notes_with_id(notes[sent["id"]]["id"])) == 1
    await finn.request("DELETE", f"/channels/{general}/messages/{sent['id']}")

    async def none_is_left() -> bool:
        return await notes_in(noted, mod) == {}

    await until(none_is_left)


async def test_a_note_goes_with_the_earlier_picture_that_it_names(noted: Scene) -> None:
    finn, mod = await noted.log_in("finn"), await noted.log_in("mod")
    first = await post(mod, noted, "pets", ORIGINAL)
    await post(finn, noted, "general", ORIGINAL)
    assert len(await notes_in(noted, mod)) == 1
    await mod.request("DELETE", f"/channels/{first['channel_id']}/messages/{first['id']}")

    async def none_is_left() -> bool:
        return await notes_in(noted, mod) == {}

    await until(none_is_left)


async def test_a_note_whose_picture_is_deleted_while_the_bot_is_away_goes_at_the_start(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    async with running(sandbox, db, model) as magpie:
        await watch_everything(magpie)
        scene = Scene(nest, sandbox, magpie, log_in)
        guild, general = magpie.guilds[0].id, int(scene.channel("general"))
        await magpie.noted.set(guild, general, PEOPLE)
        finn, mod = await scene.log_in("finn"), await scene.log_in("mod")
        await post(mod, scene, "pets", ORIGINAL)
        noticed = await post(finn, scene, "general", ORIGINAL)
        assert await note_below(scene, finn, noticed)
    await finn.request("DELETE", f"/channels/{general}/messages/{noticed['id']}")
    async with running(sandbox, db, model) as magpie:
        assert magpie.noted.marks(guild) == {general: PEOPLE}
        scene = Scene(nest, sandbox, magpie, log_in)
        await idle(magpie)
        await magpie.writer.erase_messages(guild, [int(noticed["id"])])  # as the relisting does

        async def is_gone() -> bool:
            return await note_below(scene, finn, noticed) is None

        await until(is_gone)


async def test_pictures_dont_wait_for_notes(noted: Scene) -> None:
    finn, mod = await noted.log_in("finn"), await noted.log_in("mod")
    first = await post(mod, noted, "pets", ORIGINAL)
    path = f"/channels/{first['channel_id']}/messages/{first['id']}"
    noted.server.strike("hold", path=path, method="GET", who="bot")
    general = noted.channel("general")
    posts = [
        await finn.post(general, pictures={"a.png": file(ORIGINAL)})
        for _ in range(notes_module.MAX_WAITING // 16)
    ]

    async def are_indexed() -> bool:
        return set(ids(posts)) <= await sources(noted.magpie)

    await until(are_indexed)
    assert noted.magpie.notes.busy
    assert await notes_in(noted, finn) == {}
    noted.server.faults.clear()
    await settled(noted)
    assert set(await notes_in(noted, finn)) == set(ids(posts))


async def test_a_picture_that_is_deleted_meanwhile_gets_no_note(noted: Scene) -> None:
    finn, mod = await noted.log_in("finn"), await noted.log_in("mod")
    first = await post(mod, noted, "pets", ORIGINAL)
    path = f"/channels/{first['channel_id']}/messages/{first['id']}"
    noted.server.strike("hold", path=path, method="GET", who="bot")
    posted = await finn.post(noted.channel("general"), pictures={"a.png": file(ORIGINAL)})

    async def is_held() -> bool:
        return bool(noted.server.faults.held)

    await until(is_held)
    await delete(noted, "general", int(posted["id"]))
    noted.server.faults.clear()
    await settled(noted)
    assert await notes_in(noted, finn) == {}
