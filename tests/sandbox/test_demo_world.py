"""The demo world in the repository loads, and its answers match Discord's schema."""

from __future__ import annotations

import aiohttp

from sandbox import serve
from sandbox.__main__ import DEMO
from sandbox.person import Person
from tests import discord_schema
from tests.sandbox.clients import Bird, flying


async def test_discord_py_reads_every_message_of_the_demo_world() -> None:
    async with serve(DEMO) as server, flying(Bird(), server) as bird:
        (guild,) = bird.guilds
        # the text of voice channels needs Connect, which this bot doesn't have
        channels = [*guild.text_channels, *guild.threads]
        read = 0
        for channel in channels:
            if channel.permissions_for(guild.me).read_message_history:
                read += len([message async for message in channel.history(limit=None)])
        assert read > 300
        discord_schema.assert_valid(server.exchanges)


async def test_everyone_in_the_demo_world_can_log_in(http: aiohttp.ClientSession) -> None:
    async with serve(DEMO) as server:
        async with http.get(f"{server.url}/sandbox/people") as answer:
            people = await answer.json()
        assert len(people) >= 8
        for one in people:
            async with Person.log_in(http, server.url, one["token"]) as person:
                assert person.user["id"] == one["user"]["id"]
                assert person.guilds[0]["channels"]
