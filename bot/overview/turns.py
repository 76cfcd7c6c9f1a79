"""Turns of overviews: one at a time in a server, and not many in all.

An overview takes some seconds of all cores, and reads some sixty messages. So those of one member,
or of one server, must not keep those of all others waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from bot.platform.refusal import Refusal
from bot.text import overview as text

# Overviews that are being made, or wait for that: in all, and of one server. The last places are
# kept for servers that have none.
PLACES, SERVER_PLACES, RESERVE = 16, 4, 4


def _nobody(before: int) -> None:
    pass


class OverviewTurns:
    """Gives turns to members and their servers."""

    def __init__(self) -> None:
        # By server, those that are made or wait, the first one first; an event is set when one of
        # them leaves.
        self._queues: dict[int, list[asyncio.Event]] = {}
        self._members: set[tuple[int, int]] = set()  # (server, member) of each

    @contextlib.asynccontextmanager
    async def turn(
        self, server: int, member: int, tell: Callable[[int], None] = _nobody
    ) -> AsyncIterator[None]:
        """Surrounds the making of an overview; waits until those of the server are made that came
        before.

        tell     is called for who waits with how many come before theirs, each time that this
                 changes; at last with 0
        raises   Refusal when this member has one already, or too many are waited for
        """
        if (server, member) in self._members:
            raise Refusal(text.yours_is_being_made)
        queue = self._queues.get(server, [])
        kept = RESERVE if queue else 0
        if len(queue) >= SERVER_PLACES or sum(map(len, self._queues.values())) >= PLACES - kept:
            raise Refusal(text.many_are_being_made)
        self._queues[server], mine = queue, asyncio.Event()
        queue.append(mine)
        self._members.add((server, member))
        try:
            await _first(queue, mine, tell)
            yield
        finally:
            self._members.remove((server, member))
            queue.remove(mine)
            for other in queue:
                other.set()
            if not queue:
                del self._queues[server]


async def _first(
    queue: Sequence[asyncio.Event], mine: asyncio.Event, tell: Callable[[int], None]
) -> None:
    """Return when none in the queue is before this one."""
    told = 0
    while True:
        before = queue.index(mine)
        if before != told:
            tell(before)
            told = before
        if not before:
            return
        await mine.wait()
        mine.clear()
