"""The layout of an answer: cards with pictures, each beside its author, place, date and link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.ask.page import ResultPage, ShownHit
from bot.text import answers as text
from bot.text.pieces import quoted
from index import Verdict

IRIDESCENT = 0x2F7F86  # the colour of a magpie's wing
BUTTONS_IN_A_ROW = 5  # Discord's limit
MAX_DESCRIPTION = 1024  # letters of a picture's description
MAX_NAME = 300  # letters of them
MAX_OPTION = 100  # letters of an option of a menu

Control = ui.Item[Any]


def card(
    heading: str,
    *parts: Control,
    notes: Sequence[str] = (),
    menu: ui.Select[Any] | None = None,
    buttons: Sequence[Control] = (),
) -> ui.LayoutView:
    """A card: a heading, what it is about, small notes below, and the controls.

    menu      takes a row of its own, as Discord demands
    """
    container: ui.Container[Any] = ui.Container(accent_colour=IRIDESCENT)
    container.add_item(ui.TextDisplay(heading))
    for part in parts:
        container.add_item(part)
    if notes:
        container.add_item(ui.TextDisplay("\n".join(f"-# {note}" for note in notes)))
    if menu is not None:
        container.add_item(ui.ActionRow(menu))
    for row in discord.utils.as_chunks(buttons, BUTTONS_IN_A_ROW):
        container.add_item(ui.ActionRow(*row))
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()  # its controls are dynamic items, so discord.py need not keep the view
    return view


def rows(page: ResultPage) -> list[Control]:
    """The pictures of a page, one below the other, small enough that six fit on a phone."""
    return [
        ui.Section(
            "\n-# ".join(
                [
                    f"**{number}** · **{_link(one)}**\n{_by(one)}",
                    _small(one, _doubt(page)),
                    *_says(one),
                ]
            ),
            accessory=ui.Thumbnail(
                one.picture.urls[0],
                description=f"{number}: {_described(one)}"[:MAX_DESCRIPTION],
                spoiler=_hidden(one),
            ),
        )
        for number, one in page.numbered
    ]


def large(page: ResultPage) -> list[Control]:
    """The one picture of a page, as large as Discord shows it."""
    [shown] = page.shown
    item = discord.MediaGalleryItem(
        shown.picture.urls[0], description=_described(shown), spoiler=_hidden(shown)
    )
    lines = [_by(shown), f"-# {_small(shown, _doubt(page))}"]
    lines += [f"-# {said}" for said in _says(shown)]
    if shown.hit.concepts and not _hidden(shown):
        lines.append(f"-# {text.sees(shown.hit.concepts)}")
    return [ui.MediaGallery(item), ui.TextDisplay("\n".join(lines))]


def places(page: ResultPage) -> Control:
    """The messages of a page, a line each."""
    return ui.TextDisplay(
        "\n".join(f"{_by(one)} · {_day(one)} · **{_link(one)}**" for one in page.shown)
    )


def line(shown: ShownHit, *said: str) -> str:
    """Where a picture was posted, on one line, and what is said of it."""
    return " · ".join([_by(shown), _day(shown), *said, f"**{_link(shown)}**"])


def beside(shown: ShownHit, label: str, *said: str) -> Control:
    """A picture, and beside it where it was posted and what is said of it."""
    first = " · ".join(f"**{one}**" for one in (label, _link(shown)) if one)
    return ui.Section(
        f"{first}\n{_by(shown)}\n-# {' · '.join([_day(shown), *said])}",
        accessory=ui.Thumbnail(
            shown.picture.urls[0], description=_described(shown), spoiler=_hidden(shown)
        ),
    )


def option(value: str, label: str, shown: ShownHit) -> discord.SelectOption:
    """What can be done with a picture, as an option of a menu, which can show plain text only."""
    return discord.SelectOption(value=value, label=f"{label} {_by_name(shown)}"[:MAX_OPTION])


def options(page: ResultPage) -> list[discord.SelectOption]:
    """The pictures of a page as the options of a menu, which can show plain text only."""
    named = [(f"{number} · {_by_name(one)}"[:MAX_OPTION], one) for number, one in page.numbered]
    return [discord.SelectOption(label=name, value=str(one.hit.id)) for name, one in named]


def _link(shown: ShownHit) -> str:
    return f"[go to message]({shown.message.jump_url})"


def _by(shown: ShownHit) -> str:
    return f"{shown.message.author.mention} in <#{shown.message.channel.id}>"


def _doubt(page: ResultPage) -> str:
    """What is said of a picture that may not fit; "" where the heading says it of all."""
    if page.guesses:
        return "a guess"
    return "perhaps" if page.verdict is Verdict.SURE else ""


def _small(shown: ShownHit, doubt: str) -> str:
    parts = [_day(shown)]
    if shown.picture.title and not _hidden(shown):
        parts.append(quoted(shown.picture.title, 40))
    if doubt and not shown.hit.sure:
        parts.append(doubt)
    if shown.copies:
        parts.append(text.and_more(len(shown.copies)))
    return " · ".join(parts)


def _says(shown: ShownHit) -> list[str]:
    """What is written in a picture, as far as it was asked for; nothing of a spoiler."""
    return [text.says(shown.hit.says)] if shown.hit.says and not _hidden(shown) else []


def _day(shown: ShownHit) -> str:
    return discord.utils.format_dt(shown.message.created_at, "D")


def _hidden(shown: ShownHit) -> bool:
    """Whether it is a spoiler, in its message now or when it was indexed."""
    return shown.picture.spoiler or shown.hit.link.spoiler


def _described(shown: ShownHit) -> str:
    """A picture in plain words: its name, who posted it, where and when, what is written and what
    is seen in it.

    A title tells what a spoiler shows. So may the name of its file, and what is seen in it.
    """
    picture, hidden = shown.picture, _hidden(shown)
    name = "a spoiler" if hidden else picture.title or picture.filename or "a picture"
    name = name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"
    said = f"{name}, by {_by_name(shown)}, {text.day(shown.message.created_at)}"
    if shown.hit.says and not hidden:
        said = f"{said}. It says “{shown.hit.says}”"
    if shown.hit.concepts and not hidden:
        said = f"{said}. {text.sees(shown.hit.concepts)}"
    return said[:MAX_DESCRIPTION]


def _by_name(shown: ShownHit) -> str:
    """Who posted it, and where, as plain text: "Ada in #pets"."""
    message = shown.message
    channel = message.guild and message.guild.get_channel_or_thread(message.channel.id)
    place = f" in #{channel.name}" if channel else ""  # an archived thread isn't known
    return f"{message.author.display_name}{place}"
