"""How the bot is doing: /healthz for whoever keeps it running, /metrics for Prometheus."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bot.ops.settings import Address, SettingsError

if TYPE_CHECKING:
    from bot.app import Magpie

LAG_STEP_S = 0.05  # how often the event loop's lag is measured
LAG_KEPT = 12_000  # ten minutes of it
STUCK_LAG_S = 5.0  # a loop that was held up this long just now is not well
LAG_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 3.0)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The figures of one bot, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.indexed = Counter("magpie_pictures_indexed", "Pictures written", registry=registry)
        self.removed = Counter("magpie_pictures_removed", "Pictures erased", registry=registry)
        self.failed = Counter(
            "magpie_pictures_failed", "Pictures left out", ["reason"], registry=registry
        )
        self.embedding = Histogram(
            "magpie_embed_seconds",
            "From the bytes of a picture to its embedding, waiting included",
            buckets=SECONDS,
            registry=registry,
        )
        self.answering = Histogram(
            "magpie_command_seconds",
            "From a command to the end of its answer",
            ["command"],
            buckets=SECONDS,
            registry=registry,
        )
        self.loop_lag = Histogram(
            "magpie_event_loop_lag_seconds",
            "How much later than asked the event loop runs",
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self.queue = Gauge("magpie_queue_messages", "Messages that wait", registry=registry)
        self.unread = Gauge(
            "magpie_history_channels_left", "Channels with unread history", registry=registry
        )
        self.latency = Gauge(
            "magpie_gateway_latency_seconds", "Between heartbeat and answer", registry=registry
        )
        self.started = time.monotonic()
        self.pictures = 0  # written since then
        self._lags: deque[float] = deque(maxlen=LAG_KEPT)
        self._rates: deque[tuple[float, int]] = deque(maxlen=600)  # (when, pictures so far)

    async def watch_loop(self) -> None:
        """Measure the event loop's lag until cancelled, and the pictures a second."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(LAG_STEP_S)
            lag_s = max(time.perf_counter() - before - LAG_STEP_S, 0.0)
            self.loop_lag.observe(lag_s)
            self._lags.append(lag_s)
            if not self._rates or time.monotonic() - self._rates[-1][0] >= 1.0:
                self._rates.append((time.monotonic(), self.pictures))

    def add_pictures(self, count: int) -> None:
        """`count` pictures were written."""
        self.pictures += count
        self.indexed.inc(count)

    def lag_p99_s(self) -> float:
        """The event loop's lag that one measurement in a hundred exceeds; of the last minutes."""
        lags = sorted(self._lags)
        return lags[min(int(len(lags) * 0.99), len(lags) - 1)] if lags else 0.0

    def last_lag_s(self) -> float:
        return self._lags[-1] if self._lags else 0.0

    def pictures_per_second(self, over_s: float = 60.0) -> float:
        """Pictures written a second, over the last `over_s` seconds."""
        now = time.monotonic()
        then = next(((at, n) for at, n in self._rates if now - at <= over_s), None)
        if then is None or now - then[0] < 1.0:
            return 0.0
        return (self.pictures - then[1]) / (now - then[0])


class Health:
    """The small HTTP server. `ready` answers 200; before and while disconnected, 503."""

    def __init__(self, client: Magpie, address: Address) -> None:
        self._client = client
        self._address = address
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)

    async def start(self) -> None:
        """Listen.

        raises   SettingsError when the address can't be had
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address.host, self._address.port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise SettingsError(
                [
                    f"MAGPIE_HTTP={self._address}: can't listen there ({error.strerror or error}); "
                    "another program may be using it. Choose another port, or off."
                ]
            ) from error

    async def close(self) -> None:
        await self._runner.cleanup()

    @property
    def port(self) -> int:
        """The port it really listens on."""
        return int(self._runner.addresses[0][1])

    async def _healthz(self, _: web.Request) -> web.Response:
        state = await self._state()
        return web.json_response(state, status=200 if state["ready"] else 503)

    async def _state(self) -> dict[str, Any]:
        client, metrics = self._client, self._client.metrics
        latency = client.latency
        ready = (
            client.is_ready()
            and not client.is_closed()
            and not any(shard.is_closed() for shard in client.shards.values())
            and math.isfinite(latency)
            and metrics.last_lag_s() < STUCK_LAG_S
        )
        return {
            "ready": ready,
            "indexing": client.backlog.busy or client.ingest.busy,
            "pictures": await client.gallery.count_links(),
            "queue": client.ingest.depth,
            "channels_left": len(client.backlog.unfinished()),
            "latency_ms": round(latency * 1000, 1) if math.isfinite(latency) else None,
            "loop_lag_p99_ms": round(metrics.lag_p99_s() * 1000, 1),
            "uptime_s": round(time.monotonic() - metrics.started, 1),
        }

    async def _metrics(self, _: web.Request) -> web.Response:
        client, metrics = self._client, self._client.metrics
        metrics.queue.set(client.ingest.depth)
        metrics.unread.set(len(client.backlog.unfinished()))
        metrics.latency.set(client.latency)
        return web.Response(
            body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )
