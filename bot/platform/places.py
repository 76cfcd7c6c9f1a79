"""Channels and threads: their kinds, what the bot may read, and the gallery's group for each."""

from __future__ import annotations

from typing import TypeAlias

import discord
from discord.abc import GuildChannel

from index import Group

Place: TypeAlias = GuildChannel | discord.Thread
WithMessages: TypeAlias = (
    discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
)
WithThreads: TypeAlias = discord.TextChannel | discord.ForumChannel


def group_of(place: Place) -> Group:
    """The gallery's group for a channel or thread."""
    if isinstance(place, discord.Thread):
        return Group(place.id, parent=place.parent_id, private=place.is_private())
    return Group(place.id)


def missing_permissions(place: Place) -> tuple[str, ...]:
    """The permissions that the bot lacks to read a channel or thread, by discord.py's names."""
    needed = ["view_channel", "read_message_history"]
    if isinstance(place, discord.VoiceChannel | discord.StageChannel):
        needed.append("connect")
    me: discord.Member | None = place.guild.me
    try:
        granted = place.permissions_for(me) if me else discord.Permissions.none()
    except discord.ClientException:  # a thread whose parent is not known
        return ("view_channel",)
    return tuple(name for name in needed if not getattr(granted, name))


def inside(channel: GuildChannel) -> list[GuildChannel]:
    """The channels of a category; of any other channel, the channel itself."""
    if isinstance(channel, discord.CategoryChannel):
        return list(channel.channels)
    return [channel]
