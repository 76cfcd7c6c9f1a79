"""A file of settled rows: compact codes to look through, full vectors to rank by.

A row is a vector beside the centroid of its list, and what is kept in memory of it is the sign
of each number of the rotated difference: one bit a dimension, with two factors that turn a
product of bits into an unbiased estimate of the cosine (RaBitQ, Gao and Long 2024; the part of
the query along the centroid is added exactly). The best estimates are then ranked by the full
vectors, which stay on disk, mapped.

Rows lie list by list, those of one group together, in blocks of 32. The file is a cache: each
row carries a checksum, which is compared when the row is loaded and when its vector is ranked,
and a file that isn't what was written is reported as `Damaged`, to be made anew.
"""

from __future__ import annotations

import functools
import json
import math
import os
import zlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.records import Floats

Ints: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint64]

MAGIC = b"MAGPSEG1"
HEADER_BYTES = 4096
PAGE_BYTES = 4096
LANES = 32  # rows of a block, as `kernels` counts them
# Rows read, encoded or checked at once: 8 MB of vectors of 512 numbers.
CHUNK_ROWS = 4096
# How much of its distance from the centroid a row that matches goes towards the query. Wide lists
# are looked through earlier for it: without that, 1 in 20 best hits of text-like questions would
# lie behind half of all rows; with it, 1 in 100 behind the first 2 % (docs/performance.md).
REACH = 0.3
GONE = -1  # the link of a row that was removed, and of the rows that fill up a list
SEED = 20  # of the rotation and the checksums' odd numbers: any will do, always the same


class Damaged(Exception):
    """A segment's file is missing, cut short, or not what was written."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each array lies in the file: name -> (offset, type, shape)."""

    arrays: dict[str, tuple[int, str, tuple[int, ...]]]
    bytes: int


def plan(dimension: int, blocks: int, rows: int, lists: int, keys: int) -> Plan:
    """rows: those that hold a vector; blocks · 32 places hold them."""
    places = blocks * LANES
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {
        "vectors": ("<f4", (places, dimension)),
        "codes": ("<u8", (blocks, words_of(dimension), LANES)),
        "factors": ("<f4", (2, places)),
        "keys": ("<i4", (places,)),
        "links": ("<i8", (places,)),
        "frames": ("<i4", (places,)),
        "sums": ("<u8", (2, places)),  # of the vector; of all the rest of the row
        # From here on nothing changes, and one checksum in the header covers it.
        "by_link": ("<i8", (rows,)),  # links in ascending order
        "place_of": ("<u4", (rows,)),  # their rows' places
        "centroids": ("<f4", (lists, dimension)),
        "spreads": ("<f4", (lists,)),  # how far from the centroid rows are, root mean square
        "starts": ("<i8", (lists + 1,)),
        "rotation": ("<f4", (dimension, dimension)),
        "key_names": ("<i8", (keys, 3)),  # space, group, 1 for a text
    }
    arrays, offset = {}, HEADER_BYTES
    for name, (kind, shape) in shapes.items():
        arrays[name] = (offset, kind, shape)
        size = np.dtype(kind).itemsize * math.prod(shape)
        offset += -(-size // PAGE_BYTES) * PAGE_BYTES
    return Plan(arrays, offset)


FIXED = ("by_link", "place_of", "centroids", "spreads", "starts", "rotation", "key_names")


def words_of(dimension: int) -> int:
    """64-bit words that hold one bit a dimension."""
    return -(-dimension // 64)


@functools.lru_cache(maxsize=8)
def odd_numbers(count: int) -> Words:
    """What a row's words are multiplied by for its checksum."""
    random = np.random.default_rng(SEED)
    return random.integers(0, 2**64, count, np.uint64) | np.uint64(1)


def map_arrays(path: Path, where: Plan, *, write: bool) -> dict[str, NDArray[Any]]:
    """The arrays of a file, mapped, not read."""
    mapped = np.memmap(path, np.uint8, "r+" if write else "r", shape=(where.bytes,))
    raw = np.asarray(mapped)
    return {
        name: raw[at : at + np.dtype(kind).itemsize * math.prod(shape)].view(kind).reshape(shape)
        for name, (at, kind, shape) in where.arrays.items()
    }


def rest_sums(arrays: dict[str, NDArray[Any]], blocks: slice) -> Words:
    """(rows,) checksums of all that is known of the rows of these blocks but their vectors."""
    rows = slice(blocks.start * LANES, blocks.stop * LANES)
    codes = arrays["codes"][blocks]  # (b, w, LANES)
    odd = odd_numbers(codes.shape[1] + 5)
    total: Words = (codes * odd[5:, None]).sum(axis=1, dtype=np.uint64).reshape(-1)
    total += (arrays["links"][rows] + 2).astype(np.uint64) * odd[0]
    total += arrays["frames"][rows].astype(np.uint64) * odd[1]
    total += arrays["keys"][rows].astype(np.uint64) * odd[2]
    for number in (0, 1):
        bits = np.ascontiguousarray(arrays["factors"][number, rows]).view(np.uint32)
        total += bits.astype(np.uint64) * odd[3 + number]
    return total


def fixed_sum(arrays: dict[str, NDArray[Any]]) -> int:
    sum_ = 0
    for name in FIXED:
        sum_ = zlib.crc32(np.ascontiguousarray(arrays[name]).data, sum_)
    return sum_


def write_header(path: Path, fields: dict[str, int]) -> None:
    """The last thing written: a file without it was never finished."""
    body = json.dumps(fields).encode()
    head = MAGIC + zlib.crc32(body).to_bytes(4, "little") + len(body).to_bytes(4, "little") + body
    with path.open("r+b") as file:
        file.write(head.ljust(HEADER_BYTES, b"\0"))
        file.flush()
        os.fsync(file.fileno())


def read_header(path: Path) -> dict[str, int]:
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
    except OSError as exc:
        raise Damaged(f"{path.name}: {exc.strerror}") from exc
    size = int.from_bytes(head[12:16], "little")
    body = head[16 : 16 + size]
    if head[:8] != MAGIC or zlib.crc32(body) != int.from_bytes(head[8:12], "little"):
        raise Damaged(f"{path.name}: its header is not what was written")
    fields: dict[str, int] = json.loads(body)
    return fields


class Segment:
    """An open file of settled rows. Which of them still count is said by a `Part`."""

    def __init__(self, path: Path, *, write: bool) -> None:
        """raises Damaged, as far as that shows without reading all of it"""
        fields = read_header(path)
        self.path = path
        where = plan(*(fields[name] for name in ("dimension", "blocks", "rows", "lists", "keys")))
        if path.stat().st_size != where.bytes:
            raise Damaged(f"{path.name}: it has {path.stat().st_size} bytes, not {where.bytes}")
        try:
            self.mapped = map_arrays(path, where, write=write)
        except (OSError, ValueError) as exc:
            raise Damaged(f"{path.name}: {exc}") from exc
        if fixed_sum(self.mapped) != fields["fixed_sum"]:
            raise Damaged(f"{path.name}: what never changes in it has changed")
        self.write = write
        self.rows = fields["rows"]
        self.vectors: Floats = self.mapped["vectors"]
        self.words: Words = self.vectors.view(np.uint64)
        self.odd = odd_numbers(self.words.shape[1])
        # In memory, since each question looks through them.
        for name in ("codes", "factors", "keys", "centroids", "spreads", "starts", "rotation"):
            setattr(self, name, self.mapped[name].copy())
        self.codes: Words
        self.factors: Floats
        self.keys: NDArray[np.int32]
        self.centroids: Floats
        self.spreads: Floats
        self.starts: Ints
        self.rotation: Floats
        by_block = self.keys.reshape(-1, LANES)
        # By themselves, so that blocks of which nothing is allowed are passed over quickly.
        self.bounds = np.ascontiguousarray(by_block[:, [0, -1]])
        self.lengths = np.maximum(np.linalg.norm(self.centroids, axis=1), 1e-12).astype(np.float32)
        # In ascending order: those of one space, and in it of one group, lie together.
        self.spaces, self.groups, kinds = self.mapped["key_names"].T.copy()
        self.texts = kinds.astype(np.bool_)
        self.n_keys = len(kinds)
        self.animated = bool(self.mapped["frames"].any())
        # Rows that were overwritten, so that a search which began before finds no fault.
        self._gone = np.zeros(len(self.keys), np.bool_)

    @property
    def resident_bytes(self) -> int:
        """What of the file is held in memory."""
        held = (self.codes, self.factors, self.keys, self.bounds, self.starts, self._gone)
        shared = (self.centroids, self.lengths, self.rotation)
        return sum(array.nbytes for array in held) + sum(array.nbytes for array in shared)

    def keys_of(self, space: int, groups: Collection[int] | None) -> NDArray[np.bool_]:
        """(keys,) which keys are of these groups, or of all of the space."""
        begin, end = np.searchsorted(self.spaces, [space, space + 1]).tolist()
        keys = np.zeros(self.n_keys, np.bool_)
        if groups is None:
            keys[begin:end] = True
        elif begin < end:
            mine = self.groups[begin:end]
            wanted = np.fromiter(groups, np.int64, len(groups))
            first = begin + np.searchsorted(mine, wanted)
            # A group has at most two keys: its pictures' and its texts'.
            for key in (first, first + 1):
                there = key < end
                there[there] = self.groups[key[there]] == wanted[there]
                keys[key[there]] = True
        return keys

    def whole(self, excused: Collection[int] = ()) -> Part:
        """All rows that the file has, as the part of them that counts.

        excused  links that may have been removed when the file was last in use: their rows,
                 which may be half overwritten, are removed now
        raises   Damaged when a row isn't what was written
        """
        links = np.array(self.mapped["links"])
        places = self.places_of(excused)
        for start in range(0, len(self.codes), CHUNK_ROWS // LANES):
            blocks = slice(start, min(start + CHUNK_ROWS // LANES, len(self.codes)))
            rows = slice(blocks.start * LANES, blocks.stop * LANES)
            wrong = rest_sums(self.mapped, blocks) != self.mapped["sums"][1, rows]
            if (
                wrong.any()
                and np.isin(np.flatnonzero(wrong) + rows.start, places, invert=True).any()
            ):
                raise Damaged(f"{self.path.name}: a row has changed")
        living = links != GONE
        living[places] = False
        alive = np.packbits(living, bitorder="little").view("<u4").astype(np.uint32)
        first = living & (self.mapped["frames"] == 0)
        counts = np.bincount(self.keys[first], minlength=self.n_keys)
        per_key = np.bincount(self.keys[living], minlength=self.n_keys)
        part = Part(self, alive, counts.astype(np.int64), per_key.astype(np.int64))
        self.overwrite(places)
        return part

    def places_of(self, links: Collection[int]) -> Ints:
        """The places of all rows of these links, removed or not."""
        wanted = np.unique(np.fromiter(links, np.int64))
        by_link = self.mapped["by_link"]
        low = np.searchsorted(by_link, wanted, "left")
        high = np.searchsorted(by_link, wanted, "right")
        many = high - low
        steps = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
        places: Ints = self.mapped["place_of"][np.repeat(low, many) + steps].astype(np.int64)
        return places

    def overwrite(self, places: Ints) -> None:
        """Let nothing of these rows stay, in memory or in the file."""
        self._gone[places] = True
        blocks, lanes = np.divmod(places, LANES)
        self.codes[blocks, :, lanes] = 0
        self.factors[:, places] = 0
        if not self.write:
            return
        arrays = self.mapped
        arrays["vectors"][places] = 0
        arrays["codes"][blocks, :, lanes] = 0
        arrays["factors"][:, places] = 0
        arrays["links"][places] = GONE
        arrays["frames"][places] = 0
        arrays["sums"][0, places] = 0
        for block in np.unique(blocks).tolist():
            mine = places[blocks == block]
            arrays["sums"][1, mine] = rest_sums(arrays, slice(block, block + 1))[mine % LANES]

    def flush(self) -> None:
        """Bring what was overwritten to the disk."""
        if self.write:
            base: Any = self.vectors
            while not isinstance(base, np.memmap):
                base = base.base
            base.flush()

    def links_at(self, places: Ints) -> Ints:
        """The links of these rows; GONE where one was removed meanwhile."""
        links: Ints = self.mapped["links"][places]
        return links

    def scores(self, places: Ints, query: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Cosine similarities of these rows, and which of them are still there.

        raises   Damaged when a row isn't what was written
        """
        from index import kernels

        out = np.empty(len(places), np.float32)
        bad = kernels.score(
            self.vectors, self.words, self.mapped["sums"][0], self.odd, places, query, out
        )
        if bad < 0:
            return out, np.ones(len(places), np.bool_)
        return out, self._there(places, self.vectors[places])

    def read(self, places: Ints) -> tuple[Floats, NDArray[np.bool_]]:
        """These rows' vectors, and which of them are still there; raises as `scores`."""
        vectors = self.vectors[places]
        return vectors, self._there(places, vectors)

    def _there(self, places: Ints, vectors: Floats) -> NDArray[np.bool_]:
        from index import kernels

        found = np.empty(len(places), np.uint64)
        kernels.checksums(vectors.view(np.uint64), self.odd, found)
        wrong = found != self.mapped["sums"][0, places]
        there: NDArray[np.bool_] = ~(wrong | self._gone[places])
        if (wrong & ~self._gone[places]).any():
            raise Damaged(f"{self.path.name}: a vector has changed")
        return there


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Which rows of a segment count at one moment."""

    segment: Segment
    alive: NDArray[np.uint32]  # (blocks,) one bit a row; never changed in place
    links: Ints  # (keys,) links of each key
    rows: Ints  # (keys,) rows of each key

    def __len__(self) -> int:
        return int(self.rows.sum())

    def living(self, places: Ints) -> NDArray[np.bool_]:
        """Which of these rows count."""
        bits = self.alive[places // LANES] >> (places % LANES).astype(np.uint32)
        living: NDArray[np.bool_] = (bits & 1).astype(np.bool_)
        return living

    def places_of(self, links: Collection[int]) -> Ints:
        """The places of those of the links' rows that count."""
        places = self.segment.places_of(links)
        return places[self.living(places)]

    def less(self, places: Ints) -> Part:
        """The part without those rows, which counted."""
        if not len(places):
            return self
        alive = self.alive.copy()
        bits = np.uint32(1) << (places % LANES).astype(np.uint32)
        np.bitwise_and.at(alive, places // LANES, ~bits)
        keys = self.segment.keys[places]
        first = self.segment.mapped["frames"][places] == 0
        n = self.segment.n_keys
        return replace(
            self,
            alive=alive,
            links=self.links - np.bincount(keys[first], minlength=n),
            rows=self.rows - np.bincount(keys, minlength=n),
        )

    def all_rows(self) -> Ints:
        """The places of all rows that count."""
        bits = np.unpackbits(self.alive.view(np.uint8), bitorder="little")
        return np.flatnonzero(bits).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The rows of a part that may answer one question."""

    part: Part
    before: NDArray[np.int32]  # (keys + 1,) how many keys below are allowed
    rows: int
    links: int

    @classmethod
    def of(cls, part: Part, space: int, groups: Collection[int] | None, texts: bool | None) -> View:
        allowed = part.segment.keys_of(space, groups)
        if texts is not None:
            allowed &= part.segment.texts == texts
        before = np.zeros(len(allowed) + 1, np.int32)
        np.cumsum(allowed, out=before[1:])
        return cls(part, before, int(part.rows[allowed].sum()), int(part.links[allowed].sum()))

    def links_among(self, links: Collection[int]) -> int:
        """How many of those links are allowed."""
        if not links:
            return 0
        places = self.part.places_of(links)
        frames = self.part.segment.mapped["frames"]
        return int(np.count_nonzero(frames[places[self.allows(places)]] == 0))

    def allows(self, places: Ints) -> NDArray[np.bool_]:
        keys = self.part.segment.keys[places]
        return (self.before[keys + 1] > self.before[keys]) & self.part.living(places)

    def estimates(self, query: Floats, wanted: int, enough: int) -> tuple[Floats, Ints]:
        """At least the `wanted` best (estimate, place) among the first rows looked through:
        `enough` of them or all, in the most promising lists first."""
        from index import kernels

        one = self.part.segment
        base = one.centroids @ query
        turned = one.rotation @ query
        planes, step = bit_planes(turned)
        order = np.argsort(-(base + REACH * one.spreads))
        capacity = 4 * wanted + 4 * LANES
        while True:
            best, places = np.empty(capacity, np.float32), np.empty(capacity, np.int64)
            found, _ = kernels.scan(
                order,
                one.starts,
                base,
                base / one.lengths,
                planes,
                np.float32(step),
                np.float32(step * LEVELS * len(turned) / 2),
                one.codes,
                one.factors,
                one.keys,
                one.bounds,
                self.part.alive,
                self.before,
                enough,
                best,
                places,
                wanted,
            )
            if found >= 0:
                return best[:found], places[:found]
            capacity *= 4  # many rows are alike

    def sample(self, count: int) -> Ints:
        """Up to `count` places of allowed rows from all over, always the same."""
        from index import kernels

        n = len(self.part.segment.keys)
        stride = max(int(n * 0.618), 1)
        while math.gcd(stride, n) != 1:
            stride += 1
        out = np.empty(max(min(count, self.rows), 1), np.int64)
        found = kernels.some_allowed(
            self.part.segment.keys, self.part.alive, self.before, stride, SAMPLE_STEPS, out
        )
        return out[:found]

    def all_rows(self) -> Ints:
        """The places of all allowed rows."""
        places = self.part.all_rows()
        return places[self.allows(places)]


SAMPLE_STEPS = 20_000  # rows looked at for a sample: 0.2 ms


LEVELS = 2**4 - 1  # steps from the least to the greatest number of a quantised query


def bit_planes(turned: Floats) -> tuple[Words, float]:
    """(4, w) bits of the numbers and the size of their step.

    The bits of a number are signs: all together they say step / 2 · (±8 ±4 ±2 ±1), so that
    products with the signs of a code are counts of the bits in which both differ.
    """
    step = max(2 * float(np.abs(turned).max()) / LEVELS, 1e-12)
    numbers = np.clip(np.rint(turned / step + LEVELS / 2), 0, LEVELS).astype(np.uint8)
    bits = (numbers >> np.arange(4, dtype=np.uint8)[:, None]) & 1
    return as_words(bits), step


def as_words(bits: NDArray[Any]) -> Words:
    """(n, d) bits as (n, w) words."""
    words = np.zeros((len(bits), words_of(bits.shape[1]) * 8), np.uint8)
    words[:, : bits.shape[1] // 8] = np.packbits(bits, axis=1, bitorder="little")
    return words.view(np.uint64)
