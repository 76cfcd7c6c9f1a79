"""A filter's limits, as the compiled loops take them."""

from __future__ import annotations

from index.search.kernels.arguments import Limits
from index.search.kernels.constants import FOREVER
from index.types.filter import Filter


def limits_of(filter: Filter) -> Limits:
    """What the filter says about owners and times."""
    return Limits(
        owner=filter.owner or 0,
        of_owner=filter.owner is not None,
        since=-FOREVER if filter.since is None else filter.since,
        until=FOREVER if filter.until is None else filter.until,
    )


def has_limits(filter: Filter) -> bool:
    """Whether it says anything about them."""
    return (filter.owner, filter.since, filter.until) != (None, None, None)
