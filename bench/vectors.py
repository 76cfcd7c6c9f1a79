"""Random vectors that are distributed as a CLIP's are, and two kinds of questions about them.

The vector of a picture is a sum: a direction that all pictures share (unrelated pictures have a
cosine of about 0.37), one of 128 themes, one of many motifs, which are very unequally frequent, and
much noise. An image-like question is another picture. A text-like question has another shared
direction (the modality gap: unrelated 0.21, the best 0.44) and a little of a motif, so it
separates the clusters less clearly.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench import BUILD
from demo import FOLDER
from pocket import MODEL

Floats: TypeAlias = NDArray[np.float32]

SEED = 1
# Crops of each picture of the demo, from the whole picture to a quarter of it.
CUTS = 9
THEMES = 128
ROWS_A_MOTIF = 100
CHUNK_ROWS = 50_000


@dataclass(frozen=True)
class World:
    """The directions of which the vectors of pictures and texts are made."""

    lean: Floats  # (d,) shared by all pictures
    gap: Floats  # (d,) shared by all texts
    themes: Floats  # (THEMES, d)
    motifs: Floats  # (m, d)
    theme_of: NDArray[np.int64]  # (m,)
    shares: NDArray[np.float64]  # (m,) cumulated shares of the motifs

    @classmethod
    def of(cls, rows: int, dimension: int, seed: int) -> World:
        random = np.random.default_rng(seed)
        lean, gap = _directions(random, 2, dimension)
        motifs = max(64, rows // ROWS_A_MOTIF)
        themes, directions = (_directions(random, n, dimension) for n in (THEMES, motifs))
        weights = random.pareto(1.5, motifs) + 0.2
        return cls(
            lean,
            _unit(0.5 * lean + gap),
            themes,
            directions,
            random.integers(0, THEMES, motifs),
            np.cumsum(weights / weights.sum()),
        )

    def pictures(self, random: np.random.Generator, count: int) -> Floats:
        motif = np.searchsorted(self.shares, random.random(count)).clip(max=len(self.motifs) - 1)
        own = random.standard_normal((count, len(self.lean)), np.float32)
        vectors = own * np.float32(0.55 / np.sqrt(len(self.lean))) + np.float32(0.6) * self.lean
        vectors += np.float32(0.45) * self.themes[self.theme_of[motif]]
        vectors += np.float32(0.35) * self.motifs[motif]
        return _unit(vectors)

    def texts(self, random: np.random.Generator, count: int) -> Floats:
        motif = random.integers(0, len(self.motifs), count)
        own = random.standard_normal((count, len(self.lean)), np.float32)
        vectors = own * np.float32(0.6 / np.sqrt(len(self.lean))) + np.float32(0.7) * self.gap
        vectors += np.float32(0.2) * self.themes[self.theme_of[motif]]
        vectors += np.float32(0.25) * self.motifs[motif]
        return _unit(vectors)


def made(rows: int, dimension: int = 512, seed: int = SEED) -> Iterator[Floats]:
    """The pictures' vectors in chunks of (n, dimension), `rows` in all; the same for a seed."""
    world, random = World.of(rows, dimension, seed), np.random.default_rng(seed + 1)
    for start in range(0, rows, CHUNK_ROWS):
        yield world.pictures(random, min(CHUNK_ROWS, rows - start))


def pictures(rows: int, dimension: int = 512, seed: int = SEED) -> Floats:
    """The same vectors, (rows, dimension), memory-mapped from a file made once under build/."""
    path = BUILD / "vectors" / f"{rows}x{dimension}-{seed}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        written = np.lib.format.open_memmap(unfinished, "w+", np.float32, (rows, dimension))
        start = 0
        for chunk in made(rows, dimension, seed):
            written[start : start + len(chunk)] = chunk
            start += len(chunk)
        del written
        os.replace(unfinished, path)
    mapped: Floats = np.load(path, mmap_mode="r")
    return mapped


def questions(rows: int, count: int, dimension: int = 512, seed: int = SEED) -> dict[str, Floats]:
    """`count` questions of each kind, (count, dimension). None is one of the pictures."""
    world, random = World.of(rows, dimension, seed), np.random.default_rng(seed + 2)
    return {"image": world.pictures(random, count), "text": world.texts(random, count)}


def real(count: int, seed: int = SEED) -> tuple[Floats, dict[str, Floats]]:
    """Vectors of the pocket model for crops of the demo's pictures, and `count` questions of each
    kind: crops that aren't among the vectors, and the words of the labels."""
    from PIL import Image

    from index.embed import checkpoint, embedder

    model = embedder.load(checkpoint.find(str(MODEL)), "cpu")
    labels = json.loads((FOLDER / "labels.json").read_text("utf-8"))
    random = np.random.default_rng(seed)
    frames = []
    for name in labels:
        with Image.open(FOLDER / name) as file:
            picture = file.convert("RGB")
        frames += [_cut(picture, random, number) for number in range(CUTS)]
    images = np.concatenate([model.images(frames[n : n + 64]) for n in range(0, len(frames), 64)])
    left_out = random.choice(len(images), count, replace=False)
    said = [" ".join([*label["subjects"], *label["places"]]) for label in labels.values()]
    texts, _ = model.texts([said[n] for n in random.choice(len(said), count)])
    asked = {"image": images[left_out], "text": texts}
    return np.delete(images, left_out, axis=0), asked


def _cut(picture: Any, random: np.random.Generator, number: int) -> Any:
    """The whole picture for number 0, else a random crop of at least half of each edge."""
    if number == 0:
        return picture
    wide, high = (round(edge * random.uniform(0.5, 1)) for edge in picture.size)
    left, top = (
        int(random.integers(0, a - b + 1)) for a, b in zip(picture.size, (wide, high), strict=True)
    )
    return picture.crop((left, top, left + wide, top + high))


def _directions(random: np.random.Generator, count: int, dimension: int) -> Floats:
    return _unit(random.standard_normal((count, dimension), np.float32))


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit
