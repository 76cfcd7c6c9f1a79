"""Texts that people might type to find a scene, from one word to a sentence, in eight languages.

A `Caption` also has its claims, by which training knows which other pictures it fits.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pocket.artwork import LANGUAGES, Subject
from pocket.places import Random
from pocket.scenes import Scene
from pocket.wording import (
    AND,
    COLOUR_AFTER,
    COLOUR_WORDS,
    FORMS,
    KIND_WORDS,
    NUMBER_WORDS,
    PLACE_PHRASES,
    PLACE_WORDS,
    UNSPACED,
)

T = TypeVar("T")

ENGLISH_SHARE = 0.45  # of all captions; the other seven languages share the rest
TYPO_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Caption:
    """A text and its claims. `kind` is for a subject that is named only by its kind."""

    text: str
    subjects: tuple[int, ...] = ()
    kind: str | None = None
    places: tuple[str, ...] = ()
    count: int | None = None
    colour: str | None = None
    language: str = "en"


def pick(rng: Random, items: Sequence[T]) -> T:
    return items[int(rng.integers(len(items)))]


def language_of(rng: Random) -> str:
    return "en" if rng.random() < ENGLISH_SHARE else pick(rng, LANGUAGES[1:])


@functools.cache
def plural(noun: str) -> str:
    """The plural of an English noun by simple rules; irregular ones are in the word list."""
    if noun.endswith("s") and not noun.endswith(("ss", "us")):
        return noun
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return noun[:-1] + "ies"
    if noun.endswith(("wolf", "leaf", "knife")):
        return noun.removesuffix("f").removesuffix("fe") + "ves"
    if noun.endswith("man"):
        return noun[:-3] + "men"
    if noun in ("sheep", "fish", "deer", "moose", "shrimp", "squid"):
        return noun
    return noun + "s"


def article(noun: str) -> str:
    if noun.endswith("s") and not noun.endswith(("ss", "us")):
        return noun
    return ("an " if noun[:1] in "aeiou" else "a ") + noun


def mistyped(text: str, rng: Random) -> str:
    """The text with one typing error: two letters swapped, one missing, or one doubled."""
    at = int(rng.integers(1, max(2, len(text) - 2)))
    slip = int(rng.integers(3))
    if slip == 0:
        return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
    if slip == 1:
        return text[:at] + text[at + 1 :]
    return text[:at] + text[at : at + 1] + text[at:]


class CaptionWriter:
    """Writes captions about scenes of the given subjects."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self.subjects = subjects

    def word(self, subject: int, language: str, rng: Random) -> str:
        """The usual name in two of three cases, else one of the next names."""
        words = self.subjects[subject].words[language]
        if len(words) == 1 or rng.random() < 0.6:
            return words[0]
        others = words[1:] if language == "en" else words[1:3]
        return pick(rng, others)

    def write(self, scene: Scene, rng: Random, language: str | None = None) -> Caption:
        """A caption that fits the scene."""
        language = language or language_of(rng)
        about = rng.random()
        bare = scene.place == "plain" and scene.overlay is None
        if about < 0.05 and not bare:
            return self._of_place(scene, language, rng)
        with_place = about > (0.95 if bare else 0.42)
        subjects, kind, phrase, count, colour = self._noun(scene, language, rng)
        if not with_place:
            text = fill(pick(rng, FORMS[language]["subject"]), language, phrase, count)
            return Caption(slip(text, rng), subjects, kind, (), count, colour, language)
        places = self._named_places(scene, rng)
        form = pick(rng, FORMS[language]["both"])
        text = fill(form, language, phrase, count, *place_terms(places, language, rng))
        return Caption(slip(text, rng), subjects, kind, places, count, colour, language)

    def _of_place(self, scene: Scene, language: str, rng: Random) -> Caption:
        places = self._named_places(scene, rng)
        form = pick(rng, FORMS[language]["place"])
        text = fill(form, language, "", None, *place_terms(places, language, rng))
        return Caption(slip(text, rng), places=places, language=language)

    def _named_places(self, scene: Scene, rng: Random) -> tuple[str, ...]:
        places = scene.places
        if len(places) == 1 or rng.random() < 0.4:
            return places
        return (pick(rng, places),)

    def _noun(
        self, scene: Scene, language: str, rng: Random
    ) -> tuple[tuple[int, ...], str | None, str, int | None, str | None]:
        """(subjects, kind, words, count, colour) as the caption names them."""
        main = scene.subjects[0]
        kind = self.subjects[main].kind
        if kind and len(scene.subjects) == 1 and scene.count == 1 and rng.random() < 0.04:
            return (), kind, pick(rng, KIND_WORDS[language][kind]), None, None
        named = [int(s) for s in rng.permutation(len(scene.subjects))]
        if len(named) > 1 and rng.random() < 0.3:
            named = named[:1]
        terms, count, colour = [], None, None
        for n in named:
            subject = scene.subjects[n]
            term = self.word(subject, language, rng)
            if n == 0 and scene.count > 1 and rng.random() < 0.6:
                count = scene.count
            if n == 0 and scene.colour and rng.random() < 0.7:
                colour = scene.colour
            counted = count if n == 0 else None
            shown = colour if n == 0 else None
            several = n == 0 and scene.count > 1 and (counted or rng.random() < 0.6)
            terms.append(noun_phrase(term, language, counted, shown, bool(several), rng))
        between = AND[language] if language in UNSPACED else f" {AND[language]} "
        subjects = tuple(scene.subjects[n] for n in named)
        return subjects, None, between.join(terms), count, colour


def noun_phrase(
    term: str, language: str, count: int | None, colour: str | None, several: bool, rng: Random
) -> str:
    if language == "en" and several:
        term = plural(term)
    gap = "" if language in UNSPACED else " "
    if colour:
        word = pick(rng, COLOUR_WORDS[language][colour])
        term = f"{term} {word}" if language in COLOUR_AFTER else f"{word}{gap}{term}"
    if count:
        number = NUMBER_WORDS[language][count - 2]
        if language not in UNSPACED and rng.random() < 0.3:
            number = str(count)
        term = f"{number}{gap}{term}"
    return term


def place_terms(places: Sequence[str], language: str, rng: Random) -> tuple[str, str]:
    """(phrase, word) for one or two places."""
    phrases = [pick(rng, PLACE_PHRASES[language][place]) for place in places]
    words = [pick(rng, PLACE_WORDS[language][place]) for place in places]
    gap = "の" if language == "ja" else "" if language == "zh" else " "
    return gap.join(phrases), " ".join(words)


def fill(
    form: str, language: str, noun: str, count: int | None, phrase: str = "", word: str = ""
) -> str:
    with_article = article(noun) if language == "en" and not count else noun
    return form.format(s=noun, a=with_article, p=phrase, w=word)


def slip(text: str, rng: Random) -> str:
    return mistyped(text, rng) if rng.random() < TYPO_SHARE and len(text) > 4 else text
