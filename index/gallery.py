"""The public face of `index`: pictures and texts go in, questions are answered."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from index import checkpoint, decoders, embedder
from index.checkpoint import Checkpoint
from index.embedder import Embedder
from index.errors import (
    EmptyQuery,
    GalleryClosed,
    LinkGone,
    ModelChanged,
    ModelError,
    ModelMismatch,
    ModelNotFound,
    StoreError,
)
from index.images import Decoded
from index.merge import Merge
from index.model_thread import ModelThread
from index.query import Query, QueryEmbedding, SavedSearch, tidy
from index.records import (
    Answer,
    Belonging,
    Changes,
    Counts,
    Cursor,
    EmbeddedPicture,
    Entries,
    Floats,
    Group,
    Hit,
    Job,
    Kind,
    Link,
    ModelInfo,
    Precision,
    Settled,
)
from index.search import LOAD_ROWS, SETTLE_ROWS, Found, Rows
from index.segment import Damaged
from index.shared import Shared, to_its_end
from index.store import CHUNK_ROWS, SEGMENTS, Store

log = logging.getLogger(__name__)
T = TypeVar("T")

# Pictures that are decoded, or decoded and not yet embedded: each holds some 2 MB.
MAX_IN_HAND = 32
MAX_ASKED_IN_HAND = 8
# More threads than this decode faster than any CPU embeds.
MAX_DECODERS = 4
# Searches, and pictures that are asked about: their own threads, so that they don't wait
# behind new pictures.
ASKING_THREADS = 2
# A question in words and a picture is the sum of both unit vectors, of unit length again:
# each weighs the same. Cosines between pictures spread more than those between words and
# pictures, so the picture still says more.
WORDS_WEIGHT = 1.0
# After a full disk or the like.
SETTLE_AGAIN_S = 60.0
PATIENT_NICENESS = 10


class Gallery:
    """Pictures and texts in one file, searchable by what is in them; made by `open`."""

    def __init__(self, store: Store, stored: ModelInfo | None) -> None:
        self._store = store
        self._stored = stored
        self._read_only = False
        self._rows = self._new_rows(stored.dimension if stored else 0)
        self._settling: asyncio.Task[None] | None = None
        self._due = asyncio.Event()
        self._merge: Merge | None = None
        self._merging = ThreadPoolExecutor(1, thread_name_prefix="merge", initializer=_be_patient)
        self._thread: ModelThread | None = None
        # The model that is asked for, while the file has vectors of another; and when it has been
        # told to follow, its thread.
        self._wanted: str | Embedder | None = None
        self._successor: ModelThread | None = None
        self._succession: str | None = None
        self._device = "auto"
        self._precision: Precision = "exact"
        self._loading = asyncio.Lock()
        self._in_order = asyncio.Lock()
        self._in_hand = {
            False: asyncio.Semaphore(MAX_IN_HAND),
            True: asyncio.Semaphore(MAX_ASKED_IN_HAND),
        }
        self._shared: Shared[EmbeddedPicture] = Shared()
        threads = min(MAX_DECODERS, checkpoint.cpu_count())
        # Patient, so that a question's words don't share the core with them: on one core, an answer
        # during a reindex takes 2 to 3 times as long as at other times, not 4.
        self._decoding = ThreadPoolExecutor(
            threads, thread_name_prefix="decode", initializer=_be_patient
        )
        self._asking = ThreadPoolExecutor(ASKING_THREADS, thread_name_prefix="ask")
        self._closed = asyncio.Event()

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
            gallery = cls(store, await store.model())
            gallery._device, gallery._precision = device, precision
            gallery._read_only = read_only
            try:
                await gallery._begin(model, read_only, gradually)
            except BaseException:
                await gallery.close()
                raise
        except BaseException:
            await store.close()
            raise
        return gallery

    async def _begin(self, model: str | Embedder | None, read_only: bool, gradually: bool) -> None:
        """Load model and rows, at the same time where the file says how long the rows are."""
        if gradually and model is not None and await self._is_another(model):
            await self._begin_with_the_one_before(model)
        elif model is None:
            await self._load_rows()
        elif self._stored is not None and not await self._store.empty():
            await _both(self._load_rows(), self._load_model(model))
        else:
            self._stored = None
            await self._load_model(model)
        if self._thread is not None and not read_only:
            await self._remember(self._thread.embedder)
            await self._go_on_with_succession()
        if not read_only:
            self._settling = asyncio.create_task(self._settle_when_due())

    async def _is_another(self, model: str | Embedder) -> bool:
        """Whether the vectors in the file are not of this model."""
        if self._stored is None or await self._store.empty():
            return False
        if isinstance(model, str):
            return (await asyncio.to_thread(checkpoint.find, model)).revision != (
                self._stored.revision
            )
        return model.revision != self._stored.revision

    async def _begin_with_the_one_before(self, model: str | Embedder) -> None:
        assert self._stored is not None
        name = model if isinstance(model, str) else model.name
        try:
            await _both(self._load_rows(), self._load_model(self._stored.name))
        except (ModelError, ModelMismatch) as exc:  # it is gone, or its files have changed
            raise ModelMismatch(self._store.path, self._stored.name, name) from exc
        self._wanted = model

    async def _go_on_with_succession(self) -> None:
        """After a restart: what was begun for the wanted model goes on, what was for another
        goes."""
        begun = await self._store.successor()
        if begun is None:
            return
        if self._wanted is None or not await self._load_successor(begun.revision):
            await self._store.set_successor(None)

    def _new_rows(self, dimension: int, capacity: int = 0) -> Rows:
        folder = self._store.path.with_name(self._store.path.name + SEGMENTS)
        return Rows(dimension, capacity, folder, write=not self._read_only)

    async def _load_rows(self) -> None:
        """Settled rows from their files, the others from the store; all from the store when
        the files aren't what was written."""
        if self._stored is None:
            return
        rows = self._new_rows(self._stored.dimension)
        settled = await self._store.settled()
        try:
            if settled is not None:
                await asyncio.to_thread(rows.load, settled)
        except Damaged as exc:
            log.warning("%s; settled rows are made anew", exc)
            await self._load_all_rows()
            return
        await asyncio.to_thread(rows.discard_others)
        if settled is None:
            await self._load_all_rows()
            return
        newest = await self._fill(rows, self._store.entries(self._stored.dimension, settled))
        if newest:
            await self._store.settle(await asyncio.to_thread(rows.settled, newest))
        await asyncio.to_thread(rows.warm)
        self._rows = rows

    async def _load_all_rows(self) -> None:
        """Rows from the store, chunk by chunk; they settle on the way where they are many."""
        assert self._stored is not None
        if not self._read_only:
            await self._store.settle(None)
        rows, settled = await self._read_rows(self._stored.dimension)
        await asyncio.to_thread(rows.discard_others)
        if settled is not None:
            await self._store.settle(settled)
        self._rows = rows

    async def _read_rows(
        self, dimension: int, *, successor: bool = False
    ) -> tuple[Rows, Settled | None]:
        """All rows from the store, and which of them are in files now."""
        # An array that is large enough at once, unless most of it would settle.
        capacity = await self._store.frames(dimension, successor=successor)
        many = capacity > SETTLE_ROWS and not self._read_only
        rows = self._new_rows(
            dimension, min(capacity, LOAD_ROWS + CHUNK_ROWS) if many else capacity
        )
        newest = await self._fill(rows, self._store.entries(dimension, successor=successor))
        return rows, await asyncio.to_thread(rows.settled, newest) if newest else None

    async def _fill(self, rows: Rows, entries: AsyncIterator[Entries]) -> int:
        """Take all of these in. Where they are many they settle on the way, so that memory is
        bounded; returns the newest link that came before the last that did, or 0."""
        newest = 0
        async for some in entries:
            await asyncio.to_thread(rows.apply, Changes(added=some))
            if rows.recent >= LOAD_ROWS and not self._read_only:
                merge = await asyncio.to_thread(partial(rows.begin, hurried=True, alone=True))
                made = await asyncio.to_thread(merge.build)
                await asyncio.to_thread(rows.finish, merge, made)
                newest = merge.newest
        return newest

    async def _settle_when_due(self) -> None:
        """For as long as the gallery is open: settle rows when they have become many."""
        while True:
            try:
                await asyncio.get_running_loop().run_in_executor(self._merging, self._rows.warm)
                if self._rows.due:
                    await self._settle()
            except Damaged as exc:
                log.warning("%s; settled rows are made anew", exc)
                await self._rebuild(self._rows)
            except (OSError, StoreError):
                log.exception("rows can't settle; they stay in memory for now")
                await asyncio.sleep(SETTLE_AGAIN_S)
            if not self._rows.due:
                await self._due.wait()
            self._due.clear()

    async def _settle(self) -> None:
        """Make a segment of recent rows and small segments, and let it stand for them."""
        rows = self._rows
        async with self._in_order:
            self._merge = merge = await asyncio.to_thread(rows.begin)
        try:
            made = await asyncio.get_running_loop().run_in_executor(self._merging, merge.build)
            async with self._in_order:
                await asyncio.to_thread(rows.finish, merge, made)
                if self._rows is rows:
                    await self._store.settle(await asyncio.to_thread(rows.settled, merge.newest))
                    await asyncio.to_thread(rows.discard_others)
        finally:
            rows.abandon()

    async def _rebuild(self, damaged: Rows) -> None:
        """Rows from the store again, unless somebody else has done it meanwhile."""
        async with self._in_order:
            if self._rows is damaged and not self._closed.is_set():
                await self._load_all_rows()

    async def _load_model(self, model: str | Embedder, *, whole: bool = True) -> None:
        """The model, once it is known to be the one whose vectors are kept."""
        if isinstance(model, str):
            found = await asyncio.to_thread(checkpoint.find, model)
            self._check(found.name, found.revision)
            model = await self._loaded(found, whole=whole)
        self._check(model.name, model.revision)
        if self._stored is None:
            self._stored = ModelInfo(model.name, model.revision, model.dimension)
            self._rows = self._new_rows(model.dimension)
        self._thread = ModelThread(model)

    async def _loaded(self, found: Checkpoint, *, whole: bool = True) -> Embedder:
        return await asyncio.to_thread(
            embedder.load, found, self._device, self._precision, whole=whole
        )

    def _check(self, name: str, revision: str) -> None:
        if self._stored is not None and self._stored.revision != revision:
            raise ModelMismatch(self._store.path, self._stored.name, name)

    async def _remember(self, model: Embedder) -> None:
        """Write down whose vectors are kept, and under which name it is found today."""
        self._stored = ModelInfo(model.name, model.revision, model.dimension)
        if await self._store.model() != self._stored:
            await self._store.set_model(self._stored)

    async def _model_thread(self) -> ModelThread:
        """The model, loaded now if that was left for when it is needed."""
        async with self._loading:
            if self._closed.is_set():
                raise GalleryClosed
            if self._thread is None:
                if self._stored is None:
                    raise ModelNotFound("")
                await self._load_model(self._stored.name, whole=False)
            assert self._thread is not None
            return self._thread

    @property
    def model(self) -> str:
        """The model's name; "" while an empty gallery has none."""
        return self._stored.name if self._stored else ""

    @property
    def dimension(self) -> int:
        """How many numbers an embedding has; 0 while an empty gallery has no model."""
        return self._stored.dimension if self._stored else 0

    @property
    def device(self) -> str:
        """What the model runs on, such as "cuda:0"; what was asked for until one is loaded."""
        return self._thread.embedder.device if self._thread else self._device

    @property
    def waiting(self) -> int:
        """How many pictures and texts wait for the model."""
        return self._thread.waiting if self._thread else 0

    @property
    def wanted(self) -> str | None:
        """The name of the model that was asked for, while another answers; else None."""
        if self._wanted is None:
            return None
        return self._wanted if isinstance(self._wanted, str) else self._wanted.name

    async def close(self) -> None:
        """Finish what is being written, fail what still waits with GalleryClosed, let go."""
        self._closed.set()
        await self._stop_settling()
        async with self._in_order, self._loading:
            for thread in (self._thread, self._successor):
                if thread is not None:
                    await thread.close()
            await self._store.close()
        for pool in (self._decoding, self._asking, self._merging):
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)

    async def _stop_settling(self) -> None:
        if self._merge is not None:
            self._merge.stop()
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.wait([self._settling])

    # ---- adding

    async def embed_picture(self, data: bytes) -> EmbeddedPicture:
        """The picture in `data`, decoded and embedded; known bytes skip both.

        raises   PictureError
        """
        return await self._embed_picture(data, asked=False)

    async def _embed_picture(self, data: bytes, *, asked: bool) -> EmbeddedPicture:
        key = await asyncio.to_thread(_key, "image", data)
        return await self._shared.run(
            (key, asked), lambda: self._known_or_embedded(key, data, asked=asked)
        )

    async def _known_or_embedded(self, key: bytes, data: bytes, *, asked: bool) -> EmbeddedPicture:
        known = await self._store.item(key)
        following = None if asked else self._successor
        if known is not None and (following is None or known.successor is not None):
            return known
        thread = await self._model_thread()
        async with self._in_hand[asked]:
            if known is None:
                with contextlib.nullcontext() if asked else thread.expecting():
                    decoded = await self._decoded(data, thread.embedder, asked=asked)
                vectors = await thread.images(decoded.frames, asked=asked)
                known = EmbeddedPicture(
                    key, "image", vectors, decoded.width, decoded.height,
                    revision=thread.embedder.revision,
                )  # fmt: skip
            if following is not None:
                with following.expecting():
                    decoded = await self._decoded(data, following.embedder, asked=asked)
                known = replace(known, successor=await following.images(decoded.frames))
        return known

    async def _decoded(self, data: bytes, model: Embedder, *, asked: bool) -> Decoded:
        return await self._in_pool(
            self._asking if asked else self._decoding,
            partial(decoders.decode, data, model.side, model.shape, resample=model.resample),
        )

    async def _in_pool(self, pool: ThreadPoolExecutor, fn: Callable[[], T]) -> T:
        if self._closed.is_set():
            raise GalleryClosed
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, fn)
        except asyncio.CancelledError:
            if self._closed.is_set() and not _being_cancelled():
                raise GalleryClosed from None  # `close` emptied the pool's queue
            raise

    async def embed_text(self, text: str) -> EmbeddedPicture:
        """The text, embedded; of the same shape as a picture, kind "text".

        raises   EmptyQuery when there is nothing to read in it
        """
        text = tidy(text)
        if not text:
            raise EmptyQuery
        key = await asyncio.to_thread(_key, "text", text.encode())
        return await self._shared.run((key, False), lambda: self._embedded_text(key, text))

    async def _embedded_text(self, key: bytes, text: str) -> EmbeddedPicture:
        known, following = await self._store.item(key), self._successor
        if known is None:
            thread = await self._model_thread()
            vectors, _ = await thread.text(text)
            revision = thread.embedder.revision
            known = EmbeddedPicture(key, "text", vectors, text=text, revision=revision)
        if following is not None and known.successor is None:
            known = replace(known, successor=(await following.text(text))[0])
        return known

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
        await self._change(
            lambda: self._store.commit(
                [(self._of_today(picture), link) for picture, link in items], cursors, jobs
            )
        )

    def _of_today(self, picture: EmbeddedPicture) -> EmbeddedPicture:
        """The picture with vectors of the gallery's model, which may have changed meanwhile.

        raises   ModelChanged
        """
        assert self._stored is not None
        if picture.revision not in ("", self._stored.revision):
            if picture.successor is None:
                raise ModelChanged
            revision = self._stored.revision
            picture = replace(picture, vectors=picture.successor, revision=revision, successor=None)
        if picture.vectors.shape[1] != self.dimension:
            raise ValueError(
                f"an embedding has {picture.vectors.shape[1]} numbers, not {self.dimension}"
            )
        return picture

    async def _change(self, write: Callable[[], Awaitable[Changes]]) -> Changes:
        """Write, then let search follow; a cancelled caller stops neither."""
        return await to_its_end(self._changed(write))

    async def _changed(self, write: Callable[[], Awaitable[Changes]]) -> Changes:
        async with self._in_order:  # search sees the changes in the order of the file
            if self._closed.is_set():
                raise GalleryClosed
            changes = await write()
            await asyncio.to_thread(self._rows.apply, changes)
            if self._rows.due or self._rows.cold:
                self._due.set()
            return changes

    async def add(self, data: bytes, link: Link, cursor: Cursor | None = None) -> None:
        """`embed_picture`, then `commit`."""
        picture = await self.embed_picture(data)
        await self.commit([(picture, link)], [cursor] if cursor else [])

    # ---- another model

    async def begin_succession(self) -> None:
        """From now on each picture and text is also embedded by the wanted model.

        Those that are here already need a second `embed_picture` and `commit`; what was done
        is kept over a restart. raises ModelError
        """
        if self._wanted is not None and self._successor is None:
            await self._load_successor()

    async def _load_successor(self, revision: str | None = None) -> bool:
        """Load the wanted model, unless it isn't of this revision, and have it follow."""
        assert self._wanted is not None
        model = self._wanted
        if isinstance(model, str):
            found = await asyncio.to_thread(checkpoint.find, model)
            if revision not in (None, found.revision):
                return False
            model = await self._loaded(found)
        elif revision not in (None, model.revision):
            return False
        info = ModelInfo(model.name, model.revision, model.dimension)
        self._succession = await self._store.set_successor(info)
        self._successor = ModelThread(model)
        return True

    @property
    def succession(self) -> str | None:
        """A name for the change of models that has begun, the same until it is done or given
        up; None while there is none."""
        return self._succession

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
        return await to_its_end(self._succeed())

    async def _succeed(self) -> int:
        assert self._successor is not None
        for key, text in await self._store.texts_left_behind():
            known = await self._store.item(key)
            if known is not None:
                vectors, _ = await self._successor.text(text)
                await self._store.remake(key, vectors)
        async with self._in_order, self._loading:
            if self._closed.is_set():
                raise GalleryClosed
            info = await self._store.successor()
            assert info is not None
            rows, settled = await self._read_rows(info.dimension, successor=True)
            changes = await self._store.succeed(settled)
            before, self._thread = self._thread, self._successor
            self._stored, self._rows = info, rows
            self._successor = self._succession = self._wanted = None
            await asyncio.to_thread(rows.discard_others)
        if before is not None:
            await before.close()
        return len(changes.removed)

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
        return await self._store.links_of_key(await asyncio.to_thread(_key, "image", data))

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
        changes = await self._change(lambda: self._store.keep_slots(space, source, slots))
        return len(changes.removed)

    async def remove_sources(self, space: int, sources: Collection[str]) -> int:
        """Drop all links of these sources; returns how many."""
        changes = await self._change(lambda: self._store.remove_sources(space, sources))
        return len(changes.removed)

    async def remove_group(self, space: int, group: int) -> int:
        """Drop the links and cursors of a group and of those hanging from it."""
        changes = await self._change(lambda: self._store.remove_group(space, group))
        return len(changes.removed)

    async def remove_space(self, space: int) -> int:
        """Drop everything of a space: links, cursors, watched groups, jobs, searches."""
        changes = await self._change(lambda: self._store.remove_space(space))
        return len(changes.removed)

    async def remove_owner(self, space: int, owner: int) -> int:
        """Drop all links of an owner, and the questions they asked; returns how many links."""
        changes = await self._change(lambda: self._store.remove_owner(space, owner))
        return len(changes.removed)

    async def remove_older(self, space: int, posted_before: float) -> int:
        """Drop the links of a space posted before then (Unix seconds); returns how many."""
        changes = await self._change(lambda: self._store.remove_older(space, posted_before))
        return len(changes.removed)

    async def compact(self) -> None:
        """Write the file anew, so that not even stray bytes of what was removed are left.

        For a quiet moment: writes wait some seconds a gigabyte, and the disk needs as much room
        again meanwhile. Does nothing where nothing was removed since the last time.
        """
        await self._store.compact()

    # ---- what people and spaces want of what is kept

    async def opt_out(self, space: int, owner: int) -> int:
        """`remove_owner`, and from now on `commit` leaves the links of this owner out."""
        changes = await self._change(lambda: self._store.remove_owner(space, owner, for_good=True))
        return len(changes.removed)

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
        if query.empty:
            raise EmptyQuery
        truncated: str | None = None
        parts: list[Floats] = []
        revision = self._stored.revision if self._stored else ""
        if query.words:
            vectors, truncated = await (await self._model_thread()).text(query.words, asked=True)
            parts.append(WORDS_WEIGHT * vectors[0])
        pictures: list[EmbeddedPicture] = []
        if query.image is not None:
            pictures.append(await self._embed_picture(query.image, asked=True))
        if query.like is not None:
            item = await self._store.item_of_link(query.like)
            if item is None:
                raise LinkGone(query.like)
            pictures.append(item)
        self._check_today(revision)
        if any(picture.revision not in ("", revision) for picture in pictures):
            raise ModelChanged
        parts += [_middle(picture.vectors) for picture in pictures]
        return QueryEmbedding(_middle(np.stack(parts)), truncated, revision)

    def _check_today(self, revision: str) -> None:
        """raises   ModelChanged when the gallery's model is another one by now"""
        if self._stored is not None and revision not in ("", self._stored.revision):
            raise ModelChanged

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
        """The `k` best links after the first `offset`, among those of the allowed groups.

        groups          only links in these are looked at, before ranking; None: all
        kind            "image", "text", or None for both
        but_not_source  leave out the links of this source
        owner           only links of this one; None: of everybody
        since, until    posted in [since, until), Unix seconds; None: at any time
        """
        started = time.perf_counter()
        self._check_today(embedding.revision)
        without: Collection[int] = ()
        if but_not_source is not None:
            without = (await self._store.links_of_source(space, but_not_source)).values()
        found = await self._asked(
            lambda rows: rows.search(
                embedding.vector,
                space=space,
                groups=groups,
                k=k,
                offset=offset,
                texts=None if kind is None else kind == "text",
                owner=owner,
                since=since,
                until=until,
                without=without,
            )
        )
        return Answer(
            hits=await self._hits(found, offset),
            searched=found.searched,
            more=found.more,
            truncated=embedding.truncated,
            took_ms=(time.perf_counter() - started) * 1000,
            confident=found.confident,
        )

    async def place(
        self, picture: EmbeddedPicture, embedding: QueryEmbedding, *, space: int
    ) -> tuple[float, int]:
        """The score this picture has for a query, and the rank it has or would have."""
        score = _score(picture.vectors, embedding.vector)
        above = await self._asked(
            lambda rows: rows.above(
                embedding.vector, score, space=space, texts=picture.kind == "text"
            )
        )
        return score, above + 1

    async def _asked(self, question: Callable[[Rows], T]) -> T:
        """The answer of the rows, made anew if they turn out to be damaged."""
        rows = self._rows
        try:
            return await self._in_pool(self._asking, partial(question, rows))
        except Damaged as exc:
            log.warning("%s; settled rows are made anew", exc)
            await self._rebuild(rows)
            return await self._in_pool(self._asking, partial(question, self._rows))

    async def _hits(self, found: Found, offset: int) -> list[Hit]:
        """The found links with all that is known of them; one that went meanwhile is left out."""
        links = await self._store.links(found.links.tolist())
        return [
            Hit(rank, score, id, links[id][1], links[id][0], frame, links[id][2])
            for rank, (id, score, frame) in enumerate(
                zip(
                    found.links.tolist(), found.scores.tolist(), found.frames.tolist(), strict=True
                ),
                start=offset + 1,
            )
            if id in links
        ]

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
        owner: int | None = None,
        since: float | None = None,
        until: float | None = None,
    ) -> Answer:
        """`embed_query`, then `search`."""
        return await self.search(
            await self.embed_query(query),
            space=space,
            groups=groups,
            k=k,
            offset=offset,
            kind=kind,
            but_not_source=but_not_source,
            owner=owner,
            since=since,
            until=until,
        )


def _key(kind: Kind, data: bytes) -> bytes:
    """What makes two pictures the same item: their bytes. A text never meets a picture."""
    return hashlib.sha256(kind.encode() + b"\0" + data).digest()


def _middle(vectors: Floats) -> Floats:
    """(d,) unit vector in the middle of the rows: of an animation's frames, of a query's parts."""
    total = vectors.sum(axis=0)
    middle: Floats = (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)
    return middle


def _be_patient() -> None:
    """Let the system prefer all other threads to this one, where it can tell them apart."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), PATIENT_NICENESS)


async def _both(*work: Awaitable[None]) -> None:
    """Wait for all; when one fails, for the others too, so that nothing runs on behind."""
    done = await asyncio.gather(*work, return_exceptions=True)
    for result in done:
        if isinstance(result, BaseException):
            raise result


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _score(vectors: Floats, query: Floats) -> float:
    """The cosine of the frame that fits best."""
    return float((vectors @ query).max())
