"""What `/reindex` answers, and the progress of a job."""

from __future__ import annotations

from typing import Protocol

import discord
from discord.abc import GuildChannel

from bot.languages.speech import _, joined, listed, number, plural
from bot.text.channels import none_inside, none_to_list, not_watched
from bot.text.pieces import bar, command, name_of_model, time_left


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


def figures_in_status() -> str:
    return _(
        "Not everyone here may see all of these channels; admins see the figures in {status}."
    ).format(status=command("status"))


def model_needs_one_process() -> str:
    return _(
        "Another model can't take over while several processes serve Magpie's servers. Whoever "
        "runs Magpie has to start one process for all servers. Then use this command again."
    )


def figures_closed() -> str:
    return _("Its figures count channels that you can't read.")


def figures_later() -> str:
    return _("Its figures are back once I have listed the channels again.")


def reindex_goes_on() -> str:
    return _("I reindex already. Please ask again when this is done:")


def reindex_over() -> str:
    return _("That job is over. {reindex} begins another.").format(reindex=command("reindex"))


def model_changes() -> str:
    return _(
        "My operator is changing my model on all servers, and each server is read for it. "
        "That can’t be paused or cancelled on one server: its pictures would leave the index."
    )


def pause() -> str:
    return _("Pause")


def resume() -> str:
    return _("Resume")


def cancel() -> str:
    return _("Cancel")


def nothing_to_reindex(channel: GuildChannel | None) -> str:
    """The member sees no watched channel: in all the server, in a category, or not this one."""
    if channel is None:
        return none_to_list()
    if isinstance(channel, discord.CategoryChannel):
        return none_inside(channel)
    return not_watched(channel)


def reindex_shown(link: str, *, stoppable: bool) -> str:
    if stoppable:
        said = _("You can follow it here, and pause or cancel it: {link}")
    else:
        said = _("You can follow it here: {link}")
    return said.format(link=link)


def reindex_ended(progress: str, link: str) -> str:
    """The end of a job, in the private answer to the one who asked for it."""
    everyone = _("What everyone sees of it: {link}").format(link=link)
    return f"{progress}\n-# {everyone}"


def reindexing(status: str, state: JobFigures, *, named: bool) -> str:
    """The progress of a job, with all its figures; `named`: with the name of its channel."""
    lines = [*_headed(status, state, named), _checked(status, state)]
    found = [plural("{n} added", "{n} added", state.added)]
    found.append(plural("{n} removed", "{n} removed", state.removed))
    if state.failed:
        found.append(plural("{n} could not be read", "{n} could not be read", state.failed))
    if state.closed:
        found.append(plural("{n} channel closed to me", "{n} channels closed to me", state.closed))
    lines.append(" · ".join(found))
    if state.what == "model":
        lines.append(_switch_line(status, state, state.lost))
    return "\n".join(lines)


def _checked(status: str, state: JobFigures) -> str:
    if status in ("running", "paused") and state.total_estimate:
        checked = plural(
            "{checked} of about {n} picture checked in {messages}",
            "{checked} of about {n} pictures checked in {messages}",
            state.total_estimate,
        )
    else:
        checked = plural(
            "{n} picture checked in {messages}",
            "{n} pictures checked in {messages}",
            state.checked,
        )
    messages = plural("{n} message", "{n} messages", state.messages)
    checked = checked.format(checked=number(state.checked), messages=messages)
    if state.elapsed_s <= 1:
        return checked
    rate = number(state.checked / state.elapsed_s, decimals=1)
    return listed([checked, _("{rate} a second").format(rate=rate)])


def reindexing_without_figures(status: str, state: JobFigures, why: str, *, named: bool) -> str:
    """The same for members who may not know its figures; `why` is a sentence."""
    lines = _headed(status, state, named)
    if state.what == "model":
        lines.append(_switch_line(status, state, lost=0))
    return "\n".join([*lines, f"-# {why}"])


def _headed(status: str, state: JobFigures, named: bool) -> list[str]:
    """The first lines: what the job does, and how much of it is done."""
    headings = {
        "running": _("Reindexing"),
        "paused": _("Reindexing, paused"),
        "cancelled": _("Reindexing was cancelled; what it had indexed stays"),
        "done": _("Reindexing is done"),
        "failed": _("Reindexing has stopped over a mistake of mine; my log has the details"),
    }
    where = _("all watched channels")
    if state.channel:
        where = f"<#{state.channel}>" if named else _("one channel")
    what = {
        "missing": _("{channels}, missing pictures"),
        "everything": _("{channels}, everything again"),
        "model": _("{channels}, everything for `{model}`"),
    }[state.what]
    what = what.format(channels=where, model=name_of_model(state.model))
    lines = [f"**{headings[status]}** · {what}"]
    if status in ("running", "paused"):
        done = bar(state.fraction)
        if status == "running" and state.seconds_left is not None:
            done = listed([done, time_left(state.seconds_left)])
        lines.append(done)
    return lines


def _switch_line(status: str, state: JobFigures, lost: int) -> str:
    if not state.switched and status == "done":
        return _("Until this is done here and in the other servers, the model of before answers.")
    if not state.switched:
        return _("Until this is done here, the model of before answers.")
    said = _("`{model}` answers from now on.").format(model=name_of_model(state.model))
    if lost:
        left = plural(
            "{n} picture that I could not get again left the index; {reindex} tries once more.",
            "{n} pictures that I could not get again left the index; {reindex} tries once more.",
            lost,
        )
        return joined(said, left.format(reindex=command("reindex")))
    return said
