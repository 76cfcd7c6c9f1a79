"""Thumbnails of the pictures that are in view: kept ones at once, others made one after another.

Whoever asks last is served first, since a fast scroll asks for hundreds that it has passed long
ago. The browser drops the requests of those, and they leave the queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from index.cli.thumbnails import Thumbnails
from index.concurrency import Pool, to_completion
from index.embed import checkpoint
from index.stills import thumbnail_of
from serve.guard import Refused

HEIGHTS = (200, 400)
MOST_MAKERS = 4
NICENESS = 5  # as of questions' pictures: behind searches, before new pictures
MOST_WAITING = 1000


class Making:
    """Makes thumbnails, and keeps them in `kept`."""

    def __init__(self, kept: Thumbnails) -> None:
        makers = min(MOST_MAKERS, checkpoint.cpu_count())
        self._kept = kept
        self._closed = asyncio.Event()
        self._makers = Pool(makers, "thumbnail", self._closed, niceness=NICENESS)
        self._reader = Pool(1, "kept", self._closed)
        self._turns = Turns(makers)

    async def thumbnail(
        self, key: bytes, height: int, contents: Callable[[], Awaitable[bytes]]
    ) -> bytes:
        """The WebP of a picture.

        key        of its item
        contents   reads its bytes, when the turn has come
        raises     what `contents` does, PictureError, DecoderUnusable, GalleryClosed
        """
        if kept := await self._reader.run(partial(self._kept.get, key, height)):
            return kept
        await self._turns.take()
        # What has begun is finished, so that no turn is given away while its thread is busy.
        return await to_completion(self._made(key, height, contents))

    async def _made(
        self, key: bytes, height: int, contents: Callable[[], Awaitable[bytes]]
    ) -> bytes:
        try:
            if kept := await self._reader.run(partial(self._kept.get, key, height)):
                return kept  # two asked for it at the same time
            data = await contents()
            made = await self._makers.run(partial(thumbnail_of, data, height))
        finally:
            self._turns.give()
        await self._reader.run(partial(self._kept.put, key, height, made))
        return made

    async def run(self, work: Callable[[], bytes]) -> bytes:
        """A picture that isn't kept, when its turn has come."""
        await self._turns.take()
        return await to_completion(self._run(work))

    async def _run(self, work: Callable[[], bytes]) -> bytes:
        try:
            return await self._makers.run(work)
        finally:
            self._turns.give()

    async def sweep(self) -> None:
        """Erase the thumbnails of pictures that are gone."""
        await self._reader.run(self._kept.sweep)

    async def close(self) -> None:
        """Finish what has begun, and close the file of the kept ones."""
        self._closed.set()
        for pool in (self._makers, self._reader):
            await pool.close()
        await asyncio.to_thread(self._kept.close)


class Turns:
    """So many at a time; of those that wait, the one that came last is next."""

    def __init__(self, at_once: int, most_waiting: int = MOST_WAITING) -> None:
        self._free = at_once
        self._waiting: list[asyncio.Future[None]] = []
        self._most_waiting = most_waiting

    async def take(self) -> None:
        """Wait for a turn. raises Refused where too many came later"""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if len(self._waiting) > self._most_waiting:
            first = self._waiting.pop(0)
            if not first.done():
                first.set_exception(Refused(503, "Too many pictures are asked for at once."))
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif not turn.cancelled() and turn.exception() is None:
                self.give()
            raise

    def give(self) -> None:
        """Give a turn back, or to the one that came last."""
        while self._waiting:
            turn = self._waiting.pop()
            if not turn.done():  # who was cancelled leaves the queue a moment later
                turn.set_result(None)
                return
        self._free += 1
