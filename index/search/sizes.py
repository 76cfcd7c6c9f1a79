"""How many rows are held where, and when: what tests make smaller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Limits of the vector index; the defaults suit galleries of any size.

    settle_rows      rows in memory above which they are written into a segment: 42 MB of vectors
                     of 512 numbers, which a query compares in 0.5 ms
    load_rows        rows in memory that are written into a segment while a gallery is loaded:
                     170 MB
    held_rows        rows in memory above which writers wait until some are in a segment: 170 MB
    largest_rows     rows of a segment from which on it is merged with no other: 4 GB of vectors
    retry_s          seconds until rows are written again after a failure, such as a full disk
    cached_bytes     rows of spaces that are kept in memory where the store is a database: 1 GB
    few_rows         rows of a segment up to which all are compared that may answer, as bytes first.
                     It costs less than a search by codes, which is for more rows. Where they lie
                     scattered, several times as many are compared
    scattered_lanes  allowed rows in a block of 32, on the average, below which a query takes rows
                     one by one and not by blocks
    """

    settle_rows: int = 16_384
    load_rows: int = 65_536
    held_rows: int = 65_536
    largest_rows: int = 2_000_000
    retry_s: float = 60.0
    cached_bytes: int = 1_000_000_000
    few_rows: int = 4_096
    scattered_lanes: float = 2


DEFAULT_SIZES = Sizes()
