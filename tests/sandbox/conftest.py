"""People with their clients, for the shared sandbox."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from sandbox import Server
from sandbox.person import Person

LogIn = Callable[[str], Awaitable[Person]]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A session for plain requests."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def log_in(sandbox: Server, http: aiohttp.ClientSession) -> AsyncIterator[LogIn]:
    """`await log_in("ada")` returns ada's client, which is open until the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        async def enter(name: str) -> Person:
            return await stack.enter_async_context(
                Person.log_in(http, sandbox.url, f"{name}-token")
            )

        yield enter
