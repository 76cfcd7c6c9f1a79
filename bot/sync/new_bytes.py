"""The bytes of new pictures, held in memory until their words are read."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field


@dataclass(slots=True)
class Held:
    """The bytes of a picture, and where it was seen: the servers and channels."""

    data: bytes
    seen_in: set[tuple[int, int]]
    since: float = field(default_factory=time.monotonic)


class NewBytes:
    """The bytes of new pictures, by key; the oldest make room.

    arrived   is set whenever there are more
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held: OrderedDict[bytes, Held] = OrderedDict()
        self._size = 0
        self.arrived = asyncio.Event()

    def keep(self, key: bytes, data: bytes, seen_in: tuple[int, int]) -> None:
        if len(data) > self._most:
            return
        before = self.take(key)
        self._held[key] = Held(data, {seen_in, *(before.seen_in if before else ())})
        self._size += len(data)
        while self._size > self._most:
            self.take(next(iter(self._held)))
        self.arrived.set()

    def pictures(self) -> list[bytes]:
        """The keys of those that are held now, the oldest first."""
        return list(self._held)

    def take(self, key: bytes) -> Held | None:
        """What is held of a picture, and from now on is not."""
        held = self._held.pop(key, None)
        self._size -= len(held.data) if held else 0
        return held

    def drop_older(self, than_s: float) -> None:
        """Drop what is held for longer."""
        before = time.monotonic() - than_s
        for key in [key for key, held in self._held.items() if held.since < before]:
            self.take(key)

    def __len__(self) -> int:
        return len(self._held)
