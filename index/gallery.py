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

from index.concurrency import Pool, to_completion
from index.embed import checkpoint
from index.embed.embedder import Embedder
from index.models import Models
from index.pipeline import Pipeline, key_of
from index.search.engine import Engine
from index.search.rows import Found
from index.store.sqlite import Store
from index.types.filter import Filter, Sort
from index.types.query import Query, QueryEmbedding, SavedSearch
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

# More threads than this decode faster than any CPU embeds.
MAX_DECODERS = 4
# Searches, and pictures that are asked about: their own threads, so that they don't wait
# behind new pictures.
ASKING_THREADS = 2


class Gallery:
    """Pictures and texts in one file, searchable by what is in them; made by `open`."""

    def __init__(
        self,
        store: Store,
        kept: ModelInfo | None,
        device: str,
        precision: Precision,
        read_only: bool,
    ) -> None:
        self._store = store
        self._read_only = read_only
        self._closed = closed = asyncio.Event()
        threads = min(MAX_DECODERS, checkpoint.cpu_count())
        # Patient, so that a question's words don't share the core with them: on one core, an answer
        # during a reindex takes 2 to 3 times as long as at other times, not 4.
        decoding = Pool(threads, "decode", closed, patient=True)
        asking = Pool(ASKING_THREADS, "ask", closed)
        merging = Pool(1, "merge", closed, patient=True)
        self._pools = (decoding, asking, merging)
        self._models = Models(store, kept, closed, device, precision)
        self._pipeline = Pipeline(store, self._models, decoding, asking)
        self._engine = Engine(store, asking, merging, closed, write=not read_only)

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
    ) -> Gallery:
        """The gallery in the file `path`, made if there is none, with its model loaded.

        model      a hub name, a folder, or an embedder; None: the one the file remembers,
                   loaded when it is first needed
        device     "auto" (CUDA, then MPS, then the CPU) or one by name, as "cuda:1"
        precision  how a model computes on a CPU, see `embedder.Precision`; checking what isn't
                   "exact" takes a second, which pays where many pictures come
        read_only  look and search only; allowed while another process adds
        gradually  if the file's vectors are of another model, answer with that one, until
                   `begin_succession`, a second look at all pictures, and `succeed`
        raises     ModelError, StoreError
        """
        store = await Store.open(Path(path), read_only=read_only)
        try:
            gallery = cls(store, await store.model(), device, precision, read_only)
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
        """Finish what is being written, fail what still waits with GalleryClosed, let go."""
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

    @property
    def wanted(self) -> str | None:
        """The name of the model that was asked for, while another answers; else None."""
        return self._models.wanted

    async def begin_succession(self) -> None:
        """From now on each picture and text is also embedded by the wanted model.

        Those that are here already need a second `embed_picture` and `commit`; what was done
        is kept over a restart. raises ModelError
        """
        await self._models.begin_succession()

    @property
    def succession(self) -> str | None:
        """A name for the change of models that has begun, the same until it is done or given
        up; None while there is none."""
        return self._models.succession

    async def slots_left(self, space: int, source: str) -> set[str]:
        """The slots of one source that the model which will follow has not embedded."""
        return await self._store.slots_left(space, source)

    async def left_behind(self) -> int:
        """How many pictures and texts the model that will follow has not embedded."""
        return await self._store.left_behind()

    async def succeed(self) -> int:
        """Go over to the model that followed; what it has not embedded leaves the gallery.

        Questions are answered all the while, by the one model or the other. Writes wait.
        returns  how many links left
        """
        changes = await to_completion(self._models.succeed(self._engine.succeed))
        return len(changes.removed)

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

    # ---- what is there

    async def slots(self, space: int, source: str) -> set[str]:
        """The slots of one source that are in the gallery."""
        return set(await self._store.links_of_source(space, source))

    async def known(self, space: int, group: int) -> dict[str, set[str]]:
        """All sources of a group, each with its slots."""
        return await self._store.known(space, group)

    async def details(self, space: int, group: int) -> dict[str, Mapping[str, Any]]:
        """All sources of a group, each with the details of one of its links."""
        return await self._store.details(space, group)

    async def link(self, id: int) -> Link | None:
        """The link with this id, or None when it is gone."""
        found = await self._store.links([id])
        return found[id][0] if id in found else None

    async def links_of_picture(self, data: bytes) -> dict[int, Link]:
        """All links to exactly these bytes, by id."""
        return await self._store.links_of_key(await asyncio.to_thread(key_of, "image", data))

    async def groups(self, space: int) -> list[Group]:
        """Every group that has links."""
        return await self._store.groups(space)

    async def count(
        self, space: int | None = None, groups: Collection[int] | None = None
    ) -> Counts:
        """How many images, texts and links there are; of some groups, if given."""
        return await self._store.count(space, groups)

    async def count_links(self, space: int | None = None, groups: Collection[int] = ()) -> int:
        """How many links there are, or those of some groups of a space; sooner than `count`."""
        return await self._store.count_links(space, groups)

    async def disk_bytes(self) -> int:
        """What the gallery's files take on disk."""
        return await self._store.disk_bytes()

    async def model_info(self) -> ModelInfo | None:
        """The model whose embeddings are kept; None in an empty gallery."""
        return await self._store.model()

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

    # ---- what people and spaces want of what is kept

    async def opt_out(self, space: int, owner: int) -> int:
        """`remove_owner`, and from now on `commit` leaves the links of this owner out."""
        return await self._removed(lambda: self._store.remove_owner(space, owner, for_good=True))

    async def opt_in(self, space: int, owner: int) -> None:
        """Let the links of this owner come again."""
        await self._store.opt_in(space, owner)

    async def opted_out(self) -> set[tuple[int, int]]:
        """All (space, owner) who opted out."""
        return await self._store.opted_out()

    async def belongings(
        self, space: int, owner: int, *, after: int = 0, limit: int = 1000
    ) -> list[tuple[int, Belonging]]:
        """An owner's links with ids above `after`, by id, with all that is kept of each."""
        return await self._store.belongings(space, owner, after=after, limit=limit)

    async def count_of_owner(self, space: int, owner: int) -> int:
        """How many links an owner has."""
        return await self._store.count_of_owner(space, owner)

    async def expire_searches(self) -> None:
        """Drop the questions that are too old to be asked again."""
        await self._store.expire_searches()

    async def searches_of(self, space: int, owner: int) -> list[Mapping[str, Any]]:
        """The questions of an owner that are kept, as they were saved, with `made_at`."""
        return await self._store.searches_of(space, owner)

    async def set_retention(self, space: int, days: int | None) -> None:
        """From now on `commit` leaves out what is older than so many days; None: nothing."""
        await self._store.set_retention(space, days)

    async def retention(self) -> dict[int, int]:
        """The days that pictures are kept, of each space that has a limit."""
        return await self._store.retention()

    async def depart(self, space: int, since: float) -> None:
        """Note that a space was left (Unix seconds); an earlier note stays."""
        await self._store.depart(space, since)

    async def come_back(self, space: int) -> None:
        """Take the note away that a space was left."""
        await self._store.come_back(space)

    async def departed(self) -> dict[int, float]:
        """The spaces that were left, each since when (Unix seconds)."""
        return await self._store.departed()

    async def close_group(self, space: int, group: int, since: float) -> None:
        """Note that nobody can look into a group (Unix seconds); an earlier note stays. It goes
        with the group's last link."""
        await self._store.close_group(space, group, since)

    async def open_group(self, space: int, group: int) -> None:
        """Take that note away."""
        await self._store.open_group(space, group)

    async def closed_groups(self) -> dict[tuple[int, int], float]:
        """The groups that nobody can look into, by space and id, each since when."""
        return await self._store.closed_groups()

    # ---- remembered beside the pictures

    async def watch(self, space: int, group: int) -> None:
        """Mark a group as watched."""
        await self._store.watch(space, group)

    async def unwatch(self, space: int, group: int) -> None:
        """Take the mark away; its pictures go by `remove_group`."""
        await self._store.unwatch(space, group)

    async def watched(self, space: int) -> set[int]:
        """The groups of a space that are marked as watched."""
        return await self._store.watched(space)

    async def spaces(self) -> set[int]:
        """All spaces that have watched groups or links."""
        return await self._store.spaces()

    async def cursors(self, space: int) -> dict[int, Cursor]:
        """The cursor of each group of a space that has one."""
        return await self._store.cursors(space)

    async def save_cursor(self, cursor: Cursor) -> None:
        """Keep a cursor by itself (pictures come with theirs through `commit`)."""
        await self._store.commit([], [cursor])

    async def new_job(self, space: int, kind: str, state: Mapping[str, Any]) -> Job:
        """A new running job with an id of its own."""
        return await self._store.new_job(space, kind, state)

    async def save_job(self, job: Job) -> None:
        """Keep the job's status and state."""
        await self._store.commit([], [], [job])

    async def jobs(self, space: int | None = None, *, active: bool = True) -> list[Job]:
        """Jobs, oldest first; `active`: only those running or paused."""
        return await self._store.jobs(space, active=active)

    async def save_search(
        self,
        space: int,
        owner: int,
        params: Mapping[str, Any],
        embedding: QueryEmbedding | None = None,
    ) -> str:
        """A short id under which this question can be asked again for seven days.

        embedding   None for what must not outlive a picture that it was asked with
        """
        return await self._store.save_search(space, owner, params, embedding)

    async def search_by_id(self, id: str) -> SavedSearch | None:
        """The question kept under this id, or None when it is gone."""
        return await self._store.search_by_id(id)

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
        found = await self._engine.ask(
            lambda rows: rows.search(embedding.vector, filter, k=k, after=after, sort=sort)
        )
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
        above = await self._engine.ask(lambda rows: rows.above(embedding.vector, score, filter))
        return score, above + 1


async def _both(*work: Awaitable[None]) -> None:
    """Wait for all; when one fails, for the others too, so that nothing runs on behind."""
    done = await asyncio.gather(*work, return_exceptions=True)
    for result in done:
        if isinstance(result, BaseException):
            raise result
