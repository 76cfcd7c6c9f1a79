"""Tasks that work beside Discord's events, and end before the connection does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Background:
    """The tasks of one part of the bot.

    After `close` no task begins: Discord's events still come until the client has disconnected, and
    what they began then would find the connection closed.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """The task that does this work, which after `close` is cancelled before its first step."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._closed:
            task.cancel()
        return task

    async def close(self) -> None:
        """Cancel all tasks, and wait until they have ended."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
