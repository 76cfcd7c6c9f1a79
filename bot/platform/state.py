"""What discord.py keeps of servers and channels, kept also where a part can't be read.

discord.py hands each event of the gateway to a parser. An error in one ends the connection for
good, and with it the bot. Here an event that can't be read is noted and left out. If it told who
may see what, then nothing is shown of what it was about, until Discord tells it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from typing import Any

import discord
from discord.abc import GuildChannel
from discord.state import AutoShardedConnectionState

from bot.platform.unreadable import (
    MESSAGE,
    STAND_INS,
    Note,
    Payload,
    Unread,
    Unreadable,
    complete,
    described,
    essential,
    snowflake,
)

# Without it there is no session. So an error in it ends the bot, with a sentence.
NEEDED = "READY"
# The lists in a server's payload. Of each, only the parts that can't be read are left out.
LISTS = (
    *("roles", "channels", "threads", "members", "voice_states", "presences"),
    *("stage_instances", "guild_scheduled_events", "soundboard_sounds"),
)
# Events that tell who may see what in a whole server, by its roles, or in one channel.
OF_A_SERVER = ("GUILD_CREATE", "GUILD_UPDATE")
OF_A_ROLE = ("GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE")
ALL_ROLES = 0  # in the place of a role's id
OF_A_CHANNEL = ("CHANNEL_CREATE", "CHANNEL_UPDATE")
ABOUT_MESSAGES = ("MESSAGE_CREATE", "MESSAGE_UPDATE")
# What an interaction has at Discord, and other servers may leave out.
INTERACTION = {"version": 1, "attachment_size_limit": 10 * 2**20, "channel": {}}


class _Announced(asyncio.Queue[discord.Guild]):
    """The servers that a shard's start has announced.

    discord.py takes the start for complete when none has come for `guild_ready_timeout`. READY
    names those that come, so it is complete as soon as all of them have.

    awaited   their ids; empty: READY tells of none, and only the time is left to go by
    """

    def __init__(self, awaited: set[int]) -> None:
        super().__init__()
        self._named = bool(awaited)
        self._awaited = awaited

    def put_nowait(self, guild: discord.Guild) -> None:
        super().put_nowait(guild)
        self._awaited.discard(guild.id)

    async def get(self) -> discord.Guild:
        """The next one. raises   TimeoutError, as discord.py's own wait, when there is no other"""
        if self._named and not self._awaited and self.empty():
            raise TimeoutError
        return await super().get()


class State(AutoShardedConnectionState[Any]):
    """discord.py's state.

    note   is told what could not be read
    """

    def __init__(self, *, note: Note, **options: Any) -> None:
        super().__init__(**options)
        self._note = note
        self._unsure: set[int] = set()  # channels whose newest announcement could not be read
        # By server that is closed without an outage: the roles whose newest announcement could not
        # be read, or ALL_ROLES.
        self._unsure_roles: dict[int, set[int]] = {}
        for name, parse in self.parsers.items():
            if name != NEEDED:
                self.parsers[name] = functools.partial(self._parse, name, parse)

    def _parse(self, name: str, parse: Callable[[Any], None], data: Any) -> None:
        """Hand an event to its parser; if it can't be read, note that and go on."""
        try:
            parse(data)
        except Exception as error:
            self._show_nothing_stale(name, data)
            channel, id = _channel_of(name, data), snowflake(data, "id")
            what = MESSAGE if name in ABOUT_MESSAGES else name
            guild = snowflake(data, "guild_id") or (id if name.startswith("GUILD_") else None)
            self._note(Unread(what, guild, channel, id, described(error)))

    def _show_nothing_stale(self, name: str, data: Any) -> None:
        """Trust no permissions that an unreadable event may have changed."""
        if name in OF_A_CHANNEL:
            self._doubt_channel(data)
        if name in OF_A_ROLE:
            self._doubt_role_of(data)
        guild = self._get_guild(snowflake(data, "id"))
        if guild is None:
            return
        if name == "GUILD_CREATE":
            self._close_until_announced(guild)
        elif name == "GUILD_UPDATE":
            self._doubt_role(guild, ALL_ROLES)

    def _doubt_role_of(self, data: Any) -> None:
        """Doubt the role of an event; if it doesn't tell its server, a known role does."""
        role = snowflake(data.get("role"), "id") if isinstance(data, dict) else None
        told = self._get_guild(snowflake(data, "guild_id"))
        known = [guild for guild in self.guilds if role and guild.get_role(role)]
        for guild in [told] if told else known:
            self._doubt_role(guild, role or ALL_ROLES)

    def _close_until_announced(self, guild: discord.Guild) -> None:
        """Show nothing of a server until Discord announces all of it again, as in an outage."""
        self._unsure_roles.pop(guild.id, None)
        guild.unavailable = True

    def _doubt_role(self, guild: discord.Guild, role: int) -> None:
        """Show nothing of a server until this role is told again; during an outage, until its end.

        role   its id, or ALL_ROLES
        """
        if not guild.unavailable:
            self._unsure_roles[guild.id] = set()
        if guild.id in self._unsure_roles:
            self._unsure_roles[guild.id].add(role)
            guild.unavailable = True

    def _trust_role(self, guild_id: int, role: int) -> None:
        """Open a server again when this was the last role in doubt, or stands for all of them."""
        doubts, guild = self._unsure_roles.get(guild_id), self._get_guild(guild_id)
        if doubts is None or guild is None:
            return
        doubts.discard(role)
        if not doubts or role == ALL_ROLES:
            del self._unsure_roles[guild_id]
            guild.unavailable = False

    def _doubt_channel(self, data: Any) -> None:
        """Trust no permissions of a channel; of all channels if nothing tells which one it is."""
        channel, guild = snowflake(data, "id"), self._get_guild(snowflake(data, "guild_id"))
        if channel is not None:
            self._unsure.add(channel)
        elif guild is not None:
            self._unsure.update(channel.id for channel in guild.channels)

    def knows_permissions(self, channel: int) -> bool:
        """Whether the newest announcement of this channel could be read."""
        return channel not in self._unsure

    # ---- a session

    def parse_ready(self, data: Any) -> None:
        if self.shard_count == 1:
            data.setdefault("shard", [0, 1])
        data["guilds"] = [one for one in data.get("guilds") or () if snowflake(one, "id")]
        for guild in data["guilds"]:  # each is announced anew
            self._unsure_roles.pop(int(guild["id"]), None)
        awaited = {int(guild["id"]) for guild in data["guilds"] if guild.get("unavailable")}
        self._ready_states[data["shard"][0]] = _Announced(awaited)
        super().parse_ready(data)

    # ---- servers and channels

    def _get_create_guild(self, data: Any) -> discord.Guild:
        create = super()._get_create_guild
        guild: discord.Guild = self._whole_or_readable(create, data)
        self._unsure_roles.pop(guild.id, None)
        return guild

    def parse_guild_update(self, data: Any) -> None:
        """Read a server's change. It tells all roles, but it ends no outage."""
        guild = self._get_guild(snowflake(data, "id"))
        outage = guild is not None and guild.unavailable
        try:
            self._whole_or_readable(super().parse_guild_update, data)
        finally:
            if guild is not None:
                guild.unavailable = outage
        if guild is not None:
            self._trust_role(guild.id, ALL_ROLES)

    def parse_guild_delete(self, data: Any) -> None:
        self._unsure_roles.pop(int(data["id"]), None)  # an outage ends with an announcement only
        super().parse_guild_delete(data)

    def _whole_or_readable(self, parse: Callable[[Any], Any], data: Any) -> Any:
        """Parse a server's payload; if it can't be read, then without the parts that can't.

        raises   Unreadable if it doesn't tell all roles
        """
        if not data.get("roles"):
            raise Unreadable("a server without roles")
        try:
            readable = self._complete_guild(data)
            parsed = parse(readable)
        except Exception:
            readable = self._readable_guild(data)
            parsed = parse(readable)
        guild = self._get_guild(snowflake(data, "id"))
        if guild is not None and "channels" in readable:
            told = {snowflake(channel, "id") for channel in readable["channels"]}
            self._unsure.update(channel.id for channel in guild.channels)
            self._unsure.difference_update(told)
        return parsed

    def _complete_guild(self, data: Payload) -> Any:
        """A server's payload.

        raises   Unreadable if a part of it doesn't tell who may see what
        """
        lists = {
            key: [self._complete(data["id"], key, part) for part in data[key]]
            for key in STAND_INS
            if data.get(key)
        }
        return {**data, **lists}

    def _complete(self, guild_id: Any, key: str, part: Any) -> Any:
        """The part of a server, after it was checked that it tells who may see what.

        A channel that doesn't tell whether it is age-restricted stays as it was; one that is not
        known counts as age-restricted.

        raises   Unreadable
        """
        guild = self._get_guild(snowflake({"id": guild_id}, "id"))
        id = snowflake(part, "id")
        known = guild.get_channel(id) if guild and id and id not in self._unsure else None
        return complete(key, part, nsfw=getattr(known, "nsfw", True))

    def _readable_guild(self, data: Payload) -> Any:
        """A server's payload without the parts that can't be read.

        raises   Unreadable if one of them is a role: then nobody knows who may see what
        """
        lists = {key: self._readable_parts(data, key) for key in LISTS if data.get(key)}
        return {**data, **lists}

    def _readable_parts(self, data: Payload, key: str) -> list[Any]:
        guild_id = snowflake(data, "id")
        readable: list[Any] = []
        for part in data[key]:
            try:
                readable.append(self._readable_part(data["id"], key, part))
            except Unreadable as error:
                if key == "roles":
                    raise
                what, id = key.removesuffix("s"), snowflake(part, "id")
                self._note(Unread(what, guild_id, _channel_of(what, part), id, str(error)))
        return readable

    def _readable_part(self, guild_id: Any, key: str, part: Any) -> Any:
        """The part, with stand-ins for what is missing if it can't be read otherwise.

        raises   Unreadable
        """
        if key in STAND_INS:
            part = self._complete(guild_id, key, part)
        with contextlib.suppress(Exception):
            return self._tried(guild_id, key, part)
        try:
            return self._tried(guild_id, key, STAND_INS.get(key, {}) | part)
        except Exception as error:
            raise Unreadable(described(error)) from error

    def _tried(self, guild_id: Any, key: str, part: Any) -> Any:
        """The part, after it was read into a server that is thrown away."""
        data: Any = {"id": guild_id, key: [part]}
        discord.Guild(data=data, state=self)
        return part

    def _readable_role(self, data: Any) -> Any:
        return {**data, "role": self._readable_part(data["guild_id"], "roles", data["role"])}

    def parse_guild_role_create(self, data: Any) -> None:
        super().parse_guild_role_create(self._readable_role(data))
        self._trust_role(int(data["guild_id"]), int(data["role"]["id"]))

    def parse_guild_role_update(self, data: Any) -> None:
        guild, id = self._get_guild(int(data["guild_id"])), int(data["role"]["id"])
        if guild is not None and guild.get_role(id) is None:
            self.parse_guild_role_create(data)  # until now it could not be read
            return
        super().parse_guild_role_update(self._readable_role(data))
        self._trust_role(int(data["guild_id"]), id)

    def parse_guild_role_delete(self, data: Any) -> None:
        super().parse_guild_role_delete(data)
        self._trust_role(int(data["guild_id"]), int(data["role_id"]))

    def parse_channel_create(self, data: Any) -> None:
        super().parse_channel_create(self._readable_part(data["guild_id"], "channels", data))
        self._unsure.discard(int(data["id"]))

    def parse_channel_update(self, data: Any) -> None:
        guild = self._get_guild(snowflake(data, "guild_id"))
        if guild is not None and guild.get_channel(int(data["id"])) is None:
            self.parse_channel_create(data)  # until now it could not be read
        else:
            super().parse_channel_update(self._readable_part(data["guild_id"], "channels", data))
            self._unsure.discard(int(data["id"]))

    def parse_thread_create(self, data: Any) -> None:
        super().parse_thread_create(self._readable_part(data["guild_id"], "threads", data))

    def parse_thread_update(self, data: Any) -> None:
        super().parse_thread_update(self._readable_part(data["guild_id"], "threads", data))

    def parse_thread_list_sync(self, data: Any) -> None:
        listed = {"id": data["guild_id"], "threads": data.get("threads") or []}
        threads: Any = self._readable_parts(listed, "threads")
        super().parse_thread_list_sync(data | {"threads": threads})

    def read_thread(self, guild: discord.Guild, data: Any) -> discord.Thread:
        """A thread, as an answer to a request has it.

        raises   Unreadable, which was noted
        """
        try:
            readable = self._readable_part(guild.id, "threads", data)
        except Unreadable as error:
            channel, id = _channel_of("thread", data), snowflake(data, "id")
            self._note(Unread("thread", guild.id, channel, id, str(error)))
            raise
        return discord.Thread(guild=guild, state=self, data=readable)

    # ---- deletions: the ids of what was deleted are enough

    def parse_channel_delete(self, data: Any) -> None:
        """The deletion of a channel that is not known, since it could not be read, is passed on as
        `unknown_channel_delete`, with two ids."""
        data = data | self._server_of(data, "id")
        guild, id = self._get_guild(snowflake(data, "guild_id")), int(data["id"])
        if guild is not None and guild.get_channel(id) is None:
            self.dispatch("unknown_channel_delete", guild.id, id)
        super().parse_channel_delete(data)
        self._unsure.discard(id)

    def parse_thread_delete(self, data: Any) -> None:
        unneeded = {"type": 0, "parent_id": 0}
        super().parse_thread_delete(unneeded | data | self._server_of(data, "id"))

    def parse_message_delete(self, data: Any) -> None:
        super().parse_message_delete({"id": data["id"]} | self._place_of(data))

    def parse_message_delete_bulk(self, data: Any) -> None:
        ids: Any = [snowflake({"id": id}, "id") for id in data["ids"]]
        known = [id for id in ids if id is not None]
        super().parse_message_delete_bulk({"ids": known} | self._place_of(data))

    def _place_of(self, data: Payload) -> Any:
        """The channel and server of messages, as far as they are told; a channel is 0 if not."""
        channel = {"channel_id": snowflake(data, "channel_id") or 0}
        return channel | self._server_of(data, "channel_id")

    def _server_of(self, data: Payload, channel: str) -> dict[str, int]:
        """The server's id of an event; if it has none, that of the channel under this key."""
        guild, id = snowflake(data, "guild_id"), snowflake(data, channel)
        if guild is None and id is not None:
            known = getattr(self.get_channel(id), "guild", None)
            guild = known.id if known is not None else None
        return {} if guild is None else {"guild_id": guild}

    # ---- messages

    def parse_message_create(self, data: Any) -> None:
        data = data | self._server_of(data, "channel_id")
        try:
            super().parse_message_create(data)
        except Exception:
            super().parse_message_create(essential(data))

    def parse_message_update(self, data: Any) -> None:
        """An edit that can't be read is passed on as `unread_edit`, with three ids: perhaps the
        message can be read when it is asked for."""
        data = data | self._server_of(data, "channel_id")
        try:
            super().parse_message_update(data)
        except Exception:
            try:
                super().parse_message_update(essential(data))
            except Exception:
                ids = [snowflake(data, key) for key in ("guild_id", "channel_id", "id")]
                if None in ids:
                    raise
                self.dispatch("unread_edit", *ids)

    def create_message(self, *, channel: Any, data: Any) -> discord.Message:
        """A message, as an answer to a request has it.

        raises   Unreadable, which was noted
        """
        with contextlib.suppress(Exception):  # then it is tried without what holds no pictures
            return super().create_message(channel=channel, data=data)
        try:
            return super().create_message(channel=channel, data=essential(data))
        except Exception as error:
            guild = getattr(channel, "guild", None)
            why, id = described(error), snowflake(data, "id")
            self._note(Unread(MESSAGE, guild.id if guild else None, channel.id, id, why))
            raise Unreadable(f"a message can't be read ({why})") from error

    # ---- commands and buttons

    def parse_interaction_create(self, data: Any) -> None:
        data = {**INTERACTION, "application_id": self.application_id, **data}
        if snowflake(data["channel"], "id") is None:
            data["channel"] = {"id": snowflake(data, "channel_id")}
        if "message" in data:
            data["message"] = self._readable_message(data, data["message"])
        messages = (data.get("data") or {}).get("resolved", {}).get("messages", {})
        messages.update({id: self._readable_message(data, one) for id, one in messages.items()})
        super().parse_interaction_create(data)

    def _readable_message(self, interaction: Payload, message: Any) -> Any:
        """A message of an interaction, whole if it can be read so, else what is essential of it."""
        guild_id = snowflake(interaction, "guild_id")
        channel: Any = discord.PartialMessageable(state=self, id=0, guild_id=guild_id)
        try:
            discord.Message(state=self, channel=channel, data=message)
        except Exception:
            return essential(message)
        return message


def permissions_known(channel: GuildChannel) -> bool:
    """Whether what `channel` tells of permissions is what Discord announced last."""
    state = channel._state
    return not isinstance(state, State) or state.knows_permissions(channel.id)


def _channel_of(what: str, data: Any) -> int | None:
    """The channel whose members may know of an event or a part of a server; None if all may.

    what   an event's name, or a part as "thread"
    """
    kind = what.lower()
    own = "parent_id" if kind.startswith("thread") else "id" if kind.startswith("channel") else ""
    return snowflake(data, "channel_id") or snowflake(data, own)
