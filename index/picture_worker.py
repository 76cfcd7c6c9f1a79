"""A worker on this machine: its model, its decoders, and what it can make of pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from index.concurrency import Pool
from index.copies.derivation import FingerprintDerivation
from index.embed import checkpoint, embedder
from index.embed.embedder import Embedder
from index.embed.model_threads import ModelThreads
from index.jobs.dead_letters import DeadLetters, QueueState
from index.jobs.packing import lines_to_bytes, picture_to_bytes
from index.jobs.times import TIMES, Times
from index.jobs.worker import Making, Worker
from index.making import decoding_threads, embedded
from index.ocr.transcriber import Transcriber
from index.reembedding import ReembeddingDerivation
from index.types.records import Precision

# Jobs in hand at once: a batch for each core that embeds it, and one that is decoded meanwhile.
JOBS_OF_A_CORE = 8


class PictureWorker:
    """Makes of pictures what galleries ask for; begun by `open`.

    name   by which the database knows it
    """

    def __init__(
        self,
        url: str,
        model: Embedder,
        transcriber: Transcriber | None,
        finished: Callable[[str, float], None],
        times: Times,
    ) -> None:
        self._closed = asyncio.Event()
        cores = checkpoint.cpu_count()
        self._decoding = Pool(decoding_threads(cores), "decode", self._closed)
        self._model = ModelThreads(model, cores)
        self._transcriber = transcriber
        self._dead_letters = DeadLetters(url)
        at_once = JOBS_OF_A_CORE * (cores + 1)
        self._worker = Worker(url, self._offers(), at_once=at_once, finished=finished, times=times)
        self.name = self._worker.name

    @classmethod
    async def open(
        cls,
        url: str,
        model: str | Embedder,
        *,
        device: str = "auto",
        precision: Precision = "exact",
        transcriber: Transcriber | None = None,
        finished: Callable[[str, float], None] = lambda how, seconds: None,
        times: Times = TIMES,
    ) -> PictureWorker:
        """A worker for the jobs of the PostgreSQL database at `url`, at work.

        model, device, precision   as of a gallery; only jobs for this model are taken
        transcriber                reads words in pictures; None: such jobs are left to others
        finished                   told of each job, see `Worker`
        raises                     ModelError, JobsUnreachable
        """
        if isinstance(model, str):
            found = await asyncio.to_thread(checkpoint.find, model)
            model = await asyncio.to_thread(embedder.load, found, device, precision)
        made = cls(url, model, transcriber, finished, times)
        try:
            await made._worker.start()
        except BaseException:
            await made.close()
            raise
        return made

    def _offers(self) -> dict[str, Making]:
        """What it can make, by need. The same code makes it in a gallery."""
        revision = self._model.embedder.revision
        fingerprints = FingerprintDerivation(self._decoding)
        again = ReembeddingDerivation(self._model, self._decoding)
        offers: dict[str, Making] = {
            f"vectors:{revision}": self._picture,
            f"{again.name}:{revision}": again.of_picture,
            f"{fingerprints.name}:{fingerprints.revision}": fingerprints.of_picture,
        }
        if self._transcriber is not None:
            offers[f"words:{self._transcriber.revision}"] = self._words
        return offers

    async def _picture(self, data: bytes) -> bytes:
        return picture_to_bytes(await embedded(b"", data, self._model, self._decoding))

    async def _words(self, data: bytes) -> bytes:
        assert self._transcriber is not None
        return lines_to_bytes(await self._transcriber.read(data))

    @property
    def model(self) -> str:
        """The model's name."""
        return self._model.embedder.name

    @property
    def device(self) -> str:
        """What the model runs on."""
        return self._model.embedder.device

    @property
    def busy(self) -> int:
        """How many pictures it has in hand."""
        return self._worker.busy

    async def queue(self) -> QueueState:
        """How the queue is at this moment. raises   JobsUnreachable"""
        return await self._dead_letters.state()

    async def close(self) -> None:
        """Give back what is in hand, and stop."""
        await self._worker.close()
        self._closed.set()
        await self._dead_letters.close()
        await self._model.close()
        if self._transcriber is not None:
            await self._transcriber.close()
        await self._decoding.close()
