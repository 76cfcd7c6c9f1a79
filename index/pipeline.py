"""From bytes and words to vectors: taken out of the store where it has them, else decoded and
embedded, a bounded number at a time, questions before new pictures."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from functools import partial

import numpy as np

from index.concurrency import Pool, SingleFlight
from index.embed.embedder import Embedder
from index.images import decoders
from index.images.decode import Decoded
from index.models import Models
from index.store.sqlite import Store
from index.types.errors import EmptyQuery, LinkGone, ModelChanged
from index.types.query import Query, QueryEmbedding, tidy
from index.types.records import EmbeddedPicture, Floats, key_of

# Pictures that are decoded, or decoded and not yet embedded: each holds some 2 MB.
MAX_IN_HAND = 32
MAX_ASKED_IN_HAND = 8
# A question in words and a picture is the sum of both unit vectors, of unit length again:
# each weighs the same. Cosines between pictures spread more than those between words and
# pictures, so the picture still says more.
WORDS_WEIGHT = 1.0


class Pipeline:
    """What embeds for a gallery; the same bytes at the same time are embedded once.

    decoding, asking   threads that decode new pictures, and pictures that are asked about
    """

    def __init__(self, store: Store, models: Models, decoding: Pool, asking: Pool) -> None:
        self._store = store
        self._models = models
        self._decoding = decoding
        self._asking = asking
        self._in_hand = {
            False: asyncio.Semaphore(MAX_IN_HAND),
            True: asyncio.Semaphore(MAX_ASKED_IN_HAND),
        }
        self._shared: SingleFlight[EmbeddedPicture] = SingleFlight()

    # ---- pictures

    async def picture(self, data: bytes, *, asked: bool) -> EmbeddedPicture:
        """The picture in `data`; `asked`: somebody waits for the answer. raises PictureError"""
        key = await asyncio.to_thread(key_of, "image", data)
        return await self._shared.run(
            (key, asked), lambda: self._known_or_embedded(key, data, asked=asked)
        )

    async def _known_or_embedded(self, key: bytes, data: bytes, *, asked: bool) -> EmbeddedPicture:
        known = await self._store.item(key)
        following = None if asked else self._models.successor
        if known is not None and (following is None or known.successor is not None):
            return known
        thread = await self._models.thread()
        async with self._in_hand[asked]:
            if known is None:
                with contextlib.nullcontext() if asked else thread.expecting():
                    decoded = await self._decoded(data, thread.embedder, asked=asked)
                vectors = await thread.images(decoded.frames, asked=asked)
                known = EmbeddedPicture(
                    key, "image", vectors, decoded.width, decoded.height,
                    revision=thread.embedder.revision,
                )  # fmt: skip
            if following is not None:
                with following.expecting():
                    decoded = await self._decoded(data, following.embedder, asked=asked)
                known = replace(known, successor=await following.images(decoded.frames))
        return known

    async def _decoded(self, data: bytes, model: Embedder, *, asked: bool) -> Decoded:
        threads = self._asking if asked else self._decoding
        return await threads.run(
            partial(decoders.decode, data, model.side, model.shape, resample=model.resample)
        )

    # ---- texts

    async def text(self, text: str) -> EmbeddedPicture:
        """The text; raises EmptyQuery when there is nothing to read in it."""
        text = tidy(text)
        if not text:
            raise EmptyQuery
        key = await asyncio.to_thread(key_of, "text", text.encode())
        return await self._shared.run((key, False), lambda: self._embedded_text(key, text))

    async def _embedded_text(self, key: bytes, text: str) -> EmbeddedPicture:
        known, following = await self._store.item(key), self._models.successor
        if known is None:
            thread = await self._models.thread()
            vectors, _ = await thread.text(text)
            revision = thread.embedder.revision
            known = EmbeddedPicture(key, "text", vectors, text=text, revision=revision)
        if following is not None and known.successor is None:
            known = replace(known, successor=(await following.text(text))[0])
        return known

    # ---- questions

    async def query(self, query: Query) -> QueryEmbedding:
        """The one unit vector that stands for the query.

        raises   EmptyQuery, PictureError, LinkGone, ModelChanged
        """
        if query.empty:
            raise EmptyQuery
        truncated: str | None = None
        parts: list[Floats] = []
        revision = self._models.revision
        if query.words:
            vectors, truncated = await (await self._models.thread()).text(query.words, asked=True)
            parts.append(WORDS_WEIGHT * vectors[0])
        pictures: list[EmbeddedPicture] = []
        if query.image is not None:
            pictures.append(await self.picture(query.image, asked=True))
        if query.like is not None:
            item = await self._store.item_of_link(query.like)
            if item is None:
                raise LinkGone(query.like)
            pictures.append(item)
        self._models.check_today(revision)
        if any(picture.revision not in ("", revision) for picture in pictures):
            raise ModelChanged
        parts += [_middle(picture.vectors) for picture in pictures]
        return QueryEmbedding(_middle(np.stack(parts)), truncated, revision)


def _middle(vectors: Floats) -> Floats:
    """(d,) unit vector in the middle of the rows: of an animation's frames, of a query's parts."""
    total = vectors.sum(axis=0)
    middle: Floats = (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)
    return middle
