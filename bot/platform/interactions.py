"""Commands and buttons: the type of an interaction, and buttons that survive a restart."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeAlias

import discord
from discord import app_commands, ui

Interaction: TypeAlias = discord.Interaction[discord.Client]
Tree: TypeAlias = app_commands.CommandTree[discord.Client]

NO_MENTIONS = discord.AllowedMentions.none()


def button(custom_id: str, label: str) -> ui.Button[Any]:
    """A button that a class of `dynamic_item` answers to, also after a restart."""
    return ui.Button(label=label, custom_id=custom_id)


def dynamic_item(
    template: str, clicked: Callable[[discord.Interaction[Any], re.Match[str]], Awaitable[None]]
) -> type[ui.DynamicItem[ui.Item[Any]]]:
    """The class that discord.py makes of a button or menu whose custom_id fits `template`, when it
    is used.

    The custom_id holds all that `clicked` needs, so that it works after a restart.
    """

    class Clicked(ui.DynamicItem[ui.Item[Any]], template=template):
        def __init__(self, item: ui.Item[Any], match: re.Match[str]) -> None:
            super().__init__(item)
            self._match = match

        @classmethod
        async def from_custom_id(
            cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
        ) -> Self:
            return cls(item, match)

        async def callback(self, interaction: discord.Interaction[Any]) -> None:
            await clicked(interaction, self._match)

    return Clicked


def all_chosen(interaction: discord.Interaction[Any]) -> list[str]:
    """What was chosen in a menu."""
    data: Any = interaction.data or {}
    return [str(value) for value in data.get("values") or ()]


def chosen(interaction: discord.Interaction[Any]) -> str:
    """What was chosen in a menu of one choice; "" if it was left."""
    return next(iter(all_chosen(interaction)), "")


def field(interaction: discord.Interaction[Any], custom_id: str) -> str:
    """What was filled in in a text field of a form; "" if it is empty."""
    data: Any = interaction.data or {}
    fields = [part.get("component") or {} for part in data.get("components") or ()]
    return next((str(f.get("value") or "") for f in fields if f.get("custom_id") == custom_id), "")


def is_private(interaction: discord.Interaction[Any]) -> bool:
    """Whether a button or menu was used below an answer that only this member sees."""
    return interaction.message is not None and interaction.message.flags.ephemeral


def view_of(*items: ui.Item[Any]) -> ui.View:
    """A view of these buttons that discord.py does not keep: a `dynamic_item` answers to them."""
    view = ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
