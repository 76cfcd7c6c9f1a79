"""`python -m tests.index.jobs.working SOCKET`: workers with the pocket model and short waits.

Each connection to the socket is a worker: it names a database, is told the worker's process when
that is ready, and is closed when that ends. The workers are forked from a process that has loaded
all they need, since a start takes seconds.

POISON in a picture's bytes kills a worker, as a fault of a library would.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from dataclasses import replace

from index.embed import checkpoint, embedder
from index.embed.embedder import Embedder
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


async def work(asked: socket.socket, model: Embedder) -> None:
    """Work until the connection is closed."""
    reader, writer = await asyncio.open_unix_connection(sock=asked)
    url = (await reader.readline()).decode().strip()
    worker = await Mortal.open(url, model, times=PATIENT)
    writer.write(b"%d\n" % os.getpid())
    await reader.read()
    await worker.close()


def main(path: str) -> None:
    # Only a process of one thread may be forked.
    os.environ["OMP_NUM_THREADS"] = "1"
    model = embedder.load(checkpoint.find(str(MODEL)), "cpu")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a worker
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        print("ready", flush=True)
        while True:
            asked, _ = listening.accept()
            with asked:
                if os.fork() == 0:
                    listening.close()
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    asyncio.run(work(asked, model))
                    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
