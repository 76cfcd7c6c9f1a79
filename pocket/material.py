"""Scenes for training, rendered when they are needed: plans, backdrops, a pool of pictures."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image

from pocket.artwork import Artwork, Pixels, Sprite
from pocket.captions import pick
from pocket.places import PLACES, Random
from pocket.scenes import (
    COLOURS,
    FRAME,
    OVERLAYS,
    Scene,
    Spot,
    backdrop,
    compose,
    crop_backdrop,
    dimmed,
    layout,
    meme,
    photographed,
    recoloured,
)

GRID = 6  # patches along each edge of a training picture
NOBODY = -1  # no subject is in this patch
Map = npt.NDArray[np.int16]

RESTYLE = 0.6  # share of the trained drawings that are bent and repainted
HELD_OUT_SHARE = 10  # one of this many pairs of subject and place is never trained
BACKDROPS_A_PLACE = 70
BACKDROPS_AN_OVERLAY = 16
BACKDROP_SIDE = 128  # pixels; a training picture is a part of it
MEME_WORDS = (
    "when you see it", "me on monday", "so wow", "not again", "mood", "much travel", "why not",
    "oh no", "best day", "help", "every time", "nobody:", "they said", "yes", "relatable",
)  # fmt: skip


def held_out(subject: str, place: str) -> bool:
    """Whether this pair is kept for the evaluation. A hash chooses one tenth of the pairs."""
    digest = hashlib.sha256(f"{subject}|{place}".encode()).digest()
    return place != "plain" and digest[0] % HELD_OUT_SHARE == 0


@dataclass(slots=True)
class Studio:
    """Renders scenes at training size, from sprites and backdrops that are made in advance."""

    artwork: Artwork
    styles: tuple[str, ...]
    seed: int
    backdrops_a_place: int = BACKDROPS_A_PLACE
    sprites: list[list[Sprite]] = field(init=False)
    backdrops: dict[tuple[str, str | None], list[Image.Image]] = field(init=False)

    def __post_init__(self) -> None:
        self.sprites = [[] for _ in self.artwork.subjects]
        for sprite in self.artwork.sprites(self.styles):
            self.sprites[sprite.subject].append(sprite)
        rng = np.random.default_rng([self.seed, 1])
        size = (BACKDROP_SIDE, BACKDROP_SIDE)
        few = max(2, self.backdrops_a_place * BACKDROPS_AN_OVERLAY // BACKDROPS_A_PLACE)
        self.backdrops = {
            (place, None): [backdrop(place, None, size, rng) for _ in range(self.backdrops_a_place)]
            for place in PLACES
        }
        for overlay, places in OVERLAYS.items():
            for place in places:
                made = [backdrop(place, overlay, size, rng) for _ in range(few)]
                self.backdrops[place, overlay] = made

    def plan(self, rng: Random, *, place: str | None = None, subject: int | None = None) -> Scene:
        """A random scene whose pairs of subject and place are all allowed in training."""
        names = self.artwork.subjects
        while True:
            main = int(rng.integers(len(names))) if subject is None else subject
            where = place or pick(rng, PLACES)
            overlay = None
            if where != "plain" and rng.random() < 0.15:
                fitting = [key for key, bases in OVERLAYS.items() if where in bases]
                overlay = pick(rng, fitting) if fitting else None
            others: tuple[int, ...] = ()
            count = 1
            kind = rng.random()
            if kind < 0.1:
                others = (int(rng.integers(len(names))),)
            elif kind < 0.22:
                count = int(rng.choice([2, 3, 4, 5], p=[0.4, 0.35, 0.15, 0.1]))
            colour = pick(rng, tuple(COLOURS)) if rng.random() < 0.13 else None
            scene = Scene((main, *others), where, count, colour, overlay)
            if main not in others and self.allowed(scene):
                return scene
            if place is not None and subject is not None:
                place = None

    def allowed(self, scene: Scene) -> bool:
        subjects = self.artwork.subjects
        return not any(
            held_out(subjects[s].name, place) for s in scene.subjects for place in scene.places
        )

    def easy_plan(self, rng: Random) -> Scene:
        """A random scene of one subject in its own colours, mostly on a plain background."""
        if rng.random() < 0.6:
            return Scene((int(rng.integers(len(self.artwork.subjects))),), "plain")
        scene = self.plan(rng)
        return Scene(scene.subjects[:1], scene.place)

    def render(
        self, scene: Scene, rng: Random, *, restyle: float = RESTYLE, easy: bool = False
    ) -> Image.Image:
        """The scene as a picture of FRAME pixels a side."""
        return self.render_mapped(scene, rng, restyle=restyle, easy=easy)[0]

    def render_mapped(
        self,
        scene: Scene,
        rng: Random,
        *,
        restyle: float = RESTYLE,
        easy: bool = False,
        hand: int | None = None,
    ) -> tuple[Image.Image, Map]:
        """The picture, and which subject is in each of its GRID x GRID patches (or NOBODY).

        hand       number of the artist of the main drawing, modulo their count; None: any
        """
        ground = crop_backdrop(pick(rng, self.backdrops[scene.place, scene.overlay]), rng)
        drawings: list[Pixels] = []
        for n, subject in enumerate(scene.subjects):
            sprites = self.sprites[subject]
            sprite = pick(rng, sprites) if n or hand is None else sprites[hand % len(sprites)]
            pixels = sprite.pixels
            if n == 0 and scene.colour:
                pixels = recoloured(pixels, scene.colour)
            pixels = dimmed(pixels, scene.overlay, scene.place)
            drawings += [pixels] * (scene.count if n == 0 else 1)
        spots = layout(scene, rng, easy=easy)
        picture = compose(ground, drawings, spots, rng, restyle=restyle)
        if rng.random() < 0.06:
            meme(
                picture, pick(rng, MEME_WORDS), pick(rng, MEME_WORDS) if rng.random() < 0.6 else ""
            )
        whose = [scene.subjects[0]] * scene.count + list(scene.subjects[1:])
        shapes = [drawing.shape for drawing in drawings]
        return photographed(picture, rng), standing_map(spots, shapes, whose)


def standing_map(
    spots: Sequence[Spot], shapes: Sequence[tuple[int, ...]], whose: Sequence[int]
) -> Map:
    """The subject whose drawing covers the middle of each patch, the nearest one, (GRID, GRID)."""
    grid = np.full((GRID, GRID), NOBODY, np.int16)
    middles = (np.arange(GRID) + 0.5) / GRID
    for n in sorted(range(len(spots)), key=lambda n: spots[n].foot):
        spot, (height, width, _) = spots[n], shapes[n]
        tall, wide = spot.side * height / max(shapes[n]), spot.side * width / max(shapes[n])
        rows = (middles > spot.foot - tall) & (middles < spot.foot)
        columns = np.abs(middles - spot.x) < wide / 2
        grid[np.ix_(rows, columns)] = whose[n]
    return grid


class Pool:
    """The last rendered pictures. Each is used a few times before a new one replaces it.

    Slots 2n and 2n + 1 have twins: two renderings of one scene, by different artists if there are
    two, which have nothing else in common.

    restyle    share of the drawings that are bent and repainted
    """

    def __init__(self, studio: Studio, size: int, restyle: float = RESTYLE) -> None:
        self.studio, self.restyle = studio, restyle
        self.pixels: npt.NDArray[np.uint8] = np.zeros((size, FRAME, FRAME, 3), np.uint8)
        self.maps: npt.NDArray[np.int16] = np.full((size, GRID, GRID), NOBODY, np.int16)
        self.scenes: list[Scene] = []  # one for each pair of slots
        self.next = 0

    def refresh(self, pairs: int, rng: Random, ease: float = 0.0) -> None:
        """Replace the oldest pairs of pictures; the first calls fill the pool.

        ease       share of easy pictures, 1 at the start of training
        """
        for _ in range(pairs):
            easy = rng.random() < ease
            if easy:
                scene = self.studio.easy_plan(rng)
            else:
                scene = self.studio.plan(rng, place="plain" if rng.random() < 0.1 else None)
            if 2 * len(self.scenes) < len(self.pixels):
                self.scenes.append(scene)
            else:
                self.scenes[self.next] = scene
            hand = int(rng.integers(12))
            for slot in (2 * self.next, 2 * self.next + 1):
                picture, where = self.studio.render_mapped(
                    scene, rng, restyle=self.restyle * (1 - ease), easy=easy, hand=hand + slot
                )
                self.pixels[slot] = np.asarray(picture)
                self.maps[slot] = where
            self.next = (self.next + 1) % (len(self.pixels) // 2)

    def draw(self, pairs: int, rng: Random, *, mixed: bool = False) -> list[int]:
        """The pairs of a batch: mixed (always with `mixed`), of one place, or of one kind."""
        everything = list(range(len(self.scenes)))
        sort = 0.0 if mixed else rng.random()
        if sort < 0.5:
            chosen = everything
        elif sort < 0.85:
            place = pick(rng, PLACES)
            chosen = [n for n, scene in enumerate(self.scenes) if place in scene.places]
        else:
            subjects = self.studio.artwork.subjects
            kind = subjects[int(rng.integers(len(subjects)))].kind
            chosen = [n for n, s in enumerate(self.scenes) if subjects[s.subjects[0]].kind == kind]
        if len(chosen) < pairs:
            chosen = everything
        return [int(n) for n in rng.choice(np.asarray(chosen), pairs, replace=False)]
