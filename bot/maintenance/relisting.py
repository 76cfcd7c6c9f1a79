"""Deletions that Discord did not announce, because the bot was away when they happened.

All watched channels are listed again and again, slowly, one page at a time: a server with 100,000
pictures is listed about once a day. Pictures that an answer shows are read again in any case.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any

import discord

from bot.maintenance.closed import ClosedChannels
from bot.maintenance.departures import Departures
from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.platform.codes import RequestFailed, is_deleted, is_refusal
from bot.platform.places import WithMessages, missing_permissions
from bot.platform.shards import Shards
from bot.sync.erasure import Erasure
from bot.sync.history import History, HistoryPage
from index import Links

log = logging.getLogger(__name__)


class Relisting:
    """Lists the messages that the gallery knows, and erases those that were deleted."""

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        history: History,
        erasure: Erasure,
        closed: ClosedChannels,
        departures: Departures,
        shards: Shards,
        clocks: Clocks,
    ) -> None:
        self._client = client
        self._links = links
        self._history = history
        self._erasure = erasure
        self._closed = closed
        self._departures = departures
        self._shards = shards
        self._clocks = clocks

    async def relist_all(self) -> None:
        """List all groups once, beginning at a random one, a page at a time."""
        groups = [
            (space, group.id)
            for space in filter(self._shards.mine, await self._links.spaces())
            if space not in self._departures
            for group in await self._links.groups(space)
        ]
        start = random.randrange(len(groups)) if groups else 0
        for space, group in groups[start:] + groups[:start]:
            await self._relist(space, group)

    async def _relist(self, space: int, group: int) -> None:
        """List every page of a group that has known pictures, newest first."""
        known = await self._links.known(space, group)
        left = sorted(map(int, known))
        place = self._client.get_channel(group)
        if place is not None and not (
            isinstance(place, WithMessages) and not missing_permissions(place)
        ):
            return
        while left:
            before = left[-1] + 1
            try:
                page = await self._page(place or group, before)
            except discord.NotFound as error:
                if is_deleted(error):
                    await self._erasure.erase_group(space, group)
                return
            except RequestFailed as error:
                log.info(fields("relist_waits", channel=group, why=error))
                if is_refusal(error):
                    await self._closed.note(space, group)
                    await asyncio.sleep(self._clocks.relist_s)  # Discord counts refusals
                return
            oldest = page.ids[-1] if page.full else 0
            removed = await self._history.reconcile(space, page, known, oldest, before)
            if removed:
                log.info(fields("deletions_found", guild=space, channel=group, pictures=removed))
            left = [message for message in left if message < oldest]
            await asyncio.sleep(self._clocks.relist_s)

    async def _page(self, place: Any, before: int) -> HistoryPage:
        if isinstance(place, int):
            place = await self._client.fetch_channel(place)
        return await self._history.read_page(place, before=before)
