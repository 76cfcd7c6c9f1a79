"""USearch's index of the vectors, a graph (HNSW), which takes long to make.

`python -m bench.search.graph ROWS [MINUTES]` makes the one of `bench search` at that size and keeps
it under build/. It stops after some minutes, and goes on when it is called again. At 1,000,000
rows USearch is measured only where that was done.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench import BUILD
from bench.search.workload import DIMENSION
from bench.vectors import SEED, Floats, pictures

CHUNK_ROWS = 10_000
MINUTES = 8.0


def made(vectors: Floats) -> Any:
    """The index of these vectors, made now."""
    index = _empty(vectors.shape[1])
    index.add(np.arange(len(vectors)), np.asarray(vectors), threads=1)
    return index


def kept(rows: int, seed: int) -> Any | None:
    """The index of the pictures of a size, if it was made."""
    path = _path(rows, seed)
    if not path.exists():
        return None
    index = _empty(DIMENSION)
    index.load(path)
    return index if len(index) == rows else None


def _empty(dimension: int) -> Any:
    from usearch.index import Index

    return Index(ndim=dimension, metric="ip", dtype="f16")


def _path(rows: int, seed: int) -> Path:
    return BUILD / "vectors" / f"{rows}x{DIMENSION}-{seed}.usearch"


def main(rows: int, minutes: float) -> int:
    path, vectors, index = _path(rows, SEED), pictures(rows), _empty(DIMENSION)
    if path.exists():
        index.load(path)
    ends = time.monotonic() + 60 * minutes
    while len(index) < rows and time.monotonic() < ends:
        some = np.arange(len(index), min(len(index) + CHUNK_ROWS, rows))
        index.add(some, np.asarray(vectors[some[0] : some[-1] + 1]))
    index.save(path)
    print(f"{len(index)} of {rows} rows are in {path}")
    return 0 if len(index) == rows else 1


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(int(arguments[0]), float(arguments[1]) if arguments[1:] else MINUTES))
