"""Workers as processes of their own, which can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


class WorkerProcess:
    """A worker that is ready."""

    def __init__(self, pid: int, reader: asyncio.StreamReader) -> None:
        self._pid = pid
        self._ending = asyncio.create_task(_ended(reader))

    async def wait(self) -> None:
        """Wait until it has ended."""
        await asyncio.shield(self._ending)

    async def kill(self) -> None:
        """Let it end at once, as by a fault of the machine."""
        if not self._ending.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        await self.wait()


async def _ended(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()


class Workers:
    """Starts workers, each a fork of one process that has loaded the model."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    @contextlib.asynccontextmanager
    async def working(self, url: str) -> AsyncIterator[WorkerProcess]:
        """A worker for this database; killed at the end of the block."""
        reader, writer = await asyncio.open_unix_connection(self._socket)
        try:
            writer.write(f"{url}\n".encode())
            process = WorkerProcess(int(await reader.readline()), reader)
            try:
                yield process
            finally:
                await process.kill()
        finally:
            writer.close()


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    # The path of a socket must be short, which pytest's folders are not.
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "workers"
        parent = subprocess.Popen(
            [sys.executable, "-m", "tests.index.jobs.working", socket],
            cwd=ROOT, stdout=subprocess.PIPE,
        )  # fmt: skip
        with parent:
            try:
                assert parent.stdout is not None
                assert parent.stdout.readline() == b"ready\n"
                yield Workers(socket)
            finally:
                parent.kill()
