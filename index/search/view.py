"""The rows of a segment that may answer one query, and the search among them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from index.search.kernels.arguments import Allowed, Best, Ints, Lists, RotatedQuery
from index.search.kernels.constants import LANES, LEVELS, LOWEST, PLANES
from index.search.limits import has_limits, limits_of
from index.search.segment import Part
from index.search.sizes import DEFAULT_SIZES
from index.types.filter import Filter
from index.types.records import Floats

# Adds this share of a list's spread to its rank, so that wide lists are searched earlier. Without
# that, 1 in 20 best hits of queries like text would lie behind half of all rows; with it, 1 in 100
# lies behind the first 2 % (docs/performance.md).
REACH = 0.3
# A row may be this many standard deviations better than its estimate, and its vector is compared.
DEVIATIONS = 2.5
# All vectors are compared where at most FEW_ROWS may answer, and never where more than MANY_ROWS
# may. In between it is measured which way is quicker: the turning point was between 800 and 9,000
# rows. The first query after a start seldom has to wait until it is measured.
FEW_ROWS = 512
MANY_ROWS = 32_768
MEASURED_ROWS = 2048  # rows that are compared in one measurement, scattered over the segment
MEASURED_TOP = 10  # best rows that are wanted of them
MEASURED_TIMES = 5
GOLDEN = 0.618  # a stride of this share of the length samples the whole array evenly


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The rows of a part that may answer one query."""

    part: Part
    allowed: Allowed
    rows: int
    links: int
    scattered_lanes: float = DEFAULT_SIZES.scattered_lanes

    @classmethod
    def of(
        cls, part: Part, filter: Filter, scattered_lanes: float = DEFAULT_SIZES.scattered_lanes
    ) -> View:
        """The view of a filter, of which `without` is not looked at."""
        segment = part.segment
        keys = segment.keys_of(filter.space, filter.groups)
        if filter.kind is not None:
            keys &= segment.texts == (filter.kind == "text")
        rows, links = int(part.rows[keys].sum()), int(part.links[keys].sum())
        below = np.zeros(len(keys) + 1, np.int32)
        np.cumsum(keys, out=below[1:])
        number = keys.astype(np.int32)
        among = part.alive if filter.only is None else part.bits_of(part.places_of(filter.only))
        allowed = Allowed(segment.keys, segment.bounds, among, number, below)
        if (has_limits(filter) or filter.only is not None) and rows:
            from index.search.kernels import filters

            alive = np.empty_like(part.alive)
            rows, links = filters.limit(allowed, segment.columns, limits_of(filter), alive)
            allowed = Allowed(segment.keys, segment.bounds, alive, number, below)
        return cls(part, allowed, rows, links, scattered_lanes)

    def links_among(self, links: Collection[int]) -> int:
        """How many of those links are allowed."""
        if not links:
            return 0
        places = self.part.places_of(links)
        bits = self.allowed.alive[places // LANES] >> (places % LANES).astype(np.uint32)
        here = places[self.allowed.allowed[self.part.segment.keys[places]] & bits & 1 != 0]
        return int(np.count_nonzero(self.part.segment.mapped["frames"][here] == 0))

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
    def small(self) -> bool:
        """Whether comparing all vectors costs less than looking through their codes."""
        if self.rows <= FEW_ROWS:
            return True
        return self.rows <= MANY_ROWS and self.rows <= exact_rows(self.part)

    @property
    def scattered(self) -> bool:
        """Whether so few rows of a block are allowed that they are taken one by one."""
        return self.rows * LANES < self.scattered_lanes * self.part.segment.rows

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
        from index.search.kernels.scan import rotated_bits

        segment = self.part.segment
        base, rotated = segment.centroids @ query, segment.rotation @ query
        planes = np.empty((PLANES, segment.codes.shape[1]), np.uint64)
        step = rotated_bits(rotated, planes)
        order = np.argsort(-(base + REACH * segment.spreads))
        slack = DEVIATIONS * segment.errors
        lists = Lists(order, segment.starts, base, base / segment.lengths, slack)
        most = np.float32(step * LEVELS * len(rotated) / 2)
        return lists, RotatedQuery(planes, np.float32(step), most, query)


def exact_rows(part: Part) -> int:
    """Up to how many allowed rows comparing all vectors is quicker than looking through codes."""
    if part.segment.exact_rows is None:
        part.segment.exact_rows = _measured(part)
    return part.segment.exact_rows


def _measured(part: Part) -> int:
    """How many vectors are compared in the time of a search by codes among MEASURED_ROWS.

    The rows come from all parts of the segment, and their own vectors are the queries. Each time
    they are other rows, which no cache has yet.
    """
    segment = part.segment
    keys = np.ones(segment.n_keys, np.int32)
    below = np.arange(segment.n_keys + 1, dtype=np.int32)
    every = Allowed(segment.keys, segment.bounds, part.alive, keys, below)
    rows = View(part, every, len(part), 0).sample(2 * MEASURED_TIMES * MEASURED_ROWS)
    codes_s, exact_s = [], []
    for number in range(MEASURED_TIMES):
        some, others = (rows[2 * number + n :: 2 * MEASURED_TIMES] for n in (0, 1))
        view = View(part, every._replace(alive=part.bits_of(some)), len(some), 0)
        query, top = np.array(segment.vectors[some[0]]), np.full(MEASURED_TOP, LOWEST, np.float32)
        began = time.thread_time()
        view.best(query, top, len(some))
        between = time.thread_time()
        segment.scores(others, query)
        codes_s.append((between - began) / len(some))
        exact_s.append((time.thread_time() - between) / len(others))
    return round(MEASURED_ROWS * statistics.median(codes_s) / statistics.median(exact_s))
