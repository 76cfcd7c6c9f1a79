"""Answers to interactions: Discord gets one in time, whatever happens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import ui

from bot.ask import asker as askers
from bot.ask.asker import Asker
from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.platform.codes import UNKNOWN_INTERACTION
from bot.platform.interactions import NO_MENTIONS
from bot.text.errors import sentence

log = logging.getLogger(__name__)

Work = Callable[[Asker], Awaitable[ui.LayoutView]]


async def respond(
    interaction: discord.Interaction[Any], work: Work, clocks: Clocks, *, public: bool = False
) -> None:
    """Answer with the result of `work` or why it failed; acknowledge first if it takes long."""
    working = asyncio.create_task(_result_of(interaction, work, public))
    try:
        await asyncio.wait({working}, timeout=clocks.acknowledge_s)
        if not working.done():
            await interaction.response.defer(ephemeral=not public, thinking=True)
        await _send(interaction, await working, public)
    except discord.NotFound as error:
        if error.code != UNKNOWN_INTERACTION:
            raise
        # The interaction came late. Discord has already told the asker that the app didn't respond.
        log.warning(fields("asked_too_long_ago", guild=interaction.guild_id))
    finally:
        working.cancel()


async def _result_of(
    interaction: discord.Interaction[Any], work: Work, public: bool
) -> ui.LayoutView | str:
    """The result of the work, or the sentence that says why it failed."""
    try:
        return await work(askers.of_interaction(interaction, public=public))
    except Exception as error:
        return sentence(error)


async def _send(
    interaction: discord.Interaction[Any], answer: ui.LayoutView | str, public: bool
) -> None:
    """Send the answer, or put it in place of the acknowledgement."""
    what: Any = {"content": answer} if isinstance(answer, str) else {"view": answer}
    if interaction.response.is_done():
        await interaction.edit_original_response(**what, allowed_mentions=NO_MENTIONS)
    else:
        await interaction.response.send_message(
            **what, ephemeral=not public, allowed_mentions=NO_MENTIONS
        )


async def explain(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the asker, privately, what went wrong."""
    what = sentence(error)
    deferred = discord.InteractionResponseType.deferred_channel_message
    try:
        if interaction.response.type is deferred:
            await interaction.edit_original_response(content=what)
        elif interaction.response.is_done():
            await interaction.followup.send(what, ephemeral=True)
        else:
            await interaction.response.send_message(what, ephemeral=True)
    except discord.HTTPException as refusal:
        log.warning(fields("answer_undelivered", sentence=what, reason=refusal))
