"""A reindex job makes the gallery match, and continues after a pause, a fault or a restart."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Clocks
from bot.reindex.jobs import KIND
from bot.reindex.state import JobState
from bot.text.errors import something_wrong
from index import Group, Link
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.reindex.jobs import (
    MESSAGES,
    begin,
    begin_held,
    job,
    progress_of,
    read_all,
    stands,
)
from tests.bot.running import Held, idle, png, running, sources, until, watch
from tests.worlds import WorldFile


async def test_missing_pictures_are_indexed_and_deleted_ones_erased(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    everything = await read_all(magpie, world_file)
    space, general = world_file.guild_id, world_file.channels["general"]
    lost = sorted(everything)[::3]
    await magpie.gallery.remove_sources(space, lost)
    embedded = await magpie.gallery.embed_picture(png("teal"))
    kept = sorted(await sources(magpie, general))[0]  # not one of a thread
    deleted = str(int(kept) + 1)  # while the bot was away
    thread = Group(worlds.snowflake(900), parent=general)  # so was this thread
    await magpie.gallery.commit(
        [
            (embedded, Link(space, Group(general), deleted, "a:1")),
            (embedded, Link(space, Group(general), kept, "a:2")),
            (embedded, Link(space, thread, str(thread.id + 1), "a:3")),
        ]
    )
    await begin(ada)
    done = await stands(magpie, "done")
    assert await sources(magpie) == everything
    assert (await magpie.gallery.links.count()).links == len(everything)
    assert done.state["added"] == len(lost)
    assert done.state["removed"] == 3


async def test_two_members_who_ask_at_once_get_one_job_and_one_message(
    magpie: Magpie, world_file: WorldFile, ada: Person, log_in: LogIn
) -> None:
    await read_all(magpie, world_file)
    moderator = await log_in("mod")
    await asyncio.gather(*(begin(person) for person in (ada, moderator, ada, moderator)))
    await stands(magpie, "done")
    assert len(await magpie.gallery.bookkeeping.jobs(active=False)) == 1

    async def one_is_left() -> bool:
        messages = await ada.messages(str(world_file.channels["general"]))
        return sum("Reindex" in message["content"] for message in messages) == 1

    await until(one_is_left)


async def test_an_interrupted_job_is_shown_to_a_member_who_asks_before_it_is_resumed(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    await read_all(magpie, world_file)
    state = JobState("missing", None)
    await magpie.gallery.bookkeeping.new_job(world_file.guild_id, KIND, asdict(state))
    await begin(ada)
    await stands(magpie, "done")
    assert len(await magpie.gallery.bookkeeping.jobs(active=False)) == 1


async def test_a_server_in_an_outage_is_not_taken_for_an_empty_one(
    magpie: Magpie,
    world_file: WorldFile,
    clocks: Clocks,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clocks.page_retry_s = 0.05
    everything = await read_all(magpie, world_file)
    magpie.guilds[0].unavailable = True
    state = JobState("missing", None)
    await magpie.gallery.bookkeeping.new_job(world_file.guild_id, KIND, asdict(state))
    await magpie.jobs.resume()

    async def waits() -> bool:
        return "reindex_waits" in caplog.text

    await until(waits)
    assert (await job(magpie)).status == "running"
    magpie.guilds[0].unavailable = False
    done = await stands(magpie, "done")
    assert done.state["checked"] == len(everything)


async def test_only_the_channel_asked_for_is_read(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    general, dark = world_file.channels["general"], world_file.channels["after-dark"]
    await ada.post(str(dark), pictures={"a.png": png("teal")})
    await read_all(magpie, world_file)
    await watch(magpie, dark)
    await magpie.gallery.remove_sources(world_file.guild_id, list(await sources(magpie)))
    await begin(ada, channel=str(dark))
    await stands(magpie, "done")
    assert await sources(magpie, general) == set()
    assert len(await sources(magpie, dark)) == 1


async def test_job_for_a_deleted_channel_does_not_read_all_channels(
    magpie: Magpie, world_file: WorldFile
) -> None:
    await read_all(magpie, world_file)
    begun = JobState("missing", channel=worlds.snowflake(901))
    await magpie.gallery.bookkeeping.new_job(world_file.guild_id, KIND, asdict(begun))
    await magpie.jobs.resume()
    done = await stands(magpie, "done")
    assert done.state["messages"] == 0


async def test_everything_again_also_reads_indexed_pictures(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    everything = await read_all(magpie, world_file)
    await begin(ada, what="everything")
    done = await stands(magpie, "done")
    assert done.state["checked"] == len(everything)
    assert done.state["added"] == 0
    assert await sources(magpie) == everything
    assert (await magpie.gallery.links.count()).links == len(everything)


async def test_missing_only_downloads_no_indexed_picture(
    magpie: Magpie, world_file: WorldFile, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read_all(magpie, world_file)

    async def refuse(*_: Any, **__: Any) -> bytes:
        raise AssertionError("nothing is to be downloaded")

    monkeypatch.setattr(magpie.downloader, "fetch", refuse)
    await begin(ada)
    done = await stands(magpie, "done")
    assert done.state["failed"] == 0


async def test_paused_and_resumed_by_button(
    client: Magpie, held: Held, world_file: WorldFile, ada: Person
) -> None:
    everything = await read_all(client, world_file)
    await client.gallery.remove_sources(world_file.guild_id, list(everything))
    progress = await begin_held(ada, held)
    await ada.click(progress, progress.button("Pause"))
    held.release()
    paused = await stands(client, "paused")
    assert paused.state["messages"] < MESSAGES

    async def shown(label: str) -> bool:
        return label in [button["label"] for button in progress_of(ada).buttons()]

    await until(lambda: shown("Resume"))
    assert "paused" in progress_of(ada).text()
    assert await sources(client) < everything
    await ada.click(progress_of(ada), progress_of(ada).button("Resume"))
    await stands(client, "done")
    assert await sources(client) == everything


async def test_cancelled_by_button_keeps_what_was_indexed(
    client: Magpie, held: Held, world_file: WorldFile, ada: Person
) -> None:
    everything = await read_all(client, world_file)
    await client.gallery.remove_sources(world_file.guild_id, list(everything))
    progress = await begin_held(ada, held)
    await ada.click(progress, progress.button("Cancel"))
    held.release()
    await stands(client, "cancelled")
    assert set() < await sources(client) < everything
    assert progress_of(ada).buttons() == []


async def test_buttons_check_manage_server_at_each_click(
    client: Magpie, held: Held, world_file: WorldFile, ada: Person, log_in: LogIn
) -> None:
    everything = await read_all(client, world_file)
    await client.gallery.remove_sources(world_file.guild_id, list(everything))
    mei = await log_in("mei")
    await mei.command("find", query="snow")  # her client has met the application
    progress = await begin_held(ada, held)
    for label in ("Pause", "Cancel"):
        refused = await mei.click(progress, progress.button(label))
        assert refused.private
        assert "Manage Server" in refused.text()
    held.release()
    await stands(client, "done")
    assert await sources(client) == everything


@pytest.mark.parametrize("label", ["Pause", "Cancel"])
async def test_a_click_that_goes_wrong_is_answered_with_a_sentence(
    client: Magpie,
    held: Held,
    world_file: WorldFile,
    ada: Person,
    sandbox: sandbox_package.Server,
    label: str,
) -> None:
    everything = await read_all(client, world_file)
    await client.gallery.remove_sources(world_file.guild_id, list(everything))
    progress = await begin_held(ada, held)
    refused = {"status": 400, "code": 50035, "message": "Invalid Form Body"}
    sandbox.strike("error", path="/interactions/*", who="bot", **refused)
    said = await ada.click(progress, progress.button(label))
    assert said.private
    assert said.text().startswith(something_wrong())
    held.release()
    await stands(client, "done")


async def test_job_continues_after_a_restart_where_it_stood(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    clocks: Clocks,
) -> None:
    held = Held(model)
    async with running(sandbox, db, held, clocks) as client:
        everything = await read_all(client, world_file)
        await client.gallery.remove_sources(world_file.guild_id, list(everything))
        progress = await begin_held(ada, held)
        await ada.click(progress, progress.button("Pause"))
        held.release()
        stood = await stands(client, "paused")
    progress = progress_of(ada)
    async with running(sandbox, db, model, clocks) as client:
        await idle(client)
        assert (await job(client)).status == "paused", "a restart is no reason to go on"
        await ada.click(progress, progress.button("Resume"))
        done = await stands(client, "done")
        assert done.id == stood.id
        assert done.state["messages"] > stood.state["messages"] > 0
        assert await sources(client) == everything
        assert (await client.gallery.links.count()).links == len(everything)


async def test_running_job_resumes_by_itself(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    clocks: Clocks,
) -> None:
    held = Held(model)
    async with running(sandbox, db, held, clocks) as client:
        everything = await read_all(client, world_file)
        await client.gallery.remove_sources(world_file.guild_id, list(everything))
        await begin_held(ada, held)
        held.release()  # else closing would wait for the model
        await client.close()
        assert (await job(client)).status == "running"
    async with running(sandbox, db, model, clocks) as client:
        await stands(client, "done")
        assert await sources(client) == everything
        assert (await client.gallery.links.count()).links == len(everything)


async def test_page_that_discord_fails_to_give_is_asked_for_again(
    magpie: Magpie,
    world_file: WorldFile,
    sandbox: sandbox_package.Server,
    ada: Person,
    clocks: Clocks,
) -> None:
    clocks.page_retry_s = 0.05
    everything = await read_all(magpie, world_file)
    await magpie.gallery.remove_sources(world_file.guild_id, list(everything))
    path = f"/channels/{world_file.channels['general']}/messages"
    kind = {"method": "GET", "who": "bot", "path": path, "via": False, "retry_after": 0.01}
    sandbox.strike("rate_limit", **kind, times=2)
    await begin(ada)
    await stands(magpie, "done")
    assert await sources(magpie) == everything


async def test_nothing_watched_is_nothing_to_reindex(magpie: Magpie, ada: Person) -> None:
    assert "/channels add" in (await begin(ada)).text()
    assert await magpie.gallery.bookkeeping.jobs(active=False) == []


async def test_channel_that_is_removed_during_a_job_does_not_come_back_after_a_restart(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    clocks: Clocks,
) -> None:
    held, park = Held(model), world_file.channels["park"]
    async with running(sandbox, db, held, clocks) as client:
        everything = await read_all(client, world_file)
        await watch(client, park)
        assert len(await sources(client, park)) == 1
        await client.gallery.remove_sources(world_file.guild_id, list(everything))
        await begin_held(ada, held)
        await ada.command("channels", "remove", channel=str(park))
        held.release()
        await client.close()
        assert (await job(client)).status == "running"
    async with running(sandbox, db, model, clocks) as client:
        done = await stands(client, "done")
        assert park in [group for group, *_ in done.state["groups"]]
        assert await sources(client) == everything
