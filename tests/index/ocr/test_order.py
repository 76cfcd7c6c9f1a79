"""Lines of words, in the order in which people read them."""

from __future__ import annotations

import cmath
import math

import pytest

from index.ocr.order import Words, lines, worth_keeping


def words(text: str, left: float, top: float, width: float, height: float = 20) -> Words:
    right, bottom = left + width, top + height
    return Words(text, [(left, top), (right, top), (right, bottom), (left, bottom)])


PAGE = [
    words("one does", 10, 12, 100),
    words("not simply", 115, 10, 120),
    words("find it", 10, 40, 90),
    words("again", 108, 42, 60),
]
READ = ["one does not simply", "find it again"]


def turned(page: list[Words], degrees: float) -> list[Words]:
    """The page turned clockwise, with corners that begin at the upper left, as a detector's do."""
    by = cmath.rect(1, math.radians(degrees))
    found = []
    for one in page:
        corners = [complex(x, y) * by for x, y in one.corners]
        left = sorted(sorted(corners, key=lambda c: c.real)[:2], key=lambda c: c.imag)
        right = sorted(sorted(corners, key=lambda c: c.real)[2:], key=lambda c: c.imag)
        clockwise = [left[0], right[0], right[1], left[1]]
        found.append(Words(one.text, [(c.real, c.imag) for c in clockwise]))
    return found


def test_words_side_by_side_are_one_line_from_left_to_right() -> None:
    assert lines(PAGE[::-1]) == READ


@pytest.mark.parametrize("degrees", [-20, -8, 8, 20, 90])
def test_a_page_that_is_askew_has_the_same_lines(degrees: float) -> None:
    assert lines(turned(PAGE, degrees)) == READ


@pytest.mark.parametrize("degrees", [180, 270])
def test_a_page_on_its_head_has_the_same_lines(degrees: float) -> None:
    assert lines(turned(PAGE, degrees), on_its_head=True) == READ


def test_columns_that_stand_far_apart_are_no_line() -> None:
    assert lines([words("left", 0, 0, 50), words("right", 300, 0, 50)]) == ["left", "right"]


def test_scripts_without_blanks_get_none() -> None:
    assert lines([words("今日は", 0, 0, 60), words("いい天気", 62, 0, 80)]) == ["今日はいい天気"]
    assert lines([words("今日は", 0, 0, 60), words("Magpie", 62, 0, 80)]) == ["今日は Magpie"]


def test_a_letter_alone_is_no_word_but_in_scripts_where_it_can_be_one() -> None:
    assert [worth_keeping(text) for text in ("A", "8", "—·", "ok", "7a", "猫", "")] == [
        *(False, False, False, True, True, True, False)
    ]


def test_nothing_is_no_line() -> None:
    assert lines([]) == []
