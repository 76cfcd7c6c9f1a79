"""Answers to interactions: Discord gets one in time, whatever happens."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import ui

from bot.ask import asker as askers
from bot.ask.asker import Asker
from bot.ask.draft import Draft
from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.platform.codes import ALREADY_ACKNOWLEDGED, UNKNOWN_INTERACTION, RequestFailed
from bot.platform.interactions import NO_MENTIONS, dynamic_button
from bot.platform.refusal import Refusal
from bot.text.errors import sentence

log = logging.getLogger(__name__)

Work = Callable[[Asker], Awaitable[Draft]]


async def respond(
    interaction: discord.Interaction[Any], work: Work, clocks: Clocks, *, public: bool = False
) -> None:
    """Answer with the result of `work` or why it failed; acknowledge first if it takes long."""
    working = asyncio.create_task(_result_of(interaction, work, public))
    try:
        await asyncio.wait({working}, timeout=clocks.acknowledge_s)
        if not working.done():
            await _acknowledge(interaction, public)
        await _answer(interaction, await working, public)
    except discord.NotFound as error:
        if error.code != UNKNOWN_INTERACTION:
            raise
        # The interaction came late. Discord has already told the asker that the app didn't respond.
        log.warning(fields("asked_too_long_ago", guild=interaction.guild_id))
    finally:
        working.cancel()


async def _result_of(
    interaction: discord.Interaction[Any], work: Work, public: bool
) -> Draft | str:
    """The result of the work, or the sentence that says why it failed."""
    try:
        return await work(askers.of_interaction(interaction, public=public))
    except Exception as error:
        return sentence(error)


async def _acknowledge(interaction: discord.Interaction[Any], public: bool) -> None:
    """Say that the answer is on its way. Where that fails, the answer itself may still arrive."""
    try:
        await interaction.response.defer(ephemeral=not public, thinking=True)
    except RequestFailed as error:
        if getattr(error, "code", None) == UNKNOWN_INTERACTION:
            raise
        log.warning(fields("unacknowledged", guild=interaction.guild_id, reason=repr(error)))


async def _answer(interaction: discord.Interaction[Any], answer: Draft | str, public: bool) -> None:
    """Send the answer, with what its readers may see at that moment."""
    if isinstance(answer, Draft):
        try:
            await answer.deliver(lambda view: _send(interaction, public, view=view))
            return
        except Refusal as refusal:
            answer = str(refusal)
    # What went wrong is for the asker alone, unless a public answer was announced.
    await _send(interaction, public=False, content=answer)


async def _send(interaction: discord.Interaction[Any], public: bool, **what: Any) -> None:
    """Send the answer, or put it in place of the acknowledgement."""
    if not interaction.response.is_done():
        try:
            await interaction.response.send_message(
                **what, ephemeral=not public, allowed_mentions=NO_MENTIONS
            )
            return
        except discord.HTTPException as error:  # Discord has got an attempt that seemed to fail
            if error.code != ALREADY_ACKNOWLEDGED:
                raise
    await interaction.edit_original_response(**what, allowed_mentions=NO_MENTIONS)


async def explain(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the asker, privately, what went wrong."""
    if interaction.client.is_closed():  # the end of the bot is what went wrong
        log.info(fields("unanswered_at_the_end", guild=interaction.guild_id))
        return
    what, response = sentence(error), interaction.response
    waiting = response.type is discord.InteractionResponseType.deferred_channel_message
    try:
        if response.is_done() and not waiting:
            await interaction.followup.send(what, ephemeral=True)
        else:
            await _send(interaction, public=False, content=what)
    except RequestFailed as refusal:
        log.warning(fields("answer_undelivered", sentence=what, reason=repr(refusal)))


def answering_button(
    template: str, clicked: Callable[[discord.Interaction[Any], re.Match[str]], Awaitable[None]]
) -> type[ui.DynamicItem[ui.Button[Any]]]:
    """A `dynamic_button` that explains errors to the member; discord.py would only log them."""

    async def answered(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        try:
            await clicked(interaction, match)
        except Exception as error:
            await explain(interaction, error)

    return dynamic_button(template, answered)
