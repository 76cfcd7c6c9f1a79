"""What Discord, or a server in its place, sends and discord.py can't read.

discord.py gives up a whole message, channel or event if one field is missing or has an unknown
form. Most fields are none that the bot uses. So a part that can't be read is tried once more
without them, and what can't be read even so is left out alone: nothing is concluded from it.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import discord

T = TypeVar("T")
Payload: TypeAlias = Mapping[str, Any]  # as it came

# Fields of a message that hold no pictures, and that the bot can do without.
DISPENSABLE = frozenset(
    {"activity", "application", "call", "interaction", "interaction_metadata", "member", "mentions"}
    | {"message_reference", "poll", "purchase_notification", "reactions", "referenced_message"}
    | {"role_subscription_data", "thread"}
)
MESSAGE = "message"
ACTION_ROW = 1  # the type of a component that holds buttons and no pictures

# What stands for fields that are missing, by the list of a server's payload that has such parts.
# None of them says who may see what: a part without that is not read (`complete`).
STAND_INS: dict[str, dict[str, Any]] = {
    "roles": {"name": ""},
    "channels": {"name": "", "position": 0, "bitrate": 0, "user_limit": 0},
    "threads": {"name": "", "owner_id": "0", "message_count": 0, "member_count": 0},
}
THREAD_TYPES = (10, 11, 12)  # the last one is private
ROLE, PERSON = 0, 1  # the types of an overwrite


class Unreadable(discord.DiscordException):
    """discord.py can't read what Discord sent."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could not be read. An id is None where it has none, or does not tell it."""

    what: str  # MESSAGE, a part of a server as "thread", or the name of an event as "THREAD_CREATE"
    guild: int | None
    channel: int | None
    id: int | None
    why: str

    @property
    def is_event(self) -> bool:
        return self.what.isupper()


Note: TypeAlias = Callable[[Unread], None]


def is_unreadable(error: BaseException) -> bool:
    """Whether `error` arose in discord.py itself, over something that Discord had sent."""
    if isinstance(error, Unreadable | discord.InvalidData):
        return True
    if not isinstance(error, LookupError | TypeError | ValueError | AttributeError):
        return False
    packages = [
        str(frame.f_globals.get("__name__")).split(".")[0]
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    known = [package for package in packages if package in ("discord", "bot", "index")]
    return known[-1:] == ["discord"]


async def readable(answer: Awaitable[T]) -> T:
    """What Discord answers to a request.

    raises   Unreadable, and what `answer` raises
    """
    try:
        return await answer
    except Exception as error:
        if is_unreadable(error):
            raise Unreadable(f"an answer can't be read ({described(error)})") from error
        raise


def described(error: BaseException) -> str:
    """What discord.py stumbled over, as "KeyError: 'size'"."""
    return f"{type(error).__name__}: {error}"


def complete(key: str, part: Any, *, nsfw: bool) -> Any:
    """A role, channel or thread that tells who may see it; discord.py takes silence for "all".

    key      "roles", "channels" or "threads"
    nsfw     whether a channel that doesn't tell it counts as age-restricted
    raises   Unreadable if it doesn't tell it
    """
    if not isinstance(part, dict) or not TELLS[key](part):
        raise Unreadable("it does not tell who may see what")
    if key == "channels" and not isinstance(part.get("nsfw"), bool):
        return part | {"nsfw": nsfw}
    return part


def _channel_tells(channel: Payload) -> bool:
    overwrites = channel.get("permission_overwrites")
    return isinstance(overwrites, list) and all(
        snowflake(one, "id") is not None
        and one.get("type") in (ROLE, PERSON)
        and None not in (snowflake(one, "allow"), snowflake(one, "deny"))
        for one in overwrites
    )


def _thread_tells(thread: Payload) -> bool:
    return snowflake(thread, "parent_id") is not None and thread.get("type") in THREAD_TYPES


def _role_tells(role: Payload) -> bool:
    return snowflake(role, "permissions") is not None


TELLS: dict[str, Callable[[Payload], bool]] = {
    "roles": _role_tells,
    "channels": _channel_tells,
    "threads": _thread_tells,
}


def snowflake(data: object, key: str) -> int | None:
    """The id under `key` of a payload; None if there is none."""
    value = data.get(key) if isinstance(data, Mapping) else None
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None


def essential(message: Payload) -> Any:
    """A message without what holds no pictures and the bot can do without."""
    kept = {key: value for key, value in message.items() if key not in DISPENSABLE}
    if isinstance(kept.get("components"), list):
        kept["components"] = [one for one in kept["components"] if not _is_row(one)]
    return kept


def _is_row(component: object) -> bool:
    return isinstance(component, Mapping) and component.get("type") == ACTION_ROW
