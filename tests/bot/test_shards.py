"""Two shards of one bot: each hears of its servers, and a reconnect of both loses nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests.bot.running import begin_to_watch, idle, running, sources, until
from tests.bot.sharded import CHANNELS, EVEN, ODD, mei, post, two_shards

__all__ = ["mei", "two_shards"]  # fixtures


@pytest.fixture
async def magpie(
    two_shards: sandbox_package.Server, db: Path, model: Embedder
) -> AsyncIterator[Magpie]:
    async with running(two_shards, db, model) as client:
        for channel in CHANNELS.values():
            await begin_to_watch(client, channel)
        await idle(client)
        yield client


async def has(client: Magpie, *messages: str) -> None:
    async def holds() -> bool:
        return set(messages) <= await sources(client)

    await until(holds)


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
