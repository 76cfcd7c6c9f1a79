"""What `/status` answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from discord.abc import GuildChannel

from bot.languages.speech import _, both, listed, number, plural
from bot.text.pieces import (
    bar,
    command,
    duration,
    fitting,
    followed,
    headed,
    name_of,
    name_of_model,
    percent,
    permission_names,
    pictures,
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
    @property
    def searching(self) -> bool: ...
    @property
    def found(self) -> int: ...


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
    count = sum(channel.pictures for channel in now.channels)
    lines = [_indexed(count, now)]
    if now.progress is not None:
        lines += _found(now.progress)
        lines.append(_history(now.progress))
    lines += now.jobs
    if now.unread_pictures is not None:
        lines.append(_words_read(count, *now.unread_pictures))
    lines += [_speed(now), _model(now)]
    if now.wanted:
        lines.append(_wanted(now.wanted, now))
    lines.append(_uptime(now))
    if unread := _unread(now.unread_messages, now.unread_others):
        lines.append(_("Could not be read since then: {unread}").format(unread=unread))
    lines += [f"- {_channel_line(channel)}" for channel in now.channels]
    return fitting(lines)


def _indexed(count: int, now: Status) -> str:
    line = plural("**{n} picture** indexed", "**{n} pictures** indexed", count)
    if now.videos:
        videos = plural("{n} video among them", "{n} videos among them", now.videos)
        line = listed([line, videos])
    if now.partial:
        partial = plural(
            "{n} damaged and searched in part", "{n} damaged and searched in part", now.partial
        )
        line = followed(line, partial)
    return line


def _found(progress: HistoryProgress) -> list[str]:
    """What the first pass over the history brings, or brought: Discord's search."""
    if progress.searching:
        return [
            plural(
                "Discord’s search looks for older pictures first: {n} found so far",
                "Discord’s search looks for older pictures first: {n} found so far",
                progress.found,
            )
        ]
    if progress.found:
        return [
            plural(
                "Discord’s search found {n} older picture",
                "Discord’s search found {n} older pictures",
                progress.found,
            )
        ]
    return []


def _history(progress: HistoryProgress) -> str:
    left = plural(
        "{n} channel or thread left", "{n} channels and threads left", progress.channels_left
    )
    parts = [bar(progress.fraction)]
    if progress.seconds_left is not None:
        parts.append(time_left(progress.seconds_left))
    return _("History: {progress}").format(progress=listed([*parts, left]))


def _words_read(count: int, unread: int, failed: int) -> str:
    """In how many pictures words were read.

    failed   of the unread ones, those whose files could not be had
    """
    read = max(count - unread, 0)
    if read == count:
        line = plural("Words read in all {n} picture", "Words read in all {n} pictures", count)
    else:
        line = plural(
            "Words read in {read} of {n} picture", "Words read in {read} of {n} pictures", count
        )
    line = line.format(read=number(read))
    if not failed:
        return line
    again = plural(
        "{n} could not be had again. {reindex} or a restart tries once more",
        "{n} could not be had again. {reindex} or a restart tries once more",
        failed,
    )
    return followed(line, again.format(reindex=command("reindex")))


def _speed(now: Status) -> str:
    waiting = plural("{n} message waiting", "{n} messages waiting", now.waiting)
    return _("Speed: {rate} pictures a second in the last minute, {waiting}").format(
        rate=number(now.per_second, decimals=1),
        waiting=waiting if now.waiting else _("nothing waiting"),
    )


def _model(now: Status) -> str:
    return _("Model: `{model}` on {device} · disk: about {megabytes} MB").format(
        model=name_of_model(now.model),
        device=now.device,
        megabytes=number(now.disk_bytes / 1e6, decimals=1),
    )


def _wanted(wanted: str, now: Status) -> str:
    if now.jobs:
        said = _("`{wanted}` is taking over. Until then `{model}` answers.")
    else:
        said = _("`{wanted}` is to take over; {reindex} begins that. Until then `{model}` answers.")
    return said.format(
        wanted=name_of_model(wanted), model=name_of_model(now.model), reindex=command("reindex")
    )


def _uptime(now: Status) -> str:
    up = _("Up for {time}").format(time=duration(now.uptime_s))
    if now.latency_s is None:
        return up
    answers = _("Discord answers in {seconds} s")
    return f"{up} · {answers.format(seconds=number(now.latency_s, decimals=2))}"


def _unread(messages: int, others: int) -> str:
    kinds = [plural("{n} message", "{n} messages", messages)] if messages else []
    kinds += [plural("{n} event or thread", "{n} events or threads", others)] if others else []
    return both(kinds)


def _channel_line(now: ChannelStatus) -> str:
    channel, count = name_of(now.channel), pictures(now.pictures)
    if now.missing:
        return plural(
            "{channel}: {pictures}; I can’t read it, I am missing the permission {permissions}.",
            "{channel}: {pictures}; I can’t read it, I am missing the permissions {permissions}.",
            len(now.missing),
        ).format(channel=channel, pictures=count, permissions=permission_names(now.missing))
    if now.state in ("waiting", "reading"):
        return _("{channel}: {pictures}; {percent} of its history is read").format(
            channel=channel, pictures=count, percent=percent(int(now.fraction * 100))
        )
    return headed(channel, count)
