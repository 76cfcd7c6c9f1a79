"""Turns of overviews: one at a time in a server, and not many in all.

An overview takes some seconds of all cores, and reads some sixty messages. So those of one member,
or of one server, must not keep those of all others waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

from bot.platform.refusal import Refusal
from bot.text import overview as text

# Overviews that are being made, or wait for that: in all, and of one server. The last places are
# kept for servers that have none.
PLACES, SERVER_PLACES, RESERVE = 16, 4, 4


class OverviewTurns:
    """Gives turns to members and their servers."""

    def __init__(self) -> None:
        self._servers: Counter[int] = Counter()  # how many overviews of each
        self._members: set[tuple[int, int]] = set()  # (server, member) of each
        self._making: dict[int, asyncio.Lock] = {}  # by server

    @contextlib.asynccontextmanager
    async def turn(self, server: int, member: int) -> AsyncIterator[None]:
        """Surrounds the making of an overview; waits until those of the server are made that came
        before.

        raises   Refusal when this member has one already, or too many are waited for
        """
        if (server, member) in self._members:
            raise Refusal(text.yours_is_being_made)
        taken = self._servers[server]
        kept = RESERVE if taken else 0
        if taken >= SERVER_PLACES or self._servers.total() >= PLACES - kept:
            raise Refusal(text.many_are_being_made)
        self._servers[server] += 1
        self._members.add((server, member))
        try:
            async with self._making.setdefault(server, asyncio.Lock()):
                yield
        finally:
            self._members.remove((server, member))
            self._servers[server] -= 1
            if not self._servers[server]:
                del self._servers[server]
                self._making.pop(server, None)
