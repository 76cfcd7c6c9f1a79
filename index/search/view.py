"""The rows of a segment that may answer one query, and the search among them."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from index.search.hits import Hits
from index.search.kept_rows import FewRows
from index.search.kernels.arguments import Allowed, Best, Ints, Lists, RotatedQuery
from index.search.kernels.constants import LANES, LEVELS, PLANES
from index.search.limits import KINDS, NO_IDS, ascending, has_limits, in_order, limits_of
from index.search.segment import Part, Segment
from index.search.sizes import DEFAULT_SIZES, Sizes
from index.types.filter import Filter
from index.types.records import Floats

# Adds this share of a list's spread to its rank, so that wide lists are searched earlier. Without
# that, 1 in 20 best hits of queries like text would lie behind half of all rows; with it, 1 in 100
# lies behind the first 2 % (docs/performance.md).
REACH = 0.3
# A row may be this many standard deviations better than its estimate, and its vector is compared.
DEVIATIONS = 2.5
NO_ROWS, NO_BITS = np.zeros(0, np.int32), np.zeros(0, np.uint32)
NO_FEW = FewRows(np.zeros(0, np.int64), 0)
NO_MARKS = np.zeros(0, np.uint8), 0, 0
# Up to this many times `few_rows` are compared as well, where FEW_LANES rows of a block may answer
# at most, on the average: a search by codes would load whole blocks of which it needs little.
FEW_TIMES, FEW_LANES = 4, 4
FEW_VECTORS = 2048  # where a file of an earlier version has vectors only, which take longer
# More rows than this are compared in the order in which they lie, since neighbours share a page.
MANY_IN_ORDER = 1024
GOLDEN = 0.618  # a stride of this share of the length samples the whole array evenly


@functools.cache
def _loops() -> tuple[Any, Any]:
    """The modules `filters` and `top`, which come late. Each question has them from here: an import
    statement takes half a microsecond each time."""
    from index.search.kernels import filters, top

    return filters, top


class Few(NamedTuple):
    """The rows of a part that may answer one query, if they are so few that all are compared, as
    bytes first where the file has them."""

    part: Part
    at: Ints  # (rows,)
    links: int

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.at)

    def places(self) -> Ints:
        """All of them."""
        return self.at

    def sample(self, count: int) -> Ints:
        """Up to `count` of them, always the same."""
        return self.at[:: max(math.ceil(len(self.at) / max(count, 1)), 1)]

    def links_among(self, links: Collection[int]) -> int:
        """Of how many of those links a row may answer."""
        if not links:
            return 0
        here = np.intersect1d(self.part.places_of(links), self.at)
        return int(np.count_nonzero(self.part.segment.mapped["frames"][here] == 0))

    def best(self, query: Floats, without: frozenset[int], wanted: int) -> Hits:
        """The `wanted` links that are most like a query, or all. raises Damaged"""
        _, top = _loops()
        segment, wanted = self.part.segment, min(wanted, len(self.at))
        hits, of_hits = Hits.room(wanted, len(query)), np.empty(wanted, np.int64)
        left_out = in_order(without) if without else NO_IDS
        overwritings = segment.overwritings
        while True:
            found, bad = top.best_of_few(self.at, left_out, *segment.of_few, query, *hits, of_hits)
            if bad < 0:
                break
            segment.check(bad)
        hits = hits.first(found)
        if segment.overwritings == overwritings:
            return hits
        return hits.at(~segment.overwritten(of_hits[:found]))


@dataclass(frozen=True, slots=True, eq=False)
class Many:
    """The rows of a part that may answer one query, to be looked through by their codes.

    How long it takes depends on the size of the space, on how many rows may answer, and on where
    they lie. How it is searched is decided by rows that may answer, and by how many blocks the
    space has. Rows in channels that the asker can't read must not decide it: else the time of an
    answer would tell of them. What is left is that blocks of such rows are passed over, in some
    nanoseconds each.
    """

    part: Part
    allowed: Allowed
    rows: int
    links: int
    sizes: Sizes = DEFAULT_SIZES

    def links_among(self, links: Collection[int]) -> int:
        """Of how many of those links a row may answer."""
        if not links:
            return 0
        places, segment = self.part.places_of(links), self.part.segment
        blocks = places // LANES - self.allowed.begin
        inside = (blocks >= 0) & (blocks < len(self.allowed.alive))
        places, blocks = places[inside], blocks[inside]
        bits = self.allowed.alive[blocks] >> (places % LANES).astype(np.uint32)
        keys = np.clip(segment.keys[places] - self.allowed.lesser, 0, len(self.allowed.allowed) - 1)
        here = places[self.allowed.allowed[keys] & bits & 1 != 0]
        return int(np.count_nonzero(segment.mapped["frames"][here] == 0))

    def places(self) -> Ints:
        """All allowed rows."""
        from index.search.kernels import filters

        out = np.empty(self.rows, np.int64)
        return out[: filters.all_rows(self.allowed, out)]

    def sample(self, count: int) -> Ints:
        """Up to `count` allowed rows from all parts of the segment, always the same."""
        from index.search.kernels import filters

        n = len(self.allowed.alive)
        stride = max(int(n * GOLDEN), 1)
        while math.gcd(stride, n) != 1:
            stride += 1
        out = np.empty(max(min(count, self.rows), 1), np.int64)
        return out[: filters.sample(self.allowed, stride, out)]

    @property
    def scattered(self) -> bool:
        """Whether so few rows of a block are allowed that they are taken one by one."""
        return self.rows < self.sizes.scattered_lanes * len(self.allowed.alive)

    def best(self, query: Floats, top: Floats, enough: int) -> tuple[Floats, Ints]:
        """(scores, rows) that belong among the best.

        top      (taken,) float32, ascending: the best scores so far; takes the new ones in
        enough   allowed rows that are looked through, in the most promising lists first
        raises   Damaged when a row isn't what was written
        """
        from index.search.kernels.scan import scan, scan_scattered

        segment = self.part.segment
        lists, rotated = self._rotated(query)
        capacity, before = 4 * len(top) + 4 * LANES, top.copy()
        loop = scan_scattered if self.scattered else scan
        while True:
            best = Best(top, np.empty(capacity, np.float32), np.empty(capacity, np.int64))
            found, _, bad = loop(
                *(lists, rotated, segment.encoded, self.allowed, segment.checked_vectors),
                *(enough, best),
            )
            if bad < 0 <= found:
                return best.scores[:found], best.rows[:found]
            if bad >= 0:
                segment.check(bad)
            else:
                capacity *= 4  # many rows are alike
            top[:] = before

    def _rotated(self, query: Floats) -> tuple[Lists, RotatedQuery]:
        """The lists as this query sees them, and the query as it is compared with codes."""
        from index.search.kernels import codes

        segment, begin = self.part.segment, self.allowed.begin
        here = segment.lists_of(slice(begin, begin + len(self.allowed.alive)))
        base = segment.centroids[here] @ query
        planes = np.empty((PLANES, segment.codes.shape[1]), np.uint64)
        step = codes.rotated_bits(segment.rotated(query), planes)
        order = np.argsort(-(base + REACH * segment.spreads[here]))
        slack = DEVIATIONS * segment.errors[here]
        starts = segment.starts[here.start : here.stop + 1]
        lists = Lists(order, starts, base, base / segment.lengths[here], slack)
        most = np.float32(step * LEVELS * len(query) / 2)
        return lists, RotatedQuery(planes, np.float32(step), most, query)


View = Few | Many


def views_of(parts: Sequence[Part], filter: Filter, sizes: Sizes = DEFAULT_SIZES) -> list[View]:
    """The views of a filter, where a row may answer; `without` is not looked at."""
    if filter.only is not None:
        found = [view_of(part, filter, sizes) for part in parts]
        return [view for view in found if view is not None]
    asked = (
        *(sizes.few_rows, filter.space, filter.groups, filter.kind, filter.owners),
        *(filter.but_owners, filter.since, filter.until),
    )
    views: list[View] = []
    for part in parts:
        few = part.kept.get(asked)
        if few is None:
            view = view_of(part, filter, sizes)
            if isinstance(view, Many):
                views.append(view)
                continue
            few = NO_FEW if view is None else FewRows(view.at, view.links)
            part.kept.keep(asked, few)
        if len(few.at):
            views.append(Few(part, *few))
    return views


def view_of(part: Part, filter: Filter, sizes: Sizes = DEFAULT_SIZES) -> View | None:
    """The view of a filter, of which `without` is not looked at; None if no row may answer."""
    filters, _ = _loops()
    segment = part.segment
    here, blocks = segment.of_space(filter.space)
    count = here.stop - here.start
    number, below = np.empty(count + 2, np.int32), np.empty(count + 3, np.int32)
    rows, links = filters.allowed_keys(
        *(segment.groups, segment.texts, part.rows, part.links, here.start, here.stop),
        *(filter.groups is None, NO_IDS if filter.groups is None else ascending(filter.groups)),
        *(KINDS[filter.kind], number, below),
    )
    if not rows:
        return None
    alive, limited = part.alive[blocks], has_limits(filter) or filter.only is not None
    most = _most_compared(segment, blocks.stop - blocks.start, sizes)
    if limited or rows <= most:
        limits = limits_of(filter)
        marks = segment.marks_of(limits) if has_limits(filter) else NO_MARKS
        only = NO_ROWS if filter.only is None else part.places_of(filter.only).astype(np.int32)
        few = np.empty(min(most, rows), np.int64)
        alive = np.zeros_like(alive) if rows > len(few) else NO_BITS
        rows, within = filters.rows_within(
            *(number, here.start - 1, segment.keys, *segment.by_key, part.alive),
            *(*segment.columns, segment.animated, *limits, *marks),
            *(filter.only is not None, only, blocks.start, alive, few),
        )
        # Of all rows of some keys it is known, even while one is being removed.
        links = within if limited else links
        if rows <= len(few):
            at = few[:rows]
            if rows > MANY_IN_ORDER:
                at.sort()
            return Few(part, at, links) if rows else None
    allowed = Allowed(
        segment.keys, segment.bounds, blocks.start, alive, here.start - 1, number, below
    )
    return Many(part, allowed, rows, links, sizes)


def _most_compared(segment: Segment, blocks: int, sizes: Sizes) -> int:
    """Up to how many rows are all compared, in a space of so many blocks."""
    if not segment.has_quantized:
        return min(sizes.few_rows, FEW_VECTORS)
    return max(sizes.few_rows, min(FEW_LANES * blocks, FEW_TIMES * sizes.few_rows))
