"""Which model a gallery's vectors are of, and the threads that it runs in.

A gallery keeps vectors of one model, since only those can be compared. `reembedding` changes it to
another one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import numpy as np

from index.answering import cutoff, reading
from index.answering.background import Background
from index.answering.cutoff import Judge
from index.embed import checkpoint, embedder
from index.embed.checkpoint import Checkpoint
from index.embed.embedder import Embedder
from index.embed.model_threads import ModelThreads
from index.store.interface import ModelRecord
from index.types.derivations import REEMBEDDING
from index.types.errors import GalleryClosed, ModelChanged, ModelMismatch, ModelNotFound
from index.types.records import EmbeddedPicture, Languages, ModelInfo, Precision

log = logging.getLogger(__name__)


class Models:
    """The model of one store, loaded at once or when it is first needed.

    record   where the store remembers the model
    place    of the store, for the sentences of errors
    kept     whose vectors are in the store; None: it has none yet
    closed   set from when on none is loaded
    cores    of a CPU that it computes on
    """

    def __init__(
        self,
        record: ModelRecord,
        place: str,
        kept: ModelInfo | None,
        closed: asyncio.Event,
        device: str,
        precision: Precision,
        cores: int,
    ) -> None:
        self.kept = kept
        self._record = record
        self.place = place
        self._closed = closed
        self._device = device
        self._precision = precision
        self._cores = cores
        self._threads: ModelThreads | None = None
        self._background: Background | None = None
        self._reading: asyncio.Task[None] | None = None  # of the background's words
        self._loading = asyncio.Lock()

    @property
    def name(self) -> str:
        """The model's name; "" while there is none."""
        return self.kept.name if self.kept else ""

    @property
    def dimension(self) -> int:
        """How many numbers its vectors have; 0 while there is none."""
        return self.kept.dimension if self.kept else 0

    @property
    def revision(self) -> str:
        """A fingerprint of its files; "" while there is none."""
        return self.kept.revision if self.kept else ""

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._threads is not None

    @property
    def embedder(self) -> Embedder | None:
        """The model itself; None until it is in memory."""
        return self._threads.embedder if self._threads else None

    @property
    def device(self) -> str:
        """What the model runs on; what was asked for until that is known."""
        return self._threads.embedder.device if self._threads else self._device

    @property
    def languages(self) -> Languages | None:
        """The languages that it was trained on; None until one is loaded."""
        return self._threads.embedder.languages if self._threads else None

    @property
    def waiting(self) -> int:
        """How many pictures and texts wait for the model."""
        return self._threads.waiting if self._threads else 0

    # ---- loading

    async def begin(self, model: str | Embedder) -> None:
        """Load the model of a store that has no vectors yet. raises ModelError"""
        self.kept = None
        await self.load(model)

    async def load(self, model: str | Embedder) -> None:
        """Load what words need of the model, once it is known to be the one whose vectors are kept.
        The rest is loaded with the first picture, or by the thread's `complete`.

        raises   ModelError, ModelMismatch
        """
        if isinstance(model, str):
            found = await asyncio.to_thread(checkpoint.find, model)
            self._check(found.name, found.revision)
            model = await self.embedder_of(found, whole=False)
        self._check(model.name, model.revision)
        if self.kept is None:
            self.kept = info_of(model)
        self._threads = self.threads_of(model)
        await self._begin_background()

    async def embedder_of(self, found: Checkpoint, *, whole: bool = True) -> Embedder:
        """The model of these files, on the device and in the precision of this gallery."""
        return await asyncio.to_thread(
            embedder.load, found, self._device, self._precision, whole=whole
        )

    def threads_of(self, model: Embedder) -> ModelThreads:
        """The threads in which this model runs."""
        return ModelThreads(model, self._cores)

    def _check(self, name: str, revision: str) -> None:
        if self.kept is not None and self.kept.revision != revision:
            raise ModelMismatch(self.place, self.kept.name, name)

    async def remember(self) -> None:
        """Write down whose vectors are kept, and under which name it is found today."""
        if self._threads is None:
            return
        self.kept = info_of(self._threads.embedder)
        if await self._record.get() != self.kept:
            await self._record.set(self.kept)

    async def threads(self) -> ModelThreads:
        """The model, loaded now if that was left for when it is needed.

        raises   GalleryClosed, ModelError, ModelMismatch
        """
        async with self._loading:
            if self._closed.is_set():
                raise GalleryClosed
            if self._threads is None:
                if self.kept is None:
                    raise ModelNotFound("")
                await self.load(self.kept.name)
            assert self._threads is not None
            return self._threads

    async def close(self) -> None:
        """Finish the batches in hand; a caller that still waits gets GalleryClosed."""
        async with self._loading:
            await self._end_background()
            if self._threads is not None:
                await self._threads.close()

    # ---- what an answer is judged with

    @property
    def background(self) -> Background | None:
        """The words that the model can see in pictures; None until it has read them."""
        return self._background

    @property
    def judge(self) -> Judge:
        """What tells which candidates fit a query."""
        if self._background is not None:
            return partial(cutoff.by_background, background=self._background)
        if self._threads is not None and self._threads.embedder.scale is None:
            return cutoff.by_spread
        return cutoff.never_sure

    @property
    def background_missing(self) -> bool:
        """Whether the model is still reading the background's words."""
        return self._reading is not None and not self._reading.done()

    async def background_read(self) -> None:
        """Wait until the model has read the background's words, if it does."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def _begin_background(self) -> None:
        """Have the background of the model of now, if it was kept. Else let the model read its
        words, behind the questions that come."""
        assert self._threads is not None
        model = self._threads.embedder
        if model.scale is None:
            self._background = None
            return
        self._background = await asyncio.to_thread(reading.kept, model, model.scale)
        if self._background is None:
            self._reading = asyncio.create_task(self._read_background(self._threads, model.scale))

    async def _read_background(self, threads: ModelThreads, scale: float) -> None:
        try:
            background = await reading.background(threads, scale)
        except GalleryClosed:
            return
        except Exception:
            log.exception("the model can't read the background; answers are never sure")
            return
        if threads is self._threads:
            self._background = background

    async def _end_background(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
            self._reading = None

    # ---- changing to another model

    async def is_another(self, model: str | Embedder) -> bool:
        """Whether the vectors that are kept are not of this model."""
        assert self.kept is not None
        if isinstance(model, str):
            return (await asyncio.to_thread(checkpoint.find, model)).revision != self.kept.revision
        return model.revision != self.kept.revision

    async def change_to(
        self,
        info: ModelInfo,
        threads: ModelThreads,
        change: Callable[[Callable[[], None]], Awaitable[None]],
    ) -> None:
        """Make this the model; nothing is loaded meanwhile, and the old one is closed after it.

        change  changes the vectors of store and index, and calls back at the moment from which
                they are the new ones
        """

        def changed() -> None:
            self.kept, self._threads, self._background = info, threads, None

        async with self._loading:
            before = self._threads
            await change(changed)
            await self._end_background()
            await self._begin_background()
        if before is not None:
            await before.close()

    # ---- vectors of an earlier model

    def check_revision(self, revision: str) -> None:
        """raises   ModelChanged when this isn't the gallery's model any more"""
        if self.kept is not None and revision not in ("", self.kept.revision):
            raise ModelChanged

    def with_vectors_of_this_model(self, picture: EmbeddedPicture) -> EmbeddedPicture:
        """The picture, whose vectors may be of the model that the gallery had when it was embedded.

        raises   ModelChanged when they are, and the new model has not embedded it too
        """
        assert self.kept is not None
        if picture.revision not in ("", self.kept.revision):
            again = picture.derived.get(REEMBEDDING)
            if again is None or again.revision != self.kept.revision:
                raise ModelChanged
            picture = replace(
                picture,
                vectors=np.frombuffer(again.data, np.float32).reshape(-1, self.dimension),
                revision=self.kept.revision,
                derived={name: d for name, d in picture.derived.items() if name != REEMBEDDING},
            )
        if picture.vectors.shape[1] != self.dimension:
            raise ValueError(
                f"an embedding has {picture.vectors.shape[1]} numbers, not {self.dimension}"
            )
        return picture


def info_of(model: Embedder) -> ModelInfo:
    """What a store remembers of a model."""
    return ModelInfo(model.name, model.revision, model.dimension)
