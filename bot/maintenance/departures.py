"""Servers that the bot was removed from: they are erased after a week, unless it comes back."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from bot.ops.logs import fields
from bot.ops.tuning import DAY_S, Clocks
from bot.platform.shards import Shards
from bot.reindex.jobs import Jobs
from bot.sync.erasure import Erasure
from bot.sync.writer import Writer
from index import BookkeepingReader

log = logging.getLogger(__name__)


class Departures:
    """The servers that the bot was removed from, kept in the gallery and held in memory.

    left   is called when it was removed from a server
    """

    def __init__(
        self,
        bookkeeping: BookkeepingReader,
        writer: Writer,
        erasure: Erasure,
        jobs: Jobs,
        shards: Shards,
        clocks: Clocks,
        *,
        left: Callable[[int], Awaitable[None]],
    ) -> None:
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._erasure = erasure
        self._jobs = jobs
        self._shards = shards
        self._clocks = clocks
        self._left = left
        self._departed: set[int] = set()

    async def load(self) -> None:
        departed = await self._bookkeeping.departed()
        self._departed = set(filter(self._shards.mine, departed))

    def __contains__(self, guild_id: int) -> bool:
        return guild_id in self._departed

    async def leave(self, guild_id: int) -> None:
        """Stop all work for a server; its pictures are erased after the grace period."""
        self._erasure.release_guild(guild_id)
        await self._jobs.drop(guild_id)
        await self._left(guild_id)
        self._departed.add(guild_id)
        await self._writer.depart(guild_id, time.time())
        if guild_id not in self._departed:  # it came back while the file could not be written
            await self._writer.come_back(guild_id)
            return
        days = self._clocks.grace_s / DAY_S
        log.info(fields("guild_left", guild=guild_id, erased_in_days=days))
        await self.erase_due()
        # It may have been the last server for which a change of models waited.
        await self._jobs.switch_if_done()

    async def come_back(self, guild_id: int) -> None:
        if guild_id in self._departed:
            self._departed.discard(guild_id)
            await self._writer.come_back(guild_id)
            await self._jobs.resume()  # a change of models reads this server, too

    async def erase_due(self) -> None:
        """Erase the servers whose grace period is over."""
        for space, since in (await self._bookkeeping.departed()).items():
            if self._shards.mine(space) and since <= time.time() - self._clocks.grace_s:
                await self._jobs.erase_guild(space)
                self._departed.discard(space)
