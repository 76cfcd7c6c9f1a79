"""The contact sheet of an overview: each cluster's name, some of its pictures, and its months."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageOps

from index.drawing.parts import (
    BACKGROUND,
    CARD,
    FAINT,
    INK,
    OF_CLUSTERS,
    WIDEST_BAR,
    draw_bars,
    paste_round,
)
from index.drawing.text import draw_text, width_of

PICTURES = 4  # of a cluster, two by two
CELL = (138, 104)  # pixels of one of them
INSET, GAP, MARGIN = 12, 12, 28
NAME, DETAIL, BARS = 24, 16, 30  # heights of letters, and of the bars of a cluster
CARD_WIDTH = 2 * INSET + 2 * CELL[0] + GAP // 2
CARD_HEIGHT = INSET + 34 + 26 + 2 * CELL[1] + GAP // 2 + GAP + BARS + INSET
HEADER, TITLE = 190, 34
MOST_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Section:
    """A cluster: its name, what is said below it, pictures of it, and how many each month has."""

    name: str
    detail: str
    pictures: Sequence[Image.Image]
    months: Sequence[int]


def overview_sheet(
    title: str,
    subtitle: str,
    months: Sequence[int],
    ends: tuple[str, str],
    sections: Sequence[Section],
) -> Image.Image:
    """A sheet with a card for each cluster, below how many pictures each month has.

    months   counts, the oldest first; of each section as many
    ends     how the first and the last month are written
    """
    columns = min(MOST_COLUMNS, max(2, math.ceil(math.sqrt(1.2 * len(sections)))))
    rows = max(1, -(-len(sections) // columns))
    width = 2 * MARGIN + columns * (CARD_WIDTH + GAP) - GAP
    height = MARGIN + HEADER + rows * (CARD_HEIGHT + GAP) - GAP + MARGIN
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    room = width - 2 * MARGIN
    draw_text(draw, (MARGIN, MARGIN - 8), title, TITLE, INK, room)
    draw_text(draw, (MARGIN, MARGIN + 40), subtitle, 20, FAINT, room)
    bottom = MARGIN + HEADER - 46
    draw.rectangle((MARGIN, bottom + 2, width - MARGIN, bottom + 2), CARD)
    draw_bars(draw, (MARGIN, MARGIN + 80, width - MARGIN, bottom), months, INK)
    draw_text(draw, (MARGIN, bottom + 6), ends[0], DETAIL, FAINT, room / 2)
    if len(months) > 1:
        right = MARGIN + min(room, len(months) * WIDEST_BAR)
        x = max(right, MARGIN + 220) - width_of(ends[1], DETAIL)
        draw_text(draw, (x, bottom + 6), ends[1], DETAIL, FAINT, room / 2)
    for number, section in enumerate(sections):
        x = MARGIN + number % columns * (CARD_WIDTH + GAP)
        y = MARGIN + HEADER + number // columns * (CARD_HEIGHT + GAP)
        _place(sheet, draw, (x, y), section, number)
    return sheet


def _place(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    section: Section,
    number: int,
) -> None:
    x, y = at
    colour = OF_CLUSTERS[number % len(OF_CLUSTERS)]
    draw.rounded_rectangle((x, y, x + CARD_WIDTH - 1, y + CARD_HEIGHT - 1), 10, CARD)
    draw.rounded_rectangle((x + INSET, y + INSET + 6, x + INSET + 5, y + INSET + 26), 2, colour)
    room = CARD_WIDTH - 2 * INSET - 14
    draw_text(draw, (x + INSET + 14, y + INSET - 4), section.name, NAME, INK, room)
    draw_text(draw, (x + INSET + 14, y + INSET + 28), section.detail, DETAIL, FAINT, room)
    for place, picture in enumerate(section.pictures[:PICTURES]):
        left = x + INSET + place % 2 * (CELL[0] + GAP // 2)
        top = y + INSET + 60 + place // 2 * (CELL[1] + GAP // 2)
        paste_round(sheet, ImageOps.fit(picture, CELL), (left, top))
    bottom = y + CARD_HEIGHT - INSET
    box = (x + INSET, bottom - BARS, x + CARD_WIDTH - INSET, bottom)
    draw.rectangle((x + INSET, bottom, x + CARD_WIDTH - INSET - 1, bottom), BACKGROUND)
    draw_bars(draw, box, section.months, colour)
