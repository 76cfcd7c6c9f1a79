"""The atlas: a map of pictures on which like lies by like, with the names of their clusters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from index.drawing.parts import BACKGROUND, CARD, FAINT, INK, OF_CLUSTERS, paste_round
from index.drawing.text import Colour, draw_text, height_of, width_of
from index.types.overview import Overview

SIZE = (1200, 900)
MARGIN, HEADER = 36, 76
CELL = (92, 70)  # pixels of a small picture
GAP = 6
DOT = 3  # pixels from its middle to its edge
# How many cells a picture may lie from its place, so that no two cover each other.
FARTHEST = 1
NAME = 22
STRIDES = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))
COLUMNS = (SIZE[0] - 2 * MARGIN) // (CELL[0] + GAP)
ROWS = (SIZE[1] - HEADER - MARGIN) // (CELL[1] + GAP)


def wanted(overview: Overview, first: Iterable[int], most: int) -> list[int]:
    """The links whose pictures the map shows best: those that are there anyway, and then one for
    each cell that is left; at most so many.

    first   links of pictures that are there anyway
    """
    places = dict(zip(overview.links.tolist(), map(_cell, overview.places.tolist()), strict=True))
    chosen = [link for link in first if link in places][:most]
    taken = {places[link] for link in chosen}
    for link, cell in places.items():
        if len(chosen) >= most:
            break
        if cell not in taken:
            taken.add(cell)
            chosen.append(link)
    return chosen


def atlas(
    title: str,
    subtitle: str,
    overview: Overview,
    names: Sequence[str],
    pictures: Mapping[int, Image.Image],
) -> Image.Image:
    """The map: a dot for each picture, some of the pictures themselves, and the clusters' names.

    pictures  by link, those that matter most first
    """
    sheet = Image.new("RGB", SIZE, BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw_text(draw, (MARGIN, 14), title, 30, INK, SIZE[0] - 2 * MARGIN)
    draw_text(draw, (MARGIN, 50), subtitle, 16, FAINT, SIZE[0] - 2 * MARGIN)
    colours = [OF_CLUSTERS[number % len(OF_CLUSTERS)] for number in range(len(names))]
    for place, number in zip(overview.places.tolist(), overview.of.tolist(), strict=True):
        x, y = _pixel(place)
        draw.ellipse((x - DOT, y - DOT, x + DOT, y + DOT), colours[number])
    for link, cell in _cells(overview, pictures).items():
        number = int(overview.of[np.flatnonzero(overview.links == link)[0]])
        _place(sheet, draw, cell, pictures[link], colours[number])
    _write_names(draw, overview, names, colours)
    return sheet


def _pixel(place: Sequence[float]) -> tuple[float, float]:
    """Where a place of the map is on the sheet."""
    x, y = place
    wide, high = SIZE[0] - 2 * MARGIN, SIZE[1] - HEADER - MARGIN
    return MARGIN + x * wide, HEADER + y * high


def _cell(place: Sequence[float]) -> tuple[int, int]:
    x, y = place
    return min(int(x * COLUMNS), COLUMNS - 1), min(int(y * ROWS), ROWS - 1)


def _cells(overview: Overview, pictures: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Where pictures are shown: in the cell in which they lie, or in a free one beside it."""
    places = dict(zip(overview.links.tolist(), overview.places.tolist(), strict=True))
    shown: dict[int, tuple[int, int]] = {}
    taken: set[tuple[int, int]] = set()
    for link in pictures:
        if link not in places:
            continue
        column, row = _cell(places[link])
        for right, down in STRIDES:
            cell = column + FARTHEST * right, row + FARTHEST * down
            inside = 0 <= cell[0] < COLUMNS and 0 <= cell[1] < ROWS
            if inside and cell not in taken:
                taken.add(cell)
                shown[link] = cell
                break
    return shown


def _place(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    cell: tuple[int, int],
    picture: Image.Image,
    colour: Colour,
) -> None:
    wide, high = SIZE[0] - 2 * MARGIN, SIZE[1] - HEADER - MARGIN
    x = round(MARGIN + (cell[0] + 0.5) * wide / COLUMNS - CELL[0] / 2)
    y = round(HEADER + (cell[1] + 0.5) * high / ROWS - CELL[1] / 2)
    draw.rounded_rectangle((x - 2, y - 2, x + CELL[0] + 1, y + CELL[1] + 1), 9, colour)
    paste_round(sheet, ImageOps.fit(picture, CELL), (x, y))


def _write_names(
    draw: ImageDraw.ImageDraw, overview: Overview, names: Sequence[str], colours: Sequence[Colour]
) -> None:
    """Each name at the middle of its cluster; where another one is in the way, below or above."""
    written: list[tuple[float, float, float, float]] = []
    high = height_of(NAME) + 4
    for name, cluster, colour in zip(names, overview.clusters, colours, strict=True):
        if not name:
            continue
        x, y = _pixel(cluster.place)
        wide = min(width_of(name, NAME), SIZE[0] / 3) + 24
        x = min(max(x - wide / 2, 4), SIZE[0] - wide - 4)
        for away in range(2 * len(names)):
            top = y - high / 2 + (away + 1) // 2 * (high + 4) * (1 if away % 2 else -1)
            box = (x, top, x + wide, top + high)
            outside = top < HEADER or top + high > SIZE[1] - 4
            if not outside and not any(_meet(box, other) for other in written):
                break
        written.append(box)
        draw.rounded_rectangle(box, high / 2, CARD, colour, 2)
        draw_text(draw, (x + 12, box[1] + 2), name, NAME, INK, wide - 20)


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    apart = one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    return not apart
