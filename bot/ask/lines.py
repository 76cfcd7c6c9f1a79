"""Lines that people type → what they ask for, and what is said of how a line was understood.

The language itself is in `index`. The one thing that Discord adds is the asker's language; it does
not tell their time zone, so a day is a day of UTC.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import discord

from index import Reader, Wish, combined, parse, printed

NONE: Mapping[str, str | None] = MappingProxyType({})
# Letters of a line that is read at once. A thread takes longer than such a line, and longer ones
# take many milliseconds.
SHORT = 64
_COLONS = frozenset(":：")  # each field has one


def reader(locale: discord.Locale | str) -> Reader:
    """Who reads a line now, in this language."""
    return Reader(datetime.now(UTC), str(locale))


async def read(line: str, by: Reader, options: Mapping[str, str | None] = NONE) -> Wish:
    """What a line asks for, with the options that were filled in beside it.

    In a thread, unless it is short and has no field: the first date loads a library, which takes a
    while.

    raises   Unreadable
    """
    whole = combined(line, options)
    if len(whole) <= SHORT and not _COLONS.intersection(whole):
        return parse(whole, by)
    return await asyncio.to_thread(parse, whole, by)


async def written(wish: Wish) -> str:
    """The wish as a line that is read the same; in a thread, unless it has few words alone."""
    if len(wish.words) <= SHORT and wish == Wish(wish.words):
        return printed(wish)
    return await asyncio.to_thread(printed, wish)
