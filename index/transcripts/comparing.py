"""Whether two pictures say something else, such as two memes of one template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from index.transcripts.terms import forgiving, terms

# With fewer terms, such as a signature alone, nothing is said about the whole.
FEWEST_TERMS = 2
# The share of the shorter one's terms that the other one has where both say the same. OCR reads
# most of the words of a compressed copy again; two captions share some common words.
SAME_SHARE = 0.5


def differing(transcripts: Mapping[int, Sequence[str]]) -> set[frozenset[int]]:
    """The pairs of these links whose pictures say clearly something else.

    One that only has more words says the same: a copy may get a caption. So does one without words.
    """
    said = {link: _forms(lines) for link, lines in transcripts.items()}
    return {
        frozenset((one, other))
        for one, other in combinations(said, 2)
        if _differ(*sorted((said[one], said[other]), key=len))
    }


def _forms(lines: Sequence[str]) -> dict[str, frozenset[str]]:
    """The terms of a transcript, each with its forms in which errors are forgiven."""
    return {term: forgiving(term) | {term} for term in terms(" ".join(lines))}


def _differ(short: dict[str, frozenset[str]], long: dict[str, frozenset[str]]) -> bool:
    if len(short) < FEWEST_TERMS:
        return False
    there = frozenset().union(*long.values())
    same = sum(not there.isdisjoint(forms) for forms in short.values())
    return same < SAME_SHARE * len(short)
