"""A bounded queue that serves servers in turn.

In a plain queue, a flood of pictures in one server would delay the pictures of all others.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items of many servers, at most `size` in all; each server's items keep their order.

    A server may fill all free places except the last `reserve` ones. Of those, each server that has
    nothing waiting yet gets one.
    """

    def __init__(self, size: int, reserve: int) -> None:
        self._size, self._reserve = size, reserve
        self._waiting: dict[int, deque[T]] = {}  # by server, the next in turn first
        self._count = 0
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        """All that waits, in no certain order."""
        return itertools.chain.from_iterable(self._waiting.values())

    def full(self, server: int) -> bool:
        """Whether no further item of this server fits."""
        room = self._size - self._count
        return room <= (self._reserve if server in self._waiting else 0)

    def put(self, server: int, item: T) -> None:
        """Add an item.

        raises   asyncio.QueueFull
        """
        if self.full(server):
            raise asyncio.QueueFull
        self._waiting.setdefault(server, deque()).append(item)
        self._count += 1
        self._filled.set()

    async def get(self) -> T:
        """The next item of the server whose turn it is; waits for one."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        server, items = next(iter(self._waiting.items()))
        del self._waiting[server]
        item = items.popleft()
        self._count -= 1
        if items:
            self._waiting[server] = items  # after all other servers
        return item
