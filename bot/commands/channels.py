"""`/channels add, remove, list`: which channels are watched."""

from __future__ import annotations

from collections.abc import Iterable

import discord
from discord import app_commands
from discord.abc import GuildChannel

from bot.access.counts import pictures_by_channel
from bot.access.permissions import refuse_in_outage, sees
from bot.commands.options import Channel
from bot.languages.speech import marked
from bot.platform.interactions import Interaction, Tree
from bot.platform.places import inside, missing_permissions
from bot.sync.backlog import Backlog
from bot.sync.choosing import begin_to_watch, why_not_watched
from bot.sync.erasure import Erasure
from bot.sync.watched import Watched
from bot.text import channels as text
from bot.welcome.welcome import Welcomes
from index import Links


def register(
    tree: Tree,
    links: Links,
    watched: Watched,
    backlog: Backlog,
    erasure: Erasure,
    welcome: Welcomes,
) -> None:
    """Add the commands."""
    tree.add_command(Channels(tree.client, links, watched, backlog, erasure, welcome))


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Channels(app_commands.Group):
    """Which channels Magpie watches"""

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        watched: Watched,
        backlog: Backlog,
        erasure: Erasure,
        welcome: Welcomes,
    ) -> None:
        super().__init__(
            name=marked("channels"), description=marked("Which channels Magpie watches")
        )
        self._client = client
        self._links = links
        self._watched = watched
        self._backlog = backlog
        self._erasure = erasure
        self._welcome = welcome

    @app_commands.command(
        name=marked("add"),
        description=marked("Watch a channel, or all channels of a category"),
    )
    @app_commands.rename(channel=marked("channel"))
    @app_commands.describe(channel=marked("Its pictures become searchable, the old ones too"))
    @app_commands.checks.has_permissions(manage_guild=True)
    async def add(self, interaction: Interaction, channel: Channel) -> None:
        await interaction.response.defer(ephemeral=True)
        assert isinstance(interaction.user, discord.Member)
        answer = await self._add(channel, interaction.user)
        await interaction.edit_original_response(content=answer)

    @app_commands.command(
        name=marked("remove"),
        description=marked("Stop watching a channel and erase what was indexed from it"),
    )
    @app_commands.rename(channel=marked("channel"))
    @app_commands.describe(channel=marked("A channel or category that is watched"))
    @app_commands.checks.has_permissions(manage_guild=True)
    async def remove(self, interaction: Interaction, channel: Channel) -> None:
        await interaction.response.defer(ephemeral=True)
        assert isinstance(interaction.user, discord.Member)
        answer = await self._remove(channel, interaction.user)
        await interaction.edit_original_response(content=answer)

    @app_commands.command(
        name=marked("list"), description=marked("Show which channels are watched")
    )
    @app_commands.checks.has_permissions(manage_guild=True)
    async def list_(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        assert interaction.guild is not None
        assert isinstance(interaction.user, discord.Member)
        answer = await self._list(interaction.guild, interaction.user)
        await interaction.edit_original_response(content=answer)

    async def _add(self, channel: GuildChannel, member: discord.Member) -> str:
        """Watch a channel if the bot can read it; the sentence to answer with.

        Of a category's channels, it counts and names those that the member sees.
        """
        if (why := why_not_watched(self._watched, channel)) is not None:
            return why
        await begin_to_watch(self._watched, self._backlog, channel)
        await self._welcome.on_set_up(channel.guild.id)
        seen = _seen(inside(channel), member)
        closed = {place: missing for place in seen if (missing := missing_permissions(place))}
        return text.now_watched(channel, len(seen) - len(closed), closed)

    async def _remove(self, channel: GuildChannel, member: discord.Member) -> str:
        """Stop watching a channel and erase it, unless a category covers it; the sentence to answer
        with. It counts the pictures that the member may read."""
        if channel.id not in self._watched.marks(channel.guild.id):
            if self._watched.covers(channel) and channel.category is not None:
                return text.remove_the_category(channel, channel.category)
            return text.not_watched(channel)
        await self._watched.discard(channel.guild.id, channel.id)
        places = inside(channel)
        kept = [place for place in places if self._watched.covers(place)]
        erased = [place for place in places if place not in kept]
        pictures = await pictures_by_channel(self._client, self._links, member)
        for place in erased:
            await self._erasure.erase_group(channel.guild.id, place.id)
        counted = sum(pictures.get(place.id, 0) for place in erased)
        return text.no_longer_watched(channel, counted, _seen(kept, member), bool(erased))

    async def _list(self, guild: discord.Guild, member: discord.Member) -> str:
        """raises   Refusal during an outage of the server"""
        refuse_in_outage(guild)
        marks = self._watched.marks(guild.id)
        named = [channel for channel in guild.channels if channel.id in marks]
        pictures = await pictures_by_channel(self._client, self._links, member)
        rows = [
            (
                channel,
                [(place, pictures.get(place.id, 0)) for place in _seen(inside(channel), member)],
            )
            for channel in sorted(_seen(named, member), key=lambda channel: channel.position)
        ]
        return text.watched_channels(rows)


def _seen(channels: Iterable[GuildChannel], member: discord.Member) -> list[GuildChannel]:
    return [channel for channel in channels if sees(member, channel)]
