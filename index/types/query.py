"""A query, before and after the model has read it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

import numpy as np

from index.types.records import Floats

NOTHING: Floats = np.zeros((0, 0), np.float32)  # no vectors

ZERO_WIDTH_JOINER = "\u200d"
JOINERS = ZERO_WIDTH_JOINER + "\u200c"
VIRAMA = 9  # the combining class of the marks behind which joiners count (RFC 5892, appendix A)
# Selectors of a variant of the letter before, and a mark that only affects sorting.
_SELECTORS = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Signs that are seen although Unicode counts them among the invisible ones: they span numbers.
_SIGNS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\U000110bd\U000110cd"
# Letters without ink: the fillers of Hangul, and an empty pattern of Braille.
_BLANK_LETTERS = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: words, a picture, or both; and what would make a hit better or worse.

    text        what should be seen
    image       the bytes of a picture that hits should be like
    like        the id of a link, whose picture hits should be like
    minus       what should not be seen, each by its words
    more, less  ids of links to hits of which more, or less, is wanted
    """

    text: str | None = None
    image: bytes | None = None
    like: int | None = None
    minus: tuple[str, ...] = ()
    more: tuple[int, ...] = ()
    less: tuple[int, ...] = ()

    @property
    def words(self) -> str:
        """The text as a model reads it; "" when there is nothing to read in it."""
        return tidy(self.text or "")

    @property
    def unwanted(self) -> tuple[str, ...]:
        """`minus` as a model reads it, without what has nothing to read in it."""
        return tuple(filter(None, map(tidy, self.minus)))

    @property
    def empty(self) -> bool:
        """Whether nothing is wanted. What is unwanted can't be looked for alone."""
        return not self.words and self.image is None and self.like is None


@dataclass(frozen=True, slots=True, eq=False)
class QueryEmbedding:
    """A query as a model reads it: a unit vector for each of its parts.

    They stay apart, since combining the scores of parts ranks better than one mixed vector
    (`index.answering.scoring`).

    words        (d,) float32; None: no words
    picture      (d,); None: no picture
    minus        (m, d) what should not be seen
    parts        (p, d) the wishes that the words consist of, such as a subject and a place; empty
                 where the words are one wish
    more, less   (n, d) hits of which more, or less, is wanted
    truncated    the words that were read, where the text was too long
    terms        what is looked for in transcripts, as `transcripts.terms.asked` gives it
    pairs        words that stand side by side, as `transcripts.terms.pairs` gives them
    spelled      whether the model knows no part of the words longer than a letter
    revision     of the model that read it; "": the one the gallery has
    """

    words: Floats | None = None
    picture: Floats | None = None
    minus: Floats = field(default_factory=lambda: NOTHING)
    parts: Floats = field(default_factory=lambda: NOTHING)
    more: Floats = field(default_factory=lambda: NOTHING)
    less: Floats = field(default_factory=lambda: NOTHING)
    truncated: str | None = None
    terms: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    spelled: bool = False
    revision: str = ""

    @property
    def wanted(self) -> list[Floats]:
        """Words and picture, as far as there are any."""
        return [part for part in (self.words, self.picture) if part is not None]

    @property
    def vector(self) -> Floats:
        """(d,) the unit vector in the middle of words and picture."""
        return middle(np.stack(self.wanted))


def middle(vectors: Floats) -> Floats:
    """(d,) the unit vector in the middle of rows, such as an animation's frames."""
    total = vectors.sum(axis=0)
    found: Floats = (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)
    return found


def tidy(text: str) -> str:
    """The text as a model reads it, so that texts which look the same are the same.

    Composed letters (NFC), single blanks, nothing that can't be seen: no controls, marks of
    direction, soft hyphens, selectors of a variant, byte order marks. Lone surrogates, which JSON
    allows, become question marks. Joiners stay where they change what is seen: within an emoji of
    several parts, and behind a virama, as in Indic scripts.
    """
    text = text.encode(errors="replace").decode()
    text = _SELECTORS.sub("", text)  # they stand between an emoji and its joiner
    seen = "".join(letter for at, letter in enumerate(text) if _is_seen(text, at))
    return " ".join(unicodedata.normalize("NFC", _BLANK_LETTERS.sub(" ", seen)).split())


def _is_seen(text: str, at: int) -> bool:
    """Whether the letter at this place is a blank or changes what is seen."""
    letter = text[at]
    if letter in JOINERS and at > 0:
        around = text[at - 1], text[at + 1 : at + 2]
        return unicodedata.combining(around[0]) == VIRAMA or (
            letter == ZERO_WIDTH_JOINER and all(map(_is_emoji, around))
        )
    is_format = unicodedata.category(letter) in ("Cc", "Cf") and letter not in _SIGNS
    return letter.isspace() or not is_format


def _is_emoji(letter: str) -> bool:
    """Whether this is a symbol, or the colour of a symbol's skin."""
    return bool(letter) and unicodedata.category(letter) in ("So", "Sk")
