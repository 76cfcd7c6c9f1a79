"""The small HTTP server of a worker: /healthz and /metrics, as the bot has them."""

from __future__ import annotations

from aiohttp import web

from bot.ops.health import READY, STARTING, exposition, listen, shown
from bot.ops.metrics import WorkerMetrics
from bot.ops.settings import Address
from index import PictureWorker


class WorkerHealth:
    """Answers 200 once the worker takes jobs; 503 while it loads its model."""

    def __init__(self, address: Address, metrics: WorkerMetrics) -> None:
        self._address = address
        self._metrics = metrics
        self._worker: PictureWorker | None = None
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._show_metrics)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)

    async def start(self) -> None:
        """Listen. raises   SettingsError when the address can't be used"""
        await listen(self._runner, self._address)

    def watch(self, worker: PictureWorker) -> None:
        """Tell of the worker from now on."""
        self._worker = worker

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        worker = self._worker
        if worker is None:
            return web.json_response({"ready": False, "state": STARTING}, status=503)
        return web.json_response({"ready": True, "state": READY, "jobs": worker.busy})

    async def _show_metrics(self, _: web.Request) -> web.Response:
        if self._worker is not None:
            await shown(self._metrics.jobs, self._worker.queue)
        return exposition(self._metrics.registry)
