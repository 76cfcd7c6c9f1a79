"""A few words of a transcript, around those that were asked for."""

from __future__ import annotations

from collections.abc import Sequence

from index.transcripts.terms import Term, forgiving, placed, terms

LONGEST = 80  # letters of an excerpt, about


def excerpt(lines: Sequence[str], phrases: Sequence[str]) -> str | None:
    """The part of a transcript with the most of these phrases, in one line; None where it has none.

    phrases   as they were typed, or as `terms.asked` gives them; also what is nearly the same
    """
    text = " ".join(lines)
    there = list(placed(text))
    found = sorted({at for phrase in phrases for at in _places(there, terms(phrase))})
    if not found:
        return None
    first, last = _densest(there, found)
    start, end = _widened(text, there[first].start, there[last].end)
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _places(there: Sequence[Term], wanted: Sequence[str]) -> list[int]:
    """The numbers of the terms that make up a phrase, wherever it stands."""
    size = len(wanted)
    starts = [
        at
        for at in range(len(there) - size + 1)
        if [term.text for term in there[at : at + size]] == list(wanted)
    ]
    if not starts and size == 1:
        like = forgiving(wanted[0])
        starts = [at for at, term in enumerate(there) if like & forgiving(term.text)]
    return [at + number for at in starts for number in range(size)]


def _densest(there: Sequence[Term], found: Sequence[int]) -> tuple[int, int]:
    """The first and the last of the most of these terms that fit into an excerpt."""
    best = (0, 0, 0)
    for one, first in enumerate(found):
        inside = [at for at in found[one:] if there[at].end - there[first].start <= LONGEST]
        last = inside[-1] if inside else first
        best = max(best, (len(inside), -first, last))
    return -best[1], best[2]


def _widened(text: str, first: int, last: int) -> tuple[int, int]:
    """The span with as many of the words around it as fit."""
    room = max(LONGEST - (last - first), 0)
    start, end = max(first - room // 2, 0), min(last + room // 2, len(text))
    if start:
        start = text.find(" ", start, first) + 1 or first
    if end < len(text):
        blank = text.rfind(" ", last, end + 1)
        end = blank if blank >= 0 else last
    return start, end
