"""An answer shows only pictures that still exist, with fresh links, and hides spoilers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

import sandbox as sandbox_package
from bot.ask.asker import Asker
from bot.ask.page import PAGE_SIZE
from bot.platform.refusal import Refusal
from bot.text import answers as answer_text
from bot.text import errors as error_text
from index import Asked, Filter, Query, SavedSearch
from index.embed.embedder import Embedder
from sandbox.links import LINK_LIFE_S
from sandbox.person import Answer, Person, Unanswered
from tests.bot.ask.conftest import RED, Scene, forward, look, similar, watch_everything
from tests.bot.ask.nest import READERS, Nest
from tests.bot.conftest import LogIn
from tests.bot.running import history_progress, idle, png, running, until

COLOURS = {"blue", "lime", "gold", "aqua", "purple"}  # pictures of every other kind, in #pets


async def ask(scene: Scene, person: Person, colour: str = "#c81e1e") -> Answer:
    image = ("asked.png", png(colour))
    return await person.command("find", where=scene.channel("general"), image=image)


async def slots(scene: Scene, message: int) -> set[str]:
    return await scene.magpie.gallery.links.slots(scene.nest.world.guild_id, str(message))


def place_of(scene: Scene, message: int) -> str:
    posted = next(m for m in scene.nest.world.guild["messages"] if m["id"] == str(message))
    return str(posted["channel_id"])


def drop(scene: Scene, place: str) -> int:
    """Delete the message in this place without an event."""
    message = scene.nest.messages[place]
    scene.server.world.drop_message(int(place_of(scene, message)), message)
    return message


# ── Links and pictures ───────────────────────────────────────────────────────────────────


async def test_pictures_are_shown_by_links_that_were_signed_just_now(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    indexed_until = time.time() + LINK_LIFE_S  # links that were signed before now end by then
    scene.server.core.links.life_s = 2 * LINK_LIFE_S
    answer = await ask(scene, finn)
    async with aiohttp.ClientSession() as session:
        for picture in answer.pictures():
            url = picture["media"]["url"]
            async with session.get(url) as file:
                assert file.status == 200
                assert file.content_type == "image/png"
            expires = int(parse_qs(urlsplit(url).query)["ex"][0], 16)
            assert expires > indexed_until


async def test_no_signed_link_is_stored(scene: Scene, db: Path) -> None:
    finn = await scene.log_in("finn")
    await ask(scene, finn)
    kept = b"".join(path.read_bytes() for path in db.parent.glob("magpie.db*"))
    assert b"ex=" not in kept
    assert b"/attachments/" not in kept


async def test_each_line_leads_to_the_message_it_stands_for(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn)
    guild = scene.nest.world.guild_id
    channels = {int(m["id"]): m["channel_id"] for m in scene.nest.world.guild["messages"]}
    for message in scene.shown(answer):
        channel = channels[message]
        assert f"https://discord.com/channels/{guild}/{channel}/{message})" in answer.text()
        shown = await finn.request("GET", f"/channels/{channel}/messages/{message}")
        assert f"<@{shown['author']['id']}> in <#{channel}>" in answer.text()


@pytest.fixture
def nest(nest: Nest) -> Nest:
    """The nest with a picture of every other kind, each in its own colour."""
    world = nest.world
    pets, olga = world.channels["pets"], world.people["olga"]

    def post(colour: str, **more: Any) -> None:
        nest.messages[colour] = world.message(pets, olga, **more)

    def file(colour: str) -> str:
        return world.picture(f"{colour}.png", colour)

    post("blue", content="||secret||", attachments=[])
    blue = world.guild["messages"][-1]
    blue["attachments"] = [
        {"id": str(int(blue["id"]) + 1), "file": file("blue"), "spoiler": True, "filename": "b.png"}
    ]
    post(
        "lime",
        embeds=[{"type": "rich", "title": "A lime", "image": {"url": f"media:{file('lime')}"}}],
    )
    post("gold", sticker_ids=[str(world.sticker("gold", file("gold")))])
    gallery = {"type": 12, "items": [{"media": {"url": f"media:{file('aqua')}"}}]}
    post("aqua", components=[gallery])
    original = nest.post("mods", "purple")
    nest.messages["original"] = original
    forwarded = {"channel_id": str(world.channels["mods"]), "message_id": str(original)}
    post("purple", forward_of=forwarded)
    return nest


@pytest.mark.parametrize("colour", sorted(COLOURS))
async def test_every_kind_of_picture_is_shown(scene: Scene, colour: str) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn, colour)
    assert scene.shown(answer)[0] == scene.nest.messages[colour]
    first = answer.pictures()[0]
    async with (
        aiohttp.ClientSession() as session,
        session.get(first["media"].get("proxy_url") or first["media"]["url"]) as shown,
    ):
        assert shown.status == 200
        assert shown.content_type == "image/png"


async def test_a_spoiler_stays_one(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn, "blue")
    assert [picture["spoiler"] for picture in answer.pictures()][:2] == [True, False]


# ── Deletions ────────────────────────────────────────────────────────────────────────────


async def test_a_deletion_without_an_event_is_noticed_when_somebody_asks(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    gone = drop(scene, "general")
    assert await slots(scene, gone)
    answer = await ask(scene, finn)
    assert len(scene.shown(answer)) == PAGE_SIZE  # the next hit took its place
    places = READERS["finn"] | COLOURS
    everything = {scene.nest.messages[place] for place in places}
    assert set(await scene.all_shown(finn, answer)) == everything - {gone}  # nothing is skipped
    assert not await slots(scene, gone)


async def test_a_deletion_while_magpie_was_away_is_not_shown_and_erased(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    async with running(sandbox, db, model) as magpie:
        await watch_everything(magpie)
        drop(Scene(nest, sandbox, magpie, log_in), "general")
    async with running(sandbox, db, model) as magpie:
        scene = Scene(nest, sandbox, magpie, log_in)
        finn = await scene.log_in("finn")
        gone = nest.messages["general"]
        assert gone not in await scene.all_shown(finn, await ask(scene, finn))
        assert not await slots(scene, gone)


async def test_a_picture_that_its_message_no_longer_shows_is_erased(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    edited = scene.nest.messages["general"]
    message = scene.server.world.messages(int(scene.channel("general"))).get(edited)
    assert message is not None
    message.attachments.clear()
    message.content = "I took it out"
    assert edited not in await scene.all_shown(finn, await ask(scene, finn))
    assert not await slots(scene, edited)


async def test_a_message_without_any_content_is_not_taken_for_an_edit(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    stripped = scene.nest.messages["general"]
    message = scene.server.world.messages(int(scene.channel("general"))).get(stripped)
    assert message is not None
    message.attachments.clear()
    assert stripped not in await scene.all_shown(finn, await ask(scene, finn))
    assert await slots(scene, stripped)


async def test_a_deleted_thread_is_erased_with_all_its_pictures(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    thread = int(scene.channel("old walks"))
    channel = scene.server.world.channel(thread)
    assert channel is not None
    scene.server.world.drop_channel(channel)
    gone = scene.nest.messages["old walks"]
    assert gone not in await scene.all_shown(finn, await ask(scene, finn))
    assert not await slots(scene, gone)
    groups = await scene.magpie.gallery.links.groups(scene.nest.world.guild_id)
    assert thread not in {group.id for group in groups}


async def test_unknown_channel_error_for_a_channel_that_the_gateway_knows_erases_nothing(
    scene: Scene,
) -> None:
    finn = await scene.log_in("finn")
    channel, message = scene.channel("general"), scene.nest.messages["general"]
    path = f"/channels/{channel}/messages/{message}"
    scene.server.strike("error", path=path, status=404, code=10003, message="Unknown Channel")
    answer = await ask(scene, finn)
    assert message not in scene.shown(answer)
    assert await slots(scene, message)


async def test_a_message_that_cannot_be_read_now_is_left_out_and_kept(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    every = "/channels/*/messages/*"
    refused = {"status": 403, "code": 50001, "message": "Missing Access"}
    message = scene.nest.messages["general"]
    one = f"/channels/{scene.channel('general')}/messages/{message}"
    scene.server.strike("error", path=one, times=None, **refused)
    found = await scene.all_shown(finn, await ask(scene, finn))
    assert message not in found
    assert len(found) == len(set(found))  # the pages still fit together
    assert await slots(scene, message)
    scene.server.strike("error", path=every, method="GET", times=None, **refused)
    assert (await ask(scene, finn)).text() == answer_text.unreachable()


def all_but_a_copy(scene: Scene, missing: set[int]) -> bool:
    """Whether only a copy is missing: a message and its forward are one hit."""
    return missing <= {scene.nest.messages["original"], scene.nest.messages["purple"]} and (
        len(missing) < 2
    )


async def test_pages_fit_together_when_something_is_erased_between(scene: Scene) -> None:
    olga = await scene.log_in("olga")
    answer = await ask(scene, olga)
    first = scene.shown(answer)
    drop(scene, "birding")
    rest = await scene.all_shown(olga, await olga.click(answer, answer.button("▶")))
    assert not set(first) & set(rest)
    gone = {scene.nest.messages[place] for place in ("birding", "after dark")}
    found = {*first, *rest} | gone
    assert all_but_a_copy(scene, {*scene.nest.messages.values()} - found)


async def test_a_page_is_full_though_many_hits_were_deleted_unnoticed(scene: Scene) -> None:
    olga = await scene.log_in("olga")
    kept = {"general", "pets", "after dark"}
    for place in scene.nest.world.channels.keys() - kept:
        drop(scene, place)
    found = await scene.all_shown(olga, await ask(scene, olga))
    left = {scene.nest.messages[place] for place in {"general", "pets", "original"} | COLOURS}
    assert set(found) <= left
    assert all_but_a_copy(scene, left - set(found))
    groups = await scene.magpie.gallery.links.count(scene.nest.world.guild_id)
    assert groups.links == len(left) + 1  # … and what was posted after dark


async def test_a_picture_that_changes_while_a_page_is_made_is_shown_once(scene: Scene) -> None:
    finn, links = await scene.log_in("finn"), scene.magpie.gallery.links
    for place in ("general", "old walks", "lounge", "whispers", "aqua"):
        drop(scene, place)  # so that other hits take their places
    pets, general = scene.nest.messages["pets"], scene.nest.messages["general"]
    scene.server.strike("slow", path=f"/channels/*/messages/{general}", who="bot", delay_s=0.5)
    before = len(scene.server.exchanges)
    asking = asyncio.create_task(ask(scene, finn))

    async def pets_was_read() -> bool:
        paths = [exchange.path for exchange in scene.server.exchanges[before:]]
        return any(path.endswith(f"/messages/{pets}") for path in paths)

    await until(pets_was_read)
    known = await links.belongings(scene.nest.world.guild_id, scene.nest.world.people["olga"])
    link = next(one.link for _, one in known if one.link.source == str(pets))
    less_like_it = await scene.magpie.gallery.embed_picture(png("blue"))
    await scene.magpie.gallery.commit([(less_like_it, link)])
    shown = scene.shown(await asking)
    assert shown.count(pets) == 1
    assert len(shown) == len(set(shown)) == 5


async def test_similar_to_a_picture_that_was_deleted_meanwhile(scene: Scene) -> None:
    finn, olga = await scene.log_in("finn"), await scene.log_in("olga")
    answer = await ask(scene, finn)
    first = scene.shown(answer)[0]
    looked = await look(finn, answer)
    await olga.request("DELETE", f"/channels/{place_of(scene, first)}/messages/{first}")

    async def erased() -> bool:
        return not await slots(scene, first)

    await until(erased)
    asking = finn.click(looked, looked.button("Only similar"))
    assert (await asking).text() == answer_text.picture_unavailable()


async def test_more_for_a_picture_that_was_deleted_meanwhile(scene: Scene) -> None:
    olga = await scene.log_in("olga")
    message, general = scene.nest.messages["general"], scene.channel("general")
    target = {"id": str(message), "channel_id": general}
    answer = await olga.menu("Find similar", target)
    asked_with = (message, scene.shown(answer)[0])
    alike = await similar(olga, answer)
    answer = await olga.menu("Find similar", target)
    pages = [await olga.click(one, one.button("▶")) for one in (answer, alike)]
    assert all(map(scene.shown, pages))
    for one in asked_with:
        await olga.request("DELETE", f"/channels/{place_of(scene, one)}/messages/{one}")

    async def erased() -> bool:
        return not [slot for one in asked_with for slot in await slots(scene, one)]

    await until(erased)
    for page in pages:
        refused = await olga.click(page, page.button("◀"))
        assert refused.text() == answer_text.picture_unavailable()
        assert refused.message["id"] != page.message["id"], "what was there stays"


async def test_a_saved_question_has_no_vector_of_a_messages_picture(scene: Scene, db: Path) -> None:
    olga, general = await scene.log_in("olga"), scene.channel("general")
    picture = {"red.png": RED}
    posted = await olga.post(general, f"<@{scene.nest.world.bot_id}>", pictures=picture)
    answer = await scene.answer_to(olga, posted)
    await olga.menu("Find similar", {"id": posted["id"], "channel_id": general})
    await similar(olga, answer)
    await ask(scene, olga)
    with contextlib.closing(sqlite3.connect(db)) as file:
        kept = file.execute("SELECT vector IS NOT NULL FROM searches ORDER BY made_at").fetchall()
    assert kept == [(0,), (0,), (0,), (1,)]  # the last question has a picture of its own


# ── Sentences ────────────────────────────────────────────────────────────────────────────


async def test_an_answer_where_nothing_is_watched_says_who_can_change_that(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    async with running(sandbox, db, model) as magpie:
        scene = Scene(nest, sandbox, magpie, log_in)
        finn, olga = await scene.log_in("finn"), await scene.log_in("olga")
        assert (await ask(scene, finn)).text() == answer_text.no_channels(may_add=False)
        assert (await ask(scene, olga)).text() == answer_text.no_channels(may_add=True)
        guild = magpie.guilds[0]
        mods = guild.get_channel(nest.world.channels["mods"])
        assert mods is not None
        await magpie.watched.add(guild.id, mods.id)
        assert (await ask(scene, finn)).text() == answer_text.nothing_readable()
        assert (await ask(scene, olga)).text() == answer_text.not_indexed_yet()


async def test_while_the_history_is_read_an_answer_says_how_far(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    guild = scene.magpie.guilds[0]
    pets = guild.get_channel(int(scene.channel("pets")))
    assert pets is not None
    scene.server.strike("slow", path=f"/channels/{pets.id}/messages", who="bot", delay_s=3)
    scene.magpie.backlog.enqueue_missed(pets)  # type: ignore[arg-type]
    progress = history_progress(scene.magpie, guild.id)
    assert progress is not None
    answer = await ask(scene, finn)
    assert f"-# {answer_text.still_indexing(progress.percent)}" in answer.lines()
    await idle(scene.magpie)
    assert "still reading" not in (await ask(scene, finn)).text()


async def test_a_question_longer_than_the_model_reads_says_where_it_stopped(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await finn.command("find", where=scene.channel("general"), query="dog " * 100)
    assert "I read as far as “" in answer.text()
    assert len(scene.shown(answer)) == PAGE_SIZE


@pytest.mark.parametrize("data", [b"", b"just text", RED[:60], b"GIF89a"])
async def test_a_file_that_is_no_picture_gets_a_sentence(scene: Scene, data: bytes) -> None:
    finn = await scene.log_in("finn")
    answer = await finn.command("find", where=scene.channel("general"), image=("a.png", data))
    assert answer.private
    assert answer.text().startswith("This ")
    assert answer.text().endswith(".")


async def test_a_picture_that_cannot_be_downloaded_gets_a_sentence(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    scene.server.strike("cdn_error", status=404, times=None)
    answer = await ask(scene, finn)
    assert answer.text() == "Discord's link to that file is no longer valid."


async def test_an_error_of_the_gallery_is_answered_too(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn)
    me = f"<@{scene.nest.world.bot_id}>"
    await scene.magpie.gallery.close()
    for failed in (
        await finn.command("find", query="dog"),
        await finn.click(answer, answer.button("▶")),
        await look(finn, answer),
        await scene.answer_to(finn, await finn.post(scene.channel("general"), f"{me} dog")),
    ):
        assert failed.text() == error_text.restarting()


async def test_a_question_is_answered_on_a_full_disk(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    with no_file_can_be_written():
        answer = await finn.command("find", where=scene.channel("general"), query="dog")
        erasing = await finn.command("privacy", "erase", where=scene.channel("general"))
        leaving = await finn.command("privacy", "opt-out", where=scene.channel("general"))
    assert len(scene.shown(answer)) == PAGE_SIZE
    assert f"-# {answer_text.no_buttons()}" in answer.lines()
    assert not answer.buttons()
    assert erasing.text().startswith(error_text.disk_full())
    assert leaving.text().startswith(error_text.disk_full())
    member = (scene.magpie.guilds[0].id, int(finn.user["id"]))
    assert not scene.magpie.left_out.opted_out(*member), "a failed opt-out has no effect"
    answer = await finn.command("find", where=scene.channel("general"), query="dog")
    assert forward(answer)


async def test_a_file_that_is_busy_for_long_delays_no_answer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.magpie.clocks.save_search_s = 0.1
    finn = await scene.log_in("finn")
    async with scene.magpie.gallery._store.database._writing:  # as during a compaction
        answer = await finn.command("find", where=scene.channel("general"), query="dog")
    assert len(scene.shown(answer)) == PAGE_SIZE
    assert f"-# {answer_text.no_buttons()}" in answer.lines()


@contextlib.contextmanager
def no_file_can_be_written() -> Iterator[None]:
    """Limit the size of files for this process, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_where_magpie_may_not_write_it_stays_silent_and_says_so_in_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    finn = await scene.log_in("finn")
    refused = {"status": 403, "code": 50013, "message": "Missing Permissions"}
    general = scene.channel("general")
    path = f"/channels/{general}/messages"
    scene.server.strike("error", path=path, method="POST", who="bot", **refused)
    posted = await finn.post(general, f"<@{scene.nest.world.bot_id}> dog")

    async def logged() -> bool:
        return f"event=answer_forbidden message={posted['id']}" in caplog.text

    await until(logged)
    assert "event_failed" not in caplog.text


async def test_the_unexpected_is_answered_with_a_reference_to_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    finn = await scene.log_in("finn")

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(scene.magpie.results, "page", broken)
    answer = await ask(scene, finn)
    assert "secret" not in answer.text()
    assert answer.text().split("`")[1] in caplog.text


async def test_a_question_that_came_too_late_is_no_error(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn)
    gone = {"status": 404, "code": 10062, "message": "Unknown interaction"}
    scene.server.strike("error", path="/interactions/*", who="bot", times=None, **gone)
    scene.server.clocks.acknowledge_s = 3.0
    for asking in (
        finn.command("find", where=scene.channel("general"), query="dog"),
        look(finn, answer),
    ):
        caplog.clear()
        with pytest.raises(Unanswered):
            await asking
        assert "asked_too_long_ago" in caplog.text
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_nothing_is_held_in_memory_for_an_answer_and_its_buttons(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn)
    await similar(finn, await finn.click(answer, answer.button("▶")))
    assert list(scene.magpie.persistent_views) == []
    assert scene.magpie._connection._view_store._views == {}


async def test_a_private_search_is_refused_to_other_members(scene: Scene) -> None:
    mod, finn = await scene.log_in("mod"), await scene.log_in("finn")
    answer = await ask(scene, mod)
    id = answer.button("▶")["custom_id"].split(":")[1]
    magpie, guild = scene.magpie, scene.magpie.guilds[0]
    member = await guild.fetch_member(int(finn.user["id"]))
    asker = Asker(member, guild, guild.get_channel(int(scene.channel("general"))))
    with pytest.raises(Refusal, match="somebody else"):
        await magpie.questions.saved(asker, id)
    with pytest.raises(Refusal, match="forgotten"):
        await magpie.questions.saved(asker, "none-such")


async def test_what_a_question_is_limited_to_holds_for_its_further_pages(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    magpie, guild = scene.magpie, scene.magpie.guilds[0]
    member = await guild.fetch_member(int(finn.user["id"]))
    asker = Asker(member, guild, guild.get_channel(int(scene.channel("general"))))
    embedding = await magpie.gallery.embed_query(Query(text="dog"))
    for filter, found in ((None, True), (Filter(1), True), (Filter(1, until=0.0), False)):
        asked = Asked("dog", filter=filter)
        search = SavedSearch("", guild.id, member.id, asked, embedding)
        draft = await magpie.answers.show(asker, search)
        said = str(draft.lay_out(draft.page).to_components())
        assert (answer_text.nothing_found() not in said) == found
        assert ("go to message" in said) == found
