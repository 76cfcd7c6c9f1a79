"""A world file (JSON) → a World, with errors that name the place in the file.

The format is below. Ids are snowflake strings, and their time is the time of posting. Files are
relative to the world file.

    application  id, name, description, token, bot_user_id, [privileged_intents]
    users        id, username, global_name, avatar, bot, token, about, [locale]
    guilds       id, name, icon, owner_id, [preferred_locale, system_channel_id,
                 public_updates_channel_id],
        roles      id, name, permissions ("int"), color, position, hoist, [managed,
                   mentionable]; the everyone role has the guild's id, the bot's own is managed
        channels   id, type (0 2 4 5 13 15), name, topic, position, parent_id, nsfw,
                   permission_overwrites (id, type, allow, deny)
        threads    id, parent_id, name, type (10 11 12), owner_id, archived, members
        members    user_id, nick, roles, joined_at
        stickers   id, name, file, format_type
        messages   id, channel_id, author_id, content, attachments (id, file, filename, spoiler,
                   description), embeds, components, sticker_ids, reply_to, forward_of
                   (channel_id, message_id), reactions (emoji, count), pinned

An image URL `media:FILE` in embeds and components is a picture of the world that another site
serves. Discord's media proxy, here the sandbox's, shows it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from . import components, media, mentions
from .errors import ApiError, WorldError
from .locales import ENGLISH, LOCALES
from .snowflakes import unix_time
from .world import (
    COMPONENTS_V2,
    FORWARDED,
    HAS_THREAD,
    NEWS_THREAD,
    PRIVATE_THREAD,
    PRIVILEGED,
    PUBLIC_THREAD,
    REPLY,
    SPOILER,
    Application,
    Attachment,
    Channel,
    Guild,
    Member,
    Message,
    Overwrite,
    Reaction,
    Reference,
    Role,
    Sticker,
    Thread,
    User,
    World,
    snapshot_of,
)

CHANNEL_TYPES = (0, 2, 4, 5, 13, 15)
THREAD_TYPES = (NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD)
V2_COMPONENTS = {9, 10, 11, 12, 13, 14, 17}


def load(source: Path | dict[str, Any]) -> World:
    """The World of a file, or of a file's content (then paths are relative to `.`).

    raises  WorldError that names the file and the place in it
    """
    if isinstance(source, dict):
        return _world(_Spot(source, "world"), Path())
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise WorldError(str(source), "there is no such world file") from exc
    except OSError as exc:
        raise WorldError(str(source), f"cannot be read ({exc.strerror})") from exc
    except json.JSONDecodeError as exc:
        spot = f"{source}, line {exc.lineno}, column {exc.colno}"
        raise WorldError(spot, f"not valid JSON ({exc.msg})") from exc
    except UnicodeDecodeError as exc:
        raise WorldError(str(source), "not UTF-8 text") from exc
    if not isinstance(content, dict):
        raise WorldError(str(source), "must be a JSON object with application, users and guilds")
    return _world(_Spot(content, str(source)), source.parent)


class _Spot:
    """A JSON object and its place in the file.

    Each getter returns the value of a key. When it is missing (and there is no default) or of
    another type, the getter raises WorldError with the place.
    """

    def __init__(self, value: dict[str, Any], where: str) -> None:
        self.value = value
        self.where = where

    def wrong(self, key: str, problem: str) -> WorldError:
        return WorldError(f"{self.where}: {key}" if key else self.where, problem)

    def _get(self, key: str, kind: type, said: str, default: Any) -> Any:
        value = self.value.get(key, default)
        if value is ...:
            raise self.wrong(key, "is missing")
        if value is default:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(key, f"must be {said}, not {json.dumps(value)[:80]}")
        return value

    def text(self, key: str, default: Any = ...) -> str:
        return cast("str", self._get(key, str, "a string", default))

    def text_or_none(self, key: str) -> str | None:
        return None if self.value.get(key) is None else self.text(key)

    def locale(self, key: str) -> str:
        value = self.text(key, ENGLISH)
        if value not in LOCALES:
            raise self.wrong(key, f"must be one of {', '.join(LOCALES)}, not {value}")
        return value

    def whole(self, key: str, default: Any = ...) -> int:
        return cast("int", self._get(key, int, "a whole number", default))

    def flag(self, key: str, default: Any = False) -> bool:
        return cast("bool", self._get(key, bool, "true or false", default))

    def one_of(self, key: str, choices: tuple[int, ...], default: Any = ...) -> int:
        value = self.whole(key, default)
        if value not in choices:
            raise self.wrong(key, f"must be one of {', '.join(map(str, choices))}, not {value}")
        return value

    def id(self, key: str, default: Any = ...) -> int:
        return _id(self.text(key, default), f"{self.where}: {key}")

    def id_or_none(self, key: str) -> int | None:
        return None if self.value.get(key) is None else self.id(key)

    def ids(self, key: str) -> list[int]:
        listed = self._get(key, list, "a list of ids", [])
        return [_id(one, f"{self.where}: {key}[{n}]") for n, one in enumerate(listed)]

    def bits(self, key: str) -> int:
        text = self.text(key)
        if not text.isdecimal():
            raise self.wrong(key, f'must be a permission number such as "1024", not "{text}"')
        return int(text)

    def plain(self, key: str) -> list[dict[str, Any]]:
        return [spot.value for spot in self.each(key)]

    def one(self, key: str) -> _Spot:
        return _Spot(self._get(key, dict, "an object", ...), f"{self.where}: {key}")

    def each(self, key: str) -> Iterator[_Spot]:
        for n, value in enumerate(self._get(key, list, "a list", [])):
            where = (
                f"{self.where}: {key}[{n}]"
                if ": " not in self.where
                else (f"{self.where}.{key}[{n}]")
            )
            if not isinstance(value, dict):
                raise WorldError(where, f"must be an object, not {json.dumps(value)[:80]}")
            yield _Spot(value, where)


def _id(value: Any, where: str) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,20}", value):
        raise WorldError(where, f'must be an id such as "1456255637913600001", not {value!r}')
    return int(value)


def _world(spot: _Spot, folder: Path) -> World:
    world = World(_application(spot.one("application")), folder)
    for one in spot.each("users"):
        user = _user(one)
        if user.id in world.users:
            raise one.wrong("id", f"{user.id} is there twice")
        world.users[user.id] = user
        _file(one, "avatar", folder)
    if world.application.bot_user_id not in world.users:
        raise spot.wrong("application", "bot_user_id is not among the users")
    _check_tokens(spot, world)
    for one in spot.each("guilds"):
        _guild(one, world)
    for one in spot.each("guilds"):
        _forwards(one, world)
    return world


def _application(spot: _Spot) -> Application:
    privileged = list(PRIVILEGED)
    if "privileged_intents" in spot.value:
        privileged = spot.value["privileged_intents"]
        if not isinstance(privileged, list) or not set(privileged) <= set(PRIVILEGED):
            raise spot.wrong("privileged_intents", f"must be a list of {', '.join(PRIVILEGED)}")
    return Application(
        id=spot.id("id"),
        name=spot.text("name"),
        description=spot.text("description", ""),
        token=spot.text("token"),
        bot_user_id=spot.id("bot_user_id"),
        privileged=privileged,
    )


def _user(spot: _Spot) -> User:
    return User(
        id=spot.id("id"),
        username=spot.text("username"),
        global_name=spot.text_or_none("global_name"),
        avatar=spot.text_or_none("avatar"),
        bot=spot.flag("bot"),
        token=spot.text("token", ""),
        about=spot.text("about", ""),
        locale=spot.locale("locale"),
    )


def _check_tokens(spot: _Spot, world: World) -> None:
    tokens = [user.token for user in world.users.values() if user.token and not user.bot]
    if len(set(tokens)) < len(tokens):
        raise spot.wrong("users", "two users have the same token")


def _file(spot: _Spot, key: str, folder: Path) -> Path | None:
    """The file that `key` names, which must exist; None when there is no name."""
    name = spot.text_or_none(key)
    if name is None:
        return None
    path = folder / name
    if not path.is_file():
        raise spot.wrong(key, f"there is no file {path}")
    return path


def _guild(spot: _Spot, world: World) -> None:
    guild = Guild(
        id=spot.id("id"),
        name=spot.text("name"),
        owner_id=spot.id("owner_id"),
        icon=spot.text_or_none("icon"),
        preferred_locale=spot.locale("preferred_locale"),
        system_channel_id=spot.id_or_none("system_channel_id"),
        public_updates_channel_id=spot.id_or_none("public_updates_channel_id"),
    )
    _file(spot, "icon", world.folder)
    world.guilds[guild.id] = guild
    guild.roles = {role.id: role for role in map(_role, spot.each("roles"))}
    if guild.id not in guild.roles:
        raise spot.wrong("roles", f"the everyone role (id {guild.id}, the guild's) is missing")
    for one in spot.each("channels"):
        channel = _channel(one, guild)
        guild.channels[channel.id] = channel
    for one in spot.each("channels"):
        if one.value.get("parent_id") is not None and one.id("parent_id") not in guild.channels:
            raise one.wrong("parent_id", f"there is no channel {one.id('parent_id')}")
    for key in ("system_channel_id", "public_updates_channel_id"):
        named = spot.id_or_none(key)
        if named is not None and named not in guild.channels:
            raise spot.wrong(key, f"there is no channel {named}")
    for one in spot.each("threads"):
        thread = _thread(one, guild)
        guild.channels[thread.id] = thread
    for one in spot.each("members"):
        member = _member(one, guild, world)
        guild.members[member.user_id] = member
    if guild.owner_id not in guild.members:
        raise spot.wrong("owner_id", f"{guild.owner_id} is not among the members")
    for one in spot.each("stickers"):
        _file(one, "file", world.folder)
        sticker = _sticker(one, guild)
        guild.stickers[sticker.id] = sticker
    for one in spot.each("messages"):
        world.put_message(_message(one, guild, world))


def _role(spot: _Spot) -> Role:
    return Role(
        id=spot.id("id"),
        name=spot.text("name"),
        permissions=spot.bits("permissions"),
        color=spot.whole("color", 0),
        position=spot.whole("position", 0),
        hoist=spot.flag("hoist"),
        managed=spot.flag("managed"),
        mentionable=spot.flag("mentionable"),
    )


def _channel(spot: _Spot, guild: Guild) -> Channel:
    overwrites = [
        Overwrite(
            id=one.id("id"),
            type=cast("Any", one.one_of("type", (0, 1))),
            allow=one.bits("allow"),
            deny=one.bits("deny"),
        )
        for one in spot.each("permission_overwrites")
    ]
    return Channel(
        id=spot.id("id"),
        guild_id=guild.id,
        type=cast("Any", spot.one_of("type", CHANNEL_TYPES)),
        name=spot.text("name"),
        position=spot.whole("position", 0),
        parent_id=spot.id_or_none("parent_id"),
        topic=spot.text_or_none("topic"),
        nsfw=spot.flag("nsfw"),
        overwrites=overwrites,
    )


def _thread(spot: _Spot, guild: Guild) -> Channel:
    parent_id = spot.id("parent_id")
    if parent_id not in guild.channels:
        raise spot.wrong("parent_id", f"there is no channel {parent_id}")
    id = spot.id("id")
    joined = unix_time(id)
    return Channel(
        id=id,
        guild_id=guild.id,
        type=cast("Any", spot.one_of("type", THREAD_TYPES)),
        name=spot.text("name"),
        parent_id=parent_id,
        thread=Thread(
            owner_id=spot.id("owner_id"),
            archived=spot.flag("archived"),
            archived_at=joined,
            members=dict.fromkeys(spot.ids("members"), joined),
        ),
    )


def _member(spot: _Spot, guild: Guild, world: World) -> Member:
    user_id = spot.id("user_id")
    if user_id not in world.users:
        raise spot.wrong("user_id", f"there is no user {user_id}")
    roles = spot.ids("roles")
    if missing := [role for role in roles if role not in guild.roles]:
        raise spot.wrong("roles", f"there is no role {missing[0]}")
    try:
        joined = datetime.fromisoformat(spot.text("joined_at"))
    except ValueError as exc:
        raise spot.wrong("joined_at", "must be an ISO date such as 2026-01-01T10:00:00Z") from exc
    return Member(guild.id, user_id, roles, spot.text_or_none("nick"), joined.timestamp())


def _sticker(spot: _Spot, guild: Guild) -> Sticker:
    format_type = spot.one_of("format_type", (1, 2, 3, 4), 1)
    return Sticker(
        spot.id("id"), guild.id, spot.text("name"), spot.text("file"), cast("Any", format_type)
    )


def _message(spot: _Spot, guild: Guild, world: World) -> Message:
    channel = guild.channels.get(spot.id("channel_id"))
    if channel is None or not channel.holds_messages:
        raise spot.wrong("channel_id", "is no channel of this guild that holds messages")
    author_id = spot.id("author_id")
    if author_id not in world.users:
        raise spot.wrong("author_id", f"there is no user {author_id}")
    message = Message(
        id=spot.id("id"),
        channel_id=channel.id,
        author_id=author_id,
        content=spot.text("content", ""),
        attachments=[_attachment(one, channel, world) for one in spot.each("attachments")],
        embeds=spot.plain("embeds"),
        components=spot.plain("components"),
        sticker_ids=spot.ids("sticker_ids"),
        reactions=[
            Reaction(one.text("emoji"), nameless=one.whole("count"))
            for one in spot.each("reactions")
        ],
    )
    if spot.flag("pinned"):
        message.pinned_at = unix_time(message.id)
        channel.last_pin_at = max(channel.last_pin_at, message.pinned_at)
    if (reply_to := spot.id_or_none("reply_to")) is not None:
        message.type = REPLY
        message.reference = Reference(0, channel.id, reply_to, guild.id)
    if {component.get("type") for component in message.components} & V2_COMPONENTS:
        message.flags |= COMPONENTS_V2
    try:
        v2 = bool(message.flags & COMPONENTS_V2)
        message.components = components.clean(message.components, v2=v2)
    except ApiError as exc:
        raise spot.wrong("components", json.dumps(exc.errors)) from exc
    if message.id in guild.channels:  # a thread was started from it
        message.flags |= HAS_THREAD
    _check_media(spot, world)
    mentions.note(message, guild)
    return message


def _attachment(spot: _Spot, channel: Channel, world: World) -> Attachment:
    spot.text("file")
    path = cast("Path", _file(spot, "file", world.folder))
    filename = spot.text("filename", path.name)
    flags = SPOILER if spot.flag("spoiler") else 0
    if flags and not filename.startswith("SPOILER_"):
        filename = f"SPOILER_{filename}"
    seen = media.look(path)
    return Attachment(
        id=spot.id("id"),
        channel_id=channel.id,
        filename=filename,
        path=str(path),
        size=path.stat().st_size,
        content_type=seen.content_type,
        width=seen.width,
        height=seen.height,
        description=spot.text_or_none("description"),
        flags=flags | seen.flags,
    )


def _check_media(spot: _Spot, world: World) -> None:
    """Check that each `media:` URL in a message names a file of the world."""
    for name in re.findall(r'"media:([^"]+)"', json.dumps(spot.value)):
        if not (world.folder / name).is_file():
            raise WorldError(spot.where, f"media:{name} names no file")


def _forwards(spot: _Spot, world: World) -> None:
    """Fill in forwards, when all messages are read."""
    for one in spot.each("messages"):
        if one.value.get("forward_of") is None:
            continue
        target = one.one("forward_of")
        channel = world.channel(target.id("channel_id"))
        original = world.message(target.id("channel_id"), target.id("message_id"))
        if channel is None or original is None:
            raise one.wrong("forward_of", "names no message of this world")
        message = cast("Message", world.message(one.id("channel_id"), one.id("id")))
        message.reference = Reference(1, channel.id, original.id, channel.guild_id)
        message.snapshot = snapshot_of(original)
        message.flags |= FORWARDED
        world.put_message(message)
