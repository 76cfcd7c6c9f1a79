"""What `/status` answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from discord.abc import GuildChannel

from bot.text.pieces import (
    bar,
    counted,
    duration,
    fitting,
    i_miss,
    name_of,
    name_of_model,
    time_left,
)


class HistoryProgress(Protocol):
    """How far a server's history is read; see `bot.sync.backlog.Progress`."""

    @property
    def fraction(self) -> float: ...
    @property
    def seconds_left(self) -> float | None: ...
    @property
    def channels_left(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    channel: GuildChannel
    pictures: int
    state: str  # "waiting", "reading", "done", "unreadable"; "" before anything is known
    fraction: float  # of its history that is read
    missing: Sequence[str]  # permissions


@dataclass(frozen=True, slots=True)
class Status:
    """The figures count only what the member who asks may read."""

    channels: Sequence[ChannelStatus]
    videos: int  # among the pictures of these channels and their threads
    partial: int  # among them, those whose files lack a part
    progress: HistoryProgress | None
    jobs: Sequence[str]
    # Whose words are still to be read, and of how many of them the file could not be had; None:
    # none are ever read.
    unread_pictures: tuple[int, int] | None
    waiting: int  # messages
    per_second: float  # pictures
    model: str
    wanted: str | None  # another model that is to take over
    device: str
    disk_bytes: int  # of the pictures that are counted
    latency_s: float | None  # of Discord; None if not known
    uptime_s: float
    unread_messages: int  # since the start
    unread_others: int


def status(now: Status) -> str:
    """What /status answers."""
    model = name_of_model(now.model)
    pictures = sum(channel.pictures for channel in now.channels)
    lines = [f"**{counted(pictures, 'picture')}** indexed"]
    if now.videos:
        lines[0] += f", {counted(now.videos, 'video')} among them"
    if now.partial:
        lines[0] += f"; {now.partial:,} damaged and searched in part"
    if now.progress is not None:
        left = counted(now.progress.channels_left, "channel or thread", "channels and threads")
        lines.append(
            f"History: {bar(now.progress.fraction)}"
            f"{time_left(now.progress.seconds_left)}, {left} left"
        )
    lines += now.jobs
    if now.unread_pictures is not None:
        lines.append(_words(pictures, *now.unread_pictures))
    waiting = f"{counted(now.waiting, 'message')} waiting" if now.waiting else "nothing waiting"
    lines.append(f"Speed: {now.per_second:.1f} pictures a second in the last minute, {waiting}")
    lines.append(f"Model: `{model}` on {now.device} · disk: about {now.disk_bytes / 1e6:,.1f} MB")
    if now.wanted:
        going = "is taking over" if now.jobs else "is to take over; `/reindex` begins that"
        lines.append(f"`{name_of_model(now.wanted)}` {going}. Until then `{model}` answers.")
    answers = f" · Discord answers in {now.latency_s:.2f} s" if now.latency_s is not None else ""
    lines.append(f"Up for {duration(now.uptime_s)}{answers}")
    if unread := _unread(now.unread_messages, now.unread_others):
        lines.append(f"Could not be read since then: {unread}")
    lines += [_channel_line(channel) for channel in now.channels]
    return fitting(lines)


def _words(pictures: int, unread: int, failed: int) -> str:
    """In how many pictures words were read.

    failed   of the unread ones, those whose files could not be had
    """
    read = max(pictures - unread, 0)
    many = "all" if read == pictures else f"{read:,} of"
    line = f"Words read in {many} {counted(pictures, 'picture')}"
    if not failed:
        return line
    return f"{line}; {failed:,} could not be had again. `/reindex` or a restart tries once more"


def _unread(messages: int, others: int) -> str:
    kinds = [counted(messages, "message")] if messages else []
    kinds += [counted(others, "event or thread", "events or threads")] if others else []
    return " and ".join(kinds)


def _channel_line(now: ChannelStatus) -> str:
    line = f"- {name_of(now.channel)}: {counted(now.pictures, 'picture')}"
    if now.missing:
        return f"{line}; I can’t read it, {i_miss(now.missing)}"
    if now.state in ("waiting", "reading"):
        return f"{line}; {int(now.fraction * 100)} % of its history is read"
    return line
