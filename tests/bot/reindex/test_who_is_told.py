"""What a reindex tells those who may not read, or not even see, what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.reindex.state import JobState
from sandbox.person import Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.reindex.jobs import begin, progress_of, stands
from tests.bot.running import until, watch
from tests.worlds import WorldFile

FIGURES = " checked in "


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    """#general, with a private thread that is archived, the hidden #secret and a hidden forum.

    Nothing in the thread and the forum has a picture, so the gallery doesn't know them.
    """
    world = worlds.small(tmp_path / "world")
    world.guild["threads"] = []
    ada = world.people["ada"]
    hidden = [
        (world.guild_id, 0, 0, worlds.VIEW_CHANNEL),
        (world.roles["Magpie"], 0, worlds.VIEW_CHANNEL, 0),
    ]
    members = [str(ada), str(world.bot_id)]
    general = world.channels["general"]
    old = world.thread("old whispers", general, ada, 12, members=members, archived=True)
    world.message(old, ada, "between us")
    forum = world.channel("secret forum", 15, overwrites=hidden)
    post = world.thread("secret post", forum, ada, archived=True)
    world.message(post, ada, "between us")
    world.channel("inside", overwrites=hidden, parent_id=str(world.channel("category", 4)))
    world.message(world.channel("park"), ada, "in the open")
    world.message(world.channel("secret", overwrites=hidden), ada, "between us")
    return world


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


@pytest.fixture
async def mod(log_in: LogIn) -> Person:
    return await log_in("mod")


async def reindexed(magpie: Magpie, ada: Person, channel: int) -> str:
    """Watch a channel and read it again; what everyone sees at the end, in #general."""
    await watch(magpie, channel)
    await begin(ada, channel=str(channel))
    await stands(magpie, "done")

    async def shown() -> bool:
        return "Reindexing is done" in progress_of(ada).text()

    await until(shown)
    return progress_of(ada).text()


async def told(person: Person) -> str:
    """What `/status` tells of the job."""
    status = (await person.command("status")).text()
    assert "Reindexing is done" in status
    return status


async def test_figures_count_archived_private_threads_that_have_no_picture(
    magpie: Magpie, world_file: WorldFile, ada: Person, mod: Person
) -> None:
    general, old = world_file.channels["general"], world_file.channels["old whispers"]
    deny = {"type": 1, "allow": "0", "deny": str(worlds.MANAGE_THREADS)}
    await ada.request(
        "PUT", f"/channels/{general}/permissions/{world_file.people['mod']}", json=deny
    )
    assert FIGURES not in await reindexed(magpie, ada, general)
    assert FIGURES not in await told(mod)
    assert FIGURES in await told(ada)
    await ada.request("DELETE", f"/channels/{old}")

    async def heard() -> bool:
        return FIGURES in await told(mod)

    await until(heard)


async def test_figures_count_archived_posts_of_a_hidden_forum(
    magpie: Magpie, world_file: WorldFile, ada: Person, mod: Person
) -> None:
    assert FIGURES not in await reindexed(magpie, ada, world_file.channels["secret forum"])
    assert FIGURES not in await told(mod)
    assert FIGURES in await told(ada)


async def test_figures_count_channels_that_are_closed_to_the_bot(
    magpie: Magpie, world_file: WorldFile, ada: Person, mod: Person
) -> None:
    """ "1 channel closed to me" tells that there is one."""
    general, mods = world_file.channels["general"], world_file.channels["mods"]
    await watch(magpie, general)
    await watch(magpie, mods)
    await ada.request("DELETE", f"/channels/{world_file.channels['old whispers']}")
    await begin(ada)
    done = await stands(magpie, "done")
    assert done.state["closed"] == 1
    assert "1 channel closed to me" in await told(ada)
    deny = {"type": 0, "allow": "0", "deny": str(worlds.VIEW_CHANNEL)}
    await ada.request(
        "PUT", f"/channels/{mods}/permissions/{world_file.roles['Moderators']}", json=deny
    )

    async def hidden() -> bool:
        return "closed to me" not in await told(mod)

    await until(hidden)
    assert "closed to me" not in progress_of(ada).text()


async def test_hidden_channel_is_named_to_nobody_who_cant_see_it(
    magpie: Magpie, world_file: WorldFile, ada: Person, mod: Person
) -> None:
    secret = f"<#{world_file.channels['secret']}>"
    assert "one channel" in await reindexed(magpie, ada, world_file.channels["secret"])
    assert secret not in progress_of(ada).text()
    assert "one channel" in await told(mod)
    assert secret not in await told(mod)
    assert secret in await told(ada)
    open_ = world_file.channels["park"]
    assert f"<#{open_}>" in await reindexed(magpie, ada, open_)


async def test_message_is_not_moved_by_a_member_who_cant_see_the_jobs_channel(
    magpie: Magpie,
    sandbox: sandbox_package.Server,
    world_file: WorldFile,
    ada: Person,
    mod: Person,
) -> None:
    general, secret = world_file.channels["general"], world_file.channels["secret"]
    await watch(magpie, general)
    await watch(magpie, secret)
    pages = f"/channels/{secret}/messages"
    sandbox.strike("slow", path=pages, who="bot", method="GET", delay_s=1.0)
    await ada.command("reindex", where=str(secret), channel=str(secret))
    answer = await mod.command("reindex")
    assert answer.private
    assert "one channel" in answer.text()
    assert str(secret) not in answer.text()
    assert not [m for m in await mod.messages(str(general)) if "Reindex" in m["content"]]
    await stands(magpie, "done")


async def test_reindex_doesnt_tell_whether_a_hidden_channel_is_watched(
    magpie: Magpie, world_file: WorldFile, ada: Person, mod: Person
) -> None:
    """Neither in the whole server nor in a category."""
    hidden, category = world_file.channels["inside"], world_file.channels["category"]
    options = ({}, {"channel": str(category)})
    before = [(await mod.command("reindex", **one)).text() for one in options]
    await watch(magpie, hidden)
    after = [(await mod.command("reindex", **one)).text() for one in options]
    assert after == before
    assert await magpie.gallery.bookkeeping.jobs(active=False) == []
    await begin(ada, channel=str(category))
    await stands(magpie, "done")


def test_job_that_an_older_version_saved_counts_threads_as_closed() -> None:
    state = JobState(what="missing", channel=None, groups=[[7, 20], [8, 0, 7, False]])  # type: ignore[list-item]
    known = [(group.id, group.parent, group.private) for group in state.counted]
    assert known == [(7, None, True), (8, 7, False)]
    assert state.fraction == 0.0
