"""Permissions: how they are computed, and that all routes enforce them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import discord
import pytest

from sandbox import Server, permissions, serve, worldfile
from sandbox.person import Person, Refused
from tests.sandbox.clients import Bird, flying
from tests.sandbox.conftest import LogIn
from tests.worlds import MEMBER, WorldFile, small

VIEW, SEND, READ = (
    permissions.VIEW_CHANNEL,
    permissions.SEND_MESSAGES,
    permissions.READ_MESSAGE_HISTORY,
)
ATTACH, CONNECT, ADMIN = (
    permissions.ATTACH_FILES,
    permissions.CONNECT,
    permissions.ADMINISTRATOR,
)


# permissions that text channels have; discord.py drops the others there
TEXT = discord.Permissions.text().value | discord.Permissions.general().value


def allowed(folder: Path, overwrites: list[tuple[str, int, int]], **roles: int) -> int:
    """mei's permissions in a channel, with these roles and overwrites (id, allow, deny)."""
    file = WorldFile(folder)
    ada = file.person("ada")
    ids = {name: file.role(name, bits) for name, bits in roles.items()}
    mei = file.person("mei", *ids.values())
    file.member(file.bot_id)
    who = {"everyone": (file.guild_id, 0), "mei": (mei, 1)}
    who |= {name: (id, 0) for name, id in ids.items()}
    channel = file.channel(
        "here", overwrites=[(*who[name], allow, deny) for name, allow, deny in overwrites]
    )
    world = worldfile.load(file.write())
    guild = world.guilds[file.guild_id]
    assert permissions.in_channel(guild, guild.members[ada], guild.channels[channel]) == (
        permissions.ALL
    )
    return permissions.in_channel(guild, guild.members[mei], guild.channels[channel])


async def test_a_timed_out_member_can_still_see_and_read(sandbox: Server, log_in: LogIn) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    guild, general = ada.guilds[0]["id"], ada.channel("general")
    timeout = {"communication_disabled_until": "2100-01-01T00:00:00+00:00"}
    path = f"/guilds/{guild}/members/{mei.user['id']}"
    changed = await ada.request("PATCH", path, json=timeout)
    assert changed["communication_disabled_until"].startswith("2100")
    assert (await mei.messages(general))[0]["id"]
    with pytest.raises(Refused):
        await mei.post(general, "but")
    await ada.request("PATCH", path, json={"communication_disabled_until": None})
    await mei.post(general, "sorry")


@pytest.mark.parametrize(
    ("overwrites", "roles", "holds", "lacks"),
    [
        ([], {}, MEMBER, permissions.MANAGE_GUILD),
        ([("everyone", 0, SEND)], {}, VIEW | READ, SEND | ATTACH),
        ([("everyone", 0, VIEW)], {}, 0, VIEW | SEND | READ),
        ([("everyone", 0, VIEW), ("red", VIEW, 0)], {"red": 0}, VIEW | SEND, 0),
        # what roles deny comes before what roles allow
        ([("red", 0, SEND), ("blue", SEND, 0)], {"red": 0, "blue": 0}, SEND, 0),
        # the member's overwrite comes last
        ([("red", SEND, 0), ("mei", 0, SEND)], {"red": 0}, VIEW, SEND),
        ([("everyone", 0, VIEW), ("mei", VIEW, 0)], {}, VIEW | SEND, 0),
        ([("everyone", 0, VIEW | SEND)], {"chief": ADMIN}, permissions.ALL, 0),
        ([], {"red": permissions.MANAGE_GUILD}, permissions.MANAGE_GUILD, 0),
    ],
)
def test_permissions_are_computed_as_documented(
    tmp_path: Path,
    overwrites: list[tuple[str, int, int]],
    roles: dict[str, int],
    holds: int,
    lacks: int,
) -> None:
    computed = allowed(tmp_path, overwrites, **roles)
    assert computed & holds == holds
    assert not computed & lacks


@pytest.mark.parametrize(
    ("overwrites", "roles"),
    [
        ([], {}),
        ([("everyone", 0, SEND)], {}),
        ([("everyone", 0, VIEW)], {}),
        ([("everyone", 0, VIEW | CONNECT), ("red", VIEW, 0)], {"red": 0, "blue": ADMIN}),
        ([("red", 0, SEND), ("blue", SEND, VIEW)], {"red": 0, "blue": 0}),
        ([("red", SEND, 0), ("mei", 0, ATTACH)], {"red": READ}),
    ],
)
async def test_discord_py_computes_the_same(
    tmp_path: Path,
    overwrites: list[tuple[str, int, int]],
    roles: dict[str, int],
) -> None:
    """With View Channel; without it, discord.py keeps bits that have no effect."""
    file = WorldFile(tmp_path)
    file.person("ada")
    ids = {name: file.role(name, bits) for name, bits in roles.items()}
    mei = file.person("mei", *ids.values())
    file.member(file.bot_id)
    who = {"everyone": (file.guild_id, 0), "mei": (mei, 1)}
    who |= {name: (id, 0) for name, id in ids.items()}
    id = file.channel("here", overwrites=[(*who[name], *bits) for name, *bits in overwrites])
    async with serve(file.write()) as server, flying(Bird(), server) as bird:
        guild = bird.guilds[0]
        theirs = guild.get_channel(id).permissions_for(await guild.fetch_member(mei))
        world_guild = server.world.guilds[guild.id]
        ours = permissions.in_channel(
            world_guild, world_guild.members[mei], world_guild.channels[id]
        )
        assert theirs.view_channel == bool(ours & VIEW)
        if theirs.view_channel:
            assert theirs.value & TEXT == ours & TEXT


async def test_the_bot_is_denied_what_it_cannot_see(sandbox: Server, world_file: WorldFile) -> None:
    async with flying(Bird(), sandbox) as bird:
        hidden = bird.get_channel(world_file.channels["mods"])
        with pytest.raises(discord.Forbidden) as error:
            [one async for one in hidden.history()]
        assert error.value.code == 50001
        with pytest.raises(discord.Forbidden):
            await hidden.send("hello")
        with pytest.raises(discord.Forbidden):
            await bird.fetch_channel(hidden.id)


Deed = Callable[[Person, WorldFile], Any]

DEEDS: dict[str, tuple[Deed, int]] = {
    "read a hidden channel": (
        lambda mei, file: mei.messages(str(file.channels["mods"])),
        50001,
    ),
    "post in a hidden channel": (
        lambda mei, file: mei.post(str(file.channels["mods"]), "hi"),
        50001,
    ),
    "read a private thread": (
        lambda mei, file: mei.messages(str(file.channels["whispers"])),
        50001,
    ),
    "delete another's message": (
        lambda mei, file: mei.request("DELETE", _message(file, 0)),
        50013,
    ),
    "edit another's message": (
        lambda mei, file: mei.request("PATCH", _message(file, 0), json={"content": "x"}),
        50005,
    ),
    "create a channel": (
        lambda mei, file: mei.request(
            "POST", f"/guilds/{file.guild_id}/channels", json={"name": "mine"}
        ),
        50013,
    ),
    "delete a channel": (
        lambda mei, file: mei.request("DELETE", f"/channels/{file.channels['general']}"),
        50013,
    ),
    "take a role": (
        lambda mei, file: mei.request(
            "PUT",
            f"/guilds/{file.guild_id}/members/{file.people['mei']}"
            f"/roles/{file.roles['Moderators']}",
        ),
        50013,
    ),
    "remove the bot": (
        lambda mei, file: mei.request("DELETE", f"/guilds/{file.guild_id}/members/{file.bot_id}"),
        50013,
    ),
    "read a channel that is not there": (lambda mei, file: mei.messages("1"), 10003),
    "read a message that is not there": (
        lambda mei, file: mei.request("GET", f"/channels/{file.channels['general']}/messages/1"),
        10008,
    ),
}


@pytest.mark.parametrize("what", DEEDS)
async def test_an_ordinary_member_is_refused(
    sandbox: Server, world_file: WorldFile, log_in: LogIn, what: str
) -> None:
    deed, code = DEEDS[what]
    mei = await log_in("mei")
    with pytest.raises(Refused) as error:
        await deed(mei, world_file)
    assert error.value.code == code


async def test_without_read_message_history_a_channel_is_empty(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    general = ada.channel("general")
    path = f"/channels/{general}/permissions/{world_file.guild_id}"
    await ada.request("PUT", path, json={"type": 0, "allow": "0", "deny": str(READ)})
    assert await mei.messages(general) == []
    with pytest.raises(Refused, match="Missing Permissions"):
        await mei.request("GET", _message(world_file, 0))
    assert await ada.messages(general)


async def test_the_text_of_a_voice_channel_needs_connect(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    lounge = ada.channel("lounge")
    await mei.post(lounge, "hi")
    path = f"/channels/{lounge}/permissions/{world_file.guild_id}"
    await ada.request("PUT", path, json={"type": 0, "allow": "0", "deny": str(CONNECT)})
    with pytest.raises(Refused, match="Missing Access"):
        await mei.messages(lounge)


async def test_without_attach_files_no_picture_can_be_posted(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    general = ada.channel("general")
    path = f"/channels/{general}/permissions/{world_file.guild_id}"
    await ada.request("PUT", path, json={"type": 0, "allow": "0", "deny": str(ATTACH)})
    with pytest.raises(Refused, match="Missing Permissions"):
        await mei.post(general, pictures={"a.png": b"x"})


async def test_a_request_without_a_token_is_unauthorized(sandbox: Server, http: Any) -> None:
    async with http.get(f"{sandbox.url}/api/v10/users/@me") as answer:
        assert answer.status == 401
        assert answer.headers["Content-Type"] == "application/json"


def _message(file: WorldFile, number: int) -> str:
    message = file.guild["messages"][number]
    return f"/channels/{message['channel_id']}/messages/{message['id']}"


def test_the_small_world_loads(tmp_path: Path) -> None:
    assert len(worldfile.load(small(tmp_path).write()).users) == 4
