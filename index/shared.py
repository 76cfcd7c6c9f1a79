"""Work that outlives its caller, and work that several callers share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
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


class Shared(Generic[T]):
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
