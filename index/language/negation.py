"""What a line says not to show, in words: "dog without snow" → "dog", minus "snow".

A model that compares words with pictures doesn't know what "without" means: it hears "snow". So
such words are taken out of the line before a model reads it.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from index.language import tongues
from index.language.tokens import DASHES, Token
from index.language.tongues import Tongue
from index.language.unreadable import Problem
from index.language.wish import Reader, Understood
from index.types.sentences import Sentence

_AROUND = "()[]{}.,;:!?¡¿…*~_/'’‘\"“”«»。、！？" + DASHES
_JOINTS = "/_" + DASHES
_ENDING = tuple(",;.!?:)…。、！？")
_LETTER_BEFORE, _LETTER_AFTER = r"(?<![^\W_])", r"(?![^\W_])"
# Particles of Japanese behind a suffix, which lead to the next word.
_PARTICLES = "のなでにはが、"
# What a suffix of Japanese may stand behind: the last letters of one script. Behind hiragana it
# is mostly a part of another word, as in はなし.
_NOUN = re.compile(r"[一-鿿々〆ヶ]+$|[゠-ヿ]+$|[^\W_぀-鿿]+$")


@dataclass(frozen=True, slots=True)
class Marker:
    """Words that negate what follows, or that look so and don't ("fixed")."""

    kind: Literal["fixed", "no", "without"]
    length: int  # in tokens
    tongue: Tongue


@dataclass
class Negations:
    """A line without its negations.

    rest        the parts that are left
    minus       what the others say not to show
    understood  the same, with the words as they were typed
    """

    rest: list[Token]
    minus: list[str]
    understood: list[Understood]


def without(parts: Sequence[Token], text: str, reader: Reader) -> Negations:
    """The line's parts without its negations in words.

    raises   Problem where nothing stands behind a word such as "without"
    """
    languages = tongues.read_by(reader)
    line = _Line(list(_split(parts, languages)), languages)
    found = Negations([], [], [])
    at = 0
    while at < len(line.parts):
        at = _step(line, at, text, found)
    return found


def first_marker(parts: Sequence[Token], reader: Reader) -> Token | None:
    """The first part that this reader's languages take for a negation, if a backslash before it
    would make it a word.
    """
    line, at = _Line(list(parts), tongues.read_by(reader)), 0
    while at < len(line.parts):
        part, marker = line.parts[at], line.marker(at) if line.is_word(at) else None
        suffixed = any(_suffixed(part.text, tongue) for tongue in line.languages)
        if suffixed and line.is_word(at) and not part.escaped:
            return part
        if marker and marker.kind == "no" and line.negated(at + marker.length, marker)[0]:
            return part
        at += marker.length if marker else 1
    return None


def refuse_twice(phrase: str, part: Token, languages: Sequence[Tongue]) -> None:
    """raises Problem if what is to be left out negates something itself: -"without snow" """
    words = phrase.split()
    kept = [word for word in words if not _negates(word, languages)]
    if len(kept) < len(words):
        reason = Sentence(
            "A minus and a word that says the same stand together; one of them is enough."
        )
        instead = f'-"{" ".join(kept)}"' if kept else ""
        raise Problem(part.start, part.end, reason, instead)


def _negates(word: str, languages: Sequence[Tongue]) -> bool:
    alone = any((_bare(word),) in tongue.without for tongue in languages)
    return alone or _within(word, languages) is not None


def is_small(word: str, reader: Reader) -> bool:
    """Whether a word is a preposition, an article or the like."""
    bare = _bare(word)
    return any(
        bare in tongue.ends | tongue.lists or (bare,) in tongue.articles
        for tongue in tongues.read_by(reader)
    )


def _step(line: _Line, at: int, text: str, found: Negations) -> int:
    """Read on from a part of the line. -> the part to go on with"""
    part = line.parts[at]
    if not line.is_word(at):
        found.rest.append(part)
        return at + 1
    for tongue in line.languages:
        if not part.escaped and (split := _suffixed(part.text, tongue)) is not None:
            pieces = _take_suffixed(part, split, found)
            line.parts[at : at + 1] = [replace(part, text=piece) for piece in pieces if piece]
            return at
    marker = line.marker(at)
    if marker is None:
        found.rest.append(part)
        return at + 1
    after = at + marker.length
    if marker.kind != "fixed":
        phrases, end = line.negated(after, marker)
        if phrases:
            if line.parts[end - 1].kind == "quoted":
                refuse_twice(line.parts[end - 1].text, line.parts[end - 1], line.languages)
            while found.rest and _joins(found.rest[-1], marker.tongue):
                found.rest.pop()
            if found.rest and found.rest[-1].kind == "word" and not found.rest[-1].signed:
                before = found.rest.pop()
                found.rest.append(replace(before, text=before.text.rstrip(",;") or before.text))
            read = text[part.start : line.parts[end - 1].end].strip(" ,;.")
            found.minus += phrases
            found.understood += [Understood(read, phrase) for phrase in phrases]
            return end
        if marker.kind == "without":
            _refuse_alone(line, at, after)
            return after
    found.rest += line.parts[at:after]
    return after


def _refuse_alone(line: _Line, at: int, behind: int) -> None:
    """raises Problem, but for a minus that follows and says the same"""
    if behind < len(line.parts) and line.parts[behind].signed:
        return
    start, end = line.parts[at].start, line.parts[behind - 1].end
    typed = line.parts[at].text.strip(_AROUND)
    raise Problem(start, end, Sentence("Nothing to leave out stands behind “{word}”.", word=typed))


@dataclass(frozen=True)
class _Line:
    """The parts of a line, and the languages that it is read in."""

    parts: list[Token]
    languages: Sequence[Tongue]

    def is_word(self, at: int) -> bool:
        return at < len(self.parts) and self.parts[at].kind == "word" and not self.parts[at].signed

    def marker(self, at: int) -> Marker | None:
        """The longest marker that begins here; of two, that of the reader's own language."""
        best: Marker | None = None
        word = _bare(self.parts[at].text)
        for tongue in self.languages:
            if word not in tongue.beginnings:
                continue
            kinds: tuple[tuple[Literal["fixed", "no", "without"], tongues.Phrases], ...]
            kinds = (("without", tongue.without), ("fixed", tongue.fixed), ("no", tongue.no))
            for kind, phrases in kinds:
                length = self.longest(at, phrases, kind)
                if length > (best.length if best else 0):
                    best = Marker(kind, length, tongue)
        if best and best.kind == "no":
            in_a_sentence = word in best.tongue.verbal and self._has_subject(at, best.tongue)
            if in_a_sentence or self._is_numbered(at + best.length):
                return replace(best, kind="fixed")
        return best

    def _has_subject(self, at: int, tongue: Tongue) -> bool:
        """Whether a sentence goes on here, as in "you should not": what is negated is no thing."""
        while at > 0 and self.is_word(at - 1) and not self.parts[at - 1].text.endswith(_ENDING):
            at -= 1
            subject, _, _ = _bare(self.parts[at].text).partition("'")  # "it's"
            if subject in tongue.subjects:
                return True
        return False

    def _is_numbered(self, behind: int) -> bool:
        """Whether a number follows, as in "no. 5"."""
        return self.is_word(behind) and self.parts[behind].text[:1].isdigit()

    def longest(self, at: int, phrases: tongues.Phrases, kind: str = "") -> int:
        """How many words from here on are one of the phrases."""
        words: list[str] = []
        best = 0
        for part in self.parts[at : at + 5]:
            if part.kind != "word" or part.signed or (part.escaped and kind in ("no", "fixed")):
                break
            words.append(_bare(part.text))
            ended = part.text.endswith(_ENDING) and kind == "no"
            if tuple(words) in phrases and not ended:
                best = len(words)
            if part.text.endswith(_ENDING):
                break
        return best

    def negated(self, at: int, marker: Marker) -> tuple[list[str], int]:
        """What a marker negates, and the part behind that.

        It goes on to the next preposition, comma or field: "a hat in the rain" → "hat".
        """
        tongue, phrases = marker.tongue, list[str]()
        at = self._behind_small_words(at, tongue)
        if at < len(self.parts) and self.parts[at].kind == "quoted" and not self.parts[at].signed:
            return [self.parts[at].text], at + 1
        words: list[Token] = []
        while self.is_word(at):
            part, word = self.parts[at], _bare(self.parts[at].text)
            other = self.marker(at)
            if (other and other.kind != "fixed") or (word in tongue.ends and not part.escaped):
                break
            if word in tongue.lists and words:
                after = at + 1
                if not self._goes_on(after, word, tongue):
                    break
                phrases.append(_phrase(words, tongue))
                at, words = self._behind_articles(after, tongue), []
                continue
            words.append(part)
            at += 1
            if part.text.endswith(_ENDING):
                break
        if marker.kind == "no" and any(_bare(word.text) in tongue.signs for word in words[1:]):
            return [], at
        phrases.append(_phrase(words, tongue))
        return [phrase for phrase in phrases if phrase], at

    def _goes_on(self, at: int, word: str, tongue: Tongue) -> bool:
        """Whether a list goes on: "no snow or ice", but not "no snow and a dog"."""
        if not self.is_word(at) or _bare(self.parts[at].text) in tongue.ends:
            return False
        other = self.marker(at)
        if other and other.kind != "fixed":
            return False
        return self.longest(at, tongue.articles) == 0 or word in ("or", "nor", "oder", "ou", "o")

    def _behind_small_words(self, at: int, tongue: Tongue) -> int:
        """Past articles and prepositions: "in the snow" → "snow"."""
        while self.is_word(at):
            behind = self._behind_articles(at, tongue)
            word = self.parts[behind].text if self.is_word(behind) else ""
            if word and (_bare(word) in tongue.ends or not _bare(word)):
                behind += 1
            if behind == at:
                break
            at = behind
        return at

    def _behind_articles(self, at: int, tongue: Tongue) -> int:
        while length := self.longest(at, tongue.articles):
            at += length
        return at


def _joins(before: Token, tongue: Tongue) -> bool:
    """Whether a word only leads to the marker behind it: "but" in "but no people"."""
    if before.kind != "word" or before.signed or before.escaped:
        return False
    return _bare(before.text) in tongue.joining or not _bare(before.text)


def _phrase(words: Sequence[Token], tongue: Tongue) -> str:
    texts = [word.text for word in words]
    for beginning in tongue.elided:
        if texts and texts[0].lower().startswith(beginning):
            texts[0] = texts[0][len(beginning) :]
    return " ".join(texts).strip(_AROUND + " ")


@functools.lru_cache(maxsize=4096)
def _bare(word: str) -> str:
    """A word as it is compared: lower case, no signs around it."""
    word = unicodedata.normalize("NFKC", word).casefold().strip(_AROUND)
    return word.replace("’", "'")


# ---- words within a word


def _split(parts: Sequence[Token], languages: Sequence[Tongue]) -> Iterator[Token]:
    """The parts, with words such as "dog-without-snow" taken apart."""
    for part in parts:
        if part.kind == "word" and not part.signed:
            yield from _taken_apart(part, languages)
        else:
            yield part


def _taken_apart(part: Token, languages: Sequence[Tongue]) -> Iterator[Token]:
    if found := _within(part.text, languages):
        start, end = found
        before, after = part.text[:start], part.text[end:]
        if before.strip(_AROUND) or after.strip(_AROUND):
            pieces = (before.rstrip(_JOINTS), part.text[start:end], after.lstrip(_JOINTS))
            for piece in pieces:
                if piece:
                    yield from _taken_apart(replace(part, text=piece), languages)
            return
    yield part


def _within(word: str, languages: Sequence[Tongue]) -> tuple[int, int] | None:
    """Where a word that always negates stands in another word, joined to it by a hyphen.

    Only English has it at the beginning, too: French "sans-abri" is a word of its own.
    """
    for tongue in languages:
        for marker, *more in sorted(tongue.without):
            pattern = _LETTER_BEFORE + re.escape(marker) + _LETTER_AFTER
            found = None if more else re.search(pattern, word, re.IGNORECASE)
            if found and (found.start() > 0 or tongue is tongues.TONGUES["en"]):
                return found.span()
    return None


def _suffixed(word: str, tongue: Tongue) -> tuple[str, str, str] | None:
    """A word without the suffix that negates a part of it: what stands before that part, the
    part, and what stands behind the suffix. None if there is no such suffix.
    """
    for suffix in tongue.suffixes:
        at = word.find(suffix)
        while at >= 0:
            noun = _NOUN.search(word, 0, at)
            if noun or at == 0:
                begun = noun.start() if noun else 0
                return word[:begun], word[begun:at], word[at + len(suffix) :].lstrip(_PARTICLES)
            at = word.find(suffix, at + 1)
    return None


def _take_suffixed(part: Token, split: tuple[str, str, str], found: Negations) -> tuple[str, str]:
    """Note what the suffix negates. -> what stands before it and behind it"""
    before, noun, behind = split
    read = part.text
    if not noun:  # it stands apart: "雪 なし"
        if not (found.rest and found.rest[-1].kind == "word" and not found.rest[-1].signed):
            reason = Sentence("Nothing to leave out stands before “{word}”.", word=part.text)
            raise Problem(part.start, part.end, reason)
        noun = found.rest.pop().text
        read = f"{noun} {part.text}"
    found.minus.append(noun)
    found.understood.append(Understood(read, noun))
    return before, behind
