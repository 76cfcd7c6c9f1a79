"""`/reposts on, off, list`: where a quiet note says that a picture was posted before."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.abc import GuildChannel

from bot.access.permissions import refuse_in_outage, sees
from bot.commands.options import Channel
from bot.languages.speech import marked
from bot.platform.interactions import Interaction, Tree
from bot.sync.choosing import why_no_notes
from bot.sync.noted import PEOPLE, Noted
from bot.sync.watched import Watched
from bot.text import copies as text

MOST_PEOPLE = 100


def register(tree: Tree, noted: Noted, watched: Watched) -> None:
    """Add the commands."""
    tree.add_command(Reposts(noted, watched))


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Reposts(app_commands.Group):
    """Where a quiet note says that a picture was posted before"""

    def __init__(self, noted: Noted, watched: Watched) -> None:
        super().__init__(
            name=marked("reposts"), description=marked("Quiet notes below pictures posted before")
        )
        self._noted = noted
        self._watched = watched

    @app_commands.command(
        name=marked("on"),
        description=marked("Note quietly, below a picture, that it was posted before"),
    )
    @app_commands.rename(channel=marked("channel"), people=marked("people"))
    @app_commands.describe(
        channel=marked("A channel or category that is watched"),
        people=marked(
            "No note for a picture that this many members have posted (otherwise {people})",
            people=PEOPLE,
        ),
    )
    @app_commands.checks.has_permissions(manage_guild=True)
    async def on(
        self,
        interaction: Interaction,
        channel: Channel,
        people: app_commands.Range[int, 2, MOST_PEOPLE] = PEOPLE,
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        answer = await self._on(channel, people)
        await interaction.edit_original_response(content=answer)

    @app_commands.command(
        name=marked("off"), description=marked("Write no more notes in a channel or category")
    )
    @app_commands.rename(channel=marked("channel"))
    @app_commands.describe(channel=marked("A channel or category with notes"))
    @app_commands.checks.has_permissions(manage_guild=True)
    async def off(self, interaction: Interaction, channel: Channel) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.edit_original_response(content=await self._off(channel))

    @app_commands.command(name=marked("list"), description=marked("Show which channels have notes"))
    @app_commands.checks.has_permissions(manage_guild=True)
    async def list_(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        assert interaction.guild is not None
        assert isinstance(interaction.user, discord.Member)
        answer = self._list(interaction.guild, interaction.user)
        await interaction.edit_original_response(content=answer)

    async def _on(self, channel: GuildChannel, people: int) -> str:
        if (why := why_no_notes(self._watched, channel)) is not None:
            return why
        await self._noted.set(channel.guild.id, channel.id, people)
        return text.notes_are_on(channel, people)

    async def _off(self, channel: GuildChannel) -> str:
        marks = self._noted.marks(channel.guild.id)
        if channel.id not in marks:
            if channel.category is not None and channel.category.id in marks:
                return text.notes_by_category(channel, channel.category)
            return text.no_notes_there(channel)
        await self._noted.set(channel.guild.id, channel.id, None)
        return text.notes_are_off(channel)

    def _list(self, guild: discord.Guild, member: discord.Member) -> str:
        """raises   Refusal during an outage of the server"""
        refuse_in_outage(guild)
        marks = self._noted.marks(guild.id)
        rows = [
            (channel, marks[channel.id])
            for channel in sorted(guild.channels, key=lambda channel: channel.position)
            if channel.id in marks and sees(member, channel)
        ]
        return text.noted_channels(rows)
