"""Vectors as codes of one bit a dimension (RaBitQ, Gao and Long 2024)."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.search.kernels.arguments import Bools, Words
from index.search.segment_file import SEED, words_of
from index.types.records import Floats

ROUNDS = 4  # of a rotation: with fewer, some numbers of a query would meet only some of a vector's


@functools.lru_cache(maxsize=8)
def signs(dimension: int) -> Floats:
    """(ROUNDS, d) random signs, 1 or -1, always the same: those of the rotation."""
    random = np.random.default_rng(SEED)
    signs: Floats = random.choice(np.array([-1, 1], np.float32), (ROUNDS, dimension))
    signs.flags.writeable = False
    return signs


@functools.lru_cache(maxsize=8)
def rotation(dimension: int) -> Floats:
    """(d, d) the rotation of `kernels.codes.rotate` as a matrix; each segment keeps its own."""
    from index.search.kernels import codes

    columns = np.empty((dimension, dimension), np.float32)
    for unit, column in zip(np.eye(dimension, dtype=np.float32), columns, strict=True):
        codes.rotate(unit, signs(dimension), column)
    rotation = np.ascontiguousarray(columns.T)
    rotation.flags.writeable = False
    return rotation


def encode(
    vectors: Floats, centroids: Floats, directions: Floats, rotation: Floats
) -> tuple[Bools, Floats, Floats, Floats]:
    """(n, d) signs and (2, n) factors of vectors beside the centroids of their lists; (n,) squares
    of their distances, and (n,) squares of the errors to expect for a query of unit length.

    Let r be the length of x - c, s the signs as ±1/√d, and a = s · rotated(x - c) / r. Then
    (r / a) s · rotated(q) is an unbiased estimate of q · (x - c). Its error grows with the length
    of q, so the part of q along the direction of the centroid is taken out and added exactly.
    """
    dimension = vectors.shape[1]
    rest = vectors - centroids
    rotated = rest @ rotation.T
    signs = rotated > 0
    unit = np.where(signs, 1, -1).astype(np.float32) / np.float32(np.sqrt(dimension))
    lengths_sq = (rest * rest).sum(axis=1)
    # r / a = r² / (s · rotated(x - c)). A row that is its own centroid has neither.
    products = np.maximum((unit * rotated).sum(axis=1), 1e-12)
    ratio = lengths_sq / products
    # What of s is not along x - c meets a query in one of d - 1 directions.
    errors_sq = ratio**2 * np.maximum(1 - products**2 / np.maximum(lengths_sq, 1e-24), 0)
    along = (rest * directions).sum(axis=1)
    estimated = ratio * (unit * (directions @ rotation.T)).sum(axis=1)
    factors = np.stack([ratio / np.float32(np.sqrt(dimension)), along - estimated])
    return signs, factors, lengths_sq, errors_sq / max(dimension - 1, 1)


def as_words(bits: NDArray[Any]) -> Words:
    """(n, d) bits as (n, w) words."""
    words = np.zeros((len(bits), words_of(bits.shape[1]) * 8), np.uint8)
    words[:, : bits.shape[1] // 8] = np.packbits(bits, axis=1, bitorder="little")
    return words.view(np.uint64)
