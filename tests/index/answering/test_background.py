"""What a model sees in a picture, judged against common words: vectors whose answers are known."""

from __future__ import annotations

import math

import numpy as np

from index.answering.background import SEEN_AT_ONCE, Background, is_whole, vocabulary
from index.types.records import Floats

WORDS = ("animal", "dog", "cat", "violin", "beach", "city", "hound")
OTHERS = tuple(f"word {n}" for n in range(300))  # about what no picture shows
DIRECTIONS = np.eye(8 + len(OTHERS), dtype=np.float32)


def unit(*parts: Floats) -> Floats:
    total = np.sum(parts, axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)


DOG, CAT, VIOLIN, BEACH, CITY, COMMON, TEXTS, ANIMAL = DIRECTIONS[:8]


def text(*parts: Floats) -> Floats:
    """A text's vector: all of them have a large part in common."""
    return unit(*parts, 1.2 * TEXTS)


def background(scale: float = 30.0, bias: float | None = None) -> Background:
    rows = [
        text(ANIMAL, 0.7 * DOG, 0.7 * CAT),
        text(DOG, 0.3 * ANIMAL),
        text(CAT, 0.3 * ANIMAL),
        *(text(VIOLIN), text(BEACH), text(CITY)),
        text(DOG, 0.3 * ANIMAL, 0.1 * COMMON),
        *(text(direction) for direction in DIRECTIONS[8:]),
    ]
    words = (*WORDS, *OTHERS)
    kinds = np.array([word == "animal" for word in words])
    whole = np.array([word != "hound" for word in words])
    return Background(words, kinds, np.stack(rows), whole, scale, bias)


def picture(*parts: Floats) -> Floats:
    return unit(*parts, 0.5 * COMMON)


def fit(wanted: Floats, shown: Floats, of: Background | None = None) -> float:
    return float((of or background()).fit(wanted[None], shown[None])[0, 0])


def test_each_word_of_the_vocabulary_stands_once() -> None:
    words = vocabulary().words
    assert len(words) == len(set(words)) == len(vocabulary().kinds) > 2000
    assert all(word == " ".join(word.split()).lower() for word in words)
    kinds = {word for word, kind in zip(words, vocabulary().kinds, strict=True) if kind}
    assert {"animal", "food", "person"} <= kinds
    assert not kinds & {"dog", "bread", "chef"}


def test_words_for_what_is_shown_fit_and_others_do_not() -> None:
    assert fit(text(DOG), picture(DOG)) > 0.8
    assert fit(text(CAT), picture(DOG)) < 0.01
    assert fit(text(VIOLIN), picture(DOG)) < 0.01


def test_a_subject_fits_though_the_place_is_seen_first() -> None:
    shown = picture(DOG, 1.5 * BEACH)
    assert fit(text(BEACH), shown) > 0.8
    assert fit(text(DOG), shown) > 0.8
    assert fit(text(CAT), shown) < 0.05


def test_a_synonym_is_no_alternative() -> None:
    assert fit(text(DOG, 0.2 * ANIMAL, 0.1 * CITY), picture(DOG)) > 0.8


def test_a_thing_is_no_alternative_to_its_kind() -> None:
    assert fit(text(ANIMAL, 0.5 * DOG, 0.5 * CAT), picture(DOG, 0.5 * ANIMAL)) > 0.5


def test_a_bias_is_one_more_alternative() -> None:
    shown = picture(DOG)
    logit = 30 * float(text(DOG) @ shown)
    unlikely = background(bias=-logit - math.log(len(WORDS + OTHERS)) - 5)
    certain = background(bias=-logit - math.log(len(WORDS + OTHERS)) + 20)
    assert fit(text(DOG), shown) > 0.9
    assert fit(text(DOG), shown, unlikely) < 0.01
    assert np.isclose(fit(text(DOG), shown, certain), fit(text(DOG), shown), atol=1e-4)


def test_the_models_own_temperature_decides() -> None:
    shown = picture(DOG, 0.8 * CAT)
    assert fit(text(DOG), shown, background(scale=100)) > 0.95
    assert fit(text(DOG), shown, background(scale=5)) < 0.1


def test_concepts_are_what_is_seen_and_only_words_that_the_model_has_whole() -> None:
    shown = np.stack([picture(DOG, BEACH), picture(CAT)])
    both, one = background().concepts(shown)
    assert set(both) == {"dog", "beach"}  # and not "hound"
    assert one[0] == "cat"
    many = np.concatenate([np.repeat(shown[:1], SEEN_AT_ONCE, axis=0), shown[1:]])
    assert background().concepts(many) == [both] * SEEN_AT_ONCE + [one]


def test_a_word_is_whole_in_one_piece() -> None:
    assert is_whole("polar bear", {"polar bear": 2}.__getitem__)
    assert not is_whole("axolotl", {"axolotl": 3}.__getitem__)
