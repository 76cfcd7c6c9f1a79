"""Suggestions go on with what is being typed, and can be read."""

from __future__ import annotations

import pytest

from index import HAS, suggestions
from index.language.tongues import TONGUES
from tests.index.language.readers import read, reader


def lines(text: str, locale: str = "en-US", cursor: int | None = None) -> list[str]:
    return [one.line for one in suggestions(text, reader(locale), cursor)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("af", ["after:"]),
        ("dog be", ["dog before:"]),
        ("-f", ["-from:"]),
        ("–h", ["-has:"]),
        ("dog has:s", ["dog has:sticker", "dog has:spoiler"]),
        ("has:gif,vi", ["has:gif,video"]),
        ("sort:", ["sort:best", "sort:new", "sort:old"]),
        ("show: ev", ["show: everyone"]),
        ("on:last w", ["on:last week"]),
        ("from:", []),
        ("dog", []),
        ("dog on:zzz", []),
    ],
)
def test_a_beginning_is_completed(text: str, wanted: list[str]) -> None:
    assert lines(text) == wanted


def test_all_fields_and_kinds_are_suggested() -> None:
    assert {"dog from:", "dog on:", "dog show:"} <= set(lines("dog "))
    assert lines("has:") == [f"has:{kind}" for kind in HAS]


def test_the_rest_of_the_line_stays() -> None:
    (one,) = suggestions("dog so in snow", reader(), cursor=6)
    assert (one.line, one.start, one.end, one.instead) == ("dog sort: in snow", 4, 6, "sort:")


def test_only_dates_that_the_field_takes_are_suggested() -> None:
    assert "after:today" not in lines("after:")
    assert "after:this week" not in lines("after:")
    assert {"since:today", "since:this week", "since:last month"} <= set(lines("since:"))


@pytest.mark.parametrize("language", TONGUES)
def test_every_suggested_date_of_a_language_can_be_read(language: str) -> None:
    dates = TONGUES[language].dates
    assert lines("on:", language)[: len(dates)] == [f"on:{date}" for date in dates]
    for date in dates:
        assert read(f"on:{date} aaa", language).words == "aaa"
