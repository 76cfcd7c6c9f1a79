"""A filter's limits, as the compiled loops take them."""

from __future__ import annotations

import functools

import numpy as np

from index.search.kernels.arguments import Ints, Limits
from index.search.kernels.constants import FOREVER
from index.types.filter import Filter
from index.types.records import Kind

KINDS: dict[Kind | None, int] = {None: -1, "image": 0, "text": 1}  # as the compiled loops know them


def in_order(ids: frozenset[int]) -> Ints:
    """These ids as an array, ascending."""
    array = np.sort(np.fromiter(ids, np.int64, len(ids)))
    array.flags.writeable = False
    return array


@functools.lru_cache(maxsize=256)
def ascending(ids: frozenset[int]) -> Ints:
    """The same, kept: questions name the same channels and members again and again."""
    return in_order(ids)


NO_IDS = ascending(frozenset())
NO_LIMITS = Limits(NO_IDS, False, -FOREVER, FOREVER)


def limits_of(filter: Filter) -> Limits:
    """What the filter says about owners and times."""
    if not has_limits(filter):
        return NO_LIMITS
    of_owners = filter.owners is not None
    named = filter.owners if filter.owners is not None else filter.but_owners
    if of_owners and filter.but_owners:
        named -= filter.but_owners
    since = -FOREVER if filter.since is None else filter.since
    until = FOREVER if filter.until is None else filter.until
    return Limits(ascending(named), of_owners, since, until)


def has_limits(filter: Filter) -> bool:
    """Whether it says anything about them."""
    owners, since, until = filter.owners, filter.since, filter.until
    no_limit = owners is None and since is None and until is None and not filter.but_owners
    return not no_limit
