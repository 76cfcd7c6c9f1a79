"""The oracle of exact words, which judges what was really read."""

from __future__ import annotations

import pytest

from bench.words import _says


@pytest.mark.parametrize(
    ("lines", "words", "right"),
    [
        (("FINALLY LOBSTER", "NUN·ZIGZAG"), "finally lobster nun", True),
        (("OCÉLOT MUSCLÉS·BERET OF",), "ocelot muscles beret", True),
        (("GARDENING CATFISH", "中", "JUST"), "gardening catfish just", False),
        (("POSTCARD",), "card", False),
    ],
)
def test_words_are_whole_and_parted_by_signs_and_other_letters(
    lines: tuple[str, ...], words: str, right: bool
) -> None:
    assert _says(lines, words) is right
