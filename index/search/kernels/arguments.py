"""What the compiled loops take: arrays that belong together, by name. It doesn't import numba.

b blocks of LANES rows each; w 64-bit words hold one bit for each of d dimensions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.types.records import Floats

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]


class Vectors(NamedTuple):
    """The full vectors of a segment, and what tells whether they are what was written."""

    rows: Floats  # (n, d)
    words: Words  # (n, d / 2), the same memory
    checksums: Words  # (n,) of the words
    multipliers: Words  # (d / 2,) odd numbers that the checksums were made with
    overwritten: Bools  # (n,) rows that were removed


class Quantized(NamedTuple):
    """The vectors of a segment, turned, a byte a number: they are compared first. A row is d bytes,
    zeros up to a whole word, the size of a step and the length of what is left out as float32, and
    a word that is the checksum of all that."""

    rows: Bytes  # (n, 8 m + 8)
    multipliers: Words  # (m,) odd numbers that the checksums were made with
    signs: Floats  # (rounds, d) what they were turned with


class Codes(NamedTuple):
    """What a segment keeps in memory of each vector."""

    bits: Words  # (b, w, LANES)
    factors: Floats  # (2, n)


class Allowed(NamedTuple):
    """Which rows of a segment may answer. Rows have keys: a key is a space, a group and a kind.

    The rows of a space lie in s blocks that follow each other, and its k keys do, too. No loop
    looks at others. `allowed` and `below` begin with a place for all lesser keys, and end with one
    for all greater ones.
    """

    keys: NDArray[np.int32]  # (n,) the key of each row, ascending within a list
    bounds: NDArray[np.int32]  # (b, 2) the first and the last key of each block
    begin: int  # the first block of the space
    alive: NDArray[np.uint32]  # (s,) of its blocks, one bit a row: 0 if it was removed
    lesser: int  # the key before the first one of the space
    allowed: NDArray[np.int32]  # (k + 2,) 1 for keys that may answer, else 0
    below: NDArray[np.int32]  # (k + 3,) how many keys below this one may answer


class ByKey(NamedTuple):
    """The rows of each key together, r in all. A question that few rows may answer looks at those
    of its keys, and at none of others.

    Where a filter names owners or times, marks are looked at first: a byte each, of which a cache
    holds many more than of the numbers themselves, and an instruction compares many.
    """

    starts: Ints  # (k + 1,) where the rows of each key begin
    rows: NDArray[np.int32]  # (r,) ascending within a key
    owner_marks: Bytes  # (r,) the same for the same owner
    time_marks: Bytes  # (r,) not less for a later time


class Columns(NamedTuple):
    """What else is known of each row."""

    frames: NDArray[np.int32]  # (n,)
    owners: Ints  # (n,)
    posted: NDArray[np.float64]  # (n,) Unix seconds


class Limits(NamedTuple):
    """What a filter says about owners and times."""

    owners: Ints  # (o,) ascending
    of_owners: bool  # whether links of these owners may answer; else all others
    since: float  # posted in [since, until); -FOREVER and FOREVER where there is no limit
    until: float


class Lists(NamedTuple):
    """The lists of a space, as one query sees them."""

    order: Ints  # (lists,) in which they are looked through
    starts: Ints  # (lists + 1,) the first block of each list; some may be of other spaces
    base: Floats  # (lists,) query · centroid
    along: Floats  # (lists,) query · direction of the centroid
    slack: Floats  # (lists,) how much better than its estimate a row may be


class RotatedQuery(NamedTuple):
    """A query as it is compared with codes."""

    planes: Words  # (PLANES, w) the bits of its rotated and quantized numbers
    step: np.float32  # of the quantization
    most: np.float32  # the product with a code of which all bits are the query's
    vector: Floats  # (d,) the query itself, not rotated


class Best(NamedTuple):
    """The best rows so far, in and out."""

    top: Floats  # (taken,) the best scores, ascending
    scores: Floats  # (capacity,) of the rows that may be among the best
    rows: Ints  # (capacity,) these rows
