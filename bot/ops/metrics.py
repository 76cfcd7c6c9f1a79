"""The figures that the bot measures while it runs, for Prometheus and `/status`."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Container

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from index import QueueState

LAG_STEP_S = 0.05  # how often the event loop's lag is measured
LAG_KEPT = 12_000  # measurements: ten minutes of them
WRITTEN_KEPT = 10_000  # commits: more than fit into a minute
LAG_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 3.0)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class JobMetrics:
    """The figures of the queue of jobs, which bots and workers show alike. NaN: there is none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.waiting = Gauge(
            "magpie_jobs_waiting", "Pictures that wait for a worker, of all bots", registry=registry
        )
        self.leased = Gauge(
            "magpie_jobs_leased", "Pictures that workers have in hand", registry=registry
        )
        self.oldest = Gauge(
            "magpie_jobs_oldest_seconds",
            "How long the oldest of them has waited",
            registry=registry,
        )
        self.dead = Gauge("magpie_dead_letters", "Pictures that were given up", registry=registry)
        self.show(None)

    def show(self, queue: QueueState | None) -> None:
        """Show the queue as it is now."""
        self.waiting.set(math.nan if queue is None else queue.waiting)
        self.leased.set(math.nan if queue is None else queue.leased)
        self.oldest.set(math.nan if queue is None else queue.oldest_s)
        self.dead.set(math.nan if queue is None else queue.dead)


class WorkerMetrics:
    """The figures of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.jobs = JobMetrics(registry)
        self.done = Histogram(
            "magpie_worker_job_seconds",
            "From the lease of a job to its end",
            ["end"],
            buckets=SECONDS,
            registry=registry,
        )
        ProcessCollector(registry=registry)

    def finished(self, end: str, seconds: float) -> None:
        """Count a job: "answered", "refused" (it is no picture), "failed" or "dropped"."""
        self.done.labels(end).observe(seconds)


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
        self.transcribing = Histogram(
            "magpie_ocr_seconds",
            "From the bytes of a picture to the words in it, waiting included",
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
        self.unread = Counter(
            "magpie_unread",
            "Messages and events of Discord that could not be read",
            ["what"],
            registry=registry,
        )
        self.queue = Gauge("magpie_queue_messages", "Messages that wait", registry=registry)
        self.history_left = Gauge(
            "magpie_history_channels_left", "Channels with unread history", registry=registry
        )
        self.latency = Gauge(
            "magpie_gateway_latency_seconds", "Between heartbeat and answer", registry=registry
        )
        self.ready = Gauge(
            "magpie_ready", "1 if it is connected and answers, else 0", registry=registry
        )
        self.pictures = Gauge(
            "magpie_pictures", "Pictures that can be found, on all servers", registry=registry
        )
        self.disk_free = Gauge(
            "magpie_disk_free_bytes",
            "Room where the gallery's file is; NaN where it is in a database",
            registry=registry,
        )
        self.jobs = JobMetrics(registry)
        ProcessCollector(registry=registry)  # memory and processor time of this process
        self.started = time.monotonic()
        self._lags: deque[float] = deque(maxlen=LAG_KEPT)
        # When, in which group, and how many pictures.
        self._written: deque[tuple[float, int, int]] = deque(maxlen=WRITTEN_KEPT)

    async def watch_loop(self) -> None:
        """Measure the event loop's lag and the pictures a second, until cancelled."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(LAG_STEP_S)
            lag_s = max(time.perf_counter() - before - LAG_STEP_S, 0.0)
            self.loop_lag.observe(lag_s)
            self._lags.append(lag_s)

    def add_pictures(self, group: int, count: int) -> None:
        """Count pictures that were written to a group."""
        self._written.append((time.monotonic(), group, count))
        self.indexed.inc(count)

    def lag_p99_s(self) -> float:
        """The 99th percentile of the event loop's lag in the last ten minutes."""
        lags = sorted(self._lags)
        return lags[min(int(len(lags) * 0.99), len(lags) - 1)] if lags else 0.0

    def last_lag_s(self) -> float:
        return self._lags[-1] if self._lags else 0.0

    def pictures_per_second(self, groups: Container[int], over_s: float = 60.0) -> float:
        """Pictures written to these groups a second, over the last `over_s` seconds."""
        now = time.monotonic()
        written = sum(n for at, group, n in self._written if now - at <= over_s and group in groups)
        return written / max(min(over_s, now - self.started), 1.0)
