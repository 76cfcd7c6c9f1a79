"""discord.py's own objects, made from Discord's payloads without a connection."""

from __future__ import annotations

from typing import Any

import discord

VIEW = discord.Permissions(view_channel=True).value
HISTORY = discord.Permissions(read_message_history=True).value
CONNECT = discord.Permissions(connect=True).value
ADMINISTRATOR = discord.Permissions(administrator=True).value
MANAGE_THREADS = discord.Permissions(manage_threads=True).value
READ = VIEW | HISTORY

GUILD, OWNER, BOT = 1, 900, 901


def guild_of(
    roles: dict[int, int],
    channels: dict[int, dict[str, Any]],
    threads: dict[int, dict[str, Any]] | None = None,
) -> discord.Guild:
    """A guild as discord.py makes it from Discord's payload; `roles` are permission bits."""
    client = discord.Client(intents=discord.Intents(guilds=True))
    state = client._connection
    state.user = discord.ClientUser(state=state, data=user_payload(BOT))  # type: ignore[arg-type]
    payload: dict[str, Any] = {
        "id": str(GUILD),
        "name": "small",
        "owner_id": str(OWNER),
        "roles": [
            {"id": str(id), "name": str(id), "permissions": str(bits), "position": place}
            for place, (id, bits) in enumerate(roles.items())
        ],
        "channels": [
            {"id": str(id), "name": str(id), "position": 0, "bitrate": 64000, "user_limit": 0}
            | {"type": 0, "permission_overwrites": []}
            | channel
            for id, channel in channels.items()
        ],
        "threads": [
            {"id": str(id), "name": str(id), "owner_id": str(OWNER), "type": 11}
            | {"message_count": 0, "member_count": 0}
            | {
                "thread_metadata": {
                    "archived": False,
                    "auto_archive_duration": 60,
                    "archive_timestamp": "2026-01-01T00:00:00+00:00",
                }
            }
            | thread
            for id, thread in (threads or {}).items()
        ],
        "members": [member_payload(BOT, [])],
    }
    return discord.Guild(data=payload, state=state)  # type: ignore[arg-type]


def user_payload(id: int) -> dict[str, Any]:
    return {"id": str(id), "username": str(id), "discriminator": "0", "avatar": None}


def member_payload(id: int, roles: list[int]) -> dict[str, Any]:
    return {
        "user": user_payload(id),
        "roles": [str(role) for role in roles],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def member_of(guild: discord.Guild, id: int, roles: list[int], **more: Any) -> discord.Member:
    data = member_payload(id, roles) | more
    return discord.Member(data=data, guild=guild, state=guild._state)  # type: ignore[arg-type]


def role_says(id: int, allow: int = 0, deny: int = 0) -> dict[str, Any]:
    return {"id": str(id), "type": 0, "allow": str(allow), "deny": str(deny)}


def person_says(id: int, allow: int = 0, deny: int = 0) -> dict[str, Any]:
    return {"id": str(id), "type": 1, "allow": str(allow), "deny": str(deny)}


def message_of(
    guild: discord.Guild,
    channel: int,
    *,
    author: int = 50,
    content: str = "",
    id: int = 7000,
    **more: Any,
) -> discord.Message:
    """A member's message as it comes over the gateway; `more` replaces keys of the payload."""
    data = message_payload(channel, author=author, content=content, id=id, **more)
    place: Any = guild.get_channel_or_thread(channel)
    return discord.Message(state=guild._state, channel=place, data=data)  # type: ignore[arg-type]


def message_payload(
    channel: int, *, author: int = 50, content: str = "", id: int = 7000, **more: Any
) -> dict[str, Any]:
    return {
        "id": str(id),
        "channel_id": str(channel),
        "guild_id": str(GUILD),
        "author": user_payload(author),
        "member": {k: v for k, v in member_payload(author, []).items() if k != "user"},
        "content": content,
        "timestamp": "2026-01-02T03:04:05+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": [],
        "pinned": False,
        "type": 0,
    } | more


def attachment_payload(id: int, filename: str = "dog.png", **more: Any) -> dict[str, Any]:
    url = f"https://cdn.discordapp.com/attachments/10/{id}/{filename}"
    return {
        "id": str(id),
        "filename": filename,
        "size": 1000,
        "url": url,
        "proxy_url": url.replace("cdn", "media"),
        "content_type": "image/png",
    } | more
