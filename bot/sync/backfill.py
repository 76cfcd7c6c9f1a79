"""Reading history, page by page: what was posted before the bot came, and while it was away.

Newest first, since recent pictures are what people look for first, and a channel becomes
useful with its first page. Missed messages come before old ones, oldest first, so that the
cursor can follow them. The unit of work is a page of 100 messages: its pictures and the
cursor that covers it are one transaction, and channels take turns page by page.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import discord

from bot.media.download import DownloadError
from bot.ops.logs import fields
from bot.sync.backlog import Reading
from bot.sync.coverage import Coverage, Move
from bot.sync.erasure import forget_group
from bot.sync.history import (
    PAGE,
    Place,
    WithMessages,
    WithThreads,
    is_deleted,
    read_page,
    reconcile,
)
from bot.sync.ingest import Trouble
from bot.sync.watched import group_of
from index import GalleryClosed

if TYPE_CHECKING:
    from bot.app import Magpie

log = logging.getLogger(__name__)

# Discord allows about one page a second and channel, and 50 requests a second overall.
CHANNELS_AT_ONCE = 3
# A page that fails in a way nobody expected, or of which files can't be had now, is tried so often,
# each time after twice the wait, for minutes in all; then what fails is left out.
PAGE_ATTEMPTS = 5
RETRY_S = 30.0  # after Discord failed to give a page
FLUSH_S = 300.0  # cursors that only ordinary talk has moved are written this often


class Backfill:
    """Works off the backlog."""

    def __init__(self, client: Magpie) -> None:
        self._client = client
        self._backlog = client.backlog
        self._tasks: list[asyncio.Task[None]] = []

    # ---- coming and going

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._work(), name=f"backfill-{number}")
            for number in range(CHANNELS_AT_ONCE)
        ]
        self._tasks.append(asyncio.create_task(self._flush_now_and_then(), name="backfill-flush"))

    async def close(self) -> None:
        """Stop at once: a page that is not committed yet will be read again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def flush(self) -> None:
        """Write the cursors that ordinary talk has moved."""
        coverages = [reading.coverage for reading in self._backlog.readings()]
        moved = [coverage for coverage in coverages if coverage.unsaved() is not None]
        await self._client.ledger.commit((), [Move(coverage) for coverage in moved])

    async def _flush_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush()

    # ---- reading

    async def _work(self) -> None:
        while True:
            reading = await self._backlog.next_reading()
            try:
                await self._step(reading)
            except GalleryClosed:
                return
            except discord.Forbidden:  # never ask again what is closed: refusals are counted
                reading.missing = reading.missing or ("read_message_history",)
                log.warning(fields("unreadable", channel=reading.coverage.group))
            except Exception as error:
                if not is_deleted(error):
                    self._retry_later(reading, error)
                    continue
                await forget_group(self._client, reading.coverage.space, reading.coverage.group)
            finally:
                reading.busy = False
            self._backlog.queue(reading)

    def _retry_later(self, reading: Reading, error: Exception) -> None:
        outside = isinstance(error, Trouble)
        reading.failures += not outside
        retry_s = RETRY_S * 2 ** max(reading.failures - 1, 0)
        known = outside or isinstance(error, DownloadError)
        log.log(
            logging.WARNING if known else logging.ERROR,
            fields("page_failed", channel=reading.coverage.group, why=error, retry_s=retry_s),
            exc_info=None if known else error,
        )
        asyncio.get_running_loop().call_later(retry_s, self._backlog.queue, reading)

    async def _step(self, reading: Reading) -> None:
        """The next page of a channel or thread, or a look through its archived threads."""
        place = reading.place or await self._find(reading)
        coverage = reading.coverage
        if place is None or coverage.dropped:
            return
        self._client.ledger.welcome(group_of(place))
        if isinstance(place, WithMessages):
            if not coverage.started:
                await self._read_first(reading, place)
            elif coverage.behind:
                await self._read_missed(reading, place)
            elif not coverage.complete and not reading.at_beginning:
                await self._read_back(reading, place)
            elif isinstance(place, WithThreads):
                await self._look_through_threads(reading, place)
        elif isinstance(place, WithThreads):  # a forum has nothing but threads
            coverage.catch_up(coverage.gaps)
            await self._look_through_threads(reading, place)

    async def _find(self, reading: Reading) -> Place | None:
        """The thread of which only a cursor was known."""
        coverage = reading.coverage
        guild = self._client.get_guild(coverage.space)
        known = guild.get_channel_or_thread(coverage.group) if guild else None
        found = known or await self._fetched(coverage.group)
        if found is None or not self._client.watched.covers(found):
            self._backlog.disown(coverage.group)
            await forget_group(self._client, coverage.space, coverage.group)
            return None
        reading.place = found
        return found

    async def _fetched(self, channel_id: int) -> Place | None:
        """A channel or thread that Discord hadn't told about; None: of a kind not known here."""
        try:
            channel = await self._client.fetch_channel(channel_id)
        except discord.InvalidData:
            return None
        return channel if isinstance(channel, Place) else None

    async def _read_first(self, reading: Reading, place: WithMessages) -> None:
        gaps = reading.coverage.gaps
        messages = await read_page(self._client, place)
        newest = messages[0].id if messages else place.id
        await self._keep_back(reading, place, messages, newest)
        reading.coverage.catch_up(gaps)

    async def _read_back(self, reading: Reading, place: WithMessages) -> None:
        if reading.coverage.oldest == 0:  # known from the cursor
            reading.at_beginning = True
            return
        before = discord.Object(reading.coverage.oldest + 1)
        messages = await read_page(self._client, place, before=before)
        await self._keep_back(reading, place, messages)

    async def _keep_back(
        self, reading: Reading, place: WithMessages, page: list[discord.Message], newest: int = 0
    ) -> None:
        """Commit a page that was read newest first."""
        at_beginning = len(page) < PAGE
        move = Move(
            reading.coverage,
            newest=newest,
            oldest=0 if at_beginning else page[-1].id - 1,
            complete=at_beginning and not isinstance(place, WithThreads),
        )
        await self._keep(reading, place, page, move)
        reading.at_beginning = at_beginning

    async def _read_missed(self, reading: Reading, place: WithMessages) -> None:
        """A page of what came after the cursor, or a little before it, oldest first."""
        coverage = reading.coverage
        gaps, covered = coverage.gaps, coverage.newest
        start = covered if reading.position is None else reading.position
        after = discord.Object(start)
        page = await read_page(self._client, place, after=after, oldest_first=True)
        end = page[-1].id if page else start
        at_end = len(page) < PAGE
        if start < covered:
            await self._compare(reading, place, page, start, covered if at_end else end)
        if isinstance(place, discord.Thread) and place.archived and place.last_message_id:
            end = max(end, place.last_message_id) if at_end else end  # it may be deleted
        await self._keep(reading, place, page, Move(coverage, newest=end))
        if coverage.gaps == gaps:  # else somebody may have said from where to read again
            reading.position = None if at_end else end
        if at_end:
            coverage.catch_up(gaps)

    async def _compare(
        self, reading: Reading, place: Place, page: list[discord.Message], after: int, upto: int
    ) -> None:
        """Follow the edits and deletions between `after` and `upto` that nobody told about."""
        space, client = reading.coverage.space, self._client
        known = await client.gallery.known(space, group_of(place).id)
        await reconcile(client, space, page, known, after + 1, upto + 1)

    async def _keep(
        self, reading: Reading, place: Place, page: list[discord.Message], move: Move
    ) -> None:
        """Take a page's pictures and commit them with the cursor that covers the page."""
        space, group = reading.coverage.space, group_of(place)
        patient = reading.failures < PAGE_ATTEMPTS
        items, _ = await self._client.ingest.read(space, group, page, patient=patient)
        kept = await self._client.ledger.commit(items, [move])
        reading.messages += len(page)
        reading.failures = 0
        self._client.metrics.add_pictures(kept)
        log.debug(fields("page", channel=place.id, messages=len(page), pictures=kept))

    async def _look_through_threads(self, reading: Reading, place: WithThreads) -> None:
        """Find archived threads: all of them at first, later those that moved since."""
        coverage, backlog = reading.coverage, self._backlog
        wanted = backlog.has_moved if coverage.complete else None
        threads = await archived_threads(place, wanted)
        found = [backlog.take_up(thread.guild.id, thread.id, thread) for thread in threads]
        fresh = [one for one in found if not one.coverage.started]
        moves = [_at_its_end(one.coverage, one.place) for one in fresh]
        newest = place.id if not coverage.started else 0  # a forum
        moves.append(Move(coverage, newest=newest, complete=True))
        await self._client.ledger.commit((), moves)
        for one in fresh:  # archived: nothing can have come after its last message
            one.coverage.catch_up(one.coverage.gaps)
        reading.threads_due = False
        # The listing begins with those archived last. Read in reverse, what a crash leaves
        # unread stays at the top, where the next look finds it.
        for one, thread in reversed(list(zip(found, threads, strict=True))):
            if not one.coverage.dropped:
                backlog.want(thread)  # it may have been closed until now


async def archived_threads(
    place: WithThreads, wanted: Callable[[discord.Thread], bool] | None = None
) -> list[discord.Thread]:
    """Archived threads of a channel that the bot may see: public ones, those archived last first,
    and then private ones.

    wanted   only these; where PAGE public ones in a row are not, none further down is
    raises   discord.Forbidden
    """
    found: list[discord.Thread] = []
    unwanted = 0
    async for thread in place.archived_threads(limit=None):
        if wanted is None or wanted(thread):
            found.append(thread)
            unwanted = 0
        elif (unwanted := unwanted + 1) >= PAGE:
            break  # what lies further down was archived earlier still
    if isinstance(place, discord.TextChannel) and not place.is_news():
        found += [t for t in await _private_archived(place) if wanted is None or wanted(t)]
    return found


async def _private_archived(place: discord.TextChannel) -> list[discord.Thread]:
    """Private archived threads: all with Manage Threads, else those the bot had joined."""
    joined = not place.permissions_for(place.guild.me).manage_threads
    listing = place.archived_threads(limit=None, private=True, joined=joined)
    try:
        return [thread async for thread in listing]
    except (discord.Forbidden, discord.NotFound) as error:
        log.info(fields("private_threads_closed", channel=place.id, why=error))
        return []


def _at_its_end(coverage: Coverage, place: Place | None) -> Move:
    """Where reading an archived thread begins: at its last message."""
    last = (place.last_message_id if isinstance(place, discord.Thread) else None) or coverage.group
    return Move(coverage, newest=last, oldest=last)
