"""Embedded pictures of scenes that the pocket model wasn't trained on, kept under build/.

Rendering and embedding take about 3 ms a picture on a core; a second run reads them from disk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench import BUILD
from index.types.records import Floats
from pocket.artwork import Artwork
from pocket.evaluate import Loaded
from pocket.material import Studio
from pocket.places import PLACES
from pocket.scenes import Scene

FOLDER = BUILD / "scenes"
BLOCK = 10_000  # pictures of a file
AT_ONCE = 256
BACKDROPS = 24  # of each place


@dataclass(frozen=True, slots=True, eq=False)
class Scenes:
    """n pictures: vectors (n, d); the number of the subject, and of the place in PLACES, (n,)."""

    vectors: Floats
    subjects: NDArray[np.int64]
    places: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.vectors)

    def chosen(self, rows: NDArray[np.int64]) -> Scenes:
        return Scenes(self.vectors[rows], self.subjects[rows], self.places[rows])


def scenes(artwork: Artwork, loaded: Loaded, styles: tuple[str, ...], seed: int, n: int) -> Scenes:
    """`n` pictures, each of one subject in one place, all subjects equally often."""
    blocks = [_block(artwork, loaded, styles, seed, number) for number in range(-(-n // BLOCK))]
    return Scenes(
        np.concatenate([block.vectors for block in blocks])[:n],
        np.concatenate([block.subjects for block in blocks])[:n],
        np.concatenate([block.places for block in blocks])[:n],
    )


def _block(
    artwork: Artwork, loaded: Loaded, styles: tuple[str, ...], seed: int, number: int
) -> Scenes:
    names = [subject.name for subject in artwork.subjects]
    stamp = hashlib.sha256(repr((styles, seed, number, BLOCK, names)).encode()).hexdigest()[:16]
    path = FOLDER / f"{stamp}.npz"
    if not path.exists():
        made = _rendered(artwork, loaded, styles, [seed, number])
        FOLDER.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, vectors=made.vectors, subjects=made.subjects, places=made.places)
        part.rename(path)
    with np.load(path) as file:
        return Scenes(file["vectors"], file["subjects"], file["places"])


def _rendered(artwork: Artwork, loaded: Loaded, styles: tuple[str, ...], seed: list[int]) -> Scenes:
    rng = np.random.default_rng(seed)
    studio = Studio(artwork, styles, int(rng.integers(1 << 31)), backdrops_a_place=BACKDROPS)
    drawn = [n for n, sprites in enumerate(studio.sprites) if sprites]
    subjects = np.resize(rng.permutation(drawn), BLOCK)
    places = rng.integers(len(PLACES), size=BLOCK)
    vectors = []
    for start in range(0, BLOCK, AT_ONCE):
        some = zip(subjects[start:][:AT_ONCE], places[start:][:AT_ONCE], strict=True)
        images = [
            studio.render(Scene((int(subject),), PLACES[place]), rng, restyle=0)
            for subject, place in some
        ]
        vectors.append(loaded.pictures(images))
    return Scenes(np.concatenate(vectors), subjects, places)
