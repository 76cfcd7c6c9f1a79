"""History: what was posted before the bot came, and while it was away.

Newest first, since recent pictures are what people look for first, and a channel becomes
useful with its first page. Missed messages come before old ones, oldest first, so that the
cursor can follow them. The unit of work is a page of 100 messages: its pictures and the
cursor that covers it are one transaction, and channels take turns page by page.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

import discord
from discord.abc import GuildChannel
from discord.utils import snowflake_time, time_snowflake

from bot.coverage import Coverage, Move
from bot.download import DownloadError
from bot.ingest import Trouble
from bot.logs import fields
from bot.recent import Recent
from bot.replies import MISSING_ACCESS, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE
from bot.watched import group_of
from index import Cursor, GalleryClosed, Group

if TYPE_CHECKING:
    from bot.client import Magpie

log = logging.getLogger(__name__)

UNKNOWN_GUILD = 10004  # Discord's error code

PAGE = 100  # messages; the most Discord gives at once
# Discord allows about one page a second and channel, and 50 requests a second overall.
CHANNELS_AT_ONCE = 3
# Links posted right before the bot stopped unfold after it: this much is read again.
OVERLAP = timedelta(minutes=15)
# A page that fails in a way nobody expected, or of which files can't be had now, is tried so often,
# each time after twice the wait, for minutes in all; then what fails is left out.
PAGE_ATTEMPTS = 5
QUIET_S = 86_400.0  # a thread without a message for that long is taken to have settled
RETRY_S = 30.0  # after Discord failed to give a page
FLUSH_S = 300.0  # cursors that only ordinary talk has moved are written this often
STRANGERS = 1_000
SOON_S = 2.0  # a rate measured for less than this says nothing

Place: TypeAlias = GuildChannel | discord.Thread
WithMessages: TypeAlias = (
    discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
)
WithThreads: TypeAlias = discord.TextChannel | discord.ForumChannel


class State(Enum):
    WAITING = "waiting"
    READING = "reading"
    DONE = "done"
    UNREADABLE = "unreadable"


@dataclass(eq=False)
class Reading:
    """A channel or thread whose history is being read, or has been."""

    coverage: Coverage
    place: Place | None  # None: only its id is known, from a cursor
    missing: tuple[str, ...] = ()  # permissions the bot lacks there
    position: int | None = None  # where catching up stands, when not at the cursor
    threads_due: bool = False  # its archived threads are to be looked through
    at_beginning: bool = False  # its own messages are read; archived threads may not be
    busy: bool = False
    failures: int = 0  # of the page that is next, in a row
    messages: int = 0  # read since the start

    @property
    def unfinished(self) -> bool:
        coverage = self.coverage
        return coverage.behind or not coverage.complete or self.threads_due

    @property
    def state(self) -> State:
        if self.missing:
            return State.UNREADABLE
        if self.busy:
            return State.READING
        return State.WAITING if self.unfinished else State.DONE

    @property
    def fraction(self) -> float:
        """How much of its history is read, by time; 0 to 1."""
        coverage = self.coverage
        if coverage.complete:
            return 1.0
        span = _seconds(coverage.newest) - _seconds(coverage.group)
        read = _seconds(coverage.newest) - _seconds(coverage.oldest)
        return min(max(read / span, 0.0), 0.99) if coverage.started and span > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a guild's history is read."""

    done: int  # messages read since the start
    total_estimate: int | None  # messages there will have been, if that can be told yet
    channels_left: int  # channels and threads
    channels: int
    fraction: float  # 0 to 1
    seconds_left: float | None

    @property
    def percent(self) -> int:
        return min(int(self.fraction * 100), 99)


class History:
    """Reads what was not heard live, channel by channel, page by page."""

    def __init__(self, client: Magpie) -> None:
        self._client = client
        self._readings: dict[int, Reading] = {}  # by channel or thread
        self._cursors: dict[int, dict[int, Cursor]] = {}  # by guild and group, as last loaded
        self._waiting: dict[Reading, None] = {}  # in order
        self._arrived = asyncio.Event()
        self._not_ours: Recent[None] = Recent(STRANGERS)  # unknown channels that are not watched
        self._present: set[int] = set()  # guilds announced since their shard connected
        self._listing: set[int] = set()  # guilds whose channels are being looked through
        self._began: dict[int, tuple[float, float]] = {}  # guild → when, at which fraction
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- coming and going

    def start(self) -> None:
        for number in range(CHANNELS_AT_ONCE):
            self._spawn(self._work(), f"history-{number}")
        self._spawn(self._flush_now_and_then(), "history-flush")

    async def close(self) -> None:
        """Stop at once: a page that is not committed yet will be read again."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def flush(self) -> None:
        """Write the cursors that ordinary talk has moved."""
        moved = [r.coverage for r in self._readings.values() if r.coverage.unsaved() is not None]
        await self._client.ledger.commit((), [Move(coverage) for coverage in moved])

    async def _flush_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- what is asked about it

    def coverage(self, place: Place) -> Coverage:
        """How far a watched channel or thread is read; one not known yet gets read."""
        reading = self._readings.get(place.id)
        return (reading or self._want(place)).coverage

    def reading(self, place_id: int) -> Reading | None:
        return self._readings.get(place_id)

    @property
    def busy(self) -> bool:
        """Whether anything is to be read, or still to be found out."""
        return bool(self._listing) or bool(self.unfinished())

    def unfinished(self, guild_id: int | None = None) -> list[Reading]:
        """What is still to be read, of one guild or of all."""
        return [r for r in self._of(guild_id) if r.unfinished and not r.missing]

    def progress(self, guild_id: int) -> Progress | None:
        """How far the history of a guild is read; None when all of it is."""
        readings = [r for r in self._of(guild_id) if not r.missing]
        left = sum(reading.unfinished for reading in readings)
        if not left:
            return None
        fraction = _mean(reading.fraction for reading in readings)
        done = sum(reading.messages for reading in readings)
        began, at = self._began.get(guild_id, (time.monotonic(), fraction))
        elapsed, gained = time.monotonic() - began, fraction - at
        known = gained > 0 and elapsed > SOON_S
        return Progress(
            done=done,
            total_estimate=round(done * (1 - at) / gained) if known else None,
            channels_left=left,
            channels=len(readings),
            fraction=fraction,
            seconds_left=elapsed * (1 - fraction) / gained if known else None,
        )

    def _of(self, guild_id: int | None) -> list[Reading]:
        readings = self._readings.values()
        return [r for r in readings if guild_id is None or r.coverage.space == guild_id]

    # ---- what Discord tells

    def on_connect(self, shard_id: int) -> None:
        """A new session began: whatever came between it and the one before was missed."""
        for reading in self._readings.values():
            if self._shard(reading.coverage.space) == shard_id:
                reading.coverage.fall_behind()
        self._present = {guild for guild in self._present if self._shard(guild) != shard_id}

    def on_available(self, guild: discord.Guild) -> None:
        """A guild's channels are known (again): catch up with them."""
        self._present.add(guild.id)
        self._listing.add(guild.id)
        self._spawn(self._catch_up_guild(guild), f"catch-up-{guild.id}")

    async def on_ready(self, shard_id: int) -> None:
        """Guilds that the new session did not announce may have been left while offline."""
        for space in await self._client.gallery.spaces():
            if self._shard(space) != shard_id or space in self._present:
                continue
            guild = self._client.get_guild(space)
            if guild is None or not guild.unavailable:  # an outage is not a removal
                await self._forget_if_left(space)

    def on_thread(self, thread: discord.Thread) -> None:
        if self._client.watched.covers(thread):
            self._want(thread)

    def on_stranger(self, guild: discord.Guild, channel_id: int) -> None:
        """A message came from a thread that Discord had not told about."""
        if not self._client.watched.marks(guild.id) or channel_id in self._not_ours:
            return
        reading = self._reading(guild.id, channel_id)
        reading.coverage.fall_behind()
        self._queue(reading)

    async def on_channel_changed(self, channel: GuildChannel) -> None:
        """A channel was made, moved, or its permissions were changed."""
        if self._client.watched.covers(channel):
            self.begin([channel])
        elif channel.id in self._readings:  # moved out of a watched category
            await self.forget_group(channel.guild.id, channel.id)

    async def on_thread_gone(self, guild_id: int, thread_id: int) -> None:
        if self._client.watched.marks(guild_id):
            await self.forget_group(guild_id, thread_id)

    async def on_channel_gone(self, channel: GuildChannel) -> None:
        guild, marks = channel.guild, self._client.watched.marks(channel.guild.id)
        self._client.watched.drop(guild.id, channel.id)
        if isinstance(channel, discord.CategoryChannel):  # its channels remain, by themselves
            for reading in self._of(guild.id):
                place = reading.place
                if isinstance(place, GuildChannel) and not self._client.watched.covers(place):
                    await self.forget_group(guild.id, place.id)
        elif marks:
            await self.forget_group(guild.id, channel.id)
        if channel.id in marks:
            await self._client.ledger.unwatch(guild.id, channel.id)

    def reconsider(self, guild: discord.Guild) -> None:
        """The bot's roles or their permissions changed: look again what it may read."""
        for reading in self._of(guild.id):
            if reading.place is not None:
                self._check(reading, reading.place)

    # ---- forgetting

    async def forget_group(self, guild_id: int, group: int, *, patient: bool = True) -> int:
        """Erase a channel with its threads, or a thread; returns how many pictures went."""
        groups = await self._client.gallery.groups(guild_id)
        with_pictures = {one.id for one in groups if one.parent == group}
        threads = [
            reading.coverage.group
            for reading in self._of(guild_id)
            if getattr(reading.place, "parent_id", None) == group
        ]
        for reading in (self._readings.get(one) for one in {group, *threads, *with_pictures}):
            if reading is not None:
                self._let_go(reading)
        ledger = self._client.ledger
        removed = await ledger.forget_group(guild_id, group, threads, patient=patient)
        # of archived threads that had pictures only the gallery knew that they belonged here
        self._cursors[guild_id] = await self._client.gallery.cursors(guild_id)
        if removed:
            log.info(fields("group_erased", guild=guild_id, group=group, pictures=removed))
            self._client.metrics.removed.inc(removed)
        return removed

    async def forget_closed(self, guild: discord.Guild, group: Group) -> int:
        """Erase a channel or thread that the bot can't read back; returns how many pictures went.

        It stays watched: once it is open again, it is read from its beginning.

        raises   StoreError when the file can't be written now
        """
        parent = self._readings.get(group.parent or 0)
        if parent is not None and parent.missing:  # then it looks for all of its archived threads
            parent.coverage.complete = False
            await self._client.ledger.commit((), [Move(parent.coverage)])
        try:
            return await self.forget_group(guild.id, group.id, patient=False)
        finally:  # it may have been opened meanwhile
            place = guild.get_channel_or_thread(group.id)
            for one in (place, *getattr(place, "threads", ())):
                if isinstance(one, Place) and self._client.watched.covers(one):
                    self._want(one)

    async def let_go_of_guild(self, guild_id: int) -> list[Reading]:
        """Read nothing of a guild any more; returns what was being read."""
        readings = self._of(guild_id)
        for reading in readings:
            self._let_go(reading)
        await self._client.reindexing.drop(guild_id)
        return readings

    async def forget_guild(self, guild_id: int) -> None:
        """Erase everything of a guild that was left."""
        readings = await self.let_go_of_guild(guild_id)
        self._client.watched.drop_guild(guild_id)
        self._cursors.pop(guild_id, None)
        channels = {getattr(r.place, "parent_id", None) or r.coverage.group for r in readings}
        removed = await self._client.ledger.forget_space(guild_id, channels)
        log.info(fields("guild_erased", guild=guild_id, pictures=removed))

    def _let_go(self, reading: Reading) -> None:
        coverage = reading.coverage
        coverage.dropped = True
        self._readings.pop(coverage.group, None)
        self._cursors.get(coverage.space, {}).pop(coverage.group, None)
        self._waiting.pop(reading, None)

    async def _forget_if_left(self, guild_id: int) -> None:
        try:
            await self._client.fetch_guild(guild_id, with_counts=False)
        except Trouble as error:
            code = getattr(error, "code", None)
            log.warning(fields("guild_not_announced", guild=guild_id, code=code, why=error))
            if code in (UNKNOWN_GUILD, MISSING_ACCESS):
                await self.let_go_of_guild(guild_id)
                await self._client.upkeep.leave(guild_id)

    # ---- what to read

    def begin(self, channels: Iterable[GuildChannel]) -> None:
        """Read these channels, which are watched from now on, with their threads."""
        self._not_ours.clear()
        for channel in channels:
            if isinstance(channel, discord.CategoryChannel):
                continue
            self._want(channel)
            for thread in getattr(channel, "threads", ()):
                self._want(thread)
            self._began[channel.guild.id] = (time.monotonic(), self._fraction(channel.guild.id))

    def read_again(self, place: Place) -> None:
        """Its messages can't be taken right now: read them from history in their turn."""
        reading = self._readings.get(place.id) or self._want(place)
        reading.coverage.fall_behind()  # also while it is being read: the page may be older
        self._queue(reading)

    def read_from(self, guild_id: int, group: int, message: int) -> None:
        """A live message's pictures could not be taken: read it again from history."""
        reading, before = self._reading(guild_id, group), message - 1
        reading.position = min(reading.position or before, before)
        reading.coverage.fall_behind()
        self._queue(reading)

    async def _catch_up_guild(self, guild: discord.Guild) -> None:
        try:
            await self._list(guild)
        finally:
            self._listing.discard(guild.id)

    async def _list(self, guild: discord.Guild) -> None:
        """Look what was missed in every watched channel and thread of a guild."""
        self._cursors[guild.id] = await self._client.gallery.cursors(guild.id)
        await self._sweep(guild)
        if not self._client.watched.marks(guild.id):
            return
        self._retire_archived(guild)
        for channel in self._client.watched.channels(guild):
            reading = self._want(channel, missed=True)
            reading.threads_due = isinstance(channel, WithThreads)
            self._queue(reading)
        for thread in guild.threads:
            if self._client.watched.covers(thread):
                if self._rests(thread):
                    coverage = self._reading(guild.id, thread.id, thread).coverage
                    coverage.catch_up(coverage.gaps)
                else:
                    self._want(thread, missed=True)
        for group, cursor in self._cursors[guild.id].items():  # archived threads being read
            if group not in self._readings and not cursor.complete:
                self._queue(self._reading(guild.id, group))
        self._began[guild.id] = (time.monotonic(), self._fraction(guild.id))

    def _retire_archived(self, guild: discord.Guild) -> None:
        """Archived threads need no reading of their own: a look through them finds what moved.

        Those that are still being read, or have pictures on their way, go on by themselves.
        """
        active = {thread.id for thread in guild.threads}
        for reading in self._of(guild.id):
            if not isinstance(reading.place, discord.Thread) or reading.place.id in active:
                continue
            cursor = reading.coverage.cursor()
            if cursor and cursor.complete and reading.coverage.idle and not reading.busy:
                self._let_go(reading)
                self._cursors[guild.id][cursor.group] = cursor
            else:
                self._want(reading.place, missed=True)

    async def _sweep(self, guild: discord.Guild) -> None:
        """Erase what is no longer watched: channels moved, deleted or removed while offline."""
        groups = await self._client.gallery.groups(guild.id)
        for top in {group.parent or group.id for group in groups}:
            channel = guild.get_channel(top)
            if channel is not None:
                gone = not self._client.watched.covers(channel)
            else:
                gone = await self._is_deleted(top)
            if gone:
                await self.forget_group(guild.id, top)
        channels = {channel.id for channel in guild.channels}
        for mark in self._client.watched.marks(guild.id) - channels:
            if await self._is_deleted(mark):
                await self._client.watched.discard(guild.id, mark)

    async def _is_deleted(self, channel_id: int) -> bool:
        try:
            await self._client.fetch_channel(channel_id)
        except Trouble as error:
            return is_deleted(error)  # not when it is merely closed, or Discord has trouble
        return False

    def _reading(self, guild_id: int, group: int, place: Place | None = None) -> Reading:
        """The reading of a channel or thread; one that is new, or has rested, is of `place`."""
        reading = self._readings.get(group)
        if reading is None:
            coverage = Coverage(guild_id, group, self._cursor(guild_id, group))
            reading = self._readings[group] = Reading(coverage, place)
        return reading

    def _want(self, place: Place, *, missed: bool = False) -> Reading:
        """Have a channel or thread read as far as it isn't; `missed`: it may have gaps."""
        reading = self._reading(place.guild.id, place.id, place)
        if missed:
            reading.coverage.fall_behind()
        reading.place = place
        if missed and reading.coverage.started:
            reading.position = _before(reading.coverage.newest, reading.coverage.oldest)
        self._check(reading, place)
        return reading

    def _check(self, reading: Reading, place: Place) -> None:
        """See whether the bot may read a place; what it newly may, it has missed so far."""
        before, reading.missing = reading.missing, missing_permissions(place)
        if before and not reading.missing:
            reading.coverage.fall_behind()
            reading.threads_due = isinstance(place, WithThreads)
        if reading.missing and not before:
            missing = ",".join(reading.missing)
            log.warning(fields("unreadable", channel=place.id, name=place.name, missing=missing))
        self._queue(reading)

    def _queue(self, reading: Reading) -> None:
        if reading.unfinished and not (reading.missing or reading.busy or reading.coverage.dropped):
            self._waiting[reading] = None
            self._arrived.set()

    def _cursor(self, guild_id: int, group: int) -> Cursor | None:
        return self._cursors.get(guild_id, {}).get(group)

    def _shard(self, guild_id: int) -> int:
        return (guild_id >> 22) % (self._client.shard_count or 1)

    def _fraction(self, guild_id: int) -> float:
        return _mean(r.fraction for r in self._of(guild_id) if not r.missing)

    # ---- reading

    async def _work(self) -> None:
        while True:
            reading = await self._next()
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
                await self.forget_group(reading.coverage.space, reading.coverage.group)
            finally:
                reading.busy = False
            self._queue(reading)

    async def _next(self) -> Reading:
        """The next to read a page of: those that missed something first, else in turn."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        behind = (reading for reading in self._waiting if reading.coverage.behind)
        reading = next(behind, None) or next(iter(self._waiting))
        del self._waiting[reading]
        reading.busy = True
        return reading

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
        asyncio.get_running_loop().call_later(retry_s, self._queue, reading)

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
            self._not_ours.put(coverage.group, None)
            await self.forget_group(coverage.space, coverage.group)
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
        space, group = reading.coverage.space, group_of(place)
        known = await self._client.gallery.known(space, group.id)
        there = {message.id for message in page}
        gone = [int(m) for m in known if after < int(m) <= upto and int(m) not in there]
        if gone:
            await self._client.ledger.forget_messages(space, gone)
        await self._client.ingest.drop_unshown(space, page, known)

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
        coverage = reading.coverage
        threads = await self._archived(place, everything=not coverage.complete)
        found = [self._reading(thread.guild.id, thread.id, thread) for thread in threads]
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
                self._want(thread)  # it may have been closed until now

    async def archived(self, place: WithThreads) -> list[discord.Thread]:
        """All archived threads of a channel that the bot may see."""
        return await self._archived(place, everything=True)

    async def _archived(self, place: WithThreads, everything: bool) -> list[discord.Thread]:
        """Archived threads, those archived last first; all of them, or those that moved."""
        found: list[discord.Thread] = []
        unmoved = 0
        async for thread in place.archived_threads(limit=None):
            if everything or self._has_moved(thread):
                found.append(thread)
                unmoved = 0
            elif (unmoved := unmoved + 1) >= PAGE:
                break  # what lies further down was archived earlier still
        if isinstance(place, discord.TextChannel) and not place.is_news():
            found += [t for t in await _private_archived(place) if everything or self._has_moved(t)]
        return found

    def _has_moved(self, thread: discord.Thread) -> bool:
        """Whether a thread has messages that were not read."""
        reading = self._readings.get(thread.id)
        cursor = reading.coverage.cursor() if reading else self._cursor(thread.guild.id, thread.id)
        if cursor is None or not cursor.complete:
            return True
        return thread.last_message_id is None or thread.last_message_id > cursor.newest

    def _rests(self, thread: discord.Thread) -> bool:
        """Whether an open thread is read to its end and quiet: one request less for each."""
        last = thread.last_message_id
        quiet = last is not None and _seconds(last) < time.time() - QUIET_S
        return quiet and not self._has_moved(thread)


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


async def read_page(
    client: Magpie,
    place: WithMessages,
    *,
    before: discord.Object | None = None,
    after: discord.Object | None = None,
    oldest_first: bool = False,
) -> list[discord.Message]:
    """At most PAGE messages of a channel or thread.

    Where the bot may not read the history, Discord gives no messages and no error, and that it no
    longer may is told later. Taken for an empty channel, its pictures would be erased. A single
    message is refused, so one is asked for before nothing is believed.

    raises   discord.Forbidden
    """
    words = client.ledger.words
    listing = place.history(limit=PAGE, before=before, after=after, oldest_first=oldest_first)
    page = [message async for message in listing]
    client.ingest.saw(page, words)
    if not page and place.last_message_id is not None:
        try:
            await place.fetch_message(place.last_message_id)
        except discord.NotFound as error:
            if error.code != UNKNOWN_MESSAGE:
                raise
    return page


def is_deleted(error: BaseException) -> bool:
    """Whether Discord said that the channel no longer exists; another 404 may be a mishap."""
    return isinstance(error, discord.NotFound) and error.code == UNKNOWN_CHANNEL


def missing_permissions(place: Place) -> tuple[str, ...]:
    """What the bot lacks to read a channel or thread, by discord.py's names."""
    needed = ["view_channel", "read_message_history"]
    if isinstance(place, discord.VoiceChannel | discord.StageChannel):
        needed.append("connect")
    try:
        granted = place.permissions_for(place.guild.me)
    except discord.ClientException:  # a thread whose parent is not known
        return ("view_channel",)
    return tuple(name for name in needed if not getattr(granted, name))


def _seconds(snowflake: int) -> float:
    return snowflake_time(snowflake).timestamp()


def _before(newest: int, oldest: int) -> int:
    """The snowflake a little before `newest`, but within what is covered."""
    return max(oldest, time_snowflake(snowflake_time(newest) - OVERLAP))


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 1.0
