"""What is still to be read: each watched channel and thread, how far it is read, which is next.

All of it is in memory. It is derived from the cursors in the gallery, from the watched channels,
and from what Discord announces about channels and threads. Nothing here sends requests to Discord.
Servers take turns page by page, so that a flood in one holds up no other. Within a server, missed
messages are read before old ones, and channels take turns. Old messages are first looked through by
Discord's search for pictures (`history_search`), a page a turn, and then read one by one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

import discord
from cachetools import LRUCache
from discord.abc import GuildChannel
from discord.utils import snowflake_time, time_snowflake

from bot.ops.logs import fields
from bot.platform.places import Place, WithMessages, WithThreads, missing_permissions
from bot.sync import history_search
from bot.sync.coverage import Coverage
from bot.sync.history_search import HistorySearch
from bot.sync.watched import Watched
from index import Cursor

log = logging.getLogger(__name__)

# A link that was posted just before the bot stopped may have got its preview afterwards. So the
# last minutes before the cursor are read again.
OVERLAP = timedelta(minutes=15)
QUIET_S = 86_400.0  # a thread without a message for this long counts as quiet
IGNORED = 1_000  # channels
MIN_MEASURED_S = 2.0  # a rate measured over a shorter time is too uncertain to be shown
# The whole server is searched if this share of its channels is to be.
MOST_CHANNELS = 0.5
# A thread with as many messages at most is one page of history; a search would take longer.
SHORT_THREAD = 100


class ReadingState(Enum):
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
    position: int | None = None  # where catching up continues, if not at the cursor
    threads_due: bool = False  # its archived threads must be looked through
    at_beginning: bool = False  # its own messages are read; archived threads may not be
    busy: bool = False
    failures: int = 0  # consecutive ones, of the next page
    messages: int = 0  # read since the start
    searched: bool = False  # a search for its old pictures was begun

    @property
    def top(self) -> int:
        """Its channel: of a thread, the one that it is in."""
        place = self.place
        parent = place.parent_id if isinstance(place, discord.Thread) else None
        return parent or self.coverage.group

    @property
    def to_search(self) -> bool:
        """Whether its old messages are worth a search for pictures."""
        coverage, place = self.coverage, self.place
        if self.searched or self.missing or coverage.complete or self.at_beginning:
            return False
        if not coverage.started or coverage.behind or coverage.oldest == 0:
            return False
        short = isinstance(place, discord.Thread) and place.message_count <= SHORT_THREAD
        return isinstance(place, WithMessages) and not short

    @property
    def unfinished(self) -> bool:
        coverage = self.coverage
        return coverage.behind or not coverage.complete or self.threads_due

    @property
    def state(self) -> ReadingState:
        if self.missing:
            return ReadingState.UNREADABLE
        if self.busy:
            return ReadingState.READING
        return ReadingState.WAITING if self.unfinished else ReadingState.DONE

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
    total_estimate: int | None  # messages in the whole history; None while it can't be estimated
    channels_left: int  # channels and threads
    channels: int
    fraction: float  # 0 to 1
    seconds_left: float | None
    searching: bool = False  # Discord's search is looking for the pictures of old messages
    found: int = 0  # pictures that it brought

    @property
    def percent(self) -> int:
        return min(int(self.fraction * 100), 99)


class Backlog:
    """The readings of all guilds, and the order in which they get their turns.

    searching   whether Discord's search is asked for the pictures of old messages first
    """

    def __init__(self, watched: Watched, *, searching: bool = True) -> None:
        self._watched = watched
        self._searching = searching
        self._readings: dict[int, Reading] = {}  # by channel or thread
        self._cursors: dict[int, dict[int, Cursor]] = {}  # by guild and group, as last loaded
        # By guild, the one whose last turn is longest ago first; readings in order.
        self._waiting: dict[int, dict[Reading, None]] = {}
        self._searches: dict[int, HistorySearch] = {}  # the latest of each guild
        self._arrived = asyncio.Event()
        # Channels that Discord had not announced and that turned out not to be watched.
        self._ignored: LRUCache[int, None] = LRUCache(IGNORED)
        # guild → when, and at which fraction each group was
        self._began: dict[int, tuple[float, dict[int, float]]] = {}
        self.listing: set[int] = set()  # guilds whose channels are being looked through

    # ---- how far everything is read

    def coverage(self, place: Place) -> Coverage:
        """The coverage of a watched channel or thread; one that is new here is enqueued."""
        reading = self._readings.get(place.id)
        return (reading or self.enqueue(place)).coverage

    def reading(self, place_id: int) -> Reading | None:
        return self._readings.get(place_id)

    def readings(self, guild_id: int | None = None) -> list[Reading]:
        """Those of one guild, or of all."""
        readings = self._readings.values()
        return [r for r in readings if guild_id is None or r.coverage.space == guild_id]

    def unfinished(self, guild_id: int | None = None) -> list[Reading]:
        """What is still to be read, of one guild or of all."""
        return [r for r in self.readings(guild_id) if r.unfinished and not r.missing]

    @property
    def busy(self) -> bool:
        """Whether anything must be read, or a guild is still being looked through."""
        return bool(self.listing) or bool(self.unfinished())

    def places(self, guild_id: int) -> list[Place]:
        """The channels and threads of a guild that are being read, or have been."""
        return [reading.place for reading in self.readings(guild_id) if reading.place is not None]

    def progress(self, guild_id: int, groups: Container[int]) -> Progress | None:
        """How far the history of these groups of a guild is read; None when all of it is."""
        readings = [
            r for r in self.readings(guild_id) if not r.missing and r.coverage.group in groups
        ]
        left = sum(reading.unfinished for reading in readings)
        if not left:
            return None
        fraction = _mean(reading.fraction for reading in readings)
        done = sum(reading.messages for reading in readings)
        began, then = self._began.get(guild_id, (time.monotonic(), {}))
        at = _mean(then.get(reading.coverage.group, 0.0) for reading in readings)
        elapsed, gained = time.monotonic() - began, fraction - at
        search = self._searches.get(guild_id)
        known = gained > 0 and elapsed > MIN_MEASURED_S
        return Progress(
            done=done,
            total_estimate=round(done * (1 - at) / gained) if known else None,
            channels_left=left,
            channels=len(readings),
            fraction=fraction,
            seconds_left=elapsed * (1 - fraction) / gained if known else None,
            searching=search is not None and search.is_for_any_of(groups),
            found=search.found_in(groups) if search is not None else 0,
        )

    def _begin_measuring(self, guild_id: int) -> None:
        fractions = {
            reading.coverage.group: reading.fraction for reading in self.readings(guild_id)
        }
        self._began[guild_id] = (time.monotonic(), fractions)

    # ---- what is to be read

    def begin(self, channels: Iterable[GuildChannel]) -> None:
        """Read these channels, which are watched from now on, with their threads."""
        self._ignored.clear()
        for channel in channels:
            if isinstance(channel, discord.CategoryChannel):
                continue
            self.enqueue(channel)
            for thread in getattr(channel, "threads", ()):
                self.enqueue(thread)
            self._begin_measuring(channel.guild.id)

    def catch_up_with(self, guild: discord.Guild) -> None:
        """Enqueue every watched channel and thread of a guild that may have missed messages."""
        self._retire_archived(guild)
        for channel in self._watched.channels(guild):
            reading = self.enqueue(channel, missed=True)
            reading.threads_due = isinstance(channel, WithThreads)
            self.schedule(reading)
        for thread in guild.threads:
            if self._watched.covers(thread):
                if self._is_quiet(thread):
                    coverage = self.get_or_create(guild.id, thread.id, thread).coverage
                    coverage.catch_up(coverage.gaps)
                else:
                    self.enqueue(thread, missed=True)
        for group, cursor in self._cursors[guild.id].items():  # archived threads, half read
            if group not in self._readings and not cursor.complete:
                self.schedule(self.get_or_create(guild.id, group))
        self._begin_measuring(guild.id)

    def _retire_archived(self, guild: discord.Guild) -> None:
        """Drop the readings of archived threads: listing them shows which have new messages.

        Threads that are still being read, or have pictures on their way, keep their reading.
        """
        active = {thread.id for thread in guild.threads}
        for reading in self.readings(guild.id):
            if not isinstance(reading.place, discord.Thread) or reading.place.id in active:
                continue
            cursor = reading.coverage.cursor()
            if cursor and cursor.complete and reading.coverage.idle and not reading.busy:
                self.release(reading)
                self._cursors[guild.id][cursor.group] = cursor
            else:
                self.enqueue(reading.place, missed=True)

    def _is_quiet(self, thread: discord.Thread) -> bool:
        """Whether an open thread is read to its end and quiet, so that no request is needed."""
        last = thread.last_message_id
        quiet = last is not None and _seconds(last) < time.time() - QUIET_S
        return quiet and not self.has_moved(thread)

    def is_new(self, guild_id: int, group: int, message: int) -> bool:
        """Whether catching up would read a message: it is behind the cursor, or a little before
        it. In a channel or thread of which nothing is read, every message is history."""
        reading, cursor = self._readings.get(group), self._reached(guild_id, group)
        if cursor is None:
            return False
        start = _before(cursor.newest, cursor.oldest)
        if reading and reading.coverage.behind and reading.position is not None:
            start = min(start, reading.position)
        return message > start

    def _reached(self, guild_id: int, group: int) -> Cursor | None:
        """How far a channel or thread is read; None: nothing of it is."""
        reading = self._readings.get(group)
        return reading.coverage.cursor() if reading else self._cursor(guild_id, group)

    def has_moved(self, thread: discord.Thread) -> bool:
        """Whether a thread may have messages that were not read."""
        cursor = self._reached(thread.guild.id, thread.id)
        if cursor is None or not cursor.complete:
            return True
        return thread.last_message_id is None or thread.last_message_id > cursor.newest

    def on_thread(self, thread: discord.Thread) -> None:
        if self._watched.covers(thread):
            self.enqueue(thread)

    def on_unknown_channel(self, guild: discord.Guild, channel_id: int) -> None:
        """Enqueue a thread that Discord had not announced, but that a message came from."""
        if not self._watched.marks(guild.id) or channel_id in self._ignored:
            return
        reading = self.get_or_create(guild.id, channel_id)
        reading.coverage.fall_behind()
        self.schedule(reading)

    def check_permissions(self, guild: discord.Guild) -> None:
        """Check again what the bot may read, since its roles or their permissions changed."""
        for reading in self.readings(guild.id):
            if reading.place is not None:
                self._check(reading, reading.place)

    def enqueue_missed(self, place: Place) -> None:
        """Read the newest messages of a channel from history, since the live queue is full."""
        reading = self._readings.get(place.id) or self.enqueue(place)
        # Needed even while a page is being read: Discord may have built it before the message was
        # posted.
        reading.coverage.fall_behind()
        self.schedule(reading)

    def read_from(self, guild_id: int, group: int, message: int) -> None:
        """Read a live message again from history, since its pictures could not be taken."""
        reading, before = self.get_or_create(guild_id, group), message - 1
        reading.position = min(reading.position or before, before)
        reading.coverage.fall_behind()
        self.schedule(reading)

    # ---- one channel or thread

    def get_or_create(self, guild_id: int, group: int, place: Place | None = None) -> Reading:
        """The reading of a channel or thread; `place` is used where it isn't known yet."""
        reading = self._readings.get(group)
        if reading is None:
            coverage = Coverage(guild_id, group, self._cursor(guild_id, group))
            reading = self._readings[group] = Reading(coverage, place)
        return reading

    def enqueue(self, place: Place, *, missed: bool = False) -> Reading:
        """Have the unread messages of a channel or thread read.

        missed   messages may have been missed since it was read last
        """
        reading = self.get_or_create(place.guild.id, place.id, place)
        if missed:
            reading.coverage.fall_behind()
        reading.place = place
        if missed and reading.coverage.started:
            reading.position = _before(reading.coverage.newest, reading.coverage.oldest)
        self._check(reading, place)
        return reading

    def _check(self, reading: Reading, place: Place) -> None:
        """Note whether the bot may read a place. If it may now, messages were missed before."""
        before, reading.missing = reading.missing, missing_permissions(place)
        if before and not reading.missing:
            reading.coverage.fall_behind()
            reading.threads_due = isinstance(place, WithThreads)
        if reading.missing and not before:
            missing = ",".join(reading.missing)
            log.warning(fields("unreadable", channel=place.id, name=place.name, missing=missing))
        self.schedule(reading)

    def release(self, reading: Reading) -> None:
        """Stop reading a channel or thread, and write nothing more of it."""
        coverage = reading.coverage
        coverage.dropped = True
        self._readings.pop(coverage.group, None)
        self._cursors.get(coverage.space, {}).pop(coverage.group, None)
        self._waiting.get(coverage.space, {}).pop(reading, None)

    def ignore(self, channel_id: int) -> None:
        """Remember that a channel is not watched, so that no request is made for it again."""
        self._ignored[channel_id] = None

    # ---- turns

    def schedule(self, reading: Reading) -> None:
        """Let a reading wait for its next page, if it is unfinished and may be read."""
        if reading.unfinished and not (reading.missing or reading.busy or reading.coverage.dropped):
            self._waiting.setdefault(reading.coverage.space, {})[reading] = None
            self._arrived.set()

    async def next_turn(self) -> Reading | HistorySearch:
        """The reading whose next page is to be read, or the search that is to go on; it is busy
        from now on.

        It is of the guild whose last turn is longest ago. There, what missed messages comes first,
        and old messages wait for a page of the search that was asked for.
        """
        while (turn := self._turn()) is None:
            self._arrived.clear()
            await self._arrived.wait()
        turn.busy = True
        return turn

    def _turn(self) -> Reading | HistorySearch | None:
        for guild_id, waiting in self._waiting.items():
            turn = self._turn_of(guild_id) if waiting else None
            if turn is not None:
                self._waiting[guild_id] = self._waiting.pop(guild_id)  # after all other guilds
                if isinstance(turn, Reading):
                    del waiting[turn]
                return turn
        return None

    def _turn_of(self, guild_id: int) -> Reading | HistorySearch | None:
        """What comes next in a guild where readings wait; None: nothing until what is being asked
        for has come."""
        waiting = self._waiting[guild_id]
        behind = next((reading for reading in waiting if reading.coverage.behind), None)
        if behind is not None:
            return behind
        search = self._searches.get(guild_id)
        if search is None or search.over:
            if due := self._due_for_search(guild_id, search):
                if any(one.busy and one.coverage.behind for one in self.readings(guild_id)):
                    return None  # it may be due for the same search
                return self._begin_search(guild_id, due)
        elif not search.resting:
            return None if search.busy else search
        return next(iter(waiting))

    # ---- the search

    def go_on(self, search: HistorySearch) -> None:
        """Let a search have its next turn, or history what comes after it."""
        search.busy = False
        self._arrived.set()

    def is_unread(self, guild_id: int, group: int, message: int) -> bool:
        """Whether a message of a watched channel or thread is old, and was not read yet.

        One of a channel whose newest messages were not read yet may be new: watches judge it then.
        """
        reading = self._readings.get(group)
        if reading is None:
            cursor = self._cursor(guild_id, group)
            return cursor is None or (not cursor.complete and message <= cursor.oldest)
        coverage = reading.coverage
        return coverage.started and not coverage.complete and message <= coverage.oldest

    def _due_for_search(self, guild_id: int, last: HistorySearch | None) -> list[Reading]:
        """The waiting readings that are to be searched, where the last search did not do so."""
        if not self._searching or (last is not None and last.refused):
            return []
        done = last.tops if last is not None and last.whole else frozenset()
        return [
            reading
            for reading in self._waiting[guild_id]
            if reading.to_search and reading.top not in done
        ]

    def _begin_search(self, guild_id: int, due: list[Reading]) -> HistorySearch:
        for reading in due:
            reading.searched = True
        tops = {reading.top for reading in due}
        guild = due[0].place.guild if due[0].place is not None else None
        readable = [
            channel
            for channel in (guild.channels if guild is not None else ())
            if not isinstance(channel, discord.CategoryChannel) and not missing_permissions(channel)
        ]
        search = self._searches[guild_id] = history_search.begun(
            guild_id,
            (reading.coverage.group for reading in due),
            tops,
            max(reading.coverage.oldest for reading in due) + 1,
            whole=len(tops) >= MOST_CHANNELS * len(readable),
        )
        log.info(fields("search_begun", guild=guild_id, channels=len(due), whole=search.whole))
        return search

    # ---- the cursors of what is not being read

    def load(self, guild_id: int, cursors: dict[int, Cursor]) -> None:
        """The cursors of a guild, by group, as they are in the gallery now."""
        self._cursors[guild_id] = cursors

    def drop_guild(self, guild_id: int) -> None:
        """Drop a guild whose readings are released; the gallery erases its cursors itself."""
        self._cursors.pop(guild_id, None)
        self._waiting.pop(guild_id, None)
        if (search := self._searches.pop(guild_id, None)) is not None:
            search.end()

    def _cursor(self, guild_id: int, group: int) -> Cursor | None:
        return self._cursors.get(guild_id, {}).get(group)


def _seconds(snowflake: int) -> float:
    return snowflake_time(snowflake).timestamp()


def _before(newest: int, oldest: int) -> int:
    """The snowflake OVERLAP before `newest`, but not before `oldest`."""
    return max(oldest, time_snowflake(snowflake_time(newest) - OVERLAP))


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 1.0
