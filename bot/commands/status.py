"""`/status`: what is indexed, how fast, what waits, and with which model."""

from __future__ import annotations

import time

import discord
from discord import app_commands

from bot.access.counts import pictures_by_channel, readable_there
from bot.ops.metrics import Metrics
from bot.ops.unread import UnreadCounts
from bot.platform.interactions import Interaction, Tree
from bot.platform.places import group_of
from bot.reindex.jobs import Jobs
from bot.sync.backlog import Backlog
from bot.sync.live import Live
from bot.sync.watched import Watched
from bot.sync.writer import ModelChange
from bot.text import status as text
from bot.text.status import ChannelStatus, Status
from index import Links


def register(
    tree: Tree,
    links: Links,
    model_change: ModelChange,
    device: str,
    watched: Watched,
    backlog: Backlog,
    live: Live,
    jobs: Jobs,
    metrics: Metrics,
    unread: UnreadCounts,
) -> None:
    """Add the command.

    device   what the model runs on
    """

    @tree.command(description="What is indexed, how fast, and what is still to do")
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.checks.has_permissions(manage_guild=True)
    async def status(interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        assert interaction.guild is not None
        assert isinstance(interaction.user, discord.Member)
        now = await of(interaction.guild, interaction.user)
        await interaction.edit_original_response(content=text.status(now))

    async def of(guild: discord.Guild, member: discord.Member) -> Status:
        """The status, without names and counts of channels that the member can't see."""
        pictures = await pictures_by_channel(tree.client, links, member)
        seen = [
            channel
            for channel in watched.channels(guild)
            if channel.permissions_for(member).view_channel
        ]
        model = await links.model()
        return Status(
            channels=[
                _of_channel(channel, pictures.get(channel.id, 0), backlog) for channel in seen
            ],
            progress=backlog.progress(guild.id),
            jobs=await jobs.lines(member),
            waiting=live.depth,
            per_second=metrics.pictures_per_second(),
            model=model.name if model else "",
            wanted=model_change.wanted,
            device=device,
            disk_bytes=await links.disk_bytes(),
            latency_s=tree.client.latency,
            uptime_s=time.monotonic() - metrics.started,
            unread_messages=await unread_messages(member, {channel.id for channel in seen}),
            unread_others=unread.others(guild.id),
        )

    async def unread_messages(member: discord.Member, seen: set[int]) -> int:
        """How many messages of these channels, with their threads, could not be read."""
        counts = unread.messages(member.guild.id)
        known = {group.id: group for group in await links.groups(member.guild.id)}
        for id in counts:
            if (place := member.guild.get_channel_or_thread(id)) is not None:
                known[id] = group_of(place)
        groups = [known[id] for id in counts if id in known]
        allowed = await readable_there(tree.client, member, groups)
        return sum(counts[id] for channel in seen for id in allowed.get(channel, ()))


def _of_channel(
    channel: discord.abc.GuildChannel, pictures: int, backlog: Backlog
) -> ChannelStatus:
    reading = backlog.reading(channel.id)
    return ChannelStatus(
        channel=channel,
        pictures=pictures,
        state=reading.state.value if reading else "",
        fraction=reading.fraction if reading else 0.0,
        missing=reading.missing if reading else (),
    )
