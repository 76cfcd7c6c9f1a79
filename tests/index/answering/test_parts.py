"""The wishes that a text consists of."""

from __future__ import annotations

import pytest

from index.answering.parts import parts_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("lighthouse at night", ("lighthouse", "night")),
        ("the dog on the beach with a red ball", ("dog", "beach", "red ball")),
        ("Hund auf der Straße", ("Hund", "Straße")),
        ("hund im schnee", ("hund", "schnee")),
        ("chien dans la neige", ("chien", "neige")),
        ("perro en la nieve", ("perro", "nieve")),
        ("cachorro na praia", ("cachorro", "praia")),
        ("собака в снегу", ("собака", "снегу")),
        ("砂浜の上の犬", ("砂浜", "犬")),
        ("雪地里的狗", ("雪地", "狗")),
    ],
)
def test_a_subject_and_its_place_are_two_wishes(text: str, parts: tuple[str, ...]) -> None:
    assert parts_of(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        *("dog", "red car", "in the snow", "lights on", "", "at", "a tree in the background"),
        *("indoors", "inn keeper", "black and white", "cup of tea", "犬"),
        "on in at by a in b in c in d in e in f",
    ],
)
def test_other_texts_are_one_wish(text: str) -> None:
    assert parts_of(text) == ()
