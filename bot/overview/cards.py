"""The message of an overview: named clusters, the drawn pictures, and the menu."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import discord
from discord import ui

from bot.ask import layout
from bot.ask.page import ShownHit
from bot.text import overview as text
from index import Cluster, Month, Overview

# What a menu's custom_id begins with; its options have the links that stand for a cluster, and the
# words of its name.
MENU = "v"
MAX_OPTION = 100  # letters, Discord's limit
LIKE = 4  # links by which the pictures of a cluster are found
BARS = 12  # months in the text
MAX_DESCRIPTION = 1024
SHEET, ATLAS = "overview.webp", "atlas.webp"
IN_A_GALLERY = 10  # Discord's limit


def private(overview: Overview, drawn: Mapping[str, bytes], notes: Sequence[str]) -> layout.Card:
    """For one member, with drawn pictures by the names of their files."""
    names = [text.name(cluster.words) for cluster in overview.clusters]
    described = {SHEET: text.sheet_described(names), ATLAS: text.atlas_described(names)}
    items = [
        discord.MediaGalleryItem(
            f"attachment://{file}", description=described[file][:MAX_DESCRIPTION]
        )
        for file in drawn
    ]
    # One below the other: side by side, Discord would cut off their edges.
    return _card(overview, [ui.MediaGallery(item) for item in items], notes, stills=drawn)


def public(overview: Overview, shown: Mapping[int, ShownHit], notes: Sequence[str]) -> layout.Card:
    """For everybody: with a picture of each cluster as its message has it, so that nothing of a
    picture stays when its message is deleted.

    shown   by link
    """
    items = []
    for cluster in overview.clusters:
        first = next((shown[link] for link in cluster.shown if link in shown), None)
        if first is not None:
            described = text.one_of(cluster.words)[:MAX_DESCRIPTION]
            items.append(discord.MediaGalleryItem(layout.preview(first), description=described))
    galleries: list[layout.Control] = []
    if items:
        galleries.append(ui.MediaGallery(*items[:IN_A_GALLERY]))
    return _card(overview, galleries, [*notes, text.public_shows_no_map()])


def _card(
    overview: Overview,
    galleries: Sequence[layout.Control],
    notes: Sequence[str],
    *,
    stills: Mapping[str, bytes] = layout.NO_STILLS,
) -> layout.Card:
    shown = overview.last_months(BARS)
    lines = [
        text.line(number, one.words, one.count, overview.count, text.bars(one.months, shown))
        for number, one in enumerate(overview.clusters, start=1)
    ]
    parts: list[layout.Control] = [ui.TextDisplay("\n".join(lines))]
    parts += galleries
    said = [text.names_are_made(), *([text.what_bars_say(shown)] if len(shown) > 1 else [])]
    return layout.card(
        f"### {text.title()}\n-# {subtitle(overview)}",
        *parts,
        notes=[*said, *notes],
        menu=_menu(overview),
        stills=stills,
    )


def subtitle(overview: Overview) -> str:
    first, last = overview.span
    told = text.pictures(overview.count), text.clusters(len(overview.clusters))
    return " · ".join([*told, text.months(first, last)])


def _menu(overview: Overview) -> ui.Select[ui.LayoutView]:
    options = [
        discord.SelectOption(
            label=f"{number} · {text.name(cluster.words)}",
            value=_option(number, cluster),
        )
        for number, cluster in enumerate(overview.clusters, start=1)
    ]
    return ui.Select(custom_id=MENU, placeholder=text.menu(), options=options)


def _option(number: int, cluster: Cluster) -> str:
    """A cluster as a menu has it: its number, the links that stand for it, and its words. Words
    that don't fit are left out."""
    parts = [str(number), *map(str, cluster.shown[:LIKE])]
    for word in cluster.words:
        if len(",".join([*parts, word])) <= MAX_OPTION:
            parts.append(word)
    return ",".join(parts)


def links_in(value: str) -> tuple[int, ...]:
    """The links that stand for the cluster that was chosen in a menu; () where it names none."""
    return tuple(map(int, itertools.takewhile(_is_link, value.split(",")[1 : LIKE + 1])))


def name_in(value: str) -> str:
    """The name of the cluster that was chosen in a menu."""
    return text.name(value.split(",")[1 + len(links_in(value)) :])


def _is_link(part: str) -> bool:
    return part.isascii() and part.isdecimal() and len(part) < 20


def months_of(cluster: Cluster, shown: Sequence[Month]) -> list[int]:
    """How many pictures of a cluster each of these months has."""
    return [cluster.months.get(month, 0) for month in shown]
