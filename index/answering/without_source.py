"""A search in which the message that its picture was taken from can't come in halfway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from index.store.interface import Links
from index.types.filter import Filter

T = TypeVar("T")


async def without_source(
    links: Links, filter: Filter, search: Callable[[Filter], Awaitable[T]]
) -> T:
    """What `search` finds with the filter, resolved.

    A picture that is posted with a question is stored while the question is answered. Where that
    happens between the moment when the links to leave out are read and the end of the search, the
    picture would be found as the best answer to itself; so the search is made again.
    """
    while True:
        resolved = await links.resolved(filter)
        found = await search(resolved)
        if filter.but_not_source is None:
            return found
        now = await links.ids_of_source(filter.space, filter.but_not_source)
        if resolved.without.issuperset(now.values()):
            return found
