"""Turns of questions that are asked with a picture: bounded in number, and fair.

Decoding a stranger's picture can take ten seconds. So the pictures of one member, or of one server,
must not keep those of all others waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from cachetools import LRUCache

from bot.platform.refusal import Refusal
from bot.text import answers as text

# Pictures that are decoded and embedded at once: one of each member, and of each server one fewer
# than all, so that it leaves a turn to the others.
TURNS = 3
# Questions with a picture in hand: being downloaded, waiting for their turn, or having it. Each may
# hold 25 MB. The last places are kept for those who hold none: of all places, 6 for servers that
# hold none, and 6 more for members who hold none; of a server's, 6 for its members who hold none.
PLACES = 24
SERVER_PLACES = 12
MEMBER_PLACES = 3
RESERVE = 6
REMEMBERED = 10_000  # members and servers whose last turn is known


@dataclass(eq=False, slots=True)
class _Waiting:
    server: int
    member: int
    given: asyncio.Future[None] = field(default_factory=asyncio.Future)


class FairTurns:
    """Gives places and turns to members and their servers."""

    def __init__(self) -> None:
        self._places: list[tuple[int, int]] = []  # (server, member) of each taken one
        self._waiting: list[_Waiting] = []
        self._running: list[_Waiting] = []
        self._numbers = itertools.count(1)
        # The number of the last turn.
        self._of_servers: LRUCache[int, int] = LRUCache(REMEMBERED)
        self._of_members: LRUCache[int, int] = LRUCache(REMEMBERED)

    @contextlib.contextmanager
    def place(self, server: int, member: int) -> Iterator[None]:
        """Surrounds all work for a picture that somebody asks with, its download included.

        Members and servers that hold none can still get one when others get no more.

        raises   Refusal when too many are in hand
        """
        of_member = sum(taken_by == member for _, taken_by in self._places)
        of_server = sum(taken_in == server for taken_in, _ in self._places)
        kept_for_members = RESERVE if of_member else 0
        kept_for_servers = RESERVE if of_server else 0
        if of_member >= MEMBER_PLACES:
            raise Refusal(text.your_pictures_wait)
        if (
            of_server >= SERVER_PLACES - kept_for_members
            or len(self._places) >= PLACES - kept_for_members - kept_for_servers
        ):
            raise Refusal(text.your_pictures_wait if of_member else text.many_pictures_wait)
        self._places.append((server, member))
        try:
            yield
        finally:
            self._places.remove((server, member))

    @contextlib.asynccontextmanager
    async def turn(self, server: int, member: int) -> AsyncIterator[None]:
        """Surrounds decoding and embedding; waits until it is this member's turn."""
        mine = _Waiting(server, member)
        self._waiting.append(mine)
        self._give()
        try:
            await mine.given
            yield
        finally:
            (self._running if mine in self._running else self._waiting).remove(mine)
            self._give()

    def _give(self) -> None:
        """Give free turns: first to the server that had none for longest, and there likewise."""
        while len(self._running) < TURNS:
            may = [one for one in self._waiting if self._may_run(one)]
            if not may:
                return
            first = min(may, key=self._last_turns)
            self._waiting.remove(first)
            self._running.append(first)
            number = next(self._numbers)
            self._of_servers[first.server] = self._of_members[first.member] = number
            first.given.set_result(None)

    def _may_run(self, one: _Waiting) -> bool:
        if one.given.cancelled():  # its caller is about to leave
            return False
        of_server = sum(other.server == one.server for other in self._running)
        of_member = sum(other.member == one.member for other in self._running)
        return of_server < TURNS - 1 and not of_member

    def _last_turns(self, one: _Waiting) -> tuple[int, int]:
        return self._of_servers.get(one.server, 0), self._of_members.get(one.member, 0)
