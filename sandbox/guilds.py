"""Routes on users, guilds, roles, members, stickers and the search in messages."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import permissions, rest
from .core import Core
from .errors import ApiError, invalid, missing_access, missing_permissions, unknown
from .locales import ENGLISH, LOCALES
from .payloads import asset_hash, base_permissions, everybody
from .rest import Caller
from .world import Guild, Member, Message, Role

if TYPE_CHECKING:
    from discord.types.gateway import GatewayBot, GuildRoleDeleteEvent

MAX_SEARCH_OFFSET = 9975
MAX_NAME = 100  # of a guild
AUTHORIZED = "https://discord.com/oauth2/authorized"

NOT_IN_VOICE = ApiError(400, 40032, "Target user is not connected to voice.")


class GuildRoutes:
    """/users, /gateway, /guilds/{guild_id} and /stickers."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        one = "/guilds/{guild_id}"
        member, role = f"{one}/members/{{user_id}}", f"{one}/roles/{{role_id}}"
        return [
            web.get("/gateway", self.gateway),
            web.get("/gateway/bot", self.gateway_bot),
            web.get("/oauth2/applications/@me", self.application),
            web.get("/applications/@me", self.application),
            web.post("/oauth2/authorize", self.authorize),
            web.get("/users/@me", self.me),
            web.patch("/users/@me/settings", self.change_settings),
            web.get("/users/@me/guilds", self.my_guilds),
            web.delete("/users/@me/guilds/{guild_id}", self.leave),
            web.get("/users/{user_id}", self.user),
            web.get(one, self.read),
            web.patch(one, self.change),
            web.get(f"{one}/roles", self.roles),
            web.post(f"{one}/roles", self.make_role),
            web.patch(f"{one}/roles", self.move_roles),
            web.get(f"{one}/roles/member-counts", self.role_counts),
            web.get(role, self.role),
            web.patch(role, self.change_role),
            web.delete(role, self.delete_role),
            web.get(f"{one}/members", self.members),
            web.get(f"{one}/members/search", self.search_members),
            web.get(member, self.member),
            web.patch(f"{one}/members/@me", self.change_me),
            web.patch(member, self.change_member),
            web.delete(member, self.kick),
            web.put(f"{member}/roles/{{role_id}}", self.give_role),
            web.delete(f"{member}/roles/{{role_id}}", self.take_role),
            web.get(f"{one}/messages/search", self.search),
            web.get(f"{one}/stickers", self.stickers),
            web.get(f"{one}/stickers/{{sticker_id}}", self.sticker_of_guild),
            web.get("/stickers/{sticker_id}", self.sticker),
        ]

    # the caller

    async def gateway(self, _: web.Request) -> web.Response:
        """The gateway's address."""
        return rest.answer({"url": self.core.gateway.url})

    async def gateway_bot(self, request: web.Request) -> web.Response:
        """The gateway's address and the number of shards."""
        rest.caller(self.core, request)
        payload: GatewayBot = {
            "url": self.core.gateway.url,
            "shards": self.core.shards,
            "session_start_limit": {
                "total": 1000,
                "remaining": 1000,
                "reset_after": 86_400_000,
                "max_concurrency": 1,
            },
        }
        return rest.answer(payload)

    async def application(self, request: web.Request) -> web.Response:
        """The bot's own application."""
        if not rest.caller(self.core, request).user.bot:
            raise ApiError(403, 20002, "Only bots can use this endpoint")
        return rest.answer(self.core.payloads.application())

    async def authorize(self, request: web.Request) -> web.Response:
        """Add the application to a guild, as a person does who followed its invite link: its bot
        joins with a role of the permissions that were granted."""
        who, world = rest.caller(self.core, request), self.core.world
        if who.user.bot:
            raise ApiError(403, 20001, "Bots cannot use this endpoint")
        if rest.id_asked(request, "client_id") != world.application.id:
            raise unknown("Application")
        wanted = (await rest.body_of(request)).json
        guild_id, granted = int(wanted.get("guild_id") or 0), int(wanted.get("permissions") or 0)
        guild = rest.guild_allowed(self.core, who, guild_id, permissions.MANAGE_GUILD)
        if not wanted.get("authorize"):
            return rest.answer({"location": AUTHORIZED + "?error=access_denied"})
        bot = world.bot.id
        if bot not in guild.members:
            role = Role(self.core.next_id(), world.application.name, granted, managed=True)
            role.position = len(guild.roles)
            guild.roles[role.id] = role
            self._tell_role(guild, role, "GUILD_ROLE_CREATE")
            self.core.member_came(Member(guild.id, bot, [role.id], joined_at=time.time()))
        return rest.answer({"location": AUTHORIZED})

    async def me(self, request: web.Request) -> web.Response:
        """The caller's own user."""
        return rest.answer(self.core.payloads.me(rest.caller(self.core, request).user))

    async def change_settings(self, request: web.Request) -> web.Response:
        """The language of a person's client; it has no other settings here."""
        user = rest.caller(self.core, request).user
        locale = (await rest.body_of(request)).json.get("locale", user.locale)
        if user.bot:
            raise ApiError(403, 20001, "Bots cannot use this endpoint")
        user.locale = _known(locale, "locale")
        self.core.gateway.emit("USER_UPDATE", dict(self.core.payloads.me(user)), only={user.id})
        return rest.answer({"locale": locale})

    async def user(self, request: web.Request) -> web.Response:
        """Any user."""
        rest.caller(self.core, request)
        user = self.core.world.users.get(rest.id_in(request, "user_id"))
        if user is None:
            raise unknown("User")
        return rest.answer(self.core.payloads.user(user))

    async def my_guilds(self, request: web.Request) -> web.Response:
        """A page of the guilds that the caller is in, by id."""
        who = rest.caller(self.core, request)
        limit = rest.number_asked(request, "limit", 200, 1, 200)
        before, after = rest.id_asked(request, "before"), rest.id_asked(request, "after") or 0
        mine = [
            one
            for one in sorted(self.core.world.guilds.values(), key=lambda guild: guild.id)
            if who.user.id in one.members and after < one.id and (before is None or one.id < before)
        ]
        page = mine[:limit] if before is None else mine[-limit:]
        return rest.answer([self._brief(one, who, request) for one in page])

    def _brief(self, guild: Guild, who: Caller, request: web.Request) -> dict[str, Any]:
        return {
            "id": str(guild.id),
            "name": guild.name,
            "icon": asset_hash(guild.icon),
            "banner": None,
            "owner": guild.owner_id == who.user.id,
            "permissions": base_permissions(guild, guild.members[who.user.id]),
            "features": [],
            **_counts(guild, request),
        }

    async def leave(self, request: web.Request) -> web.Response:
        """Leave a guild."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        self.core.member_gone(guild, who.user.id)
        return rest.nothing()

    # guilds and roles

    async def read(self, request: web.Request) -> web.Response:
        """One guild."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        return rest.answer({**self.core.payloads.guild(guild), **_counts(guild, request)})

    async def change(self, request: web.Request) -> web.Response:
        """Change a guild's name or language; needs Manage Server. It has no other settings here."""
        guild = self._managed(request, permissions.MANAGE_GUILD)
        wanted = (await rest.body_of(request)).json
        name, locale = wanted.get("name", guild.name), wanted.get("preferred_locale") or ENGLISH
        if not isinstance(name, str) or not 2 <= len(name.strip()) <= MAX_NAME:
            message = f"Must be between 2 and {MAX_NAME} in length."
            raise invalid("name", "BASE_TYPE_BAD_LENGTH", message)
        if "preferred_locale" in wanted:
            guild.preferred_locale = _known(locale, "preferred_locale")
        guild.name = name.strip()
        self.core.journal.guild(guild)
        payload = self.core.payloads.guild(guild)
        self.core.gateway.emit("GUILD_UPDATE", dict(payload), guild=guild)
        return rest.answer(payload)

    async def roles(self, request: web.Request) -> web.Response:
        """A guild's roles."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        return rest.answer([self.core.payloads.role(guild, one) for one in guild.roles.values()])

    async def make_role(self, request: web.Request) -> web.Response:
        """Create a role; needs Manage Roles."""
        guild = self._managed(request, permissions.MANAGE_ROLES)
        wanted = (await rest.body_of(request)).json
        everyone = guild.roles[guild.id].permissions
        role = Role(self.core.next_id(), "new role", everyone, position=len(guild.roles))
        _set_role(role, wanted)
        guild.roles[role.id] = role
        self._tell_role(guild, role, "GUILD_ROLE_CREATE")
        return rest.answer(self.core.payloads.role(guild, role))

    async def role(self, request: web.Request) -> web.Response:
        """One role."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        return rest.answer(self.core.payloads.role(guild, self._role(guild, request)))

    async def role_counts(self, request: web.Request) -> web.Response:
        """How many members have each role, by its id; not for the everyone role."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        counts = dict.fromkeys((str(id) for id in guild.roles if id != guild.id), 0)
        for member in guild.members.values():
            for id in member.roles:
                counts[str(id)] += 1
        return rest.answer(counts)

    async def move_roles(self, request: web.Request) -> web.Response:
        """Change the order of roles; needs Manage Roles."""
        guild = self._managed(request, permissions.MANAGE_ROLES)
        for id, wanted in rest.order_asked(request):
            role = guild.roles.get(id)
            if role is None:
                raise unknown("Role")
            if wanted.get("position") is not None:
                role.position = int(wanted["position"])
            self._tell_role(guild, role, "GUILD_ROLE_UPDATE")
        return await self.roles(request)

    async def change_role(self, request: web.Request) -> web.Response:
        """Change a role; needs Manage Roles."""
        guild = self._managed(request, permissions.MANAGE_ROLES)
        role = self._role(guild, request)
        _set_role(role, (await rest.body_of(request)).json)
        self._tell_role(guild, role, "GUILD_ROLE_UPDATE")
        return rest.answer(self.core.payloads.role(guild, role))

    async def delete_role(self, request: web.Request) -> web.Response:
        """Delete a role; needs Manage Roles."""
        guild = self._managed(request, permissions.MANAGE_ROLES)
        role = self._role(guild, request)
        if role.id == guild.id or role.managed:
            raise missing_permissions()
        del guild.roles[role.id]
        self.core.journal.role_gone(guild, role.id)
        for member in guild.members.values():
            if role.id in member.roles:
                member.roles.remove(role.id)
                self.core.journal.member(member)
        event: GuildRoleDeleteEvent = {"guild_id": str(guild.id), "role_id": str(role.id)}
        self.core.gateway.emit("GUILD_ROLE_DELETE", event, guild=guild)
        self.core.gateway.sync_channels(guild)
        return rest.nothing()

    def _managed(self, request: web.Request, permission: int) -> Guild:
        who = rest.caller(self.core, request)
        return rest.guild_allowed(self.core, who, rest.id_in(request, "guild_id"), permission)

    def _role(self, guild: Guild, request: web.Request) -> Role:
        role = guild.roles.get(rest.id_in(request, "role_id"))
        if role is None:
            raise unknown("Role")
        return role

    def _tell_role(self, guild: Guild, role: Role, name: str) -> None:
        self.core.journal.role(guild, role)
        event = {"guild_id": str(guild.id), "role": self.core.payloads.role(guild, role)}
        self.core.gateway.emit(name, event, guild=guild)
        self.core.gateway.sync_channels(guild)

    # members

    async def members(self, request: web.Request) -> web.Response:
        """A guild's members by id; bots need the intent for members."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        if who.user.bot and "members" not in self.core.world.application.privileged:
            raise missing_access()
        limit = rest.number_asked(request, "limit", 1, 1, 1000)
        after = rest.id_asked(request, "after") or 0
        page = [one for one in everybody(guild) if one.user_id > after][:limit]
        return rest.answer([self.core.payloads.member(one) for one in page])

    async def search_members(self, request: web.Request) -> web.Response:
        """Members whose name or nickname begins with the query."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        query = request.query.get("query", "").lower()
        limit = rest.number_asked(request, "limit", 1, 1, 1000)
        found = [one for one in everybody(guild) if self._called(one, query)]
        return rest.answer([self.core.payloads.member(one) for one in found[:limit]])

    def _called(self, member: Member, query: str) -> bool:
        user = self.core.world.users[member.user_id]
        names = (user.username, user.global_name or "", member.nick or "")
        return any(name.lower().startswith(query) for name in names)

    def _member(self, guild: Guild, request: web.Request) -> Member:
        member = guild.members.get(rest.id_in(request, "user_id"))
        if member is None:
            raise unknown("Member")
        return member

    async def member(self, request: web.Request) -> web.Response:
        """One member."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        return rest.answer(self.core.payloads.member(self._member(guild, request)))

    async def change_me(self, request: web.Request) -> web.Response:
        """Change the caller's own nickname."""
        who = rest.caller(self.core, request)
        _, member = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        wanted = (await rest.body_of(request)).json
        member.nick = wanted.get("nick", member.nick) or None
        self.core.member_changed(member)
        return rest.answer(self.core.payloads.member(member))

    async def change_member(self, request: web.Request) -> web.Response:
        """Change a member's roles, nickname or timeout.

        It needs Manage Roles, Manage Nicknames or Moderate Members.
        """
        wanted = (await rest.body_of(request)).json
        if {"mute", "deaf", "channel_id"} & set(wanted):
            raise NOT_IN_VOICE
        if "roles" in wanted:
            guild = self._managed(request, permissions.MANAGE_ROLES)
        elif "communication_disabled_until" in wanted:
            guild = self._managed(request, permissions.MODERATE_MEMBERS)
        else:
            guild = self._managed(request, permissions.MANAGE_NICKNAMES)
        member = self._member(guild, request)
        if "nick" in wanted:
            self._managed(request, permissions.MANAGE_NICKNAMES)
            member.nick = wanted["nick"] or None
        if "communication_disabled_until" in wanted:
            self._managed(request, permissions.MODERATE_MEMBERS)
            until = wanted["communication_disabled_until"]
            member.timed_out_until = datetime.fromisoformat(until).timestamp() if until else 0.0
        if wanted.get("roles") is not None:
            member.roles = [int(id) for id in wanted["roles"] if int(id) in guild.roles]
        self.core.member_changed(member)
        return rest.answer(self.core.payloads.member(member))

    async def kick(self, request: web.Request) -> web.Response:
        """Remove a member; needs Kick Members."""
        guild = self._managed(request, permissions.KICK_MEMBERS)
        member = self._member(guild, request)
        if member.user_id == guild.owner_id:
            raise missing_permissions()
        self.core.member_gone(guild, member.user_id)
        return rest.nothing()

    async def give_role(self, request: web.Request) -> web.Response:
        """Give a member a role; needs Manage Roles."""
        guild = self._managed(request, permissions.MANAGE_ROLES)
        member, role = self._member(guild, request), self._role(guild, request)
        if role.id not in member.roles:
            member.roles.append(role.id)
            self.core.member_changed(member)
        return rest.nothing()

    async def take_role(self, request: web.Request) -> web.Response:
        """Take a role from a member; needs Manage Roles."""
        guild = self._managed(request, permissions.MANAGE_ROLES)
        member, role = self._member(guild, request), self._role(guild, request)
        if role.id in member.roles:
            member.roles.remove(role.id)
            self.core.member_changed(member)
        return rest.nothing()

    # stickers

    async def stickers(self, request: web.Request) -> web.Response:
        """A guild's stickers."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        payload = [self.core.payloads.guild_sticker(one) for one in guild.stickers.values()]
        return rest.answer(payload)

    async def sticker_of_guild(self, request: web.Request) -> web.Response:
        """One of a guild's stickers."""
        who = rest.caller(self.core, request)
        rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        return await self.sticker(request)

    async def sticker(self, request: web.Request) -> web.Response:
        """A sticker of any guild."""
        rest.caller(self.core, request)
        sticker = self.core.world.sticker(rest.id_in(request, "sticker_id"))
        if sticker is None:
            raise unknown("Sticker")
        return rest.answer(self.core.payloads.guild_sticker(sticker))

    # search

    async def search(self, request: web.Request) -> web.Response:
        """Matching messages, newest first, each in its own list; 202 while indexing."""
        who = rest.caller(self.core, request)
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        if (wait_s := self.core.search_ready_at - time.monotonic()) > 0:
            body = {
                "message": "Index not yet available. Try again later",
                "code": 110000,
                "documents_indexed": 0,
                "retry_after": max(1, round(wait_s)),
            }
            return rest.answer(body, 202)
        limit = rest.number_asked(request, "limit", 25, 1, 25)
        offset = rest.number_asked(request, "offset", 0, 0, MAX_SEARCH_OFFSET)
        found = self._found(who, guild, request)
        found.sort(key=lambda one: one.id, reverse=request.query.get("sort_order") != "asc")
        viewer = who.viewer(self.core)
        page = found[offset : offset + limit]
        messages = [[{**self.core.payloads.message(one, viewer), "hit": True}] for one in page]
        body = {
            "total_results": len(found),
            "messages": messages,
            "doing_deep_historical_index": False,
            "documents_indexed": None,
        }
        return rest.answer(body)

    def _found(self, who: Caller, guild: Guild, request: web.Request) -> list[Message]:
        query = request.query
        channels = [
            one
            for one in guild.channels.values()
            if self.core.world.reads(who.user.id, one)
            and rest.may(self.core, who, one, permissions.READ_MESSAGE_HISTORY)
            and (one.id in map(int, query.getall("channel_id", [])) or "channel_id" not in query)
        ]
        least = rest.id_asked(request, "min_id") or 0
        most = rest.id_asked(request, "max_id") or 1 << 63
        return [
            message
            for channel in channels
            for message in self.core.world.messages(channel.id)
            if least < message.id < most and self._matches(message, request)
        ]

    def _matches(self, message: Message, request: web.Request) -> bool:
        query = request.query
        if query.get("content", "").lower() not in message.content.lower():
            return False
        authors = query.getall("author_id", [])
        if authors and str(message.author_id) not in authors:
            return False
        return all(_has(message, what) for what in query.getall("has", []))


def _known(locale: str, field: str) -> str:
    """A language of Discord's clients. raises ApiError 50035"""
    if locale not in LOCALES:
        message = f"Value must be one of {set(LOCALES)}."
        raise invalid(field, "BASE_TYPE_CHOICES", message)
    return locale


def _counts(guild: Guild, request: web.Request) -> dict[str, int]:
    """The number of members, if the request asks for it. All count as online."""
    if not rest.flag_asked(request, "with_counts"):
        return {}
    count = len(guild.members)
    return {"approximate_member_count": count, "approximate_presence_count": count}


def _has(message: Message, what: str) -> bool:
    pictured = any((one.content_type).startswith("image/") for one in message.attachments)
    embedded = any("image" in one or "thumbnail" in one for one in message.embeds)
    known = {
        "image": pictured or embedded,
        "file": bool(message.attachments),
        "embed": bool(message.embeds),
        "link": "http" in message.content,
        "sticker": bool(message.sticker_ids),
        "snapshot": message.snapshot is not None,
    }
    wanted = known.get(what.removeprefix("-"), False)
    return not wanted if what.startswith("-") else wanted


def _set_role(role: Role, wanted: dict[str, Any]) -> None:
    role.name = wanted.get("name") or role.name
    if wanted.get("color") is not None:
        role.color = int(wanted["color"])
        role.secondary_color = role.tertiary_color = None
    if (colors := wanted.get("colors")) is not None:
        role.color = int(colors.get("primary_color") or 0)
        role.secondary_color = colors.get("secondary_color")
        role.tertiary_color = colors.get("tertiary_color")
    role.unicode_emoji = wanted.get("unicode_emoji", role.unicode_emoji) or None
    role.hoist = bool(wanted.get("hoist", role.hoist))
    role.mentionable = bool(wanted.get("mentionable", role.mentionable))
    if wanted.get("permissions") is not None:
        role.permissions = int(wanted["permissions"])
