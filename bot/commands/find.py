"""`/find`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import discord
from discord import app_commands
from discord.app_commands import Choice

from bot.ask import buttons, lines, mentions
from bot.ask.answers import Answers
from bot.ask.asker import Asker
from bot.ask.draft import Draft
from bot.ask.phrases import without_joining
from bot.ask.respond import respond
from bot.ask.suggestions import Choices, Suggestions
from bot.commands.options import QUESTION_NAMES, WHO_SEES_IT, picture_in
from bot.languages.speech import marked
from bot.ops.tuning import Clocks
from bot.platform.interactions import Interaction, Tree
from bot.text import answers as text
from bot.text import lines as line_text
from index import HAS, Unreadable


def register(tree: Tree, answers: Answers, suggestions: Suggestions, clocks: Clocks) -> None:
    """Add `/find`."""

    @tree.command(name=marked("find"), description=marked("Find pictures by what is in them"))
    @app_commands.describe(
        query=marked("What to look for, in your own words; -word for less of something"),
        image=marked("A picture to look for things like"),
        from_=marked("Only pictures that this member posted"),
        in_=marked("Only pictures of this channel, thread or category"),
        after=marked("Only pictures posted after this day, month or year"),
        before=marked("Only pictures posted before this day, month or year"),
        has=marked("Only pictures of this kind"),
        sort=marked("Which pictures come first"),
        without=marked("What the pictures should not show"),
        show=marked("Who sees the answer (everyone: only what everyone in this channel may see)"),
    )
    @QUESTION_NAMES
    @app_commands.rename(
        from_=marked("from"),
        in_=marked("in"),
        after=marked("after"),
        before=marked("before"),
        has=marked("has"),
        sort=marked("sort"),
        without=marked("without"),
        show=marked("show"),
    )
    @app_commands.choices(
        has=[
            Choice(name=marked("{kind}: {what}", kind=kind, what=what), value=kind)
            for kind, what in HAS.items()
        ],
        sort=[
            Choice(name=marked(text.order_label(sort)), value=sort.value) for sort in buttons.ORDERS
        ],
        show=WHO_SEES_IT,
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
        show: str | None = None,
    ) -> None:
        line = mentions.line(query or "")
        if image is not None:
            line = without_joining(line)
        options = {"from": from_, "in": in_, "after": after, "before": before, "has": has}
        options |= {"sort": sort, "without": without, "show": show}
        try:
            wish = await lines.read(line, lines.reader(interaction.locale), options)
        except Unreadable as error:
            await refuse(interaction, partial(line_text.unreadable, error))
            return
        if wish.empty and image is None:
            only_links = mentions.is_only_links(query or "")
            await refuse(interaction, text.only_links if only_links else text.ask_something)
            return
        picture = picture_in(image, interaction)

        async def work(asker: Asker) -> Draft:
            return await answers.answer(asker, wish, picture)

        await respond(interaction, work, clocks, public=wish.show == "everyone")

    async def refuse(interaction: Interaction, sentence: Callable[[], str]) -> None:
        async def work(asker: Asker) -> Draft:
            answers.refuse(asker, sentence)

        await respond(interaction, work, clocks)

    @find.autocomplete("query")
    async def complete_line(interaction: Interaction, typed: str) -> Choices:
        by = lines.reader(interaction.locale)
        return await suggestions.answer(interaction, lambda a: suggestions.line(a, typed, by))

    @find.autocomplete("from_")
    async def complete_author(interaction: Interaction, typed: str) -> Choices:
        return await suggestions.answer(interaction, lambda a: suggestions.authors(a, typed))

    @find.autocomplete("in_")
    async def complete_place(interaction: Interaction, typed: str) -> Choices:
        return await suggestions.answer(interaction, lambda a: suggestions.places(a, typed))

    @find.autocomplete("after")
    async def complete_after(interaction: Interaction, typed: str) -> Choices:
        by = lines.reader(interaction.locale)
        return await suggestions.answer(
            interaction, lambda _: suggestions.dates("after", typed, by)
        )

    @find.autocomplete("before")
    async def complete_before(interaction: Interaction, typed: str) -> Choices:
        by = lines.reader(interaction.locale)
        return await suggestions.answer(
            interaction, lambda _: suggestions.dates("before", typed, by)
        )
