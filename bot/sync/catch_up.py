"""Catching up: what must be read or erased after a start, a new session or a change of channels.

Between two sessions the bot may have missed messages, deleted or moved channels, and its own
removal from a server. When Discord announces a server, the pictures of channels that are no longer
watched are erased, and all other channels are looked through. Changes of channels within a session
are followed as Discord announces them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import discord
from discord.abc import GuildChannel

from bot.ops.background import Background
from bot.ops.logs import fields
from bot.platform.codes import MISSING_ACCESS, UNKNOWN_GUILD, RequestFailed, is_deleted
from bot.sync.backlog import Backlog
from bot.sync.erasure import Erasure
from bot.sync.watched import Watched
from bot.sync.writer import Writer
from index import BookkeepingReader, GalleryClosed, Links

log = logging.getLogger(__name__)


class CatchUp:
    """Follows sessions, servers and channels, and tells the backlog what is to be read.

    left   is called with the id of a server that the bot was removed from while it was offline
    """

    def __init__(
        self,
        client: discord.AutoShardedClient,
        links: Links,
        bookkeeping: BookkeepingReader,
        writer: Writer,
        watched: Watched,
        backlog: Backlog,
        erasure: Erasure,
        left: Callable[[int], Awaitable[None]],
    ) -> None:
        self._client = client
        self._links = links
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._watched = watched
        self._backlog = backlog
        self._erasure = erasure
        self._left = left
        self._present: set[int] = set()  # guilds announced since their shard connected
        self._background = Background()

    async def close(self) -> None:
        """Stop at once: the next start looks again."""
        await self._background.close()

    # ---- a session

    def on_connect(self, shard_id: int) -> None:
        """A new session began: what happened since the last one ended was missed."""
        for reading in self._backlog.readings():
            if self._shard(reading.coverage.space) == shard_id:
                reading.coverage.fall_behind()
        self._present = {guild for guild in self._present if self._shard(guild) != shard_id}

    def on_available(self, guild: discord.Guild) -> None:
        """Catch up with a guild, whose channels are known now."""
        self._present.add(guild.id)
        self._backlog.listing.add(guild.id)
        self._background.begin(self._catch_up_or_log(guild), f"catch-up-{guild.id}")

    async def _catch_up_or_log(self, guild: discord.Guild) -> None:
        """An error ends the catching up with one server until it is announced again."""
        try:
            await self._catch_up(guild)
        except GalleryClosed:
            return
        except Exception:
            log.exception(fields("catch_up_failed", guild=guild.id))

    async def on_ready(self, shard_id: int) -> None:
        """Look whether the bot has left the guilds that the new session did not announce."""
        for space in await self._links.spaces():
            if self._shard(space) != shard_id or space in self._present:
                continue
            guild = self._client.get_guild(space)
            if guild is None or not guild.unavailable:  # in an outage the bot was not removed
                await self._leave_if_left(space)

    def _shard(self, guild_id: int) -> int:
        return (guild_id >> 22) % (self._client.shard_count or 1)

    async def _leave_if_left(self, guild_id: int) -> None:
        try:
            await self._client.fetch_guild(guild_id, with_counts=False)
        except RequestFailed as error:
            code = getattr(error, "code", None)
            log.warning(fields("guild_not_announced", guild=guild_id, code=code, why=error))
            if code in (UNKNOWN_GUILD, MISSING_ACCESS):
                await self._left(guild_id)

    # ---- a guild

    async def _catch_up(self, guild: discord.Guild) -> None:
        backlog = self._backlog
        try:
            backlog.load(guild.id, await self._bookkeeping.cursors(guild.id))
            await self._sweep(guild)
            if self._watched.marks(guild.id):
                backlog.catch_up_with(guild)
        finally:
            backlog.listing.discard(guild.id)

    async def _sweep(self, guild: discord.Guild) -> None:
        """Erase what is no longer watched: channels moved, deleted or removed while offline."""
        watched = self._watched
        groups = await self._links.groups(guild.id)
        for top in {group.parent or group.id for group in groups}:
            channel = guild.get_channel(top)
            if channel is not None:
                unwatched = not watched.covers(channel)
            else:
                unwatched = await self._is_deleted(top)
            if unwatched:
                await self._erasure.erase_group(guild.id, top)
        channels = {channel.id for channel in guild.channels}
        for mark in watched.marks(guild.id) - channels:
            if await self._is_deleted(mark):
                await watched.discard(guild.id, mark)

    async def _is_deleted(self, channel_id: int) -> bool:
        try:
            await self._client.fetch_channel(channel_id)
        except RequestFailed as error:
            return is_deleted(error)  # not if it is only closed, or Discord has trouble
        return False

    # ---- a channel

    async def on_channel_changed(self, channel: GuildChannel) -> None:
        """Follow a channel that was created or moved, or whose permissions changed."""
        backlog = self._backlog
        if self._watched.covers(channel):
            backlog.begin([channel])
        elif backlog.reading(channel.id) is not None:  # moved out of a watched category
            await self._erasure.erase_group(channel.guild.id, channel.id)

    async def on_thread_deleted(self, guild_id: int, thread_id: int) -> None:
        if self._watched.marks(guild_id):
            await self._erasure.erase_group(guild_id, thread_id)

    async def on_unknown_channel_deleted(self, guild_id: int, channel_id: int) -> None:
        """Follow the deletion of a channel of which only the ids are known."""
        marks = self._watched.marks(guild_id)
        self._watched.drop(guild_id, channel_id)
        if marks:
            await self._erasure.erase_group(guild_id, channel_id)
        if channel_id in marks:
            await self._writer.unwatch(guild_id, channel_id, patient=True)

    async def on_channel_deleted(self, channel: GuildChannel) -> None:
        guild, marks = channel.guild, self._watched.marks(channel.guild.id)
        self._watched.drop(guild.id, channel.id)
        if isinstance(channel, discord.CategoryChannel):  # its channels remain, without a category
            for reading in self._backlog.readings(guild.id):
                place = reading.place
                if isinstance(place, GuildChannel) and not self._watched.covers(place):
                    await self._erasure.erase_group(guild.id, place.id)
        elif marks:
            await self._erasure.erase_group(guild.id, channel.id)
        if channel.id in marks:
            await self._writer.unwatch(guild.id, channel.id, patient=True)
