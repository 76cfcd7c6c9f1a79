"""`/overview`, and the menu below its answer."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import discord
from discord import app_commands

from bot.ask.answers import Answers
from bot.ask.asker import Asker
from bot.ask.draft import Draft
from bot.ask.respond import Meanwhile, answering_button, respond
from bot.commands.options import EVERYONE, WHO_SEES_IT
from bot.languages.speech import marked
from bot.ops.tuning import Clocks
from bot.overview import cards
from bot.overview.overviews import Overviews
from bot.platform.interactions import Interaction, Tree, chosen


def register(tree: Tree, overviews: Overviews, answers: Answers, clocks: Clocks) -> None:
    """Add `/overview`, and have its menu answered."""

    @tree.command(
        name=marked("overview"),
        description=marked("What this server's pictures are about, and a map of them"),
    )
    @app_commands.describe(
        show=marked("Who sees the answer (everyone: only what everyone in this channel may see)")
    )
    @app_commands.rename(show=marked("show"))
    @app_commands.choices(show=WHO_SEES_IT)
    @app_commands.guild_only()
    async def overview(interaction: Interaction, show: str | None = None) -> None:
        meanwhile = Meanwhile()
        work = partial(overviews.answer, meanwhile=meanwhile)
        await respond(interaction, work, clocks, public=show == EVERYONE, meanwhile=meanwhile)

    async def cluster(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        async def work(asker: Asker) -> Draft:
            value = chosen(interaction)
            name = cards.name_in(value)
            return await answers.similar(asker, *cards.links_in(value), cluster=name)

        await respond(interaction, work, clocks)

    tree.client.add_dynamic_items(answering_button(cards.MENU, cluster))
