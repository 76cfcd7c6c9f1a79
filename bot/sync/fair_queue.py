"""A bounded queue that serves servers in turn.

First come, first served would let one server's flood hold up everybody else's pictures.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Items of many servers, at most `most` in all; each server's in their order.

    A server may fill what others leave free, but never takes the last places: of those, each
    server that has nothing waiting yet gets one.
    """

    def __init__(self, most: int, reserve: int) -> None:
        self._most, self._reserve = most, reserve
        self._waiting: dict[int, deque[T]] = {}  # by server, next in turn first
        self._count = 0
        self._ready = asyncio.Event()

    def __len__(self) -> int:
        return self._count

    def full(self, server: int) -> bool:
        """Whether nothing more of this server fits."""
        room = self._most - self._count
        return room <= (self._reserve if server in self._waiting else 0)

    def put(self, server: int, item: T) -> None:
        """Add an item. raises   asyncio.QueueFull"""
        if self.full(server):
            raise asyncio.QueueFull
        self._waiting.setdefault(server, deque()).append(item)
        self._count += 1
        self._ready.set()

    async def get(self) -> T:
        """The next item of the server whose turn it is; waits for one."""
        while not self._waiting:
            self._ready.clear()
            await self._ready.wait()
        server, items = next(iter(self._waiting.items()))
        del self._waiting[server]
        item = items.popleft()
        self._count -= 1
        if items:
            self._waiting[server] = items  # at the end: all others come first
        return item
