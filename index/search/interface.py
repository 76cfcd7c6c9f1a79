"""What a gallery needs of its vector index, and what the index needs of the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from index.concurrency import Pool
from index.types.filter import Filter, Sort
from index.types.records import Changes, Entries, Floats, Position, Settled

T = TypeVar("T")


class Found(NamedTuple):
    """Links that are most like a query, in order: each once, with its best frame.

    n rows are all frames of these links; s rows are a sample of all that may answer.
    """

    links: NDArray[np.int64]  # (k,)
    scores: NDArray[np.float64]  # (k,) cosine similarities, in steps of 1e-9
    frames: NDArray[np.int32]  # (k,)
    searched: int  # links that were allowed to answer
    more: bool  # whether there are links beside these
    row_links: NDArray[np.int64]  # (n,)
    row_frames: NDArray[np.int32]  # (n,)
    posted: NDArray[np.float64]  # (n,) when the link of each row was posted, Unix seconds
    vectors: Floats  # (n, d)
    sample: Floats  # (s, d) the same as long as no row comes or goes

    def joined(self, other: Found, *, more: bool) -> Found:
        """These links and then the other ones, of the same queries, among which are none of these.

        more   whether there are links beside the other ones
        """
        columns = ("links", "scores", "frames", "row_links", "row_frames", "posted", "vectors")
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in columns
        }
        return self._replace(more=self.more or more, **joined)


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Links in the order of their dates."""

    links: NDArray[np.int64]  # (k,)
    searched: int  # links that were allowed to be listed
    more: bool  # whether there are links after these


class Everything(Protocol):
    """All links that a filter allows, at one moment, to be looked at as a whole.

    links    (n,) int64, each once
    posted   (n,) float64, when each was posted, Unix seconds
    """

    @property
    def links(self) -> NDArray[np.int64]: ...

    @property
    def posted(self) -> NDArray[np.float64]: ...

    def vectors(self, places: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_]]:
        """The vectors of the first frames of the links at these places, (p, d), and whether each is
        still there.

        raises   Damaged when one isn't what was written
        """


class VectorIndex(Protocol):
    """The vectors of a gallery's links, kept in step with the store and compared with queries.

    `begin` or `load` comes first, then `start`, and `close` last.
    """

    def begin(self, dimension: int) -> None:
        """Have no vectors yet; those that come have this many numbers."""

    async def load(self, dimension: int) -> None:
        """Have the vectors of all links of the store."""

    async def reload(self) -> None:
        """Have the vectors of all links of the store again, which another process has changed."""

    def start(self) -> None:
        """Begin the work in the background that keeps queries quick."""

    async def change(
        self, write: Callable[[], Awaitable[Changes]], *, adds: bool = False
    ) -> Changes:
        """Write to the store, then follow what changed there; what `write` gives back.

        Queries that begin after it has returned see all of its changes. A query that runs meanwhile
        counts either all or none of them; links that are removed may be missing from its hits. A
        cancelled caller stops neither.

        adds     `write` brings links: it waits while they come faster than the index can take
        raises   GalleryClosed, and what `write` does
        """

    async def switch_model(self, dimension: int, moved: Callable[[], None]) -> Changes:
        """Change over, in store and index, to the vectors of the new model.

        Queries are answered meanwhile, and writes wait.
        moved    called at the moment from which queries meet the new vectors
        """

    async def search(
        self, queries: Floats, filter: Filter, *, k: int, sampled: bool = True
    ) -> Found:
        """The `k` links that are most like each query, among those that may answer.

        The order is by the greatest score for a query, and then by the link's id.

        queries  (q, d) float32, unit rows, or one (d,)
        filter   `Links.resolved`: only the store knows the links of a source
        sampled  False: the sample is left empty, for a caller that needs none
        """

    async def listed(
        self, filter: Filter, *, k: int, sort: Sort, after: Position | None = None
    ) -> Listed:
        """The first `k` links that follow `after`, newest or oldest first.

        Links that came or went since `after` neither repeat a link nor leave one out.
        """

    async def above(self, query: Floats, score: float, filter: Filter) -> int:
        """How many links that may answer have a greater score; exact. `filter.without` doesn't
        count."""

    async def examine(self, filter: Filter, work: Callable[[Everything], T], pool: Pool) -> T:
        """What `work` makes of all links that may answer, in a thread of this pool.

        It may be called a second time, where the index finds itself damaged.
        """

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do in the background."""

    async def close(self) -> None:
        """Stop the work in the background, and finish the change that is being made."""


class RowSource(Protocol):
    """The store of a vector index: the vectors, and which of them are in segment files."""

    def entries(
        self, dimension: int, settled: Settled | None = None, *, successor: bool = False
    ) -> AsyncIterator[Entries]:
        """All links with their vectors, in chunks, by id.

        settled    leave out the links that are in these files
        successor  with the vectors of the new model, as far as there are any
        """

    async def frames(self, dimension: int, *, successor: bool = False) -> int:
        """How many vectors `entries` gives."""

    async def settled(self) -> Settled | None:
        """What `settle` was last told, with the links that were removed or replaced since; None
        when nothing is in files."""

    async def settle(self, settled: Settled | None) -> None:
        """Remember which links are in which files."""

    async def switch_model(self, settled: Settled | None) -> Changes:
        """Let the vectors of the new model be the gallery's; `settled` is about those."""
