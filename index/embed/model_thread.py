"""The model's one thread: micro-batches out of a bounded queue, questions before pictures.

Eight pictures in one call take four fifths of the time of eight calls on a CPU, far less on a
GPU, so a call waits a moment for those that are being decoded. One thread keeps a model's memory
and a CPU's cores in order. The doorway is async; a caller that is cancelled while waiting is
skipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import heapq
import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from index.embed.embedder import Embedder
from index.types.errors import GalleryClosed
from index.types.records import Floats

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)


class Turn(enum.IntEnum):
    """Who goes first: somebody waits for a question's answer, nobody for a new picture."""

    ASKED_TEXT = 0
    ASKED_IMAGE = 1
    TEXT = 2
    IMAGE = 3


# How many may wait; further callers wait to be let in. A waiting picture holds its decoded
# frames, some 2 MB each.
MAX_WAITING = {Turn.ASKED_TEXT: 256, Turn.ASKED_IMAGE: 32, Turn.TEXT: 256, Turn.IMAGE: 32}
# Texts in one call; they cost a tenth of a picture.
TEXT_BATCH = 32
# How long a picture waits for others that are being decoded: as long as a CPU decodes twenty.
GATHER_S = 0.25
# Questions whose embeddings are remembered, some 2 KB each: people ask again what others asked.
REMEMBERED = 1024

Embedded: TypeAlias = tuple[Floats, str | None]


@dataclass(order=True, slots=True)
class _Waiting:
    turn: Turn
    number: int
    content: Any = field(compare=False)  # a list of frames, or a text
    done: Future[Embedded] = field(compare=False)
    since: float = field(compare=False, default_factory=time.monotonic)

    @property
    def size(self) -> int:
        return len(self.content) if self.turn in (Turn.IMAGE, Turn.ASKED_IMAGE) else 1


class ModelThread:
    """An embedder behind an async doorway."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self._queue: list[_Waiting] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._expected = 0  # pictures that are being decoded
        self._closing = False
        self._remembered: OrderedDict[str, Embedded] = OrderedDict()
        self._doors = {turn: asyncio.Semaphore(n) for turn, n in MAX_WAITING.items()}
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    @contextlib.contextmanager
    def expecting(self) -> Iterator[None]:
        """While a picture is decoded that comes next; others may wait for it."""
        with self._changed:
            self._expected += 1
        try:
            yield
        finally:
            with self._changed:
                self._expected -= 1
                self._changed.notify()

    async def images(self, frames: Sequence[Image], *, asked: bool = False) -> Floats:
        """(frames, d) unit rows; `asked`: somebody waits for the answer."""
        vectors, _ = await self._wait(Turn.ASKED_IMAGE if asked else Turn.IMAGE, list(frames))
        return vectors

    async def text(self, text: str, *, asked: bool = False) -> Embedded:
        """(1, d), and what was read of a text that was too long.

        asked   somebody waits for the answer; one of the last questions has it at once
        """
        if not asked:
            return await self._wait(Turn.TEXT, text)
        if text not in self._remembered:
            embedded = await self._wait(Turn.ASKED_TEXT, text)
            self._remembered[text] = embedded
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
            return embedded
        self._remembered.move_to_end(text)
        return self._remembered[text]

    @property
    def waiting(self) -> int:
        """How many pictures and texts wait for the model."""
        return len(self._queue)

    async def close(self) -> None:
        """Finish the batch in hand; whoever still waits gets GalleryClosed."""
        with self._changed:
            self._closing = True
            left, self._queue = self._queue, []
            self._changed.notify()
        for waiting in left:
            if waiting.done.set_running_or_notify_cancel():
                waiting.done.set_exception(GalleryClosed())
        await asyncio.to_thread(self._thread.join)

    async def _wait(self, turn: Turn, content: Any) -> Embedded:
        async with self._doors[turn]:
            return await asyncio.wrap_future(self._put(turn, content))

    def _put(self, turn: Turn, content: Any) -> Future[Embedded]:
        waiting = _Waiting(turn, next(self._numbers), content, Future())
        with self._changed:
            if self._closing:
                raise GalleryClosed
            heapq.heappush(self._queue, waiting)
            self._changed.notify()
        return waiting.done

    # ---- in the thread

    def _work(self) -> None:
        while batch := self._next_batch():
            self._embed(batch)

    def _next_batch(self) -> list[_Waiting]:
        """The next in turn and others like it, as many as go in one call; empty: closing."""
        with self._changed:
            while not self._closing:
                if gather_s := self._worth_waiting():
                    self._changed.wait(gather_s)
                elif batch := self._taken():
                    return batch
                else:
                    self._changed.wait()
            return []

    def _worth_waiting(self) -> float:
        """For how many seconds at most the next pictures wait for others to fill their batch."""
        if not self._expected or not self._queue or self._queue[0].turn is not Turn.IMAGE:
            return 0.0
        if sum(waiting.size for waiting in self._queue) >= self.embedder.batch:
            return 0.0
        return max(self._queue[0].since + GATHER_S - time.monotonic(), 0.0)

    def _ask_first(self, turn: Turn) -> None:
        """Embed what is asked for and goes before this turn, which is in hand.

        Called twice in each layer of a picture's call: eight pictures take a CPU 400 ms, half a
        layer of theirs 10 or 20, and an answer would wait for all of it.
        """
        while True:
            with self._changed:
                batch = self._taken(before=min(turn, Turn.TEXT))
            if not batch:
                return
            self._embed(batch)

    def _taken(self, before: int = len(Turn)) -> list[_Waiting]:
        """A batch out of the queue, of a turn before this one; the lock is held."""
        batch: list[_Waiting] = []
        while self._queue and self._queue[0].turn < before and (not batch or self._fits(batch)):
            waiting = heapq.heappop(self._queue)
            if waiting.done.set_running_or_notify_cancel():
                batch.append(waiting)
        return batch

    def _fits(self, batch: Sequence[_Waiting]) -> bool:
        """Whether the next in turn can go in the same call."""
        first, following = batch[0], self._queue[0]
        texts = first.turn in (Turn.TEXT, Turn.ASKED_TEXT)
        room = (TEXT_BATCH if texts else self.embedder.batch) - sum(w.size for w in batch)
        return following.turn == first.turn and following.size <= room

    def _embed(self, batch: Sequence[_Waiting]) -> None:
        try:
            results = self._call(batch)
        except BaseException as exc:
            if len(batch) == 1:
                batch[0].done.set_exception(exc)
                return
            log.warning("a batch of %d failed (%s); one by one now", len(batch), exc)
            for waiting in batch:
                self._embed([waiting])
            return
        for waiting, result in zip(batch, results, strict=True):
            waiting.done.set_result(result)

    def _call(self, batch: Sequence[_Waiting]) -> list[Embedded]:
        if batch[0].turn in (Turn.TEXT, Turn.ASKED_TEXT):
            vectors, read = self.embedder.texts([waiting.content for waiting in batch])
            return [(vectors[i : i + 1], read[i]) for i in range(len(batch))]
        frames = [frame for waiting in batch for frame in waiting.content]
        vectors = self.embedder.images(frames, partial(self._ask_first, batch[0].turn))
        ends = list(itertools.accumulate(w.size for w in batch))
        return [
            (vectors[end - waiting.size : end], None)
            for waiting, end in zip(batch, ends, strict=True)
        ]
