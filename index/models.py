"""Which model a gallery's vectors are of, and which one will follow it.

A gallery keeps vectors of one model, since only those can be compared. While it goes over to
another, new pictures are embedded by both, and the model of before answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from index.embed import checkpoint, embedder
from index.embed.checkpoint import Checkpoint
from index.embed.embedder import Embedder
from index.embed.model_thread import ModelThread
from index.store.interface import Store
from index.types.errors import GalleryClosed, ModelChanged, ModelError, ModelMismatch, ModelNotFound
from index.types.records import Changes, EmbeddedPicture, ModelInfo, Precision


class Models:
    """The model of one store, loaded at once or when it is first needed.

    kept     whose vectors are in the store; None: it has none yet
    closed   set from when on none is loaded
    """

    def __init__(
        self,
        store: Store,
        kept: ModelInfo | None,
        closed: asyncio.Event,
        device: str,
        precision: Precision,
    ) -> None:
        self.kept = kept
        self._store = store
        self._closed = closed
        self._device = device
        self._precision = precision
        self._thread: ModelThread | None = None
        # The model that is asked for, while the file has vectors of another; and when it has been
        # told to follow, its thread.
        self._wanted: str | Embedder | None = None
        self.successor: ModelThread | None = None
        self.succession: str | None = None
        self._loading = asyncio.Lock()

    @property
    def name(self) -> str:
        return self.kept.name if self.kept else ""

    @property
    def dimension(self) -> int:
        return self.kept.dimension if self.kept else 0

    @property
    def revision(self) -> str:
        return self.kept.revision if self.kept else ""

    @property
    def device(self) -> str:
        """What the model runs on; what was asked for until one is loaded."""
        return self._thread.embedder.device if self._thread else self._device

    @property
    def waiting(self) -> int:
        """How many pictures and texts wait for the model."""
        return self._thread.waiting if self._thread else 0

    @property
    def wanted(self) -> str | None:
        """The name of the model that was asked for, while another answers; else None."""
        if self._wanted is None:
            return None
        return self._wanted if isinstance(self._wanted, str) else self._wanted.name

    # ---- one model

    async def begin(self, model: str | Embedder) -> None:
        """Load the model of a store that has no vectors yet. raises ModelError"""
        self.kept = None
        await self.load(model)

    async def load(self, model: str | Embedder, *, whole: bool = True) -> None:
        """The model, once it is known to be the one whose vectors are kept.

        raises   ModelError, ModelMismatch
        """
        if isinstance(model, str):
            found = await asyncio.to_thread(checkpoint.find, model)
            self._check(found.name, found.revision)
            model = await self._loaded(found, whole=whole)
        self._check(model.name, model.revision)
        if self.kept is None:
            self.kept = _info(model)
        self._thread = ModelThread(model)

    async def _loaded(self, found: Checkpoint, *, whole: bool = True) -> Embedder:
        return await asyncio.to_thread(
            embedder.load, found, self._device, self._precision, whole=whole
        )

    def _check(self, name: str, revision: str) -> None:
        if self.kept is not None and self.kept.revision != revision:
            raise ModelMismatch(self._store.path, self.kept.name, name)

    async def remember(self) -> None:
        """Write down whose vectors are kept, and under which name it is found today."""
        if self._thread is None:
            return
        self.kept = _info(self._thread.embedder)
        if await self._store.model_record.get() != self.kept:
            await self._store.model_record.set(self.kept)
        await self._go_on_with_succession()

    async def thread(self) -> ModelThread:
        """The model, loaded now if that was left for when it is needed.

        raises   GalleryClosed, ModelError, ModelMismatch
        """
        async with self._loading:
            if self._closed.is_set():
                raise GalleryClosed
            if self._thread is None:
                if self.kept is None:
                    raise ModelNotFound("")
                await self.load(self.kept.name, whole=False)
            assert self._thread is not None
            return self._thread

    async def close(self) -> None:
        """Finish the batches in hand; whoever still waits gets GalleryClosed."""
        async with self._loading:
            for thread in (self._thread, self.successor):
                if thread is not None:
                    await thread.close()

    # ---- vectors of a model of before

    def check_today(self, revision: str) -> None:
        """raises   ModelChanged when the gallery's model is another one by now"""
        if self.kept is not None and revision not in ("", self.kept.revision):
            raise ModelChanged

    def of_today(self, picture: EmbeddedPicture) -> EmbeddedPicture:
        """The picture with vectors of the gallery's model, which may have changed meanwhile.

        raises   ModelChanged
        """
        assert self.kept is not None
        if picture.revision not in ("", self.kept.revision):
            if picture.successor is None:
                raise ModelChanged
            revision = self.kept.revision
            picture = replace(picture, vectors=picture.successor, revision=revision, successor=None)
        if picture.vectors.shape[1] != self.dimension:
            raise ValueError(
                f"an embedding has {picture.vectors.shape[1]} numbers, not {self.dimension}"
            )
        return picture

    # ---- from one model to another

    async def is_another(self, model: str | Embedder) -> bool:
        """Whether the vectors that are kept are not of this model."""
        assert self.kept is not None
        if isinstance(model, str):
            return (await asyncio.to_thread(checkpoint.find, model)).revision != self.kept.revision
        return model.revision != self.kept.revision

    async def load_the_one_before(self, wanted: str | Embedder) -> None:
        """The model whose vectors are kept, until `wanted` takes over. raises ModelMismatch"""
        assert self.kept is not None
        name = wanted if isinstance(wanted, str) else wanted.name
        try:
            await self.load(self.kept.name)
        except (ModelError, ModelMismatch) as exc:  # it is gone, or its files have changed
            raise ModelMismatch(self._store.path, self.kept.name, name) from exc
        self._wanted = wanted

    async def _go_on_with_succession(self) -> None:
        """After a restart: what was begun for the wanted model goes on, what was for another
        goes."""
        begun = await self._store.succession.successor()
        if begun is None:
            return
        if self._wanted is None or not await self._load_successor(begun.revision):
            await self._store.succession.set_successor(None)

    async def begin_succession(self) -> None:
        """Have the wanted model follow, if there is one. raises ModelError"""
        if self._wanted is not None and self.successor is None:
            await self._load_successor()

    async def _load_successor(self, revision: str | None = None) -> bool:
        """Load the wanted model, unless it isn't of this revision, and have it follow."""
        assert self._wanted is not None
        model = self._wanted
        if isinstance(model, str):
            found = await asyncio.to_thread(checkpoint.find, model)
            if revision not in (None, found.revision):
                return False
            model = await self._loaded(found)
        elif revision not in (None, model.revision):
            return False
        self.succession = await self._store.succession.set_successor(_info(model))
        self.successor = ModelThread(model)
        return True

    async def succeed(
        self, go_over: Callable[[int, Callable[[], None]], Awaitable[Changes]]
    ) -> Changes:
        """Let the model that followed be the gallery's.

        go_over   moves store and rows to vectors of so many numbers, and calls back in the moment
                  in which they have moved; what it changed is given back
        """
        assert self.successor is not None
        for key, text in await self._store.succession.texts_left_behind():
            known = await self._store.items.item(key)
            if known is not None:
                vectors, _ = await self.successor.text(text)
                await self._store.succession.remake(key, vectors)
        async with self._loading:
            info = await self._store.succession.successor()
            assert info is not None
            before = self._thread
            changes = await go_over(info.dimension, partial(self._follow, info))
        if before is not None:
            await before.close()
        return changes

    def _follow(self, info: ModelInfo) -> None:
        self.kept, self._thread = info, self.successor
        self.successor = self.succession = self._wanted = None


def _info(model: Embedder) -> ModelInfo:
    return ModelInfo(model.name, model.revision, model.dimension)
