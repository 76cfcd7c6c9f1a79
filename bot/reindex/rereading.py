"""Reading a server's history once more, page by page, to make the gallery match it."""

from __future__ import annotations

import discord
from discord.abc import GuildChannel

from bot.platform.codes import is_deleted
from bot.platform.places import WithMessages, WithThreads, group_of, missing_permissions
from bot.platform.unreadable import Unreadable
from bot.reindex.state import JobState, Listed
from bot.sync.backlog import Backlog
from bot.sync.erasure import Erasure
from bot.sync.history import History, HistoryPage
from bot.sync.ingest import Ingest, KnownSlots
from bot.sync.threads import archived_threads
from bot.sync.watched import Watched
from bot.sync.writer import Item
from index import Group, Links


class Rereading:
    """Reads one server's pages for one job. Each step changes the job's state as it goes."""

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        watched: Watched,
        backlog: Backlog,
        ingest: Ingest,
        history: History,
        erasure: Erasure,
        space: int,
    ) -> None:
        self._client = client
        self._links = links
        self._watched = watched
        self._backlog = backlog
        self._ingest = ingest
        self._history = history
        self._erasure = erasure
        self._space = space
        self._known: tuple[int, KnownSlots] | None = None  # of the group that is being read

    async def list_groups(self, state: JobState) -> list[Listed]:
        """Everything to read: channels, their threads, and threads that only the gallery knows.

        raises   TimeoutError while the server is not available: its channels aren't known then
        """
        guild = self._guild()
        scope = guild.get_channel(state.channel) if state.channel else None
        if state.channel and scope is None:
            return []  # it was deleted
        places: dict[int, Group] = {}
        closed: list[Group] = []
        for channel in self._watched.channels(guild, scope):
            if missing_permissions(channel):
                closed.append(group_of(channel))
            else:
                places |= {group.id: group for group in await _with_threads(self._client, channel)}
        inside = set(places)
        for group in await self._links.groups(self._space):
            if group.parent in inside:
                places.setdefault(group.id, group)
        state.closed += len(closed)
        state.unread = [await self._listed(group) for group in closed]
        return [await self._listed(group) for group in places.values()]

    async def _listed(self, group: Group) -> Listed:
        pictures = await self._links.count_links(self._space, [group.id])
        return Listed(group.id, pictures, group.parent, group.private)

    def _guild(self) -> discord.Guild:
        """The server, whose channels are known.

        raises   TimeoutError while it is not available
        """
        guild = self._client.get_guild(self._space)
        if guild is None or guild.unavailable:
            raise TimeoutError("the server is not available")
        return guild

    async def read_page(self, state: JobState) -> list[Item]:
        """The missing pictures of one page, newest first; deleted ones are erased.

        A group that is no longer watched is left out: it was when the job began.

        raises   TimeoutError while the server is not available
        """
        assert state.groups is not None
        group_id = state.groups[state.at].id
        try:
            place = await self._place(group_id)
            if not self._watched.covers(place):
                state.begin_group(state.at + 1)
                return []
            if self._known is None or self._known[0] != group_id:
                self._known = (group_id, await self._links.known(self._space, group_id))
            page = await self._history.read_page(place, before=state.before or None)
        except discord.NotFound as error:
            if not is_deleted(error):
                raise
            state.removed += await self._erasure.erase_group(self._space, group_id)
            state.deleted.append(group_id)
            state.begin_group(state.at + 1)
            return []
        except (discord.Forbidden, Unreadable):
            state.closed += 1
            state.begin_group(state.at + 1)
            return []
        return await self._put_right(state, group_of(place), page, self._known[1])

    def is_new(self, item: Item) -> bool:
        """Whether a picture was just posted. It is no history then, though a page of this job shows
        it before its event or catching up does."""
        return self._backlog.is_new(self._space, item.link.group.id, int(item.link.source))

    async def _put_right(
        self, state: JobState, group: Group, page: HistoryPage, known: KnownSlots
    ) -> list[Item]:
        messages = page.messages
        oldest = page.ids[-1] if page.full else 0
        state.removed += await self._history.reconcile(
            self._space, page, known, oldest, state.before
        )
        items, failed = await self._ingest.read(
            self._space, group, messages, page.as_of, what=state.what, patient=False
        )
        state.messages += len(page)
        state.checked += sum(len(self._ingest.shown(message)) for message in messages)
        state.failed += failed
        state.added += sum(item.link.slot not in known.get(item.link.source, ()) for item in items)
        state.newest = state.newest or (page.ids[0] if page.ids else 0)
        state.before = oldest
        if not page.full:
            state.begin_group(state.at + 1)
        return items

    async def _place(self, group_id: int) -> WithMessages:
        known = self._guild().get_channel_or_thread(group_id)
        place = known or await self._client.fetch_channel(group_id)
        assert isinstance(place, WithMessages)
        return place


async def _with_threads(client: discord.Client, channel: GuildChannel) -> list[Group]:
    """A channel and all its threads, archived ones included; of a forum only the threads."""
    groups = [] if isinstance(channel, discord.ForumChannel) else [group_of(channel)]
    if isinstance(channel, WithThreads):
        threads = [*channel.threads, *await archived_threads(client, channel)]
        groups += [group_of(thread) for thread in threads]
    return groups
