"""`/status`: what is indexed, how fast, what waits, and with which model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.commands.channels import demand_manage_server, pictures_by_channel
from bot.text import replies
from bot.text.replies import ChannelStatus, Status

if TYPE_CHECKING:
    from bot.app import Interaction, Magpie


def register(client: Magpie) -> None:
    client.tree.add_command(status)


@app_commands.command(description="What is indexed, how fast, and what is still to do")
@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
async def status(interaction: Interaction) -> None:
    await interaction.response.defer(ephemeral=True)
    demand_manage_server(interaction)
    assert interaction.guild is not None
    assert isinstance(interaction.user, discord.Member)
    now = await _status(interaction.client, interaction.guild, interaction.user)
    await interaction.edit_original_response(content=replies.status(now))


async def _status(client: Magpie, guild: discord.Guild, member: discord.Member) -> Status:
    """Of channels that the asker can't see there are no names and no counts."""
    pictures = await pictures_by_channel(client, member)
    channels = [
        ChannelStatus(
            channel=channel,
            pictures=pictures.get(channel.id, 0),
            state=reading.state.value if (reading := client.backlog.reading(channel.id)) else "",
            fraction=reading.fraction if reading else 0.0,
            missing=reading.missing if reading else (),
        )
        for channel in client.watched.channels(guild)
        if channel.permissions_for(member).view_channel
    ]
    info = await client.gallery.model_info()
    return Status(
        channels=channels,
        progress=client.backlog.progress(guild.id),
        jobs=await client.reindexing.lines(member),
        waiting=client.ingest.depth,
        per_second=client.metrics.pictures_per_second(),
        model=info.name if info else client.gallery.model,
        wanted=client.gallery.wanted,
        device=client.gallery.device,
        disk_bytes=await client.gallery.disk_bytes(),
        latency_s=client.latency,
        uptime_s=time.monotonic() - client.metrics.started,
    )
