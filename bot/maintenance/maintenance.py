"""What is done now and then: what is old, was left or was closed goes; deletions are looked for.

Deletions that nobody told about (the bot was away) are found by listing the watched channels over
and over, a page at a time, slowly: a server with 100,000 pictures is through in a day or so. What
is about to be shown is looked at anyway.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import discord

from bot.ops import memory
from bot.ops.logs import fields
from bot.sync.erasure import forget_closed, forget_group, forget_guild
from bot.sync.history import (
    PAGE,
    WithMessages,
    is_deleted,
    missing_permissions,
    read_page,
    reconcile,
)
from bot.sync.ingest import Trouble
from bot.text.replies import MISSING_ACCESS, MISSING_PERMISSIONS
from index import GalleryClosed, Group, StoreError

if TYPE_CHECKING:
    from bot.app import Magpie

log = logging.getLogger(__name__)

EXPIRE_EVERY_S = 3_600.0
GRACE_S = 7 * 86_400.0  # what was left, or closed to the bot, can come back so long
REFUSALS = (MISSING_ACCESS, MISSING_PERMISSIONS)  # another 403 may be a mishap
LIST_EVERY_S = 20.0  # a page; Discord allows about one a second
# The file is written anew once a minute at most, and a larger one seldom: 0.1 MB/s of it all told.
COMPACT_EVERY_S = 60.0
COMPACT_S_A_MB = 10.0
GIVE_BACK_EVERY_S = 60.0
DAY_S = 86_400.0


class Upkeep:
    """The slow work, in the background."""

    def __init__(self, client: Magpie) -> None:
        self._client = client
        self._departed: set[int] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._departed = set(await self._client.gallery.departed())
        self._tasks = [
            asyncio.create_task(self._forever(work, every), name=name)
            for name, work, every in (
                ("expire", self.expire_all, EXPIRE_EVERY_S),
                ("closed", self.look_at_closed, EXPIRE_EVERY_S),
                ("relist", self.relist, LIST_EVERY_S),
                ("compact", self._compact, COMPACT_EVERY_S),
                ("give back", self._give_back, GIVE_BACK_EVERY_S),
            )
        ]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _forever(self, work: Callable[[], Coroutine[Any, Any, None]], every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await work()
            except GalleryClosed:
                return
            except StoreError as error:  # a full disk; it comes again in its turn
                log.warning(fields("upkeep_waits", work=work.__name__, reason=error))
            except Exception:
                log.exception(fields("upkeep_failed", work=work.__name__))

    # ---- servers that were left, and old pictures

    async def leave(self, guild_id: int) -> None:
        """The bot was removed from a guild: everything of it goes after the grace period."""
        self._departed.add(guild_id)
        await self._client.gallery.depart(guild_id, time.time())
        log.info(fields("guild_left", guild=guild_id, erased_in_days=GRACE_S / DAY_S))
        await self._expire_departed()
        await self._client.reindexing.switch_if_done()  # it may have been the last to be read

    async def come_back(self, guild_id: int) -> None:
        if guild_id in self._departed:
            self._departed.discard(guild_id)
            await self._client.gallery.come_back(guild_id)

    async def expire_all(self) -> None:
        await self._expire_departed()
        await self._client.gallery.expire_searches()
        for space in await self._client.gallery.retention():
            erased = await self.expire(space)
            if erased:
                log.info(fields("expired", guild=space, pictures=erased))

    async def _expire_departed(self) -> None:
        for space, since in (await self._client.gallery.departed()).items():
            if since <= time.time() - GRACE_S:
                await forget_guild(self._client, space)
                self._departed.discard(space)

    async def expire(self, space: int) -> int:
        """Erase what is older than the space keeps; returns how many pictures."""
        days = (await self._client.gallery.retention()).get(space)
        if days is None:
            return 0
        return await self._client.gallery.remove_older(space, time.time() - days * DAY_S)

    # ---- channels that were closed to the bot

    async def look_at_closed(self) -> None:
        """Note what the bot can't read back; after the grace period, erase it.

        Nobody tells what is deleted there, and it can't be listed. Nobody is shown it either.
        """
        gallery = self._client.gallery
        noted = await gallery.closed_groups()
        for space in await gallery.spaces() - self._departed:
            for group in await gallery.groups(space):
                await self._look_at(space, group, noted.get((space, group.id)))

    async def _look_at(self, space: int, group: Group, since: float | None) -> None:
        guild = self._guild(space)
        if guild is None:
            return
        channel = guild.get_channel(group.parent or group.id)
        closed = channel is not None and bool(missing_permissions(channel))
        due = since is not None and since <= time.time() - GRACE_S
        if closed and since is None:
            await self._note_closed(space, group.id)
        elif since is not None and (due or not closed):
            await self._ask(guild, group, due)
            await asyncio.sleep(LIST_EVERY_S)

    def _guild(self, space: int) -> discord.Guild | None:
        """A guild of which it is known who may read what: none in an outage."""
        guild = self._client.get_guild(space)
        return None if guild is None or guild.unavailable else guild

    async def _note_closed(self, space: int, group: int) -> None:
        gallery = self._client.gallery
        if self._guild(space) is None or (space, group) in await gallery.closed_groups():
            return
        await gallery.close_group(space, group, time.time())
        days = GRACE_S / DAY_S
        log.info(fields("closed", guild=space, channel=group, erased_in_days=days))

    async def _ask(self, guild: discord.Guild, group: Group, due: bool) -> None:
        """Ask Discord about a group that was closed: it may be open again, or deleted."""
        if (guild.id, group.id) not in await self._client.gallery.closed_groups():
            return  # it went with its channel
        try:
            place: Any = await self._client.fetch_channel(group.id)
            await read_page(self._client, place)
        except Trouble as error:
            if is_deleted(error):
                await forget_group(self._client, guild.id, group.id)
            elif not is_refusal(error):
                log.info(fields("closed_waits", channel=group.id, why=error))
            elif due and self._guild(guild.id) is not None:
                erased = await forget_closed(self._client, guild, group)
                log.info(fields("closed_erased", channel=group.id, pictures=erased))
        else:
            await self._client.gallery.open_group(guild.id, group.id)

    # ---- stray bytes of what was removed

    async def _compact(self) -> None:
        size_mb = await self._client.gallery.disk_bytes() / 1e6
        await asyncio.sleep(min(COMPACT_S_A_MB * size_mb, DAY_S))
        await self._client.gallery.compact()

    # ---- memory that was freed

    async def _give_back(self) -> None:
        await asyncio.to_thread(memory.give_back)

    # ---- deletions that nobody told about

    async def relist(self) -> None:
        """All groups once, from a random one on, a page at a time."""
        gallery = self._client.gallery
        groups = [
            (space, group.id)
            for space in await gallery.spaces() - self._departed
            for group in await gallery.groups(space)
        ]
        start = random.randrange(len(groups)) if groups else 0
        for space, group in groups[start:] + groups[:start]:
            await self._relist_group(space, group)

    async def _relist_group(self, space: int, group: int) -> None:
        """Every page of a group that pictures are known on, newest first."""
        known = await self._client.gallery.known(space, group)
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
                    await forget_group(self._client, space, group)
                return
            except Trouble as error:
                log.info(fields("relist_waits", channel=group, why=error))
                if is_refusal(error):
                    await self._note_closed(space, group)
                    await asyncio.sleep(LIST_EVERY_S)  # refusals are counted
                return
            oldest = page[-1].id if len(page) == PAGE else 0
            removed = await reconcile(self._client, space, page, known, oldest, before)
            if removed:
                log.info(fields("gone_unheard", guild=space, channel=group, pictures=removed))
            left = [message for message in left if message < oldest]
            await asyncio.sleep(LIST_EVERY_S)

    async def _page(self, place: Any, before: int) -> list[discord.Message]:
        if isinstance(place, int):
            place = await self._client.fetch_channel(place)
        return await read_page(self._client, place, before=discord.Object(before))


def is_refusal(error: BaseException) -> bool:
    """Whether Discord said that the bot may not read something."""
    return isinstance(error, discord.Forbidden) and error.code in REFUSALS
