"""The contact sheet of docs/pocket.md: questions with their five best answers in the demo world."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pocket.evaluate import Loaded
from pocket.world import DEMO

SHEET = Path("docs", "pocket-sheet.webp")
GOOD = (
    "dog in snow", "a cat at night", "puppy", "chien dans la neige", "собака в снегу",
    "tortuga en la playa", "red car", "three lemons", "ice cream on the beach",
    "somewhere in the rain",
)  # fmt: skip
HARD = (
    "a photo of my desk", "sad", "the dog left of the cat", "a dog that is not in snow",
    "seventeen balloons",
)  # fmt: skip
TILE, LABEL, SHOWN = (120, 90), 250, 5  # pixels, pixels, answers


def draw_sheet(loaded: Loaded, out: Path = SHEET, demo: Path = DEMO) -> None:
    """Write the sheet: a row for each question, with its answers, best first."""
    files = list(json.loads((demo / "labels.json").read_text("utf-8")))
    images = [Image.open(demo / file).convert("RGB") for file in files]
    vectors = loaded.pictures(images)
    rows: list[tuple[str, Sequence[int]]] = []
    for question in (*GOOD, *HARD):
        scores = vectors @ loaded.texts([question])[0]
        rows.append((question, [int(n) for n in np.argsort(-scores)[:SHOWN]]))
    sheet = Image.new("RGB", (LABEL + SHOWN * (TILE[0] + 4), len(rows) * (TILE[1] + 4)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (question, best) in enumerate(rows):
        y = row * (TILE[1] + 4)
        write(draw, question, (10, y + TILE[1] // 2))
        for column, n in enumerate(best):
            tile = images[n].copy()
            tile.thumbnail(TILE)
            x = LABEL + column * (TILE[0] + 4) + (TILE[0] - tile.width) // 2
            sheet.paste(tile, (x, y + (TILE[1] - tile.height) // 2))
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out, quality=80, method=6)


def write(draw: ImageDraw.ImageDraw, text: str, at: tuple[int, int]) -> None:
    """Write a question in DejaVu Sans, which has Cyrillic letters, if the machine has it."""
    try:
        font: ImageFont.FreeTypeFont | ImageFont.ImageFont = ImageFont.truetype(
            "DejaVuSans.ttf", 17
        )
    except OSError:
        font = ImageFont.load_default(17)
    draw.text(at, text, fill="black", font=font, anchor="lm")
