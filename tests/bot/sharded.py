"""Two servers that two shards of one bot hear of, and a member of both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

import sandbox as sandbox_package
from sandbox.person import Person
from sandbox.world import Application, Channel, Guild, Member, Role, User, World
from tests import discord_schema, worlds
from tests.bot.running import png

BOT, MEI = worlds.snowflake(0), worlds.snowflake(1)
# Servers go to shards by the bit above the lowest 22 of their id.
EVEN, ODD = worlds.snowflake(2), worlds.snowflake(3) + (1 << 22)
CHANNELS = {EVEN: worlds.snowflake(4), ODD: worlds.snowflake(5)}


@pytest.fixture
async def two_shards(tmp_path: Path) -> AsyncIterator[sandbox_package.Server]:
    world = World(Application(BOT, "Magpie", "Finds pictures.", worlds.BOT_TOKEN, BOT), tmp_path)
    world.users[BOT] = User(BOT, "magpie", bot=True)
    world.users[MEI] = User(MEI, "mei", token="mei-token")
    for id, channel in CHANNELS.items():
        guild = world.guilds[id] = Guild(id, f"Server {id}", owner_id=MEI)
        guild.roles[id] = Role(id, "@everyone", worlds.MEMBER)
        guild.members = {user: Member(id, user) for user in (BOT, MEI)}
        guild.channels[channel] = Channel(channel, id, 0, "general")
    async with sandbox_package.serve(world, shards=2) as server:
        yield server
        discord_schema.assert_valid(server.exchanges)
        assert not server.unexpected


@pytest.fixture
async def mei(two_shards: sandbox_package.Server) -> AsyncIterator[Person]:
    async with (
        aiohttp.ClientSession() as session,
        Person.log_in(session, two_shards.url, "mei-token") as person,
    ):
        yield person


async def post(person: Person, guild: int, colour: str) -> str:
    """The id of a new message with a picture of one colour."""
    message = await person.post(str(CHANNELS[guild]), pictures={"a.png": png(colour)})
    return str(message["id"])
