"""Parts of sentences: counts, names, times, and texts of strangers made safe to show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import PureWindowsPath

import discord
from discord.abc import GuildChannel

from bot.languages.speech import _, both, number, plural

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


def command(name: str, **options: str) -> str:
    """A command to be typed, with its options, as the reader's Discord shows their names.

    name   such as "channels add"
    """
    typed = [_(word) for word in name.split()]
    typed += [f"{_(option)}:{_(value)}" for option, value in options.items()]
    return f"`/{' '.join(typed)}`"


def cited(words: str, limit: int = 150) -> str:
    """A stranger's text in quotation marks."""
    return _("“{words}”").format(words=quoted(words, limit))


def pictures(count: int) -> str:
    return plural("{n} picture", "{n} pictures", count)


def headed(name: str, said: str) -> str:
    """A name, and what is said of it: "#pets: 3 pictures"."""
    return _("{name}: {said}").format(name=name, said=said)


def followed(said: str, more: str) -> str:
    """What is said, and more on it: "3 pictures indexed; 1 of them damaged"."""
    return _("{said}; {more}").format(said=said, more=more)


def bar(fraction: float) -> str:
    filled = int(fraction * 10)
    return f"{'▰' * filled}{'▱' * (10 - filled)} {percent(int(fraction * 100))}"


def percent(count: int) -> str:
    return _("{n} %").format(n=number(count))


def time_left(seconds: float) -> str:
    return _("about {time} left").format(time=duration(seconds))


def duration(seconds: float) -> str:
    """ "40 s", "12 min", "3 h 5 min", "2 days"."""
    if seconds < 90:
        return _("{n} s").format(n=number(seconds))
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("{n} min").format(n=number(minutes))
    if minutes < 48 * 60:
        hours, minutes = divmod(minutes, 60)
        return _("{hours} h {minutes} min").format(hours=number(hours), minutes=number(minutes))
    return plural("{n} day", "{n} days", minutes // (24 * 60))


def fitting(lines: Sequence[str]) -> str:
    """The lines as one message; lines that don't fit are left out, and their number is told."""
    text = "\n".join(lines)
    if len(text) <= MESSAGE_LIMIT:
        return text
    kept: list[str] = []
    room = MESSAGE_LIMIT - len(_more_lines(10_000))
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, _more_lines(len(lines) - len(kept))])


def _more_lines(left_out: int) -> str:
    return plural("… and {n} line more", "… and {n} lines more", left_out)


def permission_names(permissions: Collection[str]) -> str:
    """Permissions as Discord's settings call them: "Manage Server and Connect"."""
    return both(map(_permission_name, permissions))


def _permission_name(name: str) -> str:
    names = {
        "connect": _("Connect"),
        "embed_links": _("Embed Links"),
        "manage_guild": _("Manage Server"),
        "read_message_history": _("Read Message History"),
        "read_messages": _("View Channel"),
        "send_messages": _("Send Messages"),
        "send_messages_in_threads": _("Send Messages In Threads"),
        "view_channel": _("View Channel"),
    }
    return names.get(name) or name.replace("_", " ").title()
