"""Pages of a channel's messages, and the deletions and edits that can be seen in them.

The backfill, a reindex and the relisting all read such pages. A known message that is missing from
its page was deleted; one that is there and can't be read was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import discord

from bot.ops.tuning import Limits
from bot.platform import listings
from bot.platform.codes import UNKNOWN_MESSAGE
from bot.platform.places import WithMessages
from bot.sync.ingest import Ingest, KnownSlots
from bot.sync.writer import Writer


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some messages of a channel, in the order in which they were asked for.

    messages  those that can be read
    ids       of all that are there
    as_of     `Writer.now` before they were asked for
    full      whether there may be more messages after them
    """

    messages: list[discord.Message]
    ids: list[int]
    as_of: int
    full: bool

    def __len__(self) -> int:
        return len(self.ids)


class History:
    """Reads pages of history, and brings the gallery in line with them."""

    def __init__(
        self, client: discord.Client, writer: Writer, ingest: Ingest, limits: Limits
    ) -> None:
        self._client = client
        self._writer = writer
        self._ingest = ingest
        self._limits = limits

    async def read_page(
        self,
        place: WithMessages,
        *,
        before: int | None = None,
        after: int | None = None,
    ) -> HistoryPage:
        """A page of messages of a channel or thread: the newest ones before the id `before`, newest
        first, or the oldest ones after the id `after`, oldest first.

        Where the bot may not read the history, Discord gives no messages and no error, and
        announces only later that the channel was closed. If that were taken for an empty channel,
        its pictures would be erased. A request for a single message is refused there, so an empty
        page is believed only after such a request.

        raises   discord.HTTPException, Unreadable
        """
        as_of, size = self._writer.now, self._limits.page_messages
        messages, ids = await listings.messages(
            self._client, place, size, before=before, after=after
        )
        if after is not None:
            messages, ids = messages[::-1], ids[::-1]
        page = HistoryPage(messages, ids, as_of, full=len(ids) >= size)
        self._ingest.observe_page(page.messages, as_of)
        if not page.ids and place.last_message_id is not None:
            try:
                # As Discord sends it: a message that discord.py can't read is there, too.
                await self._client.http.get_message(place.id, place.last_message_id)
            except discord.NotFound as error:
                if error.code != UNKNOWN_MESSAGE:
                    raise
        return page

    async def reconcile(
        self, space: int, page: HistoryPage, known: KnownSlots, oldest: int, before: int
    ) -> int:
        """Follow the deletions and edits within a page's span that Discord did not announce.

        known    what the gallery has of the channel
        oldest   the first id of the span
        before   the id after its last; 0 for a first page, up to the newest message. `known` was
                 read before that page, so all that it has was posted by then
        returns  how many pictures were removed
        """
        deleted = _missing_from(page.ids, known, oldest, before)
        removed = await self._writer.erase_messages(space, deleted) if deleted else 0
        return removed + await self._ingest.drop_unshown(space, page.messages, known)


def _missing_from(
    ids: Iterable[int], known: Mapping[str, object], oldest: int, before: int
) -> list[int]:
    """Known messages within the span of a page that are not on it."""
    there = set(ids)
    span = (int(m) for m in known if oldest <= int(m) and (not before or int(m) < before))
    return [message for message in span if message not in there]
