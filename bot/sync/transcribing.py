"""The words in pictures, read in the background once the pictures themselves can be found.

Which pictures are left is kept in the gallery, so a restart loses nothing. The bytes of new
pictures wait in memory for a while, and are read first. The others are downloaded again, one after
another, while no message waits and no history is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator

from bot.ops.background import Background
from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.ops.tuning import Clocks, Limits
from bot.sync.new_bytes import NewBytes
from bot.sync.refetching import Refetcher
from bot.sync.tries import Tries
from bot.sync.writer import Writer
from index import (
    DecoderUnusable,
    Filter,
    GalleryClosed,
    Group,
    Link,
    OCRUnusable,
    PendingTranscript,
    PictureError,
    StoreError,
    TranscriptReader,
    WordReader,
)

log = logging.getLogger(__name__)

PAGE = 100  # links that are asked for at once
# The bytes of a picture that nobody asks for are held this many times `Clocks.transcribe_s`: it was
# not written, or its words are known.
UNWRITTEN = 12


class Transcribing:
    """Reads the words in pictures, one after another.

    busy   whether messages wait or history is read, which comes first
    """

    def __init__(
        self,
        transcripts: TranscriptReader,
        transcriber: WordReader | None,
        writer: Writer,
        refetcher: Refetcher,
        metrics: Metrics,
        clocks: Clocks,
        limits: Limits,
        busy: Callable[[], bool],
    ) -> None:
        self._transcripts = transcripts
        self._transcriber = transcriber
        self._writer = writer
        self._refetcher = refetcher
        self._metrics = metrics
        self._clocks = clocks
        self._busy = busy
        self._new = NewBytes(limits.transcribe_bytes)
        self._tries = Tries()  # of links whose pictures could not be had
        self._task: asyncio.Task[None] | None = None
        self._background = Background()

    @property
    def on(self) -> bool:
        """Whether words are read at all."""
        return self._transcriber is not None

    async def count_unread(self, space: int, groups: set[int]) -> tuple[int, int]:
        """In how many pictures of these groups words are still to be looked for, also again; and in
        how many of them that was tried and failed."""
        within = Filter(space, groups=frozenset(groups))
        failed = Filter(space, groups=frozenset(groups), only=self._tries.ids())
        return (
            await self._transcripts.count_unread(within, or_stale=True),
            await self._transcripts.count_unread(failed, or_stale=True),
        )

    def keep(self, key: bytes, data: bytes, seen_in: tuple[int, int]) -> None:
        """Hold the bytes of a new picture for a while.

        seen_in   its server and channel
        """
        if self.on:
            self._new.keep(key, data, seen_in)

    def start(self) -> None:
        """Begin, unless it has begun. The work goes on until `close`."""
        if self._transcriber is not None and self._task is None:
            self._task = self._background.begin(self._work(self._transcriber), "transcribing")

    async def close(self) -> None:
        """Stop at once; what is left is pending."""
        await self._background.close()
        if self._transcriber is not None:
            await self._transcriber.close()

    async def redo(self, space: int, groups: set[int]) -> None:
        """Let the words in the pictures of these groups be read again."""
        if self.on:
            await self._writer.redo_transcripts(space, groups)
            self.try_again()

    def try_again(self) -> None:
        """Try those anew that could not be had."""
        self._tries.forget()
        self._new.arrived.set()

    # ---- the work

    async def _work(self, transcriber: WordReader) -> None:
        with contextlib.suppress(GalleryClosed):
            await self._writer.begin_transcripts(transcriber.revision)
            while True:
                await self._go_on(transcriber)

    async def _go_on(self, transcriber: WordReader) -> None:
        """Read what is pending, or wait for more."""
        try:
            self._new.arrived.clear()
            if not (await self._read_new(transcriber) or await self._read_others(transcriber)):
                await self._rest(transcriber)
        except GalleryClosed:
            raise
        except Exception as error:
            unforeseen = None if isinstance(error, OCRUnusable) else error
            log.error(fields("transcribing_waits", why=error), exc_info=unforeseen)
            await asyncio.sleep(self._clocks.transcribe_again_s)

    async def _rest(self, transcriber: WordReader) -> None:
        """Wait for new pictures, or until others can be read: after what comes first, or when those
        that could not be had are worth another try."""
        soon = bool(self._new) or self._busy()
        if not soon:
            await transcriber.rest()
        try:
            async with asyncio.timeout(
                self._clocks.transcribe_s if soon else self._clocks.transcribe_again_s
            ):
                await self._new.arrived.wait()
            await asyncio.sleep(self._clocks.transcribe_s)  # until they are written
        except TimeoutError:
            pass

    async def _read_new(self, transcriber: WordReader) -> bool:
        """Read the words in the pictures that are in memory; whether there were any."""
        any_read = False
        for key in self._new.pictures():
            if await self._transcripts.is_pending(key) and (held := self._new.take(key)):
                any_read = True
                with _unforeseen_is_logged():
                    space, group = min(held.seen_in)
                    link = Link(space, Group(group), "", "")
                    await self._read(transcriber, key, held.data, held.seen_in, link)
        # Those are left that are not written yet; or were erased, or are known.
        self._new.drop_older(UNWRITTEN * self._clocks.transcribe_s)
        return any_read

    async def _read_others(self, transcriber: WordReader) -> bool:
        """Fetch and read the pictures that are not in memory, the newest first, as long as nothing
        comes first; whether any was read."""
        after, any_read, left = 0, False, set[int]()
        until = time.monotonic() + self._clocks.transcribe_s
        while page := await self._transcripts.pending(after=after, limit=PAGE):
            read = set[bytes]()  # other links to them may be pending no more
            for one in page:
                left.add(one.id)
                if one.key in read or self._tries.wait_s(one.id) > 0:
                    continue
                if self._busy() or (self._new and time.monotonic() > until):
                    return any_read
                if self._refetcher.may_read(one.link) and await self._read_again(transcriber, one):
                    read.add(one.key)
                    any_read = True
            after = page[-1].id
        self._tries.forget_others(left)
        return any_read

    async def _read_again(self, transcriber: WordReader, one: PendingTranscript) -> bool:
        """Fetch and read what a link shows; whether that is done."""
        done = False
        with _unforeseen_is_logged():
            data = await self._refetcher.fetch(one.id, one.link)
            if data is not None:
                seen_in = {(one.link.space, one.link.group.id)}
                await self._read(transcriber, one.key, data, seen_in, one.link)
                done = True
        if not done:
            self._tries.failed(one.id, self._clocks.transcribe_again_s)
        return done

    async def _read(
        self,
        transcriber: WordReader,
        key: bytes,
        data: bytes,
        seen_in: Collection[tuple[int, int]],
        link: Link,
    ) -> None:
        """Read the words in a picture. One that can't be read counts as one without words."""
        try:
            with self._metrics.transcribing.time():
                lines = await transcriber.read(data, link)
        except PictureError as error:
            log.info(fields("words_unread", why=error))
            lines = ()
        await self._writer.put_transcript(key, transcriber.revision, lines, seen_in)


@contextlib.contextmanager
def _unforeseen_is_logged() -> Iterator[None]:
    """An unforeseen error in one picture doesn't hold up all others.

    raises   what says nothing of the picture: GalleryClosed, StoreError, OCRUnusable,
             DecoderUnusable
    """
    try:
        yield
    except (GalleryClosed, StoreError, OCRUnusable, DecoderUnusable):
        raise
    except Exception as error:
        log.exception(fields("words_unread", why=error))
