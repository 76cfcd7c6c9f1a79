"""A refusal points at its spot, in letters of one width."""

from __future__ import annotations

import pytest

from index import pointed
from tests.index.language.readers import read, refused


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("dog sort:up", "dog sort:up\n         ^^"),
        ("犬 sort:up", "犬 sort:up\n        ^^"),  # a wide letter takes two cells
        ("🐕 sort:犬", "🐕 sort:犬\n        ^^"),
        ("שלום sort:up", "up"),  # from right to left
    ],
)
def test_marks_stand_below_the_spot(line: str, shown: str) -> None:
    assert pointed(refused(line)) == shown


@pytest.mark.parametrize("before", [0, 3, 40, 400])
@pytest.mark.parametrize("after", [0, 3, 40, 400])
def test_a_long_line_is_shown_around_the_spot(before: int, after: int) -> None:
    error = refused("a" * before + " sort:up " + "b" * after)
    line, marks = pointed(error, width=30).split("\n")
    assert len(line) <= 34
    assert line[marks.index("^") : marks.rindex("^") + 1] == "up"
    assert ("…" in line) == (len(error.text) > 30)


def test_a_long_spot_is_cut() -> None:
    line, marks = pointed(refused("sort:" + "x" * 300), width=30).split("\n")
    assert len(marks) <= len(line) <= 34


@pytest.mark.parametrize(
    ("line", "spot", "corrected"),
    [
        ('dog "!?…"', '"!?…"', "dog"),
        ('"🔥" dog', '"🔥"', "dog"),
        (" ".join(f'"{one}"' for one in "abcdefghi"), '"i"', '"a" "b" "c" "d" "e" "f" "g" "h"'),
        (f'"{"x" * 150}" dog "{"y" * 51}"', f'"{"y" * 51}"', f'"{"x" * 150}" dog'),
        (f'"{"犬" * 201}"', f'"{"犬" * 201}"', ""),
    ],
)
def test_exact_words_that_cannot_be_looked_for_are_refused(
    line: str, spot: str, corrected: str
) -> None:
    error = refused(line)
    assert error.text[error.start : error.end] == spot
    assert error.corrected == corrected


def test_exact_words_of_every_script_are_taken() -> None:
    for words in ("¿qué?", "犬", "שלום", "नमस्ते", "½", "x" * 200):
        assert read(f'"{words}"').exact == (words,)
    assert read(" ".join(f'"{one}"' for one in "abcdefgh")).exact == tuple("abcdefgh")
