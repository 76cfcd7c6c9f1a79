"""Pictures with words for the demo world: memes, and what people make screenshots of.

They are drawn with Pillow's own font, which has Latin letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from pocket.clips import labelled
from pocket.scenes import meme

Said = Sequence[tuple[str, str]]  # who said it, and what

# What each meme shows, as a subject and a place, and its words above and below.
MEMES: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "not-simply.webp": (("eagle", "mountains"), ("one does not simply", "find that picture again")),
    "nobody-told-me.webp": (("duck", "sea"), ("nobody told me", "there would be so many birds")),
}
CHATS: Mapping[str, Said] = {
    "the-cake.png": (
        ("Kofi", "Who ate the cake in the fridge?"),
        ("Ada", "Define cake"),
        ("Kofi", "It had my name on it"),
        ("Ada", "I can't read when I'm hungry"),
    ),
    "free-phone.png": (
        ("Prize Team", "Congratulations! You won a free phone"),
        ("Prize Team", "Send us your password to claim your prize"),
        ("Otis", "This is the third time this month"),
    ),
}
DIALOGS: Mapping[str, tuple[str, str, str]] = {  # title, words, button
    "no-error.png": ("Unexpected success", "Something went right. Nobody knows why.", "Panic"),
}
PAPER, INK, PALE, BLUE = "#ffffff", "#24292f", "#d0d7de", "#2f6fde"
TINTS = {"Kofi": "#b4432f", "Ada": "#2f7d4f", "Otis": "#6b4fc0"}


def make_screenshots(folder: Path, labels: Mapping[str, Any]) -> list[str]:
    """Write the pictures into the world's folder; returns their files."""
    (folder / "screenshots").mkdir(exist_ok=True)
    drawn: dict[str, Image.Image] = {}
    for name, (scene, (top, bottom)) in MEMES.items():
        with Image.open(folder / labelled(labels, *scene)) as image:
            drawn[name] = image.convert("RGB")
        # In this font one blank is hardly seen between letters with a thick edge.
        meme(drawn[name], top.replace(" ", "  "), bottom.replace(" ", "  "))
    drawn |= {name: _chat(said) for name, said in CHATS.items()}
    drawn |= {name: _dialog(*words) for name, words in DIALOGS.items()}
    for name, picture in drawn.items():
        options = {"quality": 80, "method": 6} if name.endswith(".webp") else {"optimize": True}
        picture.save(folder / "screenshots" / name, **options)
    return [f"screenshots/{name}" for name in drawn]


def _chat(said: Said) -> Image.Image:
    font = ImageFont.load_default(19)
    image = Image.new("RGB", (520, 24 + 66 * len(said)), PAPER)
    draw = ImageDraw.Draw(image)
    for place, (who, words) in enumerate(said):
        tint, y = TINTS.get(who, INK), 18 + 66 * place
        draw.ellipse((18, y, 58, y + 40), tint)
        draw.text((76, y - 3), who, tint, font)
        draw.text((76, y + 22), words, INK, font)
    return image


def _dialog(title: str, words: str, button: str) -> Image.Image:
    font = ImageFont.load_default(20)
    image = Image.new("RGB", (520, 200), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 520, 44), BLUE)
    draw.text((18, 22), title, PAPER, font, anchor="lm")
    draw.text((260, 92), words, INK, font, anchor="mm")
    draw.rounded_rectangle((205, 136, 315, 176), 6, PALE)
    draw.text((260, 156), button, INK, font, anchor="mm")
    return image
