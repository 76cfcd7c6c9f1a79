"""Making a segment out of recent rows and smaller segments, behind the back of the questions.

Memory is bounded by a sample of the vectors and some 50 bytes a row; the processor is shared
half and half with whoever else wants it.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.search.segment import (
    CHUNK_ROWS,
    GONE,
    KNOWN,
    LANES,
    SEED,
    Ints,
    Part,
    Segment,
    as_words,
    fixed_sum,
    map_arrays,
    odd_numbers,
    plan,
    rest_sums,
    write_header,
)
from index.types.records import Floats

# Lists are this many times the root of the rows: comparing a query with the centroids then costs
# about as much as looking through the nearest lists.
LISTS_PER_ROOT = 1.5
SAMPLE_A_LIST = 32  # vectors from which a centroid is learned
ROUNDS = 8
# Of the time while it runs, unless somebody waits for it.
SHARE_OF_A_CORE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """Rows that are still in memory."""

    vectors: Floats  # (n, d)
    links: Ints  # (n,)
    frames: NDArray[np.int32]  # (n,)
    owners: Ints  # (n,)
    posted: NDArray[np.float64]  # (n,)
    keys: NDArray[np.int32]  # (n,) rows of key_names
    key_names: Ints  # (k, 3) space, group, 1 for a text


class Stopped(Exception):
    """The merge was told to stop."""


class Merge:
    """One segment in the making."""

    def __init__(
        self,
        path: Path,
        recent: Recent,
        parts: Sequence[Part],
        *,
        serial: int,
        newest: int,
        hurried: bool = False,
    ) -> None:
        self.path = path
        self.parts = tuple(parts)
        self.serial = serial  # recent rows from this one on came later
        self.newest = newest  # links up to this one had come
        self._stopped = threading.Event()
        self._recent = recent
        self._places = [part.all_rows() for part in parts]
        self._hurried = hurried
        self._worked_since = 0.0

    def build(self) -> Part:
        """The new segment, written and open; takes a minute at 1,000,000 rows on half a core.

        raises   OSError when the disk is full; Damaged; Stopped
        """
        try:
            return self._build()
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise

    def _build(self) -> Part:
        self._worked_since = time.perf_counter()
        known, names = self._what_is_known()
        links, keys = known["links"], known["keys"]
        dimension = self._recent.vectors.shape[1]
        centroids = self._learn(len(links))
        lists, centroids = self._assign(len(links), centroids)
        order = np.lexsort((links, keys, lists))
        counts = np.bincount(lists, minlength=len(centroids))
        starts = np.zeros(len(centroids) + 1, np.int64)
        np.cumsum(-(-counts // LANES), out=starts[1:])
        firsts = np.cumsum(counts) - counts
        ordered = lists[order]
        places = starts[ordered] * LANES + np.arange(len(order)) - firsts[ordered]
        size = {
            "dimension": dimension,
            "blocks": int(starts[-1]),
            "rows": len(order),
            "lists": len(centroids),
            "keys": len(names),
        }
        where = plan(**size)
        self._reserve(where.bytes)
        arrays = map_arrays(self.path, where, write=True)
        arrays["centroids"][:] = centroids
        arrays["starts"][:] = starts
        arrays["rotation"][:] = rotation(dimension)
        arrays["key_names"][:] = names
        arrays["links"][:] = GONE
        for name in ("links", "frames", "owners", "posted"):
            arrays[name][places] = known[name][order]
        arrays["keys"][:] = _filled(keys[order], places, len(arrays["keys"]))
        by_link = np.argsort(arrays["links"][places], kind="stable")
        arrays["by_link"][:] = arrays["links"][places[by_link]]
        arrays["place_of"][:] = places[by_link]
        source = np.full(len(arrays["keys"]), -1)
        source[places] = order
        self._write_rows(arrays, source, np.repeat(np.arange(len(centroids)), np.diff(starts)))
        write_header(self.path, {**size, "fixed_sum": fixed_sum(arrays)})
        segment = Segment(self.path, write=True)
        segment.flush()
        return segment.whole()

    def _what_is_known(self) -> tuple[dict[str, NDArray[Any]], Ints]:
        """The columns of all rows, recent ones first, and what the keys stand for."""
        recent = self._recent
        columns = {name: [getattr(recent, name)] for name in KNOWN}
        names = [recent.key_names]
        for part, places in zip(self.parts, self._places, strict=True):
            for name in KNOWN:
                columns[name].append(part.segment.mapped[name][places])
            columns["keys"][-1] = columns["keys"][-1] + sum(map(len, names))
            names.append(part.segment.mapped["key_names"])
        known = {name: np.concatenate(column) for name, column in columns.items()}
        distinct, number = np.unique(np.concatenate(names), axis=0, return_inverse=True)
        used, key = np.unique(number.reshape(-1)[known["keys"]], return_inverse=True)
        return known | {"keys": key.reshape(-1)}, distinct[used]

    def _read(self, rows: Ints) -> Floats:
        """The vectors of these rows, which count through all sources."""
        out = np.zeros((len(rows), self._recent.vectors.shape[1]), np.float32)
        begin = len(self._recent.links)
        mine = (rows >= 0) & (rows < begin)
        out[mine] = self._recent.vectors[rows[mine]]
        for part, places in zip(self.parts, self._places, strict=True):
            mine = (rows >= begin) & (rows < begin + len(places))
            # A row that was removed meanwhile will be taken out when the merge is done.
            out[mine], _ = part.segment.read(places[rows[mine] - begin])
            begin += len(places)
        return out

    def _chunks(self, count: int) -> Iterator[slice]:
        for start in range(0, count, CHUNK_ROWS):
            yield slice(start, min(start + CHUNK_ROWS, count))
            self._rest()

    def stop(self) -> None:
        """Have `build` raise Stopped soon."""
        self._stopped.set()

    def hurry(self) -> None:
        """Somebody waits for it now."""
        self._hurried = True

    def _rest(self) -> None:
        worked = time.perf_counter() - self._worked_since
        pause = 0 if self._hurried else worked * (1 / SHARE_OF_A_CORE - 1)
        if self._stopped.wait(pause):
            raise Stopped
        self._worked_since = time.perf_counter()

    def _learn(self, count: int) -> Floats:
        """(lists, d) centroids, by k-means on a sample."""
        random = np.random.default_rng(SEED)
        lists = max(round(LISTS_PER_ROOT * math.sqrt(count)), 1)
        sample = np.sort(random.choice(count, min(count, lists * SAMPLE_A_LIST), replace=False))
        vectors = np.concatenate([self._read(sample[chunk]) for chunk in self._chunks(len(sample))])
        centroids = vectors[np.sort(random.choice(len(vectors), lists, replace=False))]
        for _ in range(ROUNDS):
            nearest = np.concatenate(
                [_nearest(vectors[chunk], centroids) for chunk in self._chunks(len(vectors))]
            )
            sums, counts = _sums(vectors, nearest, lists)
            # A centroid that nobody is near stays where it is.
            centroids = np.where(
                counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centroids
            ).astype(np.float32)
        return centroids

    def _assign(self, count: int, centroids: Floats) -> tuple[Ints, Floats]:
        """(count,) the list of each row, and (lists, d) the means of all their rows.

        What was learned from a sample may be the vector of one picture, which would stay in the
        file after the picture is removed.
        """
        nearest = []
        sums, counts = np.zeros(centroids.shape), np.zeros(len(centroids), np.int64)
        for chunk in self._chunks(count):
            vectors = self._read(np.arange(chunk.start, chunk.stop))
            nearest.append(_nearest(vectors, centroids))
            more, many = _sums(vectors, nearest[-1], len(centroids))
            sums += more
            counts += many
        means = sums / np.maximum(counts, 1)[:, None]
        return np.concatenate(nearest), means.astype(np.float32)

    def _write_rows(self, arrays: dict[str, NDArray[Any]], source: Ints, lists: Ints) -> None:
        """Vectors, codes, factors and checksums, block after block.

        source  (places,) which row lies there, or -1        lists  (blocks,)
        """
        from index.search import kernels

        centroids, turn = arrays["centroids"], arrays["rotation"]
        directions = centroids / np.maximum(np.linalg.norm(centroids, axis=1), 1e-12)[:, None]
        odd = odd_numbers(arrays["vectors"].shape[1] // 2)
        # Squared distances from the centroid, squared errors, and rows.
        spread = np.zeros((3, len(centroids)))
        for chunk in self._chunks(len(source)):
            blocks = slice(chunk.start // LANES, chunk.stop // LANES)
            there = source[chunk] >= 0
            vectors = self._read(source[chunk])
            mine = np.repeat(lists[blocks], LANES)
            signs, factors, apart, off = encode(vectors, centroids[mine], directions[mine], turn)
            signs[~there], factors[:, ~there] = False, 0
            spread += [
                np.bincount(mine[there], weights, len(centroids))
                for weights in (apart[there], off[there], np.ones(np.count_nonzero(there)))
            ]
            arrays["vectors"][chunk] = vectors
            words = as_words(signs)
            arrays["codes"][blocks] = words.reshape(-1, LANES, words.shape[1]).transpose(0, 2, 1)
            arrays["factors"][:, chunk] = factors
            kernels.checksums(vectors.view(np.uint64), odd, arrays["sums"][0, chunk])
            arrays["sums"][1, chunk] = rest_sums(arrays, blocks)
        arrays["spreads"][:], arrays["errors"][:] = np.sqrt(spread[:2] / np.maximum(spread[2], 1))

    def _reserve(self, size: int) -> None:
        """Take the space now: a mapped file that finds the disk full kills the process."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            file.truncate(size)


def rotation(dimension: int) -> Floats:
    """(d, d) a random rotation, always the same on one machine; each segment keeps its own."""
    random = np.random.default_rng(SEED)
    turned, _ = np.linalg.qr(random.standard_normal((dimension, dimension)))
    return np.ascontiguousarray(turned, np.float32)


def encode(
    vectors: Floats, centroids: Floats, directions: Floats, turn: Floats
) -> tuple[NDArray[np.bool_], Floats, Floats, Floats]:
    """(n, d) signs and (2, n) factors of vectors beside their lists' centroids; (n,) squares of
    their distances, and of the errors to expect for a query of unit length.

    With r the length of x - c, s the signs as ±1/√d, and a = s · turned(x - c) / r, an unbiased
    estimate of q · (x - c) is (r / a) s · turned(q). Its error grows with the length of q, so the
    part of q along the centroid's direction is taken out and added exactly.
    """
    dimension = vectors.shape[1]
    rest = vectors - centroids
    turned = rest @ turn.T
    signs = turned > 0
    unit = np.where(signs, 1, -1).astype(np.float32) / np.float32(np.sqrt(dimension))
    lengths_sq = (rest * rest).sum(axis=1)
    # r / a = r² / (s · turned(x - c)); a row that is its own centroid has neither.
    products = np.maximum((unit * turned).sum(axis=1), 1e-12)
    ratio = lengths_sq / products
    # What of s is not along x - c meets a query in one of d - 1 directions.
    errors_sq = ratio**2 * np.maximum(1 - products**2 / np.maximum(lengths_sq, 1e-24), 0)
    along = (rest * directions).sum(axis=1)
    estimated = ratio * (unit * (directions @ turn.T)).sum(axis=1)
    factors = np.stack([ratio / np.float32(np.sqrt(dimension)), along - estimated])
    return signs, factors, lengths_sq, errors_sq / max(dimension - 1, 1)


def _sums(vectors: Floats, nearest: Ints, lists: int) -> tuple[Floats, Ints]:
    """(lists, d) sums of each list's vectors, and (lists,) how many they are."""
    by_list = np.argsort(nearest, kind="stable")
    counts = np.bincount(nearest, minlength=lists)
    firsts = np.minimum(np.cumsum(counts) - counts, len(vectors) - 1)
    sums = np.add.reduceat(vectors[by_list], firsts, axis=0)
    sums[counts == 0] = 0
    return sums, counts


def _nearest(vectors: Floats, centroids: Floats) -> Ints:
    """(n,) the nearest centroid of each vector."""
    half_lengths = (centroids * centroids).sum(axis=1) / 2
    nearest: Ints = (vectors @ centroids.T - half_lengths).argmax(axis=1)
    return nearest


def _filled(keys: Ints, places: Ints, count: int) -> NDArray[np.int32]:
    """(count,) keys by place; a place that fills up a list repeats the key before it, so that
    the first and last keys of a block bound those between."""
    last = np.zeros(count, np.int64)
    last[places] = places
    filled = np.zeros(count, np.int32)
    filled[places] = keys
    return filled[np.maximum.accumulate(last)]
