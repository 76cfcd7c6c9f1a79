"""Workers as processes of their own, and a gallery that asks them."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@asynccontextmanager
async def working(url: str) -> AsyncIterator[Process]:
    """A worker that is ready; killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.index.jobs.working", url, cwd=ROOT, stdout=PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def killed(process: Process) -> None:
    process.kill()
    await process.wait()
