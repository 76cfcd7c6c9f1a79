"""The buttons, menus and forms of answers of any kind.

The asker is the member who clicks: their own permissions count, at that moment, and only they see
the answer. It takes the place of an answer that only they see, too.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import discord
from discord import ui

from bot.ask import buttons, lines, mentions
from bot.ask.answers import Answers
from bot.ask.asker import Asker, of_interaction
from bot.ask.draft import Draft
from bot.ask.respond import answering_button, respond
from bot.languages.speech import speak
from bot.ops.tuning import Clocks
from bot.platform.interactions import Tree, chosen, field, is_private
from bot.text import lines as line_text
from index import Unreadable


def register(tree: Tree, answers: Answers, clocks: Clocks) -> None:
    """Have the controls of answers answered."""

    def control(
        template: str,
        answer: Callable[[Asker, re.Match[str], str], Awaitable[Draft]],
        *,
        anew: bool = False,
    ) -> type[ui.DynamicItem[ui.Item[Any]]]:
        """A control whose custom_id fits `template`.

        answer   of the match and, for a menu, what was chosen
        anew     it asks another question, so the answer before stays
        """

        async def used(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
            async def work(asker: Asker) -> Draft:
                return await answer(asker, match, chosen(interaction))

            in_place = is_private(interaction) and not anew
            await respond(interaction, work, clocks, in_place=in_place)

        return answering_button(template, used)

    async def page(asker: Asker, match: re.Match[str], _: str) -> Draft:
        return await answers.page(asker, buttons.page_of(match))

    async def before(asker: Asker, match: re.Match[str], _: str) -> Draft:
        return await answers.before(asker, buttons.page_of(match))

    async def menu(asker: Asker, match: re.Match[str], choice: str) -> Draft:
        page = buttons.page_of(match)
        if (sort := buttons.order_in(choice)) is not None:
            return await answers.sort(asker, page, sort)
        return await answers.look(asker, page, buttons.link_in(choice))

    async def places(asker: Asker, match: re.Match[str], _: str) -> Draft:
        return await answers.places(asker, buttons.page_of(match), int(match["link"]))

    async def steer(asker: Asker, match: re.Match[str], _: str) -> Draft:
        to = buttons.steering_of(match)
        return await answers.steer(asker, match["search"], to, int(match["link"]))

    async def undo(asker: Asker, match: re.Match[str], _: str) -> Draft:
        return await answers.undo(asker, match["search"], buttons.steering_of(match))

    async def similar(asker: Asker, match: re.Match[str], _: str) -> Draft:
        return await answers.similar(asker, int(match["link"]))

    async def instead(asker: Asker, match: re.Match[str], _: str) -> Draft:
        return await answers.instead(asker, match["search"], int(match["n"]))

    async def narrow(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        line = await answers.line(of_interaction(interaction, public=False), match["search"])
        await interaction.response.send_modal(buttons.form(match["search"], line))

    tree.client.add_dynamic_items(
        control(buttons.PAGE, page),
        control(buttons.BEFORE, before),
        control(buttons.MENU, menu),
        control(buttons.PLACES, places),
        control(buttons.STEER, steer),
        control(buttons.UNDO, undo),
        control(buttons.SIMILAR, similar, anew=True),
        control(buttons.INSTEAD, instead),
        answering_button(buttons.NARROW, narrow),
    )


async def filled_in(
    interaction: discord.Interaction[Any], answers: Answers, clocks: Clocks
) -> None:
    """Answer a form that was opened below an answer, also after a restart."""
    speak(interaction.locale)
    data: Any = interaction.data or {}
    match = re.fullmatch(buttons.NARROW, str(data.get("custom_id")))
    if match is None:
        return
    line = mentions.line(field(interaction, buttons.LINE))

    async def work(asker: Asker) -> Draft:
        try:
            wish = await lines.read(line, lines.reader(interaction.locale))
        except Unreadable as error:
            answers.refuse(asker, partial(line_text.unreadable, error))
        return await answers.narrow(asker, match["search"], wish)

    await respond(interaction, work, clocks, in_place=is_private(interaction))
