"""The controls below an answer. Each custom_id holds all that a click needs, so that it works after
a restart; `bot.commands.controls` answers to them."""

from __future__ import annotations

import binascii
import math
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import discord
from discord import ui

from bot.platform.interactions import button
from bot.text import answers as text
from index import Position, Sort

MAX_LINE = 4000  # letters of a form's field: Discord's limit
GREATEST = 2**53  # of ranks and links
# Of a position: rank, link, score, time of posting. 32 bytes are 43 letters of a custom_id, which
# may have 100.
_POSITION = struct.Struct(">qqdd")

_SEARCH = r"(?P<search>[\w-]+)"
_PAGE = rf"{_SEARCH}:(?P<after>[\w-]*)(?P<guesses>:g)?"
_LINK = r"(?P<link>\d+)"
PAGE = rf"m:{_PAGE}"
# The page before the one that begins here.
BEFORE = rf"b:{_PAGE}"
# The menu of a page: a closer look at one of its pictures, or another order.
MENU = rf"l:{_PAGE}"
# Where a picture of a page and its near-copies were posted.
PLACES = rf"w:{_PAGE}:{_LINK}"
# The same search, with more or less like one of its pictures; and without the last of these.
STEER = rf"f:{_SEARCH}:(?P<to>more|less):{_LINK}"
UNDO = rf"u:{_SEARCH}:(?P<to>more|less)"
# The form with the question as a line, to be changed and asked again; and the button that opens it.
NARROW = rf"n:{_SEARCH}"
LINE = "line"  # its field
# Pictures similar to one that was found: the id of its link.
SIMILAR = rf"s:{_LINK}"
# The same question with another picture of the same message.
INSTEAD = rf"i:{_SEARCH}:(?P<n>\d+)"

ORDERS = (Sort.BEST, Sort.NEWEST, Sort.OLDEST)

Steering: TypeAlias = Literal["more", "less"]  # like a picture


@dataclass(frozen=True, slots=True)
class PageOf:
    """A page of a saved search.

    after    where it begins; None: at the beginning
    guesses  whether it also shows what doesn't fit
    """

    search: str
    after: Position | None = None
    guesses: bool = False

    def __str__(self) -> str:
        start = _packed(self.after) if self.after else ""
        return f"{self.search}:{start}{':g' if self.guesses else ''}"


def page_of(match: re.Match[str]) -> PageOf:
    """The page that a custom_id names.

    Where a forged one names a position that no page has, it is the first page.
    """
    return PageOf(match["search"], _unpacked(match["after"]), match["guesses"] is not None)


def steering_of(match: re.Match[str]) -> Steering:
    return "more" if match["to"] == "more" else "less"


def _packed(position: Position) -> str:
    numbers = position.rank, position.link, position.score, position.posted_at
    return urlsafe_b64encode(_POSITION.pack(*numbers)).decode().rstrip("=")


def _unpacked(letters: str) -> Position | None:
    try:
        packed = urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
        rank, link, score, posted_at = _POSITION.unpack(packed)
    except (binascii.Error, ValueError, struct.error):
        return None
    whole = 0 <= rank <= GREATEST and 0 <= link <= GREATEST
    if not whole or not math.isfinite(score) or not math.isfinite(posted_at):
        return None
    return Position(rank, score, link, posted_at)


def more(page: PageOf | None) -> ui.Button[Any]:
    """The next page; it is shown, but can't be clicked, where there is none."""
    return _arrow("m", page, "▶")


def back(page: PageOf | None) -> ui.Button[Any]:
    """The page before the one that begins here; None: that is the first one."""
    return _arrow("b", page, "◀")


def _arrow(prefix: str, page: PageOf | None, label: str) -> ui.Button[Any]:
    shown = button(f"{prefix}:{page or '-'}", label)
    shown.disabled = page is None
    return shown


def to_page(page: PageOf, label: str) -> ui.Button[Any]:
    return button(f"m:{page}", label)


def menu(page: PageOf, options: list[discord.SelectOption]) -> ui.Select[Any]:
    """What can be done with a page. An option's value is a picture's link, or an order."""
    return ui.Select(custom_id=f"l:{page}", placeholder=text.menu(), options=options)


def orders(now: Sort) -> list[discord.SelectOption]:
    """The other orders, as options of a menu."""
    return [
        discord.SelectOption(label=text.order_label(sort), value=sort.value)
        for sort in ORDERS
        if sort is not now
    ]


def order_in(value: str) -> Sort | None:
    """The order that was chosen in a menu, if one was."""
    return Sort(value) if value in [sort.value for sort in ORDERS] else None


def message(url: str) -> ui.Button[Any]:
    return ui.Button(label=text.go_to_message(), url=url)


def steer(search: str, to: Steering, link: int) -> ui.Button[Any]:
    return button(f"f:{search}:{to}:{link}", text.like_this(to))


def undo(search: str, to: Steering, times: int) -> ui.Button[Any]:
    """times: how often it can be undone"""
    return button(f"u:{search}:{to}", text.undo(to, times))


def narrow(search: str) -> ui.Button[Any]:
    return button(f"n:{search}", text.narrow())


def form(search: str, line: str) -> ui.Modal:
    """The question as a line, to be changed. Its custom_id holds what its answer needs, so that
    discord.py need not keep the form."""
    shown = ui.Modal(title=text.narrow_the_search(), custom_id=f"n:{search}")
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=LINE,
        default=line,
        required=False,
        max_length=MAX_LINE,
        placeholder=text.example(),
    )
    shown.add_item(
        ui.Label(text=text.question(), description=text.how_to_narrow(), component=field)
    )
    shown.stop()
    return shown


def places(page: PageOf, link: int, copies: int) -> ui.Button[Any]:
    return button(f"w:{page}:{link}", text.more_places(copies))


def similar(link: int) -> ui.Button[Any]:
    return button(f"s:{link}", text.only_similar())


def instead(search: str, n: int) -> ui.Button[Any]:
    return button(f"i:{search}:{n}", text.picture_of_message(n + 1))


def link_in(value: str) -> int:
    """The picture that was chosen in a menu; 0, which no link has, where it names none."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 20 else 0
