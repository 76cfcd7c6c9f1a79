"""How late an event loop is while something is done, beside a process that does nothing else.

On a busy machine every process waits for the processor now and then. So what a loop waits longer
than that process does comes from the work beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np

PERIOD_S = 0.01
# The other process: it sleeps until its input ends, and prints how late it was each time.
IDLE = f"""
import json, select, sys, time
late = []
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    began = time.monotonic()
    time.sleep({PERIOD_S})
    late.append([began, max(time.monotonic() - began - {PERIOD_S}, 0)])
print(json.dumps(late))
"""


@dataclass
class Lags:
    """How late each tick was, in seconds: of the loop, and of the idle process."""

    loop: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)

    def figures(self) -> tuple[dict[str, float], dict[str, float]]:
        """The 99th percentile and the greatest lag in ms: of the loop, and of the idle process."""
        mine, others = (
            {
                "p99": round(1000 * float(np.percentile(late, 99)), 1),
                "greatest": round(1000 * max(late), 1),
            }
            for late in (self.loop, self.idle)
        )
        return mine, others


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[Lags]:
    """Surrounds what is measured; the lags are complete afterwards."""
    lags, pipe = Lags(), asyncio.subprocess.PIPE
    idle = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", IDLE), stdin=pipe, stdout=pipe, limit=2**26
    )
    assert idle.stdout is not None
    await idle.stdout.readline()
    began = time.monotonic()
    watch = asyncio.create_task(watch_loop(lags.loop))
    try:
        yield lags
    finally:
        watch.cancel()
        told, _ = await idle.communicate(b"")  # ends its input
    lags.idle += [late for when, late in json.loads(told) if when >= began]


async def watch_loop(lags: list[float], period_s: float = PERIOD_S) -> None:
    """Note each time how late this loop is, in seconds, until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + period_s
        await asyncio.sleep(period_s)
        lags.append(max(loop.time() - due, 0.0))
