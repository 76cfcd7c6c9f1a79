"""The gallery follows later changes: edits, deletions, moves, removals."""

from __future__ import annotations

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any

import discord
import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.text import answers as answer_text
from index.embed.embedder import Embedder
from sandbox.person import Person, Refused
from tests.bot.conftest import LogIn
from tests.bot.running import (
    Held,
    idle,
    png,
    quick_clocks,
    read_and_leave,
    running,
    sources,
    until,
    watch,
    watching,
)
from tests.worlds import WorldFile


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    """She owns the server."""
    return await log_in("ada")


@pytest.fixture
async def general(magpie: Magpie, world_file: WorldFile) -> int:
    """The id of #general, which is watched and read."""
    await watch(magpie, world_file.channels["general"])
    return world_file.channels["general"]


async def links(client: Magpie) -> int:
    return (await client.gallery.links.count()).links


async def gone(client: Magpie, message: dict[str, Any]) -> None:
    """Wait until a message has no picture in the gallery."""

    async def holds() -> bool:
        return message["id"] not in await sources(client)

    await until(holds)


async def test_deleted_message_leaves_nothing(magpie: Magpie, general: int, ada: Person) -> None:
    before = await magpie.gallery.links.count()
    posted = await ada.post(str(general), pictures={"a.png": png("teal"), "b.png": png("pink")})
    await idle(magpie)
    assert (await magpie.gallery.links.count()).images == before.images + 2
    await ada.request("DELETE", f"/channels/{general}/messages/{posted['id']}")
    await gone(magpie, posted)
    assert await magpie.gallery.links.count() == before


async def test_picture_deleted_while_being_embedded_does_not_come_back(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    held = Held(model)
    async with running(sandbox, db, held) as client:
        general = world_file.channels["general"]
        await watch(client, general)
        held.hold()
        begun = held.begun
        posted = await ada.post(str(general), pictures={"a.png": png("teal")})

        async def embedding() -> bool:
            return held.begun > begun

        await until(embedding)
        await ada.request("DELETE", f"/channels/{general}/messages/{posted['id']}")

        async def heard() -> bool:
            return client.writer.is_deleted(int(posted["id"]))

        await until(heard)
        held.release()
        await idle(client)
        assert posted["id"] not in await sources(client)


async def test_picture_deleted_while_its_page_of_history_is_read_does_not_come_back(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    posted = await ada.post(str(general), pictures={"a.png": png("teal")})
    held = Held(model)
    async with running(sandbox, db, held) as client:
        held.hold()
        watching = asyncio.create_task(watch(client, general))

        async def embedding() -> bool:
            return held.begun > 0

        await until(embedding)
        await ada.request("DELETE", f"/channels/{general}/messages/{posted['id']}")

        async def heard() -> bool:
            return client.writer.is_deleted(int(posted["id"]))

        await until(heard)
        held.release()
        await watching
        assert posted["id"] not in await sources(client)
        assert await sources(client), "the page's other pictures are there"


async def test_bulk_deletion_leaves_nothing(magpie: Magpie, general: int, ada: Person) -> None:
    before = await links(magpie)
    posted = [
        await ada.post(str(general), pictures={"a.png": png(colour)}) for colour in ("teal", "pink")
    ]
    await idle(magpie)
    ids = {"messages": [message["id"] for message in posted]}
    await ada.request("POST", f"/channels/{general}/messages/bulk-delete", json=ids)
    for message in posted:
        await gone(magpie, message)
    assert await links(magpie) == before


async def test_attachment_taken_off_by_an_edit_is_dropped(
    magpie: Magpie, general: int, ada: Person
) -> None:
    posted = await ada.post(str(general), pictures={"a.png": png("teal"), "b.png": png("pink")})
    await idle(magpie)
    kept = posted["attachments"][1]
    edit = {"attachments": [{"id": kept["id"]}]}
    await ada.request("PATCH", f"/channels/{general}/messages/{posted['id']}", json=edit)

    async def holds() -> bool:
        slots = await magpie.gallery.links.slots(magpie.guilds[0].id, posted["id"])
        return slots == {f"a:{kept['id']}"}

    await until(holds)


async def test_edit_of_the_text_keeps_the_picture(
    magpie: Magpie, general: int, ada: Person
) -> None:
    posted = await ada.post(str(general), "befor", pictures={"a.png": png("teal")})
    await idle(magpie)
    path = f"/channels/{general}/messages/{posted['id']}"
    await ada.request("PATCH", path, json={"content": "before"})
    await idle(magpie)
    assert posted["id"] in await sources(magpie)


async def test_link_that_unfurls_later_is_indexed(
    magpie: Magpie, general: int, ada: Person, world_file: WorldFile
) -> None:
    world_file.picture("late.png", "teal")
    posted = await ada.post(str(general), "https://pictures.example/late.png")

    async def holds() -> bool:
        return posted["id"] in await sources(magpie)

    await until(holds)


async def test_message_is_read_again_after_an_edit_without_attachments(
    magpie: Magpie, general: int, ada: Person
) -> None:
    """Discord may send only the embeds of an edited message; its attachments are still there."""
    posted = await ada.post(str(general), pictures={"a.png": png("teal")})
    await idle(magpie)
    channel = magpie.get_channel(general)
    data = {k: v for k, v in posted.items() if k not in ("attachments", "mentions")}
    data["guild_id"] = str(magpie.guilds[0].id)
    magpie._connection.parse_message_update(data)  # type: ignore[arg-type]
    assert channel is not None
    await idle(magpie)
    assert posted["id"] in await sources(magpie)


async def test_deleted_thread_is_erased(
    magpie: Magpie, general: int, ada: Person, world_file: WorldFile
) -> None:
    walks = world_file.channels["walks"]
    posted = await ada.post(str(walks), pictures={"a.png": png("teal")})
    await idle(magpie)
    assert posted["id"] in await sources(magpie)
    await ada.request("DELETE", f"/channels/{walks}")
    await gone(magpie, posted)


async def test_deleted_channel_is_erased_with_its_threads(
    magpie: Magpie, general: int, ada: Person, world_file: WorldFile
) -> None:
    await ada.post(str(world_file.channels["walks"]), pictures={"a.png": png("teal")})
    await ada.post(str(general), pictures={"b.png": png("pink")})
    await idle(magpie)
    await ada.request("DELETE", f"/channels/{general}")

    guild = magpie.guilds[0].id

    async def holds() -> bool:
        cursors = await magpie.gallery.bookkeeping.cursors(guild)
        return await links(magpie) == 0 and not cursors

    await until(holds)
    assert magpie.watched.marks(guild) == frozenset()


async def test_leaving_the_server_erases_everything_after_a_grace_period(
    magpie: Magpie,
    general: int,
    ada: Person,
    sandbox: sandbox_package.Server,
) -> None:
    magpie.clocks.grace_s = 0
    guild = magpie.guilds[0].id
    assert await links(magpie) > 0
    sandbox.strike("leave", guild_id=str(guild))

    async def holds() -> bool:
        return await links(magpie) == 0 and await magpie.gallery.links.spaces() == set()

    await until(holds)
    assert await magpie.gallery.bookkeeping.watched(guild) == set()
    assert await magpie.gallery.bookkeeping.cursors(guild) == {}


async def test_server_that_comes_back_while_the_file_is_busy_does_not_count_as_left(
    magpie: Magpie, general: int, world_file: WorldFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    depart, busy = magpie.gallery.bookkeeping.depart, asyncio.Event()

    async def depart_later(space: int, since: float) -> None:
        await busy.wait()
        await depart(space, since)

    monkeypatch.setattr(magpie.gallery.bookkeeping, "depart", depart_later)
    leaving = asyncio.create_task(magpie.departures.leave(world_file.guild_id))
    await asyncio.sleep(0.05)
    await magpie.departures.come_back(world_file.guild_id)
    busy.set()
    await leaving
    assert await magpie.gallery.bookkeeping.departed() == {}


async def test_server_left_is_read_no_further_while_its_jobs_are_being_stopped(
    magpie: Magpie,
    general: int,
    sandbox: sandbox_package.Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guild, drop = magpie.guilds[0].id, magpie.jobs.drop
    read_meanwhile: list[int] = []

    async def look_and_drop(guild_id: int) -> None:
        read_meanwhile.append(len(magpie.backlog.readings(guild_id)))
        await drop(guild_id)

    monkeypatch.setattr(magpie.jobs, "drop", look_and_drop)
    assert magpie.backlog.readings(guild)
    sandbox.strike("leave", guild_id=str(guild))

    async def noted() -> bool:
        return guild in await magpie.gallery.bookkeeping.departed()

    await until(noted)
    assert read_meanwhile == [0]


async def test_outage_erases_nothing_and_what_was_missed_is_read(
    magpie: Magpie, general: int, ada: Person, sandbox: sandbox_package.Server
) -> None:
    guild = magpie.guilds[0]
    before = await sources(magpie)
    sandbox.strike("gateway_miss", event="MESSAGE_CREATE")
    missed = await ada.post(str(general), pictures={"b.png": png("pink")})
    sandbox.strike("outage", guild_id=str(guild.id))

    async def down() -> bool:
        return guild.unavailable

    await until(down)
    assert await sources(magpie) == before
    sandbox.strike("outage_over", guild_id=str(guild.id))

    async def back() -> bool:
        return missed["id"] in await sources(magpie)

    await until(back)
    assert await sources(magpie) == before | {missed["id"]}


async def test_during_an_outage_nothing_is_shown_since_permissions_may_have_changed(
    magpie: Magpie, general: int, ada: Person, sandbox: sandbox_package.Server
) -> None:
    guild = magpie.guilds[0]
    assert (await ada.command("find", where=str(general), query="anything")).pictures()
    sandbox.strike("outage", guild_id=str(guild.id))

    async def down() -> bool:
        return guild.unavailable

    await until(down)
    answer = await ada.command("find", where=str(general), query="anything")
    assert answer.text() == answer_text.outage()
    assert not answer.pictures()
    sandbox.strike("outage_over", guild_id=str(guild.id))

    async def back() -> bool:
        return not guild.unavailable

    await until(back)
    assert (await ada.command("find", where=str(general), query="anything")).pictures()


async def test_server_left_keeps_its_pictures_through_the_grace_period(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile
) -> None:
    async with watching(sandbox, db, model, world_file.channels["general"]) as client:
        before = await links(client)
        sandbox.strike("leave", guild_id=str(world_file.guild_id))

        async def noted() -> bool:
            return world_file.guild_id in await client.gallery.bookkeeping.departed()

        await until(noted)
        await client.maintenance.expire_all()
        assert await links(client) == before > 0
        await client.departures.come_back(world_file.guild_id)
        assert await client.gallery.bookkeeping.departed() == {}


async def test_server_left_without_an_event_no_longer_counts_as_unread(
    magpie: Magpie, general: int, sandbox: sandbox_package.Server, world_file: WorldFile
) -> None:
    sandbox.strike("gateway_miss", event="GUILD_DELETE")
    sandbox.strike("leave", guild_id=str(world_file.guild_id))
    sandbox.strike("gateway_invalid", resumable=False)

    async def noted() -> bool:
        return world_file.guild_id in await magpie.gallery.bookkeeping.departed()

    await until(noted)
    await idle(magpie)
    assert not magpie.backlog.unfinished()


async def test_server_left_while_offline_is_erased_after_the_grace_period(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
) -> None:
    clocks = quick_clocks(grace_s=0)
    assert await read_and_leave(sandbox, db, model, world_file.channels["general"])
    sandbox.strike("leave", guild_id=str(world_file.guild_id))
    async with running(sandbox, db, model, clocks) as client:

        async def holds() -> bool:
            return await client.gallery.links.spaces() == set()

        await until(holds)
        assert await links(client) == 0


async def test_outage_at_the_start_is_not_taken_for_a_removal(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile
) -> None:
    async with watching(sandbox, db, model, world_file.channels["general"]) as client:
        before = await links(client)
    sandbox.strike("outage", guild_id=str(world_file.guild_id))
    async with running(sandbox, db, model) as client:
        await client.catch_up.on_ready(0)
        assert await links(client) == before > 0


async def test_channel_deleted_while_offline_is_erased(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    assert await read_and_leave(sandbox, db, model, world_file.channels["general"])
    await ada.request("DELETE", f"/channels/{world_file.channels['general']}")
    async with running(sandbox, db, model) as client:

        async def holds() -> bool:
            return await links(client) == 0

        await until(holds)


async def test_own_answers_are_not_indexed(magpie: Magpie, general: int, ada: Person) -> None:
    before = await sources(magpie)
    channel: Any = magpie.get_channel(general)
    await channel.send(file=discord.File(BytesIO(png("teal")), "own.png"))
    later = await ada.post(str(general), pictures={"b.png": png("pink")})

    async def holds() -> bool:
        return later["id"] in await sources(magpie)

    await until(holds)
    assert await sources(magpie) == before | {later["id"]}


async def test_sandbox_refuses_deletions_by_other_members(
    magpie: Magpie, general: int, log_in: LogIn
) -> None:
    """So a test of a deletion that passes means a real deletion."""
    mei = await log_in("mei")
    (first, *_) = await mei.messages(str(general))
    with pytest.raises(Refused):
        await mei.request("DELETE", f"/channels/{general}/messages/{first['id']}")
