"""The owners of watches: who of them has left, and how they learn that a watch has stopped."""

from __future__ import annotations

import asyncio
import logging

import discord

from bot.languages.speech import speaking
from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.platform.codes import UNKNOWN_MEMBER, UNKNOWN_USER, RequestFailed
from bot.platform.unreadable import readable
from bot.sync.writer import Writer
from bot.text import watches as text
from bot.watches import cards, reasons
from bot.watches.choices import Choices
from index import Watch, WatchReader

log = logging.getLogger(__name__)


class Owners:
    """Finds the owners of watches as they are now. Discord doesn't announce to the bot who leaves.
    So the watches of members who are not found are erased."""

    def __init__(
        self, client: discord.Client, watches: WatchReader, writer: Writer, clocks: Clocks
    ) -> None:
        self._client = client
        self._watches = watches
        self._writer = writer
        self._clocks = clocks

    async def member(self, guild: discord.Guild, id: int) -> discord.Member | None:
        """An owner as they are now; None when they have left, or their account is deleted. Then
        their watches are erased.

        raises   StoreError, and what a failed request raises
        """
        try:
            return await readable(guild.fetch_member(id))
        except discord.NotFound as error:
            if error.code not in (UNKNOWN_MEMBER, UNKNOWN_USER):
                raise
        theirs = await self._watches.of_owner(guild.id, id)
        await self._writer.remove_watches([watch.id for watch in theirs])
        log.info(fields("watches_erased", guild=guild.id, count=len(theirs), why="owner has left"))
        return None

    async def look_at_all(self) -> None:
        """Look for each owner once, slowly.

        raises   StoreError
        """
        for space, owner in await self._watches.owners():
            guild = self._client.get_guild(space)
            if guild is None or guild.unavailable:
                continue
            try:
                await self.member(guild, owner)
            except RequestFailed as error:
                log.info(fields("owner_unknown", guild=space, why=repr(error)))
            await asyncio.sleep(self._clocks.relist_s)

    async def stop(self, watch: Watch, reason: str) -> None:
        """Pause a watch, and tell its owner once; if that can't be, their list tells it.

        raises   StoreError
        """
        await self._writer.pause_watch(watch.id, reason)
        log.info(fields("watch_paused", guild=watch.space, why=reason))
        guild = self._client.get_guild(watch.space)
        if guild is None or reason == reasons.CLOSED_DMS:
            return
        with speaking(Choices.from_json(watch.settings).locale):
            said = text.stopped(text.wish(watch.asked), cards.why(reason), guild.name)
        try:
            owner = await readable(self._client.fetch_user(watch.owner))
            await owner.send(said, allowed_mentions=discord.AllowedMentions.none())
        except RequestFailed as error:
            log.info(fields("watch_untold", guild=watch.space, why=repr(error)))
