"""What channels and forum posts can be set to: the values that Discord takes, by kind of channel.

Most settings are only kept and given back, since nothing here plays sound or sorts posts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .core import Core
from .errors import ApiError, invalid
from .world import FORUM, NEWS, STAGE, TEXT, VOICE, Channel, Tag

MAX_SLOWMODE_S = 21_600
MAX_TAGS = 20
MAX_APPLIED_TAGS = 5
MAX_TAG_NAME = 20
DURATIONS = (60, 1440, 4320, 10080)  # minutes after which a silent thread is archived

REQUIRE_TAG = 1 << 4  # of a forum: its posts need a tag
PINNED = 1 << 1  # of a forum post

TAG_NEEDED = ApiError(400, 40067, "A tag is required to create a forum post in this channel")

Check = Callable[[str, Any], None]


def _number(least: int, most: int) -> Check:
    def check(path: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise invalid(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        if not least <= value <= most:
            code = "NUMBER_TYPE_MIN" if value < least else "NUMBER_TYPE_MAX"
            raise invalid(path, code, f"int value should be between {least} and {most}.")

    return check


def _choice(*choices: int) -> Check:
    def check(path: str, value: Any) -> None:
        if value not in choices:
            raise invalid(path, "BASE_TYPE_CHOICES", f"Value must be one of {choices}.")

    return check


def _text(most: int) -> Check:
    def check(path: str, value: Any) -> None:
        if not isinstance(value, str) or len(value) > most:
            message = f"Must be {most} or fewer in length."
            raise invalid(path, "BASE_TYPE_MAX_LENGTH", message)

    return check


def _flag(path: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise invalid(path, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")


def _emoji(path: str, value: Any) -> None:
    if not isinstance(value, dict) or not set(value) <= {"emoji_id", "emoji_name"}:
        raise invalid(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")


@dataclass(frozen=True, slots=True)
class Setting:
    """The kinds of channels that have a setting, its check, and what null sets it to."""

    kinds: tuple[int, ...]
    check: Check
    unset: Any = None


WRITTEN, SPOKEN, THREADED = (TEXT, NEWS, FORUM), (VOICE, STAGE), (TEXT, NEWS, FORUM)

# By its name in requests, which is that of the field of `Channel`, too.
SETTINGS = {
    "topic": Setting((*WRITTEN, STAGE), _text(4096)),
    "nsfw": Setting((*WRITTEN, *SPOKEN), _flag, False),
    "rate_limit_per_user": Setting((*WRITTEN, *SPOKEN), _number(0, MAX_SLOWMODE_S), 0),
    "bitrate": Setting(SPOKEN, _number(8000, 384_000), 64_000),
    "user_limit": Setting(SPOKEN, _number(0, 10_000), 0),
    "rtc_region": Setting(SPOKEN, _text(100)),
    "video_quality_mode": Setting(SPOKEN, _choice(1, 2), 1),
    "default_auto_archive_duration": Setting(THREADED, _choice(*DURATIONS)),
    "default_thread_rate_limit_per_user": Setting(THREADED, _number(0, MAX_SLOWMODE_S), 0),
    "default_reaction_emoji": Setting((FORUM,), _emoji),
    "default_sort_order": Setting((FORUM,), _choice(0, 1)),
    "default_forum_layout": Setting((FORUM,), _choice(0, 1, 2), 0),
}


def take(core: Core, channel: Channel, wanted: dict[str, Any]) -> None:
    """Set what a request names. Settings that this kind of channel doesn't have are ignored.

    raises  ApiError 50035 for a value that Discord refuses; then nothing is set
    """
    named = {
        name: (setting.unset if wanted[name] is None else wanted[name])
        for name, setting in SETTINGS.items()
        if name in wanted and channel.type in setting.kinds
    }
    for name, value in named.items():
        if value != SETTINGS[name].unset:
            SETTINGS[name].check(name, value)
    forum = channel.type == FORUM
    if forum and wanted.get("available_tags") is not None:
        channel.tags = _tags(core, channel, wanted["available_tags"])
    if forum and wanted.get("flags") is not None:
        channel.flags = int(wanted["flags"]) & REQUIRE_TAG
    for name, value in named.items():
        setattr(channel, name, value)


def slowmode(wanted: dict[str, Any], default: int) -> int:
    """The seconds that a member waits between two messages of a thread. raises ApiError 50035"""
    value = wanted.get("rate_limit_per_user")
    if value is None:
        return default
    SETTINGS["rate_limit_per_user"].check("rate_limit_per_user", value)
    return int(value)


def _tags(core: Core, forum: Channel, listed: Any) -> list[Tag]:
    """The forum's tags after a request. Those that the request names by id keep it."""
    if not isinstance(listed, list) or len(listed) > MAX_TAGS:
        message = f"Must be {MAX_TAGS} or fewer in length."
        raise invalid("available_tags", "BASE_TYPE_MAX_LENGTH", message)
    known = {tag.id: tag for tag in forum.tags}
    return [
        _tag(f"available_tags.{n}", one, known.get(int(one.get("id") or 0)) or Tag(core.next_id()))
        for n, one in enumerate(listed)
    ]


def _tag(path: str, wanted: dict[str, Any], before: Tag) -> Tag:
    name = wanted.get("name", before.name)
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_TAG_NAME:
        message = f"Must be between 1 and {MAX_TAG_NAME} in length."
        raise invalid(f"{path}.name", "BASE_TYPE_BAD_LENGTH", message)
    emoji_id = wanted.get("emoji_id", before.emoji_id)
    return replace(
        before,
        name=name,
        moderated=bool(wanted.get("moderated", before.moderated)),
        emoji_id=int(emoji_id) if emoji_id else None,
        emoji_name=wanted.get("emoji_name", before.emoji_name),
    )


def applied_tags(forum: Channel | None, listed: Any, *, manages: bool) -> list[int]:
    """The tags of a forum post.

    manages  whether the caller has Manage Threads, which moderated tags need

    raises   ApiError 50035 for too many tags, or one that isn't the forum's; 40067 without a tag
             where the forum requires one
    """
    tags = {tag.id: tag for tag in forum.tags} if forum is not None else {}
    ids = [int(id) for id in listed or []]
    if len(ids) > MAX_APPLIED_TAGS:
        message = f"Must be {MAX_APPLIED_TAGS} or fewer in length."
        raise invalid("applied_tags", "BASE_TYPE_MAX_LENGTH", message)
    if any(id not in tags or (tags[id].moderated and not manages) for id in ids):
        raise invalid("applied_tags", "INVALID_FORUM_TAG", "Invalid tag")
    if forum is not None and forum.flags & REQUIRE_TAG and not ids:
        raise TAG_NEEDED
    return ids
