"""`/watch add, list, pause, remove`, and the buttons of its list and of notices."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice

from bot.ask.asker import of_interaction
from bot.ask.respond import answering_button
from bot.ask.suggestions import Choices
from bot.commands.options import QUESTION_NAMES, PlaceToWrite, picture_in
from bot.languages.speech import marked
from bot.platform.interactions import NO_MENTIONS, Interaction, Tree, chosen
from bot.watches import cards, zones
from bot.watches.choices import Digest
from bot.watches.watches import Watches
from bot.watches.watches import chosen as choices_of
from index import Sentence, Watch

MOST = 25  # choices: Discord's limit
MOST_LETTERS = 1_000  # of a watch's line


def register(tree: Tree, watches: Watches) -> None:
    """Add the commands, and what answers to their buttons."""
    tree.add_command(WatchCommands(watches))

    async def pause(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        watch = await watches.of_notice(interaction.user.id, int(match["watch"]))
        said = await watches.pause(watch)
        await interaction.response.send_message(said, ephemeral=True, allowed_mentions=NO_MENTIONS)

    async def toggle(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        await change(interaction, int(match["watch"]), watches.toggle)

    async def remove(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        await change(interaction, id_in(chosen(interaction)), watches.remove)

    async def change(
        interaction: discord.Interaction[Any], id: int, work: Callable[[Watch], Awaitable[str]]
    ) -> None:
        """Change one watch of the list, and show the list as it is then."""
        space, owner = interaction.guild_id or 0, interaction.user.id
        await work(await watches.named(space, owner, id))
        card = await watches.listing(space, owner)
        await interaction.response.edit_message(view=card, allowed_mentions=NO_MENTIONS)

    tree.client.add_dynamic_items(
        answering_button(cards.PAUSE, pause),
        answering_button(cards.TOGGLE, toggle),
        answering_button(cards.REMOVE, remove),
    )


@app_commands.guild_only()
class WatchCommands(app_commands.Group):
    """Be told of new pictures"""

    def __init__(self, watches: Watches) -> None:
        super().__init__(
            name=marked("watch"),
            description=marked("Be told when a new picture fits what you want"),
        )
        self._watches = watches

    @app_commands.command(
        name=marked("add"),
        description=marked("Be told when a new picture fits, in channels you can read"),
    )
    @app_commands.describe(
        query=marked(
            "What to watch for, as you would ask /{find}: dog -snow from:@name in:#channel",
            find=Sentence("find"),
        ),
        image=marked("A picture to watch for things like"),
        channel=marked("A channel for the notices (otherwise I write to you alone)"),
        quiet=marked("When nothing may come, such as 22-7"),
        zone=marked("Your time zone, for quiet hours and daily digests (otherwise UTC)"),
        digest=marked("Whether notices are gathered"),
    )
    @QUESTION_NAMES
    @app_commands.rename(
        channel=marked("channel"),
        quiet=marked("quiet"),
        zone=marked("zone"),
        digest=marked("digest"),
    )
    @app_commands.choices(
        digest=[
            Choice(name=marked("each by itself"), value="single"),
            Choice(name=marked("once an hour"), value="hourly"),
            Choice(name=marked("once a day"), value="daily"),
        ]
    )
    async def add(
        self,
        interaction: Interaction,
        query: app_commands.Range[str, 1, MOST_LETTERS] | None = None,
        image: discord.Attachment | None = None,
        channel: PlaceToWrite | None = None,
        quiet: str | None = None,
        zone: str | None = None,
        digest: str = "single",
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        wanted = choices_of(str(interaction.locale), quiet, zone, _digest(digest))
        asker = of_interaction(interaction, public=False)
        said = await self._watches.add(
            asker, query or "", picture_in(image, interaction), channel, wanted
        )
        await self._say(interaction, said)

    @app_commands.command(
        name=marked("list"), description=marked("Your watches, with buttons to pause and remove")
    )
    async def list_(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        card = await self._watches.listing(*_owner(interaction))
        await interaction.edit_original_response(view=card, allowed_mentions=NO_MENTIONS)

    @app_commands.command(
        name=marked("pause"), description=marked("Pause a watch, or let a paused one go on")
    )
    @app_commands.describe(watch=marked("One of yours"))
    @app_commands.rename(watch=marked("watch"))
    async def pause(self, interaction: Interaction, watch: str) -> None:
        await self._change(interaction, watch, self._watches.toggle)

    @app_commands.command(name=marked("remove"), description=marked("Remove a watch for good"))
    @app_commands.describe(watch=marked("One of yours"))
    @app_commands.rename(watch=marked("watch"))
    async def remove(self, interaction: Interaction, watch: str) -> None:
        await self._change(interaction, watch, self._watches.remove)

    async def _change(
        self, interaction: Interaction, typed: str, work: Callable[[Watch], Awaitable[str]]
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        watch = await self._watches.named(*_owner(interaction), id_in(typed))
        await self._say(interaction, await work(watch))

    async def _say(self, interaction: Interaction, said: str) -> None:
        """Answer, and say if watches have stopped: a direct message may not have reached them."""
        stopped = await self._watches.stopped(*_owner(interaction))
        content = f"{said}\n{stopped}" if stopped else said
        await interaction.edit_original_response(content=content, allowed_mentions=NO_MENTIONS)

    @pause.autocomplete("watch")
    @remove.autocomplete("watch")
    async def complete_watch(self, interaction: Interaction, typed: str) -> Choices:
        found = await self._watches.choices(*_owner(interaction), typed)
        return [Choice(name=name, value=str(id)) for name, id in found[:MOST]]

    @add.autocomplete("zone")
    async def complete_zone(self, interaction: Interaction, typed: str) -> Choices:
        return [Choice(name=name, value=name) for name in map(zones.said, zones.like(typed, MOST))]


def _owner(interaction: Interaction) -> tuple[int, int]:
    """The server, and the member who used a command there."""
    assert interaction.guild_id is not None
    return interaction.guild_id, interaction.user.id


def id_in(value: str) -> int:
    """The watch that was chosen; 0, which no watch has, where the value names none."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else 0


def _digest(value: str) -> Digest:
    return "hourly" if value == "hourly" else "daily" if value == "daily" else ""
