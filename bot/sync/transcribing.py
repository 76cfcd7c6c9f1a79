"""The words in pictures, read in the background once the pictures themselves can be found.

Which pictures are left is kept in the gallery, so a restart loses nothing. The bytes of new
pictures wait in memory for a while; when they don't, the picture is downloaded again. That is done
only while no message waits and no history is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable

import discord

from bot.media.contents import Contents
from bot.media.download import DownloadError
from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.ops.tuning import Clocks, Limits
from bot.platform.places import missing_permissions
from bot.sync.ingest import Ingest
from bot.sync.watched import Watched
from bot.sync.writer import Writer
from index import (
    DecoderUnusable,
    Filter,
    GalleryClosed,
    Link,
    Links,
    OCRUnusable,
    PendingTranscript,
    PictureError,
    StoreError,
    Transcriber,
    TranscriptReader,
)

log = logging.getLogger(__name__)

PAGE = 100  # pictures that are asked for at once
# The bytes of a picture that nobody asks for are held this many times `Clocks.transcribe_s`: it was
# not written, or its words are known.
UNWRITTEN = 12


class NewBytes:
    """The bytes of new pictures, by key, until their words are read; the oldest make room."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self._size = 0
        self.arrived = asyncio.Event()

    def keep(self, key: bytes, data: bytes) -> None:
        if len(data) > self._most:
            return
        self.take(key)
        self._held[key] = (time.monotonic(), data)
        self._size += len(data)
        while self._size > self._most:
            self.take(next(iter(self._held)))
        self.arrived.set()

    def take(self, key: bytes) -> bytes | None:
        """The bytes, which are held no more."""
        _, data = self._held.pop(key, (0.0, None))
        self._size -= len(data or b"")
        return data

    def drop_older(self, than_s: float) -> None:
        """Drop what is held for longer."""
        before = time.monotonic() - than_s
        for key in [key for key, (since, _) in self._held.items() if since < before]:
            self.take(key)

    def __len__(self) -> int:
        return len(self._held)


class Transcribing:
    """Reads the words in pictures, one after another.

    busy   whether messages wait or history is read, which comes first
    """

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        transcripts: TranscriptReader,
        transcriber: Transcriber | None,
        writer: Writer,
        watched: Watched,
        ingest: Ingest,
        contents: Contents,
        metrics: Metrics,
        clocks: Clocks,
        limits: Limits,
        busy: Callable[[], bool],
    ) -> None:
        self._client = client
        self._links = links
        self._transcripts = transcripts
        self._transcriber = transcriber
        self._writer = writer
        self._watched = watched
        self._ingest = ingest
        self._contents = contents
        self._metrics = metrics
        self._clocks = clocks
        self._busy = busy
        self._new = NewBytes(limits.transcribe_bytes)
        self._failed: set[int] = set()  # pictures whose bytes could not be had, until tried again
        self._task: asyncio.Task[None] | None = None

    @property
    def on(self) -> bool:
        """Whether words are read at all."""
        return self._transcriber is not None

    async def count_unread(self, space: int, groups: set[int]) -> int:
        """In how many pictures of these groups words are still to be looked for, also again."""
        within = Filter(space, groups=frozenset(groups))
        return await self._transcripts.count_unread(within, or_stale=True)

    def keep(self, key: bytes, data: bytes) -> None:
        """Hold the bytes of a new picture for a while."""
        if self.on:
            self._new.keep(key, data)

    def start(self) -> None:
        """Begin, unless it has begun. The work goes on until `close`."""
        if self._transcriber is not None and self._task is None:
            self._task = asyncio.create_task(self._work(self._transcriber), name="transcribing")

    async def close(self) -> None:
        """Stop at once; what is left is pending."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._transcriber is not None:
            await self._transcriber.close()

    async def read_again(self, space: int, groups: set[int]) -> None:
        """Let the words in the pictures of these groups be read again."""
        if self.on:
            await self._writer.redo_transcripts(space, groups)
            self._failed.clear()
            self._new.arrived.set()

    # ---- the work

    async def _work(self, transcriber: Transcriber) -> None:
        with contextlib.suppress(GalleryClosed):
            await self._writer.begin_transcripts(transcriber.revision)
            while True:
                await self._go_on(transcriber)

    async def _go_on(self, transcriber: Transcriber) -> None:
        """Read what is pending, or wait for more."""
        try:
            self._new.arrived.clear()
            if not await self._read_all(transcriber):
                await self._rest(transcriber)
        except GalleryClosed:
            raise
        except Exception as error:
            unforeseen = None if isinstance(error, OCRUnusable) else error
            log.error(fields("transcribing_waits", why=error), exc_info=unforeseen)
            await asyncio.sleep(self._clocks.transcribe_again_s)

    async def _rest(self, transcriber: Transcriber) -> None:
        """Wait for new pictures, or until those that could not be had are worth another try."""
        if not self._new:
            await transcriber.rest()
        try:
            async with asyncio.timeout(
                self._clocks.transcribe_s if self._new else self._clocks.transcribe_again_s
            ):
                await self._new.arrived.wait()
            await asyncio.sleep(self._clocks.transcribe_s)  # until they are written
        except TimeoutError:
            if self._new:
                self._drop_unwritten()
            else:
                self._failed.clear()

    def _drop_unwritten(self) -> None:
        """Drop bytes that nobody asks for: their picture may be erased by now."""
        self._new.drop_older(UNWRITTEN * self._clocks.transcribe_s)

    async def _read_all(self, transcriber: Transcriber) -> bool:
        """Read the words in all pending pictures, the newest first; whether there were any."""
        after, any_read = 0, False
        while page := await self._transcripts.pending(after=after, limit=PAGE):
            for picture in page:
                if picture.id in self._failed:
                    continue
                any_read = True
                await self._try_one(transcriber, picture)
                if self._new.arrived.is_set():
                    return True  # from the newest on
            after = page[-1].id
        return any_read

    async def _try_one(self, transcriber: Transcriber, picture: PendingTranscript) -> None:
        """Read one. An unforeseen error in one picture doesn't hold up all others.

        raises   what says nothing of the picture: GalleryClosed, StoreError, OCRUnusable,
                 DecoderUnusable
        """
        try:
            await self._read_one(transcriber, picture)
        except (GalleryClosed, StoreError, OCRUnusable, DecoderUnusable):
            raise
        except Exception as error:
            log.exception(fields("words_unread", guild=picture.link.space, why=error))
            self._failed.add(picture.id)

    async def _read_one(self, transcriber: Transcriber, picture: PendingTranscript) -> None:
        data = self._new.take(picture.key)
        if data is None:
            if not await self._nothing_else_to_do():
                return
            self._drop_unwritten()  # what is new was read before
            data = await self._downloaded(picture.link)
        if data is None:
            self._failed.add(picture.id)
            return
        try:
            with self._metrics.transcribing.time():
                lines = await transcriber.read(data)
        except PictureError as error:
            log.info(fields("words_unread", guild=picture.link.space, why=error))
            lines = ()
        await self._writer.put_transcript(picture.key, transcriber.revision, lines)

    async def _nothing_else_to_do(self) -> bool:
        """Wait while messages wait and history is read. False when new pictures have come, which
        are read first."""
        while self._busy() and not self._new.arrived.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._clocks.transcribe_s):
                    await self._new.arrived.wait()
        return not self._new.arrived.is_set()

    async def _downloaded(self, link: Link) -> bytes | None:
        """The bytes that a link shows, downloaded again; None where they can't be had now."""
        if not self._may_read(link):
            return None
        message = await self._ingest.fetch_message(link.space, link.group, int(link.source))
        picture = self._ingest.shown(message).get(link.slot) if message is not None else None
        if picture is None:
            return None
        try:
            data = await self._contents.fetch(picture)
        except (DownloadError, PictureError) as error:
            log.info(fields("words_unread", guild=link.space, why=error))
            return None
        # Another site may have another picture there now. Its words must not be taken for the
        # words of this one, which may be shown elsewhere.
        same = (await self._links.links_of_picture(data)).values()
        return data if any(_place(one) == _place(link) for one in same) else None

    def _may_read(self, link: Link) -> bool:
        """Whether the link's channel is watched and can be read."""
        guild = self._client.get_guild(link.space)
        if guild is None or guild.unavailable:
            return False
        place = guild.get_channel_or_thread(link.group.id)
        if place is None and link.group.parent is not None:  # a thread that is archived
            place = guild.get_channel(link.group.parent)
        return place is not None and self._watched.covers(place) and not missing_permissions(place)


def _place(link: Link) -> tuple[int, str, str]:
    return link.space, link.source, link.slot
