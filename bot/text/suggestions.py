"""What choices are called that are offered while somebody types."""

from __future__ import annotations

from datetime import UTC, datetime

import discord

YOU = "me: your own pictures"


def member(shown: str, username: str) -> str:
    """A member: the name that is shown, and the one that only they have."""
    return f"@{shown}" if shown.casefold() == username.casefold() else f"@{shown} ({username})"


def place(guild: discord.Guild, id: int) -> str:
    """A channel, a thread or a category, and what it is a part of."""
    found = guild.get_channel_or_thread(id)
    if found is None:
        return f"#{id}"
    if isinstance(found, discord.CategoryChannel):
        return f"{found.name}: the whole category"
    above = found.parent if isinstance(found, discord.Thread) else found.category
    if above is None:
        return f"#{found.name}"
    mark = "#" if isinstance(found, discord.Thread) else ""
    return f"#{found.name} (in {mark}{above.name})"


def date(field: str, day: str, moment: float) -> str:
    """A day, a month or a year as it was typed, and where the pictures begin or end."""
    when = datetime.fromtimestamp(moment, UTC)
    side = "before" if field in ("before", "until") else "since"
    return f"{day}: {side} {when.day} {when:%B %Y}"
