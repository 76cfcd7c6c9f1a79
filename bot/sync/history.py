"""A page of a channel's messages: may the bot read it, what is on it, and what it shows to be gone.

The backfill, a reindex and the slow round through all channels read the same pages, and draw the
same conclusions from what is not on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import discord
from discord.abc import GuildChannel

from bot.text.replies import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE

if TYPE_CHECKING:
    from bot.app import Magpie
    from bot.sync.ingest import Known

PAGE = 100  # messages; the most Discord gives at once

Place: TypeAlias = GuildChannel | discord.Thread
WithMessages: TypeAlias = (
    discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
)
WithThreads: TypeAlias = discord.TextChannel | discord.ForumChannel


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


async def reconcile(
    client: Magpie,
    space: int,
    page: list[discord.Message],
    known: Known,
    oldest: int,
    before: int,
) -> int:
    """Follow the deletions and edits of a page's span that nobody told about.

    known    what the gallery has of the channel
    oldest   the first id of the span
    before   the id after its last; 0: a first page, to the newest message. Then `known` was read
             before the page, so whatever it has was posted by then
    returns  how many pictures went
    """
    lost = _gone(page, known, oldest, before)
    removed = await client.ledger.forget_messages(space, lost) if lost else 0
    return removed + await client.ingest.drop_unshown(space, page, known)


def _gone(
    page: Iterable[discord.Message], known: Mapping[str, object], oldest: int, before: int
) -> list[int]:
    """Known messages of the page's span that are not on it."""
    there = {message.id for message in page}
    span = (int(m) for m in known if oldest <= int(m) and (not before or int(m) < before))
    return [message for message in span if message not in there]
