"""In which channels a note is written below a picture that was posted before."""

from __future__ import annotations

import discord
from discord.abc import GuildChannel

from bot.sync.writer import Writer
from index import BookkeepingReader

# A picture that this many different members have posted gets no note, if no admin says otherwise:
# everybody posts it.
PEOPLE = 5


class Noted:
    """The channels and categories that admins chose, kept in the gallery and held in memory.

    As with watched channels, a category stands for those that are in it at that moment, and a
    channel for its threads.
    """

    def __init__(self, bookkeeping: BookkeepingReader, writer: Writer) -> None:
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._people: dict[tuple[int, int], int] = {}  # by server and channel

    async def load(self) -> None:
        self._people = await self._bookkeeping.noted_groups()

    def marks(self, guild_id: int) -> dict[int, int]:
        """The channels and categories that were named, each with its `people`."""
        return {
            channel: people
            for (guild, channel), people in self._people.items()
            if guild == guild_id
        }

    def people(self, channel: object) -> int | None:
        """How many members may have posted a picture that gets no note any more in this channel or
        thread; None: nothing gets a note there."""
        if isinstance(channel, discord.Thread):
            channel = channel.guild.get_channel(channel.parent_id)
        if not isinstance(channel, GuildChannel):
            return None
        guild = channel.guild.id
        own = self._people.get((guild, channel.id))
        return own or self._people.get((guild, channel.category_id or 0))

    async def set(self, guild_id: int, channel_id: int, people: int | None) -> None:
        """raises   StoreError when the file can't be written now"""
        await self._writer.set_noted(guild_id, channel_id, people)
        if people is None:
            self._people.pop((guild_id, channel_id), None)
        else:
            self._people[guild_id, channel_id] = people

    async def on_channel_deleted(self, channel: GuildChannel) -> None:
        if channel.id in self.marks(channel.guild.id):
            await self.set(channel.guild.id, channel.id, None)

    def drop_guild(self, guild_id: int) -> None:
        """Drop a guild in memory; in the gallery it is erased with its space."""
        self._people = {one: many for one, many in self._people.items() if one[0] != guild_id}


def home(channel: discord.Thread | GuildChannel) -> int:
    """The channel for which it is said what passes: a thread's channel, or the channel itself."""
    return channel.parent_id if isinstance(channel, discord.Thread) else channel.id
