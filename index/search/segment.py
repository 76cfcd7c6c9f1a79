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
import statistics
import time
import zlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.search.sizes import DEFAULT_SIZES
from index.types.filter import Filter
from index.types.records import Floats

Ints: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint64]

MAGIC = b"MAGPSEG2"
HEADER_BYTES = 4096
PAGE_BYTES = 4096
LANES = 32  # rows of a block, as `kernels` counts them
# Rows read, encoded or checked at once: 8 MB of vectors of 512 numbers.
CHUNK_ROWS = 4096
# How much of its distance from the centroid a row that matches goes towards the query. Wide lists
# are looked through earlier for it: without that, 1 in 20 best hits of text-like questions would
# lie behind half of all rows; with it, 1 in 100 behind the first 2 % (docs/performance.md).
REACH = 0.3
# A row may be this many standard deviations better than its estimate and is ranked all the same.
DEVIATIONS = 2.5
FEW_ROWS = 512  # of a segment, which are always ranked all
# … and so many never are: the turning point was measured between 800 and 9,000 rows. The first
# question after a start needn't wait for it to be measured.
MANY_ROWS = 32_768
ALIKE = 1e-3  # the spread of a list whose rows are one picture: its centroid is their vector
# From so many scattered rows, for so many best ones, so often it is measured up to how many rows
# ranking all is faster than looking through codes.
MEASURED_ROWS = 2048
MEASURED_TOP = 10
MEASURED_TIMES = 5
LOWEST = np.float32(-9)  # below every score
FOREVER = 1e18  # seconds; not an infinity, which the compiled loops take not to be there
GOLDEN = 0.618  # strides of this share reach all parts of an array early
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
        "owners": ("<i8", (places,)),
        "posted": ("<f8", (places,)),  # Unix seconds
        "sums": ("<u8", (2, places)),  # of the vector; of all the rest of the row
        # From here on nothing changes, and one checksum in the header covers it.
        "by_link": ("<i8", (rows,)),  # links in ascending order
        "place_of": ("<u4", (rows,)),  # their rows' places
        "centroids": ("<f4", (lists, dimension)),
        "spreads": ("<f4", (lists,)),  # how far from the centroid rows are, root mean square
        "errors": ("<f4", (lists,)),  # of estimates for a query of unit length, the same way
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


FIXED = ("by_link", "place_of", "centroids", "spreads", "errors", "starts", "rotation", "key_names")
# What is known of a row beside its vector, code and factors, in 8 bytes or less each.
KNOWN = ("links", "frames", "owners", "posted", "keys")


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
    # A reader's own copy, of nothing: loops are compiled for arrays that can be written.
    mapped = np.memmap(path, np.uint8, "r+" if write else "c", shape=(where.bytes,))
    raw = np.asarray(mapped)
    return {
        name: raw[at : at + np.dtype(kind).itemsize * math.prod(shape)].view(kind).reshape(shape)
        for name, (at, kind, shape) in where.arrays.items()
    }


def rest_sums(arrays: dict[str, NDArray[Any]], blocks: slice) -> Words:
    """(rows,) checksums of all that is known of the rows of these blocks but their vectors."""
    from index.search import kernels

    rows = slice(blocks.start * LANES, blocks.stop * LANES)
    codes = arrays["codes"][blocks]  # (b, w, LANES)
    # The bits, whatever they stand for.
    columns = [arrays[name][rows] for name in KNOWN] + [one[rows] for one in arrays["factors"]]
    bits = [column.view(f"<u{column.itemsize}") for column in columns]
    out = np.zeros(rows.stop - rows.start, np.uint64)
    for column, number in zip(bits, odd_numbers(len(bits)), strict=True):
        kernels.add_products(column, number, out)
    kernels.add_products_of_codes(codes, odd_numbers(len(bits) + codes.shape[1])[len(bits) :], out)
    return out


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


# What is held in memory, since each question looks through it.
OF_ROWS = ("codes", "factors", "keys", "owners", "posted")
OF_LISTS = ("centroids", "spreads", "errors", "starts", "rotation")


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
        for name in (*OF_ROWS, *OF_LISTS):
            setattr(self, name, self.mapped[name].copy())
        self.codes: Words
        self.factors: Floats
        self.keys: NDArray[np.int32]
        self.owners: Ints
        self.posted: NDArray[np.float64]
        self.centroids: Floats
        self.spreads: Floats
        self.errors: Floats
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
        self.lists_alike = np.flatnonzero((self.spreads < ALIKE) & (np.diff(self.starts) > 0))
        self.exact_rows: int | None = None  # measured when it is first asked for
        # Rows that were overwritten, so that a search which began before finds no fault.
        self._gone = np.zeros(len(self.keys), np.bool_)

    @property
    def resident_bytes(self) -> int:
        """What of the file is held in memory."""
        held = [getattr(self, name) for name in (*OF_ROWS, *OF_LISTS)]
        return sum(array.nbytes for array in (*held, self.bounds, self.lengths, self._gone))

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
        self.owners[places] = self.posted[places] = 0
        if not self.write:
            return
        arrays = self.mapped
        arrays["vectors"][places] = 0
        arrays["codes"][blocks, :, lanes] = 0
        arrays["factors"][:, places] = 0
        arrays["links"][places] = GONE
        for name in ("frames", "owners", "posted"):
            arrays[name][places] = 0
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

    def overwritten(self, places: Ints) -> NDArray[np.bool_]:
        """Which of these rows were removed since the file was opened."""
        gone: NDArray[np.bool_] = self._gone[places]
        return gone

    def scores(self, places: Ints, query: Floats) -> Floats:
        """Cosine similarities of these rows; LOWEST for those that were overwritten.

        raises   Damaged when a row isn't what was written
        """
        from index.search import kernels

        out = np.empty(len(places), np.float32)
        while True:
            bad = kernels.score(
                *(self.vectors, self.words, self.mapped["sums"][0], self.odd, self._gone),
                *(places, query, out),
            )
            if bad < 0:
                return out
            self.check(bad)

    def check(self, row: int) -> None:
        """raises Damaged unless the row, which isn't what was written, was overwritten meanwhile"""
        if not self._gone[row]:
            raise Damaged(f"{self.path.name}: a vector has changed")

    def exact(self, places: Ints, query: Floats) -> NDArray[np.float64]:
        """Products of these rows, which were ranked before, with the query in float64."""
        from index.search import kernels

        out = np.empty(len(places))
        kernels.exact(self.vectors, places, query.astype(np.float64), out)
        return out

    def read(self, places: Ints) -> tuple[Floats, NDArray[np.bool_]]:
        """These rows' vectors, and which of them are still there; raises as `scores`."""
        vectors = self.vectors[places]
        return vectors, self._there(places, vectors)

    def _there(self, places: Ints, vectors: Floats) -> NDArray[np.bool_]:
        from index.search import kernels

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

    @property
    def tells(self) -> bool:
        """Whether a centroid in the file is the vector of rows that are all gone."""
        starts = self.segment.starts
        return any(
            not self.alive[starts[one] : starts[one + 1]].any()
            for one in self.segment.lists_alike.tolist()
        )

    @property
    def exact_rows(self) -> int:
        """Up to so many allowed rows, ranking all costs less than looking through codes."""
        if self.segment.exact_rows is None:
            self.segment.exact_rows = _exact_rows(self)
        return self.segment.exact_rows

    def all_rows(self) -> Ints:
        """The places of all rows that count."""
        bits = np.unpackbits(self.alive.view(np.uint8), bitorder="little")
        return np.flatnonzero(bits).astype(np.int64)


def limits_of(filter: Filter) -> tuple[int, bool, float, float]:
    """The owner, whether it counts, and the times, as the compiled loops take them."""
    return (
        filter.owner or 0,
        filter.owner is not None,
        -FOREVER if filter.since is None else filter.since,
        FOREVER if filter.until is None else filter.until,
    )


def has_limits(filter: Filter) -> bool:
    """Whether it looks at owners or times."""
    return (filter.owner, filter.since, filter.until) != (None, None, None)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The rows of a part that may answer one question."""

    part: Part
    allowed: NDArray[np.int32]  # (keys,) 1 or 0
    before: NDArray[np.int32]  # (keys + 1,) how many keys below are allowed
    alive: NDArray[np.uint32]  # (blocks,) one bit a row: of the part, or fewer
    rows: int
    links: int
    scattered_lanes: float = DEFAULT_SIZES.scattered_lanes

    @classmethod
    def of(
        cls, part: Part, filter: Filter, scattered_lanes: float = DEFAULT_SIZES.scattered_lanes
    ) -> View:
        """The filter's `without` is not looked at."""
        one = part.segment
        allowed = one.keys_of(filter.space, filter.groups)
        if filter.kind is not None:
            allowed &= one.texts == (filter.kind == "text")
        rows, links = int(part.rows[allowed].sum()), int(part.links[allowed].sum())
        number, before = allowed.astype(np.int32), np.zeros(len(allowed) + 1, np.int32)
        np.cumsum(number, out=before[1:])
        if not has_limits(filter) or not rows:
            return cls(part, number, before, part.alive, rows, links, scattered_lanes)
        from index.search import kernels

        alive = np.empty_like(part.alive)
        rows, links = kernels.narrowed(
            *(one.keys, one.bounds, part.alive, number, before, one.mapped["frames"]),
            *(one.owners, one.posted, *limits_of(filter), alive),
        )
        return cls(part, number, before, alive, rows, links, scattered_lanes)

    @property
    def _marks(self) -> tuple[Any, ...]:
        one = self.part.segment
        return one.keys, one.bounds, self.alive, self.allowed, self.before

    def links_among(self, links: Collection[int]) -> int:
        """How many of those links are allowed."""
        if not links:
            return 0
        places = self.part.places_of(links)
        bits = self.alive[places // LANES] >> (places % LANES).astype(np.uint32)
        mine = places[self.allowed[self.part.segment.keys[places]] & bits & 1 != 0]
        return int(np.count_nonzero(self.part.segment.mapped["frames"][mine] == 0))

    def places(self) -> Ints:
        """All allowed rows."""
        from index.search import kernels

        out = np.empty(self.rows, np.int64)
        return out[: kernels.places(*self._marks, out)]

    def sample(self, count: int) -> Ints:
        """Up to `count` allowed rows from all over, always the same."""
        from index.search import kernels

        n = len(self.alive)
        stride = max(int(n * GOLDEN), 1)
        while math.gcd(stride, n) != 1:
            stride += 1
        out = np.empty(max(min(count, self.rows), 1), np.int64)
        return out[: kernels.sample(*self._marks, stride, out)]

    @property
    def small(self) -> bool:
        """Whether ranking all rows costs less than looking through their codes."""
        if self.rows <= FEW_ROWS:
            return True
        return self.rows <= MANY_ROWS and self.rows <= self.part.exact_rows

    @property
    def scattered(self) -> bool:
        """Whether so few rows of a block are allowed that they are taken one by one."""
        return self.rows * LANES < self.scattered_lanes * self.part.segment.rows

    def best(self, query: Floats, top: Floats, enough: int) -> tuple[Floats, Ints]:
        """(scores, rows) that belong among the best, of the rows looked through: `enough` of
        them or all, in the most promising lists first.

        top      (taken,) float32, ascending: the best scores so far; takes these in
        raises   Damaged when a row isn't what was written
        """
        from index.search import kernels

        one = self.part.segment
        base, turned = one.centroids @ query, one.rotation @ query
        planes = np.empty((kernels.PLANES, one.codes.shape[1]), np.uint64)
        step = kernels.bit_planes(turned, planes)
        order = np.argsort(-(base + REACH * one.spreads))
        capacity, before = 4 * len(top) + 4 * LANES, top.copy()
        scan = kernels.scan_scattered if self.scattered else kernels.scan
        while True:
            scores, rows = np.empty(capacity, np.float32), np.empty(capacity, np.int64)
            found, _, bad = scan(
                *(order, one.starts, base, base / one.lengths, DEVIATIONS * one.errors, planes),
                *(np.float32(step), np.float32(step * kernels.LEVELS * len(turned) / 2)),
                *(one.codes, one.factors, *self._marks, enough),
                *(one.vectors, one.words, one.mapped["sums"][0], one.odd, one._gone),
                *(query, top, scores, rows),
            )
            if bad < 0 <= found:
                return scores[:found], rows[:found]
            if bad >= 0:
                one.check(bad)
            else:
                capacity *= 4  # many rows are alike
            top[:] = before


def _exact_rows(part: Part) -> int:
    """How many rows are ranked in the time that finding the best of as many by their codes takes:
    measured, of rows from all over and with some of their own vectors for questions. Each time
    they are other rows, which no cache has yet."""
    one = part.segment
    whole = np.ones(one.n_keys, np.int32)
    before = np.arange(one.n_keys + 1, dtype=np.int32)
    every = View(part, whole, before, part.alive, len(part), 0)
    rows = every.sample(2 * MEASURED_TIMES * MEASURED_ROWS)
    codes_s, exact_s = [], []
    for turn in range(MEASURED_TIMES):
        some, others = (rows[2 * turn + n :: 2 * MEASURED_TIMES] for n in (0, 1))
        alive = np.zeros_like(part.alive)
        np.bitwise_or.at(alive, some // LANES, np.uint32(1) << (some % LANES).astype(np.uint32))
        query, top = np.array(one.vectors[some[0]]), np.full(MEASURED_TOP, LOWEST, np.float32)
        began = time.thread_time()
        View(part, whole, before, alive, len(some), 0).best(query, top, len(some))
        between = time.thread_time()
        one.scores(others, query)
        codes_s.append((between - began) / len(some))
        exact_s.append((time.thread_time() - between) / len(others))
    return round(MEASURED_ROWS * statistics.median(codes_s) / statistics.median(exact_s))


def as_words(bits: NDArray[Any]) -> Words:
    """(n, d) bits as (n, w) words."""
    words = np.zeros((len(bits), words_of(bits.shape[1]) * 8), np.uint8)
    words[:, : bits.shape[1] // 8] = np.packbits(bits, axis=1, bitorder="little")
    return words.view(np.uint64)
