"""Compaction: a new segment is made of the rows in memory, or of smaller segments.

It runs in a thread of its own while queries are answered. Its memory is bounded: a sample of the
vectors, and some 50 bytes a row. It leaves half of a core to everything else.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.search.encoding import as_words, encode, quantized_rows, rotation
from index.search.kernels.arguments import Ints
from index.search.kernels.constants import LANES, TOMBSTONE
from index.search.memtable import REMOVED_SHARE
from index.search.segment import Part, Segment
from index.search.segment_file import (
    CHUNK_ROWS,
    COLUMNS,
    SEED,
    Arrays,
    fixed_sum,
    map_arrays,
    multipliers,
    plan,
    rest_sums,
    write_header,
)
from index.types.records import Floats

# When the newer rows have reached this share of a segment's rows, both are merged. So each row is
# written about ten times while a segment grows to the largest size, and below that size a query
# meets two or three segments, seldom more.
COMPACTION_SHARE = 0.1
# A space with at least this many rows has lists of its own. Smaller ones share a list, in the order
# of their ids: if each had its own, most of a list would be empty places.
ALONE_ROWS = 512
# The number of a space's lists is this factor times the square root of the number of its rows.
# Comparing a query with the centroids then costs about as much as looking through the nearest
# lists. But a list has this many rows on the average, or more.
LISTS_PER_ROOT = 1.5
ROWS_A_LIST = 256
SAMPLE_A_LIST = 32  # vectors from which a centroid is learned
ROUNDS = 8  # of k-means
# Share of the time in which a compaction works, unless a writer waits for it.
SHARE_OF_A_CORE = 0.5


def compacted(parts: Sequence[Part], largest: int) -> list[Part]:
    """The segments that should become one, or the one that should be made anew; none, if all are as
    they should be.

    largest  rows of a segment from which on it is merged with no other. So a row is written a
             bounded number of times, however large the gallery grows, and no merge takes long.
    """
    for part in parts:
        if len(part) >= largest and _is_worn(part):
            return [part]
    growing = sorted((part for part in parts if len(part) < largest), key=len)
    joined: list[Part] = []
    rows = 0
    for part in growing:
        if rows > COMPACTION_SHARE * len(part) or _is_worn(part) or _has_equal(part, growing):
            joined.append(part)
            rows += len(part)
    return joined


def _has_equal(part: Part, parts: Sequence[Part]) -> bool:
    """Whether another segment is larger, but not by much."""
    return any(
        other is not part and len(part) <= len(other) < len(part) / COMPACTION_SHARE
        for other in parts
    )


def _is_worn(part: Part) -> bool:
    """Whether most of its rows were removed, its centroids still show one that was, or an earlier
    Magpie wrote it, with the rows of a space scattered or without quantized vectors."""
    removed = len(part) < REMOVED_SHARE * part.segment.rows
    early = not (part.segment.by_space and part.segment.has_quantized)
    return removed or part.reveals_removed or early


@dataclass(frozen=True, slots=True, eq=False)
class UnsettledRows:
    """The rows in memory that a compaction takes."""

    vectors: Floats  # (n, d)
    links: Ints  # (n,)
    frames: NDArray[np.int32]  # (n,)
    owners: Ints  # (n,)
    posted: NDArray[np.float64]  # (n,)
    keys: NDArray[np.int32]  # (n,) rows of key_names
    key_names: Ints  # (k, 3) space, group, 1 for a text


class Stopped(Exception):
    """The compaction was told to stop."""


class Compaction:
    """One segment in the making."""

    def __init__(
        self,
        path: Path,
        unsettled: UnsettledRows,
        parts: Sequence[Part],
        *,
        serial: int = 0,
        newest: int = 0,
        hurried: bool = False,
    ) -> None:
        self.path = path
        self.parts = tuple(parts)
        self.serial = serial  # it takes the rows in memory that came before this one
        self.newest = newest  # links up to this one had come; 0: it takes no rows in memory
        self.removed = set[int]()  # links that were removed since it began
        self._stopped = threading.Event()
        self._unsettled = unsettled
        self._places = [part.all_rows() for part in parts]
        self._hurried = hurried
        self._worked_since = 0.0

    def build(self) -> Part | None:
        """The new segment, written and open; None if no row is left. Takes a minute at 1,000,000
        rows on half a core.

        raises   OSError when the disk is full; Damaged; Stopped
        """
        try:
            return self._build()
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise

    def stop(self) -> None:
        """Have `build` raise Stopped soon."""
        self._stopped.set()

    def hurry(self) -> None:
        """Have `build` work all the time from now on: a writer waits for it."""
        self._hurried = True

    def _build(self) -> Part | None:
        self._worked_since = time.perf_counter()
        columns, names = self._columns()
        links, keys = columns["links"], columns["keys"]
        if not len(links):
            return None
        dimension = self._unsettled.vectors.shape[1]
        lists, centroids = self._lists(names[keys, 0])
        # Space by space, since lists are. In a list key by key, and then by link.
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
            "quantized": 1,
        }
        where = plan(**size)
        self._reserve(where.bytes)
        arrays = map_arrays(self.path, where, write=True)
        arrays["centroids"][:] = centroids
        arrays["starts"][:] = starts
        arrays["rotation"][:] = rotation(dimension)
        arrays["key_names"][:] = names
        arrays["links"][:] = TOMBSTONE
        for name in ("links", "frames", "owners", "posted"):
            arrays[name][places] = columns[name][order]
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

    def _columns(self) -> tuple[Arrays, Ints]:
        """The columns of all rows, those in memory first, and what the keys stand for."""
        columns = {name: [getattr(self._unsettled, name)] for name in COLUMNS}
        names = [self._unsettled.key_names]
        for part, places in zip(self.parts, self._places, strict=True):
            for name in COLUMNS:
                columns[name].append(part.segment.mapped[name][places])
            columns["keys"][-1] = columns["keys"][-1] + sum(map(len, names))
            names.append(part.segment.mapped["key_names"])
        joined = {name: np.concatenate(column) for name, column in columns.items()}
        distinct, number = np.unique(np.concatenate(names), axis=0, return_inverse=True)
        used, key = np.unique(number.reshape(-1)[joined["keys"]], return_inverse=True)
        return joined | {"keys": key.reshape(-1)}, distinct[used]

    def _read(self, rows: Ints) -> Floats:
        """The vectors of these rows, numbered as in `_columns`; zeros for -1."""
        out = np.zeros((len(rows), self._unsettled.vectors.shape[1]), np.float32)
        begin = len(self._unsettled.links)
        here = (rows >= 0) & (rows < begin)
        out[here] = self._unsettled.vectors[rows[here]]
        for part, places in zip(self.parts, self._places, strict=True):
            here = (rows >= begin) & (rows < begin + len(places))
            # A row that is removed meanwhile is taken out when the compaction is done.
            out[here], _ = part.segment.read(places[rows[here] - begin])
            begin += len(places)
        return out

    def _chunks(self, count: int) -> Iterator[slice]:
        for start in range(0, count, CHUNK_ROWS):
            yield slice(start, min(start + CHUNK_ROWS, count))
            self._rest()

    def _rest(self) -> None:
        """Pause for as long as it takes to keep to SHARE_OF_A_CORE. raises Stopped"""
        worked = time.perf_counter() - self._worked_since
        pause = 0 if self._hurried else worked * (1 / SHARE_OF_A_CORE - 1)
        if self._stopped.wait(pause):
            raise Stopped
        self._worked_since = time.perf_counter()

    def _lists(self, spaces: Ints) -> tuple[Ints, Floats]:
        """(n,) the list of each row, and (lists, d) the means of the rows of each.

        Lists follow each other as the spaces do, so the rows of a space lie together.
        spaces  (n,) of the rows
        """
        lists, centroids, count = np.zeros(len(spaces), np.int64), [], 0
        for rows in _gathered(spaces):
            many = min(LISTS_PER_ROOT * math.sqrt(len(rows)), len(rows) / ROWS_A_LIST)
            if spaces[rows[0]] != spaces[rows[-1]]:
                many = 1  # in several lists, the rows of a space would not lie together
            learned = self._learn(rows, max(round(many), 1))
            nearest, means = self._assign(rows, learned)
            lists[rows] = count + nearest
            centroids.append(means)
            count += len(means)
        return lists, np.concatenate(centroids)

    def _learn(self, rows: Ints, lists: int) -> Floats:
        """(lists, d) centroids of these rows, by k-means on a sample."""
        if lists == 1:
            return np.zeros((1, self._unsettled.vectors.shape[1]), np.float32)
        random = np.random.default_rng(SEED)
        taken = min(len(rows), lists * SAMPLE_A_LIST)
        sample = rows[np.sort(random.choice(len(rows), taken, replace=False))]
        vectors = np.concatenate([self._read(sample[chunk]) for chunk in self._chunks(len(sample))])
        centroids = vectors[np.sort(random.choice(len(vectors), lists, replace=False))]
        for _ in range(ROUNDS):
            nearest = np.concatenate(
                [_nearest(vectors[chunk], centroids) for chunk in self._chunks(len(vectors))]
            )
            sums, counts = _sums(vectors, nearest, lists)
            # A centroid that is the nearest of no vector stays where it is.
            centroids = np.where(
                counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centroids
            ).astype(np.float32)
        return centroids

    def _assign(self, rows: Ints, centroids: Floats) -> tuple[Ints, Floats]:
        """(n,) which of these centroids each row is nearest to, and (lists, d) the means of the
        rows of each.

        A centroid that was learned from a sample may be the vector of one picture. The means take
        its place, since it would stay in the file after the picture is removed.
        """
        nearest = []
        sums, counts = np.zeros(centroids.shape), np.zeros(len(centroids), np.int64)
        for chunk in self._chunks(len(rows)):
            vectors = self._read(rows[chunk])
            nearest.append(_nearest(vectors, centroids))
            more, many = _sums(vectors, nearest[-1], len(centroids))
            sums += more
            counts += many
        means = sums / np.maximum(counts, 1)[:, None]
        return np.concatenate(nearest), means.astype(np.float32)

    def _write_rows(self, arrays: Arrays, source: Ints, lists: Ints) -> None:
        """Vectors, codes, factors, quantized vectors and checksums, block after block.

        source  (places,) which row lies there, or -1        lists  (blocks,)
        """
        from index.search.kernels import products

        centroids, rotation = arrays["centroids"], arrays["rotation"]
        directions = centroids / np.maximum(np.linalg.norm(centroids, axis=1), 1e-12)[:, None]
        odd = multipliers(arrays["vectors"].shape[1] // 2)
        # Squared distances from the centroid, squared errors, and rows.
        spread = np.zeros((3, len(centroids)))
        for chunk in self._chunks(len(source)):
            blocks = slice(chunk.start // LANES, chunk.stop // LANES)
            there = source[chunk] >= 0
            vectors = self._read(source[chunk])
            of = np.repeat(lists[blocks], LANES)
            signs, factors, apart, off = encode(vectors, centroids[of], directions[of], rotation)
            signs[~there], factors[:, ~there] = False, 0
            spread += [
                np.bincount(of[there], weights, len(centroids))
                for weights in (apart[there], off[there], np.ones(np.count_nonzero(there)))
            ]
            arrays["vectors"][chunk] = vectors
            words = as_words(signs)
            arrays["codes"][blocks] = words.reshape(-1, LANES, words.shape[1]).transpose(0, 2, 1)
            arrays["factors"][:, chunk] = factors
            arrays["quantized"][chunk] = quantized_rows(vectors)
            products.checksums(vectors.view(np.uint64), odd, arrays["sums"][0, chunk])
            arrays["sums"][1, chunk] = rest_sums(arrays, blocks)
        arrays["spreads"][:], arrays["errors"][:] = np.sqrt(spread[:2] / np.maximum(spread[2], 1))

    def _reserve(self, size: int) -> None:
        """Take the space now: a process whose mapped file finds the disk full is killed."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(number, "wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            file.truncate(size)


def _gathered(spaces: Ints) -> Iterator[Ints]:
    """The rows of each large space, and those of small spaces that follow each other, together.

    spaces  (n,) of the rows
    """
    by_space = np.argsort(spaces, kind="stable")
    starts = np.flatnonzero(np.diff(spaces[by_space], prepend=-1 - spaces.min(initial=0)))
    begin = 0
    for start, end in pairwise([*starts.tolist(), len(spaces)]):
        if end - start >= ALONE_ROWS and begin < start:
            yield by_space[begin:start]
            begin = start
        if end - begin >= ALONE_ROWS:
            yield by_space[begin:end]
            begin = end
    if begin < len(spaces):
        yield by_space[begin:]


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
    """(count,) keys by place. A place that fills up a list repeats the key before it, so that
    the first and the last key of a block bound those between."""
    last = np.zeros(count, np.int64)
    last[places] = places
    filled = np.zeros(count, np.int32)
    filled[places] = keys
    return filled[np.maximum.accumulate(last)]
