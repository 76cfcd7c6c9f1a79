"""Routes on channels and threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from . import permissions, posting, rest, settings, unfurl
from .core import Core
from .errors import (
    NOT_TO_THIS_USER,
    ApiError,
    invalid,
    missing_access,
    missing_permissions,
    required,
    unknown,
)
from .posting import Author
from .rest import Caller
from .snowflakes import iso
from .uploads import Body
from .world import (
    CATEGORY,
    FORUM,
    HAS_THREAD,
    NEWS,
    NEWS_THREAD,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    TEXT,
    THREAD_CREATED,
    THREAD_STARTER,
    Channel,
    ChannelKind,
    Message,
    Overwrite,
    Reference,
    Thread,
)

if TYPE_CHECKING:
    from discord.types.threads import ThreadMember, ThreadPaginationPayload

MAKEABLE = (0, 2, 4, 5, 13, 15)
HAS_ONE = ApiError(400, 160004, "A thread has already been created for this message")
NO_THREADS = ApiError(400, 50024, "Cannot execute action on this channel type")


class ChannelRoutes:
    """/channels/{channel_id}, /guilds/{guild_id}/channels and threads."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        one = "/channels/{channel_id}"
        members = f"{one}/thread-members"
        archived = f"{one}/threads/archived"
        return [
            web.post("/users/@me/channels", self.open_direct),
            web.get("/users/@me/channels", self.all_direct),
            web.get("/guilds/{guild_id}/channels", self.all_of_guild),
            web.post("/guilds/{guild_id}/channels", self.make),
            web.patch("/guilds/{guild_id}/channels", self.move),
            web.get(one, self.read),
            web.patch(one, self.change),
            web.delete(one, self.delete),
            web.put(f"{one}/permissions/{{overwrite_id}}", self.set_overwrite),
            web.delete(f"{one}/permissions/{{overwrite_id}}", self.drop_overwrite),
            web.get("/guilds/{guild_id}/threads/active", self.active),
            web.get(f"{archived}/public", self.archived_public),
            web.get(f"{archived}/private", self.archived_private),
            web.get(f"{one}/users/@me/threads/archived/private", self.archived_joined),
            web.post(f"{one}/threads", self.start_thread),
            web.post(f"{one}/messages/{{message_id}}/threads", self.start_from_message),
            web.get(members, self.thread_members),
            web.put(f"{members}/@me", self.join),
            web.delete(f"{members}/@me", self.leave),
            web.get(f"{members}/{{user_id}}", self.thread_member),
            web.put(f"{members}/{{user_id}}", self.add_to_thread),
            web.delete(f"{members}/{{user_id}}", self.remove_from_thread),
        ]

    # channels

    async def all_of_guild(self, request: web.Request) -> web.Response:
        """A guild's channels without threads; people get only those that they can see."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        listed = [one for one in guild.channels.values() if one.thread is None]
        if not who.user.bot:
            listed = [one for one in listed if self.core.world.sees(who.user.id, one)]
        return rest.answer([self.core.payloads.channel(one) for one in listed])

    async def open_direct(self, request: web.Request) -> web.Response:
        """The channel of the caller's direct messages with a user."""
        who = rest.caller(self.core, request)
        wanted = (await rest.body_of(request)).json
        other = self.core.world.users.get(int(wanted.get("recipient_id") or 0))
        if other is None:
            raise unknown("User")
        if other.id == who.user.id:
            raise NOT_TO_THIS_USER
        channel = self.core.direct(who.user.id, other.id)
        return rest.answer(self.core.payloads.direct(channel, who.user.id))

    async def all_direct(self, request: web.Request) -> web.Response:
        """The channels of a person's direct messages."""
        who = rest.caller(self.core, request)
        channels = self.core.world.home.channels.values()
        mine = [one for one in channels if who.user.id in one.recipients]
        return rest.answer([self.core.payloads.direct(one, who.user.id) for one in mine])

    async def read(self, request: web.Request) -> web.Response:
        """One channel or thread."""
        who = rest.caller(self.core, request)
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        return rest.answer(self.core.payloads.any_channel(channel, who.user.id))

    async def make(self, request: web.Request) -> web.Response:
        """Create a channel; needs Manage Channels."""
        who = rest.caller(self.core, request)
        guild_id = rest.id_in(request, "guild_id")
        guild = rest.guild_allowed(self.core, who, guild_id, permissions.MANAGE_CHANNELS)
        wanted = (await rest.body_of(request)).json
        kind = wanted.get("type") or TEXT
        if kind not in MAKEABLE:
            raise invalid("type", "BASE_TYPE_CHOICES", f"Value must be one of {MAKEABLE}.")
        channel = Channel(
            id=self.core.next_id(),
            guild_id=guild.id,
            type=cast("ChannelKind", kind),
            name="",
            position=max((one.position for one in guild.channels.values()), default=0) + 1,
        )
        _name(channel, wanted.get("name"))
        self._settings(channel, wanted)
        self.core.channel_made(channel)
        return rest.answer(self.core.payloads.channel(channel), 201)

    async def move(self, request: web.Request) -> web.Response:
        """Change the order of a guild's channels; needs Manage Channels."""
        who = rest.caller(self.core, request)
        guild_id = rest.id_in(request, "guild_id")
        guild = rest.guild_allowed(self.core, who, guild_id, permissions.MANAGE_CHANNELS)
        for id, wanted in rest.order_asked(request):
            channel = guild.channels.get(id)
            if channel is None or channel.thread is not None:
                raise unknown("Channel")
            moved: dict[str, Any] = {
                key: wanted[key] for key in ("position", "parent_id") if key in wanted
            }
            self._settings(channel, moved)
            self.core.channel_changed(channel)
        return rest.nothing()

    async def change(self, request: web.Request) -> web.Response:
        """Change a channel (needs Manage Channels) or a thread (Manage Threads, or to own it)."""
        who = rest.caller(self.core, request)
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        wanted = (await rest.body_of(request)).json
        if channel.thread is not None:
            self._change_thread(who, channel, channel.thread, wanted)
        else:
            self._needs(who, channel, permissions.MANAGE_CHANNELS)
            if "permission_overwrites" in wanted:
                self._needs(who, channel, permissions.MANAGE_ROLES)
            if "name" in wanted:
                _name(channel, wanted["name"])
            self._settings(channel, wanted)
        self.core.channel_changed(channel)
        return rest.answer(self.core.payloads.any_channel(channel, who.user.id))

    def _needs(self, who: Caller, channel: Channel, permission: int) -> None:
        if not rest.may(self.core, who, channel, permission):
            raise missing_permissions()

    def _settings(self, channel: Channel, wanted: dict[str, Any]) -> None:
        guild = self.core.guild_of(channel)
        if "parent_id" in wanted:
            channel.parent_id = int(wanted["parent_id"]) if wanted["parent_id"] else None
            parent = guild.channels.get(channel.parent_id or 0)
            if channel.parent_id is not None and (parent is None or parent.type != CATEGORY):
                raise invalid("parent_id", "CHANNEL_PARENT_INVALID", "Category does not exist")
            if parent is not None and "permission_overwrites" not in wanted:
                channel.overwrites = channel.overwrites or list(parent.overwrites)
        settings.take(self.core, channel, wanted)
        if wanted.get("position") is not None:
            channel.position = int(wanted["position"])
        if wanted.get("permission_overwrites") is not None:
            channel.overwrites = [_overwrite(one) for one in wanted["permission_overwrites"]]

    def _change_thread(
        self, who: Caller, channel: Channel, thread: Thread, wanted: dict[str, Any]
    ) -> None:
        manages = rest.may(self.core, who, channel, permissions.MANAGE_THREADS)
        wakes = set(wanted) == {"archived"} and not wanted["archived"] and not thread.locked
        if not (manages or thread.owner_id == who.user.id or wakes):
            raise missing_permissions()
        if "locked" in wanted and not manages:
            raise missing_permissions()
        if "name" in wanted:
            _name(channel, wanted["name"])
        if "archived" in wanted and bool(wanted["archived"]) != thread.archived:
            thread.archived = bool(wanted["archived"])
            thread.archived_at = time.time()
        thread.locked = bool(wanted.get("locked", thread.locked))
        thread.invitable = bool(wanted.get("invitable", thread.invitable))
        if "applied_tags" in wanted:
            forum = self.core.world.channel(channel.parent_id or 0)
            listed = wanted["applied_tags"]
            thread.applied_tags = settings.applied_tags(forum, listed, manages=manages)
        channel.rate_limit_per_user = settings.slowmode(wanted, channel.rate_limit_per_user)
        if manages and wanted.get("flags") is not None:
            channel.flags = int(wanted["flags"]) & settings.PINNED
        if wanted.get("auto_archive_duration") in settings.DURATIONS:
            thread.auto_archive_duration = wanted["auto_archive_duration"]

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a channel (needs Manage Channels) or a thread (needs Manage Threads)."""
        who = rest.caller(self.core, request)
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        thread = channel.thread is not None
        self._needs(
            who, channel, permissions.MANAGE_THREADS if thread else permissions.MANAGE_CHANNELS
        )
        payload = self.core.payloads.any_channel(channel, who.user.id)
        self.core.channel_gone(channel)
        return rest.answer(payload)

    async def set_overwrite(self, request: web.Request) -> web.Response:
        """Allow or deny permissions to a role or member; needs Manage Roles."""
        who = rest.caller(self.core, request)
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        self._needs(who, channel, permissions.MANAGE_ROLES)
        wanted = (await rest.body_of(request)).json
        id = rest.id_in(request, "overwrite_id")
        channel.overwrites = [one for one in channel.overwrites if one.id != id]
        channel.overwrites.append(_overwrite({**wanted, "id": id}))
        self.core.channel_changed(channel)
        return rest.nothing()

    async def drop_overwrite(self, request: web.Request) -> web.Response:
        """Remove an overwrite; needs Manage Roles."""
        who = rest.caller(self.core, request)
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        self._needs(who, channel, permissions.MANAGE_ROLES)
        id = rest.id_in(request, "overwrite_id")
        if all(one.id != id for one in channel.overwrites):
            raise unknown("Permission Overwrite")
        channel.overwrites = [one for one in channel.overwrites if one.id != id]
        self.core.channel_changed(channel)
        return rest.nothing()

    # listing threads

    async def active(self, request: web.Request) -> web.Response:
        """All threads of the guild that are not archived and that the caller can see."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        threads = [
            one
            for one in guild.threads()
            if one.thread and not one.thread.archived and self.core.world.sees(who.user.id, one)
        ]
        return rest.answer({**self._page(who, threads, len(threads)), "has_more": False})

    async def archived_public(self, request: web.Request) -> web.Response:
        """A channel's archived public threads, the last archived first."""
        return self._archived(request, lambda one, _: not one.is_private_thread)

    async def archived_private(self, request: web.Request) -> web.Response:
        """A channel's archived private threads; needs Manage Threads."""
        who = rest.caller(self.core, request)
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        if not rest.may(self.core, who, channel, permissions.MANAGE_THREADS):
            raise missing_access()
        return self._archived(request, lambda one, _: one.is_private_thread)

    async def archived_joined(self, request: web.Request) -> web.Response:
        """The archived private threads that the caller is a member of."""

        def joined(one: Channel, who: Caller) -> bool:
            mine = one.thread is not None and who.user.id in one.thread.members
            return one.is_private_thread and mine

        return self._archived(request, joined)

    def _archived(
        self, request: web.Request, wanted: Callable[[Channel, Caller], bool]
    ) -> web.Response:
        who = rest.caller(self.core, request)
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        if not rest.may(self.core, who, channel, permissions.READ_MESSAGE_HISTORY):
            raise missing_access()
        limit = rest.number_asked(request, "limit", 50, 2, 100)
        before = request.query.get("before")
        found = [
            one
            for one in self.core.guild_of(channel).threads()
            if one.parent_id == channel.id
            and one.thread is not None
            and one.thread.archived
            and wanted(one, who)
            and (before is None or _is_before(one, before))
        ]
        found.sort(key=lambda one: one.thread.archived_at if one.thread else 0.0, reverse=True)
        return rest.answer(self._page(who, found, limit))

    def _page(self, who: Caller, threads: list[Channel], limit: int) -> ThreadPaginationPayload:
        page = threads[:limit]
        mine = [one for one in page if one.thread and who.user.id in one.thread.members]
        return {
            "threads": [self.core.payloads.thread(one, who.user.id) for one in page],
            "members": [self.core.payloads.thread_member(one, who.user.id) for one in mine],
            "has_more": len(threads) > limit,
        }

    # starting threads

    async def start_thread(self, request: web.Request) -> web.Response:
        """Start a thread without a message, or a forum post with its first message."""
        who = rest.caller(self.core, request)
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        body = await rest.body_of(request)
        if channel.type == FORUM:
            return await self._post_in_forum(who, channel, body)
        kind = body.json.get("type") or PRIVATE_THREAD
        private = kind == PRIVATE_THREAD
        if channel.type not in (TEXT, NEWS) or kind not in (NEWS_THREAD, PUBLIC_THREAD, 12):
            raise NO_THREADS
        needed = (
            permissions.CREATE_PRIVATE_THREADS if private else permissions.CREATE_PUBLIC_THREADS
        )
        self._needs(who, channel, needed)
        thread = self._new_thread(who, channel, kind, self.core.next_id(), body.json)
        self.core.thread_made(thread)
        if not private:
            self._say(who, channel, THREAD_CREATED, thread.name)
        return rest.answer(self.core.payloads.thread(thread, who.user.id), 201)

    async def start_from_message(self, request: web.Request) -> web.Response:
        """Start a thread from a message; the thread takes the message's id."""
        who = rest.caller(self.core, request)
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        self._needs(who, channel, permissions.CREATE_PUBLIC_THREADS)
        message = self.core.world.message(channel.id, rest.id_in(request, "message_id"))
        if message is None:
            raise unknown("Message")
        if self.core.world.channel(message.id) is not None:
            raise HAS_ONE
        wanted = (await rest.body_of(request)).json
        kind = NEWS_THREAD if channel.type == NEWS else PUBLIC_THREAD
        guild_id = channel.guild_id
        thread = self._new_thread(who, channel, kind, message.id, wanted)
        self.core.thread_made(thread)
        message.flags |= HAS_THREAD
        self.core.change(message)
        self._say(who, thread, THREAD_STARTER, "", Reference(0, channel.id, message.id, guild_id))
        return rest.answer(self.core.payloads.thread(thread, who.user.id), 201)

    async def _post_in_forum(self, who: Caller, channel: Channel, body: Body) -> web.Response:
        self._needs(who, channel, permissions.SEND_MESSAGES)
        first = body.json.get("message")
        if not isinstance(first, dict):
            raise required("message")
        thread = self._new_thread(who, channel, PUBLIC_THREAD, self.core.next_id(), body.json)
        guild = self.core.guild_of(channel)
        guild.channels[thread.id] = thread  # so that permissions in it can be computed
        try:
            allowed = self.core.world.permissions(who.user.id, thread)
            application_id = self.core.world.application.id if who.user.bot else None
            author = Author(who.user, allowed | permissions.ATTACH_FILES, application_id)
            message = await posting.new(self.core, author, thread, Body(first, body.uploads))
        except BaseException:
            del guild.channels[thread.id]
            raise
        message.id = thread.id
        self.core.thread_made(thread)
        self.core.post(message)
        unfurl.start(self.core, message, author.permissions)
        viewer = who.viewer(self.core)
        payload = self.core.payloads.thread(thread, who.user.id)
        return rest.answer({**payload, "message": self.core.payloads.message(message, viewer)}, 201)

    def _new_thread(
        self, who: Caller, channel: Channel, kind: int, id: int, wanted: dict[str, Any]
    ) -> Channel:
        now = time.time()
        duration = wanted.get("auto_archive_duration")
        manages = rest.may(self.core, who, channel, permissions.MANAGE_THREADS)
        thread = Thread(
            owner_id=who.user.id,
            archived_at=now,
            invitable=bool(wanted.get("invitable", True)),
            auto_archive_duration=(
                duration
                if duration in settings.DURATIONS
                else channel.default_auto_archive_duration or 4320
            ),
            members={who.user.id: now},
            applied_tags=settings.applied_tags(
                channel, wanted.get("applied_tags"), manages=manages
            ),
        )
        made = Channel(
            id=id,
            guild_id=channel.guild_id,
            type=cast("ChannelKind", kind),
            name="",
            parent_id=channel.id,
            rate_limit_per_user=settings.slowmode(
                wanted, channel.default_thread_rate_limit_per_user
            ),
            thread=thread,
        )
        _name(made, wanted.get("name"))
        return made

    def _say(
        self,
        who: Caller,
        channel: Channel,
        kind: int,
        content: str,
        reference: Reference | None = None,
    ) -> None:
        """A system message, such as "… started a thread"."""
        message = Message(
            id=self.core.next_id(),
            channel_id=channel.id,
            author_id=who.user.id,
            type=cast("Any", kind),
            content=content,
            reference=reference,
        )
        self.core.post(message)

    # members of threads

    def _thread_in(self, request: web.Request) -> tuple[Caller, Channel, Thread]:
        who = rest.caller(self.core, request)
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        if channel.thread is None:
            raise unknown("Channel")
        return who, channel, channel.thread

    async def thread_members(self, request: web.Request) -> web.Response:
        """A thread's members by id, in pages if asked; bots need the intent for members."""
        who, channel, thread = self._thread_in(request)
        if who.user.bot and "members" not in self.core.world.application.privileged:
            raise missing_access()
        paged = rest.flag_asked(request, "with_member") or "limit" in request.query
        limit = rest.number_asked(request, "limit", 100, 1, 100) if paged else None
        after = rest.id_asked(request, "after") or 0
        page = [id for id in sorted(thread.members) if id > after][:limit]
        return rest.answer([self._thread_member(channel, id, request) for id in page])

    def _thread_member(
        self, channel: Channel, user_id: int, request: web.Request
    ) -> ThreadMember | dict[str, Any]:
        payload = self.core.payloads.thread_member(channel, user_id)
        member = self.core.world.member(channel.guild_id, user_id)
        if member is None or not rest.flag_asked(request, "with_member"):
            return payload
        return {**payload, "member": self.core.payloads.member(member)}

    async def thread_member(self, request: web.Request) -> web.Response:
        """A user's membership in a thread; 404 when they are not in it."""
        _, channel, thread = self._thread_in(request)
        user_id = rest.id_in(request, "user_id")
        if user_id not in thread.members:
            raise unknown("Member")
        return rest.answer(self._thread_member(channel, user_id, request))

    async def join(self, request: web.Request) -> web.Response:
        """Join a thread."""
        who, channel, _ = self._thread_in(request)
        self.core.join_thread(channel, who.user.id)
        return rest.nothing()

    async def leave(self, request: web.Request) -> web.Response:
        """Leave a thread."""
        who, channel, _ = self._thread_in(request)
        self.core.leave_thread(channel, who.user.id)
        return rest.nothing()

    async def add_to_thread(self, request: web.Request) -> web.Response:
        """Add a user to a thread; they must be able to see its channel."""
        who, channel, _ = self._thread_in(request)
        self._needs(who, channel, permissions.SEND_MESSAGES)
        user_id = rest.id_in(request, "user_id")
        parent = self.core.world.channel(channel.parent_id or 0)
        if parent is None or not self.core.world.sees(user_id, parent):
            raise missing_access()
        self.core.join_thread(channel, user_id)
        return rest.nothing()

    async def remove_from_thread(self, request: web.Request) -> web.Response:
        """Remove a user from a thread; needs Manage Threads, or to own a private thread."""
        who, channel, thread = self._thread_in(request)
        owns = channel.is_private_thread and thread.owner_id == who.user.id
        if not owns:
            self._needs(who, channel, permissions.MANAGE_THREADS)
        self.core.leave_thread(channel, rest.id_in(request, "user_id"))
        return rest.nothing()


def _name(channel: Channel, name: Any) -> None:
    """Set a channel's name. As in Discord, text channels get lower case and no spaces."""
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    plain = channel.type in (TEXT, NEWS, FORUM)
    channel.name = "-".join(name.lower().split()) if plain else name


def _overwrite(wanted: dict[str, Any]) -> Overwrite:
    return Overwrite(
        id=int(wanted["id"]),
        type=1 if int(wanted.get("type") or 0) == 1 else 0,
        allow=int(wanted.get("allow") or 0),
        deny=int(wanted.get("deny") or 0),
    )


def _is_before(channel: Channel, moment: str) -> bool:
    """Whether a thread was archived before an ISO time (or, for joined ones, an id)."""
    if moment.isdecimal():
        return channel.id < int(moment)
    at = channel.thread.archived_at if channel.thread is not None else 0.0
    return iso(at) < moment.replace("Z", "+00:00")
