"""Everything that is written about pictures, one change after the other.

A deletion can arrive while the deleted picture is still being downloaded, embedded or read
from history. So the last word on each message is kept here, and what no longer stands is
left out of every commit, whoever had begun it. Removing waits for the commit that is being
written and removes after it.

While the file cannot be written (the disk is full, another process holds it), all of this waits
and tries again: nothing is skipped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import TypeAlias, TypeVar

from bot.ops.logs import fields
from bot.recent import Recent
from bot.sync.coverage import Move
from index import EmbeddedPicture, Gallery, Group, Job, Link, StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")
Word: TypeAlias = tuple[int, frozenset[str]]  # how many words there were, and the slots
Item: TypeAlias = tuple[EmbeddedPicture, Link]

# Words are kept for many times as many messages as can be on their way at once.
MAX_WORDS = 20_000
RETRY_S = 15.0  # a full or locked disk is tried again this often


class Ledger:
    """The one writer of pictures, cursors and removals on the Discord side."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._writing = asyncio.Lock()
        self._gone: Recent[None] = Recent(MAX_WORDS)  # deleted messages
        self._shown: Recent[Word] = Recent(MAX_WORDS)  # edited ones, as they are
        self.words = 0  # said so far
        self._gone_groups: Recent[None] = Recent(MAX_WORDS)

    # ---- the last word

    def is_gone(self, message: int) -> bool:
        return message in self._gone

    def say(self, message: int, slots: frozenset[str]) -> bool:
        """From now on the message shows these slots only; False: it is gone for good."""
        self.words += 1
        self._shown.put(message, (self.words, slots))
        return message not in self._gone

    def has_word_on(self, message: int) -> bool:
        return message in self._shown

    def saw(self, message: int, slots: frozenset[str], words: int) -> None:
        """History, asked after so many `words`, has the message with these slots.

        That outdoes an older word: the edit after it may have been missed.
        """
        number, _ = self._shown.get(message) or (0, None)
        if number <= words:
            self.say(message, slots)

    def welcome(self, group: Group) -> None:
        """This channel is read (again), or this thread of one that is."""
        for one in (group.id, group.parent or 0):
            self._gone_groups.pop(one, None)

    def _stands(self, link: Link) -> bool:
        if link.group.id in self._gone_groups or link.group.parent in self._gone_groups:
            return False
        message = int(link.source)
        word = self._shown.get(message)
        return message not in self._gone and (word is None or link.slot in word[1])

    # ---- writing

    async def commit(
        self, items: Sequence[Item], moves: Sequence[Move] = (), jobs: Sequence[Job] = ()
    ) -> int:
        """Write the items that still stand, with the cursors and jobs; returns how many items.

        Cursors are computed at the last moment.
        """
        return await self._in_the_end(lambda: self._write(items, moves, jobs))

    async def _in_the_end(self, write: Callable[[], Awaitable[T]], patient: bool = True) -> T:
        """What `write` gives back, once the file can be written.

        raises   StoreError when it can't, and nobody is to wait for it
        """
        while True:
            try:
                async with self._writing:
                    return await write()
            except StoreError as error:
                if not patient:
                    raise
                log.error(fields("write_waits", reason=error, retry_s=RETRY_S))
                await asyncio.sleep(RETRY_S)

    async def _write(
        self, items: Sequence[Item], moves: Sequence[Move], jobs: Sequence[Job]
    ) -> int:
        standing = [item for item in items if self._stands(item[1])]
        cursors = [(cursor, move) for move in moves if (cursor := move.coverage.cursor(move))]
        if standing or cursors or jobs:
            await self._gallery.commit(standing, [cursor for cursor, _ in cursors], jobs)
        for cursor, move in cursors:
            move.coverage.saved(cursor, move)
        return len(standing)

    async def keep(
        self, space: int, message: int, slots: Collection[str], *, patient: bool = True
    ) -> int:
        """Drop a message's pictures that it no longer shows; returns how many.

        slots   that it shows, where there is no word on it
        """

        async def write() -> int:
            word = self._shown.get(message)  # it may have been edited again meanwhile
            return await self._gallery.keep_slots(space, str(message), word[1] if word else slots)

        return await self._in_the_end(write, patient)

    async def forget_messages(
        self, space: int, messages: Sequence[int], *, patient: bool = True
    ) -> int:
        """Remove deleted messages for good; returns how many pictures went."""
        for message in messages:
            self._gone.put(message, None)

        async def write() -> int:
            known = [m for m in map(str, messages) if await self._gallery.slots(space, m)]
            return await self._gallery.remove_sources(space, known) if known else 0

        return await self._in_the_end(write, patient)

    async def forget_group(
        self, space: int, group: int, threads: Iterable[int] = (), *, patient: bool = True
    ) -> int:
        """Remove a channel with its threads, or a thread; returns how many pictures went.

        The gallery knows the threads that have pictures; `threads` are those known otherwise,
        of which at least cursors are kept.
        """
        self._gone_groups.put(group, None)

        async def write() -> int:
            removed = await self._gallery.remove_group(space, group)
            for thread in threads:
                removed += await self._gallery.remove_group(space, thread)
            return removed

        return await self._in_the_end(write, patient)

    async def unwatch(self, space: int, channel: int) -> None:
        """Drop the mark of a channel that was deleted."""
        await self._in_the_end(lambda: self._gallery.unwatch(space, channel))

    async def forget_space(self, space: int, channels: Iterable[int]) -> int:
        """Remove everything of a guild; pictures of these channels may still be on their way."""
        for channel in channels:
            self._gone_groups.put(channel, None)
        return await self._in_the_end(lambda: self._gallery.remove_space(space))
