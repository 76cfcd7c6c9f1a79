"""From text to terms: the words that are compared, without case and accents.

A term is a run of letters and digits. Scripts that put no blanks between words (Chinese, Japanese,
Thai) and Korean, which hangs particles on words, have one term for each letter; a word of theirs is
then several terms in a row.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

# Changes with whatever makes other terms of the same text.
REVISION = "1"
# Marks of this combining class and above are accents and points. Those below change which letter it
# is: Indic vowels and viramas, the voicing of kana.
ACCENT = 10
# Letters with a stroke or of two letters, which Unicode doesn't take apart.
LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
# Scripts of which each letter is a term: Thai, Lao, Myanmar, Hangul, Khmer, kana, Han.
_ALONE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)
# Letters that are easily misread for each other, in print and by OCR. Terms are compared in this
# form only where errors are forgiven.
ALIKE = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"))
# Words that say nothing about what is looked for, unless nothing else is.
_WITHOUT_MEANING = """
    a an and are as at be by for from have i in is it its me my of on or our so that the their
    there these this those to was were with you your
    der die das den dem ein eine einen und im am ist mit von zu auf
    la le les un une des du et de est el los las y en o os e da do em il lo gli di che
"""
_EMPTY = frozenset(_WITHOUT_MEANING.split())
MOST_ASKED = 16  # terms of a question, and pairs; the rest is not looked for
# In shorter terms one wrong letter makes another word: "cat", "car", "bat".
SHORTEST_FORGIVEN = 4
LONGEST_FORGIVEN = 24


@dataclass(frozen=True, slots=True)
class Term:
    """A term, and from where to where it stands in its text."""

    text: str
    start: int
    end: int


def terms(text: str) -> list[str]:
    """The terms of a text, in order."""
    return [term.text for term in placed(text)]


def placed(text: str) -> Iterator[Term]:
    """The terms of a text, in order, with their places in it."""
    term, start = "", 0
    for at, letter in enumerate(text):
        read, is_alone = _folded(letter)
        if is_alone or not read:
            if term and (is_alone or not _is_mark(letter)):
                yield Term(term, start, at)
                term = ""
            if is_alone:
                yield Term(read, at, at + 1)
        else:
            if not term:
                start = at
            term += read
    if term:
        yield Term(term, start, len(text))


@lru_cache(maxsize=8192)
def _folded(letter: str) -> tuple[str, bool]:
    """The letter as it is compared, without case, accents and variants such as full width; and
    whether it is a term by itself. "" for what is no part of a word."""
    apart = unicodedata.normalize("NFKD", letter.casefold())
    bare = "".join(one for one in apart if unicodedata.combining(one) < ACCENT)
    read = "".join(one for one in unicodedata.normalize("NFC", bare) if _is_of_a_word(one))
    return read.casefold().translate(LETTERS), bool(_ALONE.match(read))


def _is_of_a_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNM"


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "M"


def asked(words: str) -> tuple[str, ...]:
    """What a question in plain words looks for in transcripts: phrases of one term each, or of two
    letters in a row where letters are terms."""
    found: list[str] = []
    before: Term | None = None
    for term in placed(words):
        if not _ALONE.match(term.text):
            found.append(term.text)
            before = None
            continue
        if before is not None and before.end == term.start:
            if found[-1] == before.text:
                found.pop()
            found.append(f"{before.text} {term.text}")
        else:
            found.append(term.text)
        before = term
    telling = [phrase for phrase in found if phrase not in _EMPTY]
    return tuple(dict.fromkeys(telling or found))[:MOST_ASKED]


def pairs(words: str) -> tuple[str, ...]:
    """Each two words of a question that stand side by side, those without meaning among them. Not
    two letters that are terms: `asked` looks for those."""
    two = (
        f"{one} {other}"
        for one, other in pairwise(terms(words))
        if not (_ALONE.match(one) and _ALONE.match(other))
    )
    return tuple(dict.fromkeys(two))[:MOST_ASKED]


def forgiving(term: str) -> frozenset[str]:
    """What two terms have in common if one is the other with one letter more, less or wrong, or two
    neighbours swapped: the term, and the term without each of its letters. Empty for a term that is
    too short to forgive, and for a number.

    source   symmetric deletes (SymSpell, Garbe)
    """
    if not SHORTEST_FORGIVEN <= len(term) <= LONGEST_FORGIVEN or term.isdecimal():
        return frozenset()
    term = alike(term)
    return frozenset([term, *(term[:at] + term[at + 1 :] for at in range(len(term)))])


def alike(term: str) -> str:
    """The term with one letter for all that look like it."""
    for seen, read in ALIKE:
        term = term.replace(seen, read)
    return term
