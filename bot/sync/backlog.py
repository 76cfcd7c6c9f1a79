"""What is still to be read: each watched channel and thread, and how far it is read.

All of it is in memory. It is derived from the cursors in the gallery, from the watched channels,
and from what Discord announces about channels and threads. Nothing here sends requests to Discord.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Container, Iterable
from datetime import timedelta

import discord
from cachetools import LRUCache
from discord.abc import GuildChannel
from discord.utils import snowflake_time, time_snowflake

from bot.ops.logs import fields
from bot.platform.places import Place, WithThreads, missing_permissions
from bot.sync.coverage import Coverage
from bot.sync.progress import Progress, ProgressMeter
from bot.sync.reading import Reading, seconds
from bot.sync.turns import Turns
from bot.sync.watched import Watched
from index import Cursor

log = logging.getLogger(__name__)

# A link that was posted just before the bot stopped may have got its preview afterwards. So the
# last minutes before the cursor are read again.
OVERLAP = timedelta(minutes=15)
QUIET_S = 86_400.0  # a thread without a message for this long counts as quiet
IGNORED = 1_000  # channels


class Backlog:
    """The readings of all guilds.

    searching   whether Discord's search is asked for the pictures of old messages first
    turns       the order in which they are read on
    """

    def __init__(self, watched: Watched, *, searching: bool = True) -> None:
        self._watched = watched
        self._readings: dict[int, Reading] = {}  # by channel or thread
        self._cursors: dict[int, dict[int, Cursor]] = {}  # by guild and group, as last loaded
        self.turns = Turns(self.readings, searching=searching)
        # Channels that Discord had not announced and that turned out not to be watched.
        self._ignored: LRUCache[int, None] = LRUCache(IGNORED)
        self._meter = ProgressMeter()
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
        search = self.turns.search(guild_id)
        return self._meter.progress(guild_id, self.readings(guild_id), groups, search)

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
            self._meter.begin(channel.guild.id, self.readings(channel.guild.id))

    def catch_up_with(self, guild: discord.Guild) -> None:
        """Enqueue every watched channel and thread of a guild that may have missed messages."""
        self._retire_archived(guild)
        for channel in self._watched.channels(guild):
            reading = self.enqueue(channel, missed=True)
            reading.threads_due = isinstance(channel, WithThreads)
            self.turns.schedule(reading)
        for thread in guild.threads:
            if self._watched.covers(thread):
                if self._is_quiet(thread):
                    coverage = self.get_or_create(guild.id, thread.id, thread).coverage
                    coverage.catch_up(coverage.gaps)
                else:
                    self.enqueue(thread, missed=True)
        for group, cursor in self._cursors[guild.id].items():  # archived threads, half read
            if group not in self._readings and not cursor.complete:
                self.turns.schedule(self.get_or_create(guild.id, group))
        self._meter.begin(guild.id, self.readings(guild.id))

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
        quiet = last is not None and seconds(last) < time.time() - QUIET_S
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

    def on_thread(self, thread: discord.Thread) -> None:
        if self._watched.covers(thread):
            self.enqueue(thread)

    def on_unknown_channel(self, guild: discord.Guild, channel_id: int) -> None:
        """Enqueue a thread that Discord had not announced, but that a message came from."""
        if not self._watched.marks(guild.id) or channel_id in self._ignored:
            return
        reading = self.get_or_create(guild.id, channel_id)
        reading.coverage.fall_behind()
        self.turns.schedule(reading)

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
        self.turns.schedule(reading)

    def read_from(self, guild_id: int, group: int, message: int) -> None:
        """Read a live message again from history, since its pictures could not be taken."""
        reading, before = self.get_or_create(guild_id, group), message - 1
        reading.position = min(reading.position or before, before)
        reading.coverage.fall_behind()
        self.turns.schedule(reading)

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
        self.turns.schedule(reading)

    def release(self, reading: Reading) -> None:
        """Stop reading a channel or thread, and write nothing more of it."""
        coverage = reading.coverage
        coverage.dropped = True
        self._readings.pop(coverage.group, None)
        self._cursors.get(coverage.space, {}).pop(coverage.group, None)
        self.turns.withdraw(reading)

    def ignore(self, channel_id: int) -> None:
        """Remember that a channel is not watched, so that no request is made for it again."""
        self._ignored[channel_id] = None

    # ---- the cursors of what is not being read

    def load(self, guild_id: int, cursors: dict[int, Cursor]) -> None:
        """The cursors of a guild, by group, as they are in the gallery now."""
        self._cursors[guild_id] = cursors

    def drop_guild(self, guild_id: int) -> None:
        """Drop a guild whose readings are released; the gallery erases its cursors itself."""
        self._cursors.pop(guild_id, None)
        self.turns.drop_guild(guild_id)

    def _cursor(self, guild_id: int, group: int) -> Cursor | None:
        return self._cursors.get(guild_id, {}).get(group)


def _before(newest: int, oldest: int) -> int:
    """The snowflake OVERLAP before `newest`, but not before `oldest`."""
    return max(oldest, time_snowflake(snowflake_time(newest) - OVERLAP))
