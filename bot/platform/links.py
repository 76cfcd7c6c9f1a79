"""Links into Discord, which its clients open in place."""

from __future__ import annotations

_CHANNELS = "https://discord.com/channels"


def message_link(guild_id: int, channel_id: int, message_id: int | str) -> str:
    """The address of a message."""
    return f"{_CHANNELS}/{guild_id}/{channel_id}/{message_id}"
