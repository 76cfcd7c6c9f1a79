"""Text on pictures: every script has a font that draws it."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from index.drawing import text

SIZE = 20
NAMES = {
    "Latin": "Größe façade",
    "Greek": "εικόνα",
    "Cyrillic": "картина",
    "Japanese": "日本語の写真",
    "Chinese": "图片",
    "Korean": "사진",
    "Arabic": "صورة",
    "Devanagari": "चित्र",
    "Thai": "รูปภาพ",
}


@pytest.mark.parametrize("script", NAMES)
def test_a_name_is_drawn_in_its_own_script(script: str) -> None:
    """With the fonts that come with Magpie, and no box in the place of a letter."""
    packaged = text._fonts(SIZE)[: len(text._files())]
    assert len(packaged) == len(text.PACKAGED)
    for run, font in text._runs(NAMES[script], SIZE):
        assert font in packaged
        for letter in run:
            box = text._drawn(font, text.NO_LETTER)
            assert letter.isspace() or text._drawn(font, letter) != box


def test_scripts_may_be_mixed() -> None:
    runs = text._runs("cat 猫.jpg", SIZE)
    assert [run for run, _ in runs] == ["cat ", "猫.", "jpg"]
    assert runs[0][1] is runs[2][1] is not runs[1][1]
    assert text.width_of("cat 猫.jpg", SIZE) == pytest.approx(
        sum(font.getlength(run) for run, font in runs)
    )


@pytest.mark.parametrize("name", ["a" * 200, "猫" * 100, "a 猫 " * 40])
def test_a_long_name_is_cut_in_its_middle(name: str) -> None:
    shown = text.shortened(name, SIZE, 300)
    assert "…" in shown
    assert text.width_of(shown, SIZE) <= 300
    assert shown[0] == name[0]
    assert shown[-1] == name[-1]


def test_letters_of_all_scripts_leave_ink() -> None:
    for name in NAMES.values():
        picture = Image.new("RGB", (300, 40))
        text.draw_text(ImageDraw.Draw(picture), (4, 4), name, SIZE, (255, 255, 255), 290)
        assert picture.getbbox() is not None


@pytest.mark.parametrize(
    "name",
    ["cat \U0001fabfdog", "cat \U0001f469\u200d\U0001f469\u200d\U0001f467dog", "\ufe0fcat dog"],
)
def test_a_letter_that_no_font_has_leaves_no_box(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emoji, on a machine without a font for it."""
    size = 23  # of which no other test has loaded fonts
    monkeypatch.setattr(text, "OF_THE_SYSTEM", ())

    def drawn(said: str) -> bytes:
        picture = Image.new("RGB", (300, 40))
        text.draw_text(ImageDraw.Draw(picture), (4, 4), said, size, (255, 255, 255), 290)
        return picture.tobytes()

    assert drawn(name) == drawn("cat dog")
    assert text.width_of(name, size) == text.width_of("cat dog", size)


@pytest.mark.parametrize("script", NAMES)
def test_no_letter_of_a_script_is_left_out(script: str) -> None:
    assert text.drawable(NAMES[script], SIZE) == NAMES[script]
