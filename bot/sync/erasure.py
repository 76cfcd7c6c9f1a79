"""Erasing what is kept of a thread, a channel or a server: pictures, cursors, what is being read.

Whatever leads here (a deletion, a channel that is no longer watched or has been closed for a week,
a server that was left): what is still being read of it is let go of first, so that no page under
way writes anything afterwards.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import discord

from bot.ops.logs import fields
from bot.sync.coverage import Move
from bot.sync.history import Place
from index import Group

if TYPE_CHECKING:
    from bot.app import Magpie
    from bot.sync.backlog import Reading

log = logging.getLogger(__name__)


async def forget_group(client: Magpie, guild_id: int, group: int, *, patient: bool = True) -> int:
    """Erase a channel with its threads, or a thread; returns how many pictures went.

    raises   StoreError when the file can't be written now, and nobody is to wait for it
    """
    backlog = client.backlog
    groups = await client.gallery.groups(guild_id)
    with_pictures = {one.id for one in groups if one.parent == group}
    threads = [
        reading.coverage.group
        for reading in backlog.readings(guild_id)
        if getattr(reading.place, "parent_id", None) == group
    ]
    for reading in (backlog.reading(one) for one in {group, *threads, *with_pictures}):
        if reading is not None:
            backlog.let_go(reading)
    removed = await client.ledger.forget_group(guild_id, group, threads, patient=patient)
    # of archived threads that had pictures only the gallery knew that they belonged here
    backlog.load(guild_id, await client.gallery.cursors(guild_id))
    if removed:
        log.info(fields("group_erased", guild=guild_id, group=group, pictures=removed))
        client.metrics.removed.inc(removed)
    return removed


async def forget_closed(client: Magpie, guild: discord.Guild, group: Group) -> int:
    """Erase a channel or thread that the bot can't read back; returns how many pictures went.

    It stays watched: once it is open again, it is read from its beginning.

    raises   StoreError when the file can't be written now
    """
    backlog = client.backlog
    parent = backlog.reading(group.parent or 0)
    if parent is not None and parent.missing:  # then it looks for all of its archived threads
        parent.coverage.complete = False
        await client.ledger.commit((), [Move(parent.coverage)])
    try:
        return await forget_group(client, guild.id, group.id, patient=False)
    finally:  # it may have been opened meanwhile
        place = guild.get_channel_or_thread(group.id)
        for one in (place, *getattr(place, "threads", ())):
            if isinstance(one, Place) and client.watched.covers(one):
                backlog.want(one)


async def let_go_of_guild(client: Magpie, guild_id: int) -> list[Reading]:
    """Read nothing of a guild any more; returns what was being read."""
    readings = client.backlog.readings(guild_id)
    for reading in readings:
        client.backlog.let_go(reading)
    await client.reindexing.drop(guild_id)
    return readings


async def forget_guild(client: Magpie, guild_id: int) -> None:
    """Erase everything of a guild that was left."""
    readings = await let_go_of_guild(client, guild_id)
    client.watched.drop_guild(guild_id)
    client.backlog.drop_guild(guild_id)
    channels = {getattr(r.place, "parent_id", None) or r.coverage.group for r in readings}
    removed = await client.ledger.forget_space(guild_id, channels)
    log.info(fields("guild_erased", guild=guild_id, pictures=removed))
