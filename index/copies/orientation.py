"""The eight ways in which a picture can be turned and mirrored, and what they do to a hash.

An orientation is a number from 0 to 7: the sum of TRANSPOSE, FLIP_X and FLIP_Y. The picture is
transposed first (x and y change places), then flipped. 0 leaves it as it is.

A hash has a bit for each wave of a picture's cosine transform: whether the picture has it with a
positive sign. Transposed, the two frequencies of a wave change places; flipped, waves of an odd
frequency change their sign. So the hash of a turned picture follows from the hash alone.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.types.records import Floats

Hashes: TypeAlias = NDArray[np.uint64]

FLIP_Y, FLIP_X, TRANSPOSE = 1, 2, 4
ORIENTATIONS = 8
WAVES = 8  # frequencies in each direction; bit WAVES · vertical + horizontal
SAMPLES = 16  # in each direction, of which a hash is made
# Row u is the wave of frequency u over the samples (DCT-II).
BASIS: Floats = np.cos(
    np.pi * (2 * np.arange(SAMPLES) + 1)[None] * np.arange(WAVES)[:, None] / (2 * SAMPLES)
).astype(np.float32)


def _signs() -> Hashes:
    """(ORIENTATIONS,) the bits that flipping changes, for each orientation."""
    odd = np.arange(WAVES) % 2
    flips = np.arange(ORIENTATIONS)
    vertical = (flips & FLIP_Y != 0)[:, None, None] * odd[None, :, None]
    horizontal = (flips & FLIP_X != 0)[:, None, None] * odd[None, None, :]
    changed = ((vertical + horizontal) % 2).reshape(ORIENTATIONS, -1).astype(np.uint64)
    bits: Hashes = (changed << np.arange(WAVES * WAVES, dtype=np.uint64)).sum(axis=1)
    return bits


SIGNS = _signs()

# Bits that are the same in all flips, so that one comparison stands for four. Flipping changes all
# bits of a wave's kind (odd or even in either direction) or none, so it leaves alone the waves that
# are even in both, and the difference of two bits of one kind. Those of a pair are two rows apart.
PAIR = np.uint64(2 * WAVES)
_FIRSTS = np.uint64(0x0000_FFFF_0000_FFFF)  # rows 0, 1, 4 and 5; their partners: 2, 3, 6 and 7
_EVEN = ~(SIGNS[FLIP_X] | SIGNS[FLIP_Y])
PAIRED = _FIRSTS & ~_EVEN
STEADY = _FIRSTS | _EVEN


def oriented(hashes: Hashes) -> Hashes:
    """(ORIENTATIONS, n) the hashes of the same pictures in every orientation."""
    both = (hashes, transposed(hashes))
    rows = [both[bool(one & TRANSPOSE)] ^ SIGNS[one] for one in range(ORIENTATIONS)]
    return np.stack(rows)


def steady(hashes: Hashes) -> Hashes:
    """The steady bits of hashes: flipped, a picture has the same ones.

    Two hashes differ in no more steady bits than bits.
    """
    bits: Hashes = (hashes ^ ((hashes >> PAIR) & PAIRED)) & STEADY
    return bits


def transposed(hashes: Hashes) -> Hashes:
    """The hashes of the transposed pictures."""
    bits = np.unpackbits(hashes.astype("<u8").view(np.uint8), bitorder="little")
    turned = bits.reshape(-1, WAVES, WAVES).transpose(0, 2, 1)
    packed = np.packbits(turned.reshape(-1, WAVES * WAVES), axis=1, bitorder="little")
    made: Hashes = np.ascontiguousarray(packed).view("<u8").reshape(hashes.shape).astype(np.uint64)
    return made
