"""What a caller may need of a gallery when it doesn't need the whole `Gallery`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from index.types.query import Query, QueryEmbedding
from index.types.records import Answer, EmbeddedPicture, Kind


class PictureEmbedder(Protocol):
    """Makes embeddings of pictures."""

    async def embed_picture(self, data: bytes) -> EmbeddedPicture:
        """The picture in `data`, decoded and embedded. raises PictureError"""


class Searcher(Protocol):
    """Answers queries."""

    async def embed_query(self, query: Query) -> QueryEmbedding:
        """The one unit vector that stands for the query.

        raises   EmptyQuery, PictureError, LinkGone, ModelChanged
        """

    async def search(
        self,
        embedding: QueryEmbedding,
        *,
        space: int,
        groups: Collection[int] | None,
        k: int,
        offset: int = 0,
        kind: Kind | None = "image",
        but_not_source: str | None = None,
        owner: int | None = None,
        since: float | None = None,
        until: float | None = None,
    ) -> Answer:
        """The `k` best links after the first `offset`, as `Gallery.search`."""
