"""The search in a server's messages, and the faults of Discord's own that it can have."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import Server
from sandbox.person import Person, Refused
from sandbox.search import GIFS_SINCE
from sandbox.world import Attachment, Message, Snapshot
from tests.sandbox.conftest import LogIn
from tests.worlds import WorldFile


@pytest.fixture
async def mei(log_in: LogIn) -> Person:
    return await log_in("mei")


def add(server: Server, channel: int, **more: Any) -> int:
    """Add a message to a channel; returns its id."""
    id = more.pop("id", None) or server.core.next_id()
    author = next(iter(server.world.guilds.values())).owner_id
    server.world.put_message(Message(id, channel, author, **more))
    return id


def file(kind: str, id: int = 1) -> Attachment:
    return Attachment(id, 0, f"{id}.{kind.split('/')[1]}", "nowhere", 10, kind)


async def search(person: Person, guild: int, query: str) -> Any:
    return await person.request("GET", f"/guilds/{guild}/messages/search?{query}")


def ids(found: Any) -> list[int]:
    return [int(message["id"]) for (message,) in found["messages"]]


async def test_pictures_are_found_after_it_is_ready(
    sandbox: Server, world_file: WorldFile, mei: Person, log_in: LogIn
) -> None:
    guild = world_file.guild_id
    found = await search(mei, guild, "has=image")
    assert [hit["content"] for (hit,) in found["messages"]] == ["look"]
    assert (await search(await log_in("mod"), guild, "has=image"))["total_results"] == 2
    sandbox.strike("search_indexing", seconds=5.0)
    waiting = await search(mei, guild, "has=image")
    assert (waiting["code"], waiting["retry_after"]) == (110000, 5)


async def test_several_kinds_are_alternatives_and_a_minus_excludes(
    sandbox: Server, world_file: WorldFile, mei: Person
) -> None:
    general, guild = world_file.channels["general"], world_file.guild_id
    begin = add(sandbox, general, content="from here")
    video = add(sandbox, general, attachments=[file("video/mp4")])
    forward = Snapshot(0, "", 0.0, None, 0, [file("image/png", 2)])
    forwarded = add(sandbox, general, snapshot=forward)
    both = add(sandbox, general, attachments=[file("image/png", 3)], sticker_ids=[])
    add(sandbox, general, content="words")
    after = f"min_id={begin}"
    assert ids(await search(mei, guild, f"has=video&has=snapshot&{after}")) == [forwarded, video]
    assert ids(await search(mei, guild, f"has=file&has=-video&{after}")) == [both]
    assert ids(await search(mei, guild, f"has=file&sort_order=asc&{after}")) == [video, both]


async def test_pages_have_25_at_most_and_windows_go_on(
    sandbox: Server, world_file: WorldFile, mei: Person
) -> None:
    walks, guild = world_file.channels["walks"], world_file.guild_id
    made = [add(sandbox, walks, attachments=[file("image/png", n)]) for n in range(60)]
    first = await search(mei, guild, f"has=image&channel_id={walks}")
    assert ids(first) == made[:-26:-1]
    assert first["total_results"] == 60
    assert [thread["id"] for thread in first["threads"]] == [str(walks)]
    second = await search(mei, guild, f"has=image&channel_id={walks}&max_id={made[-25]}")
    assert ids(second) == made[-26:-51:-1]
    assert ids(await search(mei, guild, f"has=image&channel_id={walks}&offset=50")) == made[9::-1]


@pytest.mark.parametrize(
    "query",
    [
        "limit=26",
        "offset=9976",
        "has=pictures",
        "has=image&has=image",
        "sort_by=size",
        "sort_order=up",
        "channel_id=here",
        "&".join(f"channel_id={n}" for n in range(501)),
    ],
)
async def test_what_is_beyond_its_limits_is_refused(
    world_file: WorldFile, mei: Person, query: str
) -> None:
    with pytest.raises(Refused) as refusal:
        await search(mei, world_file.guild_id, query)
    assert refusal.value.code == 50035


async def test_five_hundred_channels_fit(world_file: WorldFile, mei: Person) -> None:
    others = "&".join(f"channel_id={10**18 + n}" for n in range(499))
    general = world_file.channels["general"]
    found = await search(mei, world_file.guild_id, f"has=image&channel_id={general}&{others}")
    assert found["total_results"] == 1


async def test_age_restricted_channels_are_found_when_asked_for(
    sandbox: Server, world_file: WorldFile, mei: Person
) -> None:
    dark, guild = world_file.channels["after-dark"], world_file.guild_id
    hidden = add(sandbox, dark, attachments=[file("image/png")])
    assert hidden not in ids(await search(mei, guild, "has=image"))
    assert hidden in ids(await search(mei, guild, "has=image&include_nsfw=true"))


async def test_the_faults_of_discords_search(
    sandbox: Server, world_file: WorldFile, mei: Person
) -> None:
    general, guild = world_file.channels["general"], world_file.guild_id
    old = add(sandbox, general, id=GIFS_SINCE - 1, attachments=[file("image/gif")])
    new = [add(sandbox, general, attachments=[file("image/png", n)]) for n in range(4)]
    here = f"has=image&channel_id={general}"
    sandbox.strike("search_short")
    assert ids(await search(mei, guild, here))[:2] == [new[3], new[1]]
    sandbox.strike("search_totals", total=7_000)
    assert (await search(mei, guild, here))["total_results"] == 7_000
    assert old in ids(await search(mei, guild, here))
    sandbox.strike("search_gifs", times=None)
    assert old not in ids(await search(mei, guild, here))
