"""From bytes and words to vectors, a bounded number of pictures at a time, those of queries first.

The time that this takes must not tell a caller whether somebody else has the same picture. So what
is known is used only for a picture of the same group, and never for a query.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import replace

import numpy as np

from index.answering.parts import parts_of
from index.concurrency import Pool, SingleFlight
from index.derivations import Derivation
from index.embed.tokens import is_spelled
from index.jobs.asker import Asker
from index.jobs.packing import Outcome, picture_of
from index.making import decode_for, embedded
from index.models import Models
from index.store.interface import Items
from index.transcripts.terms import asked, pairs
from index.types.derivations import FINGERPRINT, REEMBEDDING
from index.types.errors import EmptyQuery, GalleryClosed, LinkGone, ModelChanged
from index.types.query import NOTHING, Query, QueryEmbedding, middle, tidy
from index.types.records import Derived, EmbeddedPicture, Floats, Link, key_of

log = logging.getLogger(__name__)

MAX_ASKED_IN_PROGRESS = 8
# The derivations that workers can make.
BY_WORKERS = (FINGERPRINT, REEMBEDDING)


class Pipeline:
    """Embeds pictures, texts and queries.

    decoding, looking   threads that decode new pictures, and pictures of queries
    asker               by which workers embed new pictures; None: that is done here. Queries are
                        always embedded here: a person waits
    at_once             pictures that may be decoded, or be decoded and not yet embedded; each takes
                        some 2 MB
    """

    def __init__(
        self,
        items: Items,
        models: Models,
        decoding: Pool,
        looking: Pool,
        asker: Asker | None,
        at_once: int,
    ) -> None:
        self._items = items
        self._models = models
        self._decoding = decoding
        self._looking = looking
        self._asker = asker
        self._in_progress = asyncio.Semaphore(at_once)
        self._asked_in_progress = asyncio.Semaphore(MAX_ASKED_IN_PROGRESS)
        self._derivations: list[Derivation] = []
        self._shared: SingleFlight[EmbeddedPicture] = SingleFlight()

    # ---- pictures

    async def picture(self, data: bytes, link: Link) -> EmbeddedPicture:
        """The picture in `data`, for this link.

        Bytes that the link's group has are neither decoded nor embedded again, and calls with the
        same bytes for the same group at the same time share the work. raises PictureError
        """
        key = await asyncio.to_thread(key_of, "image", data)
        return await self._shared.run(
            (key, link.space, link.group.id), lambda: self._known_or_embedded(key, data, link)
        )

    async def _known_or_embedded(self, key: bytes, data: bytes, link: Link) -> EmbeddedPicture:
        known = await self._items.item_of_group(key, link.space, link.group.id)
        wanted = self._wanted_of(known)
        if known is not None and not wanted:
            return known
        if self._asker is not None:
            return await self._by_workers(self._asker, key, data, known, wanted, link)
        # A picture that only lacks what no model makes needs none.
        model = None if known else await self._models.threads()
        async with self._in_progress:
            if known is None:
                assert model is not None
                known = await embedded(key, data, model, self._decoding)
            for derivation in wanted:
                known = await _derived(known, derivation, derivation.of_picture(data))
        return known

    async def _by_workers(
        self,
        asker: Asker,
        key: bytes,
        data: bytes,
        known: EmbeddedPicture | None,
        wanted: Sequence[Derivation],
        link: Link,
    ) -> EmbeddedPicture:
        """The picture, embedded by workers. What they don't know to make is made here.

        What another model makes is a job of its own, since few workers have two.
        """
        vectors = f"vectors:{self._models.revision}"
        made = {d.name: f"{d.name}:{d.revision}" for d in wanted if d.name in BY_WORKERS}
        again = made.get(REEMBEDDING)
        needs = [vectors] if known is None else []
        needs += [need for need in made.values() if need != again]
        outcomes: dict[str, Outcome] = {}
        for some in (needs, [again] if again else []):
            outcomes |= await asker.ask(data, some, link) if some else {}
        if known is None:
            known = picture_of(key, await outcomes[vectors].result())
        for derivation in wanted:
            need = made.get(derivation.name)
            making = outcomes[need].result() if need else derivation.of_picture(data)
            known = await _derived(known, derivation, making)
        return known

    # ---- texts

    async def text(self, text: str, space: int, group: int) -> EmbeddedPicture:
        """The text, embedded, as `picture` does it.

        raises   EmptyQuery when there is nothing to read in it
        """
        text = tidy(text)
        if not text:
            raise EmptyQuery
        key = await asyncio.to_thread(key_of, "text", text.encode())
        return await self._shared.run(
            (key, space, group), lambda: self._embedded_text(key, text, space, group)
        )

    async def _embedded_text(
        self, key: bytes, text: str, space: int, group: int
    ) -> EmbeddedPicture:
        known = await self._items.item_of_group(key, space, group)
        wanted = self._wanted_of(known)
        if known is None:
            model = await self._models.threads()
            vectors, _ = await model.texts([text])
            revision = model.embedder.revision
            known = EmbeddedPicture(key, "text", vectors, text=text, revision=revision)
        for derivation in wanted:
            known = await _derived(known, derivation, derivation.of_text(text))
        return known

    # ---- derivations

    def add(self, derivation: Derivation) -> None:
        """From now on run this on each picture and text that lacks its result."""
        self._derivations.append(derivation)

    def remove(self, derivation: Derivation) -> None:
        """Run it no more, but for calls that have begun."""
        self._derivations.remove(derivation)

    @property
    def derived(self) -> tuple[str, ...]:
        """What is made from each picture and text beside its embedding, by name."""
        return tuple(derivation.name for derivation in self._derivations)

    def _wanted_of(self, known: EmbeddedPicture | None) -> tuple[Derivation, ...]:
        """The derivations that must still be made from this item; all, if it isn't known."""
        made = {name: derived.revision for name, derived in known.derived.items()} if known else {}
        return tuple(d for d in self._derivations if made.get(d.name) != d.revision)

    # ---- queries

    async def query(self, query: Query) -> QueryEmbedding:
        """The query as the model reads it; of a query that asks for nothing at all, no vectors.

        raises   EmptyQuery, PictureError, LinkGone, ModelChanged
        """
        if query.empty:
            if query.minus or query.more or query.less or query.text is not None:
                raise EmptyQuery
            return QueryEmbedding(revision=self._models.revision)
        revision = self._models.revision
        read = await self._asked_texts(query)
        pictures: list[Floats] = []
        if query.image is not None:
            pictures.append(middle(await self.asked_picture(query.image)))
        if query.like is not None:
            pictures.append(await self._known(query.like, revision))
        self._models.check_revision(revision)
        return replace(
            read, picture=middle(np.stack(pictures)) if pictures else None, revision=revision
        )

    async def steered(
        self, embedding: QueryEmbedding, more: Sequence[int], less: Sequence[int]
    ) -> QueryEmbedding:
        """The embedding with hits of which more, or less, is wanted. Links that are gone, and those
        that the gallery's model has not read yet, are left out."""
        revision = self._models.revision

        async def known(links: Sequence[int]) -> Floats:
            found = []
            for link in links:
                with contextlib.suppress(LinkGone, ModelChanged):
                    found.append(await self._known(link, revision))
            return np.stack(found) if found else NOTHING

        return replace(embedding, more=await known(more), less=await known(less))

    async def _asked_texts(self, query: Query) -> QueryEmbedding:
        """The words of a query, their parts, and what is unwanted; in one call, which takes hardly
        longer than that for the words alone."""
        words, minus = query.words, query.unwanted
        split = parts_of(words)
        texts = [*([words] if words else []), *split, *minus]
        if not texts:
            return QueryEmbedding()
        model = await self._models.threads()
        vectors, read = await model.texts(texts, asked=True)
        return QueryEmbedding(
            words=vectors[0] if words else None,
            parts=vectors[1 : 1 + len(split)],
            minus=vectors[len(texts) - len(minus) :],
            truncated=read[0] if words else None,
            terms=asked(words),
            pairs=pairs(words),
            spelled=is_spelled(words, model.embedder.pieces),
        )

    async def _known(self, link: int, revision: str) -> Floats:
        """(d,) the picture of a link. raises LinkGone, ModelChanged"""
        item = await self._items.item_of_link(link)
        if item is None:
            raise LinkGone(link)
        if item.revision not in ("", revision):
            raise ModelChanged
        return middle(item.vectors)

    async def asked_picture(self, data: bytes) -> Floats:
        """(frames, d) unit rows of a picture that is asked with. raises PictureError"""
        model = await self._models.threads()
        async with self._asked_in_progress:
            decoded = await self._looking.run(decode_for(model.embedder, data))
            return await model.images(decoded.frames, asked=True)


async def _derived(
    picture: EmbeddedPicture, derivation: Derivation, making: Awaitable[bytes]
) -> EmbeddedPicture:
    """The picture with what this derivation makes from it.

    Unless the derivation is required, its failure keeps no picture out of the gallery: its work on
    this one stays pending.
    raises   GalleryClosed; from a required derivation, everything
    """
    try:
        made = Derived(derivation.revision, await making)
    except GalleryClosed:
        raise
    except Exception:
        if derivation.required:
            raise
        log.exception("%s failed on a picture, where it stays pending", derivation.name)
        return picture
    return replace(picture, derived={**picture.derived, derivation.name: made})
