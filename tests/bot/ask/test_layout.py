"""How an answer is laid out, and that it stays within Discord's limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import discord
import pytest
from discord import ui

from bot.ask import buttons, layout
from bot.ask import page as pages
from bot.media import pictures
from index import Group, Hit, Link, Position
from tests.bot.offline import GUILD, READ, attachment_payload, guild_of, message_of

# https://docs.discord.com/developers/components/reference
MAX_COMPONENTS, MAX_TEXT, MAX_CUSTOM_ID, MAX_DESCRIPTION = 40, 4000, 100, 256
SPOILER = 8


def shown(
    guild: discord.Guild, number: int, *, title: str = "", spoiler: bool = False, **attachment: Any
) -> pages.ShownHit:
    attachment = attachment_payload(8000 + number, description=title or None, **attachment)
    message = message_of(guild, 10, id=7000 + number, attachments=[attachment])
    [picture] = pictures.from_message(message)
    link = Link(GUILD, Group(10), str(message.id), picture.slot, spoiler=spoiler)
    hit = Hit(number, 0.3, 10**12 + number, "image", link, 0, None)
    return pages.ShownHit(hit, picture, message, 0)


@pytest.fixture
def guild() -> discord.Guild:
    return guild_of({GUILD: READ}, {10: {}})


def laid_out(page: list[pages.ShownHit], first: int = 0, **more: Any) -> ui.LayoutView:
    found = pages.ResultPage(first=first, more=True, shown=page)
    options: dict[str, Any] = {"heading": "### Closest to “dog”", "notes": [], "actions": []} | more
    return layout.card(found, similar=buttons.similar, **options)


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
    return [c["content"] for c in components(view.to_components()) if c["type"] == 10]


async def test_the_fullest_answer_stays_within_discords_limits(guild: discord.Guild) -> None:
    page = [shown(guild, n, title="very " * 200) for n in range(pages.PAGE_SIZE)]
    last = Position(10**9 - 1, -0.123456789, 2**53, 0.0)
    actions = [buttons.more("a" * 22, last), *(buttons.instead("a" * 22, n) for n in range(9))]
    view = laid_out(page, notes=["n" * 200] * 4, heading="h" * 300, actions=actions)
    parts = list(components(view.to_components()))
    assert len(parts) <= MAX_COMPONENTS
    assert sum(len(text) for text in texts(view)) <= MAX_TEXT
    ids = [part["custom_id"] for part in parts if "custom_id" in part]
    assert len(set(ids)) == len(ids) == pages.PAGE_SIZE + len(actions)
    assert max(map(len, ids)) <= MAX_CUSTOM_ID
    rows = [part for part in parts if part["type"] == 1]
    assert all(len(row["components"]) <= 5 for row in rows)
    [gallery] = [part for part in parts if part["type"] == 12]
    assert all(len(item["description"]) <= MAX_DESCRIPTION for item in gallery["items"])


async def test_each_picture_has_its_author_place_date_and_a_link(guild: discord.Guild) -> None:
    view = laid_out([shown(guild, 1), shown(guild, 2)], first=6)
    lines = texts(view)[1:]
    assert [line.split(" ")[0] for line in lines] == ["**7**", "**8**"]
    for id, line in zip((7001, 7002), lines, strict=True):
        assert "<@50> in <#10>" in line
        assert "<t:1420070400:D>" in line  # the time within the message's id
        assert f"https://discord.com/channels/{GUILD}/10/{id}" in line


@pytest.mark.parametrize("how", ["by its message", "when it was indexed"])
async def test_a_spoiler_stays_one_and_its_title_is_not_shown(
    guild: discord.Guild, how: str
) -> None:
    now = {"flags": SPOILER, "filename": "SPOILER_dog.png"} if how == "by its message" else {}
    hidden = shown(guild, 1, title="the butler", spoiler=how == "when it was indexed", **now)
    view = laid_out([hidden, shown(guild, 2, title="a gardener")])
    [gallery] = [c for c in components(view.to_components()) if c["type"] == 12]
    assert [item["spoiler"] for item in gallery["items"]] == [True, False]
    for told in ("\n".join(texts(view)), str([item["description"] for item in gallery["items"]])):
        assert "butler" not in told
        assert "gardener" in told


async def test_titles_cannot_contain_links_or_mentions(guild: discord.Guild) -> None:
    view = laid_out([shown(guild, 1, title="@everyone [go](https://evil.example) **x**")])
    told = "\n".join(texts(view))
    assert "@everyone" not in told
    assert r"\[go\]\(https\:\/\/evil.example\)" in told
    assert "**x**" not in told


def test_more_goes_on_where_its_page_ended() -> None:
    for end in (Position(6, 0.25, 41, 0.0), Position(12, -0.000000001, 10**15, 0.0)):
        match = re.fullmatch(buttons.MORE, str(buttons.more("ab-c_9", end).custom_id))
        assert match is not None
        assert match["search"] == "ab-c_9"
        assert buttons.position_of(match) == end
    first = re.fullmatch(buttons.MORE, str(buttons.more("abc", None).custom_id))
    assert first is not None
    assert buttons.position_of(first) is None


async def test_a_notice_says_its_sentences(guild: discord.Guild) -> None:
    more = buttons.more("abc", None)
    view = layout.notice(["one", "two"], notes=["small"], actions=[more])
    assert texts(view) == ["one\ntwo", "-# small"]
