"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import discord
from discord import app_commands
from discord.abc import GuildChannel

from bot.languages.speech import marked
from bot.media.pictures import Picture, from_attachment
from bot.platform.codes import RequestFailed, is_rejection
from bot.platform.interactions import Interaction
from bot.platform.places import Place
from bot.platform.refusal import Refusal
from bot.text import channels as text

# How every command calls what it looks for: a line, a picture, or both.
QUESTION_NAMES = app_commands.rename(query=marked("query"), image=marked("image"))

# Who sees an answer. The names are in each member's language, the values are those of lines.
ONLY_ME, EVERYONE = "only me", "everyone"
WHO_SEES_IT = [
    app_commands.Choice(name=marked("only me"), value=ONLY_ME),
    app_commands.Choice(name=marked("everyone"), value=EVERYONE),
]


def picture_in(
    image: discord.Attachment | None, interaction: Interaction
) -> Picture | Sequence[str] | None:
    """The picture that was handed over; the addresses of a file that doesn't look like one."""
    if image is None:
        return None
    return from_attachment(image, interaction.user.id) or (image.url, image.proxy_url)


class ChannelToWatch(app_commands.Transformer):
    """An option for channels that hold messages or threads, and for categories.

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

    async def transform(
        self, interaction: Interaction, value: app_commands.AppCommandChannel, /
    ) -> GuildChannel:
        channel, member = value.resolve(), interaction.user
        if not isinstance(channel, GuildChannel) or not isinstance(member, discord.Member):
            raise Refusal(text.no_such_channel)
        # Discord's clients offer only channels that the member sees, but an id may be sent by hand.
        if not channel.permissions_for(member).view_channel:
            raise Refusal(text.no_such_channel)
        return channel


Channel: TypeAlias = app_commands.Transform[GuildChannel, ChannelToWatch]


class ChannelToWriteIn(app_commands.Transformer):
    """An option for channels and threads that hold messages."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        kinds = discord.ChannelType
        channels = [kinds.text, kinds.news, kinds.voice, kinds.stage_voice]
        return [*channels, kinds.public_thread, kinds.private_thread, kinds.news_thread]

    async def transform(
        self,
        interaction: Interaction,
        value: app_commands.AppCommandChannel | app_commands.AppCommandThread,
        /,
    ) -> Place:
        place: object = value.resolve()
        if place is None:  # such as a thread that is archived
            try:
                place = await value.fetch()
            except RequestFailed as error:
                if is_rejection(error):
                    raise Refusal(text.no_such_channel) from error
                raise
        if not isinstance(place, Place):
            raise Refusal(text.no_such_channel)
        return place


PlaceToWrite: TypeAlias = app_commands.Transform[Place, ChannelToWriteIn]
