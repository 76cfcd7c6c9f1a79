"""Which channels are watched: those an admin named, all in a named category, and their threads."""

from __future__ import annotations

from collections import defaultdict

import discord
from discord.abc import GuildChannel

from bot.platform.shards import Shards
from bot.sync.writer import Writer
from index import BookkeepingReader, Links


class Watched:
    """The marks of this process's guilds, kept in the gallery and held in memory.

    Whether a channel is covered depends on its category at that moment: a channel that is moved
    into a watched category is watched, and one that is moved out of it no longer is.
    """

    def __init__(
        self, links: Links, bookkeeping: BookkeepingReader, writer: Writer, shards: Shards
    ) -> None:
        self._links = links
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._shards = shards
        self._marks: defaultdict[int, set[int]] = defaultdict(set)

    async def load(self) -> None:
        for space in filter(self._shards.mine, await self._links.spaces()):
            self._marks[space] = await self._bookkeeping.watched(space)

    def guilds(self) -> list[int]:
        """Ids of the guilds with watched channels."""
        return [guild for guild, marks in self._marks.items() if marks]

    def marks(self, guild_id: int) -> frozenset[int]:
        """Ids of the channels and categories that were named."""
        return frozenset(self._marks.get(guild_id, ()))

    def covers(self, channel: object) -> bool:
        """Whether pictures posted in this channel or thread are indexed."""
        if isinstance(channel, discord.Thread):
            parent = channel.guild.get_channel(channel.parent_id)
            return parent is not None and self.covers(parent)
        if not isinstance(channel, GuildChannel):
            return False
        marks = self._marks.get(channel.guild.id, ())
        return channel.id in marks or channel.category_id in marks

    def channels(
        self, guild: discord.Guild, scope: GuildChannel | None = None
    ) -> list[GuildChannel]:
        """The covered channels of a guild that hold messages or threads, in its own order.

        scope   only this channel, or those of this category
        """
        listed = [channel for _, inside in guild.by_category() for channel in inside]
        if scope is not None:
            listed = [one for one in listed if scope.id in (one.id, one.category_id)]
        return [channel for channel in listed if self.covers(channel)]

    async def add(self, guild_id: int, channel_id: int) -> None:
        await self._writer.watch(guild_id, channel_id)
        self._marks[guild_id].add(channel_id)

    async def discard(self, guild_id: int, channel_id: int) -> None:
        await self._writer.unwatch(guild_id, channel_id)
        self.drop(guild_id, channel_id)

    def drop(self, guild_id: int, channel_id: int) -> None:
        """Drop a mark in memory; the caller drops it in the gallery."""
        self._marks[guild_id].discard(channel_id)

    def drop_guild(self, guild_id: int) -> None:
        """Drop the marks of a guild in memory; in the gallery they are erased with its space."""
        self._marks.pop(guild_id, None)
