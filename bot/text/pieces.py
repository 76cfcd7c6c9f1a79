"""Parts of sentences: counts, names, times, and texts of strangers made safe to show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PureWindowsPath

import discord
from discord.abc import GuildChannel

MESSAGE_LIMIT = 2000  # letters in a message


# What begins or ends something in Discord's markdown: emphasis, code, spoilers, links under other
# words, bare links, invites, mentions, emoji, times, headings, lists, quotes. Discord shows a mark
# after a backslash as it is. A dot counts only after a digit, where it begins a numbered list.
_MARKS = re.compile(r"[\\`*_~|<>\[\]():/@#+-]|(?<=[0-9])\.")
# Characters that turn the writing direction of all that follows, our own words too.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def quoted(words: str, limit: int = 150) -> str:
    """A stranger's text on one line, shown letter by letter: it links, pings and formats nothing.

    limit   letters shown; a backslash before a mark isn't counted
    """
    tidy = " ".join("".join(filter(_is_shown, words)).split())
    short = tidy if len(tidy) <= limit else tidy[: limit - 1].rstrip() + "…"
    return discord.utils.escape_mentions(_MARKS.sub(r"\\\g<0>", short))


def _is_shown(letter: str) -> bool:
    control = unicodedata.category(letter) == "Cc" and not letter.isspace()
    return not control and letter not in _DIRECTIONS


def name_of(channel: GuildChannel) -> str:
    if isinstance(channel, discord.CategoryChannel):  # mentioned, it would look like a channel
        return f"**{quoted(channel.name)}**"
    return channel.mention


def name_of_model(model: str) -> str:
    """A model as members read it: its name on the hub, or the last part of its folder."""
    is_folder = model.startswith(("/", ".", "~")) or "\\" in model
    return PureWindowsPath(model).name if is_folder else model


def i_miss(permissions: Iterable[str]) -> str:
    return f"I am missing {permission_names(permissions)}."


def counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def bar(fraction: float) -> str:
    filled = int(fraction * 10)
    return f"{'▰' * filled}{'▱' * (10 - filled)} {int(fraction * 100)} %"


def time_left(seconds: float | None, status: str = "running") -> str:
    if seconds is None or status != "running":
        return ""
    return f", about {duration(seconds)} left"


def duration(seconds: float) -> str:
    """ "40 s", "12 min", "3 h 5 min", "2 days"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} days"


def fitting(lines: Sequence[str]) -> str:
    """The lines as one message; lines that don't fit are left out, and their number is told."""
    text = "\n".join(lines)
    if len(text) <= MESSAGE_LIMIT:
        return text
    kept: list[str] = []
    room = MESSAGE_LIMIT - len("… and 10,000 lines more")
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, f"… and {len(lines) - len(kept):,} lines more"])


def permission_names(permissions: Iterable[str]) -> str:
    """Permissions as Discord's settings call them: "Manage Server and Embed Links"."""
    names = [_SETTINGS_NAMES.get(name, name.replace("_", " ").title()) for name in permissions]
    *most, last = names
    return f"the permissions {', '.join(most)} and {last}" if most else f"the permission {last}"


_SETTINGS_NAMES = {"manage_guild": "Manage Server", "read_messages": "View Channel"}
