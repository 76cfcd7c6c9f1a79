"""`/channels add, remove, list`: which channels are watched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

import discord
from discord import app_commands
from discord.abc import GuildChannel

from bot.access import permissions
from bot.sync.erasure import forget_group
from bot.sync.history import missing_permissions
from bot.text import replies
from index import Group

if TYPE_CHECKING:
    from bot.app import Interaction, Magpie


class ToWatch(app_commands.Transformer):
    """An option for whatever holds messages or threads, and for categories.

    Media channels can't be offered: Discord's published schema has no such option. They are
    watched with their category.
    """

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        kinds = discord.ChannelType
        return [kinds.text, kinds.news, kinds.voice, kinds.stage_voice, kinds.forum, kinds.category]

    async def transform(  # type: ignore[override]  # our own client
        self, interaction: Interaction, value: app_commands.AppCommandChannel, /
    ) -> GuildChannel:
        channel = value.resolve()
        if not isinstance(channel, GuildChannel):
            raise app_commands.TransformerError(value.name, self.type, self)
        return channel


Channel: TypeAlias = app_commands.Transform[GuildChannel, ToWatch]


def register(client: Magpie) -> None:
    client.tree.add_command(Channels())


def demand_manage_server(interaction: Interaction) -> None:
    """Check again what Discord's own setting may have been opened for.

    raises   MissingPermissions, which becomes a sentence
    """
    if not interaction.permissions.manage_guild:
        raise app_commands.MissingPermissions(["manage_guild"])


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Channels(app_commands.Group):
    """Which channels Magpie watches"""

    def __init__(self) -> None:
        super().__init__(name="channels", description="Which channels Magpie watches")

    async def interaction_check(self, interaction: Interaction, /) -> bool:  # type: ignore[override]  # our own client
        demand_manage_server(interaction)
        return True

    @app_commands.command(description="Watch a channel, or all channels of a category")
    @app_commands.describe(channel="Its pictures become searchable, the old ones too")
    async def add(self, interaction: Interaction, channel: Channel) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.edit_original_response(content=await _add(interaction.client, channel))

    @app_commands.command(description="Stop watching a channel and erase what was indexed from it")
    @app_commands.describe(channel="A channel or category that is watched")
    async def remove(self, interaction: Interaction, channel: Channel) -> None:
        await interaction.response.defer(ephemeral=True)
        answer = await _remove(interaction.client, channel)
        await interaction.edit_original_response(content=answer)

    @app_commands.command(name="list", description="Show which channels are watched")
    async def list_(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        assert interaction.guild is not None
        assert isinstance(interaction.user, discord.Member)
        answer = await _list(interaction.client, interaction.guild, interaction.user)
        await interaction.edit_original_response(content=answer)


async def _add(client: Magpie, channel: GuildChannel) -> str:
    """Watch a channel, unless the bot could not read it; the sentence that says so."""
    marks = client.watched.marks(channel.guild.id)
    if channel.id in marks:
        return replies.already_watched(channel)
    if channel.category is not None and channel.category.id in marks:
        return replies.watched_by_category(channel, channel.category)
    inside = _inside(channel)
    closed = {place: missing for place in inside if (missing := missing_permissions(place))}
    if channel in closed:
        return replies.cannot_read(channel, closed[channel])
    await client.watched.add(channel.guild.id, channel.id)
    client.backlog.begin(inside)
    return replies.now_watched(channel, len(inside) - len(closed), closed)


async def _remove(client: Magpie, channel: GuildChannel) -> str:
    """Stop watching and erase, unless a category still covers it; what happened."""
    if channel.id not in client.watched.marks(channel.guild.id):
        if client.watched.covers(channel) and channel.category is not None:
            return replies.remove_the_category(channel, channel.category)
        return replies.not_watched(channel)
    await client.watched.discard(channel.guild.id, channel.id)
    kept = [place for place in _inside(channel) if client.watched.covers(place)]
    erased = 0
    for place in _inside(channel):
        if place not in kept:
            erased += await forget_group(client, channel.guild.id, place.id)
    return replies.no_longer_watched(channel, erased, kept)


async def _list(client: Magpie, guild: discord.Guild, member: discord.Member) -> str:
    marks = client.watched.marks(guild.id)
    named = [channel for channel in guild.channels if channel.id in marks]
    pictures = await pictures_by_channel(client, member)
    rows = [
        (channel, [(place, pictures.get(place.id, 0)) for place in _seen(_inside(channel), member)])
        for channel in sorted(_seen(named, member), key=lambda channel: channel.position)
    ]
    return replies.watched_channels(rows, hidden=len(named) - len(rows))


def _seen(channels: Iterable[GuildChannel], member: discord.Member) -> list[GuildChannel]:
    return [channel for channel in channels if channel.permissions_for(member).view_channel]


def _inside(channel: GuildChannel) -> list[GuildChannel]:
    """The channel itself, or those of a category."""
    if isinstance(channel, discord.CategoryChannel):
        return list(channel.channels)
    return [channel]


async def pictures_by_channel(client: Magpie, member: discord.Member) -> dict[int, int]:
    """How many indexed pictures of each channel, its threads included, `member` may read there."""
    pictures = {}
    groups = await client.gallery.groups(member.guild.id)
    for channel, allowed in (await readable_there(client, member, groups)).items():
        pictures[channel] = await client.gallery.count_links(member.guild.id, allowed)
    return pictures


async def readable_there(
    client: Magpie, member: discord.Member, groups: Iterable[Group]
) -> dict[int, set[int]]:
    """By channel, which of its groups `member` may read, as if asked there, where it may be
    age-restricted."""
    by_channel: dict[int, list[Group]] = {}
    for group in groups:
        by_channel.setdefault(group.parent or group.id, []).append(group)
    return {
        channel: await permissions.readable(
            client, member, member.guild, member.guild.get_channel(channel), inside
        )
        for channel, inside in by_channel.items()
    }
