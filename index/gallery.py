"""The public face of `index`: pictures and texts go in, queries are answered.

The parts are put together here. `pipeline` makes vectors with the model that `models` loads,
`store` keeps them, and `engine` has the rows that are compared with a query.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any

import numpy as np

from index.answering.answer import Candidate
from index.answering.ranking import Ranking
from index.clips.clip import LIMITS as CLIP_LIMITS
from index.clips.clip import ClipLimits, ClipSource
from index.clips.readers import scenes_of
from index.concurrency import Pool
from index.copies.derivation import FingerprintDerivation
from index.copies.lookup import Lookup
from index.derivations import Derivation
from index.embed import checkpoint, embedder
from index.embed.embedder import Embedder
from index.embed.model_threads import pictures_at_once
from index.jobs.workers import Workers
from index.making import decoding_threads
from index.models import Models
from index.overview.survey import survey
from index.pipeline import Pipeline
from index.posted_before import PostedBefore
from index.reembedding import Reembedding
from index.search.interface import VectorIndex
from index.search.sizes import DEFAULT_SIZES, Sizes
from index.stills import still_of
from index.store.interface import Bookkeeping, Derivations, Links, Store, Transcripts, Watches
from index.store.opening import open_store
from index.transcripts.excerpts import excerpt
from index.types.address import Place, is_address
from index.types.derivations import NAMES, REEMBEDDING
from index.types.errors import GalleryClosed, ModelChanged
from index.types.filter import Filter, Sort
from index.types.overview import Overview
from index.types.query import Query, QueryEmbedding
from index.types.records import (
    NOWHERE,
    Answer,
    Changes,
    Copy,
    Cursor,
    EmbeddedPicture,
    Floats,
    Hit,
    Job,
    Languages,
    Link,
    ModelInfo,
    Position,
    Precision,
)
from index.watches.watching import Watching

# Threads that search. They do nothing else, so that a search waits for no picture.
SEARCHING_THREADS = 2
# Threads that decode the pictures of queries. A picture can keep one busy for many seconds, so one
# caller's pictures should not come at the same time; with three, two such callers still leave one.
LOOKING_THREADS = 3
# Videos of questions that are read at the same time.
ASKED_CLIPS = 2
# Niceness, for which the system prefers threads of a lower one: searches and the model (0), then
# pictures of queries, then new pictures and compaction. On one core, an answer during a reindex
# takes 2 to 3 times as long as at other times; if all were 0, 4 times.
LOOKING_NICENESS = 5
PATIENT_NICENESS = 10


class Gallery:
    """Pictures and texts in one file, searchable by what is in them; made by `open`.

    links        what is kept, to be read
    bookkeeping  what the caller remembers beside the pictures, as far as it isn't written together
                 with pictures
    derivations  what else is made from pictures, and what is still pending
    transcripts  the words that were read in pictures, and which pictures nobody has read yet
    watches      questions that are kept, that new links are judged by, and what was found
    watching     judges new links by them
    reembedding  the change to another model
    workers      those who embed new pictures; None: that is done here
    """

    def __init__(
        self,
        store: Store,
        kept: ModelInfo | None,
        device: str,
        precision: Precision,
        read_only: bool,
        sizes: Sizes,
        workers: Workers | None,
        cores: int,
    ) -> None:
        self._store = store
        self.workers = workers
        self._state: object = None  # of the store when its rows were read
        self._writes = store.writes
        self.links: Links = store.links
        self.bookkeeping: Bookkeeping = store.bookkeeping
        self.derivations: Derivations = store.derivations
        self.transcripts: Transcripts = store.transcripts
        self._read_only = read_only
        self._closed = closed = asyncio.Event()
        threads = decoding_threads(cores)
        decoding = Pool(threads, "decode", closed, niceness=PATIENT_NICENESS)
        looking = Pool(LOOKING_THREADS, "look", closed, niceness=LOOKING_NICENESS)
        searching = Pool(SEARCHING_THREADS, "search", closed)
        settling = Pool(1, "settle", closed, niceness=PATIENT_NICENESS)
        compacting = Pool(1, "compact", closed, niceness=PATIENT_NICENESS)
        screening = Pool(1, "screen", closed, niceness=PATIENT_NICENESS)
        # One thread: an overview takes seconds, and all cores for parts of that.
        surveying = Pool(1, "survey", closed, niceness=PATIENT_NICENESS)
        self._clips, self._asked_clips = asyncio.Semaphore(threads), asyncio.Semaphore(ASKED_CLIPS)
        self._pools = (decoding, looking, searching, settling, compacting, screening, surveying)
        self._looking, self._surveying = looking, surveying
        self._searching = searching
        self._models = Models(
            *(store.model_record, store.place, kept, closed, device, precision, cores)
        )
        self._fingerprints = FingerprintDerivation(decoding)
        self._pipeline = Pipeline(
            *(store.items, self._models, decoding, looking),
            workers.asker if workers else None,
            pictures_at_once(cores),
        )
        self._engine: VectorIndex = store.vector_index(
            *(searching, settling, compacting, closed), write=not read_only, sizes=sizes
        )
        self._ranking = Ranking(
            *(self._engine, store.links, store.copies, store.transcripts, searching, self._models)
        )
        self._lookup = Lookup(store.copies, searching)
        self._posted_before = PostedBefore(
            *(store, self._models, self._pipeline, self._engine, self._lookup),
            *(looking, searching),
        )
        self.watches: Watches = store.watches
        self.watching = Watching(
            *(store, self._models, self._pipeline, self._engine, searching, screening)
        )
        self.reembedding = Reembedding(
            *(store.derivations, self._models, self._pipeline, decoding, self._engine),
            switched=self._lookup.forget,
        )

    @classmethod
    async def open(
        cls,
        place: Place,
        model: str | Embedder | None = None,
        *,
        device: str = "auto",
        precision: Precision = "exact",
        read_only: bool = False,
        gradually: bool = False,
        sizes: Sizes = DEFAULT_SIZES,
        derivations: Sequence[Derivation] = (),
        workers: str | None = None,
        cores: int | None = None,
    ) -> Gallery:
        """The gallery at `place`, made if there is none, with its model ready for words.

        place        a file's path, or the address of a database of PostgreSQL

        model        a hub name, a folder, or an embedder; None: the one the file remembers,
                     loaded when it is first needed. What pictures need of it is loaded with the
                     first picture, or by `ready_to_embed`
        device       "auto" (CUDA, then MPS, then the CPU) or one by name, as "cuda:1"
        precision    how a model computes on a CPU (`types.records.Precision`); checking what isn't
                     "exact" takes a second, which pays where many pictures come
        read_only    look and search only; allowed while another process adds
        gradually    if the file's vectors are of another model, answer with that one, until
                     `reembedding.begin`, a second look at all pictures, and `reembedding.switch`
        sizes        limits of the vector index, which tests make smaller
        derivations  what else is made from each picture and text, and kept with it
        workers      the address of a PostgreSQL database through which workers embed new pictures;
                     None: that is done here
        cores        on which pictures are decoded and embedded; None: all that this process may use
        raises       ModelError, StoreError, JobsUnreachable
        """
        is_new = not (
            read_only or is_address(place) or await asyncio.to_thread(os.path.exists, place)
        )
        if is_new and isinstance(model, str):
            # Loaded first, so that a model that can't be had leaves no empty gallery behind.
            found = await asyncio.to_thread(checkpoint.find, model)
            model = await asyncio.to_thread(embedder.load, found, device, precision, whole=False)
        names = tuple(dict.fromkeys((*NAMES, *(derivation.name for derivation in derivations))))
        store = await open_store(place, read_only=read_only, derivations=names)
        try:
            kept = await store.model_record.get()
            asked = Workers(workers) if workers else None
            cores = cores or checkpoint.cpu_count()
            gallery = cls(store, kept, device, precision, read_only, sizes, asked, cores)
            try:
                await gallery._begin(model, gradually)
                await gallery._derive(derivations)
            except BaseException:
                await gallery.close()
                raise
        except BaseException:
            await store.close()
            raise
        return gallery

    async def _begin(self, model: str | Embedder | None, gradually: bool) -> None:
        """Load model and rows; at the same time, when the file says how many numbers a row has."""
        models, engine = self._models, self._engine
        if self.workers is not None:
            await self.workers.start()
        self._state = await self._store.state()
        if model is None:
            if models.kept is not None:
                await engine.load(models.dimension)
        elif models.kept is None or await self._store.items.empty():
            await models.begin(model)
            engine.begin(models.dimension)
        elif gradually and await models.is_another(model):
            await _both(engine.load(models.dimension), self.reembedding.load_old_model(model))
        else:
            await _both(engine.load(models.dimension), models.load(model))
        if not self._read_only:
            await models.remember()
            if models.loaded:
                await self.reembedding.resume()
            engine.start()

    async def _derive(self, derivations: Sequence[Derivation]) -> None:
        """Make these from now on, and fingerprints; what another revision of them made is
        deleted."""
        if self._read_only:
            return
        for derivation in (self._fingerprints, *derivations):
            await self._store.derivations.begin(derivation.name, derivation.revision, {})
            self._pipeline.add(derivation)

    async def close(self) -> None:
        """Finish what is being written and close the store; calls that wait raise GalleryClosed."""
        self._closed.set()
        if self.workers is not None:
            await self.workers.close()
        await self._engine.close()
        await self._models.close()
        await self.reembedding.close()  # after the models: a switch that runs is finished by then
        await self._store.close()
        for pool in self._pools:
            await pool.close()

    async def refresh(self) -> bool:
        """Whether anything was written since the gallery was opened, or since the last call. A
        gallery that was opened for reading only follows what other processes have written.

        raises   ModelChanged when its vectors are of another model now; then open it anew
        """
        state = await self._store.state()
        if state == self._state:
            return False
        if self._read_only:
            kept = await self._store.model_record.get()
            if kept is None or kept.revision != self._models.revision:
                raise ModelChanged
            await self._engine.reload()
            await self._lookup.forget()
        self._state = state
        return True

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
        """What the model runs on, such as "cuda:0"; what was asked for until that is known."""
        return self._models.device

    @property
    def languages(self) -> Languages | None:
        """The languages that the model was trained on; None until one is loaded."""
        return self._models.languages

    @property
    def waiting(self) -> int:
        """How many pictures and texts wait for the model."""
        return self._models.waiting

    @property
    def model_is_loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._models.loaded

    @property
    def embedder(self) -> Embedder | None:
        """The model, with which another gallery can be opened; None until it is in memory."""
        return self._models.embedder

    async def load_model(self) -> None:
        """Load the model now, rather than when it is first needed. raises ModelError"""
        await self._models.threads()

    @property
    def judges(self) -> bool:
        """Whether answers can be sure. The first time that a model is used, it must read some
        thousand common words for that, which takes seconds (`answering.reading`)."""
        return not self._models.background_missing

    async def ready_to_judge(self) -> None:
        """Wait until answers can be sure."""
        await self._models.background_read()

    async def ready_to_embed(self) -> None:
        """Load what pictures are embedded with now, rather than with the first picture: torch takes
        seconds. Questions in words are answered meanwhile. raises ModelError"""
        await (await self._models.threads()).complete()

    async def ready_to_compare(self) -> None:
        """Load what pictures are compared with now, rather than with the first picture: that holds
        up the whole process again and again, for a second; for ten where it must be compiled."""
        # Imported here, since whoever only searches doesn't need it.
        from index.copies.warm import warm

        await asyncio.to_thread(warm)

    async def ready_to_lay_out(self) -> None:
        """Load what lays out the map of an overview, for the same reason."""
        from index.overview.layout import warm

        await asyncio.to_thread(warm)

    # ---- adding

    async def embed_picture(self, data: bytes, link: Link = NOWHERE) -> EmbeddedPicture:
        """The picture in `data`, decoded and embedded, for this link; by workers where there are.

        Bytes that the link's group shows already skip both. Bytes that only others show don't: the
        time would tell the group that they do. With workers, it waits until one has answered.
        raises   PictureError
        """
        return await self._pipeline.picture(data, link)

    async def scenes(
        self, clip: ClipSource, limits: ClipLimits = CLIP_LIMITS, *, asked: bool = False
    ) -> bytes:
        """A few frames of a video as an animation, with which all can be done that is done with the
        bytes of a picture. Few videos are read at the same time.

        asked    for a question, which doesn't wait for the videos of others
        raises   PictureError, DecoderUnusable, and what reading the source raises
        """
        async with self._asked_clips if asked else self._clips:
            niceness = LOOKING_NICENESS if asked else PATIENT_NICENESS
            return await scenes_of(clip, limits, niceness=niceness)

    async def embed_text(self, text: str, space: int = 0, group: int = 0) -> EmbeddedPicture:
        """The text, embedded; of the same shape as a picture, kind "text".

        raises   EmptyQuery when there is nothing to read in it
        """
        return await self._pipeline.text(text, space, group)

    async def commit(
        self,
        items: Sequence[tuple[EmbeddedPicture, Link]],
        cursors: Sequence[Cursor] = (),
        jobs: Sequence[Job] = (),
        *,
        new: bool = False,
        announced: bool = False,
    ) -> list[int]:
        """Keep items, and the cursors and jobs that tell of them, in one transaction.

        When it returns they are searchable and on disk. A link replaces the earlier one of the
        same (space, source, slot), so a second commit changes nothing. It waits while items come
        faster than they can be made ready for search. Links that their owners want left out, and
        links that are older than their space keeps them, are left out.

        new        let watches judge the links that were not there before, or showed something else
        announced  let watches judge all of the links: history may have brought them a moment before
                   they were announced
        returns    the ids of the links that are new or have changed
        """

        async def write() -> Changes:
            changes = await self._writes.commit(
                self._current(items), cursors, jobs, new=new, announced=announced
            )
            await self._lookup.follow(changes, {picture.key for picture, _ in items})
            return changes

        changes = await self._engine.change(write, adds=bool(items))
        return [] if changes.added is None else changes.added.links.tolist()

    def _current(
        self, items: Sequence[tuple[EmbeddedPicture, Link]]
    ) -> list[tuple[EmbeddedPicture, Link]]:
        """The items with vectors of the model that the gallery has at this moment."""
        return [(self._models.with_vectors_of_this_model(one), link) for one, link in items]

    async def add(self, data: bytes, link: Link, cursor: Cursor | None = None) -> None:
        """`embed_picture`, then `commit`."""
        picture = await self.embed_picture(data, link)
        await self.commit([(picture, link)], [cursor] if cursor else [])

    async def slots_pending(self, space: int, source: str) -> set[str]:
        """The slots of one source that lack something which is made from each picture beside its
        embedding, as where an earlier Magpie added it; and those whose file lacked a part, which
        may be whole by now. A second `embed_picture` and `commit` makes it."""
        slots = [
            await self.derivations.pending_slots(name, space, source) for name in self._derived
        ]
        return set().union(*slots, await self.links.partial_slots(space, source))

    async def sources_pending(self, space: int) -> set[str]:
        """The sources of a space that have such slots with pictures."""
        sources = [await self.derivations.pending_sources(name, space) for name in self._derived]
        return set().union(*sources)

    @property
    def _derived(self) -> list[str]:
        return [name for name in self._pipeline.derived if name != REEMBEDDING]

    # ---- removing

    async def keep_slots(self, space: int, source: str, slots: Collection[str]) -> int:
        """Remove the links of this source whose slot is not listed; returns how many."""
        return await self._removed(lambda: self._writes.keep_slots(space, source, slots))

    async def remove_sources(self, space: int, sources: Collection[str]) -> int:
        """Remove all links of these sources; returns how many."""
        await self.erase_given_up(space, sources=sources)
        return await self._removed(lambda: self._writes.remove_sources(space, sources))

    async def remove_group(self, space: int, group: int) -> int:
        """Remove the links and cursors of a group and of the groups whose parent it is."""
        await self.erase_given_up(space, group=group)
        return await self._removed(lambda: self._writes.remove_group(space, group))

    async def remove_space(self, space: int) -> int:
        """Remove everything of a space: links, cursors, watched groups, jobs, searches, watches."""
        await self.erase_given_up(space)
        removed = await self._removed(lambda: self._writes.remove_space(space))
        self.watching.forget(space)
        return removed

    async def leave_out(self, space: int, owner: int, upto: float) -> int:
        """Remove an owner's links posted up to then, and what they asked; returns how many links.
        From now on `commit` leaves such links out, until `Bookkeeping.let_in`.

        upto   Unix seconds; infinity: all links, also those that are posted later
        """
        await self.erase_given_up(space, owner=owner, upto=upto)
        removed = await self._removed(lambda: self._writes.leave_out(space, owner, upto))
        self.watching.forget(space)
        return removed

    async def remove_older(self, space: int, posted_before: float) -> int:
        """Remove the links of a space posted before then (Unix seconds); returns how many."""
        await self.erase_given_up(space, upto=posted_before)
        return await self._removed(lambda: self._writes.remove_older(space, posted_before))

    async def erase_given_up(self, space: int, **which: Any) -> None:
        """Erase what is listed of pictures that workers gave up, see `DeadLetters.erase`."""
        if self.workers is not None:
            await self.workers.dead_letters.erase(space, **which)

    async def _removed(self, write: Callable[[], Awaitable[Changes]]) -> int:
        async def follow() -> Changes:
            changes = await write()
            await self._lookup.follow(changes)
            return changes

        return len((await self._engine.change(follow)).removed)

    async def vacuum(self) -> None:
        """Write the file anew, so that not even stray bytes of what was removed are left; in
        PostgreSQL, free the room of what was removed.

        For a quiet moment: writes to a file wait for some seconds a gigabyte, and the disk needs
        as much room twice again meanwhile. Does nothing when nothing was removed since the last
        time.
        """
        await self._store.vacuum()

    # ---- asking

    async def embed_query(self, query: Query) -> QueryEmbedding:
        """The query as the model reads it. One that asks for nothing at all, to list what a filter
        allows, has no vectors.

        Nothing that is known is used for it but the links that it names: the time tells nobody
        whether a picture is in the gallery, or whether somebody else asked the same.
        raises   EmptyQuery, PictureError, LinkGone, ModelChanged
        """
        embedding = await self._pipeline.query(query)
        return await self.steered(embedding, query.more, query.less)

    async def steered(
        self, embedding: QueryEmbedding, more: Sequence[int], less: Sequence[int]
    ) -> QueryEmbedding:
        """The embedding with hits of which more, or less, is wanted; those that are gone are left
        out."""
        return await self._pipeline.steered(embedding, more, less)

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
        """A page of `k` hits: the first that follow `after`, among those that may answer.

        Only hits that fit the query are in the answer, and copies of one picture are one hit.
        after    `Hit.position` of the last hit of the page before; None: from the beginning
        sort     the order of the hits that fit; a query that asks for nothing lists all links that
                 the filter allows, newest first unless `sort` says oldest
        guesses  also hits that don't fit, which are the least unlike
        raises   ModelChanged when the embedding is of another model
        """
        started = time.perf_counter()
        if embedding.wanted:
            self._models.check_revision(embedding.revision)
            page = await self._ranking.page(
                embedding, filter, k=k, after=after, sort=sort, guesses=guesses
            )
        else:
            page = await self._ranking.listed(filter, k=k, after=after, sort=sort)
        return Answer(
            hits=await self._hits(
                page.candidates,
                filter,
                embedding.terms,
                first=after.rank + 1 if after else 1,
                matched=bool(embedding.wanted),
            ),
            searched=page.searched,
            more=page.more,
            truncated=embedding.truncated,
            took_ms=(time.perf_counter() - started) * 1000,
            verdict=page.verdict,
        )

    async def find(
        self,
        query: Query,
        filter: Filter,
        *,
        k: int,
        after: Position | None = None,
        sort: Sort = Sort.BEST,
        guesses: bool = False,
    ) -> Answer:
        """`embed_query`, then `search`."""
        embedding = await self.embed_query(query)
        return await self.search(embedding, filter, k=k, after=after, sort=sort, guesses=guesses)

    async def _hits(
        self,
        candidates: Sequence[Candidate],
        filter: Filter,
        terms: Sequence[str],
        first: int,
        *,
        matched: bool,
    ) -> list[Hit]:
        """The candidates with all that is known of their links; one that was removed meanwhile is
        left out.

        filter   which all of them have passed
        terms    phrases that the transcripts of some have
        matched  whether their frames fit a question, and aren't just the first ones
        """
        links = await self.links.with_ids(filter.space, [one.link for one in candidates])
        written = [one.link for one in candidates if filter.says or one.written]
        lines = await self.transcripts.of_links(written) if written else {}
        frames = {one.link: one.frame for one in candidates} if matched else {}
        seconds = await self.links.seconds(frames) if frames else {}
        return [
            Hit(
                *(rank, one.score, one.link, links[one.link][1], links[one.link][0], one.frame),
                text=links[one.link][2],
                sure=one.sure,
                copies=one.copies,
                concepts=one.concepts,
                says=excerpt(lines[one.link], filter.says or terms) if one.link in lines else None,
                second=seconds.get(one.link),
            )
            for rank, one in enumerate(candidates, start=first)
            if one.link in links
        ]

    async def order(self, filter: Filter, *, sort: Sort = Sort.NEWEST) -> list[int]:
        """The ids of all links that a filter allows, newest first, or oldest first: what `search`
        lists page by page for a query that asks for nothing, at once and without the links."""
        ids: list[int] = (await self._ranking.order(filter, sort=sort)).tolist()
        return ids

    async def concepts_of(self, links: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """What the model sees in the pictures of these links, as words of its vocabulary; nothing
        until it has read that. Whether the asker may see them is for the caller to know.

        raises   ModelChanged
        """
        background = self._models.background
        if background is None:
            return {}
        seen: dict[int, Floats] = {}
        for link in links:
            if (item := await self._store.items.item_of_link(link)) is not None:
                self._models.check_revision(item.revision)
                seen[link] = item.vectors[0]
        if not seen:
            return {}
        work = partial(background.concepts, np.stack(list(seen.values())))
        return dict(zip(seen, await self._searching.run(work), strict=True))

    async def copies_of(self, picture: bytes | int, filter: Filter) -> list[Copy]:
        """The links that show the same picture, oldest first: the same bytes or pixels, or edited.

        Only links that the filter allows are looked at; none else changes the answer. Links whose
        pictures were called no copies of it are left out, see `Bookkeeping.not_a_copy`. A picture
        of an earlier Magpie that has no fingerprint yet is found by its bytes alone.

        picture  its bytes, or the id of a link that shows it, which is left out itself; whether the
                 asker may see that link is for the caller to know
        raises   PictureError, LinkGone, ModelChanged
        """
        return await self._posted_before.copies_of(picture, filter)

    async def overview(self, filter: Filter) -> Overview:
        """What the links that a filter allows are about, as named clusters and as a map.

        It takes seconds, and others wait for it. It ends soon after its caller is cancelled. Only
        links that the filter allows are looked at; none else changes anything about it.
        raises   GalleryClosed
        """
        given_up = threading.Event()

        def check() -> None:
            if given_up.is_set() or self._closed.is_set():
                raise GalleryClosed

        filter = await self.links.resolved(filter)
        work = partial(survey, background=self._models.background, check=check)
        try:
            return await self._engine.examine(filter, work, self._surveying)
        finally:
            given_up.set()

    async def still(self, data: bytes) -> bytes:
        """A small WebP of a picture's first frame, to be drawn; nothing of it is kept.

        raises   PictureError, DecoderUnusable
        """
        return await self._looking.run(partial(still_of, data))

    async def place(
        self, picture: EmbeddedPicture, embedding: QueryEmbedding, *, space: int
    ) -> tuple[float, int]:
        """The score this picture has for a query, and the rank it has or would have."""
        score = float((picture.vectors @ embedding.vector).max())  # of the frame that fits best
        filter = Filter(space, kind=picture.kind)
        above = await self._engine.above(embedding.vector, score, filter)
        return score, above + 1


async def _both(*work: Awaitable[None]) -> None:
    """Wait for all; when one fails, for the others too, so that nothing runs on behind."""
    done = await asyncio.gather(*work, return_exceptions=True)
    for result in done:
        if isinstance(result, BaseException):
            raise result
