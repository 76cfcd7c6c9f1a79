"""Scenes: what a picture shows (`Scene`), the places of its drawings, and the rendered picture.

The same renderer makes the small pictures for training and the large ones of the demo world. All
randomness comes from the generator that is passed in.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from pocket.artwork import Pixels, resize_alpha
from pocket.places import Canvas, Random, flakes, hexed, paint, stars, streaks

__all__ = ["COLOURS", "OVERLAYS", "Scene", "Spot", "backdrop", "compose", "layout", "recoloured"]

COLOURS = {
    "red": "e0342b",
    "orange": "f28a1c",
    "yellow": "f5cf2b",
    "green": "3fa84a",
    "blue": "2f6fdb",
    "purple": "8a45c8",
    "pink": "f283b5",
    "black": "26262c",
    "white": "f7f7f5",
}

# weather and times of day that can be added to a place; the picture then shows both
OVERLAYS = {
    "night": ("beach", "city", "snow", "forest", "desert", "meadow", "mountains", "sea"),
    "rain": ("city", "meadow", "forest", "sea", "beach", "mountains"),
    "sunset": ("beach", "sea", "city", "desert", "mountains", "snow"),
    "snow": ("city", "forest", "night", "mountains"),
}
FRAME = 96  # pixels of a training picture's side


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows, in the terms of captions.

    subjects   numbers of the subjects, the main one first
    count      the number of the main subject
    colour     a key of COLOURS that the main subject is dyed in, or None for its own colours
    place      one of PLACES; overlay: a key of OVERLAYS or None
    """

    subjects: tuple[int, ...]
    place: str
    count: int = 1
    colour: str | None = None
    overlay: str | None = None

    @property
    def places(self) -> tuple[str, ...]:
        return (self.place, self.overlay) if self.overlay else (self.place,)


@dataclass(frozen=True, slots=True)
class Spot:
    """A drawing's place: middle and foot in frame widths and heights, side in heights."""

    x: float
    foot: float
    side: float
    floating: bool = False  # in the air: no shadow


def backdrop(place: str, overlay: str | None, size: tuple[int, int], rng: Random) -> Image.Image:
    """The backdrop of a place, with night, rain, sunset or snow."""
    image = paint(place, size, rng)
    if overlay is None:
        return image
    return {"night": darkened, "rain": rained, "sunset": reddened, "snow": snowed}[overlay](
        image, rng
    )


def darkened(image: Image.Image, rng: Random) -> Image.Image:
    """The place at night: dark blue, with stars."""
    pixels = np.asarray(image, np.float32)
    blue = np.asarray([0.26, 0.32, 0.58], np.float32) * rng.uniform(0.85, 1.1)
    dark = Image.fromarray((pixels * blue + np.asarray([4, 6, 22])).clip(0, 255).astype(np.uint8))
    stars(Canvas(dark, rng), 45, 0.35)
    canvas = Canvas(dark, rng)
    x, r = rng.uniform(0.1, 0.9), rng.uniform(0.03, 0.05)
    canvas.glow(x, 0.13, r * 3, (210, 215, 255), 0.4)
    canvas.blob(x, 0.13, r, r, (252, 247, 214))
    return dark


def rained(image: Image.Image, rng: Random) -> Image.Image:
    grey = ImageEnhance.Color(image).enhance(0.4)
    grey = ImageEnhance.Brightness(grey).enhance(rng.uniform(0.6, 0.75))
    large = grey.resize((grey.width * 2, grey.height * 2))
    streaks(Canvas(large, rng), int(rng.integers(90, 150)), rng.uniform(-0.35, 0.35))
    return large.resize(image.size, Image.Resampling.LANCZOS)


def reddened(image: Image.Image, rng: Random) -> Image.Image:
    """The place in evening light: orange at the horizon, violet above, and a low sun."""
    pixels = np.asarray(image, np.float32)
    rows = np.linspace(0, 1, image.height, dtype=np.float32)[:, None, None]
    high = np.asarray(hexed("7a4a9a"), np.float32)
    low = np.asarray(hexed("ff9348"), np.float32)
    light = high + (low - high) * np.minimum(1, rows / 0.55)
    grey = pixels.mean(axis=2, keepdims=True)
    lit = 0.45 * pixels * light / 200 + 0.55 * light * (grey / 255) ** 0.8
    evening = Image.fromarray(lit.clip(0, 255).astype(np.uint8))
    canvas = Canvas(evening, rng)
    x = rng.uniform(0.2, 0.8)
    canvas.glow(x, 0.38, 0.25, (255, 225, 130), 0.8)
    canvas.blob(x, 0.38, 0.05, 0.05, (255, 242, 190))
    return evening


def snowed(image: Image.Image, rng: Random) -> Image.Image:
    """The place with falling snow, and snow on the ground."""
    pixels = np.asarray(image, np.float32)
    rows = np.linspace(0, 1, image.height, dtype=np.float32)[:, None, None]
    share = np.clip((rows - 0.5) * 3.0, 0.12, 0.85)
    pale = pixels + (np.asarray([238, 243, 252], np.float32) - pixels) * share
    large = Image.fromarray(pale.astype(np.uint8)).resize((image.width * 2, image.height * 2))
    flakes(Canvas(large, rng), int(rng.integers(70, 120)))
    return large.resize(image.size, Image.Resampling.LANCZOS)


def layout(scene: Scene, rng: Random, *, easy: bool = False) -> list[Spot]:
    """A spot for each drawing: `count` of the main subject, then the others.

    easy       one large drawing in the middle, as at the start of training
    """
    total = scene.count + len(scene.subjects) - 1
    if easy and total == 1:
        return [Spot(0.5, 0.95, float(rng.uniform(0.82, 0.92)))]
    if total == 1:
        side = float(rng.choice([rng.uniform(0.5, 0.85), rng.uniform(0.32, 0.55)], p=[0.75, 0.25]))
        room = (1 - side) / 2
        x = 0.5 + float(np.clip(rng.normal(0, 0.11), -room, room))
        return [Spot(x, float(rng.uniform(max(side + 0.03, 0.78), 0.97)), side)]
    side = {2: 0.5, 3: 0.4, 4: 0.35}.get(total, 0.31) * float(rng.uniform(0.86, 1.12))
    columns = total if total < 4 else math.ceil(total / 2)
    side = min(side, 1.04 / columns)
    spots = []
    for n in range(total):
        row, column = divmod(n, columns)
        in_row = min(columns, total - row * columns)
        x = (column + 0.5 + (0 if in_row == columns else 0.5)) / columns
        foot = 0.93 if total < 4 else (0.62, 0.95)[row]
        jitter = rng.normal(0, 0.02, 2)
        spots.append(Spot(float(x + jitter[0]), float(min(0.98, foot + jitter[1])), side))
    if len(scene.subjects) > 1 and rng.random() < 0.5:
        spots = [Spot(1 - s.x, s.foot, s.side) for s in spots]
    return spots


def recoloured(pixels: Pixels, colour: str) -> Pixels:
    """The drawing in another hue, with the same light and dark, (h, w, 4) uint8."""
    rgb = pixels[..., :3].astype(np.float32)
    grey = (rgb @ np.asarray([0.3, 0.59, 0.11], np.float32))[..., None] / 255
    target = np.asarray(hexed(COLOURS[colour]), np.float32)
    low, high = np.percentile(grey[pixels[..., 3] > 128], [5, 95]) if grey.size else (0, 1)
    level = np.clip((grey - low) / max(0.2, high - low), 0, 1)
    dyed = target * (0.45 + 0.7 * level) + 40 * np.clip(level - 0.8, 0, 1)
    return np.dstack([dyed.clip(0, 255).astype(np.uint8), pixels[..., 3]])


def restyled(image: Image.Image, rng: Random) -> Image.Image:
    """The drawing as another artist might draw it: bent, then repainted, often both twice."""
    if rng.random() < 0.7:
        image = bent(image, rng)
    for _ in range(int(rng.integers(1, 3))):
        image = repainted(image, rng)
    return image


def bent(image: Image.Image, rng: Random) -> Image.Image:
    """The drawing in other proportions: its corners and its middle are moved."""
    wide, high = image.size
    across, down = (np.asarray([0, 0.5, 1]) * (size - 1) for size in (wide, high))
    x, y = np.meshgrid(across, down)
    x = x + rng.normal(0, 0.07 * wide, (3, 3))
    y = y + rng.normal(0, 0.07 * high, (3, 3))
    mesh = []
    for row in range(2):
        for column in range(2):
            box = (
                column * wide // 2, row * high // 2,
                (column + 1) * wide // 2, (row + 1) * high // 2,
            )  # fmt: skip
            corners = ((row, column), (row + 1, column), (row + 1, column + 1), (row, column + 1))
            mesh.append((box, tuple(float(v[at]) for at in corners for v in (x, y))))
    pulled = image.transform(
        image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR, fillcolor=(0, 0, 0, 0)
    )
    stretch = float(np.exp(rng.normal(0, 0.12)))
    size = (max(2, round(wide * min(1, stretch))), max(2, round(high * min(1, 1 / stretch))))
    return resize_alpha(pulled, size)


def repainted(image: Image.Image, rng: Random) -> Image.Image:
    alpha = image.getchannel("A")
    rgb = image.convert("RGB")
    choice = int(rng.integers(12))
    if choice == 0:
        rgb = ImageOps.posterize(rgb, int(rng.integers(2, 4)))
    elif choice == 1:
        rgb = ImageOps.grayscale(rgb).convert("RGB")
    elif choice == 2:
        rgb = hue_shifted(rgb, rng.uniform(-0.15, 0.15))
    elif choice == 3:
        rgb = ImageEnhance.Color(rgb).enhance(rng.uniform(0.3, 2.2))
    elif choice == 4:
        rgb = ImageEnhance.Contrast(rgb).enhance(rng.uniform(0.5, 1.6))
    elif choice == 5:
        return outlined(image, (25, 25, 30), rng)
    elif choice == 6:
        return outlined(image, (255, 255, 255), rng)
    elif choice == 7:
        rgb = rgb.filter(ImageFilter.MedianFilter(5))
    elif choice == 8:
        rgb = shaded(rgb, rng)
    elif choice == 9:
        rgb = tinted(rgb, rng)
    else:
        rgb = other_paints(rgb, rng)
    rgb.putalpha(alpha)
    return rgb


def shaded(image: Image.Image, rng: Random) -> Image.Image:
    """The drawing lit from one side, as with soft gradients."""
    pixels = np.asarray(image, np.float32)
    rows, columns = np.mgrid[-1 : 1 : image.height * 1j, -1 : 1 : image.width * 1j]
    angle = rng.uniform(0, 2 * math.pi)
    light = 1 + rng.uniform(0.1, 0.4) * (rows * math.sin(angle) + columns * math.cos(angle))
    return Image.fromarray((pixels * light[..., None]).clip(0, 255).astype(np.uint8))


def tinted(image: Image.Image, rng: Random) -> Image.Image:
    """The drawing with a colour in place of grey and black, as some artists draw."""
    pixels = np.asarray(image, np.float32)
    spread = pixels.max(2, keepdims=True) - pixels.min(2, keepdims=True)
    grey = np.clip(1 - spread / 60, 0, 1)
    tint = rng.uniform(0.4, 1.5, 3).astype(np.float32)
    lifted = pixels * tint + rng.uniform(0, 45, 3).astype(np.float32)
    mixed = pixels + grey * (lifted - pixels)
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def other_paints(image: Image.Image, rng: Random) -> Image.Image:
    """The drawing in a few flat colours, each slightly changed."""
    flat = image.quantize(int(rng.integers(4, 9)), dither=Image.Dither.NONE)
    palette = np.asarray(flat.getpalette(), np.float32)
    moved = palette + rng.normal(0, 28, palette.shape) + rng.normal(0, 10)
    flat.putpalette(moved.clip(0, 255).astype(np.uint8).tobytes())
    return flat.convert("RGB")


def hue_shifted(image: Image.Image, by: float) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    turned = hue.point(lambda h: int(h + by * 255) % 256)
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def outlined(image: Image.Image, colour: tuple[int, int, int], rng: Random) -> Image.Image:
    wide = max(1, round(max(image.size) * rng.uniform(0.015, 0.045)))
    padded = ImageOps.expand(image, wide, (0, 0, 0, 0))
    edge = padded.getchannel("A").filter(ImageFilter.MaxFilter(2 * wide + 1))
    under = Image.new("RGBA", padded.size, (*colour, 0))
    under.putalpha(edge)
    return Image.alpha_composite(under, padded)


def compose(
    ground: Image.Image,
    drawings: Sequence[Pixels],
    spots: Sequence[Spot],
    rng: Random,
    *,
    restyle: float = 0.0,
    turn_degrees: float = 8.0,
    mirrored: bool = True,
) -> Image.Image:
    """The picture: each drawing at its spot with a shadow, the farthest drawn first.

    restyle       share of the drawings that are restyled
    mirrored      whether a drawing may be mirrored (not one with letters)
    """
    picture = ground.copy()
    order = sorted(range(len(spots)), key=lambda n: spots[n].foot)
    for n in order:
        image = Image.fromarray(drawings[n], "RGBA")
        if rng.random() < 0.5 and mirrored:
            image = ImageOps.mirror(image)
        if rng.random() < restyle:
            image = restyled(image, rng)
        _place(picture, image, spots[n], float(rng.normal(0, turn_degrees / 2)))
    return picture


def _place(picture: Image.Image, image: Image.Image, spot: Spot, degrees: float) -> None:
    side = spot.side * picture.height
    scale = side / max(image.size)
    size = (max(2, round(image.width * scale)), max(2, round(image.height * scale)))
    image = resize_alpha(image, size)
    if abs(degrees) > 1:
        image = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    x = round(spot.x * picture.width - image.width / 2)
    y = round(spot.foot * picture.height - image.height)
    if not spot.floating:
        _shadow(picture, spot, image.width)
    picture.paste(image, (x, y), image)


def _shadow(picture: Image.Image, spot: Spot, wide: int) -> None:
    rx, ry = wide * 0.42, max(1.0, wide * 0.07)
    cx, cy = spot.x * picture.width, spot.foot * picture.height - ry * 0.6
    soft = max(1, round(ry * 0.5))
    box = [round(v) for v in (cx - rx - 2 * soft, cy - ry - 2 * soft)]
    size = (round(2 * rx + 4 * soft), round(2 * ry + 4 * soft))
    mask = Image.new("L", size, 0)
    inner = (2 * soft, 2 * soft, size[0] - 2 * soft, size[1] - 2 * soft)
    ImageDraw.Draw(mask).ellipse(inner, fill=95)
    mask = mask.filter(ImageFilter.GaussianBlur(soft))
    picture.paste((10, 12, 30), (box[0], box[1]), mask)


def meme(picture: Image.Image, top: str, bottom: str) -> None:
    """Write white capitals with a dark edge at the top and the bottom of the picture."""
    draw = ImageDraw.Draw(picture)
    for text, at_foot in ((top.upper(), False), (bottom.upper(), True)):
        if not text:
            continue
        size = picture.height * 0.12
        font = ImageFont.load_default(size)
        wide = draw.textlength(text, font)
        if wide > picture.width * 0.94:
            size *= picture.width * 0.94 / wide
            font = ImageFont.load_default(size)
        y = picture.height * 0.97 - size * 1.1 if at_foot else picture.height * 0.02
        draw.text(
            (picture.width / 2, y),
            text,
            fill="white",
            font=font,
            anchor="ma",
            stroke_width=max(1, round(size * 0.09)),
            stroke_fill="black",
        )


def photographed(picture: Image.Image, rng: Random) -> Image.Image:
    """The picture as from a phone: other light, a little noise, JPEG."""
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        if rng.random() < 0.5:
            picture = enhance(picture).enhance(float(rng.uniform(0.8, 1.2)))
    if rng.random() < 0.3:
        pixels = np.asarray(picture, np.float32)
        noisy = pixels + rng.normal(0, rng.uniform(2, 9), pixels.shape).astype(np.float32)
        picture = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    if rng.random() < 0.3:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(rng.integers(35, 85)))
        picture = Image.open(file).convert("RGB")
    return picture


def crop_backdrop(image: Image.Image, rng: Random, side: int = FRAME) -> Image.Image:
    """A square part of a larger backdrop, sometimes mirrored."""
    x = int(rng.integers(0, image.width - side + 1))
    y = int(rng.integers(0, image.height - side + 1))
    window = image.crop((x, y, x + side, y + side))
    return ImageOps.mirror(window) if rng.random() < 0.5 else window


def dimmed(pixels: Pixels, overlay: str | None, place: str) -> Pixels:
    """The drawing in the light of its place: darker and bluer at night, warm at sunset."""
    light: npt.NDArray[np.float32] | None = None
    if "night" in (overlay, place):
        light = np.asarray([0.62, 0.66, 0.85], np.float32)
    elif "sunset" in (overlay, place):
        light = np.asarray([1.0, 0.82, 0.74], np.float32)
    elif "rain" in (overlay, place):
        light = np.asarray([0.84, 0.86, 0.9], np.float32)
    if light is None:
        return pixels
    lit = (pixels[..., :3] * light).clip(0, 255).astype(np.uint8)
    return np.dstack([lit, pixels[..., 3]])
