"""Lists that Discord gives page by page: a channel's messages, its archived threads, and what the
search in a server's messages finds.

discord.py's own lists end at the first message or thread that it can't read. Here the others are
read. What could not be read has been noted by then (`State`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import discord
from discord.http import Route

from bot.platform.codes import INDEX_NOT_READY
from bot.platform.places import WithMessages, WithThreads
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


@dataclass(frozen=True, slots=True)
class Found:
    """An answer of the search in a server's messages.

    messages   those that can be read, in known channels and threads
    ids        of all that came
    total      how many there are, as Discord says; it may be wrong
    """

    messages: list[tuple[WithMessages, discord.Message]]
    ids: list[int]
    total: int


@dataclass(frozen=True, slots=True)
class NotReady:
    """Discord has not indexed the server's messages yet."""

    retry_s: float  # 0: a short while


async def search(
    client: discord.Client,
    guild: discord.Guild,
    kind: str,
    channels: Iterable[int],
    before: int,
    skipped: int,
    limit: int,
) -> Found | NotReady:
    """Up to 25 messages of a server that have this kind of thing, newest first; also those of
    age-restricted channels. discord.py has no call for it.

    channels   only of these; empty: of all that the bot may read
    before     older than the message with this id
    skipped    how many of these messages are left out, the newest ones
    raises     discord.HTTPException; Unreadable
    """
    route = Route("GET", "/guilds/{guild_id}/messages/search", guild_id=guild.id)
    asked = [("has", kind), ("max_id", str(before)), ("limit", str(limit))]
    asked += [("include_nsfw", "true"), ("sort_by", "timestamp"), ("sort_order", "desc")]
    asked += [("offset", str(skipped))] if skipped else []
    asked += [("channel_id", str(id)) for id in channels]
    answer: Any = await client.http.request(route, params=asked)
    try:
        if answer.get("code") == INDEX_NOT_READY:
            return NotReady(max(0.0, float(answer.get("retry_after") or 0)))
        listed = [message for group in answer["messages"] for message in group]
        total = int(answer["total_results"])
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise Unreadable("an answer of the search can't be read") from error
    return _found(client, guild, listed, answer.get("threads") or [], total)


def _found(
    client: discord.Client, guild: discord.Guild, listed: list[Any], threads: list[Any], total: int
) -> Found:
    """raises   Unreadable if a message has no id"""
    state = state_of(client)
    told = {snowflake(thread, "id"): thread for thread in threads}
    messages: list[tuple[WithMessages, discord.Message]] = []
    ids: list[int] = []
    for data in listed:
        id, channel = snowflake(data, "id"), snowflake(data, "channel_id")
        if id is None:
            raise Unreadable("a message without an id")
        ids.append(id)
        try:
            place: Any = guild.get_channel_or_thread(channel or 0)
            if place is None and channel in told:
                place = state.read_thread(guild, told[channel])
            if isinstance(place, WithMessages):
                messages.append((place, state.create_message(channel=place, data=data)))
        except Unreadable:
            continue
    return Found(messages, ids, total)


def _end_of(listed: list[Any], joined: bool) -> Any:
    """Where the page after these threads begins; None if that can't be told."""
    try:
        last = listed[-1]
        return last["id"] if joined else last["thread_metadata"]["archive_timestamp"]
    except (LookupError, TypeError):
        return None
