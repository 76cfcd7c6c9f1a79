"""Threads behind an async doorway, work that outlives its caller, and work that callers share."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from index.types.errors import GalleryClosed

T = TypeVar("T")

PATIENT_NICENESS = 10


class Pool:
    """So many threads, until the gallery is closed.

    closed   set from when on nothing new is begun
    patient  the system prefers all other threads to these
    """

    def __init__(
        self, threads: int, name: str, closed: asyncio.Event, *, patient: bool = False
    ) -> None:
        self._closed = closed
        self._threads = ThreadPoolExecutor(
            threads, thread_name_prefix=name, initializer=_be_patient if patient else None
        )

    async def run(self, fn: Callable[[], T]) -> T:
        """What `fn` gives back; raises GalleryClosed when it isn't begun any more."""
        if self._closed.is_set():
            raise GalleryClosed
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, fn)
        except asyncio.CancelledError:
            if self._closed.is_set() and not _being_cancelled():
                raise GalleryClosed from None  # `close` emptied the pool's queue
            raise

    async def close(self) -> None:
        """Wait for what is running; whoever still waits for a thread gets GalleryClosed."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)


def _be_patient() -> None:
    """Let the system prefer all other threads to this one, where it can tell them apart."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), PATIENT_NICENESS)


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def to_completion(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives back; a cancelled caller doesn't stop it, nor hears how it ends."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_heard)
        raise


def _heard(task: asyncio.Task[Any]) -> None:
    """An error that nobody waits for any more is no fault of the program."""
    if not task.cancelled():
        task.exception()


class SingleFlight(Generic[T]):
    """Running work by its key; it stops when the last who waits for it is cancelled."""

    def __init__(self) -> None:
        self._running: dict[Hashable, tuple[asyncio.Task[T], list[None]]] = {}

    async def run(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `make()` gives back, from the work already running under this key if any."""
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
