"""Archived threads, which Discord lists on request only."""

from __future__ import annotations

import logging
from collections.abc import Callable

import discord

from bot.ops.logs import fields
from bot.platform import listings
from bot.platform.places import WithThreads

log = logging.getLogger(__name__)

# A listing ends after this many public threads in a row that are not wanted.
UNWANTED_IN_A_ROW = 100


async def archived_threads(
    client: discord.Client,
    place: WithThreads,
    wanted: Callable[[discord.Thread], bool] | None = None,
) -> list[discord.Thread]:
    """Archived threads of a channel that the bot may see: first the public ones, of which the last
    archived come first, then the private ones.

    wanted   only these; the listing ends after UNWANTED_IN_A_ROW public ones that are not wanted
    raises   discord.Forbidden
    """
    found: list[discord.Thread] = []
    unwanted = 0
    async for thread in listings.archived_threads(client, place):
        if wanted is None or wanted(thread):
            found.append(thread)
            unwanted = 0
        elif (unwanted := unwanted + 1) >= UNWANTED_IN_A_ROW:
            break  # the rest was archived even earlier
    if isinstance(place, discord.TextChannel) and not place.is_news():
        private = await _private_archived(client, place)
        found += [thread for thread in private if wanted is None or wanted(thread)]
    return found


async def _private_archived(
    client: discord.Client, place: discord.TextChannel
) -> list[discord.Thread]:
    """Private archived threads: all if the bot may manage threads, else those it had joined."""
    joined = not place.permissions_for(place.guild.me).manage_threads
    listing = listings.archived_threads(client, place, private=True, joined=joined)
    try:
        return [thread async for thread in listing]
    except (discord.Forbidden, discord.NotFound) as error:
        log.info(fields("private_threads_closed", channel=place.id, why=error))
        return []
