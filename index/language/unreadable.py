"""What is wrong with a line, where, and the line corrected."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len

from index.types.errors import GalleryError

WIDTH = 60  # cells of a line that a phone shows in a block of code, about twice over


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
        reason: str,
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


def pointed(error: Unreadable, width: int = WIDTH) -> str:
    """The line and, below it, marks under the spot, for letters of one width.

    A long line is shown around the spot. Wide letters, such as Japanese ones and emoji, count as
    two cells. Marks can't stand below a line that is written from right to left: there the spot
    is shown alone.
    """
    if any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in error.text):
        return error.text[error.start : error.end]
    start, end = _window(error, width)
    before, after = "… " if start else "", " …" if end < len(error.text) else ""
    marked_to = min(error.end, end)
    shift = cell_len(before + error.text[start : error.start])
    marks = "^" * max(1, cell_len(error.text[error.start : marked_to]))
    return f"{before}{error.text[start:end]}{after}\n{' ' * shift}{marks}"


def _window(error: Unreadable, width: int) -> tuple[int, int]:
    """The part of the line that is shown: the spot, and what fits around it."""
    text, start, end = error.text, error.start, error.start
    used = 0
    while end < len(text) and used + cell_len(text[end]) <= width:  # the spot, and what follows
        used += cell_len(text[end])
        end += 1
    while start > 0 and (used < width or error.start - start < width // 3):
        start -= 1
        used += cell_len(text[start])
    while end > error.start + 1 and used > width:
        end -= 1
        used -= cell_len(text[end])
    return start, end
