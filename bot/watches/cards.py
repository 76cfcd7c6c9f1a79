"""The cards of watches: a notice, and the list of a member's watches with its controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

import discord
from babel import dates
from discord import ui

from bot.ask import layout
from bot.ask.page import ResultPage
from bot.languages.speech import LOCALES, joined, spoken
from bot.platform.interactions import button
from bot.text import watches as text
from bot.watches import reasons, zones
from bot.watches.choices import DAILY_AT, Choices
from index import Notice, Watch

# A click pauses the watch that a notice is of. The name tells the notice from others.
PAUSE = r"wp:(?P<watch>\d+):(?P<name>[0-9a-f]+)"
# Pause a watch of the list, or let it go on; and the menu that removes one.
TOGGLE = r"wt:(?P<watch>\d+)"
REMOVE = "wr"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message with notices that is being sent.

    name      by which it is known whether it was sent
    server    the server's name, where the message doesn't stand in it; "": it does
    again     when the next message may come (Unix seconds), if this is the last of the day
    """

    watch: Watch
    name: str
    server: str = ""
    again: float | None = None


def notice(sent: Sent, page: ResultPage) -> layout.Card:
    """New pictures that fit a watch."""
    watch, public = sent.watch, sent.watch.group is not None
    said = text.wish(watch.asked, public=public)
    heading = text.public_notice(f"<@{watch.owner}>", said) if public else text.notice(said)
    notes = [text.on_server(sent.server)] if sent.server else []
    if sent.again is not None:
        notes.append(text.last_of_today(f"<t:{int(sent.again)}:t>"))
    return layout.card(
        f"### {heading}",
        *layout.rows(page, public=True),
        notes=notes,
        buttons=[button(f"wp:{watch.id}:{sent.name}", text.pause_this())],
    )


def listing(
    watches: Sequence[Watch], waiting: Mapping[int, Sequence[Notice]], most: int
) -> layout.Card:
    """A member's watches, each with a button, and a menu to remove one.

    waiting   what waits to be told, by watch
    """
    if not watches:
        return layout.card(text.no_watches())
    menu: ui.Select[Any] = ui.Select(
        custom_id=REMOVE,
        placeholder=text.remove_menu(),
        options=[
            discord.SelectOption(label=text.wish_in_plain(one.asked), value=str(one.id))
            for one in watches
        ],
    )
    rows = [_row(watch, len(waiting.get(watch.id, ()))) for watch in watches]
    return layout.card(f"### {text.list_heading(len(watches), most)}", *rows, menu=menu)


def _row(watch: Watch, waiting: int) -> layout.Control:
    choices = Choices.from_json(watch.settings)
    told = [text.goes_to(f"<#{watch.group}>" if watch.group else ""), when(choices)]
    if waiting:
        told.append(text.waiting(waiting))
    said = f"**{text.wish(watch.asked)}**\n-# {' · '.join(filter(None, told))}"
    if watch.paused:
        said = f"{said}\n-# {why(watch.paused)}"
    label = text.go_on() if watch.paused else text.pause()
    return ui.Section(said, accessory=button(f"wt:{watch.id}", label))


def when(choices: Choices) -> str:
    """When notices come, as far as that was chosen."""
    said = []
    if choices.digest == "hourly":
        said.append(text.hourly())
    elif choices.digest == "daily":
        said.append(text.daily(_clock(DAILY_AT.hour * 60), zones.said(choices.zone)))
    if choices.quiet is not None:
        begin, end = map(_clock, choices.quiet)
        said.append(text.quiet_hours(begin, end, zones.said(choices.zone)))
    return joined(*said) if said else ""


def _clock(minutes: int) -> str:
    """A time of day as the language writes it."""
    at = time(minutes // 60, minutes % 60)
    return dates.format_time(at, format="short", locale=LOCALES[spoken()])


def why(reason: str) -> str:
    """Why a watch is paused, and what can be done about it."""
    said = {
        reasons.CLOSED_DMS: text.dms_closed,
        reasons.NO_CHANNEL: text.channel_gone,
        reasons.MAY_NOT_WRITE: text.may_not_write,
        reasons.OTHER_MODEL: text.other_model,
        reasons.REFUSED: text.notice_refused,
    }
    return said.get(reason, text.paused_by_you)()
