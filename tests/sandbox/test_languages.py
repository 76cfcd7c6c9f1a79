"""The language of a person's client, and commands that are named in it."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from discord import app_commands
from discord.app_commands import TranslationContextTypes, locale_str

from sandbox import Server, WorldError, worldfile
from sandbox.person import Refused
from tests.sandbox.clients import Bird, flying
from tests.sandbox.conftest import LogIn
from tests.worlds import WorldFile

Interaction = discord.Interaction[Any]
GERMAN = {"find": "finden", "query": "frage", "Finds.": "Findet.", "dog": "Hund"}


class German(app_commands.Translator):
    def __init__(self, words: dict[str, str]) -> None:
        self.words = words

    async def translate(
        self, string: locale_str, locale: discord.Locale, context: TranslationContextTypes
    ) -> str | None:
        return self.words.get(str(string)) if locale is discord.Locale.german else None


class Translated(Bird):
    """A bird whose commands have German names."""

    def __init__(self, words: dict[str, str]) -> None:
        super().__init__()
        self.words = words

    async def setup_hook(self) -> None:
        @self.tree.command(description="Finds.")
        @app_commands.choices(query=[app_commands.Choice(name="dog", value="dog")])
        async def find(interaction: Interaction, query: str, other: str = "") -> None:
            said = f"{query} {interaction.locale} {interaction.guild_locale}"
            await interaction.response.send_message(said)

        await self.tree.set_translator(German(self.words))
        await self.tree.sync()


async def test_a_person_is_shown_names_in_their_language_and_sends_the_real_ones(
    sandbox: Server, log_in: LogIn
) -> None:
    async with flying(Translated(GERMAN), sandbox):
        ada, mei = await log_in("ada"), await log_in("mei")
        seen = ada.seen()
        await ada.speak("de")
        assert (await ada.event("USER_UPDATE", since=seen))["locale"] == "de"
        [command] = await ada.commands()
        option, other = command["options"]
        assert (command["name"], command["name_localized"]) == ("find", "finden")
        assert command["description_localized"] == "Findet."
        assert (option["name"], option["name_localized"]) == ("query", "frage")
        assert option["choices"] == [{"name": "dog", "name_localized": "Hund", "value": "dog"}]
        assert "name_localized" not in other
        assert "name_localized" not in (await mei.commands())[0]
        assert (await ada.command("find", query="dog")).text() == "dog de en-US"
        assert (await mei.command("find", query="dog")).text() == "dog en-US en-US"
        with pytest.raises(Refused, match="Invalid Form Body"):
            await ada.speak("xx")


async def test_who_manages_a_server_chooses_its_language(
    sandbox: Server, log_in: LogIn, world_file: WorldFile
) -> None:
    bird, server = Bird(), f"/guilds/{world_file.guild_id}"
    ada, mei = await log_in("ada"), await log_in("mei")
    async with flying(bird, sandbox):
        seen = ada.seen()
        changed = await ada.request("PATCH", server, json={"preferred_locale": "de"})
        assert changed["preferred_locale"] == "de"
        assert (await ada.event("GUILD_UPDATE", since=seen))["preferred_locale"] == "de"
        guild = await bird.fetch_guild(world_file.guild_id)
        assert guild.preferred_locale is discord.Locale.german
        with pytest.raises(Refused, match="Missing Permissions"):
            await mei.request("PATCH", server, json={"preferred_locale": "fr"})
        with pytest.raises(Refused, match="Invalid Form Body"):
            await ada.request("PATCH", server, json={"preferred_locale": "xx"})
        default = await ada.request("PATCH", server, json={"preferred_locale": None})
        assert (default["preferred_locale"], default["name"]) == ("en-US", guild.name)


@pytest.mark.parametrize(
    "words", [{"find": "Finden"}, {"find": "x" * 33}, {"query": "other"}, {"Finds.": "x" * 101}]
)
async def test_a_name_that_discord_refuses_is_refused(
    sandbox: Server, words: dict[str, str]
) -> None:
    bird = Translated(words)
    with pytest.raises(app_commands.CommandSyncFailure):
        async with flying(bird, sandbox):
            pass


def test_the_world_says_which_languages_are_spoken(world_file: WorldFile) -> None:
    world_file.users[1]["locale"] = "ja"
    world_file.guild["preferred_locale"] = "pt-BR"
    world = worldfile.load(world_file.write())
    assert [guild.preferred_locale for guild in world.guilds.values()] == ["pt-BR"]
    assert sorted({user.locale for user in world.users.values()}) == ["en-US", "ja"]
    world_file.users[1]["locale"] = "klingon"
    with pytest.raises(WorldError, match="locale"):
        worldfile.load(world_file.write())
