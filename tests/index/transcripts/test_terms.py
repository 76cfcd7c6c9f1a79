"""Terms of texts in any script, excerpts around them, and whether two texts say the same."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from index.store.sqlite import SQLiteStore
from index.transcripts.comparing import differing
from index.transcripts.excerpts import LONGEST, excerpt
from index.transcripts.terms import asked, forgiving, pairs, placed, terms
from index.types.filter import Filter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One DOES not, simply!", ["one", "does", "not", "simply"]),
        ("Café naïve STRASSE straße", ["cafe", "naive", "strasse", "strasse"]),
        ("Łódź Ærø İstanbul ISTANBUL", ["lodz", "aero", "istanbul", "istanbul"]),
        ("ﬁne ＡＢＣ x\u0301y", ["fine", "abc", "xy"]),
        ("don't l’amour 1,000 km/h", ["don", "t", "l", "amour", "1", "000", "km", "h"]),
        ("我爱北京 hello世界", ["我", "爱", "北", "京", "hello", "世", "界"]),
        ("がか 안녕", ["が", "か", "안", "녕"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("שָׁלוֹם", ["שלום"]),
        ("🦖 -- !?", []),
    ],
)
def test_terms_are_words_without_case_and_accents(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_words_without_meaning_are_asked_for_only_when_there_are_no_others() -> None:
    assert asked("The dog in the snow") == ("dog", "snow")
    assert asked("to be or not") == ("not",)
    assert asked("to be") == ("to", "be")
    assert asked("雪の中 dog") == ("雪 の", "の 中", "dog")
    assert asked("猫 犬") == ("猫", "犬")
    assert asked("!?") == ()


def test_pairs_have_words_without_meaning_too() -> None:
    assert pairs("The dog, in the dog") == ("the dog", "dog in", "in the")
    assert pairs("雪の dog") == ("の dog",)  # "雪 の" is asked for anyway
    assert pairs("dog") == ()


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("wizard", "wizzard", True),
        ("wizard", "wizrad", True),
        ("wizard", "w1zard", True),
        ("modem", "modern", True),
        ("wizard", "lizards", False),
        ("mordor", "mother", False),
        ("car", "cat", False),
        ("2024", "2025", False),
    ],
)
def test_one_wrong_letter_is_forgiven_in_words_that_are_long_enough(
    one: str, other: str, alike: bool
) -> None:
    assert bool(forgiving(one) & forgiving(other)) is alike


LINES = (
    "One does not simply",
    "walk into Mordor because the road is long and the night is dark and full of",
    "terrors, my friend, says the wise old wizard again and again",
)


def test_an_excerpt_stands_around_what_was_asked() -> None:
    assert excerpt(["Café"], ["cafe"]) == "Café"
    assert excerpt(LINES, ["not simply walk"]) == (
        "One does not simply walk into Mordor because the road is…"
    )
    found = excerpt(LINES, ["wizzard", "friend"])
    assert found is not None
    assert found.startswith("…")
    assert "friend, says the wise old wizard" in found
    assert excerpt(LINES, ["dragon"]) is None
    assert excerpt((), ["x"]) is None


def test_any_text_has_terms_in_their_places_and_an_excerpt() -> None:
    chance = random.Random(4)
    letters = [*"aÉß1-' \n", *"我がकि한ﬁ\u0301\u200b\u202e🦖ﷺİ\u3099", "\ud800", "\x00", '"', "*"]
    for _ in range(3_000):
        text = "".join(chance.choices(letters, k=chance.randint(1, 60)))
        found = list(placed(text))
        ends = [0, *(at for term in found for at in (term.start, term.end)), len(text)]
        assert ends == sorted(ends)
        assert [term.text for term in found] == terms(text)
        for term in found[:2]:
            quoted = excerpt([text], [term.text])
            assert quoted is not None
            assert len(quoted) <= LONGEST + 2


async def test_any_text_can_be_looked_for(store: SQLiteStore) -> None:
    for text in ('"', "a\x00b", "NEAR(x y)", "x* OR y", "{z}: -a", "terms:x", "\ud800", "ﷺ" * 50):
        found = await store.links.resolved(Filter(1, says=(text,)))
        assert found.only == frozenset()
        await store.transcripts.mentions(asked(text), Filter(1))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    store = await SQLiteStore.open(tmp_path / "g.db")
    yield store
    await store.close()


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("monday morning again", "friday evening at last", True),
        ("monday morning again", "M0nday mornin agian", False),  # read anew from a copy
        ("monday morning", "monday morning, when the coffee is empty", False),  # a caption more
        ("monday morning", "", False),
        ("@ana", "friday evening at last", False),  # a signature
        ("when the build passes", "when the birds sing all day", False),
        ("当猫在沙发上睡觉", "请在这里排队等候一下", True),
    ],
)
def test_two_texts_differ_if_most_of_the_shorter_is_not_in_the_longer(
    one: str, other: str, apart: bool
) -> None:
    assert differing({1: [one], 2: [other]}) == ({frozenset((1, 2))} if apart else set())
