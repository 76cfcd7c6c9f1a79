"""The search in a server's messages, and all that is known to be wrong with Discord's own.

It follows Discord's documentation, "Search Guild Messages":
- at most 25 messages an answer, at most 9,975 skipped; each stands alone in a list of its own;
- 202 and code 110000 while the server is not indexed, with the seconds to wait;
- an answer may have fewer messages than there are, and `total_results` may be wrong. The faults
  `search_short` and `search_totals` ask for that;
- GIFs from before February 24, 2026 may not be found. `search_gifs` leaves them out everywhere;
- age-restricted channels are left out unless the request asks for them.

Only what the caller may read now is found. Several values of a filter are alternatives; those with
a minus exclude.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from . import permissions, rest
from .core import Core
from .errors import invalid
from .rest import Caller
from .snowflakes import at_time
from .unfurl import LINK
from .world import Channel, Guild, Message

LIMIT, MAX_OFFSET = 25, 9_975
MAX_CHANNELS, MAX_OTHERS = 500, 100  # values of a filter
MAX_CONTENT = 1_024
GIFS_SINCE = at_time(1_771_891_200)  # 2026-02-24

HAS = ("link", "embed", "file", "image", "video", "sound", "sticker", "poll", "snapshot")
AUTHORS = ("user", "bot", "webhook")
EMBEDS = ("image", "video", "gif", "sound", "article")
# What only a message with more than words has.
MEDIA = frozenset(HAS) - {"link"}

Condition = Callable[[Message], bool]


class SearchRoutes:
    """/guilds/{guild_id}/messages/search."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        return [web.get("/guilds/{guild_id}/messages/search", self.search)]

    async def search(self, request: web.Request) -> web.Response:
        """Matching messages, newest first, each in its own list; 202 while indexing."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        limit = rest.number_asked(request, "limit", LIMIT, 1, LIMIT)
        offset = rest.number_asked(request, "offset", 0, 0, MAX_OFFSET)
        conditions = self._conditions(request)
        if (wait_s := self.core.search_ready_at - time.monotonic()) > 0:
            return _not_ready(wait_s)
        _choice(request, "sort_by", ("relevance", "timestamp"))
        order = _choice(request, "sort_order", ("asc", "desc"))
        found = [
            message
            for channel in self._channels(who, guild, request)
            for message in self._listed(channel, request)
            if all(holds(message) for holds in conditions)
        ]
        found.sort(key=lambda one: one.id, reverse=order != "asc")
        page = found[offset : offset + limit]
        total = len(found)
        if self.core.faults.for_search("search_short") is not None:
            page = page[::2]
        if (wrong := self.core.faults.for_search("search_totals")) is not None:
            total = wrong.total
        return rest.answer(self._answer(who, guild, page, total))

    def _answer(self, who: Caller, guild: Guild, page: list[Message], total: int) -> dict[str, Any]:
        viewer = who.viewer(self.core)
        shown = []
        for message in page:
            payload: dict[str, Any] = {**self.core.payloads.message(message, viewer), "hit": True}
            payload.pop("reactions", None)
            shown.append([payload])
        places = [guild.channels[id] for id in dict.fromkeys(one.channel_id for one in page)]
        threads = [one for one in places if one.thread is not None]
        me = who.user.id
        joined = [one for one in threads if one.thread and me in one.thread.members]
        return {
            "total_results": total,
            "messages": shown,
            "threads": [self.core.payloads.thread(one, me) for one in threads],
            "members": [self.core.payloads.thread_member(one, me) for one in joined],
            "doing_deep_historical_index": False,
            "documents_indexed": None,
        }

    # where

    def _channels(self, who: Caller, guild: Guild, request: web.Request) -> Iterator[Channel]:
        """The channels and threads of the query that the caller may read."""
        wanted = _ids(request, "channel_id", MAX_CHANNELS)
        restricted = rest.flag_asked(request, "include_nsfw")
        for channel in guild.channels.values():
            parent = guild.channels.get(channel.parent_id or 0)
            nsfw = channel.nsfw or (
                channel.thread is not None and parent is not None and parent.nsfw
            )
            if (
                (not wanted or channel.id in wanted)
                and (restricted or not nsfw)
                and self.core.world.reads(who.user.id, channel)
                and rest.may(self.core, who, channel, permissions.READ_MESSAGE_HISTORY)
            ):
                yield channel

    def _listed(self, channel: Channel, request: web.Request) -> Iterable[Message]:
        """The messages of a channel that may match; most of a channel are words alone."""
        messages = self.core.world.messages(channel.id)
        return messages.with_media() if MEDIA & set(request.query.getall("has", ())) else messages

    # which

    def _conditions(self, request: web.Request) -> list[Condition]:
        """What a message must be, by the query.

        raises   ApiError 50035
        """
        least = rest.id_asked(request, "min_id") or 0
        most = rest.id_asked(request, "max_id") or 1 << 63
        conditions: list[Condition] = [lambda one: least < one.id < most]
        if self.core.faults.for_search("search_gifs") is not None:
            conditions.append(lambda one: one.id >= GIFS_SINCE or not _shows_gif(one))
        words = request.query.get("content", "").lower()
        if len(words) > MAX_CONTENT:
            raise invalid("content", "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_CONTENT} or fewer.")
        rest.number_asked(request, "slop", 2, 0, 100)
        if words:
            conditions.append(lambda one: words in one.content.lower())
        conditions += self._by_words(request)
        conditions += self._by_ids(request)
        for name, told in (("pinned", _pinned), ("mention_everyone", _mentions_everyone)):
            if name in request.query:
                conditions.append(_told(told, rest.flag_asked(request, name)))
        return conditions

    def _by_words(self, request: web.Request) -> Iterator[Condition]:
        for name, known, of in (
            ("has", HAS, _has),
            ("author_type", AUTHORS, self._author_type),
            ("embed_type", EMBEDS, _embed_types),
        ):
            wanted = _values(request, name, 2 * len(known))
            for value in wanted:
                if value.removeprefix("-" if name != "embed_type" else "") not in known:
                    raise invalid(name, "BASE_TYPE_CHOICES", f"Value must be one of {set(known)}.")
            if wanted:
                yield _any_of(wanted, of)
        for name, of in (
            ("link_hostname", _hosts),
            ("embed_provider", _providers),
            ("attachment_filename", _filenames),
            ("attachment_extension", _extensions),
        ):
            if wanted := _values(request, name, MAX_OTHERS):
                yield _any_of(wanted, of)

    def _by_ids(self, request: web.Request) -> Iterator[Condition]:
        for name, of in (
            ("author_id", _author),
            ("mentions", _mentioned),
            ("mentions_role_id", _mentioned_roles),
            ("replied_to_message_id", _replied_to),
            ("replied_to_user_id", self._replied_to_user),
        ):
            if wanted := _ids(request, name):
                yield _meets(wanted, of)

    def _replied_to_user(self, message: Message) -> set[int]:
        if (answered := message.reference) is None:
            return set()
        original = self.core.world.message(answered.channel_id, answered.message_id)
        return {original.author_id} if original is not None else set()

    def _author_type(self, message: Message) -> set[str]:
        author = self.core.world.users.get(message.author_id)
        return {"bot" if author is not None and author.bot else "user"}


def _is_age_restricted(guild: Guild, channel: Channel) -> bool:
    """Whether a channel is, or the channel of a thread."""
    parent = guild.channels.get(channel.parent_id or 0) if channel.thread is not None else None
    return channel.nsfw or (parent is not None and parent.nsfw)


def _not_ready(wait_s: float) -> web.Response:
    body = {
        "message": "Index not yet available. Try again later",
        "code": 110000,
        "documents_indexed": 0,
        "retry_after": max(1, round(wait_s)),
    }
    return rest.answer(body, 202)


# the query


def _values(request: web.Request, name: str, most: int) -> list[str]:
    """The values of a filter. raises ApiError 50035 for too many, or one twice"""
    values = request.query.getall(name, [])
    if len(values) > most:
        raise invalid(name, "BASE_TYPE_BAD_LENGTH", f"Must be {most} or fewer in length.")
    if len(set(values)) < len(values):
        raise invalid(name, "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this.")
    return values


def _ids(request: web.Request, name: str, most: int = MAX_OTHERS) -> set[int]:
    values = _values(request, name, most)
    for value in values:
        if not value.isdecimal():
            raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
    return set(map(int, values))


def _choice(request: web.Request, name: str, known: Collection[str]) -> str | None:
    value = request.query.get(name)
    if value is not None and value not in known:
        raise invalid(name, "BASE_TYPE_CHOICES", f"Value must be one of {set(known)}.")
    return value


def _meets(wanted: set[int], of: Callable[[Message], set[int]]) -> Condition:
    return lambda one: bool(wanted & of(one))


def _told(told: Condition, wanted: bool) -> Condition:
    return lambda one: told(one) == wanted


def _any_of(wanted: Iterable[str], of: Callable[[Message], set[str]]) -> Condition:
    """One of the values that have no minus, and none of those that have one."""
    without = {value[1:] for value in wanted if value.startswith("-")}
    among = {value for value in wanted if not value.startswith("-")}

    def holds(message: Message) -> bool:
        has = of(message)
        return not without & has and (not among or bool(among & has))

    return holds


# the message


def _has(message: Message) -> set[str]:
    """The kinds of things that a message has."""
    types = [one.content_type for one in message.attachments]
    shown = {
        "image": any(one.startswith("image/") for one in types) or _embeds(message, "image"),
        "video": any(one.startswith("video/") for one in types) or _embeds(message, "video"),
        "sound": any(one.startswith("audio/") for one in types),
        "file": bool(message.attachments),
        "embed": bool(message.embeds),
        "link": LINK.search(message.content) is not None,
        "sticker": bool(message.sticker_ids),
        "poll": message.poll is not None,
        "snapshot": message.snapshot is not None,
    }
    return {kind for kind, there in shown.items() if there}


def _embeds(message: Message, kind: str) -> bool:
    return kind in _embed_types(message) or any(kind in embed for embed in message.embeds)


def _embed_types(message: Message) -> set[str]:
    """The kinds of embeds; old GIFs were never indexed as such."""
    kinds = {str(embed.get("type", "rich")) for embed in message.embeds}
    if "gifv" in kinds and message.id >= GIFS_SINCE:
        kinds.add("gif")
    return kinds


def _shows_gif(message: Message) -> bool:
    files = any(one.content_type == "image/gif" for one in message.attachments)
    return files or any(embed.get("type") == "gifv" for embed in message.embeds)


def _author(message: Message) -> set[int]:
    return {message.author_id}


def _mentioned(message: Message) -> set[int]:
    return set(message.mentions)


def _mentioned_roles(message: Message) -> set[int]:
    return set(message.mention_roles)


def _pinned(message: Message) -> bool:
    return message.pinned_at is not None


def _mentions_everyone(message: Message) -> bool:
    return message.mention_everyone


def _replied_to(message: Message) -> set[int]:
    return {message.reference.message_id} if message.reference is not None else set()


def _hosts(message: Message) -> set[str]:
    return {urlsplit(link).hostname or "" for link in LINK.findall(message.content)}


def _providers(message: Message) -> set[str]:
    return {str((embed.get("provider") or {}).get("name", "")) for embed in message.embeds}


def _filenames(message: Message) -> set[str]:
    return {one.filename for one in message.attachments}


def _extensions(message: Message) -> set[str]:
    return {re.sub(r"^.*\.", "", one.filename).lower() for one in message.attachments}
