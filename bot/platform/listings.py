"""Lists that Discord gives page by page: a channel's messages, and its archived threads.

discord.py's own lists end at the first message or thread that it can't read. Here the others are
read. What could not be read has been noted by then (`State`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import discord

from bot.platform.places import WithThreads
from bot.platform.state import State
from bot.platform.unreadable import Unreadable, snowflake

THREADS = 100  # in one answer, the most that Discord gives


def state_of(client: discord.Client) -> State:
    state = client._connection
    assert isinstance(state, State)
    return state


async def messages(
    client: discord.Client,
    place: discord.abc.MessageableChannel,
    limit: int,
    *,
    before: int | None = None,
    after: int | None = None,
) -> tuple[list[discord.Message], list[int]]:
    """Up to 100 messages of a channel, and the ids of all that are there; newest first.

    before, after   ids; with `after` these are the oldest messages after it
    raises   discord.HTTPException; Unreadable if a message has no id
    """
    listed: Any = await client.http.logs_from(place.id, limit, before, after)
    readable: list[discord.Message] = []
    ids: list[int] = []
    for data in listed:
        if (id := snowflake(data, "id")) is None:
            raise Unreadable("a message without an id")
        ids.append(id)
        try:
            readable.append(state_of(client).create_message(channel=place, data=data))
        except Unreadable:
            continue
    return readable, ids


async def archived_threads(
    client: discord.Client, place: WithThreads, *, private: bool = False, joined: bool = False
) -> AsyncIterator[discord.Thread]:
    """Archived threads, those that were archived last first; the joined ones by their ids.

    raises   discord.HTTPException
    """
    http = client.http
    ask: Any = http.get_public_archived_threads
    if private:
        ask = http.get_private_archived_threads
    if joined:
        ask = http.get_joined_private_archived_threads
    before: Any = None
    while True:
        page = await ask(place.id, before=before, limit=THREADS)
        listed = page.get("threads") or []
        for data in listed:
            try:
                yield state_of(client).read_thread(place.guild, data)
            except Unreadable:
                continue
        before = _end_of(listed, joined)
        if before is None or not page.get("has_more"):
            return


def _end_of(listed: list[Any], joined: bool) -> Any:
    """Where the page after these threads begins; None if that can't be told."""
    try:
        last = listed[-1]
        return last["id"] if joined else last["thread_metadata"]["archive_timestamp"]
    except (LookupError, TypeError):
        return None
