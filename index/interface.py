"""What a caller may need of a gallery when it doesn't need the whole `Gallery`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from index.clips.clip import ClipLimits, ClipSource
from index.types.filter import Filter, Sort
from index.types.overview import Overview
from index.types.query import Query, QueryEmbedding
from index.types.records import NOWHERE, Answer, Copy, EmbeddedPicture, Link, Position


class PictureEmbedder(Protocol):
    """Makes embeddings of pictures."""

    async def embed_picture(self, data: bytes, link: Link = NOWHERE) -> EmbeddedPicture:
        """The picture in `data`, decoded and embedded, for this link.

        raises   PictureError
        """

    async def scenes(self, clip: ClipSource, limits: ClipLimits, *, asked: bool = False) -> bytes:
        """A few frames of a video as an animation, as `Gallery.scenes`.

        raises   PictureError, DecoderUnusable, and what reading the source raises
        """

    async def slots_pending(self, space: int, source: str) -> set[str]:
        """The slots of one source that a second look would add something to."""


class WordReader(Protocol):
    """Reads the words in pictures, here or by workers.

    revision   what was read by another one is to be read again
    """

    revision: str

    async def read(self, data: bytes, link: Link = NOWHERE) -> tuple[str, ...]:
        """The lines of words in the picture, from top to bottom; none when it has no text.

        link     where it is shown
        raises   PictureError, OCRUnusable, GalleryClosed
        """

    async def rest(self) -> None:
        """Give memory back until the next picture comes."""

    async def close(self) -> None:
        """Read no more; a picture that is being read gets GalleryClosed."""


class Surveyor(Protocol):
    """Tells what pictures are about as a whole."""

    async def overview(self, filter: Filter) -> Overview:
        """What the links that a filter allows are about, as `Gallery.overview`."""

    async def still(self, data: bytes) -> bytes:
        """A small WebP of a picture's first frame, as `Gallery.still`.

        raises   PictureError, DecoderUnusable
        """


class Searcher(Protocol):
    """Answers queries."""

    async def embed_query(self, query: Query) -> QueryEmbedding:
        """The query as the model reads it.

        raises   EmptyQuery, PictureError, LinkGone, ModelChanged
        """

    async def steered(
        self, embedding: QueryEmbedding, more: Sequence[int], less: Sequence[int]
    ) -> QueryEmbedding:
        """The embedding with hits of which more, or less, is wanted, as `Gallery.steered`."""

    async def search(
        self,
        embedding: QueryEmbedding,
        filter: Filter,
        *,
        k: int,
        after: Position | None = None,
        sort: Sort = Sort.BEST,
        guesses: bool = False,
    ) -> Answer:
        """The first `k` hits that follow `after`, as `Gallery.search`."""

    async def concepts_of(self, links: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """What the model sees in the pictures of these links, as `Gallery.concepts_of`.

        raises   ModelChanged
        """

    async def copies_of(self, picture: bytes | int, filter: Filter) -> list[Copy]:
        """The links that show the same picture, oldest first, as `Gallery.copies_of`.

        raises   PictureError, LinkGone
        """
