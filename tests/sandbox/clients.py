"""The real discord.py, connected to a sandbox, and a small bot for tests."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import discord
import yarl
from discord import app_commands

from sandbox import Server

PATIENCE_S = 60.0


@contextlib.contextmanager
def redirected(server: Server) -> Iterator[None]:
    """Make discord.py use the sandbox as Discord."""
    before = (
        discord.http.Route.BASE,
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY,
        discord.Asset.BASE,
    )
    discord.http.Route.BASE = f"{server.url}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway.url)
    discord.Asset.BASE = f"{server.url}/cdn"
    try:
        yield
    finally:
        (
            discord.http.Route.BASE,
            discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY,
            discord.Asset.BASE,
        ) = before


USUAL = discord.Intents(guilds=True, guild_messages=True, message_content=True)


class Bird(discord.AutoShardedClient):
    """Records all its events as (name, arguments); `set_up` registers commands."""

    def __init__(
        self,
        *,
        intents: discord.Intents = USUAL,
        set_up: Callable[[Bird], None] = lambda bird: None,
        **how: Any,
    ) -> None:
        super().__init__(
            intents=intents,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0.05,  # no further guild is coming
            **how,
        )
        self.tree = app_commands.CommandTree(self)
        self.events: list[tuple[str, tuple[Any, ...]]] = []
        self.failures: list[BaseException] = []
        self._set_up = set_up
        self._news = asyncio.Event()

    async def setup_hook(self) -> None:
        self._set_up(self)
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Don't wait: discord.py waits for five seconds, because Discord limits new sessions."""

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        super().dispatch(event, *args, **kwargs)
        self.events.append((event, args))
        self._news.set()

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        error = sys.exc_info()[1]
        assert error is not None
        self.failures.append(error)

    def named(self, event: str) -> list[Any]:
        """The first arguments of all events of this name so far."""
        return [args[0] if args else None for name, args in self.events if name == event]

    async def until(self, event: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first argument of the first such event; waits until it arrives."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for argument in self.named(event):
                    if wanted(argument):
                        return argument
                self._news.clear()
                await self._news.wait()

    async def times(self, event: str, count: int) -> list[Any]:
        """The first arguments, when the event has come `count` times."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.named(event)) < count:
                self._news.clear()
                await self._news.wait()
        return self.named(event)


@contextlib.asynccontextmanager
async def flying(bird: Bird, server: Server) -> AsyncIterator[Bird]:
    """The bird, logged in and ready. A handler that fails also fails the test."""
    with redirected(server):
        task = asyncio.create_task(bird.start(server.world.application.token))
        try:
            ready = asyncio.create_task(bird.until("ready"))
            await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            if task.done():
                await task
            yield bird
        finally:
            await bird.close()
            await asyncio.gather(task, return_exceptions=True)
    assert not bird.failures, bird.failures
