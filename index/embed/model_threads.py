"""The model's threads: small batches from a bounded queue, questions before pictures.

On a CPU there is one thread for each core, and each computes its own batch. Two cores that share a
batch wait for each other after each of its products. A GPU has one thread, so
that calls don't compete for it.

Eight pictures in one call take four fifths of the time of eight calls on a CPU, and far less on a
GPU. So a call waits a moment for pictures that are being decoded. Callers await it; one that is
cancelled while it waits is skipped.
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


class Priority(enum.IntEnum):
    """The order of requests, lowest first. Questions come first: a person waits for them."""

    QUESTION_TEXT = 0
    QUESTION_IMAGE = 1
    TEXT = 2
    IMAGE = 3


# The greatest number of requests that are queued or computed; further callers wait for a free
# place. A picture holds its decoded frames, about 2 MB each.
MAX_QUEUED = {Priority.QUESTION_TEXT: 256, Priority.QUESTION_IMAGE: 32, Priority.TEXT: 256}
# The same for new pictures, for each core: two batches, of which one is computed.
PICTURES_OF_A_CORE, LEAST_PICTURES = 16, 32
# With more threads, their steps in Python would wait for each other.
MAX_THREADS = 16
# Texts in one call; a text costs a tenth of a picture.
TEXT_BATCH = 32
# The longest time that a picture waits for others that are being decoded. In this time a CPU
# decodes twenty.
GATHER_S = 0.25

# Unit rows; and of each text the part that was read, or None for all of it.
Embedded: TypeAlias = tuple[Floats, list[str | None]]


@dataclass(order=True, slots=True)
class _Request:
    priority: Priority
    number: int  # of arrival
    content: list[Any] = field(compare=False)  # frames or texts
    done: Future[Embedded] = field(compare=False)
    queued_at: float = field(compare=False, default_factory=time.monotonic)

    @property
    def size(self) -> int:
        """Frames or texts."""
        return len(self.content)


def pictures_at_once(cores: int) -> int:
    """How many new pictures may be on their way at once, so that all of these cores have work."""
    return max(LEAST_PICTURES, PICTURES_OF_A_CORE * cores)


class ModelThreads:
    """An embedder that many callers may await.

    It remembers nothing of what it computed: an answer that came sooner would tell people that
    somebody has asked the same.

    cores      that it computes on, if it does on a CPU
    gather_s   see GATHER_S
    """

    def __init__(self, embedder: Embedder, cores: int, *, gather_s: float = GATHER_S) -> None:
        self.embedder = embedder
        self._cores = cores
        self._gather_s = gather_s
        self._queue: list[_Request] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._expected = 0  # pictures that are being decoded
        self._idle = 0  # threads that wait for work
        self._batch = 0  # frames in a call; 0: not known yet
        self._closing = False
        most = MAX_QUEUED | {Priority.IMAGE: pictures_at_once(cores)}
        self._places = {priority: asyncio.Semaphore(n) for priority, n in most.items()}
        self._completing: asyncio.Task[None] | None = None
        self._threads: list[threading.Thread] = []
        self._start_one()

    async def complete(self) -> None:
        """Load now what the embedder would load with the first picture. Questions in words are
        answered meanwhile, and pictures wait; if it fails, they get GalleryClosed.

        raises   ModelError
        """
        if self._completing is None:
            self._completing = asyncio.create_task(asyncio.to_thread(self.embedder.complete))
        await asyncio.shield(self._completing)

    @contextlib.contextmanager
    def expecting(self) -> Iterator[None]:
        """Surrounds the decoding of a picture that comes next, so that others may wait for it."""
        with self._changed:
            self._expected += 1
        try:
            yield
        finally:
            with self._changed:
                self._expected -= 1
                self._changed.notify()

    async def images(self, frames: Sequence[Image], *, asked: bool = False) -> Floats:
        """Unit rows, (len(frames), d).

        asked   it is a question, so a person waits for the answer
        """
        if self._completing is not None:
            await asyncio.wait([self._completing])
            if self._completing.exception() is not None:
                raise GalleryClosed
        if not self._batch:  # it depends on the device, and to know that, torch is imported
            self._batch = await asyncio.to_thread(getattr, self.embedder, "batch")
        vectors, _ = await self._wait(
            Priority.QUESTION_IMAGE if asked else Priority.IMAGE, list(frames)
        )
        return vectors

    async def texts(self, texts: Sequence[str], *, asked: bool = False) -> Embedded:
        """Unit rows, (len(texts), d), of one call; and of each text the part that was read, or None
        for all of it.

        asked   it is a question, so a person waits for the answer
        """
        return await self._wait(Priority.QUESTION_TEXT if asked else Priority.TEXT, list(texts))

    @property
    def waiting(self) -> int:
        """Pictures and texts that are queued."""
        return len(self._queue)

    async def close(self) -> None:
        """Finish the batch that is being computed; queued requests get GalleryClosed."""
        with self._changed:
            self._closing = True
            remaining, self._queue = self._queue, []
            self._changed.notify_all()
        for request in remaining:
            if request.done.set_running_or_notify_cancel():
                request.done.set_exception(GalleryClosed())
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    async def _wait(self, priority: Priority, content: list[Any]) -> Embedded:
        async with self._places[priority]:
            return await asyncio.wrap_future(self._put(priority, content))

    def _put(self, priority: Priority, content: list[Any]) -> Future[Embedded]:
        request = _Request(priority, next(self._numbers), content, Future())
        with self._changed:
            if self._closing:
                raise GalleryClosed
            heapq.heappush(self._queue, request)
            self._changed.notify()
        return request.done

    # ---- in the threads

    def _start_one(self) -> None:
        name = f"model_{len(self._threads)}"
        self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
        self._threads[-1].start()

    def _work(self) -> None:
        while batch := self._next_batch():
            self._embed(batch)
            if batch[0].priority is Priority.IMAGE and len(self._threads) == 1:
                self._start_others()

    def _start_others(self) -> None:
        """Start a thread for each core that has none. That is done behind the first pictures:
        questions need one thread, and what pictures need is loaded by then."""
        if self.embedder.device != "cpu":
            return
        with self._changed:
            while not self._closing and len(self._threads) < min(self._cores, MAX_THREADS):
                self._start_one()

    def _next_batch(self) -> list[_Request]:
        """The next request and others like it, as many as fit in one call; empty when closing."""
        with self._changed:
            self._idle += 1
            try:
                while not self._closing:
                    if (wait_s := self._seconds_to_gather()) > 0:
                        self._changed.wait(wait_s)
                    elif batch := self._pop_batch():
                        if self._queue:
                            self._changed.notify()  # another thread may take the rest
                        return batch
                    else:
                        self._changed.wait()
                return []
            finally:
                self._idle -= 1

    def _seconds_to_gather(self) -> float:
        """How long the next pictures may still wait for others that fill their batch."""
        if not self._expected or not self._queue or self._queue[0].priority is not Priority.IMAGE:
            return 0.0
        if sum(request.size for request in self._queue) >= self._batch:
            return 0.0
        return max(self._queue[0].queued_at + self._gather_s - time.monotonic(), 0.0)

    def _answer_questions(self, priority: Priority) -> None:
        """Embed the queued questions that come before requests of this priority.

        It is called twice in each layer while pictures are computed. Eight pictures take a CPU
        400 ms, and a question would wait for all of it; half a layer takes 10 or 20 ms.
        """
        while True:
            with self._changed:
                batch = self._pop_batch(before=min(priority, Priority.TEXT))
            if not batch:
                return
            self._embed(batch)

    def _pop_batch(self, before: int = len(Priority)) -> list[_Request]:
        """A batch from the queue, of a priority before this one. The caller holds the lock."""
        batch: list[_Request] = []
        most = 0
        while self._queue and self._queue[0].priority < before:
            if not batch:
                most = self._most(self._queue[0].priority)
            elif not self._fits(batch, most):
                break
            request = heapq.heappop(self._queue)
            if request.done.set_running_or_notify_cancel():
                batch.append(request)
        return batch

    def _most(self, priority: Priority) -> int:
        """Texts or frames in the next call. Frames: an equal part of what is queued for each idle
        thread, unless more pictures come, which the other threads can take."""
        if priority in (Priority.TEXT, Priority.QUESTION_TEXT):
            return TEXT_BATCH
        if self._expected or self._idle < 2:
            return self._batch
        queued = sum(request.size for request in self._queue)
        return min(self._batch, -(-queued // self._idle))

    def _fits(self, batch: Sequence[_Request], most: int) -> bool:
        """Whether the next request can join the batch, which may have `most` texts or frames."""
        following = self._queue[0]
        size = sum(request.size for request in batch) + following.size
        return following.priority == batch[0].priority and size <= most

    def _embed(self, batch: Sequence[_Request]) -> None:
        try:
            results = self._call(batch)
        except BaseException as exc:
            if len(batch) == 1:
                batch[0].done.set_exception(exc)
                return
            log.warning("a batch of %d failed (%s); now one by one", len(batch), exc)
            for request in batch:
                self._embed([request])
            return
        for request, result in zip(batch, results, strict=True):
            request.done.set_result(result)

    def _call(self, batch: Sequence[_Request]) -> list[Embedded]:
        contents = [one for request in batch for one in request.content]
        if batch[0].priority in (Priority.TEXT, Priority.QUESTION_TEXT):
            vectors, read = self.embedder.texts(contents)
        else:
            between = partial(self._answer_questions, batch[0].priority)
            vectors, read = self.embedder.images(contents, between), []
        ends = list(itertools.accumulate(request.size for request in batch))
        spans = [slice(end - one.size, end) for one, end in zip(batch, ends, strict=True)]
        return [(vectors[span], read[span]) for span in spans]
