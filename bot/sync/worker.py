"""Work that is done again and again: when it is woken, and after a wait."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from bot.ops.background import Background
from bot.ops.logs import fields
from index import GalleryClosed, StoreError

log = logging.getLogger(__name__)


class Worker:
    """Does its work in a task, until it is closed.

    name      of the task; what is logged when the work fails begins with it
    work      does all there is to do; returns how many seconds later it is to look again
    woken     is set when there may be more
    again_s   how many seconds later it is tried again when it failed
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[float]],
        woken: asyncio.Event,
        again_s: Callable[[], float],
    ) -> None:
        self._name = name
        self._work = work
        self._woken = woken
        self._again_s = again_s
        self._background = Background()
        self._begun = False
        self._working = False

    @property
    def busy(self) -> bool:
        """Whether it works, or was woken."""
        return self._working or self._woken.is_set()

    def start(self) -> None:
        """Begin, unless it has begun; first with what was left at the last end."""
        if not self._begun:
            self._begun = True
            self._woken.set()
            self._background.begin(self._run(), self._name)

    async def close(self) -> None:
        """Stop at once, and begin no more."""
        await self._background.close()

    async def _run(self) -> None:
        with contextlib.suppress(GalleryClosed):
            while True:
                wait_s = await self._do()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._woken.wait()

    async def _do(self) -> float:
        """Work once; returns how long to wait then. raises   GalleryClosed"""
        self._working = True
        self._woken.clear()
        try:
            return await self._work()
        except GalleryClosed:
            raise
        except StoreError as error:  # such as a full disk
            log.warning(fields(f"{self._name}_wait", why=error))
        except Exception:
            log.exception(fields(f"{self._name}_wait"))
        finally:
            self._working = False
        return self._again_s()
