"""The first pass over history: the pictures of old messages, by Discord's search.

A page of the search is a turn, as a page of history is. What it brings is history: watches tell
nobody of it. Pictures that can't be had now, and those that the search leaves out, come with the
second pass, which reads the history itself (`backfill`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict

import discord

from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.ops.tuning import Clocks
from bot.platform import listings
from bot.platform.codes import RequestFailed, is_rejection
from bot.platform.listings import Found, NotReady
from bot.platform.places import WithMessages, group_of
from bot.sync.backlog import Backlog
from bot.sync.history_search import PAGE, Front, HistorySearch
from bot.sync.ingest import Ingest
from bot.sync.watched import Watched
from bot.sync.writer import Item, Writer
from index import GalleryClosed, Group

log = logging.getLogger(__name__)

# How often in a row Discord may be not ready, or fail, before history goes on alone.
ATTEMPTS = 5


class Searching:
    """Asks Discord's search, and writes the pictures that it brings."""

    def __init__(
        self,
        client: discord.Client,
        writer: Writer,
        watched: Watched,
        backlog: Backlog,
        ingest: Ingest,
        metrics: Metrics,
        clocks: Clocks,
    ) -> None:
        self._client = client
        self._writer = writer
        self._watched = watched
        self._backlog = backlog
        self._ingest = ingest
        self._metrics = metrics
        self._clocks = clocks

    async def step(self, search: HistorySearch) -> None:
        """The next page of a search. Whatever fails, the history is read all the same.

        raises   GalleryClosed
        """
        try:
            await self._step(search)
        except GalleryClosed:
            raise
        except RequestFailed as error:
            if is_rejection(error):
                self._end(search, "search_refused", error, refused=True)
            else:
                self._rest(search, self._clocks.page_retry_s, error)
        except Exception as error:
            log.exception(fields("search_failed", guild=search.guild_id))
            self._end(search, "search_given_up", error)
        finally:
            self._backlog.turns.go_on(search)

    async def _step(self, search: HistorySearch) -> None:
        guild = self._client.get_guild(search.guild_id)
        if guild is None or not self._watched.marks(search.guild_id):
            search.end()
            return
        front, as_of = search.front(), self._writer.now
        answer = await listings.search(
            self._client, guild, front.kind, front.channels, front.before, front.skipped, PAGE
        )
        if isinstance(answer, NotReady):
            wait_s = answer.retry_s or self._clocks.search_retry_s
            self._rest(search, wait_s, "Discord has not indexed the server yet")
            return
        await self._keep(search, answer, as_of)
        self._advance(search, front, answer)

    def _advance(self, search: HistorySearch, front: Front, answer: Found) -> None:
        search.advance(front, answer.ids, answer.total)
        if search.over:
            pictures = search.found.total()
            told = {"requests": search.requests, "pictures": pictures}
            log.info(fields("search_done", guild=search.guild_id, **told))

    # ---- what it brought

    async def _keep(self, search: HistorySearch, answer: Found, as_of: int) -> None:
        """Take and commit the pictures of watched channels that history has not read yet."""
        pages: defaultdict[Group, list[discord.Message]] = defaultdict(list)
        for place, message in answer.messages:
            if self._is_wanted(place, message.id):
                pages[group_of(place)].append(message)
        for group in pages:
            self._writer.readmit(group)
        read = self._ingest.read
        taken = await asyncio.gather(
            *(
                read(search.guild_id, group, messages, as_of, patient=False)
                for group, messages in pages.items()
            )
        )
        await self._commit(search, [item for items, _ in taken for item in items])

    def _is_wanted(self, place: WithMessages, message: int) -> bool:
        covered = self._watched.covers(place)
        return covered and self._backlog.is_unread(place.guild.id, place.id, message)

    async def _commit(self, search: HistorySearch, items: list[Item]) -> None:
        """Write the pictures; no cursor moves."""
        if not items:
            return
        written = await self._writer.commit(items)
        brought = Counter(item.link.group.id for item in items)
        search.found += brought
        for group, pictures in brought.items():
            self._metrics.add_pictures(group, pictures)
        log.debug(fields("search_page", guild=search.guild_id, pictures=written))

    # ---- when it brings nothing

    def _rest(self, search: HistorySearch, wait_s: float, why: object) -> None:
        """Try again later, and read the history meanwhile; in the end, only that."""
        search.failures += 1
        if search.failures >= ATTEMPTS:
            self._end(search, "search_given_up", why)
            return
        told = {"why": why, "retry_s": wait_s, "instead": "the history is read meanwhile"}
        log.warning(fields("search_waits", guild=search.guild_id, **told))
        search.resting = True
        asyncio.get_running_loop().call_later(wait_s, self._wake, search)

    def _wake(self, search: HistorySearch) -> None:
        search.resting = False
        self._backlog.turns.go_on(search)

    def _end(
        self, search: HistorySearch, event: str, why: object, *, refused: bool = False
    ) -> None:
        search.end(refused=refused)
        instead = "the history is read without it"
        log.warning(fields(event, guild=search.guild_id, why=why, instead=instead))
