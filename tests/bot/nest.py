"""A small server to ask questions in: who may see what differs from member to member."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import discord
from PIL import Image

FIRST_MS = 1_767_225_600_000  # 2026-01-01, when everything here was made
DISCORD_EPOCH_MS = 1_420_070_400_000


def snowflake(number: int) -> int:
    """The id of the `number`-th minute of the year."""
    return (FIRST_MS + number * 60_000 - DISCORD_EPOCH_MS) << 22


def bits(**permissions: bool) -> int:
    return discord.Permissions(**permissions).value


EVERYONE = bits(
    view_channel=True,
    read_message_history=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    embed_links=True,
    use_application_commands=True,
    connect=True,
)
VIEW = bits(view_channel=True)
HISTORY = bits(read_message_history=True)

GUILD = snowflake(0)
MODERATORS, BIRDERS, MAGPIES = (snowflake(n) for n in (1, 2, 3))
OLGA, MEI, ADA, FINN, MAGPIE = (snowflake(n) for n in (10, 11, 12, 13, 14))
PEOPLE = {"olga": OLGA, "mei": MEI, "ada": ADA, "finn": FINN}
GENERAL, PETS, MODS_ONLY, BIRDING, AFTER_DARK, NO_HISTORY, VOICE = (
    snowflake(n) for n in range(20, 27)
)
CHANNELS = (GENERAL, PETS, MODS_ONLY, BIRDING, AFTER_DARK, NO_HISTORY, VOICE)
WHISPERS, OLD_WALKS, OLD_MOD_TALK = (snowflake(n) for n in (30, 31, 32))

Colour = tuple[int, int, int]
# Each message with a picture: where, and its colour. All are near the first one.
PICTURES: dict[str, tuple[int, int, Colour]] = {
    "general": (snowflake(100), GENERAL, (200, 30, 30)),
    "pets": (snowflake(101), PETS, (205, 30, 30)),
    "mods-only": (snowflake(102), MODS_ONLY, (200, 35, 30)),
    "birding": (snowflake(103), BIRDING, (200, 30, 35)),
    "after-dark": (snowflake(104), AFTER_DARK, (195, 30, 30)),
    "no-history": (snowflake(105), NO_HISTORY, (200, 25, 30)),
    "whispers": (snowflake(106), WHISPERS, (200, 30, 25)),
    "old-walks": (snowflake(107), OLD_WALKS, (205, 35, 30)),
    "old-mod-talk": (snowflake(108), OLD_MOD_TALK, (205, 30, 35)),
    "voice": (snowflake(109), VOICE, (195, 35, 30)),
}
EVERYBODYS = {"general", "pets", "old-walks", "voice"}


def message_id(name: str) -> int:
    return PICTURES[name][0]


def png(colour: Colour, folder: Path) -> bytes:
    """A picture of one colour, as a file's bytes."""
    path = folder / f"{'-'.join(map(str, colour))}.png"
    Image.new("RGB", (48, 48), colour).save(path)
    return path.read_bytes()


def write(folder: Path, more: list[dict[str, Any]] | None = None) -> Path:
    """The world's file, with its pictures, in `folder`; `more` are further messages."""
    messages = [
        picture_message(folder, id, channel, colour) for id, channel, colour in PICTURES.values()
    ]
    path = folder / "world.json"
    path.write_text(json.dumps(world(messages + (more or []))))
    return path


def picture_message(
    folder: Path, id: int, channel: int, *colours: Colour, spoiler: bool = False, **more: Any
) -> dict[str, Any]:
    attachments = []
    for number, colour in enumerate(colours, start=1):
        png(colour, folder)
        file = f"{'-'.join(map(str, colour))}.png"
        attachments.append(
            {"id": str(id + number), "file": file, "filename": file, "spoiler": spoiler}
        )
    return {
        "id": str(id),
        "channel_id": str(channel),
        "author_id": str(OLGA),
        "content": "",
        "attachments": attachments,
    } | more


def world(messages: list[dict[str, Any]]) -> dict[str, Any]:
    users = [
        {"id": str(id), "username": name, "global_name": name.title(), "token": f"{name}-token"}
        for name, id in PEOPLE.items()
    ]
    users.append({"id": str(MAGPIE), "username": "Magpie", "bot": True})
    roles = {"olga": [], "mei": [MODERATORS], "ada": [BIRDERS], "finn": []}
    return {
        "application": {
            "id": str(MAGPIE),
            "name": "Magpie",
            "description": "",
            "token": "bot-token",
            "bot_user_id": str(MAGPIE),
        },
        "users": users,
        "guilds": [
            {
                "id": str(GUILD),
                "name": "Nest",
                "owner_id": str(OLGA),
                "roles": [
                    role(GUILD, "@everyone", EVERYONE, 0),
                    role(MODERATORS, "Moderators", bits(manage_threads=True), 2),
                    role(BIRDERS, "Birders", 0, 1),
                    role(MAGPIES, "Magpie", EVERYONE, 3) | {"managed": True},
                ],
                "channels": [
                    channel(GENERAL, "general"),
                    channel(PETS, "pets"),
                    channel(MODS_ONLY, "mods-only", only_for(MODERATORS)),
                    channel(BIRDING, "birding", only_for(BIRDERS)),
                    channel(AFTER_DARK, "after-dark") | {"nsfw": True},
                    channel(
                        NO_HISTORY,
                        "no-history",
                        [says(GUILD, deny=HISTORY), says(MAGPIES, allow=HISTORY)],
                    ),
                    channel(VOICE, "voice") | {"type": 2},
                ],
                "threads": [
                    thread(WHISPERS, "whispers", GENERAL, type=12, members=[FINN, MAGPIE]),
                    thread(OLD_WALKS, "old walks", PETS, archived=True),
                    thread(OLD_MOD_TALK, "old mod talk", MODS_ONLY, archived=True),
                ],
                "members": [member(PEOPLE[name], *held) for name, held in roles.items()]
                + [member(MAGPIE, MAGPIES)],
                "messages": messages,
            }
        ],
    }


def role(id: int, name: str, permissions: int, position: int) -> dict[str, Any]:
    return {"id": str(id), "name": name, "permissions": str(permissions), "position": position}


def channel(id: int, name: str, overwrites: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    position = CHANNELS.index(id)
    return {
        "id": str(id),
        "type": 0,
        "name": name,
        "position": position,
        "permission_overwrites": overwrites or [],
    }


def only_for(role: int) -> list[dict[str, Any]]:
    return [says(GUILD, deny=VIEW), says(role, allow=VIEW), says(MAGPIES, allow=VIEW)]


def says(role: int, allow: int = 0, deny: int = 0) -> dict[str, Any]:
    return {"id": str(role), "type": 0, "allow": str(allow), "deny": str(deny)}


def thread(
    id: int,
    name: str,
    parent: int,
    *,
    type: int = 11,
    archived: bool = False,
    members: list[int] | None = None,
) -> dict[str, Any]:
    return {
        "id": str(id),
        "name": name,
        "parent_id": str(parent),
        "type": type,
        "owner_id": str(OLGA),
        "archived": archived,
        "members": [str(one) for one in members or [OLGA]],
    }


def member(id: int, *roles: int) -> dict[str, Any]:
    return {
        "user_id": str(id),
        "nick": None,
        "roles": [str(role) for role in roles],
        "joined_at": "2026-01-01T00:00:00+00:00",
    }
