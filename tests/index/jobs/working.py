"""`python -m tests.index.jobs.working URL`: a worker with the pocket model and short waits.

POISON in a picture's bytes kills it, as a fault of a library would.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace

from index.jobs.times import TIMES
from index.jobs.worker import Making
from index.picture_worker import PictureWorker
from pocket import MODEL
from tests.index.jobs.conftest import QUICK

# It deletes no job of a gallery that asks, which looks at the table less often than these tests.
PATIENT = replace(QUICK, asker=TIMES.asker)
POISON = b"this picture ends whoever reads it"


class Mortal(PictureWorker):
    def _offers(self) -> dict[str, Making]:
        return {need: _mortal(making) for need, making in super()._offers().items()}


def _mortal(making: Making) -> Making:
    async def made(data: bytes) -> bytes:
        if POISON in data:
            os.kill(os.getpid(), signal.SIGKILL)
        return await making(data)

    return made


async def main(url: str) -> None:
    worker = await Mortal.open(url, str(MODEL), device="cpu", times=PATIENT)
    print("ready", flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await worker.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
