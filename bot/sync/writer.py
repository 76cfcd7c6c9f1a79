"""The one writer: every change that the bot makes to its gallery goes through here.

A picture takes seconds from its message to the file: it is downloaded, decoded and embedded.
Meanwhile it may be erased by a deletion or an edit, or with its channel or server. So changes are
numbered: each item has the number of the newest change when its message was read, and each erasure
remembers its own number. A commit leaves out every item that was read before its erasure. An
erasure waits until the commit that is being written is done, and then removes its pictures as well.
What members want left out for good, and for how long a server keeps pictures, is known to the
gallery, which leaves it out of every commit.

While the file can't be written (the disk is full, or another process holds it), a change waits and
is tried again; none is skipped. A change that a person waits for fails instead.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from cachetools import LRUCache

from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.sync.coverage import Move
from index import (
    Asked,
    EmbeddedPicture,
    Gallery,
    Group,
    Job,
    Link,
    Note,
    Notice,
    QueryEmbedding,
    StoreError,
    Unjudged,
    Watch,
    Welcome,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

# Messages, groups and owners that are remembered; far fewer can be on their way at once.
REMEMBERED = 20_000
OLDER_REMEMBERED = 8  # erasures of old pictures in a space, each of fewer than the one before


class ModelChange(Protocol):
    """The facts about a change to another model; the writer begins and ends the change."""

    @property
    def wanted(self) -> str | None:
        """The name of the model that is to take over; None when none is."""

    @property
    def id(self) -> str | None:
        """The name of the change that has begun, the same until it is done or given up."""

    async def slots_left(self, space: int, source: str) -> set[str]:
        """The slots of one source that the wanted model has not embedded."""


@dataclass(frozen=True, slots=True)
class Item:
    """A picture that is ready to be committed.

    as_of   `Writer.now` when its message was received, or before it was asked for
    """

    picture: EmbeddedPicture
    link: Link
    as_of: int


@dataclass(frozen=True, slots=True)
class _Observation:
    """What a message shows since a change.

    number   of that change
    slots    those it shows
    hidden   those of them that are behind a spoiler
    """

    number: int
    slots: frozenset[str]
    hidden: frozenset[str]


class Writer:
    """Writes pictures, cursors, erasures and records; leaves out pictures erased meanwhile."""

    def __init__(self, gallery: Gallery, clocks: Clocks) -> None:
        self._gallery = gallery
        self._clocks = clocks
        # Set when pictures were erased; whoever waits for it clears it.
        self.erased = asyncio.Event()
        # The same, when watches have something to judge, or their owners are to be told of it.
        self.to_judge, self.to_tell = asyncio.Event(), asyncio.Event()
        self._writing = asyncio.Lock()
        self._now = 0
        self._deleted: LRUCache[int, None] = LRUCache(REMEMBERED)  # messages
        self._observed: LRUCache[int, _Observation] = LRUCache(REMEMBERED)  # by message
        # The number of the change that erased a group or a space. A group has infinity until it is
        # read again.
        self._erased_groups: LRUCache[int, float] = LRUCache(REMEMBERED)
        self._erased_spaces: LRUCache[int, int] = LRUCache(REMEMBERED)
        # By space: the number of each erasure of old pictures, and before when (Unix seconds) those
        # were posted. An erasure that reaches further takes the place of those before it.
        self._erased_older: LRUCache[int, list[tuple[int, float]]] = LRUCache(REMEMBERED)
        self._ended_watches: LRUCache[int, None] = LRUCache(REMEMBERED)  # paused or removed
        # When the questions of an owner in a space were erased, by the monotonic clock.
        self._questions_erased: LRUCache[tuple[int, int], float] = LRUCache(REMEMBERED)
        # Work on pictures, which ends when they are erased; each with its link and `as_of`.
        self._on_their_way: dict[asyncio.Task[Any], tuple[Link, int]] = {}

    # ---- what was observed

    @property
    def now(self) -> int:
        """The number of the newest change; read it before a message is asked for."""
        return self._now

    def _next(self) -> int:
        self._now += 1
        return self._now

    def is_deleted(self, message: int) -> bool:
        return message in self._deleted

    def observe(
        self, message: int, slots: frozenset[str], hidden: frozenset[str] = frozenset()
    ) -> bool:
        """Note that from now on the message shows these slots only; False when it is deleted.

        hidden   those of them that are behind a spoiler
        """
        self._observed[message] = _Observation(self._next(), slots, hidden)
        self._stop_erased()
        return message not in self._deleted

    def has_observed(self, message: int) -> bool:
        return message in self._observed

    def hides(self, link: Link) -> bool:
        """Whether the newest observation of its message has the picture behind a spoiler."""
        seen = self._observed.get(int(link.source))
        return seen is not None and link.slot in seen.hidden

    def observe_history(
        self,
        message: int,
        slots: frozenset[str],
        as_of: int,
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        """Note that history, asked for `as_of` this change, has the message with these slots.

        That corrects an older observation: an edit after it may have been missed.
        """
        seen = self._observed.get(message)
        if seen is None or seen.number <= as_of:
            self.observe(message, slots, hidden)

    def readmit(self, group: Group) -> None:
        """From now on a channel, or a thread of one, is read again.

        Only the first call after an erasure counts. A later one must not move the number of the
        erasure forward: pictures that were read since then are on their way.
        """
        for one in (group.id, group.parent or 0):
            if self._erased_groups.get(one) == math.inf:
                self._erased_groups[one] = self._now

    def is_current(self, link: Link, as_of: int) -> bool:
        """Whether a picture has not been erased since its message was read.

        as_of   `now` before the message was asked for
        """
        message = int(link.source)
        erased = max(
            self._erased_groups.get(link.group.id, 0),
            self._erased_groups.get(link.group.parent or 0, 0),
            self._erased_spaces.get(link.space, 0),
        )
        if as_of < erased or message in self._deleted:
            return False
        for number, posted_before in self._erased_older.get(link.space, ()):
            if as_of < number and link.posted_at < posted_before:
                return False
        seen = self._observed.get(message)
        return seen is None or link.slot in seen.slots

    async def unless_erased(self, link: Link, as_of: int, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of work on a picture; None if the picture is erased meanwhile, which ends it.

        So the bytes of what was erased wait for no worker.
        as_of   `now` before the message was asked for
        """
        task = asyncio.ensure_future(work)
        self._on_their_way[task] = (link, as_of)
        try:
            await asyncio.wait([task])
            return None if task.cancelled() else task.result()
        finally:
            del self._on_their_way[task]
            task.cancel()

    def _stop_erased(self) -> None:
        """End work on pictures that are erased by now."""
        for work, (link, as_of) in self._on_their_way.items():
            if not self.is_current(link, as_of):
                work.cancel()

    # ---- pictures, cursors and jobs

    async def commit(
        self,
        items: Sequence[Item],
        moves: Sequence[Move] = (),
        jobs: Sequence[Job] = (),
        *,
        new: bool = False,
        announced: bool = False,
    ) -> int:
        """Write the items that were not erased meanwhile, with cursors and jobs.

        Cursors are computed at the last moment, so that they are never ahead of the file.

        new        let watches judge what was just posted, unless the gallery has it
        announced  let watches judge it in any case: history may have brought it a moment ago, since
                   a page can have a message whose event is still to come
        returns    how many items were not erased; the gallery may have left some of them out
        """
        return await self._in_turn(
            lambda: self._commit(items, moves, jobs, new=new, announced=announced)
        )

    async def _commit(
        self,
        items: Sequence[Item],
        moves: Sequence[Move],
        jobs: Sequence[Job],
        *,
        new: bool,
        announced: bool,
    ) -> int:
        current = [item for item in items if self.is_current(item.link, item.as_of)]
        cursors = [(cursor, move) for move in moves if (cursor := move.coverage.cursor(move))]
        if current or cursors or jobs:
            pairs = [(item.picture, item.link) for item in current]
            written = [cursor for cursor, _ in cursors]
            await self._gallery.commit(pairs, written, jobs, new=new, announced=announced)
            if current and (new or announced):
                self.to_judge.set()
        for cursor, move in cursors:
            move.coverage.saved(cursor, move)
        return len(current)

    async def _in_turn(self, write: Callable[[], Awaitable[T]], *, patient: bool = True) -> T:
        """The result of `write`. Changes to pictures are written one at a time, in their order.

        patient, raises   as `_written`
        """

        async def alone() -> T:
            async with self._writing:
                return await write()

        return await self._written(alone, patient=patient)

    async def _written(self, write: Callable[[], Awaitable[T]], *, patient: bool) -> T:
        """The result of `write`.

        patient  while the file can't be written, wait and try again
        raises   StoreError, unless patient
        """
        while True:
            try:
                return await write()
            except StoreError as error:
                if not patient:
                    raise
                retry_s = self._clocks.write_retry_s
                log.error(fields("write_waits", reason=error, retry_s=retry_s))
                await asyncio.sleep(retry_s)

    # ---- erasing pictures

    async def _erase(self, write: Callable[[], Awaitable[int]], *, patient: bool) -> int:
        """Let `write` erase pictures, in its turn; returns how many, as it does."""
        self._stop_erased()
        erased = await self._in_turn(write, patient=patient)
        self._stop_erased()  # what `write` itself has noted
        if erased:
            self.erased.set()
        return erased

    async def keep_slots(
        self, space: int, message: int, slots: Collection[str], *, patient: bool = True
    ) -> int:
        """Drop a message's pictures that it no longer shows; returns how many.

        The message's pictures are looked up when the commit that is being written is done, since
        that may add one.

        slots   those it shows; if an edit is observed meanwhile, those of the edit count
        """

        async def write() -> int:
            seen = self._observed.get(message)
            shown = slots if seen is None else seen.slots
            if not await self._gallery.links.slots(space, str(message)) - set(shown):
                return 0
            return await self._gallery.keep_slots(space, str(message), shown)

        return await self._erase(write, patient=patient)

    async def erase_messages(
        self, space: int, messages: Sequence[int], *, patient: bool = True
    ) -> int:
        """Erase deleted messages for good; returns how many pictures were erased."""
        self._next()
        for message in messages:
            self._deleted[message] = None

        async def write() -> int:
            await self._gallery.erase_given_up(space, sources=[str(m) for m in messages])
            slots = self._gallery.links.slots
            known = [m for m in map(str, messages) if await slots(space, m)]
            return await self._gallery.remove_sources(space, known) if known else 0

        return await self._erase(write, patient=patient)

    async def erase_group(
        self, space: int, group: int, threads: Iterable[int] = (), *, patient: bool = True
    ) -> int:
        """Erase a channel with its threads, or a thread; returns how many pictures were erased.

        threads  of this channel; the gallery itself knows only those that have pictures
        """
        threads = list(threads)
        self._next()
        for one in (group, *threads):
            self._erased_groups[one] = math.inf

        async def write() -> int:
            removed = await self._gallery.remove_group(space, group)
            for thread in threads:
                removed += await self._gallery.remove_group(space, thread)
            return removed

        return await self._erase(write, patient=patient)

    async def erase_space(self, space: int) -> int:
        """Erase everything of a server; returns how many pictures were erased."""
        self._erased_spaces[space] = self._next()
        self._stop_erased()
        return await self._in_turn(lambda: self._gallery.remove_space(space))

    async def leave_out(self, space: int, owner: int, upto: float) -> int:
        """Erase an owner's questions, and their pictures posted up to then; returns how many.

        The gallery leaves such pictures out of every later commit, also those on their way.

        upto     Unix seconds; infinity: all pictures, also those that are posted later
        raises   StoreError when the file can't be written now
        """

        async def write() -> int:
            # Before the write, so that a question can't be saved right behind it.
            self._questions_erased[space, owner] = time.monotonic()
            erased = await self._gallery.leave_out(space, owner, upto)
            for work, (link, _) in self._on_their_way.items():
                if (link.space, link.owner) == (space, owner) and link.posted_at <= upto:
                    work.cancel()
            return erased

        return await self._erase(write, patient=False)

    async def erase_older(self, space: int, posted_before: float) -> int:
        """Erase the pictures of a server posted before then (Unix seconds); returns how many.

        Pictures that were read before are left out of later commits, also if the server keeps its
        pictures for longer by then.

        raises   StoreError when the file can't be written now
        """

        async def write() -> int:
            removed = await self._gallery.remove_older(space, posted_before)
            known = self._erased_older.get(space, [])
            kept = [(number, before) for number, before in known if before > posted_before]
            erasures = [*kept, (self._next(), posted_before)]
            self._erased_older[space] = erasures[-OLDER_REMEMBERED:]
            return removed

        return await self._erase(write, patient=False)

    # ---- another model

    async def begin_reembedding(self) -> None:
        """From now on embed each picture with the wanted model, too.

        raises   ModelError
        """
        await self._gallery.reembedding.begin()

    async def switch_model(self) -> Mapping[int, int]:
        """Let the wanted model take over; returns how many pictures of each server it has not
        embedded, which are erased. Waits while the file can't be written."""
        return await self._in_turn(self._gallery.reembedding.switch)

    # ---- records beside the pictures: single statements, which don't wait for a page of pictures

    async def watch(self, space: int, channel: int) -> None:
        await self._gallery.bookkeeping.watch(space, channel)

    async def unwatch(self, space: int, channel: int, *, patient: bool = False) -> None:
        """Remove the mark of a channel; `erase_group` erases its pictures."""
        await self._written(
            lambda: self._gallery.bookkeeping.unwatch(space, channel), patient=patient
        )

    async def let_in(self, space: int, owner: int, after: float) -> None:
        """Let the owner's pictures be indexed that are posted after then (Unix seconds; minus
        infinity: all). In turn, so that it can't overtake `leave_out`.

        raises   StoreError when the file can't be written now
        """
        await self._in_turn(
            lambda: self._gallery.bookkeeping.let_in(space, owner, after), patient=False
        )

    async def set_retention(self, space: int, days: int | None) -> None:
        await self._gallery.bookkeeping.set_retention(space, days)

    async def set_noted(self, space: int, group: int, owners: int | None) -> None:
        await self._gallery.bookkeeping.set_noted(space, group, owners)

    async def let_pass(self, space: int, group: int, link: int, *, passes: bool) -> None:
        bookkeeping = self._gallery.bookkeeping
        await (bookkeeping.let_pass if passes else bookkeeping.let_pass_no_more)(space, group, link)

    async def not_a_copy(self, space: int, link: int, other: int, *, said: bool) -> None:
        """Say that two links show no copies of each other, or take it back."""
        bookkeeping = self._gallery.bookkeeping
        write = bookkeeping.not_a_copy if said else bookkeeping.a_copy_after_all
        await write(space, link, other)

    async def keep_note(self, note: Note) -> None:
        """Waits for the file: a note that isn't kept would outlive its picture."""
        await self._written(lambda: self._gallery.bookkeeping.keep_note(note), patient=True)

    async def forget_note(self, note: Note) -> None:
        await self._gallery.bookkeeping.forget_note(note.space, note.source)

    async def keep_welcome(self, welcome: Welcome) -> None:
        await self._gallery.bookkeeping.keep_welcome(welcome)

    async def forget_welcome(self, space: int) -> None:
        """Waits for the file: a server that was left is welcomed again when it comes back."""
        await self._written(lambda: self._gallery.bookkeeping.forget_welcome(space), patient=True)

    async def depart(self, space: int, since: float) -> None:
        """Note that a server was left, which Discord says only once. Waits for the file."""
        await self._written(lambda: self._gallery.bookkeeping.depart(space, since), patient=True)

    async def come_back(self, space: int) -> None:
        """Take that note away, before the server is read again. Waits for the file."""
        await self._written(lambda: self._gallery.bookkeeping.come_back(space), patient=True)

    async def close_group(self, space: int, group: int, since: float) -> None:
        await self._gallery.bookkeeping.close_group(space, group, since)

    async def open_group(self, space: int, group: int) -> None:
        await self._gallery.bookkeeping.open_group(space, group)

    async def new_job(self, space: int, kind: str, state: Mapping[str, Any]) -> Job:
        return await self._gallery.bookkeeping.new_job(space, kind, state)

    async def save_search(
        self,
        space: int,
        owner: int,
        asked: Asked,
        embedding: QueryEmbedding | None,
        asked_at: float,
    ) -> str:
        """The id of the saved search; "" if its owner's questions were erased while it was asked.

        asked_at   by the monotonic clock
        """
        if asked_at <= self._questions_erased.get((space, owner), -math.inf):
            return ""
        return await self._gallery.bookkeeping.save_search(space, owner, asked, embedding)

    # ---- the words in pictures

    async def begin_transcripts(self, revision: str) -> None:
        """From now on keep what this revision reads."""
        await self._in_turn(lambda: self._gallery.transcripts.begin(revision))

    async def put_transcript(
        self,
        key: bytes,
        revision: str,
        lines: Sequence[str],
        read_in: Collection[tuple[int, int]],
    ) -> None:
        """Keep what was read in the picture with this key, if it is still there.

        read_in   the servers and channels in which it was seen
        """
        await self._in_turn(lambda: self._gallery.transcripts.put(key, revision, lines, read_in))
        self.to_judge.set()

    async def redo_transcripts(self, space: int, groups: Collection[int]) -> None:
        """Let the words in the pictures of these groups be read again."""
        await self._in_turn(lambda: self._gallery.transcripts.redo(space, groups))

    # ---- watches

    async def add_watch(self, watch: Watch, asked_at: float) -> bool:
        """Keep a watch; False if its owner's questions were erased while it was asked.

        asked_at   by the monotonic clock
        raises     StoreError when the file can't be written now
        """
        if asked_at <= self._questions_erased.get((watch.space, watch.owner), -math.inf):
            return False
        await self._gallery.watches.add(watch)
        return True

    def watch_goes_on(self, watch: Watch, since: float) -> bool:
        """Whether a watch was neither paused nor removed since then, by the monotonic clock."""
        erased = self._questions_erased.get((watch.space, watch.owner), -math.inf)
        return watch.id not in self._ended_watches and erased < since

    async def remove_watches(self, ids: Collection[int]) -> None:
        """raises   StoreError when the file can't be written now"""
        self._ended_watches.update(dict.fromkeys(ids))
        await self._gallery.watches.remove(ids)

    async def pause_watch(self, id: int, why: str) -> None:
        """Tell nothing more of a watch, for this reason; "": let it go on.

        raises   StoreError when the file can't be written now
        """
        if why:
            self._ended_watches[id] = None
        else:
            self._ended_watches.pop(id, None)
        await self._gallery.watches.pause(id, why)

    async def keep_embedding(self, watch: Watch) -> None:
        """Keep the embedding of a watch by the gallery's model."""
        assert watch.embedding is not None
        await self._gallery.watches.embedded(watch.id, watch.embedding)

    async def keep_bar(self, id: int, searched: int, bar: float) -> None:
        """Note with what a picture was compared that was judged by a watch."""
        await self._gallery.watches.compared(id, searched, bar)

    async def judged(self, link: Unjudged, notices: Sequence[Notice], *, await_words: bool) -> None:
        """Keep what came of judging a link. Waits for the file, so that it isn't judged twice."""
        watches = self._gallery.watches
        await self._written(
            lambda: watches.judged(link, notices, await_words=await_words), patient=True
        )
        if notices:
            self.to_tell.set()

    async def to_be_told(self, notices: Sequence[Notice]) -> None:
        """Keep what came of judging a link that is judged once more. Waits for the file."""
        await self._written(lambda: self._gallery.watches.to_be_told(notices), patient=True)
        if notices:
            self.to_tell.set()

    async def drop_unjudged(self, posted_before: float) -> None:
        """Judge no more what was posted before then (Unix seconds)."""
        await self._gallery.watches.drop_unjudged(posted_before)

    async def sending(self, notices: Sequence[Notice], name: str) -> None:
        """Note that a message of this name is going to be sent, which tells of these notices; "":
        that it was not. Waits for the file: what isn't kept might be sent twice."""
        ids = [notice.id for notice in notices]
        await self._written(lambda: self._gallery.watches.sending(ids, name), patient=True)

    async def sent(self, watch: Watch, name: str, since: float) -> None:
        """Note that the message of this name was sent. Waits for the file.

        since   when its watch was there, by the monotonic clock: after an erasure it isn't counted
        """
        at = time.time()

        def write() -> Awaitable[None]:
            counts = self._questions_erased.get((watch.space, watch.owner), -math.inf) < since
            return self._gallery.watches.sent(watch, name, at, counts=counts)

        await self._written(write, patient=True)

    async def put_off(self, notices: Sequence[Notice], due: float) -> None:
        """Tell of these notices from then on (Unix seconds)."""
        await self._gallery.watches.put_off([notice.id for notice in notices], due)

    async def drop_notices(self, notices: Sequence[Notice]) -> None:
        """Never tell of these notices."""
        await self._gallery.watches.drop([notice.id for notice in notices])

    async def expire_notices(self) -> None:
        """Forget what was told long ago."""
        await self._gallery.watches.expire(time.time())

    # ---- the rest

    async def expire_searches(self) -> None:
        await self._gallery.bookkeeping.expire_searches()

    async def vacuum(self) -> None:
        await self._gallery.vacuum()
