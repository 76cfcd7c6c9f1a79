"""A check at the moment a request leaves.

discord.py may hold a request back for long: it waits for rate limits, and while Discord fails it
tries again for half a minute. So what is true when a request is made may be wrong when it leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import aiohttp


class Outdated(Exception):
    """What a request says is no longer true, so it was not sent."""


_check: ContextVar[Callable[[], bool] | None] = ContextVar("check", default=None)


@contextmanager
def only_while(still_true: Callable[[], bool]) -> Iterator[None]:
    """Each request that is made in here is sent, or sent again, only if `still_true` says so then.

    raises   Outdated, from the request, if it says no
    """
    before = _check.set(still_true)
    try:
        yield
    finally:
        _check.reset(before)


def trace() -> aiohttp.TraceConfig:
    """What a client's HTTP session needs so that `only_while` holds for its requests."""
    config = aiohttp.TraceConfig()
    config.on_request_start.append(_look)
    return config


async def _look(*_: object) -> None:
    check = _check.get()
    if check is not None and not check():
        raise Outdated
