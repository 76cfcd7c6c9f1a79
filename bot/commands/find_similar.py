"""Right-click a message → Apps → Find similar."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.ask.answers import Answers
from bot.ask.asker import Asker
from bot.ask.draft import Draft
from bot.ask.respond import respond
from bot.languages.speech import marked
from bot.ops.tuning import Clocks
from bot.platform.interactions import Interaction, Tree


def register(tree: Tree, answers: Answers, clocks: Clocks) -> None:
    """Add the entry to the menu of messages."""

    @tree.context_menu(name=marked("Find similar"))
    @app_commands.guild_only()
    async def find_similar(interaction: Interaction, message: discord.Message) -> None:
        async def work(asker: Asker) -> Draft:
            return await answers.like_message(asker, message)

        await respond(interaction, work, clocks)
