"""Two shards of one bot: each hears of its servers, and a reconnect of both loses nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from index.embed.embedder import Embedder
from sandbox.person import Person
from sandbox.world import Application, Channel, Guild, Member, Role, User, World
from tests import discord_schema, worlds
from tests.bot.running import begin_to_watch, idle, png, running, sources, until

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
async def magpie(
    two_shards: sandbox_package.Server, db: Path, model: Embedder
) -> AsyncIterator[Magpie]:
    async with running(two_shards, db, model) as client:
        for channel in CHANNELS.values():
            await begin_to_watch(client, channel)
        await idle(client)
        yield client


@pytest.fixture
async def mei(two_shards: sandbox_package.Server) -> AsyncIterator[Person]:
    async with (
        aiohttp.ClientSession() as session,
        Person.log_in(session, two_shards.url, "mei-token") as person,
    ):
        yield person


async def has(client: Magpie, *messages: str) -> None:
    async def holds() -> bool:
        return set(messages) <= await sources(client)

    await until(holds)


async def post(person: Person, guild: int, colour: str) -> str:
    message = await person.post(str(CHANNELS[guild]), pictures={"a.png": png(colour)})
    return str(message["id"])


async def test_each_server_is_heard_on_its_own_shard(magpie: Magpie, mei: Person) -> None:
    assert magpie.shard_count == 2
    assert {guild.shard_id for guild in magpie.guilds} == {0, 1}
    await has(magpie, await post(mei, EVEN, "teal"), await post(mei, ODD, "gold"))


@pytest.mark.parametrize("fault", ["gateway_reconnect", "gateway_drop", "gateway_invalid"])
async def test_a_reconnect_of_both_loses_nothing(
    two_shards: sandbox_package.Server, magpie: Magpie, mei: Person, fault: str
) -> None:
    before = [await post(mei, guild, "teal") for guild in CHANNELS]
    two_shards.strike(fault)
    during = [await post(mei, guild, "gold") for guild in CHANNELS]
    await has(magpie, *before, *during)
    after = [await post(mei, guild, "navy") for guild in CHANNELS]
    await has(magpie, *after)
    assert len(await sources(magpie)) == 6
