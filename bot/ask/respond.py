"""Answers to interactions: Discord gets one in time, whatever happens."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import discord
from discord import ui

from bot.ask import asker as askers
from bot.ask.asker import Asker
from bot.ask.layout import Card
from bot.languages.speech import speak, speaking
from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.platform.codes import ALREADY_ACKNOWLEDGED, UNKNOWN_INTERACTION, RequestFailed
from bot.platform.interactions import NO_MENTIONS, dynamic_item
from bot.platform.refusal import Refusal
from bot.text.errors import sentence

log = logging.getLogger(__name__)

T = TypeVar("T")


class Deliverable(Protocol):
    """An answer that is laid out when it is sent, as `draft.Draft`."""

    async def deliver(self, send: Callable[[Card], Awaitable[T]]) -> T:
        """Send it. raises Refusal"""


Work = Callable[[Asker], Awaitable[Deliverable]]


class Meanwhile:
    """What an asker is told while they wait. Only the newest sentence counts."""

    def __init__(self) -> None:
        self._sentence: Callable[[], str] | None = None
        self._news = asyncio.Event()

    def tell(self, sentence: Callable[[], str]) -> None:
        """Have it told as soon as the question is acknowledged.

        sentence   is called when it is told, and speaks the language of the answer
        """
        self._sentence = sentence
        self._news.set()

    async def newest(self) -> Callable[[], str]:
        """The newest sentence, once there is one that wasn't told."""
        await self._news.wait()
        self._news.clear()
        assert self._sentence is not None
        return self._sentence


async def respond(
    interaction: discord.Interaction[Any],
    work: Work,
    clocks: Clocks,
    *,
    public: bool = False,
    in_place: bool = False,
    meanwhile: Meanwhile | None = None,
) -> None:
    """Answer with the result of `work` or why it failed; acknowledge first if it takes long.

    A public answer is made and laid out in the language of the server. Why it failed is said in
    that of the asker, if nobody else sees it.

    in_place   put the result in place of the message whose button was clicked. Why it failed is
               said in a message of its own, so that what was there stays
    meanwhile  what the asker is told while they wait for a new message
    """
    reply = _Change(interaction) if in_place else _Reply(interaction, public)
    working = asyncio.create_task(_result_of(interaction, work, reply, public))
    try:
        await asyncio.wait({working}, timeout=clocks.acknowledge_s)
        if not working.done():
            await _acknowledge(interaction, reply)
            if meanwhile is not None and isinstance(reply, _Reply):
                await _tell(reply, meanwhile, working)
        await _answer(reply, await working)
    except discord.NotFound as error:
        if error.code != UNKNOWN_INTERACTION:
            raise
        # The interaction came late. Discord has already told the asker that the app didn't respond.
        log.warning(fields("asked_too_long_ago", guild=interaction.guild_id))
    finally:
        working.cancel()


async def _result_of(
    interaction: discord.Interaction[Any], work: Work, reply: _Reply | _Change, public: bool
) -> Deliverable | Exception:
    """The result of the work, or why it failed."""
    with speaking(reply.locale):
        try:
            return await work(askers.of_interaction(interaction, public=public))
        except Exception as error:
            return error


class _Reply:
    """The answer is a new message, which takes the place of the acknowledgement."""

    def __init__(self, interaction: discord.Interaction[Any], public: bool) -> None:
        self._interaction = interaction
        self._private = not public
        self.locale = _of_server(interaction) if public else interaction.locale

    async def acknowledge(self) -> None:
        await self._interaction.response.defer(ephemeral=self._private, thinking=True)

    async def show(self, card: Card) -> None:
        asked = self._interaction
        what: dict[str, Any] = {"view": card, "allowed_mentions": NO_MENTIONS}
        await _respond(
            asked,
            lambda: asked.response.send_message(**what, files=card.files, ephemeral=self._private),
            # In place of what was told meanwhile: a card has no other text.
            lambda: asked.edit_original_response(**what, content=None, attachments=card.files),
        )

    async def tell(self, said: str) -> None:
        """Say something in the place of the answer, which takes its place later."""
        await self._interaction.edit_original_response(content=said, allowed_mentions=NO_MENTIONS)

    async def say(self, error: Exception) -> None:
        """What went wrong is for the asker alone, unless a public answer was announced."""
        asked = self._interaction
        announced = not self._private and asked.response.is_done()
        with speaking(self.locale if announced else asked.locale):
            said = sentence(error)
        self._private = True
        what: dict[str, Any] = {"content": said, "allowed_mentions": NO_MENTIONS}
        await _respond(
            asked,
            lambda: asked.response.send_message(**what, ephemeral=self._private),
            lambda: asked.edit_original_response(**what),
        )


class _Change:
    """The answer takes the place of the message whose button was clicked."""

    def __init__(self, interaction: discord.Interaction[Any]) -> None:
        self._interaction = interaction
        self.locale = interaction.locale

    async def acknowledge(self) -> None:
        await self._interaction.response.defer()

    async def show(self, card: Card) -> None:
        clicked = self._interaction
        what: dict[str, Any] = {"view": card, "allowed_mentions": NO_MENTIONS}
        await _respond(
            clicked,
            lambda: clicked.response.edit_message(**what, attachments=card.files),
            lambda: clicked.edit_original_response(**what, attachments=card.files),
        )

    async def say(self, error: Exception) -> None:
        clicked, said = self._interaction, sentence(error)
        await _respond(
            clicked,
            lambda: clicked.response.send_message(said, ephemeral=True),
            lambda: clicked.followup.send(said, ephemeral=True),
        )


def _of_server(interaction: discord.Interaction[Any]) -> discord.Locale:
    """The language of the server in which a command is used."""
    return interaction.guild.preferred_locale if interaction.guild else interaction.locale


async def _respond(
    interaction: discord.Interaction[Any],
    first: Callable[[], Awaitable[object]],
    afterwards: Callable[[], Awaitable[object]],
) -> None:
    """Make the `first` response to an interaction, or what comes `afterwards` if it has one."""
    if not interaction.response.is_done():
        try:
            await first()
            return
        except discord.HTTPException as error:  # Discord has got an attempt that seemed to fail
            if error.code != ALREADY_ACKNOWLEDGED:
                raise
    await afterwards()


async def _acknowledge(interaction: discord.Interaction[Any], reply: _Reply | _Change) -> None:
    """Say that the answer is on its way. Where that fails, the answer itself may still arrive."""
    try:
        await reply.acknowledge()
    except RequestFailed as error:
        if getattr(error, "code", None) == UNKNOWN_INTERACTION:
            raise
        log.warning(fields("unacknowledged", guild=interaction.guild_id, reason=repr(error)))


async def _tell(reply: _Reply, meanwhile: Meanwhile, working: asyncio.Task[Any]) -> None:
    """Tell the asker what there is to tell, until the work is done."""
    while not working.done():
        news = asyncio.create_task(meanwhile.newest())
        try:
            await asyncio.wait({working, news}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                with speaking(reply.locale):
                    await reply.tell(news.result()())
        except RequestFailed as error:  # the answer itself may still arrive
            log.warning(fields("not_told_meanwhile", reason=repr(error)))
        finally:
            news.cancel()


async def _answer(reply: _Reply | _Change, answer: Deliverable | Exception) -> None:
    """Send the answer, with what its readers may see at that moment."""
    if not isinstance(answer, Exception):
        try:
            with speaking(reply.locale):
                await answer.deliver(reply.show)
            return
        except Refusal as refusal:
            answer = refusal
    await reply.say(answer)


async def explain(interaction: discord.Interaction[Any], error: Exception) -> None:
    """Tell the asker, privately, what went wrong."""
    if interaction.client.is_closed():  # the end of the bot is what went wrong
        log.info(fields("unanswered_at_the_end", guild=interaction.guild_id))
        return
    response = interaction.response
    waiting = response.type is discord.InteractionResponseType.deferred_channel_message
    try:
        if response.is_done() and not waiting:
            await interaction.followup.send(sentence(error), ephemeral=True)
        else:
            await _Reply(interaction, public=False).say(error)
    except RequestFailed as refusal:
        log.warning(fields("answer_undelivered", to=repr(error), reason=repr(refusal)))


def answering_button(
    template: str, clicked: Callable[[discord.Interaction[Any], re.Match[str]], Awaitable[None]]
) -> type[ui.DynamicItem[ui.Item[Any]]]:
    """A `dynamic_item` that explains errors to the member; discord.py would only log them."""

    async def answered(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        speak(interaction.locale)
        try:
            await clicked(interaction, match)
        except Exception as error:
            await explain(interaction, error)

    return dynamic_item(template, answered)
