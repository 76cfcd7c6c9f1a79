"""Pictures with words in them, as people post them, of which the words are known.

The fonts come with packages that `make bench` installs: Anton, which is close to the face of memes,
Roboto, Fira Code, and Noto Sans CJK.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont
Colour = str | tuple[int, int, int]

WHITE, BLACK = "white", "black"


@dataclass(frozen=True, slots=True)
class Lettered:
    """A picture, and its lines of words from top to bottom."""

    kind: str
    image: Image.Image
    lines: tuple[str, ...]


SENTENCES = (
    "When the build passes on the first try",
    "Nobody told me there would be so many birds",
    "One does not simply find that picture again",
    "Me explaining to my cat why we can't have nice things",
    "They said the meeting would be short",
    "Five minutes before the deadline",
    "Keep calm and search the whole server",
    "That moment when the coffee is empty",
    "I asked for two commands and got twelve",
    "Still waiting for the weekend to load",
    "The printer knows when you are in a hurry",
    "Everything is fine, the lights are meant to blink",
    "Look who finally answered his messages",
    "My last brain cell at three in the morning",
    "Ready for the holidays since January",
    "This could have been an email",
    "Wo ist die Bibliothek geblieben?",
    "Über den Wolken muß es schön sein",
    "Qué hambre tengo después de la reunión",
    "C'est la fête à la maison ce soir",
    "Não acredito que já é segunda-feira",
    "Pizza at 19:30, bring 12 euros",
    "Version 2.4.1 is out, see the notes",
    "Sale ends on Friday: 40% off all plants",
)
CHINESE = ("今天的天气真好", "我想吃热的面条", "猫在沙发上睡觉", "周末一起去爬山吧", "请在这里排队")
JAPANESE = (
    "今日はいい天気ですね",
    "猫がソファで寝ている",
    "ラーメンを食べたい",
    "週末に山へ行こう",
)
NAMES = ("Ada", "Kofi", "Mei", "Tomás", "Yuki", "Lucie", "Otis", "Wren")
CODE = (
    "def area(width, height):",
    "    return width * height",
    "for name in sorted(names):",
    "    print(f'{name}: {total}')",
    "import json, sys",
    "if not found:",
    "    raise KeyError(name)",
    "result = [x for x in rows if x > 0]",
    "class Picture(Item):",
    "    width: int = 0",
    "const answer = await fetch(url);",
    "let rest = items.filter(i => i.id);",
    "SELECT name FROM birds WHERE id = 7;",
    "git commit -m 'Fix the gutter'",
)


@cache
def _file(package: str, name: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the fonts are missing ({package}): run `make bench` once")
    return next(Path(spec.origin).parent.rglob(name))


def _font(package: str, name: str, size: int) -> Font:
    # The basic layout leaves "=>" two letters, which a font for code would draw as one.
    return ImageFont.truetype(str(_file(package, name)), size, layout_engine=ImageFont.Layout.BASIC)


def meme_font(size: int) -> Font:
    return _font("fontpkg_anton", "Anton-Regular.ttf", size)


def text_font(size: int) -> Font:
    return _font("fontpkg_roboto", "Roboto[[]wdth*.ttf", size)


def code_font(size: int) -> Font:
    return _font("fontpkg_fira_code", "*.ttf", size)


def cjk_font(size: int) -> Font:
    return _font("cvttf_NotoSansCJK_Regular", "*.otf", size)


# ---- the kinds


def meme(random: np.random.Generator, photograph: Image.Image) -> Lettered:
    """Capitals with a black edge, at the top and the bottom of a photograph."""
    top, bottom = (_chosen(random, SENTENCES) for _ in range(2))
    return captioned(random, photograph, top, bottom)


def captioned(
    random: np.random.Generator, photograph: Image.Image, top: str, bottom: str
) -> Lettered:
    """A meme that says this."""
    image = _posted(photograph, random, (480, 1080))
    size = int(image.width * random.uniform(0.055, 0.1))
    draw = ImageDraw.Draw(image)
    lines = []
    for text, at_top in ((top, True), (bottom, False)):
        font = meme_font(size)
        wrapped = _wrapped(text.upper(), font, image.width * 0.92)
        height = int(size * 1.3)
        y = int(size * 0.3) if at_top else image.height - height * len(wrapped) - int(size * 0.3)
        for line in wrapped:
            x = (image.width - font.getlength(line)) / 2
            draw.text((x, y), line, WHITE, font, stroke_width=max(1, size // 14), stroke_fill=BLACK)
            lines.append(line)
            y += height
    return Lettered("memes", image, tuple(lines))


def chat(random: np.random.Generator, photograph: Image.Image) -> Lettered:
    """A screenshot of a chat, light or dark; of a phone or a desk."""
    dark = random.random() < 0.5
    paper: Colour = (49, 51, 56) if dark else (255, 255, 255)
    ink: Colour = (219, 222, 225) if dark else (49, 51, 56)
    scale = float(random.choice([1.0, 1.5, 2.0, 3.0]))
    size = int(16 * scale)
    width, height = int(400 * scale), int(560 * scale)
    image = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(image)
    y, lines = int(20 * scale), []
    bold, plain = text_font(size), text_font(size)
    while y < height - 70 * scale:
        name = _chosen(random, NAMES)
        tint = tuple(int(v) for v in random.integers(90, 200, 3))
        left = int(72 * scale)
        face = (int(16 * scale), y, int(56 * scale), y + int(40 * scale))
        image.paste(photograph.resize((face[2] - face[0], face[3] - face[1])), face)
        draw.text((left, y), name, tint, bold)
        lines.append(name)
        y += int(22 * scale)
        for line in _wrapped(_chosen(random, SENTENCES), plain, width - left - 16 * scale):
            draw.text((left, y), line, ink, plain)
            lines.append(line)
            y += int(22 * scale)
        y += int(20 * scale)
    return Lettered("chats", image, tuple(lines))


def code(random: np.random.Generator, photograph: Image.Image) -> Lettered:
    """A screenshot of an editor."""
    dark = random.random() < 0.7
    size = int(random.choice([14, 16, 20, 28]))
    n_lines = int(random.integers(8, 15))
    font = code_font(size)
    image = Image.new("RGB", (size * 27, int(size * 1.6 * (n_lines + 1))), (30, 30, 46))
    if not dark:
        image.paste((250, 250, 250), (0, 0, *image.size))
    draw = ImageDraw.Draw(image)
    lines = [_chosen(random, CODE) for _ in range(n_lines)]
    for place, line in enumerate(lines):
        low, high = (140, 250) if dark else (10, 120)
        tint = tuple(int(v) for v in random.integers(low, high, 3))
        draw.text((size, int(size * (0.8 + 1.6 * place))), line, tint, font)
    return Lettered("code", image, tuple(line.strip() for line in lines))


def small(random: np.random.Generator, photograph: Image.Image) -> Lettered:
    """One line of small letters in a photograph: a caption, or a mark in a corner."""
    image = _posted(photograph, random, (640, 1600))
    size = max(11, int(max(image.size) * random.uniform(0.016, 0.026)))
    font = text_font(size)
    line = _chosen(random, SENTENCES)
    length = font.getlength(line)
    if length > image.width * 0.9:
        line = line[: int(len(line) * image.width * 0.9 / length)].strip()
        length = font.getlength(line)
    x = random.uniform(0.02, 0.98 - length / image.width) * image.width
    y = random.choice([0.02, 0.94]) * image.height
    _label(image, (x, y), line, font, random)
    return Lettered("small", image, (line,))


def turned(random: np.random.Generator, photograph: Image.Image) -> Lettered:
    """A sign that is askew, or on its side."""
    image = _posted(photograph, random, (480, 1200))
    size = int(min(image.size) * random.uniform(0.05, 0.08))
    font = text_font(size)
    wrapped = _wrapped(_chosen(random, SENTENCES), font, image.width * 0.55)
    width = int(max(font.getlength(line) for line in wrapped)) + 2 * size
    sign = Image.new("RGBA", (width, int(size * (1.4 * len(wrapped) + 1))), (250, 248, 240, 255))
    draw = ImageDraw.Draw(sign)
    for place, line in enumerate(wrapped):
        draw.text((size, size * (0.5 + 1.4 * place)), line, (20, 30, 60), font)
    angle = float(random.choice([-20, -12, -6, 6, 12, 20, 90]))
    sign = sign.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    if sign.height > image.height:
        image = image.resize((image.width, sign.height + size))
    at = ((image.width - sign.width) // 2, (image.height - sign.height) // 2)
    image.paste(sign, at, sign)
    return Lettered("turned", image, tuple(wrapped))


def cjk(random: np.random.Generator, photograph: Image.Image) -> Lettered:
    """A line or two of Chinese or Japanese, in a photograph or on a plain ground."""
    texts = CHINESE if random.random() < 0.5 else JAPANESE
    image = _posted(photograph, random, (480, 1200))
    if random.random() < 0.5:
        image.paste((252, 250, 245), (0, 0, *image.size))
    size = int(image.width * random.uniform(0.05, 0.08))
    font = cjk_font(size)
    lines = [_chosen(random, texts) for _ in range(int(random.integers(1, 3)))]
    draw = ImageDraw.Draw(image)
    for place, line in enumerate(lines):
        y = image.height * (0.1 + 0.5 * place)
        x = (image.width - font.getlength(line)) / 2
        draw.text((x, y), line, WHITE, font, stroke_width=max(1, size // 12), stroke_fill=BLACK)
    return Lettered("cjk", image, tuple(lines))


KINDS: tuple[Callable[[np.random.Generator, Image.Image], Lettered], ...] = (
    meme,
    chat,
    code,
    small,
    turned,
    cjk,
)


# ---- how they are drawn


def _chosen(random: np.random.Generator, among: Sequence[str]) -> str:
    return among[int(random.integers(len(among)))]


def _posted(
    photograph: Image.Image, random: np.random.Generator, edges: tuple[int, int]
) -> Image.Image:
    """A copy whose longer edge is between these."""
    longer = int(random.integers(*edges))
    scale = longer / max(photograph.size)
    return photograph.resize((int(photograph.width * scale), int(photograph.height * scale)))


def _wrapped(text: str, font: Font, width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _label(
    image: Image.Image, at: tuple[float, float], line: str, font: Font, random: np.random.Generator
) -> None:
    draw = ImageDraw.Draw(image)
    if random.random() < 0.5:
        left, top, right, bottom = draw.textbbox(at, line, font)
        draw.rectangle((left - 4, top - 3, right + 4, bottom + 3), (20, 20, 20))
        draw.text(at, line, WHITE, font)
    else:
        draw.text(at, line, WHITE, font, stroke_width=1, stroke_fill=BLACK)
