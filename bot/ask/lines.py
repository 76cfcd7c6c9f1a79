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

from index import Reader, Wish, combined, parse

NONE: Mapping[str, str | None] = MappingProxyType({})


def reader(locale: discord.Locale | str) -> Reader:
    """Who reads a line now, in this language."""
    return Reader(datetime.now(UTC), str(locale))


async def read(line: str, by: Reader, options: Mapping[str, str | None] = NONE) -> Wish:
    """What a line asks for, with the options that were filled in beside it.

    In a thread: the first date loads a library, which takes a while.

    raises   Unreadable
    """
    return await asyncio.to_thread(parse, combined(line, options), by)
