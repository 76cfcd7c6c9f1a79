"""Direct messages: the bot writes to a member, who alone gets it, and clicks below it."""

from __future__ import annotations

from typing import Any

import aiohttp
import discord
import pytest
from discord import ui

import sandbox as sandbox_package
from sandbox import Server
from sandbox.person import Answer, Person, Refused
from tests.sandbox.clients import USUAL, Bird, flying
from tests.sandbox.conftest import LogIn
from tests.worlds import WorldFile


class Pause(ui.DynamicItem[ui.Button[Any]], template="pause"):
    """A button that says who clicked it, and where."""

    def __init__(self) -> None:
        super().__init__(ui.Button(label="Pause", custom_id="pause"))

    @classmethod
    async def from_custom_id(cls, *_: Any) -> Pause:
        return cls()

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        assert interaction.guild is None
        assert isinstance(interaction.channel, discord.DMChannel)
        await interaction.response.send_message(f"{interaction.user.name} paused", ephemeral=True)


def with_button(text: str) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(text))
    view.add_item(ui.ActionRow(Pause()))
    return view


async def written_to(bird: Bird, person: Person, text: str) -> discord.Message:
    user = await bird.fetch_user(int(person.user["id"]))
    return await user.send(view=with_button(text))


async def received(person: Person, id: int) -> dict[str, Any]:
    return await person.event("MESSAGE_CREATE", where=lambda m: m["id"] == str(id))


async def test_only_the_member_gets_it_and_may_click(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(set_up=lambda b: b.add_dynamic_items(Pause)), sandbox) as bird:
        mei, ada = await log_in("mei"), await log_in("ada")
        sent = await written_to(bird, mei, "a new picture")
        message = await received(mei, sent.id)
        assert "guild_id" not in message
        answer = await mei.click(Answer(message), Answer(message).button("Pause"))
        assert answer.text() == "mei paused"
        with pytest.raises(Refused, match="Missing Access"):
            await ada.messages(message["channel_id"])
        await ada.post(ada.channel("general"), "after")
        await mei.event("MESSAGE_CREATE", where=lambda m: m["content"] == "after")
        assert not [
            m for name, m in ada._events if name == "MESSAGE_CREATE" and "guild_id" not in m
        ]
        assert [m["id"] for m in await mei.messages(message["channel_id"])] == [message["id"]]


async def test_a_bot_hears_of_direct_messages_only_with_their_intent(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    for more, heard in ((discord.Intents.none(), False), (discord.Intents(dm_messages=True), True)):
        async with flying(Bird(intents=discord.Intents(USUAL.value | more.value)), sandbox) as bird:
            mei = await log_in("mei")
            sent = await written_to(bird, mei, "hello")
            await mei.post(str(sent.channel.id), "hello yourself")
            await mei.post(mei.channel("general"), f"done {heard}")
            await bird.until("message", lambda m, heard=heard: m.content == f"done {heard}")
            direct = [m.content for m in bird.named("message") if m.guild is None]
            assert ("hello yourself" in direct) is heard


async def test_there_is_one_channel_for_two_users_and_it_outlives_a_restart(
    world_file: WorldFile, tmp_path: Any
) -> None:
    path = world_file.write()
    for restart in (False, True):
        async with (
            sandbox_package.serve(path, data=tmp_path / "data") as server,
            aiohttp.ClientSession() as session,
            flying(Bird(), server) as bird,
            Person.log_in(session, server.url, "mei-token") as mei,
        ):
            if not restart:
                first = await written_to(bird, mei, "one")
            second = await written_to(bird, mei, "two")
            assert second.channel.id == first.channel.id
            (direct,) = await mei.request("GET", "/users/@me/channels")
            assert direct["id"] == str(first.channel.id)
            assert [one["username"] for one in direct["recipients"]] == ["magpie"]


async def test_a_bot_cannot_write_to_whom_it_shares_no_server_with(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        mei = await log_in("mei")
        sandbox.core.member_gone(sandbox.world.guilds[world_file.guild_id], int(mei.user["id"]))
        with pytest.raises(discord.Forbidden) as refused:
            await written_to(bird, mei, "hello")
        assert refused.value.code == 50007
