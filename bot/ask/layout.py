"""The layout of an answer: cards with pictures, each beside its author, place, date and link."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import discord
from discord import ui

from bot.ask.page import ResultPage, ShownHit
from bot.languages.speech import day
from bot.text import answers as text
from bot.text.pieces import headed, quoted
from index import Verdict

IRIDESCENT = 0x2F7F86  # the colour of a magpie's wing
BUTTONS_IN_A_ROW = 5  # Discord's limit
MAX_DESCRIPTION = 1024  # letters of a picture's description
MAX_NAME = 300  # letters of them
MAX_OPTION = 100  # letters of an option of a menu

NO_STILLS: Mapping[str, bytes] = MappingProxyType({})

Control = ui.Item[Any]


class Card(ui.LayoutView):
    """A message that is one card.

    stills   the files that it shows beside pictures of messages, by their names
    """

    def __init__(self, stills: Mapping[str, bytes] = NO_STILLS) -> None:
        super().__init__(timeout=None)
        self._stills = stills

    @property
    def files(self) -> list[discord.File]:
        """The stills, to be sent with it; made anew, since a file can be sent once."""
        return [discord.File(io.BytesIO(data), name) for name, data in self._stills.items()]


def card(
    heading: str,
    *parts: Control,
    notes: Sequence[str] = (),
    menu: ui.Select[Any] | None = None,
    buttons: Sequence[Control] = (),
    stills: Mapping[str, bytes] = NO_STILLS,
) -> Card:
    """A card: a heading, what it is about, small notes below, and the controls.

    menu      takes a row of its own, as Discord demands
    stills    files that are sent with it, see `stills`
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
    view = Card(stills)
    view.add_item(container)
    view.stop()  # its controls are dynamic items, so discord.py need not keep the view
    return view


def stills(page: ResultPage) -> dict[str, bytes]:
    """The frames of the videos and animations of a page that fit, by the names of their files.

    They are sent with answers that one member sees, and that Discord forgets. In an answer that all
    see they would outlive the video: then its own still is shown, which Discord makes.
    """
    return {_still_of(one): one.still for one in page.shown if one.still is not None}


def rows(page: ResultPage, *, public: bool) -> list[Control]:
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
            accessory=_beside(
                one,
                preview(one) if public else _frame(one),
                headed(str(number), _described(one))[:MAX_DESCRIPTION],
            ),
        )
        for number, one in page.numbered
    ]


def large(page: ResultPage) -> list[Control]:
    """The one picture of a page, as large as Discord shows it; before an animation or a video, its
    frame that fits."""
    [shown] = page.shown
    urls = [_frame(shown)] if shown.still is not None else []
    urls += [shown.picture.urls[0]] if shown.picture.shown_by_discord else []
    items = [
        discord.MediaGalleryItem(url, description=_described(shown), spoiler=_hidden(shown))
        for url in urls
    ]
    lines = [_by(shown), f"-# {_small(shown, _doubt(page))}"]
    lines += [f"-# {said}" for said in _says(shown)]
    if shown.hit.concepts and not _hidden(shown):
        lines.append(f"-# {text.sees(shown.hit.concepts)}")
    below: Control = ui.TextDisplay("\n".join(lines))
    return [ui.MediaGallery(*items), below] if items else [below]


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
        accessory=_beside(shown, preview(shown), _described(shown)),
    )


def _beside(shown: ShownHit, url: str, description: str) -> ui.Thumbnail[Any] | ui.Button[Any]:
    """The picture at an address, small; of one that Discord can't show there, the way to it."""
    if url == shown.picture.urls[0] and not shown.picture.shown_by_discord:
        return ui.Button(label=text.see_the_sticker(), url=shown.message.jump_url)
    return ui.Thumbnail(url, description=description, spoiler=_hidden(shown))


def option(value: str, label: Callable[[str], str], shown: ShownHit) -> discord.SelectOption:
    """What can be done with a picture, as an option of a menu, which can show plain text only.

    label   says it of the picture, from who posted it and where
    """
    return discord.SelectOption(value=value, label=label(_by_name(shown))[:MAX_OPTION])


def options(page: ResultPage) -> list[discord.SelectOption]:
    """The pictures of a page as the options of a menu, which can show plain text only."""
    named = [(f"{number} · {_by_name(one)}"[:MAX_OPTION], one) for number, one in page.numbered]
    return [discord.SelectOption(label=name, value=str(one.hit.id)) for name, one in named]


def preview(shown: ShownHit) -> str:
    """Where a still picture is that stands for it. Of a video, the proxy makes one."""
    picture = shown.picture
    return (picture.poster or picture.urls)[0] if picture.video else picture.urls[0]


def _frame(shown: ShownHit) -> str:
    """Where its frame is that fits; of a still picture, itself."""
    return preview(shown) if shown.still is None else f"attachment://{_still_of(shown)}"


def _still_of(shown: ShownHit) -> str:
    """The name of the file with the frame that fits."""
    return f"{'SPOILER_' if _hidden(shown) else ''}{shown.hit.id}.webp"


def _link(shown: ShownHit) -> str:
    return f"[{text.go_to_message_link()}]({shown.message.jump_url})"


def _by(shown: ShownHit) -> str:
    message = shown.message
    return text.posted_by(message.author.mention, f"<#{message.channel.id}>")


def _doubt(page: ResultPage) -> str:
    """What is said of a picture that may not fit; "" where the heading says it of all."""
    if page.guesses:
        return text.a_guess()
    return text.perhaps() if page.verdict is Verdict.SURE else ""


def _small(shown: ShownHit, doubt: str) -> str:
    parts = [_day(shown)]
    if shown.hit.clock:
        parts.append(text.at(shown.hit.clock))
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
    known = picture.title or picture.filename or text.a_picture()
    name = text.a_spoiler() if hidden else known
    name = name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"
    name = text.described_at(name, shown.hit.clock) if shown.hit.clock else name
    said = text.described(name, _by_name(shown), day(shown.message.created_at))
    if shown.hit.says and not hidden:
        said = text.in_turn(said, text.it_says(shown.hit.says))
    if shown.hit.concepts and not hidden:
        said = text.in_turn(said, text.sees(shown.hit.concepts))
    return said[:MAX_DESCRIPTION]


def _by_name(shown: ShownHit) -> str:
    """Who posted it, and where, as plain text: "Ada in #pets"."""
    message = shown.message
    channel = message.guild and message.guild.get_channel_or_thread(message.channel.id)
    name = message.author.display_name
    if channel is None:  # an archived thread isn't known
        return name
    return text.posted_by(name, f"#{channel.name}")
