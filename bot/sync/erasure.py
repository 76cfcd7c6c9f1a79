"""Erasing all that is kept of a thread, a channel or a server: pictures and cursors.

That happens after a deletion, when a channel is no longer watched or has been closed for a week,
and when the bot has left a server. Reading stops first, so that a page which is being read can't
write anything afterwards.
"""

from __future__ import annotations

import logging
import time

import discord

from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.ops.tuning import DAY_S
from bot.platform.places import Place
from bot.sync.backlog import Backlog
from bot.sync.coverage import Move
from bot.sync.left_out import LeftOut
from bot.sync.noted import Noted
from bot.sync.watched import Watched
from bot.sync.writer import Writer
from index import BookkeepingReader, Group, Links

log = logging.getLogger(__name__)


class Erasure:
    """Erases whole groups and servers, in memory and in the gallery."""

    def __init__(
        self,
        links: Links,
        bookkeeping: BookkeepingReader,
        writer: Writer,
        watched: Watched,
        backlog: Backlog,
        left_out: LeftOut,
        noted: Noted,
        metrics: Metrics,
    ) -> None:
        self._links = links
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._watched = watched
        self._backlog = backlog
        self._left_out = left_out
        self._noted = noted
        self._metrics = metrics

    async def erase_group(self, guild_id: int, group: int, *, patient: bool = True) -> int:
        """Erase a channel with its threads, or a thread; returns how many pictures were erased.

        patient  wait until the file can be written
        raises   StoreError, unless patient
        """
        backlog = self._backlog
        groups = await self._links.groups(guild_id)
        with_pictures = {one.id for one in groups if one.parent == group}
        threads = [
            reading.coverage.group
            for reading in backlog.readings(guild_id)
            if getattr(reading.place, "parent_id", None) == group
        ]
        for reading in (backlog.reading(one) for one in {group, *threads, *with_pictures}):
            if reading is not None:
                backlog.release(reading)
        removed = await self._writer.erase_group(guild_id, group, threads, patient=patient)
        # Only the gallery knew which archived threads with pictures belonged to the channel.
        backlog.load(guild_id, await self._bookkeeping.cursors(guild_id))
        if removed:
            log.info(fields("group_erased", guild=guild_id, group=group, pictures=removed))
            self._metrics.removed.inc(removed)
        return removed

    async def erase_closed(self, guild: discord.Guild, group: Group) -> int:
        """Erase a channel or thread that the bot can't read; returns how many pictures were erased.

        It stays watched: once it is open again, it is read from its beginning.

        raises   StoreError when the file can't be written now
        """
        backlog = self._backlog
        parent = backlog.reading(group.parent or 0)
        if parent is not None and parent.missing:  # list all its archived threads once it is open
            parent.coverage.complete = False
            await self._writer.commit((), [Move(parent.coverage)])
        try:
            return await self.erase_group(guild.id, group.id, patient=False)
        finally:  # read it if it was opened meanwhile
            place = guild.get_channel_or_thread(group.id)
            for one in (place, *getattr(place, "threads", ())):
                if isinstance(one, Place) and self._watched.covers(one):
                    backlog.enqueue(one)

    async def keep_for(self, guild_id: int, days: int) -> None:
        """From now on keep a server's pictures for so many days; 0: as long as their message.

        raises   StoreError when the file can't be written now
        """
        await self._writer.set_retention(guild_id, days or None)
        erased = await self.erase_older(guild_id)
        log.info(fields("retention_set", guild=guild_id, days=days, pictures=erased))

    async def erase_older(self, guild_id: int) -> int:
        """Erase the pictures that are older than the server keeps them; returns how many.

        raises   StoreError when the file can't be written now
        """
        days = await self._bookkeeping.days_kept(guild_id)
        if days is None:
            return 0
        return await self._writer.erase_older(guild_id, time.time() - days * DAY_S)

    def release_guild(self, guild_id: int) -> None:
        """Stop reading everything of a server."""
        for reading in self._backlog.readings(guild_id):
            self._backlog.release(reading)

    async def erase_guild(self, guild_id: int) -> None:
        """Erase everything of a server."""
        self.release_guild(guild_id)
        self._watched.drop_guild(guild_id)
        self._backlog.drop_guild(guild_id)
        self._left_out.drop_guild(guild_id)
        self._noted.drop_guild(guild_id)
        removed = await self._writer.erase_space(guild_id)
        log.info(fields("guild_erased", guild=guild_id, pictures=removed))
