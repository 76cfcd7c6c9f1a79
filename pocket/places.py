"""Backdrops drawn from a seed: the thirteen places that a scene can be in, at any size.

Each painter fills a `Canvas`. Its coordinates go from 0 to 1 in both directions.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Random = np.random.Generator
Point = tuple[float, float]

PLACES = (
    "snow",
    "beach",
    "sea",
    "forest",
    "city",
    "desert",
    "night",
    "indoors",
    "meadow",
    "sunset",
    "rain",
    "mountains",
    "plain",
)
OVERSAMPLING = 2  # drawn twice as large and then shrunk, for smooth edges


def hexed(text: str) -> Colour:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mixed(a: Colour, b: Colour, share: float) -> Colour:
    """The colour a mixed with a `share` of b."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def varied(colour: Colour, rng: Random, by: float = 12) -> Colour:
    red, green, blue = (int(np.clip(c + rng.normal(0, by), 0, 255)) for c in colour)
    return red, green, blue


def chosen(rng: Random, *texts: str) -> Colour:
    return varied(hexed(texts[int(rng.integers(len(texts)))]), rng, 7)


@dataclass(slots=True)
class Canvas:
    """An image that is being painted; `horizon` is where the ground begins."""

    image: Image.Image
    rng: Random
    horizon: float = 0.6

    @property
    def size(self) -> tuple[int, int]:
        return self.image.size

    def pixels(self, points: Sequence[Point]) -> list[Point]:
        width, height = self.size
        return [(x * width, y * height) for x, y in points]

    def gradient(self, stops: Sequence[tuple[float, Colour]]) -> None:
        """Paint a vertical gradient over the image. stops: (y, colour), y ascending."""
        rows = np.linspace(0, 1, self.size[1])
        at = [y for y, _ in stops]
        bands = [np.interp(rows, at, [c[i] for _, c in stops]) for i in range(3)]
        column = np.stack(bands, axis=1).astype(np.uint8)[:, None, :]
        self.image.paste(Image.fromarray(column).resize(self.size, Image.Resampling.NEAREST))

    def shape(self, points: Sequence[Point], colour: Colour, alpha: int = 255) -> None:
        draw = ImageDraw.Draw(self.image, "RGBA")
        draw.polygon(self.pixels(points), fill=(*colour, alpha))

    def blob(self, x: float, y: float, rx: float, ry: float, colour: Colour, a: int = 255) -> None:
        """Paint an ellipse; rx and ry are both in widths, so rx == ry is a circle."""
        width, height = self.size
        box = (x * width - rx * width, y * height - ry * width)
        far = (x * width + rx * width, y * height + ry * width)
        ImageDraw.Draw(self.image, "RGBA").ellipse((*box, *far), fill=(*colour, a))

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, a: int = 255) -> None:
        if x1 > x0 and y1 > y0:
            corners = self.pixels([(x0, y0), (x1, y1)])
            ImageDraw.Draw(self.image, "RGBA").rectangle(
                (*corners[0], *corners[1]), fill=(*colour, a)
            )

    def stroke(self, points: Sequence[Point], colour: Colour, width: float, a: int = 255) -> None:
        thick = max(1, round(width * self.size[0]))
        ImageDraw.Draw(self.image, "RGBA").line(
            self.pixels(points), fill=(*colour, a), width=thick, joint="curve"
        )

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Paint light that fades out from a point."""
        width, height = self.size
        yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
        far = np.hypot(xx - x * width, yy - y * height) / (radius * width)
        share = (np.exp(-far * far) * strength)[..., None]
        pixels = np.asarray(self.image, dtype=np.float32)
        lit = pixels + (np.asarray(colour, np.float32) - pixels) * share
        self.image.paste(Image.fromarray(lit.clip(0, 255).astype(np.uint8)))

    def soften(self, pixels: float) -> None:
        """Blur by a number of pixels, as a share of the width."""
        self.image.paste(self.image.filter(ImageFilter.GaussianBlur(pixels * self.size[0])))


def wavy(rng: Random, base: float, height: float, roughness: float = 1.0) -> list[Point]:
    """The line of hills across the image: a sum of sines with random phases."""
    xs = np.linspace(-0.02, 1.02, 60)
    line = np.zeros_like(xs)
    for octave in range(1, 5):
        amount = height / octave ** (2.0 - 0.6 * roughness)
        line += amount * np.sin(xs * octave * rng.uniform(2.2, 4.2) + rng.uniform(0, 6.3))
    return [(float(x), float(base + y * 0.6)) for x, y in zip(xs, line, strict=True)]


def hill(c: Canvas, base: float, height: float, colour: Colour, roughness: float = 1.0) -> None:
    c.shape([*wavy(c.rng, base, height, roughness), (1.1, 1.1), (-0.1, 1.1)], colour)


def ground(c: Canvas, near: Colour, far: Colour, base: float) -> None:
    """Paint the ground, in bands that get darker or lighter towards the viewer."""
    for step in range(6):
        y = base + (1.05 - base) * step / 6
        c.shape([*wavy(c.rng, y, 0.015), (1.1, 1.1), (-0.1, 1.1)], mixed(far, near, step / 5))


def cloud(c: Canvas, x: float, y: float, size: float, colour: Colour, alpha: int = 235) -> None:
    for _ in range(7):
        dx, dy = c.rng.normal(0, size * 0.55), c.rng.normal(0, size * 0.13)
        r = size * c.rng.uniform(0.25, 0.5)
        c.blob(x + dx, y + dy, r, r * 0.7, colour, alpha)
    c.blob(x, y + size * 0.12, size * 1.1, size * 0.22, colour, alpha)


def clouds(c: Canvas, count: int, colour: Colour, low: float = 0.3) -> None:
    for _ in range(count):
        size = c.rng.uniform(0.06, 0.14)
        cloud(c, c.rng.uniform(0, 1), c.rng.uniform(0.04, low), size, colour, 215)


def conifer(c: Canvas, x: float, foot: float, height: float, colour: Colour, snowy: bool) -> None:
    half = height * c.rng.uniform(0.2, 0.28) * c.size[1] / c.size[0]
    c.box(
        x - half * 0.12,
        foot - height * 0.12,
        x + half * 0.12,
        foot,
        mixed(colour, (60, 40, 30), 0.7),
    )
    for tier in range(4):
        top, wide = foot - height * (1 - tier * 0.2), half * (0.4 + 0.2 * tier)
        low = top + height * 0.36
        c.shape([(x, top), (x + wide, low), (x - wide, low)], mixed(colour, (0, 0, 0), tier * 0.06))
        if snowy:
            cap = [(x, top), (x + wide * 0.55, top + height * 0.17)]
            c.shape([*cap, (x - wide * 0.6, top + height * 0.19)], (245, 249, 255))


def leafy(c: Canvas, x: float, foot: float, height: float, colour: Colour) -> None:
    trunk = mixed(hexed("5b3a24"), colour, 0.15)
    aspect = c.size[1] / c.size[0]
    c.box(x - height * 0.035, foot - height * 0.5, x + height * 0.035, foot, trunk)
    for _ in range(9):
        dx, dy = c.rng.normal(0, height * 0.15) * aspect, c.rng.normal(0, height * 0.1)
        shade = mixed(colour, (255, 255, 210) if dy < 0 else (0, 20, 0), abs(dy) / height * 1.2)
        r = height * c.rng.uniform(0.14, 0.2) * aspect
        c.blob(x + dx, foot - height * 0.68 + dy, r, r, shade)


def palm(c: Canvas, x: float, foot: float, height: float) -> None:
    lean = c.rng.uniform(-0.12, 0.12)
    trunk = [(x + lean * t * t, foot - height * t) for t in np.linspace(0, 1, 8)]
    c.stroke(trunk, hexed("8a5a33"), 0.022)
    top = trunk[-1]
    green = chosen(c.rng, "2e8b4a", "3a9b45", "2a7d52")
    for angle in np.linspace(-2.9, -0.2, 7) + c.rng.normal(0, 0.1, 7):
        reach = height * c.rng.uniform(0.38, 0.5) * c.size[1] / c.size[0]
        tip = (top[0] + math.cos(angle) * reach, top[1] + math.sin(angle) * reach * 0.5 + 0.09)
        mid = (top[0] + math.cos(angle) * reach * 0.55, top[1] + math.sin(angle) * reach * 0.8)
        c.shape([top, (mid[0], mid[1] - 0.018), tip, (mid[0], mid[1] + 0.03)], green)


def stars(c: Canvas, count: int, low: float = 0.6) -> None:
    for _ in range(count):
        r = c.rng.uniform(0.0015, 0.0045)
        x, y = c.rng.uniform(0, 1), c.rng.uniform(0, low)
        c.blob(x, y, r, r, (255, 255, 235), int(c.rng.integers(130, 255)))


def skyline(
    c: Canvas, foot: float, tall: float, colour: Colour, window: Colour, lit: float
) -> None:
    """Paint houses side by side; a share `lit` of their windows is lit."""
    x = -0.03
    while x < 1.02:
        wide = c.rng.uniform(0.07, 0.16)
        top = foot - tall * c.rng.uniform(0.45, 1.0)
        wall = varied(colour, c.rng, 9)
        c.box(x, top, x + wide, foot, wall)
        if c.rng.random() < 0.25:
            c.box(x + wide * 0.45, top - 0.05, x + wide * 0.5, top, wall)
        for row in np.arange(top + 0.025, foot - 0.03, 0.05):
            for column in np.arange(x + wide * 0.14, x + wide * 0.8, wide * 0.26):
                shine = window if c.rng.random() < lit else mixed(wall, (20, 30, 50), 0.35)
                c.box(column, row, column + wide * 0.14, row + 0.026, shine)
        x += wide * c.rng.uniform(0.96, 1.08)


def flakes(c: Canvas, count: int) -> None:
    for _ in range(count):
        r = c.rng.uniform(0.003, 0.009)
        place = c.rng.uniform(0, 1, 2)
        c.blob(place[0], place[1], r, r, (255, 255, 255), int(c.rng.integers(150, 245)))


def streaks(c: Canvas, count: int, slant: float) -> None:
    for _ in range(count):
        x, y = c.rng.uniform(-0.1, 1.0, 2)
        long = c.rng.uniform(0.05, 0.11)
        c.stroke([(x, y), (x + slant * long, y + long)], (214, 228, 245), 0.004, 150)


def waves(c: Canvas, top: float, colour: Colour) -> None:
    for _ in range(46):
        y = top + (1 - top) * c.rng.random() ** 1.3
        near = (y - top) / (1 - top)
        long = 0.04 + 0.14 * near
        x = c.rng.uniform(-0.1, 1)
        arc = [(x + long * t, y - 0.012 * near * math.sin(math.pi * t)) for t in (0, 0.3, 0.7, 1)]
        c.stroke(arc, mixed(colour, (255, 255, 255), c.rng.uniform(0.2, 0.6)), 0.004 + 0.005 * near)


def snow(c: Canvas) -> None:
    sky = chosen(c.rng, "b9d4ee", "cfdcec", "a8c6ea", "d9dfee")
    c.gradient(
        [(0, mixed(sky, hexed("6f9bd1"), 0.35)), (c.horizon, mixed(sky, (255, 255, 255), 0.6))]
    )
    hill(c, c.horizon - 0.08, 0.06, mixed(sky, (235, 242, 252), 0.5))
    hill(c, c.horizon - 0.01, 0.03, (232, 240, 251))
    for x in sorted(c.rng.uniform(0, 1, int(c.rng.integers(3, 9)))):
        tall = c.rng.uniform(0.14, 0.34)
        conifer(c, x, c.horizon + 0.05, tall, chosen(c.rng, "2f5d50", "37665a", "294f57"), True)
    ground(c, (255, 255, 255), (226, 236, 249), c.horizon + 0.02)
    flakes(c, int(c.rng.integers(40, 90)))


def beach(c: Canvas) -> None:
    sky = chosen(c.rng, "5fc0f0", "79cdf5", "4fb4ea")
    sea = chosen(c.rng, "1fa3b8", "2596c4", "2bb5b0")
    c.gradient([(0, sky), (c.horizon - 0.1, mixed(sky, (255, 255, 255), 0.65))])
    c.glow(c.rng.uniform(0.1, 0.9), 0.12, 0.16, (255, 250, 215), 0.95)
    clouds(c, int(c.rng.integers(0, 4)), (255, 255, 255), 0.22)
    top = c.horizon - 0.12
    c.shape([(0, top), (1, top), (1, 1), (0, 1)], sea)
    c.shape([(0, top), (1, top), (1, top + 0.05), (0, top + 0.05)], mixed(sea, (10, 50, 120), 0.35))
    sand = chosen(c.rng, "f2d69a", "eecb86", "f6deae")
    shore = c.horizon + 0.04
    c.shape([*wavy(c.rng, shore - 0.025, 0.02), (1.1, 1.1), (-0.1, 1.1)], (250, 253, 255))
    ground(c, mixed(sand, (190, 140, 70), 0.25), sand, shore)
    for _ in range(40):
        x, y = c.rng.uniform(0, 1), c.rng.uniform(shore + 0.06, 1)
        c.blob(x, y, 0.003, 0.002, mixed(sand, (140, 100, 60), 0.5))
    for _ in range(int(c.rng.integers(0, 3))):
        side = c.rng.uniform(0.02, 0.2) if c.rng.random() < 0.5 else c.rng.uniform(0.8, 0.98)
        palm(c, side, c.horizon + 0.14, c.rng.uniform(0.4, 0.62))


def sea(c: Canvas) -> None:
    deep = chosen(c.rng, "0f5f9e", "14669a", "0b5a86", "1a75a8")
    sky = chosen(c.rng, "8fd0f2", "a5d8f0", "7cc0ee")
    top = c.horizon - c.rng.uniform(0.1, 0.3)
    c.gradient([(0, sky), (top, mixed(sky, (255, 255, 255), 0.6))])
    clouds(c, int(c.rng.integers(0, 4)), (255, 255, 255), max(0.1, top - 0.05))
    for step in range(7):
        y = top + (1 - top) * step / 7
        colour = mixed(mixed(deep, (120, 205, 225), 0.4), deep, step / 6)
        c.shape([*(wavy(c.rng, y, 0.02 * (step > 0))), (1.1, 1.1), (-0.1, 1.1)], colour)
    waves(c, top, deep)


def forest(c: Canvas) -> None:
    far = chosen(c.rng, "9dc79a", "a9cfa0", "8fbf9f", "b5cf8f")
    c.gradient([(0, mixed(far, (255, 255, 235), 0.35)), (1, far)])
    for layer, share in ((0, 0.25), (1, 0.5), (2, 0.8)):
        dark = mixed(far, chosen(c.rng, "1f5a33", "235f2c", "2b5a2f"), share)
        for _ in range(9 - 2 * layer):
            x, foot = c.rng.uniform(-0.05, 1.05), c.horizon + 0.03 + 0.05 * layer
            if c.rng.random() < 0.55:
                conifer(c, x, foot, c.rng.uniform(0.5, 0.85), dark, False)
            else:
                leafy(c, x, foot, c.rng.uniform(0.5, 0.8), dark)
    for edge in (c.rng.uniform(-0.02, 0.08), c.rng.uniform(0.92, 1.02)):
        c.box(edge - 0.035, 0, edge + 0.035, 0.95, chosen(c.rng, "4e3524", "5a3d28"))
    floor = chosen(c.rng, "4c7a3a", "527f38", "5e7a3d", "6b7340")
    ground(c, mixed(floor, (20, 40, 10), 0.3), floor, c.horizon + 0.1)
    for _ in range(50):
        x, y = c.rng.uniform(0, 1), c.rng.uniform(c.horizon + 0.16, 1)
        tip = (x + c.rng.normal(0, 0.01), y - 0.035)
        c.stroke([(x, y), tip], mixed(floor, (150, 200, 80), 0.5), 0.004)


def city(c: Canvas) -> None:
    sky = chosen(c.rng, "a9cbe6", "bcd3e4", "cdd6e2", "9cc4e8")
    c.gradient([(0, sky), (c.horizon, mixed(sky, (255, 250, 240), 0.6))])
    clouds(c, int(c.rng.integers(0, 3)), (255, 255, 255), 0.2)
    foot = c.horizon + 0.08
    back, front = chosen(c.rng, "8fa3b8", "9aa7b8"), chosen(c.rng, "6d7f96", "8c6f66", "7d7a8c")
    skyline(c, foot, 0.56, mixed(back, sky, 0.35), mixed(back, (255, 255, 255), 0.5), 0.5)
    skyline(c, foot, 0.36, front, hexed("ffe9a8"), 0.55)
    road = chosen(c.rng, "5b5f68", "666a73", "54565f")
    c.box(0, foot, 1, foot + 0.07, mixed(road, (235, 235, 235), 0.55))
    c.box(0, foot + 0.07, 1, 1, road)
    middle = foot + 0.07 + (1 - foot - 0.07) * 0.55
    for x in np.arange(-0.05, 1, 0.2):
        c.box(x, middle - 0.012, x + 0.11, middle + 0.012, (240, 236, 220))


def desert(c: Canvas) -> None:
    sky = chosen(c.rng, "f7c98b", "8ccbe8", "f3b678", "9fd3ea")
    c.gradient([(0, sky), (c.horizon, mixed(sky, (255, 240, 205), 0.75))])
    c.glow(c.rng.uniform(0.1, 0.9), 0.16, 0.13, (255, 246, 200), 1.0)
    sand = chosen(c.rng, "e0a458", "dd9a4e", "e6b06a")
    for step, share in enumerate((0.3, 0.1, -0.0)):
        base = c.horizon - 0.05 + 0.07 * step
        hill(c, base, 0.07, mixed(sand, (255, 228, 180), share + 0.1))
    ground(c, mixed(sand, (150, 90, 40), 0.25), sand, c.horizon + 0.16)
    for _ in range(int(c.rng.integers(1, 4))):
        x, foot = c.rng.uniform(0.03, 0.97), c.horizon + c.rng.uniform(0.06, 0.18)
        saguaro(c, x, foot, c.rng.uniform(0.13, 0.28))


def saguaro(c: Canvas, x: float, foot: float, tall: float) -> None:
    green = chosen(c.rng, "3f7d4f", "4a8750")
    c.stroke([(x, foot), (x, foot - tall)], green, tall * 0.16)
    for side in (-1, 1):
        arm, up = x + side * tall * 0.26, foot - tall * c.rng.uniform(0.35, 0.6)
        c.stroke([(x, up), (arm, up), (arm, up - tall * 0.28)], green, tall * 0.12)


def night(c: Canvas) -> None:
    top = chosen(c.rng, "0b1036", "10123a", "0a1a3f", "1a1040")
    c.gradient([(0, top), (c.horizon, mixed(top, hexed("41508f"), 0.6)), (1, top)])
    stars(c, int(c.rng.integers(50, 110)))
    x, y, r = c.rng.uniform(0.1, 0.9), c.rng.uniform(0.1, 0.25), c.rng.uniform(0.035, 0.06)
    c.glow(x, y, r * 3, (210, 215, 255), 0.45)
    c.blob(x, y, r, r, (252, 247, 214))
    if c.rng.random() < 0.5:
        c.blob(x + r * 0.45, y - r * 0.2, r * 0.9, r * 0.9, mixed(top, hexed("41508f"), 0.25))
    hill(c, c.horizon + 0.0, 0.06, mixed(top, (38, 50, 100), 0.55))
    hill(c, c.horizon + 0.08, 0.04, mixed(top, (22, 34, 72), 0.6))
    ground(c, (14, 18, 44), (26, 34, 74), c.horizon + 0.14)


def indoors(c: Canvas) -> None:
    wall = chosen(c.rng, "f0dcc0", "d8e3da", "f3d9d3", "dcd6ea", "e9e3cf", "c9dbe6")
    floor = chosen(c.rng, "b98552", "a8764a", "c79a68", "8d6748")
    edge = c.horizon + 0.08
    c.gradient([(0, mixed(wall, (255, 255, 255), 0.2)), (1, mixed(wall, (90, 70, 50), 0.15))])
    if c.rng.random() < 0.35:
        for x in np.arange(0, 1, 0.09):
            c.box(x, 0, x + 0.045, edge, mixed(wall, (255, 255, 255), 0.35))
    c.box(0, edge, 1, 1, floor)
    for y in np.linspace(edge, 1.0, 6):
        c.box(0, y, 1, y + 0.006, mixed(floor, (60, 35, 20), 0.5))
    c.box(0, edge - 0.03, 1, edge, mixed(wall, (255, 255, 255), 0.7))
    window(c, c.rng.uniform(0.06, 0.62), 0.1, edge)
    if c.rng.random() < 0.6:
        frame(c, c.rng.uniform(0.06, 0.8), c.rng.uniform(0.1, 0.25))
    if c.rng.random() < 0.6:
        lamp = c.rng.uniform(0.2, 0.8)
        c.box(lamp - 0.003, 0, lamp + 0.003, 0.12, (80, 70, 60))
        shade = [(lamp - 0.03, 0.11), (lamp + 0.03, 0.11), (lamp + 0.07, 0.19), (lamp - 0.07, 0.19)]
        c.shape(shade, chosen(c.rng, "e2a24a", "d9694f", "5f9ea0"))
        c.glow(lamp, 0.21, 0.14, (255, 240, 200), 0.5)
    rug = chosen(c.rng, "b5534a", "4f7f8f", "8a5f94", "5f8a5b", "d19a3f")
    middle = edge + (1 - edge) * 0.58
    c.blob(0.5, middle, 0.42, 0.11, rug)
    c.blob(0.5, middle, 0.34, 0.08, mixed(rug, (255, 245, 225), 0.3))


def window(c: Canvas, x: float, y: float, floor: float) -> None:
    wide, tall = 0.27, min(0.34, floor - 0.25)
    c.box(x - 0.015, y - 0.02, x + wide + 0.015, y + tall + 0.02, (250, 248, 242))
    sky = chosen(c.rng, "9fd3f2", "b9e0f5", "f5c48f", "2b3a6b")
    c.box(x, y, x + wide, y + tall, sky)
    c.box(x, y + tall * 0.68, x + wide, y + tall, mixed(sky, (80, 130, 70), 0.6))
    c.box(x + wide / 2 - 0.006, y, x + wide / 2 + 0.006, y + tall, (250, 248, 242))
    c.box(x, y + tall / 2 - 0.006, x + wide, y + tall / 2 + 0.006, (250, 248, 242))
    cloth = chosen(c.rng, "d98c7a", "8fb0a0", "c9b16f", "9a8fc0")
    for left in (x - 0.05, x + wide - 0.02):
        c.box(left, y - 0.03, left + 0.07, y + tall + 0.1, cloth)


def frame(c: Canvas, x: float, y: float) -> None:
    c.box(x, y, x + 0.14, y + 0.16, hexed("6b4a30"))
    c.box(x + 0.012, y + 0.016, x + 0.128, y + 0.144, chosen(c.rng, "f2e6cf", "c8d9e6", "e6cfc8"))
    c.blob(x + 0.07, y + 0.08, 0.03, 0.03, chosen(c.rng, "d0704f", "4f7fa0", "6fa060"))


def meadow(c: Canvas) -> None:
    sky = chosen(c.rng, "7cc4f2", "8fd0f7", "6bb8ec")
    grass = chosen(c.rng, "6fbf4b", "7cc653", "62b04a", "8ac94f")
    c.gradient([(0, sky), (c.horizon, mixed(sky, (255, 255, 255), 0.6))])
    clouds(c, int(c.rng.integers(1, 5)), (255, 255, 255))
    hill(c, c.horizon - 0.05, 0.06, mixed(grass, sky, 0.4))
    hill(c, c.horizon + 0.0, 0.05, mixed(grass, (30, 110, 60), 0.25))
    ground(c, mixed(grass, (30, 110, 30), 0.3), grass, c.horizon + 0.06)
    flowers = [chosen(c.rng, "ffffff", "ffd94a", "f27aa5", "c08af0", "ff6f61") for _ in range(3)]
    for _ in range(int(c.rng.integers(40, 90))):
        x, y = c.rng.uniform(0, 1), c.rng.uniform(c.horizon + 0.12, 1.0)
        near = 0.004 + 0.007 * (y - c.horizon)
        c.stroke([(x, y), (x, y - near * 4)], mixed(grass, (20, 80, 20), 0.4), 0.004)
        if c.rng.random() < 0.6:
            c.blob(x, y - near * 4, near, near, flowers[int(c.rng.integers(3))])


def sunset(c: Canvas) -> None:
    high = chosen(c.rng, "5a3f8a", "7a3f80", "3f4a90", "91406f")
    low = chosen(c.rng, "ff9a4a", "ff8552", "ffb347")
    c.gradient([(0, high), (c.horizon * 0.6, mixed(high, low, 0.65)), (c.horizon, low), (1, low)])
    x, y = c.rng.uniform(0.2, 0.8), c.horizon - c.rng.uniform(0.0, 0.08)
    c.glow(x, y, 0.33, (255, 225, 130), 0.85)
    c.blob(x, y, 0.075, 0.075, (255, 240, 180))
    for _ in range(int(c.rng.integers(2, 6))):
        cx, cy = c.rng.uniform(0, 1), c.rng.uniform(0.08, c.horizon - 0.15)
        c.blob(cx, cy, c.rng.uniform(0.08, 0.2), 0.012, mixed(low, (255, 120, 140), 0.5), 190)
    dark = mixed(high, (30, 15, 45), 0.6)
    if c.rng.random() < 0.5:
        hill(c, c.horizon + 0.02, 0.05, mixed(dark, low, 0.25))
        ground(c, dark, mixed(dark, low, 0.18), c.horizon + 0.1)
    else:
        water = mixed(high, low, 0.45)
        c.shape([(0, c.horizon), (1, c.horizon), (1, 1), (0, 1)], water)
        for row in np.linspace(c.horizon + 0.02, 1, 14):
            half = c.rng.uniform(0.03, 0.14)
            c.box(x - half, row, x + half, row + 0.009, (255, 220, 140), 190)
        hill(c, 0.93, 0.02, dark)


def rain(c: Canvas) -> None:
    sky = chosen(c.rng, "66727f", "72808c", "5c6a7a", "7b828c")
    c.gradient([(0, mixed(sky, (40, 45, 55), 0.4)), (c.horizon, mixed(sky, (200, 205, 210), 0.3))])
    for _ in range(6):
        dark = mixed(sky, (50, 56, 66), c.rng.uniform(0.2, 0.7))
        cloud(c, c.rng.uniform(0, 1), c.rng.uniform(0.02, 0.16), 0.17, dark, 220)
    hill(c, c.horizon, 0.05, mixed(sky, (60, 80, 80), 0.5))
    floor = chosen(c.rng, "55636b", "5f6f66", "5a5f6e")
    ground(c, mixed(floor, (30, 36, 44), 0.4), floor, c.horizon + 0.06)
    for _ in range(int(c.rng.integers(3, 7))):
        x, y = c.rng.uniform(0, 1), c.rng.uniform(c.horizon + 0.15, 0.98)
        wide = c.rng.uniform(0.05, 0.14)
        c.blob(x, y, wide, wide * 0.2, mixed(floor, (190, 205, 225), 0.55), 200)
    streaks(c, int(c.rng.integers(90, 160)), c.rng.uniform(-0.35, 0.35))


def mountains(c: Canvas) -> None:
    sky = chosen(c.rng, "8cc3ee", "a8d2f0", "b8c8e8", "9ad0e8")
    c.gradient([(0, sky), (c.horizon, mixed(sky, (255, 255, 255), 0.6))])
    clouds(c, int(c.rng.integers(0, 3)), (255, 255, 255), 0.2)
    rock = chosen(c.rng, "6f7f95", "7a7f90", "66788f", "83786f")
    for x in np.linspace(-0.05, 1.05, int(c.rng.integers(3, 6))) + c.rng.normal(0, 0.06):
        peak(c, float(x), c.horizon + 0.05, c.rng.uniform(0.3, 0.55), mixed(rock, sky, 0.35))
    for x in c.rng.uniform(0.0, 1.0, int(c.rng.integers(2, 4))):
        peak(c, float(x), c.horizon + 0.08, c.rng.uniform(0.26, 0.45), rock)
    green = chosen(c.rng, "5d8a57", "6b9a5e", "54805a")
    hill(c, c.horizon + 0.05, 0.04, mixed(green, rock, 0.3))
    for x in c.rng.uniform(0, 1, int(c.rng.integers(2, 8))):
        conifer(c, float(x), c.horizon + 0.11, c.rng.uniform(0.08, 0.17), hexed("2f5a45"), False)
    ground(c, mixed(green, (40, 70, 40), 0.3), green, c.horizon + 0.1)


def peak(c: Canvas, x: float, foot: float, tall: float, rock: Colour) -> None:
    """Paint a mountain with a lit side, a shaded side and snow on top."""
    half, top = tall * c.rng.uniform(0.6, 0.85), foot - tall
    c.shape([(x, top), (x + half, foot), (x - half, foot)], rock)
    c.shape([(x, top), (x + half, foot), (x + half * 0.12, foot)], mixed(rock, (20, 25, 45), 0.28))
    low, jag = 0.34, tall * 0.05
    white = [(x, top), (x + half * low, top + tall * low)]
    white += [(x + half * 0.16, top + tall * low - jag), (x, top + tall * low + jag)]
    white += [(x - half * 0.16, top + tall * low - jag), (x - half * low, top + tall * low)]
    c.shape(white, (246, 250, 255))
    c.shape([(x, top), white[1], white[2], (x + half * 0.05, top + tall * 0.3)], (214, 224, 240))


def plain(c: Canvas) -> None:
    """Paint no place: a flat or softly graded background, as stickers and icons have."""
    base = chosen(
        c.rng,
        "ffffff",
        "f4f4f4",
        "ffe9c9",
        "d7ecff",
        "e3f6de",
        "fbdbe3",
        "e6e0fa",
        "2b2d31",
        "36393f",
    )
    other = mixed(base, (255, 255, 255), c.rng.uniform(0, 0.6))
    c.gradient([(0, other), (1, base)])
    if c.rng.random() < 0.3:
        c.blob(0.5, 0.55, 0.4, 0.4, mixed(base, chosen(c.rng, "ffb347", "8fd0f7", "f27aa5"), 0.25))


PAINTERS: dict[str, Callable[[Canvas], None]] = {
    "snow": snow,
    "beach": beach,
    "sea": sea,
    "forest": forest,
    "city": city,
    "desert": desert,
    "night": night,
    "indoors": indoors,
    "meadow": meadow,
    "sunset": sunset,
    "rain": rain,
    "mountains": mountains,
    "plain": plain,
}


def paint(place: str, size: tuple[int, int], rng: Random) -> Image.Image:
    """An RGB backdrop of `size` (width, height); the same rng state gives the same picture."""
    large = (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING)
    canvas = Canvas(Image.new("RGB", large), rng, horizon=float(rng.uniform(0.5, 0.64)))
    PAINTERS[place](canvas)
    return canvas.image.resize(size, Image.Resampling.LANCZOS)
