"""`/find`, and the buttons below answers of any kind."""

from __future__ import annotations

import re
from typing import Any, Literal

import discord
from discord import app_commands
from discord.app_commands import Choice

from bot.ask import buttons, lines, mentions
from bot.ask.answers import Answers
from bot.ask.asker import Asker
from bot.ask.draft import Draft
from bot.ask.questions import Questions
from bot.ask.respond import answering_button, respond
from bot.ask.suggestions import Choices, Suggestions
from bot.ops.tuning import Clocks
from bot.platform.interactions import Interaction, Tree
from bot.text import answers as text
from bot.text import lines as line_text
from index import HAS, Unreadable, Wish


def register(
    tree: Tree, questions: Questions, answers: Answers, suggestions: Suggestions, clocks: Clocks
) -> None:
    """Add `/find`, and have the buttons of answers answered."""

    @tree.command(description="Find pictures by what is in them")
    @app_commands.describe(
        query="What to look for, in your own words; -word for less of something",
        image="A picture to look for things like",
        from_="Only pictures that this member posted",
        in_="Only pictures of this channel, thread or category",
        after="Only pictures posted after this day, month or year",
        before="Only pictures posted before this day, month or year",
        has="Only pictures of this kind",
        sort="Which pictures come first",
        without="What the pictures should not show",
        show="Who sees the answer (everyone: only what everyone in this channel may see)",
    )
    @app_commands.rename(from_="from", in_="in")
    @app_commands.choices(
        has=[Choice(name=f"{kind}: {what}", value=kind) for kind, what in HAS.items()],
        sort=[Choice(name=name, value=value) for value, name in text.SORTS.items()],
    )
    @app_commands.guild_only()
    async def find(
        interaction: Interaction,
        query: str | None = None,
        image: discord.Attachment | None = None,
        from_: str | None = None,
        in_: str | None = None,
        after: str | None = None,
        before: str | None = None,
        has: str | None = None,
        sort: str | None = None,
        without: str | None = None,
        show: Literal["only me", "everyone"] | None = None,
    ) -> None:
        line = mentions.line(query or "")
        if image is not None:
            line = mentions.beside_a_picture(line)
        try:
            wish = await lines.read(
                line,
                lines.reader(interaction.locale),
                **{"from": from_, "in": in_, "after": after, "before": before},
                **{"has": has, "sort": sort, "without": without, "show": show},
            )
        except Unreadable as error:
            await respond(interaction, refusing(line_text.unreadable(error)), clocks)
            return
        if image is None and not wish.asks:
            links = mentions.is_only_links(query or "")
            refusal = text.ONLY_LINKS if links else text.nothing_to_look_for(wish)
            await respond(interaction, refusing(refusal), clocks)
            return

        async def work(asker: Asker) -> Draft:
            picture = None if image is None else (image.url, image.proxy_url)
            return await answers.answer(asker, wish, picture)

        await respond(interaction, work, clocks, public=wish.show == "everyone")
