"""The link by which a server's admin adds the bot, and the permissions that it asks for."""

from __future__ import annotations

import discord

# The permissions that the invite link asks for, each with its reason. No other is used.
NEEDED_PERMISSIONS = {
    "view_channel": "see the channels it watches",
    "read_message_history": "index what was posted before it came, and read a message again",
    "send_messages": "answer a reply or a mention, and show the progress of /reindex",
    "send_messages_in_threads": "the same in threads",
    "embed_links": "show the pictures it found",
    "attach_files": "answer with a picture",
}


def permissions() -> discord.Permissions:
    """The permissions that the bot needs, and no others."""
    return discord.Permissions(**dict.fromkeys(NEEDED_PERMISSIONS, True))


def invite(application_id: int) -> str:
    """The link by which a server's admin adds the bot."""
    return discord.utils.oauth_url(
        application_id, permissions=permissions(), scopes=("bot", "applications.commands")
    )
