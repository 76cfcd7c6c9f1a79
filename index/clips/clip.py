"""A video as it is handed over: a source of bytes, of which only some are asked for."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from index.images.animation import MAX_FRAMES


class ClipSource(Protocol):
    """Where the bytes of a video are."""

    @property
    def size(self) -> int:
        """Of the whole video, in bytes."""

    async def read(self, offset: int, length: int) -> bytes:
        """Some of its bytes; fewer at its end, or where no more of it may be read."""


@dataclass(frozen=True, slots=True)
class ClipLimits:
    """What a video may cost. Where one of the first three is reached, the frames that were found
    until then are taken.

    bytes    that are read of it. Only the parts with an index and with the wanted frames are read,
             so a video may be much larger
    time_s   for which it may be read, on the clock: a server may be slow
    cpu_s    of computing
    pixels   of a frame
    frames   that are kept
    """

    bytes: int = 32 * 2**20
    time_s: float = 60.0
    cpu_s: float = 10.0
    pixels: int = 36_000_000
    frames: int = MAX_FRAMES


LIMITS = ClipLimits()


class FileSource:
    """A video in a file."""

    def __init__(self, path: Path) -> None:
        """raises   OSError"""
        self._path = path
        self.size = path.stat().st_size

    async def read(self, offset: int, length: int) -> bytes:
        """raises   OSError"""
        return await asyncio.to_thread(self._read, offset, length)

    def _read(self, offset: int, length: int) -> bytes:
        with open(self._path, "rb", opener=_without_waiting) as file:
            file.seek(offset)
            return file.read(length)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file, but wait for nobody to write to it, should it be a pipe by now."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class BytesSource:
    """A video in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    async def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]
