"""What is wrong with a line, where, and the line corrected."""

from __future__ import annotations

import itertools
import unicodedata

from index.types.errors import GalleryError
from index.types.sentences import Sentence

WIDTH = 60  # in cells


class Unreadable(GalleryError):
    """A line that can't be read with certainty.

    text       the line, as it is seen: single blanks, no invisible letters
    start, end where the spot is, in letters of `text`
    reason     what is wrong, a sentence; also `str(error)`
    corrected  the whole line, corrected: it can be read. "" when nothing of it is left
    """

    def __init__(self, text: str, start: int, end: int, reason: str, corrected: str) -> None:
        super().__init__(reason)
        self.text = text
        self.start = start
        self.end = end
        self.reason = reason
        self.corrected = corrected


class Problem(Exception):
    """What is wrong with a part of a line; `parse` makes an `Unreadable` of it.

    start, end   the spot
    instead      what should stand there; "" to leave it out
    fix          the part that `instead` replaces, where that isn't the spot alone
    """

    def __init__(
        self,
        start: int,
        end: int,
        reason: Sentence,
        instead: str = "",
        fix: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(reason)
        self.start, self.end, self.reason, self.instead = start, end, reason, instead
        self.fix = fix or (start, end)

    def fixed(self, text: str) -> str:
        """The line with this problem mended."""
        start, end = self.fix
        return " ".join(f"{text[:start]}{self.instead}{text[end:]}".split())


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    from rich.cells import cell_len  # it takes a while to load, and most lines can be read

    return cell_len(text)


def pointed(error: Unreadable, width: int = WIDTH) -> str:
    """The line and, below it, marks under the spot, for letters of one width.

    width   in cells, without the dots where a long line was cut

    A long line is shown around the spot. Wide letters, such as Japanese ones and emoji, count as
    two cells. Marks can't stand below a line that is written from right to left: there the spot
    is shown alone.
    """
    if any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in error.text):
        return error.text[error.start : error.end]
    start, end = _window(error, width)
    before, after = "… " if start else "", " …" if end < len(error.text) else ""
    shift = _cells(before + error.text[start : error.start])
    marks = _cells(error.text[error.start : min(error.end, end)])
    return f"{before}{error.text[start:end]}{after}\n{' ' * shift}{'^' * marks}"


def _window(error: Unreadable, width: int) -> tuple[int, int]:
    """The part of the line that is shown: the spot, and as much as fits around it."""
    text, spot, before = error.text, error.start, error.text[: error.start]
    end = spot + _fitting(text[spot : error.end], width)
    left = width - _cells(text[spot:end])
    start = spot - _fitting(before[::-1], left // 2)
    end += _fitting(text[end:], left - _cells(text[start:spot]))
    start = spot - _fitting(before[::-1], width - _cells(text[spot:end]))
    return start, end


def _fitting(text: str, width: int) -> int:
    """How many of the first letters fit into so many cells."""
    reached = itertools.accumulate(map(_cells, text))
    return sum(1 for _ in itertools.takewhile(lambda cells: cells <= width, reached))
