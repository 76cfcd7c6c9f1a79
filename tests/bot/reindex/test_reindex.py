"""/reindex puts the gallery right, shows how far it is, and survives what comes between."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Clocks
from bot.platform.codes import EDITED_TOO_OFTEN
from bot.reindex.jobs import KIND
from bot.reindex.state import JobState
from index import Group, Job, Link
from index.embed.embedder import Embedder
from sandbox.person import Answer, Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.running import GUILD_READY_S, Held, idle, png, running, sources, until, watch
from tests.worlds import WorldFile

MESSAGES = 220  # three pages


@pytest.fixture
def clocks() -> Clocks:
    return Clocks(guild_ready_s=GUILD_READY_S, show_progress_s=0.05)


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    world = worlds.small(tmp_path / "world")
    general, mei = world.channels["general"], world.people["mei"]
    for n in range(MESSAGES):
        pictures = [world.picture(f"{n}.png", f"#{n:02x}8040")] if n % 10 == 0 else []
        world.message(general, mei, f"message {n}", pictures=pictures)
    world.message(world.channel("park"), mei, pictures=[world.picture("park.png", "green")])
    old = world.thread("old", general, world.people["ada"], archived=True)
    world.message(old, mei, pictures=[world.picture("old.png", "gold")])
    return world


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


async def read_all(client: Magpie, world: WorldFile) -> set[str]:
    """Watch #general and read it; the messages that have pictures."""
    await watch(client, world.channels["general"])
    return await sources(client)


async def job(client: Magpie) -> Job:
    """The latest job."""
    return (await client.gallery.bookkeeping.jobs(active=False))[-1]


async def stands(client: Magpie, *statuses: str) -> Job:
    """Wait until the latest job has one of these statuses; the job."""

    async def holds() -> bool:
        return (await job(client)).status in statuses

    await until(holds)
    return await job(client)


def progress_of(person: Person) -> Answer:
    """The progress message, as it was last seen."""
    shown = [e for name, e in person._events if name in ("MESSAGE_CREATE", "MESSAGE_UPDATE")]
    return Answer([e for e in shown if "Reindex" in e["content"] and not e.get("flags", 0)][-1])


async def begin_held(person: Person, held: Held) -> Answer:
    """Begin a job that gets as far as embedding its first page, and no further."""
    held.hold()
    begun = held.begun
    await begin(person)

    async def embedding() -> bool:
        return held.begun > begun

    await until(embedding)
    return progress_of(person)


async def begin_all_held(client: Magpie, world: WorldFile, person: Person, held: Held) -> str:
    """The same, with all pictures of #general still to come; the id of the progress message."""
    await client.gallery.remove_sources(world.guild_id, list(await read_all(client, world)))
    return str((await begin_held(person, held)).message["id"])


async def struck(sandbox: sandbox_package.Server) -> None:
    """Wait until every fault has hit its request."""

    async def holds() -> bool:
        return not sandbox.faults.waiting()

    await until(holds)


async def one_is_left_and_says_done(person: Person, *channels: int) -> None:
    """Wait until there is one progress message in all these channels, of a job that is done."""

    async def holds() -> bool:
        messages = [one for channel in channels for one in await person.messages(str(channel))]
        left = [message for message in messages if "Reindex" in message["content"]]
        said = [message["content"] for message in left if not message["components"]]
        return len(left) == len(said) == 1 and "Reindexing is done" in said[0]

    await until(holds)


async def begin(person: Person, **options: Any) -> Answer:
    answer = await person.command("reindex", **options)
    assert answer.private
    return answer


async def test_what_is_missing_comes_in_and_what_is_gone_goes(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    everything = await read_all(magpie, world_file)
    space, general = world_file.guild_id, world_file.channels["general"]
    lost = sorted(everything)[::3]
    await magpie.gallery.remove_sources(space, lost)
    embedded = await magpie.gallery.embed_picture(png("teal"))
    kept = sorted(await sources(magpie, general))[0]  # not one of a thread
    deleted = str(int(kept) + 1)  # while nobody was there to hear of it
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


async def test_two_who_ask_at_once_get_one_job_and_one_message(
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


async def test_a_job_of_before_is_found_by_who_asks_before_it_was_resumed(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    await read_all(magpie, world_file)
    state = JobState("missing", None, world_file.people["ada"])
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
    state = JobState("missing", None, world_file.people["ada"])
    await magpie.gallery.bookkeeping.new_job(world_file.guild_id, KIND, asdict(state))
    await magpie.jobs.resume()

    async def waits() -> bool:
        return "reindex_waits" in caplog.text

    await until(waits)
    assert (await job(magpie)).status == "running"
    magpie.guilds[0].unavailable = False
    done = await stands(magpie, "done")
    assert done.state["checked"] == len(everything)


async def test_counts_are_shown_only_to_who_may_read_what_is_counted(
    magpie: Magpie, world_file: WorldFile, ada: Person, log_in: LogIn
) -> None:
    """In #general, where everyone reads #park, but #after-dark only in such channels."""
    for name, counted in (("after-dark", False), ("park", True)):
        channel = world_file.channels[name]
        await watch(magpie, channel)
        shown = ada.seen()
        await begin(ada, channel=str(channel))
        told = await ada.event(
            "MESSAGE_UPDATE", where=lambda message: "is done" in message["content"], since=shown
        )
        assert f"<#{channel}>" in told["content"]
        assert ("pictures checked in" in told["content"]) == counted
        assert ("`/status` has the figures" in told["content"]) != counted
        assert "pictures checked in" in (await ada.command("status")).text()
    moderator = await log_in("mod")
    assert "pictures checked in" in (await moderator.command("status")).text()
    path = f"/channels/{channel}/permissions/{world_file.people['mod']}"
    deny = str(worlds.READ_MESSAGE_HISTORY)
    await ada.request("PUT", path, json={"type": 1, "allow": "0", "deny": deny})
    status = (await moderator.command("status")).text()
    assert "Reindexing is done" in status
    assert "pictures checked in" not in status


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


async def test_channel_that_was_deleted_before_its_job_began_is_not_taken_for_all_of_them(
    magpie: Magpie, world_file: WorldFile
) -> None:
    await read_all(magpie, world_file)
    begun = JobState("missing", channel=worlds.snowflake(901), asked_by=world_file.people["ada"])
    await magpie.gallery.bookkeeping.new_job(world_file.guild_id, KIND, asdict(begun))
    await magpie.jobs.resume()
    done = await stands(magpie, "done")
    assert done.state["messages"] == 0


async def test_everything_again_reads_also_what_is_there(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    everything = await read_all(magpie, world_file)
    await begin(ada, what="everything")
    done = await stands(magpie, "done")
    assert done.state["checked"] == len(everything)
    assert done.state["added"] == 0
    assert await sources(magpie) == everything
    assert (await magpie.gallery.links.count()).links == len(everything)


async def test_missing_only_downloads_nothing_that_is_there(
    magpie: Magpie, world_file: WorldFile, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read_all(magpie, world_file)

    async def refuse(*_: Any, **__: Any) -> bytes:
        raise AssertionError("nothing is to be downloaded")

    monkeypatch.setattr(magpie.downloader, "fetch", refuse)
    await begin(ada)
    done = await stands(magpie, "done")
    assert done.state["failed"] == 0


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


async def test_paused_and_resumed_by_button(
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
        await ada.click(progress, progress.button("Cancel"))
        held.release()
        await stands(client, "cancelled")
        assert set() < await sources(client) < everything
        assert progress_of(ada).buttons() == []


async def test_buttons_check_manage_server_at_each_click(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    log_in: LogIn,
    clocks: Clocks,
) -> None:
    held = Held(model)
    async with running(sandbox, db, held, clocks) as client:
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


async def test_job_goes_on_after_a_restart_where_it_stood(
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


async def test_second_reindex_shows_the_first(
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
        first = (await begin_held(ada, held)).message["id"]
        await begin(ada)
        assert progress_of(ada).message["id"] != first
        assert len(await client.gallery.bookkeeping.jobs()) == 1
        shown = [
            message["id"] for message in await ada.messages(str(world_file.channels["general"]))
        ]
        assert first not in shown, "one progress message is enough"
        held.release()
        await stands(client, "done")


async def test_deleted_progress_message_does_not_stop_the_job(
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
        message = (await begin_held(ada, held)).message
        path = f"/channels/{message['channel_id']}/messages/{message['id']}"
        await ada.request("DELETE", path)
        held.release()
        await stands(client, "done")
        assert await sources(client) == everything


async def test_deleted_progress_message_is_followed_by_what_the_asker_may_know(
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
        assert "pictures checked in" not in progress_of(ada).text()
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
        assert "pictures checked in" in told["content"]


async def test_message_too_old_to_be_edited_is_replaced(
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


async def test_job_that_ends_while_its_message_is_posted_anew_is_shown_as_done(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    clocks: Clocks,
) -> None:
    held, general = Held(model), world_file.channels["general"]
    async with running(sandbox, db, held, clocks) as client:
        await begin_all_held(client, world_file, ada, held)
        path = f"/channels/{general}/messages"
        sandbox.strike("slow", method="POST", path=path, who="bot", delay_s=2.0)
        again = asyncio.create_task(begin(ada))
        await struck(sandbox)
        held.release()
        await stands(client, "done")
        await again
        await one_is_left_and_says_done(ada, general)


async def test_job_that_is_paused_while_its_message_is_posted_anew_is_kept_with_that_message(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    clocks: Clocks,
) -> None:
    held, general = Held(model), world_file.channels["general"]
    async with running(sandbox, db, held, clocks) as client:
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


async def test_edit_of_a_message_that_is_replaced_meanwhile_does_not_lose_its_successor(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    clocks: Clocks,
) -> None:
    held, general = Held(model), world_file.channels["general"]
    async with running(sandbox, db, held, clocks) as client:
        first = await begin_all_held(client, world_file, ada, held)
        path = f"/channels/{general}/messages/{first}"
        sandbox.strike("slow", method="PATCH", path=path, who="bot", delay_s=1.0)
        held.release()
        await struck(sandbox)
        await begin(ada)
        await stands(client, "done")
        await one_is_left_and_says_done(ada, general)


async def test_message_too_old_to_be_edited_is_replaced_where_it_is_by_then(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    clocks: Clocks,
) -> None:
    """Somebody asks elsewhere while its successor is posted."""
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
    """It is asked whether the moderator is in a private thread while the message is posted."""
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
        assert "pictures checked in" in told.text()
        asked = f"/channels/{whispers}/thread-members/{mod}"
        sandbox.strike("slow", method="GET", path=asked, who="bot", delay_s=1.0)
        held.release()
        await struck(sandbox)
        await begin(moderator)
        await stands(client, "done")
        await one_is_left_and_says_done(ada, general)
        shown = [e for name, e in ada._events if name in ("MESSAGE_CREATE", "MESSAGE_UPDATE")]
        assert not [e for e in shown if "pictures checked in" in e["content"]]


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


async def test_where_the_bot_may_not_post_the_private_answer_shows_progress(
    magpie: Magpie, world_file: WorldFile, ada: Person, log_in: LogIn
) -> None:
    """With figures for who may read what they count."""
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
        assert ("pictures checked in" in told["content"]) == figures


async def test_nothing_watched_is_nothing_to_reindex(magpie: Magpie, ada: Person) -> None:
    assert "/channels add" in (await begin(ada)).text()
    assert await magpie.gallery.bookkeeping.jobs(active=False) == []
