"""`/help`: how one asks, with examples made from pictures that the asker can see here."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import discord
from discord import app_commands, ui

from bot.ask import layout, lines
from bot.ask.answers import Answers
from bot.ask.asker import Asker
from bot.ask.draft import Draft
from bot.ask.examples import Example, Examples
from bot.ask.respond import answering_button, respond
from bot.languages.speech import marked
from bot.ops.tuning import Clocks
from bot.platform.interactions import Interaction, Tree, button
from bot.sync.watched import Watched
from bot.text import answers as answer_text
from bot.text import help as text
from bot.text import lines as line_text
from bot.welcome import panel
from index import Unreadable

# The button that asks an example. It holds the whole question.
TRY = r"try:(?P<line>.+)"
# The button of a message for all, which shows examples to whoever clicks.
SHOW = "examples"


def register(
    tree: Tree, examples: Examples, answers: Answers, watched: Watched, clocks: Clocks
) -> None:
    """Add `/help`, and have the buttons with examples answered."""

    async def work(asker: Asker) -> Draft:
        marks = watched.marks(asker.guild.id)
        return await examples.asked_for(asker, partial(_card, asker, bool(marks)))

    @tree.command(
        name=marked("help"), description=marked("How to ask, with examples from this server")
    )
    @app_commands.guild_only()
    async def help_(interaction: Interaction) -> None:
        await respond(interaction, work, clocks)

    async def show(interaction: discord.Interaction[Any], _: re.Match[str]) -> None:
        await respond(interaction, work, clocks)

    async def ask(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        async def answer(asker: Asker) -> Draft:
            try:
                wish = await lines.read(match["line"], lines.reader(interaction.locale))
            except Unreadable as error:
                answers.refuse(asker, partial(line_text.unreadable, error))
            return await answers.answer(asker, wish)

        await respond(interaction, answer, clocks)

    tree.client.add_dynamic_items(answering_button(SHOW, show), answering_button(TRY, ask))


def _card(asker: Asker, any_watched: bool, examples: list[Example]) -> layout.Card:
    admin = asker.member.guild_permissions.manage_guild
    parts: list[layout.Control] = [ui.TextDisplay(text.ways())]
    if examples:
        parts.append(ui.TextDisplay(text.examples([one.line for one in examples])))
        tries = [button(f"try:{one.line}", one.line) for one in examples]
        parts.append(ui.ActionRow(*tries))
    elif any_watched:
        parts.append(ui.TextDisplay(text.no_examples()))
    else:
        parts.append(ui.TextDisplay(answer_text.no_channels(admin)))
    if admin:
        parts.append(ui.TextDisplay(text.for_admins()))
    if admin and not any_watched:
        parts.append(ui.ActionRow(panel.channels_to_choose()))
    return layout.card(f"### {text.heading()}", *parts)
