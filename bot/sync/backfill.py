"""Reading history, page by page: what was posted before the bot came, and while it was away.

It is the second of two passes. In the first, Discord's search brings the pictures of old messages
(`searching`); this one finds what the search left out, and its cursors say what is complete.

Old messages are read newest first: people look for recent pictures first, so a channel is useful
after its first page. Missed messages are read before old ones, and oldest first, so that the cursor
can follow them. The unit of work is a page of 100 messages. Its pictures and the cursor that covers
it are one transaction, and channels take turns page by page.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import discord

from bot.media.download import DownloadError
from bot.ops.background import Background
from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.ops.tuning import Clocks, Limits
from bot.platform.codes import RequestFailed, is_deleted
from bot.platform.places import Place, WithMessages, WithThreads, group_of
from bot.platform.unreadable import Unreadable
from bot.sync.backlog import Backlog
from bot.sync.coverage import Coverage, Move
from bot.sync.erasure import Erasure
from bot.sync.history import History, HistoryPage
from bot.sync.history_search import HistorySearch
from bot.sync.ingest import Ingest
from bot.sync.reading import Reading
from bot.sync.searching import Searching
from bot.sync.threads import archived_threads
from bot.sync.watched import Watched
from bot.sync.writer import Writer
from index import GalleryClosed, Links

log = logging.getLogger(__name__)

# How often a page is tried that fails in an unforeseen way, or whose files can't be had now. The
# wait doubles each time; in all it is some minutes. After that, pictures that fail are left out.
PAGE_ATTEMPTS = 5


class Backfill:
    """Reads what the backlog holds.

    indexed   told of each message that catching up has read, by server, channel or thread, and its
              id; the pictures that it shows are in the gallery. It must not wait
    """

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        writer: Writer,
        watched: Watched,
        backlog: Backlog,
        ingest: Ingest,
        history: History,
        searching: Searching,
        erasure: Erasure,
        metrics: Metrics,
        clocks: Clocks,
        limits: Limits,
        indexed: Callable[[int, int, int], None],
    ) -> None:
        self._client = client
        self._links = links
        self._writer = writer
        self._watched = watched
        self._backlog = backlog
        self._ingest = ingest
        self._history = history
        self._searching = searching
        self._erasure = erasure
        self._metrics = metrics
        self._clocks = clocks
        self._limits = limits
        self._indexed = indexed
        self._background = Background()

    # ---- starting and stopping

    def start(self) -> None:
        for number in range(self._limits.channels_at_once):
            self._background.begin(self._work(), f"backfill-{number}")
        self._background.begin(self._save_cursors_now_and_then(), "save-cursors")

    async def close(self) -> None:
        """Stop at once: a page that is not committed yet will be read again."""
        await self._background.close()

    async def save_cursors(self) -> None:
        """Write the cursors that messages without pictures have moved."""
        coverages = [reading.coverage for reading in self._backlog.readings()]
        moved = [coverage for coverage in coverages if coverage.unsaved() is not None]
        await self._writer.commit((), [Move(coverage) for coverage in moved])

    async def _save_cursors_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._clocks.save_cursors_s)
            await self.save_cursors()

    # ---- reading

    async def _work(self) -> None:
        while True:
            turn = await self._backlog.turns.next_turn()
            try:
                if isinstance(turn, HistorySearch):
                    await self._searching.step(turn)
                else:
                    await self._read_on(turn)
            except GalleryClosed:
                return

    async def _read_on(self, reading: Reading) -> None:
        """Read the next page, and let the reading wait for its next turn.

        raises   GalleryClosed
        """
        try:
            await self._step(reading)
        except GalleryClosed:
            raise
        except discord.Forbidden:  # Discord counts refused requests, so it isn't asked again
            reading.missing = reading.missing or ("read_message_history",)
            log.warning(fields("unreadable", channel=reading.coverage.group))
        except Exception as error:
            if not is_deleted(error):
                self._retry_later(reading, error)
                return
            await self._erasure.erase_group(reading.coverage.space, reading.coverage.group)
        finally:
            reading.busy = False
        self._backlog.turns.schedule(reading)

    def _retry_later(self, reading: Reading, error: Exception) -> None:
        # Asking again at once would hardly help where an answer can't be read.
        outside = isinstance(error, RequestFailed) and not isinstance(error, Unreadable)
        reading.failures += not outside
        retry_s = self._clocks.page_retry_s * 2 ** max(reading.failures - 1, 0)
        expected = isinstance(error, (*RequestFailed, DownloadError))
        log.log(
            logging.WARNING if expected else logging.ERROR,
            fields("page_failed", channel=reading.coverage.group, why=error, retry_s=retry_s),
            exc_info=None if expected else error,
        )
        asyncio.get_running_loop().call_later(retry_s, self._backlog.turns.schedule, reading)

    async def _step(self, reading: Reading) -> None:
        """The next page of a channel or thread, or a look through its archived threads."""
        place = reading.place or await self._find(reading)
        coverage = reading.coverage
        if place is None or coverage.dropped:
            return
        self._writer.readmit(group_of(place))
        if isinstance(place, WithMessages):
            if not coverage.started:
                await self._read_first(reading, place)
            elif coverage.behind:
                await self._read_missed(reading, place)
            elif not coverage.complete and not reading.at_beginning:
                await self._read_back(reading, place)
            elif isinstance(place, WithThreads):
                await self._look_through_threads(reading, place)
        elif isinstance(place, WithThreads):  # a forum has only threads
            coverage.catch_up(coverage.gaps)
            await self._look_through_threads(reading, place)

    async def _find(self, reading: Reading) -> Place | None:
        """The thread of a reading that only had a cursor; None if it is not watched, or can't be
        read."""
        coverage = reading.coverage
        guild = self._client.get_guild(coverage.space)
        known = guild.get_channel_or_thread(coverage.group) if guild else None
        try:
            found = known or await self._client.fetch_channel(coverage.group)
        except Unreadable as error:  # it may be watched, so nothing of it is erased
            log.warning(fields("channel_unread", channel=coverage.group, why=error))
            self._backlog.ignore(coverage.group)
            self._backlog.release(reading)
            return None
        if not isinstance(found, Place) or not self._watched.covers(found):
            self._backlog.ignore(coverage.group)
            await self._erasure.erase_group(coverage.space, coverage.group)
            return None
        reading.place = found
        return found

    async def _read_first(self, reading: Reading, place: WithMessages) -> None:
        gaps = reading.coverage.gaps
        page = await self._history.read_page(place)
        newest = page.ids[0] if page.ids else place.id
        await self._keep_back(reading, place, page, newest)
        reading.coverage.catch_up(gaps)

    async def _read_back(self, reading: Reading, place: WithMessages) -> None:
        if reading.coverage.oldest == 0:  # the cursor says so
            reading.at_beginning = True
            return
        page = await self._history.read_page(place, before=reading.coverage.oldest + 1)
        await self._keep_back(reading, place, page)

    async def _keep_back(
        self, reading: Reading, place: WithMessages, page: HistoryPage, newest: int = 0
    ) -> None:
        """Commit a page that was read newest first."""
        at_beginning = not page.full
        move = Move(
            reading.coverage,
            newest=newest,
            oldest=0 if at_beginning else page.ids[-1] - 1,
            complete=at_beginning and not isinstance(place, WithThreads),
        )
        await self._keep(reading, place, page, move)
        reading.at_beginning = at_beginning

    async def _read_missed(self, reading: Reading, place: WithMessages) -> None:
        """A page of what came after the cursor, or a little before it, oldest first."""
        coverage = reading.coverage
        gaps, covered = coverage.gaps, coverage.newest
        start = covered if reading.position is None else reading.position
        page = await self._history.read_page(place, after=start)
        end = page.ids[-1] if page.ids else start
        at_end = not page.full
        if start < covered:
            await self._compare(reading, place, page, start, covered if at_end else end)
        if isinstance(place, discord.Thread) and place.archived and place.last_message_id:
            # The last message may be deleted, and is then on no page.
            end = max(end, place.last_message_id) if at_end else end
        await self._keep(reading, place, page, Move(coverage, newest=end), new=True)
        if coverage.gaps == gaps:  # else `read_from` may have set another position
            reading.position = None if at_end else end
        if at_end:
            coverage.catch_up(gaps)

    async def _compare(
        self, reading: Reading, place: Place, page: HistoryPage, after: int, upto: int
    ) -> None:
        """Follow the edits and deletions between `after` and `upto` that were not announced."""
        space = reading.coverage.space
        known = await self._links.known(space, group_of(place).id)
        await self._history.reconcile(space, page, known, after + 1, upto + 1)

    async def _keep(
        self,
        reading: Reading,
        place: Place,
        page: HistoryPage,
        move: Move,
        *,
        new: bool = False,
    ) -> None:
        """Take a page's pictures and commit them with the cursor that covers the page.

        new   let watches judge what was posted while the bot was away, and tell of what is indexed
        """
        space, group = reading.coverage.space, group_of(place)
        patient = reading.failures < PAGE_ATTEMPTS
        items, _ = await self._ingest.read(space, group, page.messages, page.as_of, patient=patient)
        written = await self._writer.commit(items, [move], new=new)
        reading.messages += len(page)
        reading.failures = 0
        self._metrics.add_pictures(group.id, written)
        log.debug(fields("page", channel=place.id, messages=len(page), pictures=written))
        if new:
            for message in self._ingest.settled(page.messages):
                self._indexed(space, group.id, message)

    async def _look_through_threads(self, reading: Reading, place: WithThreads) -> None:
        """Find archived threads: the first time all of them, later those with new messages."""
        coverage, backlog = reading.coverage, self._backlog
        wanted = backlog.has_moved if coverage.complete else None
        threads = await archived_threads(self._client, place, wanted)
        found = [backlog.get_or_create(thread.guild.id, thread.id, thread) for thread in threads]
        fresh = [one for one in found if not one.coverage.started]
        moves = [_at_its_end(one.coverage, one.place) for one in fresh]
        newest = place.id if not coverage.started else 0  # a forum
        moves.append(Move(coverage, newest=newest, complete=True))
        await self._writer.commit((), moves)
        for one in fresh:  # archived: nothing can have come after its last message
            one.coverage.catch_up(one.coverage.gaps)
        reading.threads_due = False
        # The listing begins with the threads that were archived last. They are read in reverse
        # order, so that what a crash leaves unread is at the top of the next listing.
        for one, thread in reversed(list(zip(found, threads, strict=True))):
            if not one.coverage.dropped:
                backlog.enqueue(thread)  # it may have been closed until now


def _at_its_end(coverage: Coverage, place: Place | None) -> Move:
    """Where reading an archived thread begins: at its last message."""
    last = (place.last_message_id if isinstance(place, discord.Thread) else None) or coverage.group
    return Move(coverage, newest=last, oldest=last)
