"""Regular work in the background."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.maintenance.closed import ClosedChannels
from bot.maintenance.departures import Departures
from bot.maintenance.relisting import Relisting
from bot.ops import memory
from bot.ops.background import Background
from bot.ops.logs import fields
from bot.ops.tuning import DAY_S, Clocks
from bot.platform.shards import Shards
from bot.sync.erasure import Erasure
from bot.sync.writer import Writer
from bot.watches.owners import Owners
from index import BookkeepingReader, GalleryClosed, Links, StoreError

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]


class Maintenance:
    """Repeats each piece of work, some time after its last run has ended or failed."""

    def __init__(
        self,
        links: Links,
        bookkeeping: BookkeepingReader,
        writer: Writer,
        erasure: Erasure,
        departures: Departures,
        closed: ClosedChannels,
        relisting: Relisting,
        owners: Owners,
        shards: Shards,
        clocks: Clocks,
    ) -> None:
        self._links = links
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._erasure = erasure
        self._departures = departures
        self._clocks = clocks
        self._closed = closed
        self._relisting = relisting
        self._owners = owners
        self._shards = shards
        self._background = Background()

    def start(self) -> None:
        clocks = self._clocks
        works: tuple[tuple[str, Work, Callable[[], float]], ...] = (
            ("expire", self.expire_all, lambda: clocks.expire_s),
            ("closed", self._closed.look_at_all, lambda: clocks.expire_s),
            ("relist", self._relisting.relist_all, lambda: clocks.relist_s),
            ("owners", self._owners.look_at_all, lambda: clocks.expire_s),
            ("vacuum", self._vacuum, lambda: clocks.vacuum_s),
            ("trim_memory", self._trim_memory, lambda: clocks.trim_memory_s),
        )
        for name, work, every_s in works:
            self._background.begin(self._repeat(name, work, every_s), name)

    async def close(self) -> None:
        await self._background.close()

    async def _repeat(self, name: str, work: Work, every_s: Callable[[], float]) -> None:
        """Run `work` again and again.

        Not discord.py's `tasks.loop`, which sleeps until a time of day: the clock may be set back.
        """
        while True:
            await asyncio.sleep(every_s())
            try:
                await work()
            except GalleryClosed:
                return
            except StoreError as error:  # such as a full disk; the next turn tries again
                log.warning(fields("maintenance_waits", work=name, reason=error))
            except Exception:
                log.exception(fields("maintenance_failed", work=name))

    async def expire_all(self) -> None:
        """Erase departed servers, old questions and notices, and pictures older than their server
        keeps."""
        await self._departures.erase_due()
        await self._writer.expire_searches()
        await self._writer.expire_notices()
        for space in filter(self._shards.mine, await self._bookkeeping.retention()):
            erased = await self._erasure.erase_older(space)
            if erased:
                log.info(fields("expired", guild=space, pictures=erased))

    async def _vacuum(self) -> None:
        """Rewrite the file, if bytes of erased pictures may be left in it."""
        size_mb = await self._links.disk_bytes() / 1e6
        await asyncio.sleep(min(self._clocks.vacuum_s_per_mb * size_mb, DAY_S))
        await self._writer.vacuum()

    async def _trim_memory(self) -> None:
        await asyncio.to_thread(memory.give_back)
