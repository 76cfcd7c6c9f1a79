"""A server that Magpie is not in yet, and its people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.ops.tuning import Clocks
from bot.platform.invitation import permissions
from sandbox.person import Answer, Person
from tests.bot.running import quick_clocks
from tests.worlds import MANAGE_GUILD, SEND_MESSAGES, VIEW_CHANNEL, WorldFile

INVITED = permissions().value


@pytest.fixture
def clocks() -> Clocks:
    return quick_clocks(show_progress_s=0.05)


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    """Ada owns it, kim may manage it, mod sees #mods, mei is an ordinary member.

    channels  general, pets; mods (hidden, and where Discord writes to moderators); secret (hidden
              from Magpie, too); trips (forum); Nature, a category with birds and nests (hidden)
    """
    world = WorldFile(tmp_path / "world")
    moderator = world.role("Moderators")
    manager = world.role("Managers", MANAGE_GUILD)
    ada = world.person("ada")
    world.person("kim", manager)
    world.person("mod", moderator)
    mei = world.person("mei")
    hidden = (world.guild_id, 0, 0, VIEW_CHANNEL)
    general = world.channel("general")
    pets = world.channel("pets")
    opened = [(role, 0, VIEW_CHANNEL, 0) for role in (moderator, manager)]
    world.channel("mods", overwrites=[hidden, *opened])
    world.channel("secret", overwrites=[hidden, (manager, 0, VIEW_CHANNEL, 0)])
    world.channel("trips", 15)
    nature = world.channel("Nature", 4)
    birds = world.channel("birds", parent_id=str(nature))
    world.channel("nests", parent_id=str(nature), overwrites=[hidden])
    for number, (place, colour) in enumerate(((general, "red"), (pets, "blue"), (birds, "gold"))):
        world.message(place, mei, pictures=[world.picture(f"{number}.png", colour)])
    world.message(world.channels["secret"], ada, pictures=[world.picture("s.png", "black")])
    return world


def mute(world: WorldFile) -> None:
    """Let nobody but the owner write in any channel."""
    everyone = {"id": str(world.guild_id), "type": 0, "allow": "0", "deny": str(SEND_MESSAGES)}
    for channel in world.guild["channels"]:
        overwrites = channel["permission_overwrites"]
        overwrites[:] = [one for one in overwrites if one["id"] != everyone["id"]] + [everyone]


async def invite(person: Person, world: WorldFile, granted: int = INVITED) -> None:
    """Add Magpie to the server, as somebody does who may manage it."""
    await person.invite(str(world.bot_id), str(world.guild_id), granted)


def from_magpie(messages: list[dict[str, Any]], world: WorldFile) -> list[Answer]:
    """Those of these messages that Magpie wrote, newest first."""
    me = str(world.bot_id)
    return [Answer(message) for message in messages if message["author"]["id"] == me]


async def greetings(person: Person, world: WorldFile) -> dict[str, list[Answer]]:
    """What Magpie has written in each channel that holds messages and this person can see."""
    found = {}
    for channel in person.guilds[0]["channels"]:
        if channel["type"] == 0:
            written = from_magpie(await person.messages(channel["id"]), world)
            if written:
                found[str(channel["name"])] = written
    return found


def channels_menu(answer: Answer) -> dict[str, Any]:
    return next(part for part in answer.parts() if part["type"] == 8)


def menus(answer: Answer) -> list[dict[str, Any]]:
    return [part for part in answer.parts() if part["type"] == 3]
