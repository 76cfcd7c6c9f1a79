"""Right-click a message → Apps → Posted before? And the controls below its answer."""

from __future__ import annotations

import re
from typing import Any

import discord
from discord import app_commands

from bot.ask import posted_cards as cards
from bot.ask.asker import Asker
from bot.ask.draft import Draft
from bot.ask.posted import PostedBefore
from bot.ask.respond import answering_button, respond
from bot.languages.speech import marked
from bot.ops.tuning import Clocks
from bot.platform.interactions import Interaction, Tree, chosen, is_private


def register(tree: Tree, posted: PostedBefore, clocks: Clocks) -> None:
    """Add the entry to the menu of messages, and have its controls answered."""

    @tree.context_menu(name=marked("Posted before?"))
    @app_commands.guild_only()
    async def posted_before(interaction: Interaction, message: discord.Message) -> None:
        async def work(asker: Asker) -> Draft:
            return await posted.of_message(asker, message)

        await respond(interaction, work, clocks)

    async def page(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        async def work(asker: Asker) -> Draft:
            return await posted.page(asker, cards.spot_of(match))

        await respond(interaction, work, clocks, in_place=is_private(interaction))

    async def menu(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        async def work(asker: Asker) -> Draft:
            return await posted.correct(asker, cards.spot_of(match), chosen(interaction))

        await respond(interaction, work, clocks, in_place=is_private(interaction))

    tree.client.add_dynamic_items(
        answering_button(cards.PAGE, page), answering_button(cards.MENU, menu)
    )
