"""What a line says not to show in words is a minus, and no model is handed a "without"."""

from __future__ import annotations

import pytest

from index import Understood, printed
from index.language.tongues import TONGUES
from tests.index.language.readers import read, reader, refused


@pytest.mark.parametrize(
    ("locale", "line", "words", "minus"),
    [
        ("en-US", "dog without snow", "dog", ["snow"]),
        ("en-US", "no people", "", ["people"]),
        ("en-US", "beach with no people", "beach", ["people"]),
        ("en-US", "beach no people", "beach", ["people"]),
        ("en-US", "man without a hat in the rain", "man in the rain", ["hat"]),
        ("en-US", "man without a hat and a dog", "man and a dog", ["hat"]),
        ("en-US", "beach without any people or dogs in summer", "beach in summer",
         ["people", "dogs"]),
        ("en-US", "beach but not sand", "beach", ["sand"]),
        ("en-US", "dog, not a cat", "dog", ["cat"]),
        ("en-US", "cat not on a sofa", "cat", ["sofa"]),
        ("en-US", "man not a woman", "man", ["woman"]),
        ("en-US", "when it rains, not snow", "when it rains", ["snow"]),
        ("en-US", "you without a hat", "you", ["hat"]),
        ("de", "Hund nicht Katze", "Hund", ["Katze"]),
        ("en-US", "everything except cats", "everything", ["cats"]),
        ("en-US", "no snow, no ice", "", ["snow", "ice"]),
        ("en-US", "house with no sign", "house", ["sign"]),
        ("en-US", "Beach W/O People!", "Beach", ["People"]),
        ("en-US", "dog (without snow)", "dog", ["snow"]),
        ("en-US", "dog-without-snow", "dog", ["snow"]),
        ("en-US", 'dog without "red car" beach', "dog beach", ["red car"]),
        ("en-US", "dog without -snow", "dog", ["snow"]),
        ("en-US", "with or without you", "", ["you"]),
        ("en-US", r"dog \without snow", "dog", ["snow"]),
        ("en-US", "dog ｗｉｔｈｏｕｔ snow", "dog", ["snow"]),
        ("de", "Strand ohne Leute im Regen", "Strand im Regen", ["Leute"]),
        ("de", "Hund aber keine Katze", "Hund", ["Katze"]),
        ("de", "dog without snow", "dog", ["snow"]),
        ("fr", "homme sans chapeau sous la pluie", "homme sous la pluie", ["chapeau"]),
        ("fr", "forêt mais pas d’arbres", "forêt", ["arbres"]),
        ("es-ES", "perro sin nieve", "perro", ["nieve"]),
        ("es-ES", "playa pero no arena", "playa", ["arena"]),
        ("pt-BR", "praia sem pessoas", "praia", ["pessoas"]),
        ("pt-BR", "beach with no people", "beach", ["people"]),
        ("it", "cane senza neve", "cane", ["neve"]),
        ("ja", "雪なしの犬", "犬", ["雪"]),
        ("ja", "犬 雪 なし", "犬", ["雪"]),
        ("ja", "公園で人のいない写真", "公園で 写真", ["人"]),
    ],
)  # fmt: skip
def test_a_negation_is_a_minus(locale: str, line: str, words: str, minus: list[str]) -> None:
    wish = read(line, locale)
    assert (wish.words, list(wish.minus)) == (words, minus)
    typed = [understood.minus for understood in wish.understood]
    assert typed == ([] if "-snow" in line.split() else minus)


@pytest.mark.parametrize(
    ("locale", "line"),
    [
        ("en-US", "no parking sign"),
        ("en-US", "no smoking"),
        ("en-US", "no dogs allowed"),
        ("en-US", "no. 5"),
        ("en-US", "no 5"),
        ("en-US", "nothing"),
        ("en-US", "knot"),
        ("en-US", "not safe for work"),
        ("en-US", "say no to drugs"),
        ("en-US", "picture of no one"),
        ("en-US", "why not"),
        ("en-US", "one does not simply walk in"),
        ("en-US", "one dose not simply find"),
        ("en-US", "you shall not pass"),
        ("en-US", "I'm really not crying"),
        ("en-US", "it’s not a bug"),
        ("de", "wenn er wieder nicht kommt"),
        ("en-US", "dog that is not here"),
        ("en-US", "non-human"),
        ("en-US", "no"),
        ("en-US", "comic sans"),
        ("en-US", "sin city"),
        ("de", "kein Zutritt"),
        ("fr", "pas mal"),
        ("fr", "sans-abri"),
        ("es-ES", "no fumar"),
        ("pt-BR", "cachorro no parque"),
        ("ja", "はなし"),
        ("ja", "おもてなし"),
    ],
)
def test_what_only_looks_so_stays(locale: str, line: str) -> None:
    wish = read(line, locale)
    assert (wish.words, wish.minus, wish.understood) == (line, (), ())


def test_the_words_that_were_typed_are_told() -> None:
    understood = read("beach with no people, but not a dog").understood
    assert understood == (
        Understood("with no people", "people"),
        Understood("but not a dog", "dog"),
    )


@pytest.mark.parametrize(
    ("locale", "line", "corrected"),
    [
        ("en-US", "dog without", "dog"),
        ("en-US", "without from:@ana", "from:@ana"),
        ("fr", "comic sans", "comic"),
        ("ja", "なし", ""),
        ("en-US", '-"dog without snow"', '-"dog snow"'),
        ("en-US", "-dog-without-snow cat", "cat"),
        ("en-US", 'no "people without hats"', 'no -"people hats"'),
    ],
)
def test_a_negation_of_nothing_or_twice_is_refused(locale: str, line: str, corrected: str) -> None:
    assert refused(line, locale).corrected == corrected


@pytest.mark.parametrize("language", TONGUES)
def test_every_without_of_a_language_goes(language: str) -> None:
    for word, *more in TONGUES[language].without:
        for line in (f"aaa {word} bbb", f"aaa {word.upper()}, bbb", f"({word} bbb) aaa"):
            wish = read(line, language)
            assert word not in wish.words.casefold()
            assert wish.minus
        assert not more


@pytest.mark.parametrize("language", TONGUES)
def test_a_word_is_printed_so_that_each_language_reads_it_as_one(language: str) -> None:
    phrases = TONGUES[language].no
    for phrase in phrases:
        wish = read("\\" + " \\".join(phrase) + " aaa", language)
        assert wish.words == " ".join(phrase) + " aaa"
        for other in TONGUES:
            assert read(printed(wish), other).words == wish.words
        assert read(printed(wish, reader(language)), language) == wish
