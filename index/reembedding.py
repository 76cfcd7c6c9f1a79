"""The change of a gallery's model: every picture is embedded again while the old model answers.

It is a derivation. The wanted model embeds new pictures beside the old one, and those that are in
the gallery when a caller embeds and commits them a second time. When nothing is pending, or when
the caller wants no more of it, `switch` makes the results the gallery's embeddings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import numpy as np

from index.concurrency import Pool, to_completion
from index.embed import checkpoint
from index.embed.embedder import Embedder
from index.embed.model_threads import ModelThreads
from index.making import decode_for
from index.models import Models, info_of
from index.pipeline import Pipeline
from index.search.interface import VectorIndex
from index.store.interface import Derivations
from index.types.derivations import REEMBEDDING
from index.types.errors import ModelError, ModelMismatch
from index.types.records import Changes, Derived, Floats


class ReembeddingDerivation:
    """Embeds pictures and texts by the wanted model; a `Derivation`."""

    name = REEMBEDDING
    required = True  # the job that reads a server again counts what fails, and tries it again

    def __init__(self, model: ModelThreads, decoding: Pool) -> None:
        self.revision = model.embedder.revision
        self.model = model
        self._decoding = decoding

    async def of_picture(self, data: bytes) -> bytes:
        """The picture's vectors, frame after frame: float32. raises PictureError"""
        with self.model.expecting():
            decoded = await self._decoding.run(decode_for(self.model.embedder, data))
        return _bytes_of(await self.model.images(decoded.frames))

    async def of_text(self, text: str) -> bytes:
        """The text's vector: float32."""
        vectors, _ = await self.model.texts([text])
        return _bytes_of(vectors)


def _bytes_of(vectors: Floats) -> bytes:
    return np.ascontiguousarray(vectors, np.float32).tobytes()


class Reembedding:
    """The change from the gallery's model to the one that was asked for."""

    def __init__(
        self,
        derivations: Derivations,
        models: Models,
        pipeline: Pipeline,
        decoding: Pool,
        index: VectorIndex,
        *,
        switched: Callable[[], Awaitable[None]],
    ) -> None:
        self._derivations = derivations
        self._models = models
        self._pipeline = pipeline
        self._decoding = decoding
        self._index = index
        self._switched = switched  # called when another model has taken over, and links were lost
        self._wanted: str | Embedder | None = None
        self._begun: ReembeddingDerivation | None = None
        self._id: str | None = None

    @property
    def wanted(self) -> str | None:
        """The name of the model that was asked for, while another one answers; else None."""
        if self._wanted is None:
            return None
        return self._wanted if isinstance(self._wanted, str) else self._wanted.name

    @property
    def id(self) -> str | None:
        """An id of the re-embedding that has begun, the same until it is done or dropped; None
        while there is none."""
        return self._id

    async def begin(self) -> None:
        """From now on each picture and text is also embedded by the wanted model.

        Those that are in the gallery already need a second `embed_picture` and `commit`. What
        was done is kept over a restart. raises ModelError
        """
        if self._wanted is not None and self._begun is None:
            await self._begin()

    async def slots_left(self, space: int, source: str) -> set[str]:
        """The slots of one source that the wanted model has not embedded yet."""
        return await self._derivations.pending_slots(REEMBEDDING, space, source)

    async def left_behind(self) -> int:
        """How many pictures and texts the wanted model has not embedded yet."""
        return await self._derivations.count_pending(REEMBEDDING)

    async def switch(self) -> Mapping[int, int]:
        """Make the wanted model the gallery's; links it has not embedded are removed.

        Queries are answered all the while, by the one model or the other. Writes wait.
        returns  by space: how many links were removed; a space that lost none is left out
        """
        return (await to_completion(self._switch())).dropped

    # ---- for the gallery

    async def load_old_model(self, wanted: str | Embedder) -> None:
        """Load the model whose vectors are kept; `wanted` is to take over. raises ModelMismatch"""
        try:
            await self._models.load(self._models.name)
        except (ModelError, ModelMismatch) as exc:  # it was removed, or its files have changed
            name = wanted if isinstance(wanted, str) else wanted.name
            raise ModelMismatch(self._models.place, self._models.name, name) from exc
        self._wanted = wanted

    async def resume(self) -> None:
        """After a restart: go on with what was begun for the wanted model, and drop what was
        begun for another one."""
        begun = await self._derivations.begun(REEMBEDDING)
        if begun is None:
            return
        if self._wanted is None or not await self._begin(begun.revision):
            await self._derivations.drop(REEMBEDDING)

    async def close(self) -> None:
        """Finish the batch in hand; a caller that still waits gets GalleryClosed."""
        if self._begun is not None:
            await self._begun.model.close()

    # ----

    async def _begin(self, revision: str | None = None) -> bool:
        """Load the wanted model and have it embed, unless it isn't of this revision."""
        assert self._wanted is not None
        model = self._wanted
        if isinstance(model, str):
            found = await asyncio.to_thread(checkpoint.find, model)
            if revision not in (None, found.revision):
                return False
            model = await self._models.embedder_of(found)
        elif revision not in (None, model.revision):
            return False
        details = {"name": model.name, "dimension": model.dimension}
        begun = await self._derivations.begin(REEMBEDDING, model.revision, details)
        self._id = begun.id
        self._begun = ReembeddingDerivation(self._models.threads_of(model), self._decoding)
        self._pipeline.add(self._begun)
        return True

    async def _switch(self) -> Changes:
        begun = self._begun
        assert begun is not None
        await self._embed_texts(begun)
        info = info_of(begun.model.embedder)
        changes = Changes()

        async def change(changed: Callable[[], None]) -> None:
            nonlocal changes

            def moved() -> None:
                changed()
                self._pipeline.remove(begun)
                self._begun = self._id = self._wanted = None

            changes = await self._index.switch_model(info.dimension, moved)

        await self._models.change_to(info, begun.model, change)
        await self._switched()
        return changes

    async def _embed_texts(self, begun: ReembeddingDerivation) -> None:
        """Embed the texts that are pending; unlike pictures, they are in the store themselves."""
        for item in await self._derivations.pending(REEMBEDDING, kind="text"):
            assert item.text is not None
            data = await begun.of_text(item.text)
            await self._derivations.put(REEMBEDDING, item.key, Derived(begun.revision, data))
