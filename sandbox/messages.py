"""Routes on messages: reading, posting, editing, deleting, reactions, pins, typing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aiohttp import web

from . import permissions, posting, rest, unfurl
from .core import Core
from .errors import (
    NOT_TO_THIS_USER,
    ApiError,
    invalid,
    missing_access,
    missing_permissions,
    unknown,
)
from .posting import Author
from .rest import Caller
from .snowflakes import iso, unix_time
from .world import PINNED, SUPPRESS_EMBEDS, Channel, Message, Reference

if TYPE_CHECKING:
    from discord.types.gateway import TypingStartEvent
    from discord.types.message import ChannelPins

TWO_WEEKS_S = 14 * 86_400
MAX_PINS = 250

ARCHIVED = ApiError(400, 50083, "Thread is archived")
NOT_TEXT = ApiError(400, 50008, "Cannot send messages in a non-text channel")
NOT_YOURS = ApiError(403, 50005, "Cannot edit a message authored by another user")
TOO_MANY_PINS = ApiError(400, 30003, f"Maximum number of pins reached ({MAX_PINS})")
TOO_OLD = ApiError(400, 50034, "A message provided was too old to bulk delete")


class MessageRoutes:
    """/channels/{channel_id}/messages… and its sub-routes."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        all_of = "/channels/{channel_id}/messages"
        one = f"{all_of}/{{message_id}}"
        reactions = f"{one}/reactions/{{emoji_name}}"
        pins, pin = f"{all_of}/pins", f"{all_of}/pins/{{message_id}}"
        old_pins = "/channels/{channel_id}/pins"  # deprecated, but libraries use it
        return [
            web.get(all_of, self.read_many),
            web.post(all_of, self.post),
            web.post(f"{all_of}/bulk-delete", self.delete_many),
            web.get(pins, self.pins),
            web.put(pin, self.pin),
            web.delete(pin, self.unpin),
            web.get(old_pins, self.all_pins),
            web.put(f"{old_pins}/{{message_id}}", self.pin),
            web.delete(f"{old_pins}/{{message_id}}", self.unpin),
            web.get(one, self.read),
            web.patch(one, self.edit),
            web.delete(one, self.delete),
            web.put(f"{reactions}/@me", self.react),
            web.delete(f"{reactions}/@me", self.unreact),
            web.delete(f"{reactions}/{{user_id}}", self.unreact_other),
            web.get(reactions, self.who_reacted),
            web.delete(reactions, self.unreact_all),
            web.delete(f"{one}/reactions", self.unreact_all),
            web.post("/channels/{channel_id}/typing", self.typing),
            web.post("/attachments/refresh-urls", self.refresh_links),
        ]

    # reading

    async def read_many(self, request: web.Request) -> web.Response:
        """A page of messages, newest first; empty without Read Message History."""
        who = rest.caller(self.core, request)
        channel = self._readable(who, request)
        limit = rest.number_asked(request, "limit", 50, 1, 100)
        if not rest.may(self.core, who, channel, permissions.READ_MESSAGE_HISTORY):
            return rest.answer([])
        messages = self.core.world.messages(channel.id)
        if (before := rest.id_asked(request, "before")) is not None:
            page = messages.before(before, limit)
        elif (after := rest.id_asked(request, "after")) is not None:
            page = messages.after(after, limit)
        elif (around := rest.id_asked(request, "around")) is not None:
            page = messages.around(around, limit)
        else:
            page = messages.latest(limit)
        viewer = who.viewer(self.core)
        return rest.answer([self.core.payloads.message(one, viewer) for one in page])

    async def read(self, request: web.Request) -> web.Response:
        """One message."""
        who = rest.caller(self.core, request)
        channel = self._readable(who, request)
        if not rest.may(self.core, who, channel, permissions.READ_MESSAGE_HISTORY):
            raise missing_permissions()
        message = self._message(channel, request)
        return rest.answer(self.core.payloads.message(message, who.viewer(self.core)))

    def _readable(self, who: Caller, request: web.Request) -> Channel:
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        if not self.core.world.reads(who.user.id, channel):
            raise missing_access()
        return channel

    def _message(self, channel: Channel, request: web.Request) -> Message:
        message = self.core.world.message(channel.id, rest.id_in(request, "message_id"))
        if message is None:
            raise unknown("Message")
        return message

    # posting and editing

    async def post(self, request: web.Request) -> web.Response:
        """Post a message; a multipart body may have files."""
        who = rest.caller(self.core, request)
        channel = self._writable(who, request)
        body = await rest.body_of(request)
        message = await posting.new(self.core, self._author(who, channel), channel, body)
        nonce = posting.same_nonce(body.json)
        once = nonce if body.json.get("enforce_nonce") else None
        first = self.core.posted_with(who.user.id, once) if once is not None else None
        if first is not None:
            message = first
        else:
            self.core.post(message, nonce=nonce)
            unfurl.start(self.core, message, self.core.world.permissions(who.user.id, channel))
        payload = self.core.payloads.message(message, who.viewer(self.core))
        if nonce is not None:
            payload["nonce"] = nonce
        return rest.answer(payload)

    def _writable(self, who: Caller, request: web.Request) -> Channel:
        channel = self._readable(who, request)
        if not channel.holds_messages:
            raise NOT_TEXT
        if channel.is_direct and not self.core.world.share_a_guild(*channel.recipients):
            raise NOT_TO_THIS_USER
        if not rest.may(self.core, who, channel, permissions.SEND_MESSAGES):
            raise missing_permissions()
        locked = channel.thread is not None and channel.thread.locked
        if locked and not rest.may(self.core, who, channel, permissions.MANAGE_THREADS):
            raise ARCHIVED
        return channel

    def _author(self, who: Caller, channel: Channel) -> Author:
        application_id = self.core.world.application.id if who.user.bot else None
        allowed = self.core.world.permissions(who.user.id, channel)
        return Author(who.user, allowed, application_id)

    async def edit(self, request: web.Request) -> web.Response:
        """Edit one's own message, or with Manage Messages hide the embeds of another's."""
        who = rest.caller(self.core, request)
        channel = self._readable(who, request)
        message = self._message(channel, request)
        self._not_archived(channel)
        body = await rest.body_of(request)
        if message.author_id != who.user.id:
            if set(body.json) != {"flags"}:
                raise NOT_YOURS
            self._may_manage(who, channel)
            body.json["flags"] = int(body.json["flags"] or 0) & SUPPRESS_EMBEDS
        await posting.edit(self.core, message, body, self._author(who, channel))
        self.core.change(message)
        unfurl.start(self.core, message, self.core.world.permissions(who.user.id, channel))
        return rest.answer(self.core.payloads.message(message, who.viewer(self.core)))

    def _not_archived(self, channel: Channel) -> None:
        if channel.thread is not None and channel.thread.archived:
            raise ARCHIVED

    def _may_manage(self, who: Caller, channel: Channel) -> None:
        if not rest.may(self.core, who, channel, permissions.MANAGE_MESSAGES):
            raise missing_permissions()

    # deleting

    async def delete(self, request: web.Request) -> web.Response:
        """Delete one's own message, or any with Manage Messages."""
        who = rest.caller(self.core, request)
        channel = self._readable(who, request)
        message = self._message_for(who, channel, request)
        if message.author_id != who.user.id and message.only_for != who.user.id:
            self._may_manage(who, channel)
        self.core.delete(message)
        return rest.nothing()

    def _message_for(self, who: Caller, channel: Channel, request: web.Request) -> Message:
        """The message. It may be an ephemeral one, which its reader may dismiss."""
        message = self.core.find_message(channel.id, rest.id_in(request, "message_id"))
        if message is None or message.only_for not in (None, who.user.id):
            raise unknown("Message")
        return message

    async def delete_many(self, request: web.Request) -> web.Response:
        """Delete 2 to 100 messages that are younger than two weeks."""
        who = rest.caller(self.core, request)
        channel = self._readable(who, request)
        self._may_manage(who, channel)
        body = await rest.body_of(request)
        ids = [int(id) for id in body.json.get("messages") or []]
        if not 2 <= len(set(ids)) <= 100:
            message = "Must be between 2 and 100 in length."
            raise invalid("messages", "BASE_TYPE_BAD_LENGTH", message)
        if any(unix_time(id) < time.time() - TWO_WEEKS_S for id in ids):
            raise TOO_OLD
        self.core.delete_many(channel, ids)
        return rest.nothing()

    # reactions

    async def react(self, request: web.Request) -> web.Response:
        """Add the caller's reaction."""
        who = rest.caller(self.core, request)
        channel = self._readable(who, request)
        message = self._message(channel, request)
        self._not_archived(channel)
        emoji = unquote(request.match_info["emoji_name"])
        present = any(one.emoji == emoji for one in message.reactions)
        if not present and not rest.may(self.core, who, channel, permissions.ADD_REACTIONS):
            raise missing_permissions()
        self.core.react(message, who.user, emoji)
        return rest.nothing()

    async def unreact(self, request: web.Request) -> web.Response:
        """Remove the caller's reaction."""
        who = rest.caller(self.core, request)
        message = self._message(self._readable(who, request), request)
        self.core.unreact(message, who.user.id, unquote(request.match_info["emoji_name"]))
        return rest.nothing()

    async def unreact_other(self, request: web.Request) -> web.Response:
        """Remove a user's reaction; needs Manage Messages."""
        who = rest.caller(self.core, request)
        channel = self._readable(who, request)
        self._may_manage(who, channel)
        message = self._message(channel, request)
        emoji = unquote(request.match_info["emoji_name"])
        self.core.unreact(message, rest.id_in(request, "user_id"), emoji)
        return rest.nothing()

    async def unreact_all(self, request: web.Request) -> web.Response:
        """Remove all reactions, or all with one emoji; needs Manage Messages."""
        who = rest.caller(self.core, request)
        channel = self._readable(who, request)
        self._may_manage(who, channel)
        message = self._message(channel, request)
        emoji = request.match_info.get("emoji_name")
        self.core.unreact_all(message, unquote(emoji) if emoji is not None else None)
        return rest.nothing()

    async def who_reacted(self, request: web.Request) -> web.Response:
        """A page of the users who reacted with an emoji, by id."""
        who = rest.caller(self.core, request)
        message = self._message(self._readable(who, request), request)
        emoji = unquote(request.match_info["emoji_name"])
        limit = rest.number_asked(request, "limit", 25, 1, 100)
        after = rest.id_asked(request, "after") or 0
        users = [id for one in message.reactions if one.emoji == emoji for id in one.users]
        page = [id for id in sorted(users) if id > after][:limit]
        return rest.answer([self.core.payloads.user_by_id(id) for id in page])

    # links, pins and typing

    async def refresh_links(self, request: web.Request) -> web.Response:
        """Links to files, signed again. Discord doesn't document this route."""
        rest.caller(self.core, request)
        listed = (await rest.body_of(request)).json.get("attachment_urls") or []
        if not 1 <= len(listed) <= 50:
            message = "Must be between 1 and 50 in length."
            raise invalid("attachment_urls", "BASE_TYPE_BAD_LENGTH", message)
        shown = [self.core.links.shown(str(url)).url for url in listed]
        pairs = zip(listed, shown, strict=True)
        body = [{"original": old, "refreshed": new} for old, new in pairs]
        return rest.answer({"refreshed_urls": body})

    async def pins(self, request: web.Request) -> web.Response:
        """A page of the pinned messages, the last pinned first."""
        who = rest.caller(self.core, request)
        channel = self._readable(who, request)
        viewer = who.viewer(self.core)
        before = request.query.get("before")
        pinned = [
            one
            for one in self._pinned(channel)
            if before is None or iso(one.pinned_at or 0.0) < before.replace("Z", "+00:00")
        ]
        limit = rest.number_asked(request, "limit", 50, 1, 50)
        payload: ChannelPins = {
            "items": [
                {
                    "pinned_at": iso(one.pinned_at or 0.0),
                    "message": self.core.payloads.message(one, viewer),
                }
                for one in pinned[:limit]
            ],
            "has_more": len(pinned) > limit,
        }
        return rest.answer(payload)

    async def all_pins(self, request: web.Request) -> web.Response:
        """The 50 messages that were pinned last, in the form of the deprecated route."""
        who = rest.caller(self.core, request)
        channel = self._readable(who, request)
        viewer = who.viewer(self.core)
        pinned = self._pinned(channel)[:50]
        return rest.answer([self.core.payloads.message(one, viewer) for one in pinned])

    def _pinned(self, channel: Channel) -> list[Message]:
        """The channel's pinned messages, the last pinned first."""
        pinned = [one for one in self.core.world.messages(channel.id) if one.pinned_at is not None]
        return sorted(pinned, key=lambda one: one.pinned_at or 0.0, reverse=True)

    async def pin(self, request: web.Request) -> web.Response:
        """Pin a message; a system message in the channel says who did it."""
        who, channel, message = self._to_pin(request)
        if message.pinned_at is not None:
            return rest.nothing()
        if len(self._pinned(channel)) >= MAX_PINS:
            raise TOO_MANY_PINS
        message.pinned_at = channel.last_pin_at = time.time()
        self.core.pins_changed(channel, message)
        said = Message(
            id=self.core.next_id(),
            channel_id=channel.id,
            author_id=who.user.id,
            type=PINNED,
            reference=Reference(0, channel.id, message.id, channel.guild_id),
        )
        self.core.post(said)
        return rest.nothing()

    async def unpin(self, request: web.Request) -> web.Response:
        """Unpin a message."""
        _, channel, message = self._to_pin(request)
        if message.pinned_at is not None:
            message.pinned_at = None
            self.core.pins_changed(channel, message)
        return rest.nothing()

    def _to_pin(self, request: web.Request) -> tuple[Caller, Channel, Message]:
        who = rest.caller(self.core, request)
        channel = self._readable(who, request)
        if not rest.may(self.core, who, channel, permissions.PIN_MESSAGES):
            self._may_manage(who, channel)
        return who, channel, self._message(channel, request)

    async def typing(self, request: web.Request) -> web.Response:
        """Send others the event that the caller is typing."""
        who = rest.caller(self.core, request)
        channel = self._writable(who, request)
        event: TypingStartEvent = {
            "channel_id": str(channel.id),
            "guild_id": str(channel.guild_id),
            "user_id": str(who.user.id),
            "timestamp": int(time.time()),
        }
        if member := self.core.world.member(channel.guild_id, who.user.id):
            event["member"] = self.core.payloads.member(member)
        self.core.gateway.emit("TYPING_START", event, channel=channel)
        return rest.nothing()
