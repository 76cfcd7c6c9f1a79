"""Words as a model reads them: what looks the same is the same."""

from __future__ import annotations

import pytest

from index import Query
from index.types.query import tidy


@pytest.mark.parametrize(
    "typed",
    [
        "a red café",
        "  a\tred \n café ",
        "a red\u00a0cafe\u0301",  # a blank that doesn't break, and a letter with an accent
        "a r\u200bed c\u2060af\ufeffé",  # zero width
        "a r\u00aded ca\u034ff\u200de\u200c\u0301",  # soft hyphen, joiners in the middle
        "\u202ea \u2066red\u2069 café\u202c\u200f",  # direction
        "a\ufe0f red\U000e0101 café",  # selectors of a variant
        "a\u3164red\u2800\u115fcafé",  # letters without ink
        "\ufeffa r\x00ed c\x07afé\x9f\U000e0041",
    ],
)
def test_what_looks_the_same_is_the_same(typed: str) -> None:
    assert tidy(typed) == "a red café"
    assert Query(text=typed).words == "a red café"


@pytest.mark.parametrize("text", ["\u200b", " \u202e\u2069\n", "\u3164\u2800", "\ufe0f", "\x00"])
def test_a_text_that_shows_nothing_is_empty(text: str) -> None:
    assert tidy(text) == ""
    assert Query(text=text).empty


@pytest.mark.parametrize(
    "text",
    [
        "👩‍💻", "👩🏽‍💻", "🧑‍🤝‍🧑", "🏃‍♀", "❤‍🔥",  # emojis of several parts
        "ශ්‍රී", "क्‌ष",  # joiners behind a virama
        "\u0601 12", "cats & dogs™ ½", "ｄｏｇ", "-dog \"red car\"",
    ],
)  # fmt: skip
def test_what_is_seen_stays(text: str) -> None:
    assert tidy(text) == text


@pytest.mark.parametrize("emoji", ["❤", "❤‍🔥", "🏳‍🌈", "1⃣"])
def test_an_emoji_is_the_same_with_and_without_its_selector(emoji: str) -> None:
    assert tidy(emoji[0] + "\ufe0f" + emoji[1:]) == tidy(emoji) == emoji
