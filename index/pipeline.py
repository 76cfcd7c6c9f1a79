"""From bytes and words to vectors: taken out of the store where it has them, else decoded and
embedded, a bounded number at a time, questions before new pictures."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from index.concurrency import Pool, SingleFlight
from index.derivations import Derivation
from index.embed.embedder import Embedder
from index.images import decoders
from index.images.decode import Decoded
from index.models import Models
from index.store.interface import Items
from index.types.errors import EmptyQuery, LinkGone, ModelChanged
from index.types.query import Query, QueryEmbedding, tidy
from index.types.records import Derived, EmbeddedPicture, Floats, key_of

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

    def __init__(self, items: Items, models: Models, decoding: Pool, asking: Pool) -> None:
        self._items = items
        self._models = models
        self._decoding = decoding
        self._asking = asking
        self._in_hand = {
            False: asyncio.Semaphore(MAX_IN_HAND),
            True: asyncio.Semaphore(MAX_ASKED_IN_HAND),
        }
        self._derivations: list[Derivation] = []
        self._shared: SingleFlight[EmbeddedPicture] = SingleFlight()

    # ---- pictures

    async def picture(self, data: bytes, *, asked: bool) -> EmbeddedPicture:
        """The picture in `data`; `asked`: somebody waits for the answer. raises PictureError"""
        key = await asyncio.to_thread(key_of, "image", data)
        return await self._shared.run(
            (key, asked), lambda: self._known_or_embedded(key, data, asked=asked)
        )

    async def _known_or_embedded(self, key: bytes, data: bytes, *, asked: bool) -> EmbeddedPicture:
        known = await self._items.item(key)
        wanted = () if asked else self._wanted_of(known)
        if known is not None and not wanted:
            return known
        thread = await self._models.thread()
        async with self._in_hand[asked]:
            if known is None:
                with contextlib.nullcontext() if asked else thread.expecting():
                    decoding = self._asking if asked else self._decoding
                    decoded = await decoding.run(decode_for(thread.embedder, data))
                vectors = await thread.images(decoded.frames, asked=asked)
                known = EmbeddedPicture(
                    key, "image", vectors, decoded.width, decoded.height,
                    revision=thread.embedder.revision,
                )  # fmt: skip
            for derivation in wanted:
                known = _with(known, derivation, await derivation.of_picture(data))
        return known

    # ---- texts

    async def text(self, text: str) -> EmbeddedPicture:
        """The text; raises EmptyQuery when there is nothing to read in it."""
        text = tidy(text)
        if not text:
            raise EmptyQuery
        key = await asyncio.to_thread(key_of, "text", text.encode())
        return await self._shared.run((key, False), lambda: self._embedded_text(key, text))

    async def _embedded_text(self, key: bytes, text: str) -> EmbeddedPicture:
        known = await self._items.item(key)
        wanted = self._wanted_of(known)
        if known is None:
            thread = await self._models.thread()
            vectors, _ = await thread.text(text)
            revision = thread.embedder.revision
            known = EmbeddedPicture(key, "text", vectors, text=text, revision=revision)
        for derivation in wanted:
            known = _with(known, derivation, await derivation.of_text(text))
        return known

    # ---- derivations

    def add(self, derivation: Derivation) -> None:
        """From now on make this too from each picture and text that lacks it."""
        self._derivations.append(derivation)

    def remove(self, derivation: Derivation) -> None:
        """From now on don't."""
        self._derivations.remove(derivation)

    def _wanted_of(self, known: EmbeddedPicture | None) -> tuple[Derivation, ...]:
        """The derivations that were not yet made from this item; all, if it isn't known."""
        made = {name: derived.revision for name, derived in known.derived.items()} if known else {}
        return tuple(d for d in self._derivations if made.get(d.name) != d.revision)

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
            item = await self._items.item_of_link(query.like)
            if item is None:
                raise LinkGone(query.like)
            pictures.append(item)
        self._models.check_revision(revision)
        if any(picture.revision not in ("", revision) for picture in pictures):
            raise ModelChanged
        parts += [_middle(picture.vectors) for picture in pictures]
        return QueryEmbedding(_middle(np.stack(parts)), truncated, revision)


def decode_for(model: Embedder, data: bytes) -> Callable[[], Decoded]:
    """What decodes a picture as this model takes it; for a thread. It raises PictureError."""
    return partial(decoders.decode, data, model.side, model.shape, resample=model.resample)


def _with(picture: EmbeddedPicture, derivation: Derivation, data: bytes) -> EmbeddedPicture:
    made = Derived(derivation.revision, data)
    return replace(picture, derived={**picture.derived, derivation.name: made})


def _middle(vectors: Floats) -> Floats:
    """(d,) unit vector in the middle of the rows: of an animation's frames, of a query's parts."""
    total = vectors.sum(axis=0)
    middle: Floats = (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)
    return middle
