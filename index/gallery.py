"""The public face of `index`: pictures and texts go in, questions are answered.

Here the parts are put together: `pipeline` makes vectors with the model that `models` has, `store`
keeps them, and `engine` has the rows that are compared.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from index.concurrency import Pool
from index.embed import checkpoint
from index.embed.embedder import Embedder
from index.models import Models
from index.pipeline import Pipeline
from index.reembedding import Reembedding
from index.search.engine import Engine
from index.search.interface import Found, VectorIndex
from index.search.sizes import DEFAULT_SIZES, Sizes
from index.store.interface import Bookkeeping, Links
from index.store.sqlite import SEGMENTS, Store
from index.types.filter import Filter, Sort
from index.types.query import Query, QueryEmbedding, UntypedSavedSearch
from index.types.records import (
    Answer,
    Belonging,
    Changes,
    Counts,
    Cursor,
    EmbeddedPicture,
    Group,
    Hit,
    Job,
    Link,
    ModelInfo,
    Position,
    Precision,
)
from index.types.searches import Asked

# More threads than this decode faster than any CPU embeds.
MAX_DECODERS = 4
# Searches, and pictures that are asked about: their own threads, so that they don't wait
# behind new pictures.
ASKING_THREADS = 2


class Gallery:
    """Pictures and texts in one file, searchable by what is in them; made by `open`.

    links        what is kept, to be read
    bookkeeping  what the caller remembers beside the pictures, as far as it isn't written together
                 with pictures
    reembedding  the change to another model
    """

    def __init__(
        self,
        store: Store,
        kept: ModelInfo | None,
        device: str,
        precision: Precision,
        read_only: bool,
        sizes: Sizes,
    ) -> None:
        self._store = store
        self.links: Links = store
        self.bookkeeping: Bookkeeping = store
        self._read_only = read_only
        self._closed = closed = asyncio.Event()
        threads = min(MAX_DECODERS, checkpoint.cpu_count())
        # Patient, so that a question's words don't share the core with them: on one core, an answer
        # during a reindex takes 2 to 3 times as long as at other times, not 4.
        decoding = Pool(threads, "decode", closed, patient=True)
        asking = Pool(ASKING_THREADS, "ask", closed)
        compacting = Pool(1, "compact", closed, patient=True)
        self._pools = (decoding, asking, compacting)
        self._models = Models(store, kept, closed, device, precision)
        self._pipeline = Pipeline(store, self._models, decoding, asking)
        folder = store.path.with_name(store.path.name + SEGMENTS)
        self._engine: VectorIndex = Engine(
            store, folder, asking, compacting, closed, write=not read_only, sizes=sizes
        )
        self.reembedding = Reembedding(store, self._models, self._engine)

    @classmethod
    async def open(
        cls,
        path: str | Path,
        model: str | Embedder | None = None,
        *,
        device: str = "auto",
        precision: Precision = "exact",
        read_only: bool = False,
        gradually: bool = False,
        sizes: Sizes = DEFAULT_SIZES,
    ) -> Gallery:
        """The gallery in the file `path`, made if there is none, with its model loaded.

        model      a hub name, a folder, or an embedder; None: the one the file remembers,
                   loaded when it is first needed
        device     "auto" (CUDA, then MPS, then the CPU) or one by name, as "cuda:1"
        precision  how a model computes on a CPU, see `embedder.Precision`; checking what isn't
                   "exact" takes a second, which pays where many pictures come
        read_only  look and search only; allowed while another process adds
        gradually  if the file's vectors are of another model, answer with that one, until
                   `reembedding.begin`, a second look at all pictures, and `reembedding.switch`
        sizes      limits of the vector index, which tests make smaller
        raises     ModelError, StoreError
        """
        store = await Store.open(Path(path), read_only=read_only)
        try:
            gallery = cls(store, await store.model(), device, precision, read_only, sizes)
            try:
                await gallery._begin(model, gradually)
            except BaseException:
                await gallery.close()
                raise
        except BaseException:
            await store.close()
            raise
        return gallery

    async def _begin(self, model: str | Embedder | None, gradually: bool) -> None:
        """Load model and rows, at the same time where the file says how long the rows are."""
        models, engine = self._models, self._engine
        if model is None:
            if models.kept is not None:
                await engine.load(models.dimension)
        elif models.kept is None or await self._store.empty():
            await models.begin(model)
            engine.begin(models.dimension)
        elif gradually and await models.is_another(model):
            await _both(engine.load(models.dimension), models.load_the_one_before(model))
        else:
            await _both(engine.load(models.dimension), models.load(model))
        if not self._read_only:
            await models.remember()
            engine.start()

    async def close(self) -> None:
        """Finish what is being written, and release everything; what still waits gets
        GalleryClosed."""
        self._closed.set()
        await self._engine.close()
        await self._models.close()
        await self._store.close()
        for pool in self._pools:
            await pool.close()

    # ---- the model

    @property
    def model(self) -> str:
        """The model's name; "" while an empty gallery has none."""
        return self._models.name

    @property
    def dimension(self) -> int:
        """How many numbers an embedding has; 0 while an empty gallery has no model."""
        return self._models.dimension

    @property
    def device(self) -> str:
        """What the model runs on, such as "cuda:0"; what was asked for until one is loaded."""
        return self._models.device

    @property
    def waiting(self) -> int:
        """How many pictures and texts wait for the model."""
        return self._models.waiting

    # ---- adding

    async def embed_picture(self, data: bytes) -> EmbeddedPicture:
        """The picture in `data`, decoded and embedded; known bytes skip both.

        raises   PictureError
        """
        return await self._pipeline.picture(data, asked=False)

    async def embed_text(self, text: str) -> EmbeddedPicture:
        """The text, embedded; of the same shape as a picture, kind "text".

        raises   EmptyQuery when there is nothing to read in it
        """
        return await self._pipeline.text(text)

    async def commit(
        self,
        items: Sequence[tuple[EmbeddedPicture, Link]],
        cursors: Sequence[Cursor] = (),
        jobs: Sequence[Job] = (),
    ) -> None:
        """Keep the items, and the cursors and jobs they stand for, in one transaction.

        Searchable and on disk when it returns. A link replaces the earlier one of the
        same (space, source, slot), so doing it again changes nothing. Waits while items come
        faster than they can be made ready for search.
        """
        await self._engine.change(
            lambda: self._store.commit(
                [(self._models.of_today(picture), link) for picture, link in items], cursors, jobs
            ),
            adds=bool(items),
        )

    async def add(self, data: bytes, link: Link, cursor: Cursor | None = None) -> None:
        """`embed_picture`, then `commit`."""
        picture = await self.embed_picture(data)
        await self.commit([(picture, link)], [cursor] if cursor else [])

    # ---- removing

    async def keep_slots(self, space: int, source: str, slots: Collection[str]) -> int:
        """Drop the links of this source whose slot is not listed; returns how many."""
        return await self._removed(lambda: self._store.keep_slots(space, source, slots))

    async def remove_sources(self, space: int, sources: Collection[str]) -> int:
        """Drop all links of these sources; returns how many."""
        return await self._removed(lambda: self._store.remove_sources(space, sources))

    async def remove_group(self, space: int, group: int) -> int:
        """Drop the links and cursors of a group and of those hanging from it."""
        return await self._removed(lambda: self._store.remove_group(space, group))

    async def remove_space(self, space: int) -> int:
        """Drop everything of a space: links, cursors, watched groups, jobs, searches."""
        return await self._removed(lambda: self._store.remove_space(space))

    async def remove_owner(self, space: int, owner: int) -> int:
        """Drop all links of an owner, and the questions they asked; returns how many links."""
        return await self._removed(lambda: self._store.remove_owner(space, owner))

    async def remove_older(self, space: int, posted_before: float) -> int:
        """Drop the links of a space posted before then (Unix seconds); returns how many."""
        return await self._removed(lambda: self._store.remove_older(space, posted_before))

    async def _removed(self, write: Callable[[], Awaitable[Changes]]) -> int:
        return len((await self._engine.change(write)).removed)

    async def compact(self) -> None:
        """Write the file anew, so that not even stray bytes of what was removed are left.

        For a quiet moment: writes wait some seconds a gigabyte, and the disk needs as much room
        again meanwhile. Does nothing where nothing was removed since the last time.
        """
        await self._store.compact()

    async def opt_out(self, space: int, owner: int) -> int:
        """`remove_owner`, and from now on `commit` leaves the links of this owner out."""
        return await self._removed(lambda: self._store.remove_owner(space, owner, for_good=True))

    # ---- asking

    async def embed_query(self, query: Query) -> QueryEmbedding:
        """The one unit vector that stands for the query.

        raises   EmptyQuery, PictureError, LinkGone, ModelChanged
        """
        return await self._pipeline.query(query)

    async def search(
        self,
        embedding: QueryEmbedding,
        filter: Filter,
        *,
        k: int,
        after: Position | None = None,
        sort: Sort = Sort.BEST,
    ) -> Answer:
        """A page of `k` hits: the first that follow `after`, among those that may answer.

        after   `Hit.position` of the last hit of the page before; None: from the beginning. Links
                that came or went since then neither repeat a hit nor leave one out.
        raises  ModelChanged when the embedding is of another model
        """
        started = time.perf_counter()
        self._models.check_today(embedding.revision)
        filter = await self._resolved(filter)
        found = await self._engine.search(embedding.vector, filter, k=k, after=after, sort=sort)
        return Answer(
            hits=await self._hits(found, first=after.rank + 1 if after else 1),
            searched=found.searched,
            more=found.more,
            truncated=embedding.truncated,
            took_ms=(time.perf_counter() - started) * 1000,
            confident=found.confident,
        )

    async def find(
        self,
        query: Query,
        filter: Filter,
        *,
        k: int,
        after: Position | None = None,
        sort: Sort = Sort.BEST,
    ) -> Answer:
        """`embed_query`, then `search`."""
        embedding = await self.embed_query(query)
        return await self.search(embedding, filter, k=k, after=after, sort=sort)

    async def _resolved(self, filter: Filter) -> Filter:
        """The filter with the links of `but_not_source` among `without`."""
        if filter.but_not_source is None:
            return filter
        links = await self._store.links_of_source(filter.space, filter.but_not_source)
        without = filter.without.union(links.values())
        return replace(filter, without=without, but_not_source=None)

    async def _hits(self, found: Found, first: int) -> list[Hit]:
        """The found links with all that is known of them; one that was removed meanwhile is left
        out."""
        links = await self._store.links(found.links.tolist())
        return [
            Hit(rank, score, id, links[id][1], links[id][0], frame, links[id][2])
            for rank, (id, score, frame) in enumerate(
                zip(
                    found.links.tolist(), found.scores.tolist(), found.frames.tolist(), strict=True
                ),
                start=first,
            )
            if id in links
        ]

    async def place(
        self, picture: EmbeddedPicture, embedding: QueryEmbedding, *, space: int
    ) -> tuple[float, int]:
        """The score this picture has for a query, and the rank it has or would have."""
        score = float((picture.vectors @ embedding.vector).max())  # of the frame that fits best
        filter = Filter(space, kind=picture.kind)
        above = await self._engine.above(embedding.vector, score, filter)
        return score, above + 1

    # ==== Old names, one line each. bot/ still calls them; this block goes with its move to
    # `links`, `bookkeeping` and `reembedding`. ====

    @property
    def wanted(self) -> str | None:
        return self.reembedding.wanted

    async def begin_succession(self) -> None:
        await self.reembedding.begin()

    @property
    def succession(self) -> str | None:
        return self.reembedding.id

    async def slots_left(self, space: int, source: str) -> set[str]:
        return await self.reembedding.slots_left(space, source)

    async def left_behind(self) -> int:
        return await self.reembedding.left_behind()

    async def succeed(self) -> int:
        return await self.reembedding.switch()

    async def slots(self, space: int, source: str) -> set[str]:
        return await self.links.slots(space, source)

    async def known(self, space: int, group: int) -> dict[str, set[str]]:
        return await self.links.known(space, group)

    async def details(self, space: int, group: int) -> dict[str, Mapping[str, Any]]:
        return await self.links.details(space, group)

    async def link(self, id: int) -> Link | None:
        return await self.links.link(id)

    async def links_of_picture(self, data: bytes) -> dict[int, Link]:
        return await self.links.links_of_picture(data)

    async def groups(self, space: int) -> list[Group]:
        return await self.links.groups(space)

    async def count(
        self, space: int | None = None, groups: Collection[int] | None = None
    ) -> Counts:
        return await self.links.count(space, groups)

    async def count_links(self, space: int | None = None, groups: Collection[int] = ()) -> int:
        return await self.links.count_links(space, groups)

    async def disk_bytes(self) -> int:
        return await self.links.disk_bytes()

    async def model_info(self) -> ModelInfo | None:
        return await self.links.model()

    async def opt_in(self, space: int, owner: int) -> None:
        await self.bookkeeping.opt_in(space, owner)

    async def opted_out(self) -> set[tuple[int, int]]:
        return await self.bookkeeping.opted_out()

    async def belongings(
        self, space: int, owner: int, *, after: int = 0, limit: int = 1000
    ) -> list[tuple[int, Belonging]]:
        return await self.links.belongings(space, owner, after=after, limit=limit)

    async def count_of_owner(self, space: int, owner: int) -> int:
        return await self.links.count_of_owner(space, owner)

    async def expire_searches(self) -> None:
        await self.bookkeeping.expire_searches()

    async def searches_of(self, space: int, owner: int) -> list[Mapping[str, Any]]:
        return [one.to_json() for one in await self.bookkeeping.searches_of(space, owner)]

    async def set_retention(self, space: int, days: int | None) -> None:
        await self.bookkeeping.set_retention(space, days)

    async def retention(self) -> dict[int, int]:
        return await self.bookkeeping.retention()

    async def depart(self, space: int, since: float) -> None:
        await self.bookkeeping.depart(space, since)

    async def come_back(self, space: int) -> None:
        await self.bookkeeping.come_back(space)

    async def departed(self) -> dict[int, float]:
        return await self.bookkeeping.departed()

    async def close_group(self, space: int, group: int, since: float) -> None:
        await self.bookkeeping.close_group(space, group, since)

    async def open_group(self, space: int, group: int) -> None:
        await self.bookkeeping.open_group(space, group)

    async def closed_groups(self) -> dict[tuple[int, int], float]:
        return await self.bookkeeping.closed_groups()

    async def watch(self, space: int, group: int) -> None:
        await self.bookkeeping.watch(space, group)

    async def unwatch(self, space: int, group: int) -> None:
        await self.bookkeeping.unwatch(space, group)

    async def watched(self, space: int) -> set[int]:
        return await self.bookkeeping.watched(space)

    async def spaces(self) -> set[int]:
        return await self.links.spaces()

    async def cursors(self, space: int) -> dict[int, Cursor]:
        return await self.bookkeeping.cursors(space)

    async def save_cursor(self, cursor: Cursor) -> None:
        await self._store.commit([], [cursor])

    async def new_job(self, space: int, kind: str, state: Mapping[str, Any]) -> Job:
        return await self.bookkeeping.new_job(space, kind, state)

    async def save_job(self, job: Job) -> None:
        await self._store.commit([], [], [job])

    async def jobs(self, space: int | None = None, *, active: bool = True) -> list[Job]:
        return await self.bookkeeping.jobs(space, active=active)

    async def save_search(
        self,
        space: int,
        owner: int,
        params: Mapping[str, Any],
        embedding: QueryEmbedding | None = None,
    ) -> str:
        asked = Asked.from_json(params)
        return await self.bookkeeping.save_search(space, owner, asked, embedding)

    async def search_by_id(self, id: str) -> UntypedSavedSearch | None:
        kept = await self.bookkeeping.search_by_id(id)
        if kept is None:
            return None
        asked = kept.asked.to_json()
        return UntypedSavedSearch(kept.id, kept.space, kept.owner, asked, kept.embedding)

    # ==== end of the old names ====


async def _both(*work: Awaitable[None]) -> None:
    """Wait for all; when one fails, for the others too, so that nothing runs on behind."""
    done = await asyncio.gather(*work, return_exceptions=True)
    for result in done:
        if isinstance(result, BaseException):
            raise result
