"""The message that shows the progress of a reindex: its text, who may see its figures, its edits.

It is an ordinary message, since an interaction's token lives for 15 minutes only. Where the bot
may not post, the command's private answer shows the progress for as long as it can.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import discord
from discord import ui

from bot.access import permissions
from bot.access.counts import readable_there
from bot.languages.speech import ENGLISH, speaking
from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.platform.codes import EDITED_TOO_OFTEN, RequestFailed
from bot.platform.interactions import Interaction, button, view_of
from bot.platform.links import message_link
from bot.platform.unreadable import readable
from bot.reindex.state import JobState
from bot.text import reindex as text
from index import Group, Job

log = logging.getLogger(__name__)

ACTIVE = ("running", "paused")
TOKEN_S = 14 * 60.0  # an interaction's answer can be edited for 15 minutes


class ProgressMessage:
    """Shows the progress of one job, in the channel where it was last asked for.

    place     channel and id of the message; None where there is none
    status_and_state  the job's status and state at this moment
    moved     is called when the message is in another place
    """

    def __init__(
        self,
        client: discord.Client,
        clocks: Clocks,
        job: Job,
        place: list[int] | None,
        status_and_state: Callable[[], tuple[str, JobState]],
        moved: Callable[[], Awaitable[None]],
    ) -> None:
        self._client = client
        self._clocks = clocks
        self._job = job.id
        self._space = job.space
        self.place = place
        self._status_and_state = status_and_state
        self._moved = moved
        self._shown_at = 0.0
        self._shown = ""
        self._answer: Interaction | None = None  # shows the progress where no message can
        self._asked_at = 0.0
        # Changes wait for one another, so that each knows where the message is.
        self._changing = asyncio.Lock()

    # ---- what it says, and to whom

    def names_nothing_hidden_from(self, member: discord.Member) -> bool:
        """Whether the member may know of the channel that the job is limited to, if it is."""
        _, state = self._status_and_state()
        scope = state.channel
        return scope is None or permissions.sees(member, member.guild.get_channel(scope))

    async def text_for(self, member: discord.Member) -> str:
        """The progress; without figures if the member may not read everything that they count, and
        without the name of a channel that they can't view."""
        status, state = self._status_and_state()
        counted = state.counted
        allowed = await readable_there(self._client, member, counted)
        open_ = set().union(*allowed.values())
        named = self.names_nothing_hidden_from(member)
        return self._text(status, state, counted, open_, text.figures_closed(), named=named)

    async def _text_here(self) -> str:
        """The same for those who can see the message, or the private answer."""
        if self.place:
            return self._text_in(self.place[0])
        return await self._text_for_asker()

    async def _text_for_asker(self) -> str:
        """The same for the one who typed the command, by the roles they have now."""
        guild = self._client.get_guild(self._space)
        with speaking(self._of_asker):
            if self._answer is not None and guild is not None:
                try:
                    member = await readable(guild.fetch_member(self._answer.user.id))
                    return await self.text_for(member)
                except RequestFailed as error:
                    log.warning(fields("asker_unread", job=self._job, why=error))
            return text.reindexing_without_figures(
                *self._status_and_state(), text.figures_closed(), named=False
            )

    def _text_in(self, channel_id: int) -> str:
        """The same for everyone who can view this channel."""
        with speaking(self._of_server):
            return self._text_for_all_in(channel_id)

    def _text_for_all_in(self, channel_id: int) -> str:
        status, state = self._status_and_state()
        guild = self._client.get_guild(self._space)
        here = guild.get_channel_or_thread(channel_id) if guild else None
        # During an outage Discord announces no changes, so nobody knows who may see what.
        if guild is None or guild.unavailable or here is None:
            return text.reindexing_without_figures(
                status, state, text.figures_in_status(), named=False
            )
        counted = state.counted
        shared = permissions.shared_with_everyone_here(guild, here, counted)
        scope = guild.get_channel(state.channel or 0)
        named = permissions.seen_by_everyone_here(guild, here, scope)
        return self._text(status, state, counted, shared, text.figures_in_status(), named=named)

    def _text(
        self,
        status: str,
        state: JobState,
        counted: list[Group],
        open_: set[int],
        closed: str,
        *,
        named: bool,
    ) -> str:
        """The same for members who may read these groups.

        state    the one that has `counted`; by now the job may count more groups
        closed   the sentence to show if they may not read all that is counted
        named    whether they may view the channel that the job is limited to
        """
        if state.groups is None and (state.messages or state.removed):
            return text.reindexing_without_figures(status, state, text.figures_later(), named=named)
        if not {group.id for group in counted} <= open_:
            return text.reindexing_without_figures(status, state, closed, named=named)
        return text.reindexing(status, state, named=named)

    # ---- where it is, and its edits

    async def show_here(self, interaction: Interaction) -> None:
        """Show the progress in the channel of a command, and answer the command.

        Where the bot may not post, the private answer itself shows the progress.
        """
        async with self._changing:
            await self._show_here(interaction)

    async def _show_here(self, interaction: Interaction) -> None:
        self._answer, self._asked_at = interaction, time.monotonic()
        earlier, channel = self.place, interaction.channel
        assert isinstance(channel, discord.abc.Messageable)
        content = self._text_in(channel.id)
        try:
            message = await self._post(channel, content)
        except RequestFailed as error:
            log.warning(fields("progress_unposted", job=self._job, why=error))
            await self._move_to(None)
            await self._show()
            return
        await self._move_to([message.channel.id, message.id], content)
        if earlier:
            await self._delete_message(*earlier)
        shown = text.reindex_shown(message.jump_url, stoppable=self._stoppable)
        await interaction.edit_original_response(content=shown)

    async def _move_to(self, place: list[int] | None, shown: str = "") -> None:
        self.place, self._shown = place, shown
        await self._moved()

    async def _post(self, channel: discord.abc.Messageable, content: str) -> discord.Message:
        view = self._buttons(self._of_server)
        return await (channel.send(content, view=view) if view else channel.send(content))

    async def _delete_message(self, channel_id: int, message_id: int) -> None:
        channel = self._client.get_partial_messageable(channel_id, guild_id=self._space)
        try:
            await channel.get_partial_message(message_id).delete()
        except RequestFailed as error:
            log.info(fields("progress_left_behind", job=self._job, why=error))

    async def show(self, *, at_once: bool = False) -> None:
        """Bring the progress message up to date.

        at_once   wait for a change that is under way, so that this state is shown; otherwise it
                  is left for the next time, so that the job's pages don't wait
        """
        fresh = time.monotonic() - self._shown_at < self._clocks.show_progress_s
        if at_once or not (fresh or self._changing.locked()):
            async with self._changing:
                await self._show()

    async def _show(self) -> None:
        # Also if the text turns out to be the same, since making it takes a while.
        self._shown_at = time.monotonic()
        content = await self._text_here()
        if content == self._shown:
            return
        self._shown = content
        try:
            await (self._edit_message(content) if self.place else self._edit_answer(content))
            await self._tell_the_end()
        except RequestFailed as error:
            log.warning(fields("progress_unshown", job=self._job, why=error))

    async def _tell_the_end(self) -> None:
        """Tell the one who asked how the job ended; the message may not show them its figures."""
        status, _ = self._status_and_state()
        if self.place and status not in ACTIVE and self._answer_is_valid:
            link = message_link(self._space, *self.place)
            ended = await self._text_for_asker()
            with speaking(self._of_asker):
                ended = text.reindex_ended(ended, link)
            await self._edit_answer(ended)

    async def _edit_message(self, content: str) -> None:
        assert self.place is not None
        channel_id, message_id = self.place
        channel = self._client.get_partial_messageable(channel_id, guild_id=self._space)
        message = channel.get_partial_message(message_id)
        try:
            await message.edit(content=content, view=self._buttons(self._of_server))
        except (discord.NotFound, discord.Forbidden):  # deleted, or closed to the bot meanwhile
            await self._move_to(None)
            await self._show()  # in the private answer, with what the asker may know
        except discord.HTTPException as error:
            if error.code != EDITED_TOO_OFTEN:
                raise
            fresh = await self._post(channel, content)
            await self._move_to([channel_id, fresh.id], content)
            await self._delete_message(channel_id, message_id)

    async def _edit_answer(self, content: str) -> None:
        """Edit the private answer while its token is valid; after that there is `/status`."""
        if self._answer is not None and self._answer_is_valid:
            view = self._buttons(self._of_asker)
            await self._answer.edit_original_response(content=content, view=view)

    @property
    def _answer_is_valid(self) -> bool:
        return self._answer is not None and time.monotonic() - self._asked_at < TOKEN_S

    def _buttons(self, locale: discord.Locale | str) -> ui.View | None:
        """Pause or resume, and cancel; `bot.commands.reindex` answers to them."""
        status, _ = self._status_and_state()
        if not self._stoppable:
            return None
        with speaking(locale):
            label = text.pause() if status == "running" else text.resume()
            return view_of(button(f"p:{self._job}", label), button(f"c:{self._job}", text.cancel()))

    @property
    def _of_server(self) -> discord.Locale | str:
        """The language of those who see the message."""
        guild = self._client.get_guild(self._space)
        return guild.preferred_locale if guild else ENGLISH

    @property
    def _of_asker(self) -> discord.Locale | str:
        return self._answer.locale if self._answer else ENGLISH

    @property
    def _stoppable(self) -> bool:
        status, state = self._status_and_state()
        return status in ACTIVE and state.what != "model"
