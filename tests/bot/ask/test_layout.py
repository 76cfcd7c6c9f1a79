"""How an answer is laid out, and that it stays within Discord's limits."""

from __future__ import annotations

import math
import re
import struct
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from typing import Any

import discord
import pytest
from discord import ui

from bot.ask import buttons, cards, layout
from bot.ask import page as pages
from bot.ask.buttons import PageOf
from bot.media import pictures
from index import Asked, Group, Hit, Link, Position, SavedSearch, ShownBy
from tests.bot.offline import GUILD, READ, attachment_payload, guild_of, message_of

# https://docs.discord.com/developers/components/reference
MAX_COMPONENTS, MAX_TEXT, MAX_CUSTOM_ID, MAX_DESCRIPTION, MAX_LABEL = 40, 4000, 100, 1024, 100
ROW, BUTTON, MENU, SECTION, TEXT, THUMBNAIL = 1, 2, 3, 9, 10, 11
SPOILER = 8


def shown(
    guild: discord.Guild,
    number: int,
    *,
    title: str = "",
    spoiler: bool = False,
    concepts: tuple[str, ...] = (),
    says: str | None = None,
    **attachment: Any,
) -> pages.ShownHit:
    attachment = attachment_payload(8000 + number, description=title or None, **attachment)
    message = message_of(guild, 10, id=7000 + number, attachments=[attachment])
    [picture] = pictures.from_message(message)
    link = Link(GUILD, Group(10), str(message.id), picture.slot, spoiler=spoiler)
    hit = Hit(number, 0.3, 10**12 + number, "image", link, 0, None, concepts=concepts, says=says)
    return pages.ShownHit(hit, picture, message, 0)


@pytest.fixture
def guild() -> discord.Guild:
    return guild_of({GUILD: READ}, {10: {}})


def laid_out(
    page: list[pages.ShownHit],
    first: int = 0,
    notes: Sequence[str] = (),
    *,
    public: bool = False,
    **asked: Any,
) -> ui.LayoutView:
    start = Position(first, 0.3, 10**12, 0.0) if first else None
    found = pages.ResultPage(start, Position(first + 6, 0.2, 1, 0.0), more=True, shown=page)
    search = SavedSearch("a" * 12, GUILD, 50, Asked(**{"words": "dog"} | asked))
    return cards.results(search, found, notes, public=public)


def components(payload: Any) -> Iterator[dict[str, Any]]:
    """Every component of a payload, nested ones too."""
    if isinstance(payload, list):
        for item in payload:
            yield from components(item)
    elif isinstance(payload, dict):
        if "type" in payload:
            yield payload
        for value in payload.values():
            yield from components(value)


def texts(view: ui.LayoutView) -> list[str]:
    return [c["content"] for c in components(view.to_components()) if c["type"] == TEXT]


async def test_the_fullest_answer_stays_within_discords_limits(guild: discord.Guild) -> None:
    page = [shown(guild, n, title="very " * 200, says="|" * 80) for n in range(pages.PAGE_SIZE)]
    shown_by = ShownBy(10, "7000", count=12)
    view = laid_out(page, 10**9, ["n" * 200] * 4, words="h" * 300, shown_by=shown_by)
    parts = list(components(view.to_components()))
    assert len(parts) <= MAX_COMPONENTS
    assert sum(len(text) for text in texts(view)) <= MAX_TEXT
    ids = [part["custom_id"] for part in parts if "custom_id" in part]
    assert len(set(ids)) == len(ids) == 1 + 2 + 1 + cards.MAX_CHOICES
    assert max(map(len, ids)) <= MAX_CUSTOM_ID
    rows = [part for part in parts if part["type"] == ROW]
    assert all(len(row["components"]) <= 5 for row in rows)
    [menu] = [part for part in parts if part["type"] == MENU]
    assert [row["components"] for row in rows if menu in row["components"]] == [[menu]]
    assert all(len(option["label"]) <= MAX_LABEL for option in menu["options"])
    described = [part["description"] for part in parts if part["type"] == THUMBNAIL]
    assert len(described) == pages.PAGE_SIZE
    assert max(map(len, described)) <= MAX_DESCRIPTION


async def test_each_picture_stands_beside_its_author_place_date_and_link(
    guild: discord.Guild,
) -> None:
    view = laid_out([shown(guild, 1), shown(guild, 2)], first=6)
    sections = [part for part in components(view.to_components()) if part["type"] == SECTION]
    for id, number, section in zip((7001, 7002), (7, 8), sections, strict=True):
        [line] = [part["content"] for part in section["components"]]
        assert line.startswith(f"**{number}** ·")
        assert "<@50> in <#10>" in line
        assert "<t:1420070400:D>" in line  # the time within the message's id
        assert f"**[go to message](https://discord.com/channels/{GUILD}/10/{id})**" in line
        assert f"/{8000 + number - 6}/" in section["accessory"]["media"]["url"]


async def test_a_picture_is_described_by_number_name_author_place_date_and_what_is_in_it(
    guild: discord.Guild,
) -> None:
    view = laid_out([shown(guild, 1, title="a gardener", concepts=("hat", "rake"))], first=6)
    [thumbnail] = [part for part in components(view.to_components()) if part["type"] == THUMBNAIL]
    assert thumbnail["description"] == (
        "7: a gardener, by 50 in #10, 1 January 2015. I see: hat, rake"
    )


@pytest.mark.parametrize("how", ["by its message", "when it was indexed"])
async def test_a_spoiler_stays_one_and_its_title_is_not_shown(
    guild: discord.Guild, how: str
) -> None:
    now = {"flags": SPOILER, "filename": "SPOILER_dog.png"} if how == "by its message" else {}
    when_indexed = how == "when it was indexed"
    hidden = shown(
        guild,
        1,
        title="the butler",
        spoiler=when_indexed,
        concepts=("knife",),
        says="whodunit",
        **now,
    )
    view = laid_out([hidden, shown(guild, 2, title="a gardener", concepts=("rake",))])
    search = SavedSearch("a" * 12, GUILD, 50, Asked("who was it"))
    closer = cards.closer(search, pages.ResultPage(shown=[hidden]))
    assert not {"knife", "butler", "whodunit"} & set(
        re.findall(r"\w+", str(closer.to_components()))
    )
    shown_ = [c for c in components(view.to_components()) if c["type"] == THUMBNAIL]
    assert [item["spoiler"] for item in shown_] == [True, False]
    for told in ("\n".join(texts(view)), str([item["description"] for item in shown_])):
        assert "butler" not in told
        assert "whodunit" not in told
        assert "gardener" in told


async def test_titles_cannot_contain_links_or_mentions(guild: discord.Guild) -> None:
    view = laid_out([shown(guild, 1, title="@everyone [go](https://evil.example) **x**")])
    told = "\n".join(texts(view))
    assert "@everyone" not in told
    assert r"\[go\]\(https\:\/\/evil.example\)" in told
    assert "**x**" not in told


def test_a_button_names_its_page_exactly() -> None:
    for end in (Position(6, 0.25, 41, 0.1), Position(12, -17.1 / 3, 10**15, 1.7e9), None):
        page = PageOf("ab-c_9", end)
        match = re.fullmatch(buttons.PAGE, str(buttons.to_page(page, "x").custom_id))
        assert match is not None
        assert buttons.page_of(match) == page


@pytest.mark.parametrize(
    "forged",
    [
        "-",
        "_" * 43,  # numbers below 0
        "A" * 16,
        "A" * 90,
        struct.pack(">qqdd", 1, 1, math.nan, 0.0),
        struct.pack(">qqdd", 1, 1, 0.0, math.inf),
        struct.pack(">qqdd", 2**53 + 1, 1, 0.0, 0.0),
    ],
)
def test_a_forged_page_is_the_first(forged: str | bytes) -> None:
    if isinstance(forged, bytes):
        forged = urlsafe_b64encode(forged).decode().rstrip("=")
    match = re.fullmatch(buttons.PAGE, f"m:abc:{forged}")
    assert match is not None
    assert buttons.page_of(match) == PageOf("abc")


async def test_back_and_forth_keep_their_places_and_are_off_at_the_ends(
    guild: discord.Guild,
) -> None:
    def arrows(first: int) -> list[tuple[str, bool]]:
        view = laid_out([shown(guild, 1)], first)
        found = [part for part in components(view.to_components()) if part["type"] == BUTTON]
        return [(part["label"], part["disabled"]) for part in found if part["label"] in "◀▶"]

    assert arrows(0) == [("◀", True), ("▶", False)]
    assert arrows(6) == [("◀", False), ("▶", False)]


async def test_a_card_says_its_sentences(guild: discord.Guild) -> None:
    view = layout.card("one", notes=["small"], buttons=[buttons.similar(1)])
    assert texts(view) == ["one", "-# small"]
