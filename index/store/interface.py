"""What a gallery's store offers, one protocol for each kind of caller."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from index.types.query import QueryEmbedding
from index.types.records import Belonging, Counts, Cursor, Group, Job, Link, ModelInfo
from index.types.searches import Asked, SavedSearch


class Links(Protocol):
    """The links that are kept, and how many there are of each kind. Only reads."""

    async def slots(self, space: int, source: str) -> set[str]:
        """The slots of one source that are in the gallery."""

    async def known(self, space: int, group: int) -> dict[str, set[str]]:
        """All sources of a group, each with its slots."""

    async def details(self, space: int, group: int) -> dict[str, Mapping[str, Any]]:
        """All sources of a group, each with the details of one of its links."""

    async def link(self, id: int) -> Link | None:
        """The link with this id; None when there is none (any more)."""

    async def links_of_picture(self, data: bytes) -> dict[int, Link]:
        """All links to exactly these bytes, by id."""

    async def groups(self, space: int) -> list[Group]:
        """Every group that has links."""

    async def spaces(self) -> set[int]:
        """All spaces that have watched groups or links."""

    async def count(
        self, space: int | None = None, groups: Collection[int] | None = None
    ) -> Counts:
        """How many images, texts and links there are; of a space, of some groups, if given."""

    async def count_links(self, space: int | None = None, groups: Collection[int] = ()) -> int:
        """How many links there are, or those of some groups of a space; quicker than `count`."""

    async def count_of_owner(self, space: int, owner: int) -> int:
        """How many links an owner has."""

    async def belongings(
        self, space: int, owner: int, *, after: int = 0, limit: int = 1000
    ) -> list[tuple[int, Belonging]]:
        """An owner's links with ids above `after`, by id, with all that is kept of each."""

    async def disk_bytes(self) -> int:
        """What the store takes on disk."""

    async def model(self) -> ModelInfo | None:
        """The model whose embeddings are kept; None in an empty gallery."""


class BookkeepingReader(Protocol):
    """What a caller remembers beside the pictures, to be read."""

    async def opted_out(self) -> set[tuple[int, int]]:
        """All (space, owner) who want none of their pictures kept."""

    async def retention(self) -> dict[int, int]:
        """The days that pictures are kept, of each space that has a limit."""

    async def departed(self) -> dict[int, float]:
        """The spaces that were left, each since when (Unix seconds)."""

    async def closed_groups(self) -> dict[tuple[int, int], float]:
        """The groups that no member can open, by space and id, each since when."""

    async def watched(self, space: int) -> set[int]:
        """The groups of a space that are marked as watched."""

    async def cursors(self, space: int) -> dict[int, Cursor]:
        """The cursor of each group of a space that has one."""

    async def jobs(self, space: int | None = None, *, active: bool = True) -> list[Job]:
        """Jobs, oldest first; `active`: only those running or paused."""

    async def search_by_id(self, id: str) -> SavedSearch | None:
        """The search saved under this id; None when it was removed or is too old."""

    async def searches_of(self, space: int, owner: int) -> list[SavedSearch]:
        """The saved searches of an owner, oldest first."""


class Bookkeeping(BookkeepingReader, Protocol):
    """What a caller remembers beside the pictures.

    Cursors and the states of jobs are written by `Gallery.commit`, in one transaction with the
    pictures they stand for. An opt-out is written by `Gallery.opt_out`, in one transaction with
    the removal of the owner's pictures.
    """

    async def watch(self, space: int, group: int) -> None:
        """Mark a group as watched."""

    async def unwatch(self, space: int, group: int) -> None:
        """Take the mark away; the group's pictures are removed by `Gallery.remove_group`."""

    async def opt_in(self, space: int, owner: int) -> None:
        """Let the pictures of this owner be added again."""

    async def set_retention(self, space: int, days: int | None) -> None:
        """From now on `Gallery.commit` leaves out links older than this; None: no limit."""

    async def depart(self, space: int, since: float) -> None:
        """Note that a space was left (Unix seconds); an earlier note stays."""

    async def come_back(self, space: int) -> None:
        """Take away the note that a space was left."""

    async def close_group(self, space: int, group: int, since: float) -> None:
        """Note that no member can open a group (Unix seconds). An earlier note stays. The note
        is removed with the group's last link."""

    async def open_group(self, space: int, group: int) -> None:
        """Take away the note that no member can open a group."""

    async def new_job(self, space: int, kind: str, state: Mapping[str, Any]) -> Job:
        """A new running job with an id of its own."""

    async def save_search(
        self,
        space: int,
        owner: int,
        asked: Asked,
        embedding: QueryEmbedding | None = None,
    ) -> str:
        """A short id under which this search can be run again for seven days.

        embedding   None when it must not outlive a picture that it was made from
        """

    async def expire_searches(self) -> None:
        """Remove the saved searches that are too old to be run again."""
