"""What a member erased stays erased, whatever reads its messages again, until they let it in."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.platform.places import missing_permissions
from index import Group
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests.bot.conftest import LogIn, on_both_stores
from tests.bot.running import Held, idle, png, running, sources, until, watch, watching
from tests.worlds import VIEW_CHANNEL, WorldFile


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    """She owns the server."""
    return await log_in("ada")


@pytest.fixture
async def mei(log_in: LogIn) -> Person:
    return await log_in("mei")


async def done(client: Magpie, job: int) -> None:
    """Wait until this many reindex jobs are done."""

    async def holds() -> bool:
        jobs = await client.gallery.bookkeeping.jobs(active=False)
        return [one.status for one in jobs] == ["done"] * job

    await until(holds)
    await idle(client)


async def new_session(client: Magpie, sandbox: sandbox_package.Server) -> None:
    """Let Discord end the session, and wait until the bot has another and has caught up."""

    def bots() -> set[str]:
        sessions = sandbox.gateway.sessions.values()
        return {one.id for one in sessions if one.user.bot and one.socket is not None}

    before = bots()
    sandbox.strike("gateway_invalid", resumable=False)

    async def anew() -> bool:
        return bool(bots() - before)

    await until(anew)
    await idle(client)


@on_both_stores
async def test_erased_pictures_come_back_by_no_way_that_reads_their_messages_again(
    magpie: Magpie,
    world_file: WorldFile,
    sandbox: sandbox_package.Server,
    ada: Person,
    mei: Person,
) -> None:
    general, walks = world_file.channels["general"], world_file.channels["walks"]
    unread = world_file.channels["after-dark"]
    await watch(magpie, general)
    posted = [
        await mei.post(str(place), pictures={"a.png": png(colour)})
        for place, colour in ((general, "teal"), (walks, "gold"), (unread, "navy"))
    ]
    others = await ada.post(str(general), pictures={"b.png": png("pink")})
    await idle(magpie)
    erased = {message["id"] for message in posted} | {
        message["id"] for message in await mei.messages(str(general)) if message["attachments"]
    } - {others["id"]}
    assert len(await sources(magpie) & erased) == len(erased) - 1  # one channel isn't watched yet
    await mei.command("privacy", "erase", where=str(general))

    async def edit() -> None:
        path = f"/channels/{general}/messages/{posted[0]['id']}"
        await mei.request("PATCH", path, json={"content": "look again"})

    async def add_to_an_old_message() -> None:
        form = aiohttp.FormData()
        kept = [{"id": posted[0]["attachments"][0]["id"]}, {"id": "0", "filename": "c.png"}]
        body = json.dumps({"attachments": kept})
        form.add_field("payload_json", body, content_type="application/json")
        form.add_field("files[0]", png("olive"), filename="c.png")
        path = f"/channels/{general}/messages/{posted[0]['id']}"
        await mei.request("PATCH", path, data=form)

    async def reindex() -> None:
        await ada.command("reindex", what="everything")
        await done(magpie, 1)

    async def reading_of_a_channel_from_its_beginning() -> None:
        await watch(magpie, unread)

    async def removal_and_addition_of_the_channel() -> None:
        for verb in ("remove", "add"):
            await ada.command("channels", verb, where=str(general), channel=str(general))

    async def closing_and_opening_of_the_channel() -> None:
        me = f"/channels/{general}/permissions/{world_file.bot_id}"
        deny = {"type": 1, "allow": "0", "deny": str(VIEW_CHANNEL)}
        channel = magpie.guilds[0].get_channel(general)
        assert channel is not None
        await ada.request("PUT", me, json=deny)

        async def closed() -> bool:
            return bool(missing_permissions(magpie.guilds[0].get_channel(general)))  # type: ignore[arg-type]

        await until(closed)
        await magpie.erasure.erase_closed(magpie.guilds[0], Group(general))
        await ada.request("DELETE", me)

        async def opened() -> bool:
            return not await closed()

        await until(opened)

    async def session() -> None:
        await new_session(magpie, sandbox)

    ways: list[Callable[[], Awaitable[None]]] = [
        session,
        edit,
        add_to_an_old_message,
        reindex,
        reading_of_a_channel_from_its_beginning,
        removal_and_addition_of_the_channel,
        closing_and_opening_of_the_channel,
    ]
    came_back = []
    for way in ways:
        await way()
        await idle(magpie)
        found = await sources(magpie)
        assert others["id"] in found, way.__name__
        if found & erased:
            came_back.append(way.__name__)
            await magpie.gallery.remove_sources(world_file.guild_id, erased)
    assert came_back == []
    new = await mei.post(str(general), pictures={"d.png": png("lime")})
    await idle(magpie)
    assert new["id"] in await sources(magpie)
    await mei.command("privacy", "opt-in", where=str(general), earlier=True)
    await ada.command("reindex")
    await done(magpie, 2)
    assert await sources(magpie) >= erased | {new["id"]}


async def test_erased_pictures_stay_erased_after_a_restart_and_are_not_even_downloaded(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, mei: Person
) -> None:
    general = world_file.channels["general"]
    async with watching(sandbox, db, model, general) as client:
        erased = await mei.post(str(general), pictures={"a.png": png("teal")})
        await idle(client)
        assert erased["id"] in await sources(client)
        await mei.command("privacy", "erase", where=str(general))
        kept = await mei.post(str(general), pictures={"b.png": png("gold")})
        await idle(client)
    again = Held(model)
    async with running(sandbox, db, again) as client:
        await idle(client)
        found = await sources(client)
        assert erased["id"] not in found
        assert kept["id"] in found
        assert again.begun == 0
        assert "stays so" in (await mei.command("privacy", "status", where=str(general))).text()


async def test_pictures_posted_while_opted_out_stay_out_after_the_opt_in(
    magpie: Magpie, world_file: WorldFile, sandbox: sandbox_package.Server, mei: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    await mei.command("privacy", "opt-out", where=str(general))
    meanwhile = await mei.post(str(general), pictures={"a.png": png("teal")})
    await mei.command("privacy", "opt-in", where=str(general))
    later = await mei.post(str(general), pictures={"b.png": png("gold")})
    await new_session(magpie, sandbox)
    found = await sources(magpie)
    assert meanwhile["id"] not in found
    assert later["id"] in found


async def test_what_members_want_left_out_is_forgotten_with_their_server(
    magpie: Magpie, world_file: WorldFile, sandbox: sandbox_package.Server, mei: Person
) -> None:
    general, member = world_file.channels["general"], int(mei.user["id"])
    await watch(magpie, general)
    await mei.command("privacy", "opt-out", where=str(general))
    guild = magpie.guilds[0].id
    assert magpie.left_out.opted_out(guild, member)
    await magpie.jobs.erase_guild(guild)
    assert not magpie.left_out.opted_out(guild, member)
    assert await magpie.gallery.bookkeeping.left_out() == {}
