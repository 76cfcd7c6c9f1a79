"""A file on Discord of which only some parts are read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

# Reads `length` bytes of a file from `offset` on. If the server sends the whole file instead, they
# are its first bytes, as many as may be read.
Fetch = Callable[[int, int], Awaitable["Part"]]


class Part:
    """What a server sent when it was asked for a part of a file.

    data    the bytes
    size    of the whole file
    ranged  whether they are the part; else they are the beginning of the file
    """

    __slots__ = ("data", "ranged", "size")

    def __init__(self, data: bytes, size: int, *, ranged: bool) -> None:
        self.data = data
        self.size = size
        self.ranged = ranged


class RangedFile:
    """A file whose parts are asked for one by one; a `ClipSource`.

    Some servers ignore which part is wanted and send all. Then that is kept, as much as may be read
    of one file, and nothing is asked for again.
    """

    def __init__(self, fetch: Fetch, first: Part) -> None:
        """first   what came from the beginning of the file"""
        self._fetch = fetch
        self._beginning = first.data
        self._whole = not first.ranged
        self.size = first.size

    async def read(self, offset: int, length: int) -> bytes:
        """raises   DownloadError"""
        end = min(offset + length, self.size)
        if self._whole or end <= len(self._beginning):
            return self._beginning[offset:end]
        part = await self._fetch(offset, end - offset)
        if part.ranged:
            return part.data
        self._beginning, self._whole = part.data, True
        return self._beginning[offset:end]
