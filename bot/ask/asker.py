"""Who asks, and where."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import discord

from bot.access.sight import Sight
from bot.ops.tuning import Clocks
from bot.platform.codes import RequestFailed
from bot.platform.refusal import Refusal
from bot.platform.unreadable import readable
from bot.text import answers as text


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, where, and whether everyone there will see the answer.

    asked_at   when the member's roles came, by the monotonic clock
    """

    member: discord.Member
    guild: discord.Guild
    channel: object
    public: bool = False
    asked_at: float = field(default_factory=time.monotonic, compare=False)

    def sight(self, client: discord.Client, clocks: Clocks) -> Sight:
        """What the readers of the answer may see."""
        return Sight(client, clocks, self.member, self.channel, self.asked_at, public=self.public)


def of_interaction(interaction: discord.Interaction, *, public: bool) -> Asker:
    """Who used a command or a button.

    raises   Refusal outside a server
    """
    if interaction.guild is None or not isinstance(interaction.user, discord.Member):
        raise Refusal(text.not_in_a_server)
    return Asker(interaction.user, interaction.guild, interaction.channel, public)


async def of_message(message: discord.Message, came_at: float) -> Asker:
    """Who wrote a message, with the roles that came with it.

    came_at  when the message came, by the monotonic clock
    raises   Refusal outside a server, or if Discord does not tell the roles
    """
    guild, author = message.guild, message.author
    if guild is None:
        raise Refusal(text.not_in_a_server)
    if not isinstance(author, discord.Member):
        try:
            author = await readable(guild.fetch_member(author.id))
        except RequestFailed as error:
            raise Refusal(text.who_are_you) from error
    return Asker(author, guild, message.channel, public=True, asked_at=came_at)
