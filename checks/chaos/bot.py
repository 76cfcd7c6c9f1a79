"""The bot as a process: killed, limited in its disk, and started again, as a service is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from checks.chaos.clock import Clock
from checks.chaos.reading import Place
from checks.chaos.servers import TOKEN
from pocket import MODEL

ROOT = Path(__file__).resolve().parents[2]
REFUSED = 2  # exit status: something has to change first, for example a file is locked
AGAIN_S = 0.5  # from an end to the next start
LOG_LINE_BYTES = 1 << 20
END_S = 30.0  # in which a SIGTERM must end it, on a busy core


class Bot:
    """Keeps the bot running until `close`: it is started again after every end."""

    def __init__(self, base: str, place: Place, log: Path, clock: Clock, *, hurried: bool) -> None:
        self._place = place
        self.clock = clock
        self.deaths = 0  # ends of any kind; a question that is open then gets no answer
        self.crashes: list[str] = []  # ends that this class did not cause
        self.refusals = 0
        self.wait_s = AGAIN_S
        self.lists = True  # whether its next process lists channels to find deletions
        self._hurried = hurried
        self._base = base
        self._log = log
        self._port = _free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._asked_to_end = False
        self._closing = False
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def close(self) -> bool:
        """Tell it to end with SIGTERM. -> whether it ended in time; else it is killed"""
        self._closing = True
        self.terminate()
        assert self._running is not None
        done, _ = await asyncio.wait({self._running}, timeout=END_S)
        if not done:
            self._send(signal.SIGKILL)
            await self._running
        return bool(done)

    def kill(self) -> None:
        """kill -9."""
        self._asked_to_end = True
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        self._asked_to_end = True
        self._send(signal.SIGTERM)

    def limit_files(self, max_bytes: int | None) -> None:
        """Forbid it to write a file beyond this many bytes; None lifts the limit."""
        if self._process is not None and self._process.returncode is None:
            soft = resource.RLIM_INFINITY if max_bytes is None else max_bytes
            with contextlib.suppress(ProcessLookupError):
                limits = (soft, resource.RLIM_INFINITY)
                resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, limits)

    async def health(self, session: aiohttp.ClientSession) -> dict[str, Any]:
        """What /healthz says; empty while it doesn't answer."""
        try:
            timeout = aiohttp.ClientTimeout(total=5)
            address = f"http://127.0.0.1:{self._port}/healthz"
            async with session.get(address, timeout=timeout) as answer:
                state: dict[str, Any] = await answer.json()
                return state
        except (aiohttp.ClientError, OSError, TimeoutError):
            return {}

    def _send(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _run(self) -> None:
        with self._log.open("ab", buffering=0) as log:
            while not self._closing:
                self._asked_to_end = False
                await self._live(log.write)
                self.deaths += 1
                await asyncio.sleep(0 if self._closing else self.wait_s)

    async def _live(self, write: Callable[[bytes], Any]) -> None:
        module = "checks.chaos.hurried" if self._hurried or not self.lists else "bot"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module),
            cwd=self._log.parent,
            env={**os.environ, **self._settings()},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LOG_LINE_BYTES,
        )
        assert self._process.stdout is not None
        last: list[str] = []
        while line := await self._process.stdout.readline():
            write(line)
            last = [*last[-3:], line.decode(errors="replace").rstrip()]
        status = await self._process.wait()
        write(f"-- ended with {status} at {time.time():.3f}\n".encode())
        self.refusals += status == REFUSED
        if not self._asked_to_end and status != REFUSED:
            self.crashes.append(f"status {status}: {' | '.join(last)}")
        elif self._asked_to_end and status not in (0, REFUSED, -signal.SIGKILL, -signal.SIGTERM):
            self.crashes.append(f"status {status} when told to end: {' | '.join(last)}")

    def _settings(self) -> dict[str, str]:
        return {
            "DISCORD_TOKEN": TOKEN,
            "DISCORD_API": self._base,
            "MAGPIE_DB": str(self._place),
            "MAGPIE_MODEL": str(MODEL),
            "MAGPIE_DEVICE": "cpu",
            "MAGPIE_HTTP": f"127.0.0.1:{self._port}",
            "MAGPIE_QUESTIONS": "0",
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "CHAOS_LISTING": "on" if self.lists else "off",
            **self.clock.environment,
        }


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])
