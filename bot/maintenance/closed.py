"""Channels that the bot may no longer read: their pictures are erased after a week.

Discord announces no deletions there, and the messages can't be listed. So their pictures are not
shown to anyone meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import discord

from bot.maintenance.departures import Departures
from bot.ops.logs import fields
from bot.ops.tuning import DAY_S, Clocks
from bot.platform.codes import RequestFailed, is_deleted, is_refusal
from bot.platform.places import missing_permissions
from bot.platform.shards import Shards
from bot.sync.erasure import Erasure
from bot.sync.history import History
from bot.sync.writer import Writer
from index import BookkeepingReader, Group, Links

log = logging.getLogger(__name__)


class ClosedChannels:
    """Notes which groups the bot can't read, and erases them after the grace period."""

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        bookkeeping: BookkeepingReader,
        writer: Writer,
        history: History,
        erasure: Erasure,
        departures: Departures,
        shards: Shards,
        clocks: Clocks,
    ) -> None:
        self._client = client
        self._links = links
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._history = history
        self._erasure = erasure
        self._departures = departures
        self._shards = shards
        self._clocks = clocks

    async def look_at_all(self) -> None:
        """Note the groups that are closed now, and check again those that were noted before."""
        noted = await self._bookkeeping.closed_groups()
        for space in filter(self._shards.mine, await self._links.spaces()):
            if space in self._departures:
                continue
            for group in await self._links.groups(space):
                await self._look_at(space, group, noted.get((space, group.id)))

    async def _look_at(self, space: int, group: Group, since: float | None) -> None:
        guild = self._guild(space)
        if guild is None:
            return
        channel = guild.get_channel(group.parent or group.id)
        closed = channel is not None and bool(missing_permissions(channel))
        due = since is not None and since <= time.time() - self._clocks.grace_s
        if closed and since is None:
            await self.note(space, group.id)
        elif since is not None and (due or not closed):
            await self._ask(guild, group, due)
            await asyncio.sleep(self._clocks.relist_s)

    def _guild(self, space: int) -> discord.Guild | None:
        """A server whose permissions are known; None in an outage."""
        guild = self._client.get_guild(space)
        return None if guild is None or guild.unavailable else guild

    async def note(self, space: int, group: int) -> None:
        """Note that a group is closed to the bot, unless that is noted already."""
        noted = await self._bookkeeping.closed_groups()
        if self._guild(space) is None or (space, group) in noted:
            return
        await self._writer.close_group(space, group, time.time())
        days = self._clocks.grace_s / DAY_S
        log.info(fields("closed", guild=space, channel=group, erased_in_days=days))

    async def _ask(self, guild: discord.Guild, group: Group, due: bool) -> None:
        """Ask Discord about a group that was closed: it may be open again, or deleted."""
        if (guild.id, group.id) not in await self._bookkeeping.closed_groups():
            return  # it was erased with its channel
        try:
            place: Any = await self._client.fetch_channel(group.id)
            await self._history.read_page(place)
        except RequestFailed as error:
            if is_deleted(error):
                await self._erasure.erase_group(guild.id, group.id)
            elif not is_refusal(error):
                log.info(fields("closed_waits", channel=group.id, why=error))
            elif due and self._guild(guild.id) is not None:
                erased = await self._erasure.erase_closed(guild, group)
                log.info(fields("closed_erased", channel=group.id, pictures=erased))
        else:
            await self._writer.open_group(guild.id, group.id)
