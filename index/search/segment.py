"""A segment: rows in a file, with compact codes to look through and full vectors to rank by.

The rows of a space lie together, and so does what is kept of them in memory: a question, which is
always about one space, looks at nothing else. In a large space they lie list by list, like by like.

What is looked through of a row is one bit a dimension, and two factors. The bits are the signs of
the difference between the vector and the centroid of its list, rotated. The factors turn a product
of bits into an unbiased estimate of the cosine (RaBitQ, Gao and Long 2024; the part of the query
along the centroid is added exactly). The rows with the best estimates are then ranked by their full
vectors, which stay in the file, mapped.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.search.encoding import signs
from index.search.kept_rows import KeptRows
from index.search.kernels.arguments import (
    Bools,
    ByKey,
    Codes,
    Columns,
    Ints,
    Limits,
    Quantized,
    Vectors,
    Words,
)
from index.search.kernels.constants import LANES, TOMBSTONE
from index.search.segment_file import (
    SEED,
    Damaged,
    fixed_sum,
    map_arrays,
    multipliers,
    planned,
    read_header,
    rest_sums,
)
from index.types.records import Floats

# A list with a smaller spread holds copies of one picture: its centroid is their vector.
SAME_PICTURE_SPREAD = 1e-3
# Arrays that each query looks through. Most of them stay mapped, so that the system can take their
# memory back, and a start needn't copy them. What decides who may see a row, and which rows a list
# has, is copied: a file that changes later changes nothing of that.
MAPPED = ("codes", "factors", "owners", "posted", "centroids", "rotation")
COPIED = ("keys", "spreads", "errors", "starts")
CHECKED_ROWS = 16_384  # at once, when a file is opened: a cache holds their checksums
MARKS = 255  # steps from the first time of a segment to the last one, as a byte tells them
NO_BYTES = np.zeros((0, 8), np.uint8)
SCATTERING = np.uint64(0x9E3779B97F4A7C15)  # an odd number whose multiples spread well


class Segment:
    """An open segment file. Which of its rows still count is said by a `Part`."""

    def __init__(self, path: Path, *, write: bool) -> None:
        """raises Damaged, as far as that shows without reading all of it"""
        fields = read_header(path)
        self.path = path
        where = planned(fields)
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
        for name in MAPPED:
            setattr(self, name, self.mapped[name])
        for name in COPIED:
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
        # An array of their own, so that blocks without allowed rows are passed over quickly.
        self.bounds = np.ascontiguousarray(by_block[:, [0, -1]])
        self.lengths = np.maximum(np.linalg.norm(self.centroids, axis=1), 1e-12).astype(np.float32)
        # Earlier versions of Magpie wrote another rotation into their files.
        dimension = fields["dimension"]
        probe = np.random.default_rng(SEED).standard_normal(dimension, np.float32)
        self._turns_quickly = np.allclose(self.rotation @ probe, _turned(probe), rtol=0, atol=1e-3)
        # Files of earlier versions have no quantized vectors.
        self.has_quantized = "quantized" in self.mapped
        # Keys are ascending: those of one space, and in it of one group, lie together.
        self.spaces, self.groups, kinds = self.mapped["key_names"].T.copy()
        self.texts = kinds.astype(np.bool_)
        self.n_keys = len(kinds)
        self._of_space: dict[int, tuple[slice, slice]] = {}  # of those that were asked
        self.animated = bool(self.mapped["frames"].any())
        alike = (self.spreads < SAME_PICTURE_SPREAD) & (np.diff(self.starts) > 0)
        self.lists_alike = np.flatnonzero(alike)
        # A search whose rows were not marked when it began needs no second look if this stays.
        self.overwritings = 0
        # Marks overwritten rows, so that a running search doesn't take them for damage.
        self._overwritten = np.zeros(len(self.keys), np.bool_)
        words = self.vectors.view(np.uint64)
        # As the compiled loops take them.
        self.checked_vectors = Vectors(
            rows=self.vectors,
            words=words,
            checksums=self.mapped["sums"][0],
            multipliers=multipliers(words.shape[1]),
            overwritten=self._overwritten,
        )
        self.quantized = self._quantized(dimension)
        self.encoded = Codes(self.codes, self.factors)
        self.columns = Columns(self.mapped["frames"], self.owners, self.posted)
        # As the loop takes them that compares few rows, one by one.
        self.of_few = (
            *(*self.quantized, *self.checked_vectors, self.mapped["links"], self.mapped["frames"]),
            *(self.posted, self.animated),
        )
        self.by_key: ByKey  # known when the rows have been checked

    @property
    def resident_bytes(self) -> int:
        """What queries look through: it is held in memory, or mapped. Vectors don't count, nor
        quantized ones, which are read of some rows."""
        held = [getattr(self, name) for name in (*MAPPED, *COPIED)]
        of_blocks = (self.bounds, self._first_spaces, self._last_spaces, self.lengths)
        return sum(array.nbytes for array in (*held, *of_blocks, *self.by_key, self._overwritten))

    def _quantized(self, dimension: int) -> Quantized:
        if not self.has_quantized:
            return Quantized(NO_BYTES, multipliers(0), signs(dimension))
        rows = self.mapped["quantized"]
        return Quantized(rows, multipliers(rows.shape[1] // 8 - 1), signs(dimension))

    def of_space(self, space: int) -> tuple[slice, slice]:
        """The keys of a space, and the blocks with its rows; all blocks, if these are scattered."""
        if space not in self._of_space:
            keys = slice(*np.searchsorted(self.spaces, [space, space + 1]).tolist())
            blocks = slice(0, len(self.bounds))
            if self.by_space:
                begin = int(np.searchsorted(self._last_spaces, space, "left"))
                blocks = slice(begin, int(np.searchsorted(self._first_spaces, space, "right")))
            if keys.stop == keys.start:
                return keys, blocks  # it isn't kept: anybody may ask for any number
            self._of_space[space] = keys, blocks
        return self._of_space[space]

    def lists_of(self, blocks: slice) -> slice:
        """The lists that have these blocks."""
        begin = int(np.searchsorted(self.starts, blocks.start, "right")) - 1
        return slice(begin, int(np.searchsorted(self.starts, blocks.stop, "left")))

    def rotated(self, query: Floats) -> Floats:
        """(d,) a query, turned as the vectors were."""
        if self._turns_quickly:
            return _turned(query)
        turned: Floats = self.rotation @ query
        return turned

    def marks_of_times(self, posted: NDArray[np.float64]) -> NDArray[np.uint8]:
        """A byte for each time, not less for a later one."""
        marks = (posted - self._began) * self._marks_a_second
        return np.clip(marks, 0, MARKS).astype(np.uint8)

    def marks_of(self, limits: Limits) -> tuple[NDArray[np.uint8], int, int]:
        """The marks of these owners, of the first time and of the last one."""
        ends = ((end - self._began) * self._marks_a_second for end in (limits.since, limits.until))
        since, until = (int(min(max(end, 0), MARKS)) for end in ends)
        return marks_of_owners(limits.owners), since, until

    def whole(self, excused: Collection[int] = ()) -> Part:
        """All rows that the file has.

        excused  links that may have been removed when the file was last in use: their rows,
                 which may be half overwritten, are removed now
        raises   Damaged when another row isn't what was written
        """
        links = np.array(self.mapped["links"])
        places = self.places_of(excused)
        for start in range(0, len(self.codes), CHECKED_ROWS // LANES):
            blocks = slice(start, min(start + CHECKED_ROWS // LANES, len(self.codes)))
            rows = slice(blocks.start * LANES, blocks.stop * LANES)
            wrong = np.flatnonzero(rest_sums(self.mapped, blocks) != self.mapped["sums"][1, rows])
            if len(wrong) and np.isin(wrong + rows.start, places, invert=True).any():
                raise Damaged(f"{self.path.name}: a row has changed")
        # A row that is excused wasn't checked, and the loops check no index.
        if len(self.keys) and not 0 <= self.keys.min() <= self.keys.max() < max(self.n_keys, 1):
            raise Damaged(f"{self.path.name}: a row has changed")
        self._arrange(links != TOMBSTONE)
        living = links != TOMBSTONE
        living[places] = False
        alive = np.packbits(living, bitorder="little").view("<u4").astype(np.uint32)
        first = living & (self.mapped["frames"] == 0)
        counts = np.bincount(self.keys[first], minlength=self.n_keys)
        per_key = np.bincount(self.keys[living], minlength=self.n_keys)
        part = Part(self, alive, counts.astype(np.int64), per_key.astype(np.int64))
        self.overwrite(places)
        return part

    def _arrange(self, there: Bools) -> None:
        """Find out where the rows of each space and of each key lie, and mark owners and times.

        there   (n,) which places hold a row
        """
        from index.search.kernels import filters

        # Of each block. Both ascend if the rows of a space lie together.
        self._first_spaces, self._last_spaces = self.spaces[self.bounds].T.copy()
        joined = np.stack([self._first_spaces, self._last_spaces], axis=1).reshape(-1)
        self.by_space = bool((joined[1:] >= joined[:-1]).all())
        times = self.posted[there]
        self._began = float(times.min(initial=np.inf)) if len(times) else 0.0
        span = float(times.max(initial=self._began)) - self._began
        self._marks_a_second = MARKS / span if span > 0 else 0.0
        starts = np.empty(self.n_keys + 1, np.int64)
        rows = np.empty(np.count_nonzero(there), np.int32)
        filters.order_by_key(self.keys, there, starts, rows)
        owner_marks = marks_of_owners(self.owners[rows])
        self.by_key = ByKey(starts, rows, owner_marks, self.marks_of_times(self.posted[rows]))

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
        """Remove these rows: nothing of them stays in memory or in the file."""
        from index.search.kernels import filters

        self._overwritten[places] = True
        self.overwritings += 1  # after the mark and before a column is cleared
        blocks, lanes = np.divmod(places, LANES)
        self.codes[blocks, :, lanes] = 0
        self.factors[:, places] = 0
        self.owners[places] = self.posted[places] = 0
        filters.unmark(self.keys, *self.by_key, places)
        if not self.write:
            return
        arrays = self.mapped
        arrays["vectors"][places] = 0
        if self.has_quantized:
            arrays["quantized"][places] = 0
        arrays["links"][places] = TOMBSTONE
        arrays["frames"][places] = 0
        arrays["sums"][0, places] = 0
        for block in np.unique(blocks).tolist():
            here = places[blocks == block]
            arrays["sums"][1, here] = rest_sums(arrays, slice(block, block + 1))[here % LANES]

    def overwritten(self, places: Ints) -> Bools:
        """Which of these rows were removed since the file was opened."""
        removed: Bools = self._overwritten[places]
        return removed

    def flush(self) -> None:
        """Bring what was overwritten to the disk."""
        if self.write:
            base: Any = self.vectors
            while not isinstance(base, np.memmap):
                base = base.base
            base.flush()

    def links_at(self, places: Ints) -> Ints:
        """The links of these rows; TOMBSTONE where one was removed meanwhile."""
        links: Ints = self.mapped["links"][places]
        return links

    def scores(self, places: Ints, query: Floats) -> Floats:
        """Cosine similarities of these rows; LOWEST for those that were overwritten.

        raises   Damaged when a row isn't what was written
        """
        from index.search.kernels import products

        out = np.empty(len(places), np.float32)
        while (bad := products.scores(self.checked_vectors, places, query, out)) >= 0:
            self.check(bad)
        return out

    def check(self, row: int) -> None:
        """raises Damaged, unless this row, which isn't what was written, was just overwritten"""
        if not self._overwritten[row]:
            raise Damaged(f"{self.path.name}: a vector has changed")

    def exact(self, places: Ints, query: Floats) -> NDArray[np.float64]:
        """Cosine similarities in float64 of these rows, which `scores` has checked."""
        from index.search.kernels import products

        out = np.empty(len(places))
        products.exact_scores(self.vectors, places, query.astype(np.float64), out)
        return out

    def read(self, places: Ints) -> tuple[Floats, Bools]:
        """The vectors of these rows, and which of them are still there.

        raises   Damaged when one isn't what was written
        """
        from index.search.kernels import products

        vectors, found = self.vectors[places], np.empty(len(places), np.uint64)
        products.checksums(vectors.view(np.uint64), self.checked_vectors.multipliers, found)
        wrong = found != self.mapped["sums"][0, places]
        removed = self.overwritten(places)
        if (wrong & ~removed).any():
            raise Damaged(f"{self.path.name}: a vector has changed")
        return vectors, ~(wrong | removed)


def _turned(query: Floats) -> Floats:
    """(d,) a query, turned as vectors are now."""
    from index.search.kernels import codes

    out = np.empty_like(query)
    codes.rotate(query, signs(len(query)), out)
    return out


def marks_of_owners(owners: Ints) -> NDArray[np.uint8]:
    """A byte for each owner, the same for the same one."""
    return ((owners.view(np.uint64) * SCATTERING) >> np.uint64(56)).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Which rows of a segment count at one moment."""

    segment: Segment
    alive: NDArray[np.uint32]  # (blocks,) one bit a row; never changed in place
    links: Ints  # (keys,) links of each key
    rows: Ints  # (keys,) rows of each key
    kept: KeptRows = field(default_factory=KeptRows)  # of the filters that were asked last

    def __len__(self) -> int:
        return int(self.rows.sum())

    @property
    def resident_bytes(self) -> int:
        """What it takes in memory; the vectors in the file don't count."""
        return self.segment.resident_bytes + self.alive.nbytes + self.kept.resident_bytes

    def places_of(self, links: Collection[int]) -> Ints:
        """The places of those of the links' rows that count."""
        places = self.segment.places_of(links)
        return places[self.counts(places)]

    def counts(self, places: Ints) -> Bools:
        """Which of these rows count."""
        bits = self.alive[places // LANES] >> (places % LANES).astype(np.uint32)
        return (bits & 1).astype(np.bool_)

    def without(self, places: Ints) -> Part:
        """The part without those rows, which counted."""
        if not len(places):
            return self
        alive = self.alive.copy()
        bits = np.uint32(1) << (places % LANES).astype(np.uint32)
        np.bitwise_and.at(alive, places // LANES, ~bits)
        keys = self.segment.keys[places]
        first = self.segment.mapped["frames"][places] == 0
        n = self.segment.n_keys
        left = replace(
            self,
            alive=alive,
            links=self.links - np.bincount(keys[first], minlength=n),
            rows=self.rows - np.bincount(keys, minlength=n),
        )
        return replace(left, kept=self.kept.left(left.counts))

    @property
    def reveals_removed(self) -> bool:
        """Whether a centroid in the file is the vector of a picture that was removed."""
        starts = self.segment.starts
        return any(
            not self.alive[starts[one] : starts[one + 1]].any()
            for one in self.segment.lists_alike.tolist()
        )

    def all_rows(self) -> Ints:
        """The places of all rows that count."""
        bits = np.unpackbits(self.alive.view(np.uint8), bitorder="little")
        return np.flatnonzero(bits).astype(np.int64)
