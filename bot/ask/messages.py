"""Questions that are asked by a message: a mention, or a reply with a picture.

Everyone in the channel can read the answer, so it shows only what all of them may see. Its button
shows a member, privately, all that this member may see.
"""

from __future__ import annotations

import contextlib
import logging
import time
from functools import partial
from typing import Any

import discord

from bot.ask import asker as askers
from bot.ask import lines, mentions
from bot.ask.answers import Answers
from bot.ask.draft import Draft
from bot.ask.mentions import Mention
from bot.ask.phrases import asks_for_help, asks_whether_posted
from bot.ask.posted import PostedBefore
from bot.languages.speech import speaking
from bot.ops.logs import fields
from bot.platform.codes import RequestFailed, may_not_write, refuses_reply
from bot.platform.interactions import NO_MENTIONS
from bot.text import answers as text
from bot.text import lines as line_text
from bot.text.errors import sentence
from index import Unreadable

log = logging.getLogger(__name__)


class MessageQuestions:
    """Answers messages that ask something, and stays silent otherwise."""

    def __init__(self, client: discord.Client, answers: Answers, posted: PostedBefore) -> None:
        self._client = client
        self._answers = answers
        self._posted = posted

    async def on_message(self, message: discord.Message) -> None:
        """Answer a message that asks something."""
        came_at = time.monotonic()
        if not self._may_be_addressed(message):
            return
        if message.guild is None or message.guild.me is None:
            return
        with speaking(message.guild.preferred_locale):  # all there read the answer
            if (asked := mentions.read(message, message.guild.me)) is not None:
                await self._reply(message, asked, came_at)

    async def _reply(self, message: discord.Message, asked: Mention, came_at: float) -> None:
        if not asked.empty:
            with contextlib.suppress(*RequestFailed):
                await message.channel.typing()  # only shows that the bot is working
        try:
            draft = await self._answer(message, asked, came_at)
            await draft.deliver(lambda view: _send(message, view=view))
        except Exception as error:
            if self._client.is_closed():  # the end of the bot is what went wrong
                log.info(fields("unanswered_at_the_end", message=message.id))
                return
            await _explain(message, error)

    def _may_be_addressed(self, message: discord.Message) -> bool:
        """Whether a message may ask something: it mentions the bot or a role, or replies to it.

        This check is cheap, since it sees every message; `mentions` decides.
        """
        me = self._client.user
        if me is None or message.author.bot:
            return False
        if me.id in message.raw_mentions or message.raw_role_mentions:
            return True
        replied = message.reference.resolved if message.reference else None
        return isinstance(replied, discord.Message) and replied.author.id == me.id

    async def _answer(self, message: discord.Message, asked: Mention, came_at: float) -> Draft:
        asker = await askers.of_message(message, came_at)
        if asks_whether_posted(message.content):
            return await self._posted.of_message(asker, asked.pictured)
        if asked.empty or (asked.pictured is None and asks_for_help(asked.line)):
            self._answers.refuse(asker, text.only_links if asked.link_only else text.how_to_ask)
        try:
            locale = asker.guild.preferred_locale
            wish = await lines.read(asked.line, lines.reader(locale))
        except Unreadable as error:
            self._answers.refuse(asker, partial(line_text.unreadable, error))
        if wish.show == "me":
            self._answers.refuse(asker, line_text.not_privately)
        if asked.pictured is not None:
            return await self._answers.like_message(asker, asked.pictured, wish)
        return await self._answers.answer(asker, wish)


async def _send(message: discord.Message, **what: Any) -> None:
    """Post an answer to the message: a reply; where Discord refuses that, a message of its own."""
    how: dict[str, Any] = {**what, "mention_author": False, "allowed_mentions": NO_MENTIONS}
    try:
        reference = message.to_reference(fail_if_not_exists=False)
        await message.channel.send(**how, reference=reference)
    except discord.HTTPException as error:
        if not refuses_reply(error):
            raise
        await message.channel.send(**how)


async def _explain(message: discord.Message, error: Exception) -> None:
    """Say in the channel what went wrong, if the bot may write there."""
    if may_not_write(error):
        log.warning(fields("answer_forbidden", message=message.id, reason=error))
        return
    try:
        await _send(message, content=sentence(error))
    except RequestFailed as refusal:
        log.warning(fields("answer_undelivered", message=message.id, reason=repr(refusal)))
