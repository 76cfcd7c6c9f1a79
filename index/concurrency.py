"""Threads that coroutines use, work that outlives its caller, and work that callers share."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from index.types.errors import GalleryClosed

T = TypeVar("T")


class Pool:
    """A number of threads that run functions until the gallery is closed.

    closed    when it is set, no new function is begun
    niceness  of its threads, above that of this process; the system prefers threads of a lower one
    """

    def __init__(
        self, threads: int, name: str, closed: asyncio.Event, *, niceness: int = 0
    ) -> None:
        self._closed = closed
        self._threads = ThreadPoolExecutor(
            threads, thread_name_prefix=name, initializer=_lower_priority, initargs=(niceness,)
        )

    async def run(self, fn: Callable[[], T]) -> T:
        """The result of `fn`.

        raises   GalleryClosed when the pool is closed before `fn` begins; and what `fn` raises
        """
        if self._closed.is_set():
            raise GalleryClosed
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, fn)
        except asyncio.CancelledError:
            if self._closed.is_set() and not _being_cancelled():
                raise GalleryClosed from None  # `close` emptied the pool's queue
            raise

    async def close(self) -> None:
        """Wait for running functions; those that still wait for a thread get GalleryClosed."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)


def _lower_priority(niceness: int) -> None:
    """Let the system prefer others to this thread. Only Linux has a niceness for each thread."""
    if sys.platform == "linux":
        os.nice(niceness)


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def to_completion(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which runs to its end even when the caller is cancelled."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_ignore_error)
        raise


def _ignore_error(task: asyncio.Task[Any]) -> None:
    """Mark the error as seen: without it, asyncio would log an error that no caller waits for."""
    if not task.cancelled():
        task.exception()


class SingleFlight(Generic[T]):
    """Work that callers with the same key share. It stops when the last caller is cancelled."""

    def __init__(self) -> None:
        self._running: dict[Hashable, tuple[asyncio.Task[T], list[None]]] = {}

    async def run(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `make()`, or of the work that is already running under this key."""
        if key not in self._running:
            self._running[key] = (asyncio.ensure_future(make()), [])
        task, waiting = self._running[key]
        waiting.append(None)
        try:
            return await asyncio.shield(task)
        finally:
            waiting.pop()
            if not waiting:
                task.cancel()  # does nothing to a task that is done
                if self._running.get(key, (None,))[0] is task:
                    del self._running[key]
