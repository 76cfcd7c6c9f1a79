"""How Magpie presents itself to Discord."""

from __future__ import annotations

import asyncio
from pathlib import Path

import discord
import pytest

import sandbox as sandbox_package
from bot import app as client
from bot.app import Magpie
from bot.ops.settings import DISCORD
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests.bot.conftest import LogIn
from tests.bot.running import NEVER_S, PATIENCE_S, quick_clocks, running, until
from tests.worlds import WorldFile


def test_redirect_goes_there_and_back() -> None:
    client.redirect("http://127.0.0.1:8123")
    try:
        assert discord.http.Route.BASE == "http://127.0.0.1:8123/api/v10"
        assert discord.Asset.BASE == "http://127.0.0.1:8123/cdn"
        gateway = discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
        assert str(gateway) == "ws://127.0.0.1:8123/gateway"
    finally:
        client.redirect(DISCORD)
    assert discord.http.Route.BASE == "https://discord.com/api/v10"
    assert discord.Asset.BASE == "https://cdn.discordapp.com"
    assert discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY.host == "gateway.discord.gg"


async def test_only_the_intents_that_are_needed(magpie: Magpie) -> None:
    on = {name for name, value in magpie.intents if value}
    assert on == {"guilds", "guild_messages", "message_content"}


async def test_nothing_is_cached_and_nobody_is_pinged(magpie: Magpie) -> None:
    assert list(magpie.cached_messages) == []
    guild = magpie.guilds[0]
    assert [member.id for member in guild.members] == [guild.me.id]
    assert magpie.allowed_mentions is not None
    assert magpie.allowed_mentions.to_dict() == {"parse": []}


async def test_commands_are_for_servers_and_admins_where_they_should(
    magpie: Magpie, sandbox: sandbox_package.Server
) -> None:
    commands = {command["name"]: command for command in sandbox.world.commands.values()}
    manage_server = str(discord.Permissions(manage_guild=True).value)
    for name in ("channels", "reindex", "status"):
        assert commands[name]["default_member_permissions"] == manage_server
    assert commands["find"]["default_member_permissions"] is None
    for name, command in commands.items():
        assert command["contexts"] == [0], f"{name} is offered outside servers"
        assert command["integration_types"] == [0], f"{name} may be installed by a member alone"


async def test_error_in_a_command_becomes_a_private_sentence(
    magpie: Magpie, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down() -> int:
        raise RuntimeError("a secret of the machine")

    monkeypatch.setattr(magpie.gallery.links, "model", break_down)
    ada = await log_in("ada")
    answer = await ada.command("status")
    assert answer.private
    assert "Something went wrong on my side" in answer.text()
    assert "secret" not in answer.text()


async def test_error_while_handling_a_message_does_not_end_the_bot(
    magpie: Magpie,
    world_file: WorldFile,
    log_in: LogIn,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def break_down(message: discord.Message) -> None:
        raise RuntimeError("an unforeseen message")

    monkeypatch.setattr(magpie.live, "on_message", break_down)
    ada: Person = await log_in("ada")
    await ada.post(str(world_file.channels["general"]), "hello")

    async def logged() -> bool:
        return any("event=event_failed name=on_message" in line for line in caplog.messages)

    await until(logged)
    await asyncio.sleep(0)
    assert not magpie.is_closed()


async def test_the_start_is_complete_when_all_servers_of_ready_are_announced(
    sandbox: sandbox_package.Server, db: Path | str, model: Embedder
) -> None:
    """Without the wait for others, at the first connection and at one that begins anew."""
    clocks = quick_clocks(guild_ready_s=NEVER_S)
    async with asyncio.timeout(PATIENCE_S), running(sandbox, db, model, clocks) as client:
        assert {guild.id for guild in client.guilds} == set(sandbox.world.guilds)
        again = asyncio.create_task(client.wait_for("shard_ready", timeout=PATIENCE_S))
        await asyncio.sleep(0)
        sandbox.strike("gateway_invalid", resumable=False)
        await again
