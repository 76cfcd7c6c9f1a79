"""A small world for the page's tests: few people, and all kinds of channels and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

FIRST_MS = 1_767_225_600_000  # 2026-01-01, when everything in the world was created
DISCORD_EPOCH_MS = 1_420_070_400_000
CHATTER = 120  # messages in #general: more than two pages

VIEW = 1 << 10
MANAGE_CHANNELS, MANAGE_GUILD, MANAGE_MESSAGES = 1 << 4, 1 << 5, 1 << 13
# view, send, embed, attach, history, react, connect, commands, threads, polls
EVERYONE = sum(1 << bit for bit in (6, 10, 11, 14, 15, 16, 20, 31, 35, 38, 49))

XSS = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> [x](javascript:hack)'


def snowflake(number: int) -> str:
    """The id of the `number`-th minute of the year."""
    return str((FIRST_MS + number * 60_000 - DISCORD_EPOCH_MS) << 22)


GUILD = snowflake(0)
MODERATORS = snowflake(1)
ADA, FINN, MEI, MAGPIE = (snowflake(n) for n in (10, 11, 12, 13))
HALL, GENERAL, PETS, MODS_ONLY, AFTER_DARK, TRIPS, GALLERY = (snowflake(n) for n in range(20, 27))
WALKS = snowflake(30)
FIRST_PICTURE, SPOILER_PICTURE = snowflake(100), snowflake(101)
BOT_TOKEN = "the-bots-token"


def write(folder: Path) -> Path:
    """The world's file, with its pictures, in `folder`."""
    for name, colour in {"snow": (210, 225, 240), "night": (20, 20, 60)}.items():
        Image.new("RGB", (320, 240), colour).save(folder / f"{name}.png")
    world = {
        "application": {
            "id": MAGPIE, "name": "Magpie", "description": "", "token": BOT_TOKEN,
            "bot_user_id": MAGPIE,
        },
        "users": [
            _user(ADA, "ada", "Ada", "owns the place"),
            _user(FINN, "finn", "Finn", "keeps the peace"),
            _user(MEI, "mei", "Mei", "an ordinary member"),
            {**_user(MAGPIE, "Magpie", None, ""), "bot": True},
        ],
        "guilds": [_guild()],
    }  # fmt: skip
    path = folder / "world.json"
    path.write_text(json.dumps(world), encoding="utf-8")
    return path


def _user(id: str, username: str, name: str | None, about: str) -> dict[str, Any]:
    return {
        "id": id,
        "username": username,
        "global_name": name,
        "avatar": None,
        "bot": False,
        "token": f"token-of-{username}",
        "about": about,
    }


def _guild() -> dict[str, Any]:
    private = [
        {"id": GUILD, "type": 0, "allow": "0", "deny": str(VIEW)},
        {"id": MODERATORS, "type": 0, "allow": str(VIEW), "deny": "0"},
    ]
    moderation = MANAGE_CHANNELS | MANAGE_GUILD | MANAGE_MESSAGES
    return {
        "id": GUILD,
        "name": "The Village",
        "icon": None,
        "owner_id": ADA,
        "roles": [
            {"id": GUILD, "name": "@everyone", "permissions": str(EVERYONE)},
            {"id": MODERATORS, "name": "Moderators", "permissions": str(moderation),
             "color": 0x4F8CFF, "position": 1, "hoist": True},
        ],
        "channels": [
            _channel(HALL, "Hall", 0, type=4, parent_id=None),
            _channel(GENERAL, "general", 1, topic="Everything"),
            _channel(PETS, "pets", 2),
            _channel(MODS_ONLY, "mods-only", 3, permission_overwrites=private),
            _channel(AFTER_DARK, "after-dark", 4, nsfw=True),
            _channel(TRIPS, "trips", 5, type=15),
            _channel(GALLERY, "gallery", 6),
        ],
        "threads": [
            {"id": WALKS, "parent_id": TRIPS, "name": "Long walks", "type": 11, "owner_id": MEI,
             "archived": False, "members": [MEI]},
        ],
        "members": [
            _member(ADA), _member(FINN, MODERATORS), _member(MEI), _member(MAGPIE),
        ],
        "stickers": [],
        "messages": _messages(),
    }  # fmt: skip


def _channel(id: str, name: str, position: int, **more: Any) -> dict[str, Any]:
    return {
        "id": id, "type": 0, "name": name, "topic": None, "position": position, "parent_id": HALL,
        "nsfw": False, "permission_overwrites": [], **more,
    }  # fmt: skip


def _member(user_id: str, *roles: str) -> dict[str, Any]:
    joined_at = "2026-01-01T00:00:00+00:00"
    return {"user_id": user_id, "nick": None, "roles": list(roles), "joined_at": joined_at}


def _messages() -> list[dict[str, Any]]:
    def say(number: int, channel: str, author: str, content: str, **more: Any) -> dict[str, Any]:
        return {
            "id": snowflake(number), "channel_id": channel, "author_id": author,
            "content": content, **more,
        }  # fmt: skip

    def picture(number: int, file: str, *, spoiler: bool = False) -> list[dict[str, Any]]:
        return [{"id": snowflake(number), "file": file, "filename": file, "spoiler": spoiler}]

    chatter = [
        say(200 + 30 * n, GENERAL, (ADA, FINN, MEI)[n % 3], f"chatter {n}") for n in range(CHATTER)
    ]
    return [
        say(100, PETS, MEI, "First snow", attachments=picture(110, "snow.png")),
        say(101, PETS, MEI, "", attachments=picture(111, "night.png", spoiler=True)),
        say(102, PETS, FINN, "the ending is ||a secret||", reply_to=FIRST_PICTURE),
        say(103, PETS, FINN, XSS),
        say(104, PETS, FINN, f"see https://discord.com/channels/{GUILD}/{GENERAL}/{snowflake(200)}"),
        say(120, WALKS, MEI, "We walked far."),
        say(130, AFTER_DARK, FINN, "It is dark."),
        say(140, MODS_ONLY, FINN, "Between us."),
        *chatter,
    ]  # fmt: skip
