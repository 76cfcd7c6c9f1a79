"""`/find`, and the controls below answers of any kind."""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

import discord
from discord import app_commands

from bot.ask import buttons, mentions
from bot.ask.answers import Answers
from bot.ask.asker import Asker
from bot.ask.draft import Draft
from bot.ask.questions import Question, Questions
from bot.ask.respond import answering_button, respond
from bot.ops.tuning import Clocks
from bot.platform.interactions import Interaction, Tree, chosen, is_private
from bot.text import answers as text

Clicked: TypeAlias = discord.Interaction[Any]


def register(tree: Tree, questions: Questions, answers: Answers, clocks: Clocks) -> None:
    """Add `/find`, and have the buttons of answers answered."""

    @tree.command(description="Find pictures by what is in them")
    @app_commands.describe(
        query="What to look for, in your own words",
        image="A picture to look for things like",
        show="Who sees the answer (everyone: only what everyone in this channel may see)",
    )
    @app_commands.guild_only()
    async def find(
        interaction: Interaction,
        query: str | None = None,
        image: discord.Attachment | None = None,
        show: Literal["only me", "everyone"] = "only me",
    ) -> None:
        words = mentions.words(query or "")

        async def work(asker: Asker) -> Draft:
            if image is not None:
                beside = mentions.beside_a_picture(words)
                return await answers.answer(asker, questions.with_attachment(image, beside))
            if not words:
                links = mentions.is_only_links(query or "")
                answers.refuse(asker, text.ONLY_LINKS if links else text.ASK_SOMETHING)
            return await answers.answer(asker, Question(words))

        asked = bool(words) or image is not None
        await respond(interaction, work, clocks, public=asked and show == "everyone")

    # The asker is the member who clicks: their own permissions count, at that moment, and only they
    # see the answer. It takes the place of an answer that only they see, too.

    async def page(interaction: Clicked, match: re.Match[str]) -> None:
        async def work(asker: Asker) -> Draft:
            return await answers.page(asker, buttons.page_of(match))

        await respond(interaction, work, clocks, in_place=is_private(interaction))

    async def before(interaction: Clicked, match: re.Match[str]) -> None:
        async def work(asker: Asker) -> Draft:
            return await answers.before(asker, buttons.page_of(match))

        await respond(interaction, work, clocks, in_place=is_private(interaction))

    async def menu(interaction: Clicked, match: re.Match[str]) -> None:
        async def work(asker: Asker) -> Draft:
            return await answers.look(
                asker, buttons.page_of(match), buttons.link_in(chosen(interaction))
            )

        await respond(interaction, work, clocks, in_place=is_private(interaction))

    async def similar(interaction: Clicked, match: re.Match[str]) -> None:
        async def work(asker: Asker) -> Draft:
            return await answers.similar(asker, int(match["link"]))

        await respond(interaction, work, clocks)

    async def instead(interaction: Clicked, match: re.Match[str]) -> None:
        async def work(asker: Asker) -> Draft:
            return await answers.instead(asker, match["search"], int(match["n"]))

        await respond(interaction, work, clocks, in_place=is_private(interaction))

    tree.client.add_dynamic_items(
        answering_button(buttons.PAGE, page),
        answering_button(buttons.BEFORE, before),
        answering_button(buttons.MENU, menu),
        answering_button(buttons.SIMILAR, similar),
        answering_button(buttons.INSTEAD, instead),
    )
