"""What `/reindex` answers, and the progress of a job."""

from __future__ import annotations

from typing import Protocol

import discord
from discord.abc import GuildChannel

from bot.text.channels import NONE_TO_LIST, none_inside, not_watched
from bot.text.pieces import bar, counted, name_of_model, time_left


class JobFigures(Protocol):
    """The progress of a job: fields of `bot.reindex.state.JobState`."""

    @property
    def what(self) -> str: ...
    @property
    def channel(self) -> int | None: ...
    @property
    def model(self) -> str: ...
    @property
    def fraction(self) -> float: ...
    @property
    def seconds_left(self) -> float | None: ...
    @property
    def total_estimate(self) -> int | None: ...
    @property
    def elapsed_s(self) -> float: ...
    @property
    def messages(self) -> int: ...
    @property
    def checked(self) -> int: ...
    @property
    def added(self) -> int: ...
    @property
    def removed(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def closed(self) -> int: ...
    @property
    def switched(self) -> bool: ...
    @property
    def lost(self) -> int: ...


FIGURES_IN_STATUS = (
    "Not everyone here may see all of these channels; admins see the figures in `/status`."
)
FIGURES_CLOSED = "Its figures count channels that you can't read."
FIGURES_LATER = "Its figures are back once I have listed the channels again."
REINDEX_GOES_ON = "I reindex already. Please ask again when this is done:"
REINDEX_OVER = "That job is over. `/reindex` begins another."
MODEL_CHANGES = (
    "My operator is changing my model on all servers, and each server is read for it. "
    "That can’t be paused or cancelled on one server: its pictures would leave the index."
)

_HEADINGS = {
    "running": "Reindexing",
    "paused": "Reindexing, paused",
    "cancelled": "Reindexing was cancelled; what it had indexed stays",
    "done": "Reindexing is done",
    "failed": "Reindexing has stopped over a mistake of mine; my log has the details",
}


def nothing_to_reindex(channel: GuildChannel | None) -> str:
    """The member sees no watched channel: in all the server, in a category, or not this one."""
    if channel is None:
        return NONE_TO_LIST
    if isinstance(channel, discord.CategoryChannel):
        return none_inside(channel)
    return not_watched(channel)


def reindex_shown(link: str, *, stoppable: bool) -> str:
    if stoppable:
        return f"You can follow it here, and pause or cancel it: {link}"
    return f"You can follow it here: {link}"


def reindex_ended(progress: str, link: str) -> str:
    """The end of a job, in the private answer to the one who asked for it."""
    return f"{progress}\n-# What everyone sees of it: {link}"


def reindexing(status: str, state: JobFigures, *, named: bool) -> str:
    """The progress of a job, with all its figures; `named`: with the name of its channel."""
    lines = _headed(status, state, named)
    rate = f", {state.checked / state.elapsed_s:.1f} a second" if state.elapsed_s > 1 else ""
    going_on = status in ("running", "paused")
    checked = counted(state.checked, "picture")
    if going_on and state.total_estimate:
        checked = f"{state.checked:,} of about {counted(state.total_estimate, 'picture')}"
    lines.append(f"{checked} checked in {counted(state.messages, 'message')}{rate}")
    found = [f"{state.added:,} added", f"{state.removed:,} removed"]
    found += [f"{state.failed:,} could not be read"] if state.failed else []
    found += [f"{counted(state.closed, 'channel')} closed to me"] if state.closed else []
    lines.append(" · ".join(found))
    if state.what == "model":
        lines.append(_switch_line(status, state, state.lost))
    return "\n".join(lines)


def reindexing_without_figures(status: str, state: JobFigures, why: str, *, named: bool) -> str:
    """The same for members who may not know its figures; `why` is a sentence."""
    lines = _headed(status, state, named)
    if state.what == "model":
        lines.append(_switch_line(status, state, lost=0))
    return "\n".join([*lines, f"-# {why}"])


def _headed(status: str, state: JobFigures, named: bool) -> list[str]:
    """The first lines: what the job does, and how much of it is done."""
    where = "all watched channels"
    if state.channel:
        where = f"<#{state.channel}>" if named else "one channel"
    what = {
        "missing": "missing pictures",
        "everything": "everything again",
        "model": f"everything for `{name_of_model(state.model)}`",
    }[state.what]
    lines = [f"**{_HEADINGS[status]}** · {where}, {what}"]
    if status in ("running", "paused"):
        lines.append(bar(state.fraction) + time_left(state.seconds_left, status))
    return lines


def _switch_line(status: str, state: JobFigures, lost: int) -> str:
    if not state.switched:
        wait = " and in the other servers" if status == "done" else ""
        return f"Until this is done here{wait}, the model of before answers."
    answers = f"`{name_of_model(state.model)}` answers from now on."
    if not lost:
        return answers
    return (
        f"{answers} {counted(lost, 'picture')} that I could not get again left the index; "
        "`/reindex` tries once more."
    )
