"""Text on pictures, in any script.

A font has the letters of some scripts. So a text is cut into runs, each in the first font that has
its letters. The fonts that are installed with Magpie come first, so that pictures look the same on
every machine; what they lack is looked for among those of the system.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from PIL import ImageDraw, ImageFont

Font: TypeAlias = ImageFont.FreeTypeFont
Colour: TypeAlias = tuple[int, int, int]

# Packages with fonts: Latin, Greek and Cyrillic; Chinese, Japanese and Korean; the others by name.
PACKAGED = (
    "fontpkg_noto_sans",
    "cvttf_NotoSansCJK_Regular",
    "fontpkg_noto_sans_arabic",
    "fontpkg_noto_sans_devanagari",
    "fontpkg_noto_sans_thai",
)
# Files of the system, for all other scripts: of Linux, of macOS, of Windows.
OF_THE_SYSTEM = (
    *("NotoSansHebrew-Regular.ttf", "NotoSansBengali-Regular.ttf", "NotoSansTamil-Regular.ttf"),
    *("NotoSansTelugu-Regular.ttf", "NotoSansGeorgian-Regular.ttf", "NotoSansArmenian-Regular.ttf"),
    *("NotoSansEthiopic-Regular.ttf", "NotoSansKhmer-Regular.ttf", "NotoSansSymbols2-Regular.ttf"),
    *("NotoEmoji-Regular.ttf", "DejaVuSans.ttf", "FreeSans.ttf", "unifont.otf"),
    *("Arial Unicode.ttf", "Apple Symbols.ttf"),
    *("segoeui.ttf", "seguisym.ttf", "Nirmala.ttf", "ebrima.ttf", "Arial.ttf"),
)
# Never a letter, so each font draws it as what it draws for letters that it lacks.
NO_LETTER = "\U0010ffff"
AS_EMOJI = "\ufe0e\ufe0f"  # ask for a letter as text, or as an emoji
REMEMBERED = 20_000  # letters, each with whether a font has it


def draw_text(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: Colour,
    room: float,
) -> None:
    """Draw one line, its top left at `at`; a line longer than `room` pixels is cut in its
    middle."""
    ascent, _ = _fonts(size)[0].getmetrics()
    x, y = at
    for run, font in _runs(shortened(drawable(text, size), size, room), size):
        draw.text((x, y + ascent), run, colour, font, anchor="ls")
        x += font.getlength(run)


def width_of(text: str, size: int) -> float:
    """How many pixels a line takes."""
    return sum(font.getlength(run) for run, font in _runs(drawable(text, size), size))


def height_of(size: int) -> int:
    """How many pixels high the letters of a line are, whatever its script."""
    ascent, descent = _fonts(size)[0].getmetrics()
    return ascent + descent


def drawable(text: str, size: int) -> str:
    """The text without the letters that no font here has, mostly emoji: each would be a box."""
    kept: list[str] = []
    left_out = True  # whether the letter before was: then what joins it to others goes, too
    for letter in text:
        if letter in AS_EMOJI or (left_out and _is_invisible(letter)):
            continue
        fonts = range(len(_fonts(size)))
        left_out = not (_is_invisible(letter) or any(_has(size, n, letter) for n in fonts))
        if not left_out:
            kept.append(letter)
    return "".join(kept)


def shortened(text: str, size: int, room: float) -> str:
    """The text, with as much of its middle left out as doesn't fit."""
    shown, kept = text, len(text)
    while kept > 4 and width_of(shown, size) > room:
        kept -= max(1, kept // 12)
        shown = f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
    return shown


def _runs(text: str, size: int) -> Sequence[tuple[str, Font]]:
    """The text in runs, each with its font; a mark stays with its letter."""
    fonts = _fonts(size)
    chosen: list[int] = []
    for letter in text:
        goes_on = bool(chosen) and _goes_on(letter)
        if goes_on and (_has(size, chosen[-1], letter) or _is_invisible(letter)):
            chosen.append(chosen[-1])
        else:
            having = (n for n in range(len(fonts)) if _has(size, n, letter))
            chosen.append(next(having, chosen[-1] if chosen else 0))
    pairs = zip(text, chosen, strict=True)
    return [
        ("".join(letter for letter, _ in group), fonts[number])
        for number, group in itertools.groupby(pairs, key=lambda pair: pair[1])
    ]


def _goes_on(letter: str) -> bool:
    """Whether a letter goes on in the font of the one before it, if that has it: marks, and what
    stands between words."""
    return unicodedata.category(letter)[0] in "MZPC"


def _is_invisible(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cf", "Mn") and not letter.isspace()


@lru_cache(REMEMBERED)
def _has(size: int, number: int, letter: str) -> bool:
    """Whether a font has a letter."""
    font = _fonts(size)[number]
    return letter.isspace() or _drawn(font, letter) != _drawn(font, NO_LETTER)


def _drawn(font: Font, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


@cache
def _fonts(size: int) -> tuple[Font, ...]:
    """All fonts that are here, in the order in which they are tried."""
    packaged = [ImageFont.truetype(str(file), size) for file in _files()]
    return (*packaged, *_of_the_system(size), ImageFont.load_default(size))  # type: ignore[arg-type]


def _of_the_system(size: int) -> Iterator[Font]:
    for name in OF_THE_SYSTEM:
        try:
            yield ImageFont.truetype(name, size)
        except OSError:
            continue  # not on this machine


@cache
def _files() -> tuple[Path, ...]:
    """The upright fonts of the packages that are installed."""
    files = []
    for package in PACKAGED:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            found = sorted(
                file for file in Path(folder).rglob("*.?tf") if "Italic" not in file.name
            )
            files += found[:1]
    return tuple(files)
