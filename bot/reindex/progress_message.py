"""The message that shows how far a reindex is: its words, who may see its figures, its edits.

It is an ordinary message, since an interaction's token lives for 15 minutes only. Where the bot
may not post, the command's private answer shows the progress for as long as it can.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.access import permissions
from bot.commands.channels import readable_there
from bot.commands.reindex import buttons
from bot.ops.logs import fields
from bot.sync.history import Place
from bot.sync.ingest import Trouble
from bot.sync.watched import group_of
from bot.text import replies
from index import Group

if TYPE_CHECKING:
    from bot.app import Interaction, Magpie
    from bot.reindex.run import Run, State

log = logging.getLogger(__name__)

SHOW_EVERY_S = 5.0  # the progress message is edited at most this often
TOKEN_S = 14 * 60.0  # an interaction's answer can be edited for 15 minutes
EDITED_TOO_OFTEN = 30046  # Discord's code for a message older than an hour


class ProgressMessage:
    """Shows how far one run is, where it was last asked for."""

    def __init__(self, client: Magpie, run: Run) -> None:
        self._client = client
        self._run = run
        self.message = run.state.message  # channel and id
        self._shown_at = 0.0
        self._shown = ""
        self._answer: Interaction | None = None  # where progress goes if no message may
        self._asked_at = 0.0
        self._changing = asyncio.Lock()  # one after the other: each finds where the last left it

    # ---- what it says, and to whom

    async def text_for(self, member: discord.Member) -> str:
        """How far the run is, without figures for whoever may not read all that they count."""
        state = self._run.state
        counted = await self._counted(member.guild, state)
        allowed = await readable_there(self._client, member, counted)
        readable = set().union(*allowed.values())
        return self._text(state, counted, readable, replies.FIGURES_CLOSED)

    async def _text_here(self) -> str:
        """The same for who sees it where it is shown."""
        if self.message:
            return await self._text_in(self.message[0])
        asker = self._answer.user if self._answer else None
        if isinstance(asker, discord.Member):
            return await self.text_for(asker)
        return self._without_figures(self._run.state, replies.FIGURES_CLOSED)

    async def _text_in(self, channel_id: int) -> str:
        """The same for everyone who can view this channel."""
        state = self._run.state
        guild = self._client.get_guild(self._run.space)
        here = guild.get_channel_or_thread(channel_id) if guild else None
        if guild is None or here is None:
            return self._without_figures(state, replies.FIGURES_IN_STATUS)
        counted = await self._counted(guild, state)
        shared = permissions.shared_with_everyone_here(guild, here, counted)
        return self._text(state, counted, shared, replies.FIGURES_IN_STATUS)

    def _text(self, state: State, counted: list[Group], readable: set[int], closed: str) -> str:
        """The same for who may read these groups.

        state    as it was when `counted` was looked up: by now there may be figures of more
        closed   why there are no figures where that does not suffice
        """
        if state.groups is None and (state.messages or state.removed):
            return self._without_figures(state, replies.FIGURES_LATER)
        if not {group.id for group in counted} <= readable:
            return self._without_figures(state, closed)
        return replies.reindexing(self._run.status, state)

    def _without_figures(self, state: State, why: str) -> str:
        return replies.reindexing_without_figures(self._run.status, state, why)

    async def _counted(self, guild: discord.Guild, state: State) -> list[Group]:
        """What is read, without what has been deleted since."""
        known = {group.id: group for group in await self._client.gallery.groups(self._run.space)}
        for id, _ in state.groups or ():
            place = guild.get_channel_or_thread(id)
            if isinstance(place, Place):
                known[id] = group_of(place)
        return [known[id] for id, _ in state.groups or () if id in known]

    # ---- where it is, and its edits

    async def show_here(self, interaction: Interaction) -> str | None:
        """Show the progress in the channel of a command; the answer to the command.

        Where the bot may not post, the private answer itself shows the progress.
        """
        async with self._changing:
            return await self._moved_here(interaction)

    async def _moved_here(self, interaction: Interaction) -> str | None:
        self._answer, self._asked_at = interaction, time.monotonic()
        earlier, channel = self.message, interaction.channel
        assert isinstance(channel, discord.abc.Messageable)
        text = await self._text_in(channel.id)
        try:
            message = await self._post(channel, text)
        except discord.HTTPException as error:
            log.warning(fields("progress_unposted", job=self._run.id, why=error))
            await self._moved_to(None)
            await self._show()
            return None
        await self._moved_to([message.channel.id, message.id], text)
        if earlier:
            await self._delete_message(*earlier)
        return replies.reindex_shown(message.jump_url)

    async def _moved_to(self, message: list[int] | None, shown: str = "") -> None:
        """Have this kept with the job: by the next page where one is to come, else at once."""
        self.message, self._shown = message, shown
        if self._run.idle or self._run.status != "running":
            await self._run.save()

    async def _post(self, channel: discord.abc.Messageable, text: str) -> discord.Message:
        view = self._buttons()
        return await (channel.send(text, view=view) if view else channel.send(text))

    async def _delete_message(self, channel_id: int, message_id: int) -> None:
        channel = self._client.get_partial_messageable(channel_id, guild_id=self._run.space)
        try:
            await channel.get_partial_message(message_id).delete()
        except Trouble as error:
            log.info(fields("progress_left_behind", job=self._run.id, why=error))

    async def show(self, *, at_once: bool = False) -> None:
        """Bring the progress message up to date.

        at_once   wait for whoever is changing it, so that the last word is shown; otherwise it
                  is left for the next time, and a job's pages wait for nobody
        """
        fresh = time.monotonic() - self._shown_at < SHOW_EVERY_S
        if at_once or not (fresh or self._changing.locked()):
            async with self._changing:
                await self._show()

    async def _show(self) -> None:
        self._shown_at = time.monotonic()  # also if it says the same: who may read it takes a while
        text = await self._text_here()
        if text == self._shown:
            return
        self._shown = text
        try:
            await (self._edit_message(text) if self.message else self._edit_answer(text))
        except Trouble as error:
            log.warning(fields("progress_unshown", job=self._run.id, why=error))

    async def _edit_message(self, text: str) -> None:
        assert self.message is not None
        channel_id, message_id = self.message
        channel = self._client.get_partial_messageable(channel_id, guild_id=self._run.space)
        message = channel.get_partial_message(message_id)
        try:
            await message.edit(content=text, view=self._buttons())
        except (discord.NotFound, discord.Forbidden):  # deleted, or closed to the bot meanwhile
            await self._moved_to(None)
            await self._show()  # in the private answer, with what the asker may know
        except discord.HTTPException as error:
            if error.code != EDITED_TOO_OFTEN:
                raise
            fresh = await self._post(channel, text)
            await self._moved_to([channel_id, fresh.id], text)
            await self._delete_message(channel_id, message_id)

    async def _edit_answer(self, text: str) -> None:
        """The private answer, while its token lives; after that `/status` tells."""
        if self._answer is not None and time.monotonic() - self._asked_at < TOKEN_S:
            await self._answer.edit_original_response(content=text, view=self._buttons())

    def _buttons(self) -> ui.View | None:
        return buttons(self._run.id, self._run.status) if self._run.active else None
