"""Boxes with words to lines of words, from top to bottom and from left to right."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# A box that is so many times as high as wide is a line on its side.
HIGH = 1.5
# Boxes are on one line if they share this part of the lower one's height.
SAME_LINE = 0.5
# A gap of so many heights between two boxes on a line is the gap between two columns.
COLUMN_GAP = 2.5
# Scripts that are written without blanks between words, as the names of their letters begin.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "FULLWIDTH", "IDEOGRAPHIC")


Corners = Sequence[Sequence[float]]  # four of (x, y), from the upper left one clockwise


@dataclass(frozen=True, slots=True)
class Words:
    """Words, and the corners of the box around them, in pixels."""

    text: str
    corners: Corners

    @property
    def direction(self) -> complex:
        """From their first letter to their last, x + y·i. A high box is read downwards."""
        first, second, _, last = (complex(x, y) for x, y in self.corners)
        return last - first if abs(last - first) > HIGH * abs(second - first) else second - first


@dataclass(frozen=True, slots=True)
class _Box:
    """Words on a page that was turned until they are level."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def lines(words: Sequence[Words], on_its_head: bool = False) -> list[str]:
    """The lines of a page, which may be turned: those words that stand side by side are one.

    on_its_head   words are read from right to left, or upwards
    """
    along = sum((one.direction for one in words), 0j) * (-1 if on_its_head else 1)
    level = along.conjugate() / abs(along) if along else 1
    rows: list[list[_Box]] = []
    for box in sorted((_turned(one, level) for one in words), key=lambda box: box.middle):
        row = next((row for row in reversed(rows) if _side_by_side(row[-1], box)), None)
        if row is None:
            rows.append([box])
        else:
            row.append(box)
    return [line for row in rows for line in _columns(sorted(row, key=lambda box: box.left))]


def _turned(words: Words, level: complex) -> _Box:
    """The words' box, when the page is turned by this number of length 1.

    A box that is not quite level then is as high as its letters, not as the rectangle around it.
    """
    corners = [complex(x, y) * level for x, y in words.corners]
    width = max(one.real for one in corners) - min(one.real for one in corners)
    middle = sum(corners) / 4
    edges: tuple[complex, ...] = corners[1] - corners[0], corners[2] - corners[1]
    edge = max(edges, key=_steepness)
    height = abs(edge)
    return _Box(
        words.text,
        middle.real - width / 2,
        middle.imag - height / 2,
        middle.real + width / 2,
        middle.imag + height / 2,
    )


def _steepness(edge: complex) -> float:
    return abs(edge.imag) / (abs(edge) or 1)


def _side_by_side(one: _Box, other: _Box) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared >= SAME_LINE * min(one.height, other.height)


def _columns(row: Sequence[_Box]) -> list[str]:
    """The words of a row from left to right; what stands far apart is not one line."""
    found = [row[0].text]
    for before, box in itertools.pairwise(row):
        gap = box.left - before.right
        if gap > COLUMN_GAP * max(before.height, box.height):
            found.append(box.text)
        else:
            found[-1] += _between(found[-1], box.text) + box.text
    return found


def _between(before: str, after: str) -> str:
    """A blank, where the script has one."""
    unspaced = before and after and _is_unspaced(before[-1]) and _is_unspaced(after[0])
    return "" if unspaced else " "


def _is_unspaced(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(_UNSPACED)


def worth_keeping(text: str) -> bool:
    """Whether there are words to be found: two letters or digits, or one of a script in which a
    letter can be a word. A texture is often taken for a single letter."""
    letters = [letter for letter in text if letter.isalnum()]
    return len(letters) >= 2 or any(map(_is_unspaced, letters))
