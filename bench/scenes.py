"""Pictures of the pocket world with what each of them shows, as the pocket model sees them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench import BUILD
from demo import FOLDER
from index.embed import checkpoint, embedder
from index.embed.embedder import Embedder
from pocket import MODEL
from pocket.artwork import TRAINED_STYLES, Artwork, install
from pocket.captions import pick
from pocket.material import Studio
from pocket.places import PLACES
from pocket.scenes import OVERLAYS, Scene

Floats: TypeAlias = NDArray[np.float32]

SEED = 70_001  # far from all training seeds
ROUNDS = 4  # renderings of each subject in each place
# The last of them also shows weather or a time of day, where the place can have one.
OVERLAID = ROUNDS - 1
BATCH = 64
# How long the noise is that makes a further picture of a rendered one. The cosine of the two is
# about 0.9, where two renderings of one scene have about 0.8.
NOISE = 0.48


@dataclass(frozen=True, eq=False)
class Pictures:
    """n pictures. Each shows one subject in one place, or in one with a weather.

    vectors   (n, d) float32, unit rows
    subjects  (n,) names of what they show
    places    (n,) keys of `pocket.wording.PLACE_WORDS`
    """

    vectors: Floats
    subjects: NDArray[np.str_]
    places: Sequence[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.vectors)

    def taken(self, rows: NDArray[np.int64]) -> Pictures:
        """Those of them, in this order."""
        places = [self.places[row] for row in rows.tolist()]
        return Pictures(self.vectors[rows], self.subjects[rows], places)

    def grown(self, count: int, seed: int = SEED) -> Pictures:
        """`count` pictures: these, and further ones that are these with noise.

        Rendering as many would take hours. The noise is alike in all directions, so it is kinder
        to a search than other drawings would be.
        """
        random = np.random.default_rng([seed, 2])
        more = random.integers(0, len(self), max(count - len(self), 0))
        noise = random.standard_normal((len(more), self.vectors.shape[1]), np.float32)
        made = self.vectors[more] + NOISE / np.sqrt(noise.shape[1], dtype=np.float32) * noise
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        all_of = self.taken(np.concatenate([np.arange(min(count, len(self))), more]))
        vectors = np.concatenate([self.vectors[:count], made])
        return Pictures(vectors, all_of.subjects, all_of.places)


@cache
def model() -> Embedder:
    """The pocket model."""
    return embedder.load(checkpoint.find(str(MODEL)), "cpu")


@cache
def artwork() -> Artwork:
    """The drawings, which npm fetches. raises ArtworkError without them"""
    install()
    return Artwork()


@cache
def rendered() -> Pictures:
    """Every subject in every place, ROUNDS times each: about 20,000 pictures.

    They are rendered once, within some ten minutes, and their vectors kept under build/.
    """
    parts = [_round(number) for number in range(ROUNDS)]
    return Pictures(
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.subjects for part in parts]),
        [places for part in parts for places in part.places],
    )


def demo() -> Pictures:
    """The pictures of the demo that show one subject in a place, some 400."""
    told = json.loads((FOLDER / "labels.json").read_text("utf-8"))
    told = {name: one for name, one in told.items() if len(one["subjects"]) == 1 and one["places"]}
    frames = (_opened(FOLDER / name) for name in told)
    return Pictures(
        _embedded(frames),
        np.array([one["subjects"][0] for one in told.values()]),
        [tuple(one["places"]) for one in told.values()],
    )


def _round(number: int) -> Pictures:
    """One rendering of every subject in every place."""
    random = np.random.default_rng([SEED, number])
    names = [subject.name for subject in artwork().subjects]
    scenes = [
        Scene((subject,), place, overlay=_overlay(place, random) if number == OVERLAID else None)
        for subject in range(len(names))
        for place in PLACES[:-1]
    ]
    path = BUILD / "scenes" / f"{model().revision[:12]}-{SEED}-{number}.npy"
    if not path.exists():
        studio = Studio(artwork(), TRAINED_STYLES, SEED + number, backdrops_a_place=24)
        vectors = _embedded(studio.render(scene, random, restyle=0) for scene in scenes)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.npy")
        np.save(unfinished, vectors)
        os.replace(unfinished, path)
    return Pictures(
        np.load(path),
        np.array([names[scene.subjects[0]] for scene in scenes]),
        [scene.places for scene in scenes],
    )


def _overlay(place: str, random: np.random.Generator) -> str | None:
    fitting = [overlay for overlay, places in OVERLAYS.items() if place in places]
    return pick(random, fitting) if fitting else None


def _embedded(frames: Iterator[Image.Image]) -> Floats:
    """(n, d) the vectors of these pictures."""
    parts, some = list[Floats](), list[Image.Image]()
    for frame in frames:
        some.append(frame)
        if len(some) == BATCH:
            parts.append(model().images(some))
            some = []
    if some:
        parts.append(model().images(some))
    return np.concatenate(parts)


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as file:
        return file.convert("RGB")
