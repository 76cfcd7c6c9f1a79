"""The message that shows a reindex: where it is, what it says, and to whom."""

from __future__ import annotations

import asyncio
from pathlib import Path

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Clocks
from bot.platform.codes import EDITED_TOO_OFTEN
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.reindex.jobs import (
    begin,
    begin_all_held,
    begin_held,
    job,
    one_is_left_and_says_done,
    progress_of,
    read_all,
    stands,
    struck,
)
from tests.bot.running import Held, running, sources, until, watch
from tests.worlds import WorldFile


async def test_figures_are_shown_only_to_members_who_may_read_all_that_they_count(
    magpie: Magpie, world_file: WorldFile, ada: Person, log_in: LogIn
) -> None:
    """In #general, where everyone may read #park, but nothing of #after-dark may be shown."""
    for name, counted in (("after-dark", False), ("park", True)):
        channel = world_file.channels[name]
        await watch(magpie, channel)
        shown = ada.seen()
        await begin(ada, channel=str(channel))
        told = await ada.event(
            "MESSAGE_UPDATE", where=lambda message: "is done" in message["content"], since=shown
        )
        assert f"<#{channel}>" in told["content"]
        assert (" checked in" in told["content"]) == counted
        assert ("see the figures in `/status`" in told["content"]) != counted
        assert " checked in" in (await ada.command("status")).text()
    moderator = await log_in("mod")
    assert " checked in" in (await moderator.command("status")).text()
    path = f"/channels/{channel}/permissions/{world_file.people['mod']}"
    deny = str(worlds.READ_MESSAGE_HISTORY)
    await ada.request("PUT", path, json={"type": 1, "allow": "0", "deny": deny})
    status = (await moderator.command("status")).text()
    assert "Reindexing is done" in status
    assert " checked in" not in status


async def test_progress_is_an_ordinary_message_that_ends_without_buttons(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    await read_all(magpie, world_file)
    answer = await begin(ada)
    assert "follow it here" in answer.text()
    await stands(magpie, "done")

    async def shown() -> bool:
        return "Reindexing is done" in progress_of(ada).text()

    await until(shown)
    assert progress_of(ada).buttons() == []
    assert "0 added · 0 removed" in (await ada.command("status")).text()


async def test_second_reindex_shows_the_first(
    client: Magpie, held: Held, world_file: WorldFile, ada: Person
) -> None:
    everything = await read_all(client, world_file)
    await client.gallery.remove_sources(world_file.guild_id, list(everything))
    first = (await begin_held(ada, held)).message["id"]
    await begin(ada)
    assert progress_of(ada).message["id"] != first
    assert len(await client.gallery.bookkeeping.jobs()) == 1
    shown = [message["id"] for message in await ada.messages(str(world_file.channels["general"]))]
    assert first not in shown, "one progress message is enough"
    held.release()
    await stands(client, "done")


async def test_deleted_progress_message_does_not_stop_the_job(
    client: Magpie, held: Held, world_file: WorldFile, ada: Person
) -> None:
    everything = await read_all(client, world_file)
    await client.gallery.remove_sources(world_file.guild_id, list(everything))
    message = (await begin_held(ada, held)).message
    path = f"/channels/{message['channel_id']}/messages/{message['id']}"
    await ada.request("DELETE", path)
    held.release()
    await stands(client, "done")
    assert await sources(client) == everything


async def test_deleted_progress_message_is_replaced_by_a_private_answer(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    clocks: Clocks,
) -> None:
    held, dark = Held(model), world_file.channels["after-dark"]
    async with running(sandbox, db, held, clocks) as client:
        await watch(client, dark)
        first = await begin_all_held(client, world_file, ada, held)
        assert " checked in" not in progress_of(ada).text()
        going = client.jobs.of(world_file.guild_id)
        assert going is not None
        await going.pause_or_resume()
        held.release()

        async def stopped() -> bool:
            return going.idle

        await until(stopped)
        await ada.request("DELETE", f"/channels/{world_file.channels['general']}/messages/{first}")
        await going.cancel()
        told = await ada.event("MESSAGE_UPDATE", where=lambda one: "cancelled" in one["content"])
        assert told["flags"] & 64
        assert " checked in" in told["content"]


async def test_message_too_old_to_be_edited_is_replaced(
    client: Magpie, held: Held, sandbox: sandbox_package.Server, world_file: WorldFile, ada: Person
) -> None:
    everything = await read_all(client, world_file)
    await client.gallery.remove_sources(world_file.guild_id, list(everything))
    first = (await begin_held(ada, held)).message["id"]
    code, path = EDITED_TOO_OFTEN, f"/channels/*/messages/{first}"
    sandbox.strike("error", method="PATCH", path=path, status=400, code=code, times=1)
    held.release()
    await stands(client, "done")

    async def shown() -> bool:
        return "Reindexing is done" in progress_of(ada).text()

    await until(shown)
    assert progress_of(ada).message["id"] != first
    general = str(world_file.channels["general"])
    assert first not in [message["id"] for message in await ada.messages(general)]


async def test_job_that_ends_while_its_message_is_replaced_is_shown_as_done(
    client: Magpie, held: Held, sandbox: sandbox_package.Server, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    await begin_all_held(client, world_file, ada, held)
    path = f"/channels/{general}/messages"
    sandbox.strike("slow", method="POST", path=path, who="bot", delay_s=2.0)
    again = asyncio.create_task(begin(ada))
    await struck(sandbox)
    held.release()
    await stands(client, "done")
    await again
    await one_is_left_and_says_done(ada, general)


async def test_job_that_is_paused_while_its_message_is_replaced_is_saved_with_the_new_one(
    client: Magpie, held: Held, sandbox: sandbox_package.Server, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    await begin_all_held(client, world_file, ada, held)
    path = f"/channels/{general}/messages"
    sandbox.strike("slow", method="POST", path=path, who="bot", delay_s=2.0)
    again = asyncio.create_task(begin(ada))
    await struck(sandbox)
    going = client.jobs.of(world_file.guild_id)
    assert going is not None
    paused = asyncio.create_task(going.pause_or_resume())
    held.release()
    await stands(client, "paused")
    await asyncio.gather(again, paused)
    kept = (await job(client)).state["message"]
    assert kept == [general, int(progress_of(ada).message["id"])]


async def test_edit_of_a_message_that_is_being_replaced_does_not_lose_the_new_one(
    client: Magpie, held: Held, sandbox: sandbox_package.Server, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    first = await begin_all_held(client, world_file, ada, held)
    path = f"/channels/{general}/messages/{first}"
    sandbox.strike("slow", method="PATCH", path=path, who="bot", delay_s=1.0)
    held.release()
    await struck(sandbox)
    await begin(ada)
    await stands(client, "done")
    await one_is_left_and_says_done(ada, general)


async def test_message_too_old_to_be_edited_is_replaced_in_the_channel_of_the_latest_command(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    clocks: Clocks,
) -> None:
    """A member asks in another channel while the new message is posted."""
    general, dark = world_file.channels["general"], world_file.channels["after-dark"]
    held = Held(model)
    async with running(sandbox, db, held, clocks) as client:
        first = await begin_all_held(client, world_file, ada, held)
        code, path = EDITED_TOO_OFTEN, f"/channels/{general}/messages"
        sandbox.strike("error", method="PATCH", path=f"{path}/{first}", status=400, code=code)
        sandbox.strike("slow", method="POST", path=path, who="bot", delay_s=1.0)
        held.release()
        await struck(sandbox)
        await begin(ada, where=str(dark))
        await stands(client, "done")
        await one_is_left_and_says_done(ada, general, dark)


async def test_figures_made_for_a_private_answer_are_not_put_into_a_message(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    log_in: LogIn,
    clocks: Clocks,
) -> None:
    """The bot asks whether the moderator is in a private thread while the message is posted."""
    general, whispers = world_file.channels["general"], world_file.channels["whispers"]
    moderator, mod = await log_in("mod"), world_file.people["mod"]
    deny = {"type": 1, "allow": "0", "deny": str(worlds.MANAGE_THREADS)}
    await ada.request("PUT", f"/channels/{general}/permissions/{mod}", json=deny)
    await ada.request("PUT", f"/channels/{whispers}/thread-members/{mod}")
    held, path = Held(model), f"/channels/{general}/messages"
    async with running(sandbox, db, held, clocks) as client:
        lost = list(await read_all(client, world_file))
        await client.gallery.remove_sources(world_file.guild_id, lost)
        sandbox.strike("error", method="POST", path=path, who="bot", status=403, code=50013)
        held.hold()
        told = await begin(moderator)
        assert " checked in" in told.text()
        asked = f"/channels/{whispers}/thread-members/{mod}"
        sandbox.strike("slow", method="GET", path=asked, who="bot", delay_s=1.0)
        held.release()
        await struck(sandbox)
        await begin(moderator)
        await stands(client, "done")
        await one_is_left_and_says_done(ada, general)
        shown = [e for name, e in ada._events if name in ("MESSAGE_CREATE", "MESSAGE_UPDATE")]
        assert not [e for e in shown if " checked in" in e["content"]]


async def test_where_the_bot_may_not_post_the_private_answer_shows_progress(
    magpie: Magpie, world_file: WorldFile, ada: Person, log_in: LogIn
) -> None:
    """With figures for members who may read all that they count."""
    general, park = world_file.channels["general"], world_file.channels["park"]
    await watch(magpie, park)
    moderator = await log_in("mod")
    for channel, who, what in (
        (general, world_file.bot_id, worlds.SEND_MESSAGES),
        (park, world_file.people["mod"], worlds.READ_MESSAGE_HISTORY),
    ):
        deny = {"type": 1, "allow": "0", "deny": str(what)}
        await ada.request("PUT", f"/channels/{channel}/permissions/{who}", json=deny)
    for person, figures in ((ada, True), (moderator, False)):
        await begin(person, channel=str(park))
        told = await person.event(
            "MESSAGE_CREATE",
            "MESSAGE_UPDATE",
            where=lambda message: "Reindexing is done" in message["content"],
        )
        assert told["flags"] & 64
        assert (" checked in" in told["content"]) == figures


async def test_the_one_who_asked_is_told_the_end_with_figures_that_the_message_may_not_show(
    magpie: Magpie, world_file: WorldFile, ada: Person, log_in: LogIn
) -> None:
    """Those who may not read all that is counted are told it without figures, and a moderator who
    lost a channel while the job went on is one of them."""
    dark = world_file.channels["after-dark"]
    await watch(magpie, dark)
    moderator, mod = await log_in("mod"), world_file.people["mod"]
    for person, figures in ((ada, True), (moderator, True), (moderator, False)):
        deny = {"type": 1, "allow": "0", "deny": str(worlds.READ_MESSAGE_HISTORY)}
        if not figures:
            await ada.request("PUT", f"/channels/{dark}/permissions/{mod}", json=deny)
        shown = person.seen()
        await begin(person, channel=str(dark))
        told = await person.event(
            "MESSAGE_UPDATE",
            where=lambda message: "What everyone sees of it" in message["content"],
            since=shown,
        )
        assert told["flags"] & 64
        assert "Reindexing is done" in told["content"]
        assert (" checked in" in told["content"]) == figures
