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
    """A button that a class of `dynamic_button` answers to, also after a restart."""
    return ui.Button(label=label, custom_id=custom_id)


def dynamic_button(
    template: str, clicked: Callable[[discord.Interaction[Any], re.Match[str]], Awaitable[None]]
) -> type[ui.DynamicItem[ui.Button[Any]]]:
    """The class that discord.py makes of a click on a button whose custom_id fits `template`.

    A button's custom_id holds all that `clicked` needs, so that it works after a restart.
    """

    class Clicked(ui.DynamicItem[ui.Button[Any]], template=template):
        def __init__(self, match: re.Match[str]) -> None:
            super().__init__(ui.Button(custom_id=match.string))
            self._match = match

        @classmethod
        async def from_custom_id(
            cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
        ) -> Self:
            return cls(match)

        async def callback(self, interaction: discord.Interaction[Any]) -> None:
            await clicked(interaction, self._match)

    return Clicked


def view_of(*items: ui.Item[Any]) -> ui.View:
    """A view of these buttons that discord.py does not keep: a `dynamic_button` answers to them."""
    view = ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
