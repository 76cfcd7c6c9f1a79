"""Which page is read next: of missed messages, of Discord's search, or of old messages.

Servers take turns page by page, so that a flood in one holds up no other. Within a server, missed
messages are read before old ones, and channels take turns. Old messages are first looked through by
Discord's search for pictures (`history_search`), a page a turn, and then read one by one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

import discord

from bot.ops.logs import fields
from bot.platform.places import missing_permissions
from bot.sync import history_search
from bot.sync.history_search import HistorySearch
from bot.sync.reading import Reading

log = logging.getLogger(__name__)

# The whole server is searched if this share of its channels is to be.
MOST_CHANNELS = 0.5


class Turns:
    """The order in which readings and searches go on.

    readings   those of one guild, whether they wait or not
    searching  whether Discord's search is asked for the pictures of old messages first
    """

    def __init__(
        self, readings: Callable[[int], Iterable[Reading]], *, searching: bool = True
    ) -> None:
        self._readings = readings
        self._searching = searching
        # By guild, the one whose last turn is longest ago first; readings in order.
        self._waiting: dict[int, dict[Reading, None]] = {}
        self._searches: dict[int, HistorySearch] = {}  # the latest of each guild
        self._arrived = asyncio.Event()

    # ---- what waits

    def schedule(self, reading: Reading) -> None:
        """Let a reading wait for its next page, if it is unfinished and may be read."""
        if reading.unfinished and not (reading.missing or reading.busy or reading.coverage.dropped):
            self._waiting.setdefault(reading.coverage.space, {})[reading] = None
            self._arrived.set()

    def withdraw(self, reading: Reading) -> None:
        """Let a reading wait no more."""
        self._waiting.get(reading.coverage.space, {}).pop(reading, None)

    def drop_guild(self, guild_id: int) -> None:
        """Drop a guild, and end its search."""
        self._waiting.pop(guild_id, None)
        if (search := self._searches.pop(guild_id, None)) is not None:
            search.end()

    # ---- who is next

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
                if any(one.busy and one.coverage.behind for one in self._readings(guild_id)):
                    return None  # it may be due for the same search
                return self._begin_search(guild_id, due)
        elif not search.resting:
            return None if search.busy else search
        return next(iter(waiting))

    # ---- the search

    def search(self, guild_id: int) -> HistorySearch | None:
        """The latest search in a guild, which may be over."""
        return self._searches.get(guild_id)

    def go_on(self, search: HistorySearch) -> None:
        """Let a search have its next turn, or history what comes after it."""
        search.busy = False
        self._arrived.set()

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
