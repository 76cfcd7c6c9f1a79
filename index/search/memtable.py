"""Rows in memory: columns, of which a search keeps the state that it began with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.search.encoding import quantized, signs
from index.search.hits import Hits
from index.search.kernels.arguments import Bools, Ints
from index.search.limits import KINDS, NO_IDS, ascending, has_limits, in_order, limits_of
from index.types.filter import Filter
from index.types.records import Entries, Floats

# Removed rows stay in place, marked, until they are this share of all.
REMOVED_SHARE = 0.5
REMOVED = 0  # the key of a removed row
FIRST_KEY = np.int32(1)  # of the pictures of the first group
ROOM = 1  # places that a loop needs behind the last row that it may find


class SpaceGroups(NamedTuple):
    """The groups of a space, ascending, and their codes."""

    groups: Ints
    codes: NDArray[np.int32]


NO_GROUPS = SpaceGroups(np.zeros(0, np.int64), np.zeros(0, np.int32))


@dataclass(frozen=True, slots=True, eq=False)
class Memtable:
    """Rows as they are at one moment. Of each array, the first `count` rows count.

    A later memtable may share these arrays and have more rows behind `count`.
    """

    vectors: Floats  # (capacity, d) unit rows
    quantized: NDArray[np.uint8]  # (capacity, d) the same, turned, in steps of `scales` around ZERO
    scales: Floats  # (capacity,)
    error: float  # the greatest length of what `quantized` leaves out of a vector
    serials: Ints  # (capacity,) number of the row among all that ever came
    links: Ints  # (capacity,) the link whose frame this is
    frames: NDArray[np.int32]  # (capacity,) which frame it is
    keys: NDArray[np.int32]  # (capacity,) `key_of`; never changed in place for a row below `count`
    owners: Ints  # (capacity,)
    posted: NDArray[np.float64]  # (capacity,) Unix seconds
    count: int
    removed: int  # rows below `count` whose key is REMOVED
    ascending: bool = True  # whether links are, so that the rows of one are found quickly
    animated: bool = False  # whether a link may have several rows

    @classmethod
    def empty(cls, dimension: int, capacity: int) -> Memtable:
        """No rows yet, and room for `capacity`."""
        return cls(
            vectors=np.zeros((capacity, dimension), np.float32),
            quantized=np.zeros((capacity, dimension), np.uint8),
            scales=np.zeros(capacity, np.float32),
            error=0.0,
            serials=np.zeros(capacity, np.int64),
            links=np.zeros(capacity, np.int64),
            frames=np.zeros(capacity, np.int32),
            keys=np.zeros(capacity, np.int32),
            owners=np.zeros(capacity, np.int64),
            posted=np.zeros(capacity, np.float64),
            count=0,
            removed=0,
        )

    def __len__(self) -> int:
        return self.count - self.removed

    @property
    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: one for name, one in columns.items() if isinstance(one, np.ndarray)}

    @property
    def resident_bytes(self) -> int:
        """What it takes in memory."""
        return sum(array.nbytes for array in self._arrays.values())

    @property
    def living(self) -> Ints:
        """The rows that were not removed."""
        return np.flatnonzero(self.keys[: self.count] != REMOVED)

    @property
    def living_links(self) -> Ints:
        """The links of these rows."""
        return self.links[self.living]

    def rows_of(self, links: Ints) -> Ints:
        """The living rows of these links.

        Links mostly come in the order of their ids. Then a few are found without a look at all
        rows.
        """
        ids = self.links[: self.count]
        if self.ascending:
            first, last = (np.searchsorted(ids, np.sort(links), side) for side in ("left", "right"))
            counts = last - first
            before = np.cumsum(counts) - counts  # how many rows the links before have
            rows: Ints = np.repeat(first - before, counts) + np.arange(counts.sum())
        else:
            rows = np.flatnonzero(np.isin(ids, links))
        living: Ints = rows[self.keys[rows] != REMOVED]
        return living

    # ---- changes

    def with_entries(self, added: Entries, codes: NDArray[np.int32], serial: int) -> Memtable:
        """These rows and those of the entries, behind the last one: no search looks there yet.

        codes    (links,) of their groups        serial  of the first of their rows
        """
        count = len(added.vectors)
        end = self.count + count
        now = self._with_room(end)
        place = slice(now.count, end)
        now.vectors[place] = added.vectors
        now.quantized[place], now.scales[place], left_out = quantized(added.vectors)
        now.serials[place] = np.arange(serial, serial + count)
        now.links[place] = np.repeat(added.links, added.frames)
        firsts = np.cumsum(added.frames) - added.frames  # the first row of each link
        now.frames[place] = np.arange(count) - np.repeat(firsts, added.frames)
        now.keys[place] = np.repeat(key_of(codes, added.texts), added.frames)
        now.owners[place] = np.repeat(added.owners, added.frames)
        now.posted[place] = np.repeat(added.posted, added.frames)
        ids = now.links[max(now.count - 1, 0) : end]
        return replace(
            now,
            count=end,
            error=max(now.error, float(left_out.max(initial=0))),
            ascending=now.ascending and bool((ids[1:] >= ids[:-1]).all()),
            animated=now.animated or count > len(added.links),
        )

    def _with_room(self, needed: int) -> Memtable:
        """The same rows with room for `needed`: at least doubled, so that n rows cost O(n)."""
        if needed <= len(self.links):
            return self
        return self._copied(np.arange(self.count), max(needed, 2 * self.count, 64))

    def without(self, removed: Sequence[int]) -> Memtable:
        """The rows without those of these links."""
        of_removed = np.isin(self.links[: self.count], np.asarray(removed, np.int64))
        keys = self.keys.copy()
        keys[: self.count][of_removed] = REMOVED
        now = replace(self, keys=keys, removed=int(np.count_nonzero(keys[: self.count] == REMOVED)))
        if now.removed <= REMOVED_SHARE * now.count:
            return now
        return now._copied(now.living, max(len(now), 64))

    def since(self, serial: int) -> Memtable:
        """The living rows that have this serial or came later, in arrays of their own."""
        later = self.living[self.serials[self.living] >= serial]
        return self._copied(later, max(len(later), 64))

    def _copied(self, rows: Ints, capacity: int) -> Memtable:
        """Those rows, in arrays of their own with room for `capacity`."""
        fresh = Memtable.empty(self.vectors.shape[1], capacity)
        count, into = len(rows), fresh._arrays
        for name, column in self._arrays.items():
            # All rows are there. In its default mode, `take` copies by way of a buffer.
            np.take(column, rows, axis=0, out=into[name][:count], mode="clip")
        removed = int(np.count_nonzero(fresh.keys[:count] == REMOVED))
        return replace(
            fresh,
            count=count,
            removed=removed,
            error=self.error,
            ascending=self.ascending,
            animated=self.animated,
        )

    # ---- queries

    def allowed(self, codes: GroupCodes, filter: Filter, loops: Any) -> tuple[Ints, int]:
        """The living rows that may answer, and how many links they are of.

        loops     the module of that name, once it is loaded; None before
        """
        if loops is None:
            return self._allowed_by_columns(codes.allowed(filter), filter)
        rows = np.empty(self.count + ROOM, np.int64)
        found, links = loops.allowed_rows(*self._asked(codes, filter), rows)
        return rows[:found], links

    def best(
        self, codes: GroupCodes, filter: Filter, query: Floats, k: int, loops: Any
    ) -> tuple[Ints, int, Hits]:
        """What `allowed` gives, and the `k` links that are most like a query; by the loops."""
        rows, hits = np.empty(self.count + ROOM, np.int64), Hits.room(k, len(query))
        n, links, found = loops.best_in_memory(
            *(self.quantized, self.scales, self.error, signs(len(query)), self.vectors, query),
            *(*self._asked(codes, filter), rows, *hits, np.empty(k, np.int64)),
        )
        return rows[:n], links, hits.first(found)

    def _asked(self, codes: GroupCodes, filter: Filter) -> tuple[Any, ...]:
        """What the loops take that find out which rows may answer."""
        return (
            *(self.keys, self.links, self.frames, self.owners, self.posted),
            *(self.count, self.animated, *codes.of_space(filter.space), codes.count),
            *(filter.groups is None, NO_IDS if filter.groups is None else ascending(filter.groups)),
            KINDS[filter.kind],
            *limits_of(filter),
            *(filter.only is not None, NO_IDS if filter.only is None else in_order(filter.only)),
            in_order(filter.without) if filter.without else NO_IDS,
        )

    def _allowed_by_columns(self, keys: Bools, filter: Filter) -> tuple[Ints, int]:
        n = self.count
        allowed = keys[self.keys[:n]]
        if has_limits(filter):
            limits = limits_of(filter)
            allowed &= (self.posted[:n] >= limits.since) & (self.posted[:n] < limits.until)
            if limits.of_owners or len(limits.owners):
                allowed &= np.isin(self.owners[:n], limits.owners) == limits.of_owners
        if filter.only is not None:
            allowed &= np.isin(self.links[:n], in_order(filter.only))
        if filter.without:
            allowed &= ~np.isin(self.links[:n], in_order(filter.without))
        rows = np.flatnonzero(allowed)
        return rows, int(np.count_nonzero(self.frames[rows] == 0))


def key_of(codes: NDArray[np.int32], texts: Bools) -> NDArray[np.int32]:
    """A number for the group and the kind of a row, which is not REMOVED."""
    return FIRST_KEY + 2 * codes + texts


class GroupCodes:
    """A small number for each group of each space, in the order in which they came."""

    def __init__(self) -> None:
        self.groups: list[tuple[int, int]] = []  # (space, group) by code
        self.count = 0  # of the codes that rows may have
        self._codes: dict[int, dict[int, int]] = {}  # space -> group -> code
        self._of_space: dict[int, SpaceGroups] = {}

    def of(self, entries: Entries) -> NDArray[np.int32]:
        """(links,) the code of each link's group, made when it is new."""
        pairs = zip(entries.spaces.tolist(), entries.groups.tolist(), strict=True)
        codes = np.array([self._code(space, group) for space, group in pairs], np.int32)
        for space in {space for space, _ in self.groups[self.count :]}:
            here = sorted(self._codes[space].items())
            self._of_space[space] = SpaceGroups(
                np.array([group for group, _ in here], np.int64),
                np.array([code for _, code in here], np.int32),
            )
        self.count = len(self.groups)
        return codes

    def _code(self, space: int, group: int) -> int:
        codes = self._codes.setdefault(space, {})
        if group not in codes:
            codes[group] = len(self.groups)
            self.groups.append((space, group))
        return codes[group]

    def of_space(self, space: int) -> SpaceGroups:
        """The groups of a space. A change that is being made may have given out codes that `count`
        doesn't tell of yet, of rows that none sees."""
        return self._of_space.get(space, NO_GROUPS)

    def allowed(self, filter: Filter) -> Bools:
        """(keys,) which groups and kinds a filter allows."""
        here, count = self.of_space(filter.space), self.count
        codes = here.codes[here.codes < count]
        if filter.groups is not None:
            codes = codes[np.isin(here.groups[here.codes < count], ascending(filter.groups))]
        allowed = np.zeros(1 + 2 * count, np.bool_)
        for kind, text in (("image", False), ("text", True)):
            if filter.kind in (None, kind):
                allowed[key_of(codes, np.array(text))] = True
        return allowed
