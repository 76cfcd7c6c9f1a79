"""The steps by which an admin sets Magpie up: below its first message, and below `/help`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands

from bot.access.permissions import refuse_in_outage
from bot.ask.respond import answering_button
from bot.platform.interactions import Tree, all_chosen
from bot.sync.backlog import Backlog
from bot.sync.choosing import begin_to_watch, why_no_notes, why_not_watched
from bot.sync.erasure import Erasure
from bot.sync.noted import PEOPLE, Noted
from bot.sync.watched import Watched
from bot.text import privacy as privacy_text
from bot.text import welcome as text
from bot.text.pieces import fitting
from bot.welcome import panel
from bot.welcome.panel import Facts, Plan
from bot.welcome.welcome import Welcomes
from index import BookkeepingReader


def register(
    tree: Tree,
    bookkeeping: BookkeepingReader,
    watched: Watched,
    noted: Noted,
    backlog: Backlog,
    erasure: Erasure,
    welcomes: Welcomes,
    facts: Callable[[], Facts],
) -> None:
    """Have the steps answered."""

    async def choose(interaction: discord.Interaction[Any], _: re.Match[str]) -> None:
        """The first step: a private message with the others."""
        member = admin(interaction)
        days = await bookkeeping.days_kept(member.guild.id) or 0
        plan = Plan(panel.ids_in(all_chosen(interaction)), days, before=days)
        card = panel.steps(plan, member, watched, facts())
        await interaction.response.send_message(view=card, ephemeral=True)

    async def step(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        member = admin(interaction)
        plan = panel.plan_of(match, interaction.message)
        if match["control"] == "start":
            await interaction.response.defer()
            card = panel.begun(await start(member, plan))
            await interaction.edit_original_response(view=card)
            return
        plan = plan.changed(match, all_chosen(interaction))
        card = panel.steps(plan, member, watched, facts())
        await interaction.response.edit_message(view=card)

    async def start(member: discord.Member, plan: Plan) -> list[str]:
        """Do what was chosen; the lines that tell it. A start that was cut off is done again."""
        guild, begun, lines = member.guild, [], []
        channels = panel.channels_in(plan, member)
        for channel in channels:
            if (why := why_not_watched(watched, channel)) is not None:
                lines.append(why)
            else:
                await begin_to_watch(watched, backlog, channel)
                begun.append(channel)
        lines.insert(0, text.watched_now(begun) if begun else text.nothing_begun())
        if begun:
            lines.append(text.what_happens())
        days = await bookkeeping.days_kept(guild.id) or 0
        if plan.days not in (plan.before, days):  # else what another admin decided since stands
            await erasure.keep_for(guild.id, days := plan.days)
        lines.append(privacy_text.retention(days))
        if plan.notes:
            lines += await write_notes([one for one in channels if watched.covers(one)])
        if watched.marks(guild.id):
            await welcomes.on_set_up(guild.id)
        return [fitting([f"- {line}" for line in lines])]

    async def write_notes(channels: list[discord.abc.GuildChannel]) -> list[str]:
        lines, on = [], []
        for channel in channels:
            if (why := why_no_notes(watched, channel)) is not None:
                lines.append(why)
            else:
                await noted.set(channel.guild.id, channel.id, PEOPLE)
                on.append(channel)
        return [*([text.notes_in(on)] if on else []), *lines]

    tree.client.add_dynamic_items(
        answering_button(panel.CHOOSE, choose), answering_button(panel.STEP, step)
    )


def admin(interaction: discord.Interaction[Any]) -> discord.Member:
    """Who clicked, if they may set Magpie up.

    raises   app_commands.MissingPermissions; Refusal during an outage of the server
    """
    member = interaction.user
    if not isinstance(member, discord.Member) or not interaction.permissions.manage_guild:
        raise app_commands.MissingPermissions(["manage_guild"])
    refuse_in_outage(member.guild)
    return member
