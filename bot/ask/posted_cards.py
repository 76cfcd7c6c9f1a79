"""What the card of "Posted before?" says and offers.

Each custom_id holds all that a click needs, so that it works after a restart and nothing is kept of
the question; `bot.commands.posted_before` answers to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import discord
from discord import ui

from bot.ask import layout
from bot.ask.cards import MAX_CHOICES
from bot.ask.page import ResultPage, ShownHit
from bot.platform.interactions import button
from bot.platform.refusal import Refusal
from bot.text import answers as answer_text
from bot.text import copies as text
from index import Copy, Hit, ShownBy

PLACES = 8  # on a page; each costs a request

_SPOT = r"(?P<group>\d{1,19}):(?P<message>\d{1,19}):(?P<chosen>\d{1,3}):(?P<start>\d{1,6})"
# A page about a picture of a message, from the place with this number on.
PAGE = rf"q:{_SPOT}"
# What a moderator says about it.
MENU = rf"k:{_SPOT}"

NOT_A_COPY, COPY, PASS, NOTE = "n", "c", "pass", "note"


@dataclass(frozen=True, slots=True)
class Spot:
    """A page about a picture of a message.

    start   how many places come before the page
    """

    group: int
    message: int
    chosen: int = 0
    start: int = 0

    def __str__(self) -> str:
        return f"{self.group}:{self.message}:{self.chosen}:{self.start}"


def spot_of(match: re.Match[str]) -> Spot:
    """The page that a custom_id names."""
    return Spot(*(int(match[name]) for name in ("group", "message", "chosen", "start")))


def spot_at(shown_by: ShownBy, start: int = 0) -> Spot:
    return Spot(shown_by.group, int(shown_by.source), shown_by.chosen, start)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of a picture, as it is to be told.

    shown_by    which picture of which message
    start       how many places come before the page
    copies      by link
    indexed     whether the picture itself is in the gallery
    alike       links that show look-alikes
    refused     links of what was called no copies, for a moderator
    moderator   whether the reader may correct it
    passes      whether it passes without a note in its channel; None: notes are not written there
    public      everybody there reads it
    notes       sentences below
    """

    shown_by: ShownBy
    start: int
    copies: Mapping[int, Copy]
    indexed: bool
    alike: frozenset[int]
    refused: frozenset[int]
    moderator: bool
    passes: bool | None
    public: bool
    notes: tuple[str, ...]

    def is_before(self, hit: Hit) -> bool:
        """Whether it was posted before the picture that is asked about; ids of messages grow."""
        return int(hit.link.source) < int(self.shown_by.source)

    def how(self, hit: Hit) -> str:
        """How the newer of the two pictures differs from the older one.

        The gallery takes a picture that isn't in it for the newest of all, so of later copies it
        doesn't know what was done to them.
        """
        copy = self.copies[hit.id]
        if not self.indexed and not self.is_before(hit):
            return text.edited(copy.kind)
        return text.edited(copy.kind, copy.edits)


def card(finding: Finding, page: ResultPage) -> layout.Card:
    """The page as its readers may see it now.

    raises   Refusal if all the places that it would show are gone
    """
    places = [one for one in page.shown if one.hit.id in finding.copies]
    if finding.copies and not places:
        raise Refusal(text.gone)
    every = sorted((hit for one in places[:1] for hit in (one.hit, *one.copies)), key=by_time)
    numbers = {hit.id: number for number, hit in enumerate(every, start=1)}
    before = sum(map(finding.is_before, every))
    parts = [
        *_listed(finding, places, numbers),
        *_look_alikes(page, finding, any_copy=bool(every)),
    ]
    return layout.card(
        "\n".join(_heading(finding, before, len(every), places, numbers)),
        *parts,
        notes=finding.notes,
        menu=_menu(finding, page, numbers) if finding.moderator else None,
        buttons=_buttons(finding, len(every)),
    )


def by_time(hit: Hit) -> tuple[int, int]:
    """Places in the order in which they were posted."""
    return int(hit.link.source), hit.id


def _heading(
    finding: Finding,
    before: int,
    total: int,
    places: Sequence[ShownHit],
    numbers: Mapping[int, int],
) -> list[str]:
    lines = [f"### {text.heading(before, total - before)}"]
    if not before:
        lines.append(f"-# {text.none_before(public=finding.public)}")
    if total > len(places):
        shown = [numbers[one.hit.id] for one in places]
        lines.append(f"-# {text.span(min(shown), max(shown), total)}")
    return lines


def _listed(
    finding: Finding, places: Sequence[ShownHit], numbers: Mapping[int, int]
) -> list[layout.Control]:
    """The first place with its picture, and a line for each other one."""
    parts: list[layout.Control] = []
    before = [one for one in places if finding.is_before(one.hit)]
    if before and numbers[before[0].hit.id] == 1:
        first, *before = before
        parts.append(layout.beside(first, text.first(), finding.how(first.hit)))
    since = [one for one in places if not finding.is_before(one.hit)]
    for heading, some in ((), before), ((f"**{text.posted_since()}**",), since):
        lines = [
            f"**{numbers[one.hit.id]}** · {layout.line(one, finding.how(one.hit))}" for one in some
        ]
        if lines:
            parts.append(ui.TextDisplay("\n".join([*heading, *lines])))
    return parts


def _look_alikes(page: ResultPage, finding: Finding, *, any_copy: bool) -> list[layout.Control]:
    alike = [one for one in page.shown if one.hit.id in finding.alike]
    if not alike:
        return []
    heading = text.look_alikes() if any_copy else text.only_look_alikes()
    return [
        ui.Separator(),
        ui.TextDisplay(f"**{heading}**"),
        *(layout.beside(one, "") for one in alike),
    ]


# ---- controls


def _menu(finding: Finding, page: ResultPage, numbers: Mapping[int, int]) -> ui.Select[Any] | None:
    """What a moderator can say; None if there is nothing to say."""
    options = []
    for one in page.shown:
        id = one.hit.id
        if id in finding.copies and finding.copies[id].kind == "copy":
            said = partial(text.not_a_copy, numbers[id])
            options.append(layout.option(f"{NOT_A_COPY}:{id}", said, one))
        elif id in finding.refused:
            options.append(layout.option(f"{COPY}:{id}", text.a_copy_after_all, one))
    if finding.passes is not None:
        value, label = (NOTE, text.note_again()) if finding.passes else (PASS, text.let_pass())
        options.append(discord.SelectOption(value=value, label=label))
    if not options:
        return None
    spot = spot_at(finding.shown_by, finding.start)
    return ui.Select(custom_id=f"k:{spot}", placeholder=text.menu(), options=options)


def _buttons(finding: Finding, total: int) -> list[layout.Control]:
    """Back and forth, and the other pictures of the message.

    A public answer always has the button for a private one, so the button tells nothing about what
    was left out.
    """
    shown_by = finding.shown_by
    spot = spot_at(shown_by, finding.start)
    if finding.public:
        offered: list[layout.Control] = [to_page(spot, text.details())]
    elif total > PLACES:
        back, further = finding.start - PLACES, finding.start + PLACES
        offered = [
            _arrow("◀", replace(spot, start=max(back, 0)), enabled=finding.start > 0),
            _arrow("▶", replace(spot, start=further), enabled=further < total),
        ]
    else:
        offered = []
    others = [n for n in range(shown_by.count) if n != shown_by.chosen]
    offered += [
        to_page(replace(spot, chosen=n, start=0), answer_text.picture_of_message(n + 1))
        for n in others[:MAX_CHOICES]
    ]
    return offered


def to_page(spot: Spot, label: str) -> ui.Button[Any]:
    return button(f"q:{spot}", label)


def _arrow(label: str, spot: Spot, *, enabled: bool) -> ui.Button[Any]:
    shown = button(f"q:{spot}" if enabled else f"q:-{label}", label)
    shown.disabled = not enabled
    return shown
