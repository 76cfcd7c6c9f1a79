"""What discord.py can't read: it is left out alone, counted, and nothing is concluded from it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import discord
import pytest
from discord.abc import GuildChannel

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Clocks, Limits
from bot.platform.state import permissions_known
from bot.text import answers as answer_text
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests import worlds
from tests.bot import other_server
from tests.bot.conftest import LogIn
from tests.bot.other_server import Answer, OtherServer
from tests.bot.running import GUILD_READY_S, idle, png, running, sources, until, watch
from tests.worlds import WorldFile

Json = dict[str, Any]

# Fields that make a message unreadable, whatever else it has.
UNREADABLE: dict[str, Json] = {
    "a sticker without format": {"sticker_items": [{"id": "9", "name": "s"}]},
    "an embed with an odd time": {"embeds": [{"type": "rich", "timestamp": "soon"}]},
    "a time that is none": {"edited_timestamp": "soon"},
    "an attachment without a size": {"attachments": [{"id": "5", "filename": "a.png"}]},
}
# Odd fields without which its pictures can be read.
THREAD = {"id": "7000", "type": 11, "guild_id": "1", "parent_id": "10", "name": "x"}
ODD: dict[str, Json] = {
    "a poll without expiry": {"poll": {"question": {"text": "x"}, "answers": [], "expiry": None}},
    "a poll without a question": {"poll": {"question": {}, "answers": []}},
    "a thread without owner": {"thread": THREAD},
    "an application without description": {"application": {"id": "4"}},
    "an interaction of a new type": {"interaction_metadata": {"id": "4", "type": 9}},
    "a reaction without emoji": {"reactions": [{"count": 1, "me": False}]},
    "a reply to a message that can't be read": {
        "message_reference": {"channel_id": "1", "message_id": "2"},
        "referenced_message": {"id": "2"},
    },
    "a premium button": {"components": [{"type": 1, "components": [{"type": 2, "style": 6}]}]},
}


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    world = worlds.small(tmp_path / "world")
    general, mei = world.channels["general"], world.people["mei"]
    nobody, magpies = (world.guild_id, 0, 0, 1 << 10), (world.roles["Magpie"], 0, 1 << 10, 0)
    staff = world.channel("staff", overwrites=[nobody, magpies])
    world.message(staff, world.people["ada"], "secret", pictures=["blue.png"])
    for n in range(12):
        picture = world.picture(f"{n}.png", f"#c8{20 * n:02x}1e")
        world.message(general, mei, f"picture {n}", pictures=[picture])
    return world


@pytest.fixture
async def other(sandbox: sandbox_package.Server) -> AsyncIterator[OtherServer]:
    async with other_server.serve(sandbox.url) as server:
        yield server


@pytest.fixture
def clocks() -> Clocks:
    """No relisting by itself, which would make up for an edit that was not followed."""
    return Clocks(guild_ready_s=GUILD_READY_S, page_retry_s=0.05, relist_s=3600.0)


@pytest.fixture
async def magpie(
    sandbox: sandbox_package.Server,
    other: OtherServer,
    db: Path,
    model: Embedder,
    clocks: Clocks,
) -> AsyncIterator[Magpie]:
    async with running(sandbox, db, model, clocks, api=other.url) as client:
        yield client


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


@pytest.fixture
def odd_id(world_file: WorldFile) -> str:
    """The message that a test makes odd: in the middle of #general, with a picture."""
    return sorted(with_pictures(world_file))[6]


def with_pictures(world: WorldFile) -> set[str]:
    general = str(world.channels["general"])
    messages = world.guild["messages"]
    return {m["id"] for m in messages if m["channel_id"] == general and m["attachments"]}


def changing(odd: dict[str, Json]) -> Callable[[str, str, Answer], None]:
    """Give messages, by their ids, these fields in every answer."""

    def answer(method: str, path: str, given: Answer) -> None:
        messages = given.json if isinstance(given.json, list) else [given.json]
        for message in messages:
            if isinstance(message, dict) and "content" in message:
                message.update(odd.get(message["id"], {}))

    return answer


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.exc_info]


# ---- messages of the history


async def test_history_is_read_around_messages_that_cannot_be_read(
    magpie: Magpie,
    other: OtherServer,
    world_file: WorldFile,
    ada: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    odd = dict(zip(sorted(with_pictures(world_file))[2:], UNREADABLE.values(), strict=False))
    other.answer = changing(odd)
    await watch(magpie, world_file.channels["general"])
    assert await sources(magpie) == with_pictures(world_file) - odd.keys()
    told = [line for line in warnings(caplog) if "event=unread" in line]
    assert len(told) == len(odd)
    assert all(any(f"id={id}" in line for line in told) for id in odd)
    assert tracebacks(caplog) == []
    said = (await ada.command("status")).text()
    assert f"Could not be read since then: {len(odd)} messages" in said
    magpie.clocks.relist_s = 0.01
    await magpie.relisting.relist_all()
    again = [line for line in warnings(caplog) if "event=unread" in line]
    assert again == told, "one line each, however often they are met"


async def test_pictures_are_found_beside_odd_fields_that_hold_none(
    magpie: Magpie, other: OtherServer, world_file: WorldFile
) -> None:
    odd = dict(zip(sorted(with_pictures(world_file)), ODD.values(), strict=False))
    assert len(odd) == len(ODD)
    other.answer = changing(odd)
    await watch(magpie, world_file.channels["general"])
    assert await sources(magpie) == with_pictures(world_file)


async def test_a_page_of_messages_that_cannot_be_read_does_not_end_the_history(
    sandbox: sandbox_package.Server,
    other: OtherServer,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
) -> None:
    last_ones = sorted(with_pictures(world_file))[-2:]
    other.answer = changing({id: {"edited_timestamp": "soon"} for id in last_ones})
    limits = Limits(page_messages=2)
    async with running(sandbox, db, model, limits=limits, api=other.url) as client:
        await watch(client, world_file.channels["general"])
        assert await sources(client) == with_pictures(world_file) - set(last_ones)


async def test_an_empty_page_is_believed_though_the_newest_message_cannot_be_read(
    magpie: Magpie, other: OtherServer, world_file: WorldFile
) -> None:
    """Discord sends the message, so the history may be read."""
    await watch(magpie, world_file.channels["general"])
    place = magpie.get_channel(world_file.channels["general"])
    assert isinstance(place, discord.TextChannel)
    other.answer = changing({str(place.last_message_id): {"edited_timestamp": "soon"}})
    page = await magpie.history.read_page(place, after=place.last_message_id)
    assert (page.ids, page.full) == ([], False)


async def test_unread_messages_are_counted_only_for_those_who_can_read_them(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, log_in: LogIn
) -> None:
    staff = world_file.channels["staff"]
    (secret,) = [m for m in world_file.guild["messages"] if m["channel_id"] == str(staff)]
    other.answer = changing({secret["id"]: {"edited_timestamp": "soon"}})
    await watch(magpie, staff)
    ada, mod = await log_in("ada"), await log_in("mod")
    assert "Could not be read since then: 1 message" in (await ada.command("status")).text()
    said = (await mod.command("status")).text()
    assert "indexed" in said
    assert "ould not be read" not in said


async def test_a_message_that_cannot_be_read_any_more_is_not_taken_for_deleted(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person, odd_id: str
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    other.answer = changing({odd_id: {"edited_timestamp": "soon"}})
    magpie.clocks.relist_s = 0.01
    await magpie.relisting.relist_all()
    assert await sources(magpie) == with_pictures(world_file)
    found = await ada.command("find", query="red")
    assert odd_id not in str(found.parts), "what can't be read now is not shown"


async def test_reindex_goes_on_after_a_message_that_cannot_be_read(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person, odd_id: str
) -> None:
    await watch(magpie, world_file.channels["general"])
    other.answer = changing({odd_id: {"edited_timestamp": "soon"}})
    await ada.command("reindex", what="everything")
    await ada.event("MESSAGE_UPDATE", where=lambda m: "Reindexing is done" in m["content"])
    assert await sources(magpie) == with_pictures(world_file)


# ---- live events


def event_names() -> list[str]:
    """All that discord.py knows, without the two without which there is no session."""
    client = discord.Client(intents=discord.Intents.none())
    return sorted(set(client._connection.parsers) - {"READY", "RESUMED"})


async def test_no_event_ends_the_bot(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person
) -> None:
    await watch(magpie, world_file.channels["general"])
    sessions = len(other.sockets)
    for name in event_names():
        for data in ({}, None, [], "odd", {"guild_id": "x", "id": "y", "channel_id": "z"}):
            await other.send(name, data)
    posted = await ada.post(str(world_file.channels["general"]), pictures={"a.png": png("teal")})
    await until_indexed(magpie, posted["id"])
    assert len(other.sockets) == sessions, "on the same connection"
    assert not magpie.is_closed()


async def test_live_messages_that_cannot_be_read_are_left_out_alone(
    magpie: Magpie,
    other: OtherServer,
    world_file: WorldFile,
    ada: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    other.event = making_odd(UNREADABLE)
    odd = [
        await ada.post(str(general), name, pictures={"a.png": png("teal")}) for name in UNREADABLE
    ]
    plain = await ada.post(str(general), pictures={"b.png": png("navy")})
    await until_indexed(magpie, plain["id"])
    assert {message["id"] for message in odd}.isdisjoint(await sources(magpie))
    told = [line for line in warnings(caplog) if "event=unread" in line]
    assert len(told) == len(odd)
    assert tracebacks(caplog) == []
    said = (await ada.command("status")).text()
    assert f"Could not be read since then: {len(odd)} messages" in said


async def test_live_pictures_are_found_beside_odd_fields(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    other.event = making_odd(ODD)
    for name in ODD:
        posted = await ada.post(str(general), name, pictures={"a.png": png("teal")})
        await until_indexed(magpie, posted["id"])


async def test_an_edit_that_cannot_be_read_is_followed_by_reading_its_message(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    posted = await ada.post(str(general), "look", pictures={"a.png": png("teal")})
    await until_indexed(magpie, posted["id"])
    other.event = partial_edits
    path = f"/channels/{general}/messages/{posted['id']}"
    await ada.request("PATCH", path, json={"content": "gone", "attachments": []})

    async def dropped() -> bool:
        return posted["id"] not in await sources(magpie)

    await until(dropped)


def partial_edits(name: str, data: Any) -> Any:
    """Edits that tell only what they are about."""
    if name != "MESSAGE_UPDATE":
        return data
    return {key: data[key] for key in ("id", "channel_id", "guild_id")}


def making_odd(odd: dict[str, Json]) -> Callable[[str, Any], Any]:
    """Give new messages the fields that stand under their content."""

    def event(name: str, data: Any) -> Any:
        return data | odd.get(data["content"], {}) if name == "MESSAGE_CREATE" else data

    return event


async def until_indexed(client: Magpie, message: str) -> None:
    async def indexed() -> bool:
        return message in await sources(client)

    await until(indexed)


# ---- servers, channels, roles


ODD_PARTS: dict[str, tuple[str, Any]] = {
    "a channel that is no channel": ("channels", {"id": "77", "type": 0}),
    "a channel of letters": ("channels", "odd"),
    "a thread without a parent": ("threads", {"id": "78", "name": "odd"}),
    "a member without a user": ("members", {"roles": []}),
    "a voice state without a channel": ("voice_states", {"user_id": "5"}),
    "a stage that is nothing": ("stage_instances", None),
    "a role without a name": ("roles", {"id": "79", "permissions": "0"}),
}


async def test_a_server_is_read_around_parts_that_cannot_be_read(
    sandbox: sandbox_package.Server,
    other: OtherServer,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
) -> None:
    def event(name: str, data: Any) -> Any:
        if name == "GUILD_CREATE":
            for key, part in ODD_PARTS.values():
                data[key] = [part, *data.get(key, ())]
        return data

    other.event = event
    async with running(sandbox, db, model, api=other.url) as client:
        await watch(client, world_file.channels["general"])
        assert await sources(client) == with_pictures(world_file)


async def test_nothing_is_shown_of_a_server_whose_roles_cannot_be_read(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person
) -> None:
    await watch(magpie, world_file.channels["general"])
    assert (await ada.command("find", query="red")).pictures()
    guild = magpie.guilds[0]
    await other.send(
        "GUILD_ROLE_UPDATE", {"guild_id": str(guild.id), "role": {"id": str(guild.id)}}
    )

    await until_outage(magpie)
    assert (await ada.command("find", query="red")).pictures() == []


async def test_nothing_is_shown_of_a_channel_whose_change_cannot_be_read(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person, log_in: LogIn
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    mei = await log_in("mei")
    assert (await mei.command("find", query="red")).pictures()
    hide = {"id": str(world_file.guild_id), "type": 0, "allow": "0", "deny": str(1 << 10)}
    other.event = lambda name, data: (
        {"id": data["id"], "guild_id": data["guild_id"], "type": 0}
        if name == "CHANNEL_UPDATE"
        else data
    )
    await ada.request("PATCH", f"/channels/{general}", json={"permission_overwrites": [hide]})

    await until_doubted(magpie, general)
    where = str(world_file.channels["after-dark"])
    assert (await mei.command("find", where=where, query="red")).pictures() == []
    other.event = other_server.same
    await ada.request("PATCH", f"/channels/{general}", json={"permission_overwrites": []})

    await until_known(magpie, general)
    assert (await mei.command("find", query="red")).pictures()
    assert await sources(magpie) == with_pictures(world_file)


async def until_doubted(client: Magpie, channel: int) -> None:
    async def doubted() -> bool:
        return not permissions_known(found(client, channel))

    await until(doubted)


async def until_known(client: Magpie, channel: int) -> None:
    async def known() -> bool:
        return permissions_known(found(client, channel))

    await until(known)


def found(client: Magpie, channel: int) -> GuildChannel:
    known = client.get_channel(channel)
    assert isinstance(known, GuildChannel), "it stays known, whatever can't be read of it"
    return known


def silent(field: str) -> Callable[[str, Any], Any]:
    """Changes of channels without this field, or with overwrites without it."""

    def event(name: str, data: Any) -> Any:
        if name != "CHANNEL_UPDATE":
            return data
        data["permission_overwrites"] = [
            {key: value for key, value in one.items() if key != field}
            for one in data["permission_overwrites"]
        ]
        return {key: value for key, value in data.items() if key != field}

    return event


@pytest.mark.parametrize("field", ["permission_overwrites", "deny", "allow", "guild_id"])
async def test_a_channel_that_does_not_tell_who_may_see_it_is_shown_to_nobody(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person, field: str
) -> None:
    staff = world_file.channels["staff"]
    await watch(magpie, staff)
    assert (await ada.command("find", query="blue")).pictures()
    other.event = silent(field)
    await ada.request("PATCH", f"/channels/{staff}", json={"topic": "x"})
    await until_doubted(magpie, staff)
    assert (await ada.command("find", query="blue")).pictures() == []
    assert str(staff) not in (await ada.command("channels", "list")).text()
    other.event = other_server.same
    await ada.request("PATCH", f"/channels/{staff}", json={"topic": "y"})
    await until_known(magpie, staff)
    assert (await ada.command("find", query="blue")).pictures()


async def test_a_channel_that_does_not_tell_whether_it_is_age_restricted_stays_so(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person
) -> None:
    dark = world_file.channels["after-dark"]
    other.event = silent("nsfw")
    await ada.request("PATCH", f"/channels/{dark}", json={"topic": "x"})

    async def changed() -> bool:
        return getattr(magpie.get_channel(dark), "topic", None) == "x"

    await until(changed)
    channel = magpie.get_channel(dark)
    assert isinstance(channel, discord.TextChannel)
    assert channel.is_nsfw()


async def test_a_server_whose_channels_do_not_tell_who_may_see_them_has_none(
    sandbox: sandbox_package.Server,
    other: OtherServer,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
) -> None:
    missing = {"staff": "permission_overwrites", "general": "nsfw"}
    fields = {str(world_file.channels[name]): field for name, field in missing.items()}

    def event(name: str, data: Any) -> Any:
        if name == "GUILD_CREATE":
            for channel in data["channels"]:
                channel.pop(fields.get(channel["id"]), None)
        return data

    other.event = event
    async with running(sandbox, db, model, api=other.url) as client:
        assert client.get_channel(world_file.channels["staff"]) is None
        general = client.get_channel(world_file.channels["general"])
        assert isinstance(general, discord.TextChannel)
        assert general.is_nsfw(), "it may be, and nothing tells that it is not"


@pytest.mark.parametrize("field", ["permissions", "guild_id"])
async def test_a_role_that_does_not_tell_its_permissions_closes_the_server(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person, field: str
) -> None:
    await watch(magpie, world_file.channels["general"])

    def event(name: str, data: Any) -> Any:
        if name == "GUILD_ROLE_UPDATE":
            data.pop(field, None)
            data["role"].pop(field, None)
        return data

    other.event = event
    role = world_file.roles["Moderators"]
    await ada.request("PATCH", f"/guilds/{world_file.guild_id}/roles/{role}", json={"name": "x"})
    await until_outage(magpie)
    for words in (("find",), ("status",), ("channels", "list")):
        options = {"query": "red"} if words == ("find",) else {}
        assert (await ada.command(*words, **options)).text() == answer_text.outage(), words


def announced(what: str, guild: Json, role: int) -> tuple[str, Json]:
    """An event that tells a role's permissions again: its name and data."""
    (told,) = [one for one in guild["roles"] if one["id"] == str(role)]
    return {
        "the role": ("GUILD_ROLE_UPDATE", {"guild_id": guild["id"], "role": told}),
        "its deletion": ("GUILD_ROLE_DELETE", {"guild_id": guild["id"], "role_id": told["id"]}),
        "the server": ("GUILD_UPDATE", guild),
    }[what]


TELLING = ("the role", "its deletion", "the server")


@pytest.mark.parametrize("what", TELLING)
async def test_a_server_opens_again_when_its_roles_can_be_read(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person, what: str
) -> None:
    await watch(magpie, world_file.channels["general"])
    guild = await ada.request("GET", f"/guilds/{world_file.guild_id}")
    role = world_file.roles["Moderators"]
    await other.send("GUILD_ROLE_UPDATE", {"guild_id": guild["id"], "role": {"id": str(role)}})
    await until_outage(magpie)
    await other.send(*announced("the role", guild, world_file.guild_id))
    await until_another_role(magpie, other)
    assert magpie.guilds[0].unavailable, "@everyone tells nothing of it"
    await other.send(*announced(what, guild, role))

    async def open_again() -> bool:
        return not magpie.guilds[0].unavailable

    await until(open_again)
    assert (await ada.command("find", query="red")).pictures()


@pytest.mark.parametrize("what", TELLING)
async def test_no_role_ends_an_outage(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person, what: str
) -> None:
    guild = await ada.request("GET", f"/guilds/{world_file.guild_id}")
    role = world_file.roles["Moderators"]
    unreadable = {"guild_id": guild["id"], "role": {"id": str(role)}}
    await other.send("GUILD_ROLE_UPDATE", unreadable)
    await other.send("GUILD_DELETE", {"id": guild["id"], "unavailable": True})
    await other.send("GUILD_ROLE_UPDATE", unreadable)
    await other.send(*announced(what, guild, role))
    await until_another_role(magpie, other)
    assert magpie.guilds[0].unavailable


async def until_another_role(client: Magpie, other: OtherServer) -> None:
    """Until everything that was sent before was read."""
    guild = client.guilds[0]
    role = {"id": "4711", "name": "another", "permissions": "0"}
    await other.send("GUILD_ROLE_CREATE", {"guild_id": str(guild.id), "role": role})

    async def told() -> bool:
        return guild.get_role(4711) is not None

    await until(told)


async def until_outage(client: Magpie) -> None:
    async def noticed() -> bool:
        return client.guilds[0].unavailable

    await until(noticed)


# ---- a channel whose permissions are unknown is followed as before


@pytest.fixture
async def doubted(magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person) -> int:
    """#general, which is watched; its newest change could not be read."""
    general = world_file.channels["general"]
    await watch(magpie, general)
    other.event = silent("deny")
    deny = {"id": str(world_file.guild_id), "type": 0, "allow": "0", "deny": "0"}
    await ada.request("PATCH", f"/channels/{general}", json={"permission_overwrites": [deny]})
    await until_doubted(magpie, general)
    return general


async def test_posts_edits_and_deletions_are_followed_in_a_channel_of_unknown_permissions(
    magpie: Magpie, world_file: WorldFile, ada: Person, doubted: int
) -> None:
    posted = [await ada.post(str(doubted), pictures={"a.png": png("teal")}) for _ in range(2)]
    thread = await ada.post(str(world_file.channels["walks"]), pictures={"b.png": png("gold")})
    await until_indexed(magpie, thread["id"])
    await until_indexed(magpie, posted[1]["id"])
    path = f"/channels/{doubted}/messages"
    await ada.request(
        "PATCH", f"{path}/{posted[0]['id']}", json={"content": "x", "attachments": []}
    )
    await ada.request("DELETE", f"{path}/{posted[1]['id']}")
    await until_gone(magpie, posted[0]["id"])
    await until_gone(magpie, posted[1]["id"])


async def test_the_deletion_of_a_channel_of_unknown_permissions_is_followed(
    magpie: Magpie, ada: Person, doubted: int
) -> None:
    await ada.request("DELETE", f"/channels/{doubted}")

    async def erased() -> bool:
        return not await sources(magpie)

    await until(erased)


async def test_a_channel_of_unknown_permissions_can_be_removed(
    magpie: Magpie, ada: Person, doubted: int
) -> None:
    await ada.command("channels", "remove", channel=str(doubted))
    assert await sources(magpie) == set()


# ---- deletions that tell hardly more than what is deleted


LACKING: dict[str, Callable[[Json], Json]] = {
    "server": lambda data: {key: value for key, value in data.items() if key != "guild_id"},
    "channel": lambda data: {key: value for key, value in data.items() if key != "channel_id"},
    "both": lambda data: {"id": data.get("id"), "ids": data.get("ids")},
    "an id": lambda data: {**data, "ids": [None, *data.get("ids", ())]},
}


@pytest.mark.parametrize("lacking", LACKING.values(), ids=LACKING)
async def test_messages_are_erased_whatever_their_deletion_lacks(
    magpie: Magpie,
    other: OtherServer,
    world_file: WorldFile,
    ada: Person,
    lacking: Callable[[Json], Json],
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    posted = [await ada.post(str(general), pictures={"a.png": png("teal")}) for _ in range(3)]
    one, two, three = (message["id"] for message in posted)
    for message in (one, two, three):
        await until_indexed(magpie, message)
    other.event = lambda name, data: lacking(data) if "MESSAGE_DELETE" in name else data
    path = f"/channels/{general}/messages"
    await ada.request("DELETE", f"{path}/{one}")
    await ada.request("POST", f"{path}/bulk-delete", json={"messages": [two, three]})
    for message in (one, two, three):
        await until_gone(magpie, message)


@pytest.mark.parametrize("lacking", ["type", "parent_id", "guild_id"])
@pytest.mark.parametrize("place", ["walks", "general"])
async def test_threads_and_channels_are_erased_whatever_their_deletion_lacks(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person, place: str, lacking: str
) -> None:
    await watch(magpie, world_file.channels["general"])
    thread = world_file.channels["walks"]
    posted = await ada.post(str(thread), pictures={"a.png": png("teal")})
    await until_indexed(magpie, posted["id"])
    other.event = lambda name, data: (
        {key: value for key, value in data.items() if key != lacking}
        if name in ("THREAD_DELETE", "CHANNEL_DELETE")
        else data
    )
    await ada.request("DELETE", f"/channels/{world_file.channels[place]}")
    await until_gone(magpie, posted["id"])


async def test_the_deletion_of_a_channel_that_could_not_be_read_is_followed(
    sandbox: sandbox_package.Server,
    other: OtherServer,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    clocks: Clocks,
    ada: Person,
) -> None:
    general = world_file.channels["general"]
    async with running(sandbox, db, model, clocks, api=other.url) as client:
        await watch(client, general)

    def event(name: str, data: Any) -> Any:
        if name == "GUILD_CREATE":
            for channel in data["channels"]:
                if channel["id"] == str(general):
                    del channel["permission_overwrites"]
        return data

    other.event = event
    async with running(sandbox, db, model, clocks, api=other.url) as client:
        assert client.get_channel(general) is None
        await ada.request("DELETE", f"/channels/{general}")

        async def erased() -> bool:
            return not await sources(client) and not client.watched.marks(world_file.guild_id)

        await until(erased)


async def test_an_edit_that_does_not_tell_its_server_is_followed(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    posted = await ada.post(str(general), "look", pictures={"a.png": png("teal")})
    await until_indexed(magpie, posted["id"])
    other.event = lambda name, data: (
        {key: value for key, value in data.items() if key != "guild_id"}
        if name == "MESSAGE_UPDATE"
        else data
    )
    path = f"/channels/{general}/messages/{posted['id']}"
    await ada.request("PATCH", path, json={"content": "gone", "attachments": []})
    await until_gone(magpie, posted["id"])


async def until_gone(client: Magpie, message: str) -> None:
    async def gone() -> bool:
        return message not in await sources(client)

    await until(gone)


async def test_a_channel_that_cannot_be_read_is_not_taken_for_deleted(
    sandbox: sandbox_package.Server,
    other: OtherServer,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    clocks: Clocks,
    ada: Person,
) -> None:
    general, asked = world_file.channels["general"], []
    async with running(sandbox, db, model, clocks, api=other.url) as client:
        await watch(client, general)

    def odd(channel: Json) -> Json:
        if channel.get("id") != str(general):
            return channel
        return {"id": str(general), "guild_id": str(world_file.guild_id), "type": 0}

    def event(name: str, data: Any) -> Any:
        if name != "GUILD_CREATE":
            return data
        return data | {"channels": [odd(channel) for channel in data["channels"]]}

    def answer(method: str, path: str, given: Answer) -> None:
        if path == f"/channels/{general}" and given.json:
            asked.append(path)
            given.json = odd(given.json)

    other.event, other.answer = event, answer
    async with running(sandbox, db, model, clocks, api=other.url) as client:
        await idle(client)
        client.clocks.relist_s = 0.01
        await client.relisting.relist_all()
        await client.closed.look_at_all()
        assert asked, "it was asked for when it was missed"
        posted = await ada.post(str(general), pictures={"a.png": png("teal")})
        await idle(client)
        assert await sources(client) == with_pictures(world_file)
    other.event, other.answer = other_server.same, other_server.unchanged
    async with running(sandbox, db, model, clocks, api=other.url) as client:
        await idle(client)
        assert await sources(client) == with_pictures(world_file) | {posted["id"]}


async def test_archived_threads_are_listed_around_one_that_cannot_be_read(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    ids = []
    for name in ("one", "two", "three"):
        made = await ada.request(
            "POST", f"/channels/{general}/threads", json={"name": name, "type": 11}
        )
        posted = await ada.post(made["id"], name, pictures={"a.png": png("teal")})
        await ada.request("PATCH", f"/channels/{made['id']}", json={"archived": True})
        ids.append((made["id"], posted["id"]))

    def answer(method: str, path: str, given: Answer) -> None:
        for thread in given.json["threads"] if path.endswith("archived/public") else ():
            if thread["id"] == ids[1][0]:
                del thread["parent_id"]
            if thread["id"] == ids[0][0]:
                del thread["owner_id"], thread["member_count"]

    other.answer = answer
    await watch(magpie, general)
    assert await sources(magpie) >= {ids[0][1], ids[2][1]}
    assert ids[1][1] not in await sources(magpie)
    said = (await ada.command("status")).text()
    assert "Could not be read since then: 1 event or thread" in said


# ---- commands


async def test_a_menu_on_a_message_with_odd_fields_is_answered(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    asked = (await ada.messages(str(general), 1))[0]
    for name, odd in ODD.items():
        other.event = resolving(odd)
        assert (await ada.menu("Find similar", asked)).pictures(), name


async def test_a_menu_on_a_message_that_cannot_be_read_is_answered_with_a_sentence(
    magpie: Magpie,
    other: OtherServer,
    world_file: WorldFile,
    ada: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    asked = (await ada.messages(str(general), 1))[0]
    other.event = resolving({"edited_timestamp": "soon"})
    answer = await ada.menu("Find similar", asked)
    assert answer.private
    assert "in a way that I can't read" in answer.text()
    assert tracebacks(caplog) == []


def resolving(odd: Json) -> Callable[[str, Any], Any]:
    """Make the messages odd that commands are about."""

    def event(name: str, data: Any) -> Any:
        if name == "INTERACTION_CREATE":
            for message in data["data"].get("resolved", {}).get("messages", {}).values():
                message.update(odd)
        return data

    return event


@pytest.mark.parametrize("channel", ["channel", "channel_id"])
async def test_a_command_without_its_channel_is_answered(
    magpie: Magpie, other: OtherServer, world_file: WorldFile, ada: Person, channel: str
) -> None:
    await watch(magpie, world_file.channels["general"])

    def event(name: str, data: Any) -> Any:
        if name == "INTERACTION_CREATE":
            for missing in (channel, "version", "attachment_size_limit"):
                data.pop(missing, None)
        return data

    other.event = event
    answer = await ada.command("find", query="red", show="everyone")
    assert answer.pictures(), "what everyone here may see depends on the channel"
    assert "Reindexing" in str((await ada.command("reindex")).message) + await newest(
        ada, world_file.channels["general"]
    )


async def newest(person: Person, channel: int) -> str:
    return str(await person.messages(str(channel), 1))
