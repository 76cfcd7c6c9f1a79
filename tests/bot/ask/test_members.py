"""What people are called is looked up for each member as for the others."""

from __future__ import annotations

import discord

from bot.ask.members import LOOKUPS, OF_A_MEMBER, Members
from tests.bot.ask.conftest import Scene


async def member(scene: Scene, name: str) -> discord.Member:
    id = (await scene.log_in(name)).user["id"]
    return await scene.magpie.guilds[0].fetch_member(int(id))


async def test_one_member_leaves_look_ups_to_the_others(scene: Scene) -> None:
    finn, ada = await member(scene, "finn"), await member(scene, "ada")
    members = Members(scene.magpie)
    for _ in range(LOOKUPS):
        await members.beginning(finn, "zzz", [])
    assert not await members.called(finn, [finn.id])
    assert list(await members.called(ada, [finn.id])) == [finn.id]


async def test_a_server_has_a_limit_of_its_own(scene: Scene) -> None:
    *some, olga = [await member(scene, name) for name in ("finn", "ada", "mod", "olga")]
    members = Members(scene.magpie)
    for one in some:
        for _ in range(OF_A_MEMBER):
            await members.beginning(one, "zzz", [])
    assert not await members.called(olga, [olga.id])
