"""The public face of `index`: pictures and texts go in, questions are answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from index.query import Query, QueryEmbedding, SavedSearch
from index.records import (
    Answer,
    Counts,
    Cursor,
    EmbeddedPicture,
    Group,
    Job,
    Kind,
    Link,
    ModelInfo,
)


class Gallery:
    """Pictures and texts in one file, searchable by what is in them."""

    model: str
    dimension: int

    @classmethod
    async def open(
        cls,
        path: str | Path,
        model: str | None = None,
        *,
        device: str = "auto",
        read_only: bool = False,
    ) -> Gallery:
        """The gallery in the file `path`, made if there is none, with its model loaded.

        model      a hub name or a folder; None: the one the file remembers, loaded when needed
        device     "auto" (CUDA, then MPS, then the CPU) or one by name, as "cuda:1"
        read_only  look and search only; allowed while another process adds
        raises     ModelError, StoreError
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Finish what is being written, fail what still waits with GalleryClosed, let go."""
        raise NotImplementedError

    # ---- adding

    async def embed_picture(self, data: bytes) -> EmbeddedPicture:
        """The picture in `data`, decoded and embedded; known bytes skip both.

        raises   PictureError
        """
        raise NotImplementedError

    async def embed_text(self, text: str) -> EmbeddedPicture:
        """The text, embedded; of the same shape as a picture, kind "text"."""
        raise NotImplementedError

    async def commit(
        self,
        items: Sequence[tuple[EmbeddedPicture, Link]],
        cursors: Sequence[Cursor] = (),
        jobs: Sequence[Job] = (),
    ) -> None:
        """Keep the items, and the cursors and jobs they stand for, in one transaction.

        Searchable and on disk when it returns. A link replaces the earlier one of the
        same (space, source, slot), so doing it again changes nothing.
        """
        raise NotImplementedError

    async def add(self, data: bytes, link: Link, cursor: Cursor | None = None) -> None:
        """`embed_picture`, then `commit`."""
        raise NotImplementedError

    # ---- what is there

    async def slots(self, space: int, source: str) -> set[str]:
        """The slots of one source that are in the gallery."""
        raise NotImplementedError

    async def known(self, space: int, group: int) -> dict[str, set[str]]:
        """All sources of a group, each with its slots."""
        raise NotImplementedError

    async def link(self, id: int) -> Link | None:
        """The link with this id, or None when it is gone."""
        raise NotImplementedError

    async def groups(self, space: int) -> list[Group]:
        """Every group that has links."""
        raise NotImplementedError

    async def count(
        self, space: int | None = None, groups: Collection[int] | None = None
    ) -> Counts:
        """How many images, texts and links there are; of some groups, if given."""
        raise NotImplementedError

    async def disk_bytes(self) -> int:
        """What the gallery's files take on disk."""
        raise NotImplementedError

    async def model_info(self) -> ModelInfo | None:
        """The model whose embeddings are kept; None in an empty gallery."""
        raise NotImplementedError

    # ---- removing

    async def keep_slots(self, space: int, source: str, slots: Collection[str]) -> int:
        """Drop the links of this source whose slot is not listed; returns how many."""
        raise NotImplementedError

    async def remove_sources(self, space: int, sources: Collection[str]) -> int:
        """Drop all links of these sources; returns how many."""
        raise NotImplementedError

    async def remove_group(self, space: int, group: int) -> int:
        """Drop the links and cursors of a group and of those hanging from it."""
        raise NotImplementedError

    async def remove_space(self, space: int) -> int:
        """Drop everything of a space: links, cursors, watched groups, jobs, searches."""
        raise NotImplementedError

    # ---- remembered beside the pictures

    async def watch(self, space: int, group: int) -> None:
        """Mark a group as watched."""
        raise NotImplementedError

    async def unwatch(self, space: int, group: int) -> None:
        """Take the mark away; its pictures go by `remove_group`."""
        raise NotImplementedError

    async def watched(self, space: int) -> set[int]:
        """The groups of a space that are marked as watched."""
        raise NotImplementedError

    async def spaces(self) -> set[int]:
        """All spaces that have watched groups or links."""
        raise NotImplementedError

    async def cursors(self, space: int) -> dict[int, Cursor]:
        """The cursor of each group of a space that has one."""
        raise NotImplementedError

    async def save_cursor(self, cursor: Cursor) -> None:
        """Keep a cursor by itself (pictures come with theirs through `commit`)."""
        raise NotImplementedError

    async def new_job(self, space: int, kind: str, state: Mapping[str, Any]) -> Job:
        """A new running job with an id of its own."""
        raise NotImplementedError

    async def save_job(self, job: Job) -> None:
        """Keep the job's status and state."""
        raise NotImplementedError

    async def jobs(self, space: int | None = None, *, active: bool = True) -> list[Job]:
        """Jobs, oldest first; `active`: only those running or paused."""
        raise NotImplementedError

    async def save_search(
        self, space: int, owner: int, params: Mapping[str, Any], embedding: QueryEmbedding
    ) -> str:
        """A short id under which this question can be asked again for seven days."""
        raise NotImplementedError

    async def search_by_id(self, id: str) -> SavedSearch | None:
        """The question kept under this id, or None when it is gone."""
        raise NotImplementedError

    # ---- asking

    async def embed_query(self, query: Query) -> QueryEmbedding:
        """The one unit vector that stands for the query.

        raises   EmptyQuery, PictureError, LinkGone
        """
        raise NotImplementedError

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
    ) -> Answer:
        """The `k` best links after the first `offset`, among those of the allowed groups.

        groups          only links in these are looked at, before ranking; None: all
        kind            "image", "text", or None for both
        but_not_source  leave out the links of this source
        """
        raise NotImplementedError

    async def find(
        self,
        query: Query,
        *,
        space: int,
        groups: Collection[int] | None,
        k: int,
        offset: int = 0,
        kind: Kind | None = "image",
        but_not_source: str | None = None,
    ) -> Answer:
        """`embed_query`, then `search`."""
        raise NotImplementedError
