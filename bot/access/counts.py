"""Counts the pictures of each channel, as far as a member may know of them."""

from __future__ import annotations

from collections.abc import Iterable

import discord

from bot.access import permissions
from index import Group, Links


async def pictures_by_channel(
    client: discord.Client, links: Links, member: discord.Member
) -> dict[int, int]:
    """How many indexed pictures of each channel, with its threads, `member` may read there."""
    groups = await links.groups(member.guild.id)
    return {
        channel: await links.count_links(member.guild.id, allowed)
        for channel, allowed in (await readable_there(client, member, groups)).items()
    }


async def readable_there(
    client: discord.Client, member: discord.Member, groups: Iterable[Group]
) -> dict[int, set[int]]:
    """By channel, which of its groups `member` may read.

    They are checked as if the member asked in that channel, since pictures of an age-restricted
    channel may be shown only in such a channel.
    """
    by_channel: dict[int, list[Group]] = {}
    for group in groups:
        by_channel.setdefault(group.parent or group.id, []).append(group)
    return {
        channel: await permissions.readable(
            client, member, member.guild, member.guild.get_channel(channel), inside
        )
        for channel, inside in by_channel.items()
    }
