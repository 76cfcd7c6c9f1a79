"""A refusal points at its spot, in letters of one width."""

from __future__ import annotations

import pytest

from index import pointed
from tests.index.language.readers import refused


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
