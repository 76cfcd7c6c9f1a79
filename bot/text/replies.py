"""Every sentence that a member or an admin reads."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.abc import GuildChannel

from bot.media.download import DownloadError
from bot.ops.logs import fields
from index import (
    EmptyQuery,
    GalleryClosed,
    GalleryError,
    LinkGone,
    ModelChanged,
    PictureError,
    StoreFull,
    StoreLocked,
)

if TYPE_CHECKING:
    from bot.reindex.run import State
    from bot.sync.backlog import Progress

log = logging.getLogger(__name__)

# ── Asking ───────────────────────────────────────────────────────────────────────────────

NOT_IN_A_SERVER = "I look for pictures within a server, so please ask me there."
ASK_SOMETHING = "Tell me what to look for: a few words, a picture, or both."
HELP = (
    "Tell me what to look for and I will find it among the pictures posted here. You can\n"
    "- write `@Magpie dog in snow`\n"
    "- reply to a picture with `@Magpie`, or with `@Magpie but at night`\n"
    "- post a picture with `@Magpie`\n"
    "- use `/find`, whose answer only you see"
)
NO_PICTURE_THERE = (
    "That message shows no picture. Choose one with a picture in it, "
    "or describe what you look for with `/find`."
)
ONLY_LINKS = (
    "I cannot look behind a link by itself. Once Discord shows its picture, reply to that "
    "message with `@Magpie`; or attach the picture here."
)
PICTURE_GONE = "That picture is no longer there, or no longer open to you."
SEARCH_GONE = "I have forgotten this search; they are kept for seven days. Please ask again."


def too_many_questions(seconds: int, *, server: bool) -> str:
    """A member, or all of a server, asked more than a minute allows."""
    who = "This server is" if server else "You are"
    return f"{who} asking faster than I can look. Please try again in {_count(seconds, 'second')}."


NOT_YOURS = "These are somebody else’s results. Ask with `/find` to get your own."
WHO_ARE_YOU = (
    "Discord did not tell me your roles, so I cannot know what you may see. "
    "`/find` does the same and will work."
)
OUTAGE = (
    "Discord has an outage here and does not tell me who may see what, so I show nothing. "
    "Please ask again when it is over."
)

# ── Finding nothing ──────────────────────────────────────────────────────────────────────

NOTHING_FOUND = "I found no picture for this in the channels you can read."
NOTHING_MORE = "That was all: there are no more pictures for this."
NOTHING_READABLE = (
    "None of the channels I watch is open to you here, so there is nothing I could show you."
)
NOTHING_SHARED = "I found nothing to show here."
NOT_INDEXED_YET = "I have not indexed any picture in the channels you can read."
UNREACHABLE = (
    "I found pictures, but Discord did not let me read their messages just now. "
    "Please ask again in a minute."
)

# Said under each public answer, whether or not anything was left out.
ONLY_SHARED = (
    "Here I show only what everyone in this channel may see. "
    "The button searches all that you can read."
)

# Said in place of the buttons that would need a question to be kept.
NO_BUTTONS = "I cannot keep this question just now, so there is no button for more."


def no_channels(may_add: bool) -> str:
    """No channel is watched; `may_add`: whether the reader may change that."""
    if may_add:
        return (
            "I don’t watch any channel here yet. Add one with `/channels add`, and I will "
            "index the pictures posted in it, old ones too."
        )
    return (
        "I don’t watch any channel here yet. Somebody with the Manage Server permission can "
        "add one with `/channels add`."
    )


def still_indexing(percent: int | None) -> str:
    """How far the history is read; no counts, since they would tell of closed channels."""
    if percent is None:
        return "I am still reading the older messages; some pictures may be missing yet."
    return (
        f"I am still reading the older messages, about {percent} % done; "
        "some pictures may be missing yet."
    )


def truncated(words_read: str) -> str:
    """The question was longer than the model reads."""
    return f"That was long; I read as far as “{quoted(words_read[-80:])}”."


def heading(words: str, picture: bool, *, first: bool = True, url: str | None = None) -> str:
    """What was asked: words, a picture (whose message is at `url`), or both.

    first   whether this is the beginning of the answer
    """
    this = f"[this picture]({url})" if url else "this picture"
    said = f"“{quoted(words)}”"
    what = f"{this} and {said}" if picture and words else this if picture else said
    return f"{'Closest to' if first else 'More for'} {what}"


def span(first: int, last: int, more: bool) -> str:
    """Which of the ranking are shown, counted from 1."""
    shown = f"Pictures {first}–{last}" if last > first else f"Picture {first}"
    return f"{shown}, best first" if more or first == last else f"{shown}, best first; that is all"


def several_pictures(chosen: int, count: int) -> str:
    return f"The message shows {count} pictures; this is for number {chosen + 1}. The others:"


def quoted(words: str, limit: int = 150) -> str:
    """Somebody's words, safe to show inside a sentence."""
    tidy = " ".join(words.split())
    short = tidy if len(tidy) <= limit else tidy[: limit - 1].rstrip() + "…"
    return discord.utils.escape_mentions(discord.utils.escape_markdown(short))


# ── What went wrong ──────────────────────────────────────────────────────────────────────

RESTARTING = "I am just restarting. Please ask again in a minute."
DISCORD_TROUBLE = "Discord is having trouble right now. Please try again in a minute."
DISK_FULL = "My disk is full, so I could not do that; searching still works."
FILE_IN_USE = "Another program holds my file, so I could not do that just now."
SOMETHING_WRONG = "Something went wrong on my side."
TOO_SLOW = "That took too long, so I gave up. Please try again in a minute."
COMMANDS_CHANGED = "My commands have just changed. Reload Discord (Ctrl+R) and try again."
NOT_PERMITTED = (
    "Discord does not let me do that here: I am missing a permission in this channel. "
    "Somebody who manages the server can give it to my role."
)
NOT_ALLOWED = "That command is not open to you here."


class Refusal(Exception):
    """What was asked cannot be had; its text is the sentence to say."""


UNKNOWN_CHANNEL, UNKNOWN_MESSAGE = 10003, 10008  # Discord's error codes
UNKNOWN_INTERACTION = 10062
MISSING_ACCESS, MISSING_PERMISSIONS = 50001, 50013


def sentence(error: BaseException) -> str:
    """What to tell whoever ran into `error`.

    What nobody expected, and what only the operator can mend, is logged with its traceback
    under a short reference that the sentence names.
    """
    return _expected(error) or _referenced(error)


def _expected(error: BaseException) -> str | None:
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, app_commands.AppCommandError):
        return _of_command(error)
    if isinstance(error, GalleryError):
        return _of_gallery(error)
    if isinstance(error, discord.HTTPException):
        return _of_discord(error)
    if isinstance(error, DownloadError | Refusal):
        return str(error)
    return TOO_SLOW if isinstance(error, TimeoutError) else None


def _of_gallery(error: GalleryError) -> str | None:
    if isinstance(error, EmptyQuery):
        return ASK_SOMETHING
    if isinstance(error, LinkGone):
        return PICTURE_GONE
    if isinstance(error, GalleryClosed):
        return RESTARTING
    if isinstance(error, PictureError | ModelChanged):
        return str(error)
    return None  # trouble with the model or the store: its text names files of the machine


def _of_discord(error: discord.HTTPException) -> str | None:
    if error.code in (MISSING_ACCESS, MISSING_PERMISSIONS):
        return NOT_PERMITTED
    if error.code in (UNKNOWN_CHANNEL, UNKNOWN_MESSAGE):
        return PICTURE_GONE
    return DISCORD_TROUBLE if error.status >= 500 or error.status == 429 else None


def _of_command(error: app_commands.AppCommandError) -> str | None:
    if isinstance(error, app_commands.NoPrivateMessage):
        return NOT_IN_A_SERVER
    if isinstance(error, app_commands.MissingPermissions):
        return f"You need {_named(error.missing_permissions)} for that."
    if isinstance(error, app_commands.BotMissingPermissions):
        return f"I need {_named(error.missing_permissions)} here for that."
    if isinstance(error, app_commands.CommandOnCooldown):
        return f"That was quick. Please wait {error.retry_after:.0f} seconds."
    if isinstance(error, app_commands.TransformerError):
        return f"I cannot make sense of “{quoted(str(error.value))}” there."
    if isinstance(error, app_commands.CheckFailure):
        return NOT_ALLOWED
    if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        return COMMANDS_CHANGED
    return None


def _named(permissions: Iterable[str]) -> str:
    """Permissions as Discord's settings call them: "Manage Server and Embed Links"."""
    names = [_SETTINGS_NAMES.get(name, name.replace("_", " ").title()) for name in permissions]
    *most, last = names
    return f"the permissions {', '.join(most)} and {last}" if most else f"the permission {last}"


_SETTINGS_NAMES = {"manage_guild": "Manage Server", "read_messages": "View Channel"}


def _referenced(error: BaseException) -> str:
    reference = secrets.token_hex(3)
    log.error(fields("unexpected_error", reference=reference), exc_info=error)
    return (
        f"{_what_happened(error)} Whoever runs me finds the details in my log under `{reference}`."
    )


def _what_happened(error: BaseException) -> str:
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, StoreFull):
        return DISK_FULL
    return FILE_IN_USE if isinstance(error, StoreLocked) else SOMETHING_WRONG


# ── Privacy ──────────────────────────────────────────────────────────────────────────────


def privacy(*, pictures: int, searches: int, days: int | None, opted_out: bool) -> str:
    """What /privacy status answers."""
    until = f"for {_count(days, 'day')}" if days else "for as long as their message is there"
    lines = [
        "**Kept about you on this server**",
        f"- {_count(pictures, 'picture')} that you posted: for each a link to the message, its "
        "time, your id, the file’s name, a fingerprint, and numbers that stand for what is in it; "
        f"not the picture. Pictures are kept {until}.",
        f"- {_count(searches, 'question')} that you asked, for the buttons below the answers. "
        "They are kept for seven days.",
    ]
    if opted_out:
        lines.append(
            "You have opted out: none of your pictures is taken. `/privacy opt-in` ends that."
        )
    else:
        lines.append(
            "`/privacy opt-out` erases your pictures and takes no more, `/privacy erase` only "
            "erases, `/privacy export` gives you all of it as a file."
        )
    return "\n".join(lines)


def opted_out(pictures: int) -> str:
    return (
        f"Done: {_count(pictures, 'picture')} of yours erased from the index of this server, with "
        "your questions, and no picture of yours is taken from now on. The messages themselves are "
        "Discord’s and stay."
    )


def opted_in(*, was_out: bool) -> str:
    if not was_out:
        return "You had not opted out: the pictures you post in watched channels can be found."
    return (
        "Welcome back: pictures you post from now on can be found. Those from before come back "
        "with the next `/reindex`, which admins can begin."
    )


def erased(pictures: int, *, opted_out: bool) -> str:
    done = f"{_count(pictures, 'picture')} of yours erased from the index, with your questions."
    later = " Their messages are still there, so a `/reindex` can bring them back; "
    return done if opted_out else done + later + "`/privacy opt-out` keeps them out."


def exported() -> str:
    return (
        "All that is kept about you on this server. `about-you.json` has the links, times and "
        "texts; `vectors.npy` (NumPy) the numbers that stand for what is in each picture."
    )


def retention(days: int, erased: int) -> str:
    if not days:
        return "Pictures stay in the index for as long as their message is there."
    return (
        f"Pictures stay in the index for {_count(days, 'day')} after they were posted. "
        f"{_count(erased, 'older picture')} erased."
    )


# ── Admins: channels ─────────────────────────────────────────────────────────────────────

MESSAGE_LIMIT = 2000  # letters in a message


def now_watched(
    channel: GuildChannel, open_: int, closed: Mapping[GuildChannel, Sequence[str]]
) -> str:
    """A channel or category was added; `open_` channels of it can be read."""
    if isinstance(channel, discord.CategoryChannel):
        first = f"I watch all of {_place(channel)} now ({_count(open_, 'channel')})"
        first += ", and channels that join it later."
    else:
        first = f"I watch {_place(channel)} now, with its threads."
    rest = (
        " New pictures are searchable within seconds; of what was posted before I am reading "
        "the newest first. `/status` shows how far I am, `/find` already works."
    )
    lines = [first + (rest if open_ else "")]
    lines += [f"- {_place(place)}: I can’t read it; {_missing(closed[place])}" for place in closed]
    return _fitting(lines)


def cannot_read(channel: GuildChannel, missing: Iterable[str]) -> str:
    return (
        f"I can’t watch {_place(channel)}: {_missing(missing)} Give it to my role in the channel’s "
        "settings under Permissions, then add the channel again."
    )


def already_watched(channel: GuildChannel) -> str:
    return f"I watch {_place(channel)} already. `/status` shows what is indexed."


def watched_by_category(channel: GuildChannel, category: GuildChannel) -> str:
    return f"I watch {_place(channel)} already, since I watch all of {_place(category)}."


def remove_the_category(channel: GuildChannel, category: GuildChannel) -> str:
    return (
        f"I watch {_place(channel)} because I watch all of {_place(category)}. Remove the "
        "category, or move the channel out of it."
    )


def not_watched(channel: GuildChannel) -> str:
    return f"I don’t watch {_place(channel)}. `/channels list` shows what I do watch."


def no_longer_watched(channel: GuildChannel, erased: int, kept: Collection[GuildChannel]) -> str:
    """`erased`: pictures; `kept`: channels that another mark still covers."""
    if kept and not erased:
        names = ", ".join(_place(place) for place in kept)
        return f"Removed, but {names} is still watched in another way, so nothing was erased."
    lines = [
        f"I no longer watch {_place(channel)}, and have erased what I had indexed from it "
        f"({_count(erased, 'picture')})."
    ]
    lines += [f"- {_place(place)} is still watched by itself." for place in kept]
    return _fitting(lines)


def watched_channels(
    rows: Sequence[tuple[GuildChannel, Sequence[tuple[GuildChannel, int]]]], hidden: int
) -> str:
    """Each watched channel or category, with its channels and how many pictures each has."""
    if not rows and not hidden:
        return no_channels(may_add=True)
    lines = ["I watch"] if rows else []
    for named, inside in rows:
        if isinstance(named, discord.CategoryChannel):
            lines.append(f"- all of {_place(named)}")
            lines += [f"  - {_place(place)}: {_count(n, 'picture')}" for place, n in inside]
        else:
            lines += [f"- {_place(place)}: {_count(n, 'picture')}" for place, n in inside]
    if hidden:
        lines.append(f"{'and ' if rows else 'I watch '}{_count(hidden, 'channel')} closed to you.")
    return _fitting(lines)


# ── Admins: reindex ──────────────────────────────────────────────────────────────────────

FIGURES_IN_STATUS = "Not everyone here may see all of these channels: `/status` has the figures."
FIGURES_CLOSED = "Its figures count channels that you can't read."
FIGURES_LATER = "Its figures are back once I have listed the channels again."
REINDEX_OVER = "That job is over. `/reindex` begins another."

_STANDS = {
    "running": "Reindexing",
    "paused": "Reindexing, paused",
    "cancelled": "Reindexing was cancelled; what it had indexed stays",
    "done": "Reindexing is done",
    "failed": "Reindexing has stopped over a mistake of mine; my log has the details",
}


def nothing_to_reindex(channel: GuildChannel | None) -> str:
    return not_watched(channel) if channel is not None else no_channels(may_add=True)


def reindex_shown(link: str) -> str:
    return f"You can follow it here, and pause or cancel it: {link}"


def reindexing(status: str, state: State) -> str:
    """How far a job is, with all its figures."""
    lines = _reindexing(status, state)
    rate = f", {state.checked / state.elapsed_s:.1f} a second" if state.elapsed_s > 1 else ""
    going_on = status in ("running", "paused")
    total = f" of about {state.total_estimate:,}" if going_on and state.total_estimate else ""
    lines.append(
        f"{state.checked:,}{total} pictures checked in {_count(state.messages, 'message')}{rate}"
    )
    found = [f"{state.added:,} added", f"{state.removed:,} removed"]
    found += [f"{state.failed:,} could not be read"] if state.failed else []
    found += [f"{_count(state.closed, 'channel')} closed to me"] if state.closed else []
    lines.append(" · ".join(found))
    if state.what == "model":
        lines.append(_of_the_switch(status, state))
    return "\n".join(lines)


def reindexing_without_figures(status: str, state: State, why: str) -> str:
    """The same for who may not know how much there is."""
    lines = _reindexing(status, state)
    if state.what == "model":
        lines.append(_of_the_switch(status, replace(state, lost=0)))
    return "\n".join([*lines, f"-# {why}"])


def _reindexing(status: str, state: State) -> list[str]:
    """What the job is, and its share that is done."""
    where = f"<#{state.channel}>" if state.channel else "all watched channels"
    what = {
        "missing": "missing pictures",
        "everything": "everything again",
        "model": f"everything for `{state.model}`",
    }[state.what]
    lines = [f"**{_STANDS[status]}** · {where}, {what}"]
    if status in ("running", "paused"):
        lines.append(_bar(state.fraction) + _time_left(state.seconds_left, status))
    return lines


def _of_the_switch(status: str, state: State) -> str:
    if not state.switched:
        wait = " and in the other servers" if status == "done" else ""
        return f"Until this is done here{wait}, the model of before answers."
    lost = f" {_count(state.lost, 'picture')} that I could not get again left the index; " + (
        "`/reindex` tries once more."
    )
    return f"`{state.model}` answers from now on." + (lost if state.lost else "")


# ── Admins: status ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    channel: GuildChannel
    pictures: int
    state: str  # "waiting", "reading", "done", "unreadable"; "" before anything is known
    fraction: float  # of its history that is read
    missing: Sequence[str]  # permissions


@dataclass(frozen=True, slots=True)
class Status:
    channels: Sequence[ChannelStatus]
    progress: Progress | None
    jobs: Sequence[str]
    waiting: int  # messages
    per_second: float  # pictures
    model: str
    wanted: str | None  # another model that is to take over
    device: str
    disk_bytes: int
    latency_s: float
    uptime_s: float


def status(now: Status) -> str:
    """What /status answers."""
    lines = [f"**{_count(sum(c.pictures for c in now.channels), 'picture')}** indexed"]
    if now.progress is not None:
        left = _count(now.progress.channels_left, "channel or thread", "channels and threads")
        lines.append(
            f"History: {_bar(now.progress.fraction)}"
            f"{_time_left(now.progress.seconds_left)}, {left} left"
        )
    lines += now.jobs
    waiting = f"{_count(now.waiting, 'message')} waiting" if now.waiting else "nothing waiting"
    lines.append(f"Speed: {now.per_second:.1f} pictures a second in the last minute, {waiting}")
    lines.append(f"Model: `{now.model}` on {now.device} · disk: {now.disk_bytes / 1e6:,.1f} MB")
    if now.wanted:
        going = "is taking over" if now.jobs else "is to take over; `/reindex` begins that"
        lines.append(f"`{now.wanted}` {going}. Until then `{now.model}` answers.")
    lines.append(f"Up for {_duration(now.uptime_s)} · Discord answers in {now.latency_s:.2f} s")
    lines += [_channel_line(channel) for channel in now.channels]
    return _fitting(lines)


def _channel_line(now: ChannelStatus) -> str:
    line = f"- {_place(now.channel)}: {_count(now.pictures, 'picture')}"
    if now.missing:
        return f"{line}; I can’t read it, {_missing(now.missing)}"
    if now.state in ("waiting", "reading"):
        return f"{line}; {int(now.fraction * 100)} % of its history is read"
    return line


# ── Pieces of sentences ──────────────────────────────────────────────────────────────────


def _place(channel: GuildChannel) -> str:
    if isinstance(channel, discord.CategoryChannel):  # a mention of one looks like a channel
        return f"**{quoted(channel.name)}**"
    return channel.mention


def _missing(permissions: Iterable[str]) -> str:
    return f"I am missing {_named(permissions)}."


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _bar(fraction: float) -> str:
    filled = int(fraction * 10)
    return f"{'▰' * filled}{'▱' * (10 - filled)} {int(fraction * 100)} %"


def _time_left(seconds: float | None, status: str = "running") -> str:
    if seconds is None or status != "running":
        return ""
    return f", about {_duration(seconds)} left"


def _duration(seconds: float) -> str:
    """ "40 s", "12 min", "3 h 5 min", "2 days"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} days"


def _fitting(lines: Sequence[str]) -> str:
    """The lines as one message; what is too long for one is left out, and said so."""
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
