"""The layout of an answer: a card with pictures, and a line and a button for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord import ui

from bot.ask.page import ResultPage, ShownHit
from bot.text.pieces import quoted

IRIDESCENT = 0x2F7F86  # the colour of a magpie's wing
BUTTONS_IN_A_ROW = 5  # Discord's limit

Button = ui.Item[Any]


def card(
    page: ResultPage,
    *,
    heading: str,
    notes: Sequence[str],
    similar: Callable[[int], Button],
    actions: Sequence[Button],
) -> ui.LayoutView:
    """A card: what was asked, the pictures in a gallery, a line and a button for each.

    similar   link id → the button that looks for more like it
    actions   buttons below
    """
    numbered = list(enumerate(page.shown, start=page.first + 1))
    container: ui.Container[Any] = ui.Container(accent_colour=IRIDESCENT)
    container.add_item(ui.TextDisplay(heading))
    container.add_item(ui.MediaGallery(*(_item(number, shown) for number, shown in numbered)))
    for number, shown in numbered:
        container.add_item(ui.Section(_line(number, shown), accessory=similar(shown.hit.id)))
    _add_footer(container, notes, actions)
    return _view(container)


def notice(
    sentences: Sequence[str], *, notes: Sequence[str] = (), actions: Sequence[Button] = ()
) -> ui.LayoutView:
    """A card with sentences instead of pictures, and buttons for what can be done now."""
    container: ui.Container[Any] = ui.Container(accent_colour=IRIDESCENT)
    container.add_item(ui.TextDisplay("\n".join(sentences)))
    _add_footer(container, notes, actions)
    return _view(container)


def _view(container: ui.Container[Any]) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()  # its buttons are dynamic items, so discord.py need not keep the view
    return view


def _add_footer(
    container: ui.Container[Any], notes: Sequence[str], actions: Sequence[Button]
) -> None:
    if notes:
        container.add_item(ui.Separator())
        container.add_item(ui.TextDisplay("\n".join(f"-# {note}" for note in notes)))
    for row in discord.utils.as_chunks(actions, BUTTONS_IN_A_ROW):
        container.add_item(ui.ActionRow(*row))


def _item(number: int, shown: ShownHit) -> discord.MediaGalleryItem:
    picture = shown.picture
    hidden = _hidden(shown)
    # A title tells what a spoiler shows, and so may the name of its file.
    name = "a spoiler" if hidden else picture.title or picture.filename or "a picture"
    return discord.MediaGalleryItem(
        picture.urls[0],
        description=f"{number}: {name}, from {shown.message.author.display_name}"[:256],
        spoiler=hidden,
    )


def _hidden(shown: ShownHit) -> bool:
    """Whether it is a spoiler, in its message now or when it was indexed."""
    return shown.picture.spoiler or shown.hit.link.spoiler


def _line(number: int, shown: ShownHit) -> str:
    message = shown.message
    when = discord.utils.format_dt(message.created_at, "D")
    titled = shown.picture.title and not _hidden(shown)
    title = f" {quoted(shown.picture.title, 60)} ·" if titled else ""
    return (
        f"**{number}** ·{title} {message.author.mention} in <#{message.channel.id}>\n"
        f"-# {when} · [go to message]({message.jump_url})"
    )
