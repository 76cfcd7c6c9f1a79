"""A small HTTP server: /healthz for a supervisor such as Docker, /metrics for Prometheus.

It listens from the first second. Loading a model, the first time downloading it, may take long, and
a supervisor must be able to tell that from a bot that is stuck.
"""

from __future__ import annotations

import asyncio
import math
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bot.ops.metrics import JobMetrics, Metrics
from bot.ops.settings import Address, SettingsError
from index import JobsUnreachable, QueueState

STARTING, READY, DISCONNECTED = "starting", "ready", "disconnected"
STUCK_LAG_S = 5.0  # if the event loop was held up this long just now, the bot is not ready


@dataclass(frozen=True, slots=True)
class Condition:
    """The bot's state at one moment."""

    connected: bool
    heard: bool  # whether Discord has answered a heartbeat
    latency_s: float | None  # between a heartbeat and its answer; None if that is not known
    indexing: bool
    queue: int  # messages that wait
    channels_left: int  # channels and threads with unread history


class Health:
    """The small HTTP server. A bot that is ready answers 200; one that starts or isn't connected,
    503, with the `state` "starting" or "disconnected"."""

    def __init__(self, address: Address, metrics: Metrics) -> None:
        self._address = address
        self._metrics = metrics
        self._condition: Callable[[], Condition] | None = None
        self._pictures: Callable[[], Awaitable[int]] | None = None
        self._folder: Path | None = None
        self._queue: Callable[[], Awaitable[QueueState]] | None = None
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._show_metrics)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)

    async def start(self) -> None:
        """Listen.

        raises   SettingsError when the address can't be used
        """
        await listen(self._runner, self._address)

    def watch(
        self,
        condition: Callable[[], Condition],
        pictures: Callable[[], Awaitable[int]],
        folder: Path | None,
        queue: Callable[[], Awaitable[QueueState]] | None = None,
    ) -> None:
        """Tell of the bot from now on; until then it is starting.

        condition  gives the bot's state at this moment
        pictures   counts the indexed pictures
        folder     where the gallery's file is; None: it is in a database
        queue      tells how the queue of the workers' jobs is, where there is one
        """
        self._queue = queue
        self._condition = condition
        self._pictures = pictures
        self._folder = folder

    async def close(self) -> None:
        await self._runner.cleanup()

    @property
    def port(self) -> int:
        """The port that it listens on; it differs from the setting only for port 0."""
        return int(self._runner.addresses[0][1])

    async def _healthz(self, _: web.Request) -> web.Response:
        state = await self._state()
        return web.json_response(state, status=200 if state["ready"] else 503)

    async def _state(self) -> dict[str, Any]:
        metrics = self._metrics
        uptime_s = round(time.monotonic() - metrics.started, 1)
        if self._condition is None or self._pictures is None:
            return {"ready": False, "state": STARTING, "uptime_s": uptime_s}
        now = self._condition()
        ready = self._is_ready(now)
        return {
            "ready": ready,
            "state": READY if ready else DISCONNECTED,
            "indexing": now.indexing,
            "pictures": await self._pictures(),
            "queue": now.queue,
            "channels_left": now.channels_left,
            "latency_ms": None if now.latency_s is None else round(now.latency_s * 1000, 1),
            "loop_lag_p99_ms": round(metrics.lag_p99_s() * 1000, 1),
            "uptime_s": uptime_s,
        }

    def _is_ready(self, now: Condition) -> bool:
        return now.connected and now.heard and self._metrics.last_lag_s() < STUCK_LAG_S

    async def _disk_free(self) -> float:
        if self._folder is None:
            return math.nan
        return (await asyncio.to_thread(shutil.disk_usage, self._folder)).free

    async def _show_metrics(self, _: web.Request) -> web.Response:
        metrics = self._metrics
        if self._condition and self._pictures:
            metrics.pictures.set(await self._pictures())
            metrics.disk_free.set(await self._disk_free())
            now = self._condition()
            metrics.ready.set(self._is_ready(now))
            metrics.queue.set(now.queue)
            metrics.history_left.set(now.channels_left)
            metrics.latency.set(math.nan if now.latency_s is None else now.latency_s)
        if self._queue is not None:
            await shown(metrics.jobs, self._queue)
        return exposition(metrics.registry)


async def listen(runner: web.AppRunner, address: Address) -> None:
    """Let a server listen.

    raises   SettingsError when the address can't be used
    """
    await runner.setup()
    try:
        await web.TCPSite(runner, address.host, address.port).start()
    except OSError as error:
        await runner.cleanup()
        raise SettingsError(
            [
                f"MAGPIE_HTTP={address}: can't listen there ({error.strerror or error}); "
                "another program may be using it. Choose another port, or off."
            ]
        ) from error


async def shown(metrics: JobMetrics, queue: Callable[[], Awaitable[QueueState]]) -> None:
    """Show the queue as it is now; NaN while its database can't be used."""
    try:
        metrics.show(await queue())
    except JobsUnreachable:
        metrics.show(None)


def exposition(registry: CollectorRegistry) -> web.Response:
    """The figures as Prometheus reads them."""
    return web.Response(
        body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )
