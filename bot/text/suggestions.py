"""What choices are called that are offered while somebody types."""

from __future__ import annotations

from datetime import UTC, datetime

import discord

from bot.languages import speech
from bot.languages.speech import _


def you() -> str:
    return _("me: your own pictures")


def member(shown: str, username: str) -> str:
    """A member: the name that is shown, and the one that only they have."""
    return f"@{shown}" if shown.casefold() == username.casefold() else f"@{shown} ({username})"


def place(guild: discord.Guild, id: int) -> str:
    """A channel, a thread or a category, and what it is a part of."""
    found = guild.get_channel_or_thread(id)
    if found is None:
        return f"#{id}"
    if isinstance(found, discord.CategoryChannel):
        return _("{category}: the whole category").format(category=found.name)
    above = found.parent if isinstance(found, discord.Thread) else found.category
    if above is None:
        return f"#{found.name}"
    mark = "#" if isinstance(found, discord.Thread) else ""
    return _("#{channel} (in {place})").format(channel=found.name, place=f"{mark}{above.name}")


def date(field: str, day: str, moment: float) -> str:
    """A day, a month or a year as it was typed, and where the pictures begin or end."""
    when = speech.day(datetime.fromtimestamp(moment, UTC))
    if field in ("before", "until"):
        return _("{typed}: before {day}").format(typed=day, day=when)
    return _("{typed}: since {day}").format(typed=day, day=when)
