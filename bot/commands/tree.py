"""The command tree: it times commands, and answers their errors with sentences."""

from __future__ import annotations

import logging
import time
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Namespace

from bot.ask.respond import explain
from bot.languages.speech import speak
from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.platform.interactions import Interaction
from bot.platform.unreadable import Unreadable, described, is_unreadable

log = logging.getLogger(__name__)


class CommandTree(app_commands.CommandTree[discord.Client]):
    """Times commands, and answers their errors with sentences."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        interaction.extras["began"] = time.perf_counter()
        return True

    async def _call(self, interaction: Interaction) -> None:
        """Answer also a command whose options discord.py can't read; it would lose the error."""
        speak(interaction.locale)
        if interaction.type is discord.InteractionType.autocomplete:
            await self._complete(interaction)
            return
        try:
            await super()._call(interaction)
        except app_commands.AppCommandError:
            raise
        except Exception as error:
            if is_unreadable(error):
                log.warning(fields("command_unread", id=interaction.id, why=described(error)))
                error = Unreadable(described(error))
            await explain(interaction, error)

    async def _complete(self, interaction: Interaction) -> None:
        """Answer a key that was typed into an option. Where that fails there are no choices, and
        the log gets a line; discord.py would write a traceback for each key."""
        try:
            data: Any = interaction.data
            command, options = self._get_app_command_options(data)
            typed = Namespace(interaction, {}, options)
            focused = next(option["name"] for option in options if option.get("focused"))
            await command._invoke_autocomplete(interaction, focused, typed)
        except Exception as error:
            why = described(error)
            log.warning(fields("nothing_suggested", guild=interaction.guild_id, why=why))

    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        await explain(interaction, error)


def observe(
    metrics: Metrics,
    interaction: discord.Interaction[Any],
    command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu,
) -> None:
    """Count how long a command took."""
    took_s = time.perf_counter() - interaction.extras["began"]
    metrics.answering.labels(command.qualified_name).observe(took_s)
