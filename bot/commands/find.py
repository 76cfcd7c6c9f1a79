"""`/find`."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands

from bot.ask import mentions
from bot.ask.answers import Answers
from bot.ask.asker import Asker
from bot.ask.draft import Draft
from bot.ask.questions import Question, Questions
from bot.ask.respond import respond
from bot.ops.tuning import Clocks
from bot.platform.interactions import Interaction, Tree
from bot.text import answers as text


def register(tree: Tree, questions: Questions, answers: Answers, clocks: Clocks) -> None:
    """Add `/find`."""

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
