"""The gallery that is served. It is read, so that other commands may change it; while this process
adds, the one that writes answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.exits import WrongUse
from index.cli import notes
from index.cli.folder import Adding, Tally
from index.cli.place import SPACE
from index.cli.transcribing import transcribe, transcriber
from index.cli.walk import walk
from index.gallery import Gallery
from index.ocr.transcriber import Transcriber
from index.types.errors import GalleryError, ModelChanged, OCRUnusable
from index.types.filter import Filter
from serve.guard import Refused
from serve.inventory import NOTHING, Inventory

log = logging.getLogger(__name__)

FOLLOW_S = 2.0  # between two looks at what others have changed


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gallery is, and how it is opened."""

    file: Path
    device: str


@dataclass(slots=True)
class Progress:
    """How far adding has come."""

    started: float
    done: int = 0
    total: int = 0
    failed: int = 0

    def follow(self, tally: Tally) -> None:
        self.done, self.total, self.failed = tally.done, tally.total, len(tally.broken)

    @property
    def state(self) -> dict[str, Any]:
        """It, as the page reads it."""
        return {
            "started": self.started,
            "done": self.done,
            "total": self.total,
            "failed": self.failed,
        }


class Opened:
    """The gallery of one folder, `root`; made by `open`.

    inventory   its pictures in short, as they were at the last look
    adding      how far this process has come with adding; None: it doesn't
    changes     how often the inventory was another one than before
    """

    def __init__(self, place: Place, root: str, gallery: Gallery) -> None:
        self.place, self.root = place, root
        self.inventory = Inventory(NOTHING, root)
        self.adding: Progress | None = None
        self.mounts: set[str] = set()
        self.changes = 0
        self._gallery = gallery
        self._users: dict[Gallery, int] = {}
        self._idle = asyncio.Condition()
        self._stop = threading.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._adding: asyncio.Task[None] | None = None
        self._looking = asyncio.Lock()
        self._listeners: set[Callable[[str, dict[str, Any]], None]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, place: Place, root: str, model: Any = None) -> AsyncIterator[Opened]:
        """The gallery, for as long as it is served. raises GalleryError"""
        gallery = await Gallery.open(place.file, model, device=place.device, read_only=True)
        opened = cls(place, root, gallery)
        try:
            await opened._look()
            opened._tasks = [
                asyncio.create_task(opened._follow()),
                asyncio.create_task(opened._prepare()),
            ]
            yield opened
        finally:
            await opened._close()

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[Gallery]:
        """The gallery that answers now; it isn't closed meanwhile."""
        gallery = self._gallery
        self._users[gallery] = self._users.get(gallery, 0) + 1
        try:
            yield gallery
        finally:
            self._users[gallery] -= 1
            if not self._users[gallery]:
                del self._users[gallery]
                async with self._idle:
                    self._idle.notify_all()

    @property
    def filter(self) -> Filter:
        """All pictures of the folder."""
        return Filter(SPACE, under=() if self.inventory.whole else (self.root,))

    # ---- events

    @contextlib.contextmanager
    def listening(self, listener: Callable[[str, dict[str, Any]], None]) -> Iterator[None]:
        """Call `listener` with the name and the data of what happens."""
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)

    def _tell(self, name: str, data: dict[str, Any]) -> None:
        for listener in list(self._listeners):
            listener(name, data)

    # ---- following

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(FOLLOW_S)
            try:
                await self._refresh()
            except GalleryError:
                log.exception("what has changed can't be read now")

    async def _refresh(self) -> None:
        try:
            async with self.use() as gallery:
                changed = await gallery.refresh()
        except ModelChanged:
            await self._answer_with(await self._reading())
            changed = True
        if changed:
            await self._look()

    async def _look(self) -> None:
        """Make the inventory anew, and tell when it is another one."""
        async with self._looking, self.use() as gallery:
            outlines = await gallery.links.outlines(SPACE)
            inventory = await asyncio.to_thread(Inventory, outlines, self.root)
            self.mounts = (await notes.load(gallery)).mounts
            if inventory.is_as(self.inventory):
                return
            self.inventory = inventory
            self.changes += 1
        self._tell("changed", {"count": len(self.inventory), "changes": self.changes})

    async def _prepare(self) -> None:
        """Load what the first question needs."""
        async with self.use() as gallery:
            try:
                if gallery.model:
                    await gallery.load_model()
                    await gallery.ready_to_judge()
            except GalleryError as error:
                log.warning("%s", error)  # the first question says it, too
                return
        self._tell("ready", {})

    # ---- adding

    def add(self) -> None:
        """Begin to bring the gallery to what the folder has now. raises Refused"""
        if self._adding is not None and not self._adding.done():
            raise Refused(409, "The folder is being added already.")
        self._stop.clear()
        self.adding = Progress(time.time())
        self._adding = asyncio.create_task(self._add())

    async def _add(self) -> None:
        assert self.adding is not None
        told = time.monotonic()

        def follow(tally: Tally) -> None:
            nonlocal told
            assert self.adding is not None
            self.adding.follow(tally)
            if time.monotonic() - told > 0.2:
                told = time.monotonic()
                self._tell("adding", self.adding.state)

        end: dict[str, Any]
        try:
            tally = await self._added(follow)
            end = {
                "added": tally.added,
                "changed": tally.changed,
                "gone": tally.gone,
                "failed": len(tally.broken),
            }
        except (GalleryError, WrongUse, OSError) as error:
            end = {"sentence": str(error)}
        except Exception:
            log.exception("adding failed")
            end = {"sentence": "Something went wrong; the terminal says what."}
        await self._look()
        self.adding = None
        self._tell("added", end)

    async def _added(self, progress: Callable[[Tally], None]) -> Tally:
        """What `magpie add` does; the gallery that writes answers meanwhile."""
        reads_words = transcriber(log.info)
        listing = await asyncio.to_thread(walk, [self.root], (), self._stop.is_set)
        writing = await self._writing()
        try:
            await self._answer_with(writing)
            adding = Adding(writing, listing, self._stop)
            await adding.plan([self.root])
            tally = await adding.run(progress)
            if reads_words is not None and not tally.stopped:
                await self._read_words(writing, reads_words)
            return tally
        finally:
            await self._answer_with(await self._reading(writing.embedder))

    async def _read_words(self, gallery: Gallery, transcriber: Transcriber) -> None:
        await self._look()  # the pictures can be found already
        try:
            await gallery.transcripts.begin(transcriber.revision)
            await transcribe(gallery, transcriber, self._stop, lambda _: None)
        except OCRUnusable as error:
            log.warning("%s", error)  # the pictures are there
        finally:
            await transcriber.close()

    async def _writing(self) -> Gallery:
        model = self._gallery.embedder
        return await Gallery.open(self.place.file, model, device=self.place.device)

    async def _reading(self, model: Any = None) -> Gallery:
        return await Gallery.open(self.place.file, model, device=self.place.device, read_only=True)

    async def _answer_with(self, gallery: Gallery) -> None:
        """Let this gallery answer, and close the other one when nobody uses it."""
        before, self._gallery = self._gallery, gallery
        async with self._idle:
            await self._idle.wait_for(lambda: before not in self._users)
        await before.close()

    # ---- the end

    async def _close(self) -> None:
        self._stop.set()
        for task in self._tasks:
            task.cancel()
        waited = [*self._tasks, *([self._adding] if self._adding else [])]
        await asyncio.gather(*waited, return_exceptions=True)
        await self._gallery.close()
