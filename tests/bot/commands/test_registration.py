"""Commands are sent to Discord when they, or their names in a language, have changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import TranslationContextTypes, locale_str

from bot.commands import registration
from sandbox import Server
from tests.sandbox.clients import Bird, flying


class German(app_commands.Translator):
    def __init__(self, find: str) -> None:
        self.find = find

    async def translate(
        self, string: locale_str, locale: discord.Locale, context: TranslationContextTypes
    ) -> str | None:
        return self.find if locale is discord.Locale.german and str(string) == "find" else None


class Unsent(Bird):
    """Its commands are sent by the test."""

    async def setup_hook(self) -> None:
        @self.tree.command(description="Finds.")
        async def find(interaction: discord.Interaction[Any]) -> None: ...


async def test_commands_are_sent_again_only_when_a_translation_changes(
    sandbox: Server, tmp_path: Path
) -> None:
    stamp = tmp_path / "commands"
    async with flying(Unsent(), sandbox) as bird:
        for word, sent in [("finden", 1), ("finden", 1), ("suchen", 2), ("suchen", 2)]:
            await bird.tree.set_translator(German(word))
            await registration.sync(bird.tree, stamp)
            assert sum(one.method == "PUT" for one in sandbox.exchanges) == sent
            [command] = sandbox.core.world.commands.values()
            assert command["name_localizations"] == {"de": word}
