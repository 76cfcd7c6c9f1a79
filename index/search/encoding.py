"""Vectors in one bit a dimension (RaBitQ, Gao and Long 2024), and in one byte."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.search.kernels.arguments import Bools, Words
from index.search.kernels.constants import SPREAD, STEPS, ZERO
from index.search.segment_file import SEED, multipliers, words_of, words_of_quantized
from index.types.records import Floats

CACHED_ROWS = 128  # quantized at once, so that a cache holds what is computed on the way
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
    columns = np.eye(dimension, dtype=np.float32)
    count = 1 << (dimension.bit_length() - 1)
    transform = _walsh_hadamard(count)
    for turn, some in enumerate(signs(dimension)):
        columns *= some
        here = columns[:, :count] if turn % 2 == 0 else columns[:, dimension - count :]
        here[:] = here @ transform
    rotation = np.ascontiguousarray(columns.T)
    rotation.flags.writeable = False
    return rotation


def _walsh_hadamard(count: int) -> Floats:
    """(n, n) the matrix of a Walsh-Hadamard transform of a power of two of numbers."""
    matrix = np.ones((1, 1), np.float32)
    while len(matrix) < count:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.float32(np.sqrt(count))


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


def quantized(vectors: Floats) -> tuple[NDArray[np.uint8], Floats, Floats]:
    """(n, d) the vectors, turned, in 255 steps around ZERO, (n,) the size of each one's step, and
    (n,) the length of what is left out of each."""
    n, dimension = vectors.shape
    numbers = np.empty((n, dimension), np.uint8)
    scales, left_out = np.empty((2, n), np.float32)
    spread = spread_of(dimension)
    transform = _walsh_hadamard(spread)
    for start in range(0, n, CACHED_ROWS):
        some = slice(start, start + CACHED_ROWS)
        turned = (vectors[some] * signs(dimension)[0]).reshape(-1, spread) @ transform
        turned = turned.reshape(-1, dimension)
        scales[some] = np.maximum(np.abs(turned).max(axis=1), 1e-12) / np.float32(STEPS)
        steps = np.rint(turned / scales[some, None])
        left_out[some] = np.linalg.norm(turned - steps * scales[some, None], axis=1)
        numbers[some] = steps + ZERO
    return numbers, scales, left_out


def spread_of(dimension: int) -> int:
    """Over how many numbers each number of a vector is spread before it is quantized. They are a
    power of two, and divide the dimension."""
    return min(dimension & -dimension, SPREAD)


def quantized_rows(vectors: Floats) -> NDArray[np.uint8]:
    """(n, 8 m + 8) vectors as `arguments.Quantized` has them."""
    from index.search.kernels import products

    n, dimension = vectors.shape
    words = words_of_quantized(dimension)
    rows = np.zeros((n, 8 * words + 8), np.uint8)
    rows[:, :dimension], *sizes = quantized(vectors)
    rows.view(np.float32)[:, 2 * words - 2 : 2 * words] = np.stack(sizes, axis=1)
    sums = np.empty(n, np.uint64)
    covered = np.ascontiguousarray(rows.view(np.uint64)[:, :words])
    products.checksums(covered, multipliers(words), sums)
    rows.view(np.uint64)[:, words] = sums
    return rows
