"""Channels that admins choose: why one can't be watched, or can't have notes, and what begins with
one that can."""

from __future__ import annotations

import discord
from discord.abc import GuildChannel

from bot.platform.places import inside, missing_permissions
from bot.sync.backlog import Backlog
from bot.sync.watched import Watched
from bot.text import channels as text
from bot.text import copies as notes_text


def why_not_watched(watched: Watched, channel: GuildChannel) -> str | None:
    """Why a channel or category can't be added to those that are watched; None: it can."""
    marks = watched.marks(channel.guild.id)
    if channel.id in marks:
        return text.already_watched(channel)
    if channel.category is not None and channel.category.id in marks:
        return text.watched_by_category(channel, channel.category)
    missing = missing_permissions(channel)
    if missing and channel in inside(channel):
        return text.cannot_read(channel, missing)
    return None


async def begin_to_watch(watched: Watched, backlog: Backlog, channel: GuildChannel) -> None:
    """Watch a channel or category, and read what was posted before."""
    await watched.add(channel.guild.id, channel.id)
    backlog.begin(inside(channel))


def why_no_notes(watched: Watched, channel: GuildChannel) -> str | None:
    """Why there can be no notes in a channel or category; None: there can."""
    covered = any(watched.covers(place) for place in inside(channel))
    if not covered and channel.id not in watched.marks(channel.guild.id):
        return notes_text.not_watched(channel)
    if not isinstance(channel, discord.CategoryChannel) and (missing := _missing_to_write(channel)):
        return notes_text.cannot_write(channel, missing)
    return None


def _missing_to_write(channel: GuildChannel) -> list[str]:
    """The permissions that the bot lacks to write a note there, by discord.py's names."""
    granted = channel.permissions_for(channel.guild.me)
    forum = isinstance(channel, discord.ForumChannel)
    needed = ("view_channel", "send_messages_in_threads" if forum else "send_messages")
    return [name for name in needed if not getattr(granted, name)]
