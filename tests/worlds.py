"""Small worlds for the sandbox, built in code."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

DISCORD_EPOCH_MS = 1_420_070_400_000
FIRST_MS = 1_767_225_600_000  # 2026-01-01

VIEW_CHANNEL, SEND_MESSAGES, MANAGE_MESSAGES = 1 << 10, 1 << 11, 1 << 13
EMBED_LINKS, ATTACH_FILES, READ_MESSAGE_HISTORY = 1 << 14, 1 << 15, 1 << 16
CONNECT, USE_APPLICATION_COMMANDS, MANAGE_THREADS = 1 << 20, 1 << 31, 1 << 34
MANAGE_GUILD = 1 << 5

MEMBER = (
    VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | CONNECT
    | USE_APPLICATION_COMMANDS
    | 1 << 6  # add reactions
    | 1 << 35  # create public threads
    | 1 << 36  # create private threads
    | 1 << 38  # send messages in threads
)

BOT_TOKEN = "the-bots-token"

Json = dict[str, Any]


def snowflake(minute: int) -> int:
    """The id of a minute of 2026."""
    return (FIRST_MS + minute * 60_000 - DISCORD_EPOCH_MS) << 22


@dataclass
class WorldFile:
    """A world in the making; `write` puts it into its folder. Ids grow with every thing made.

    people are users with the token `NAME-token`; the first one owns the guild
    """

    folder: Path
    people: dict[str, int] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    roles: dict[str, int] = field(default_factory=dict)
    _minute: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.guild_id = self._id()
        self.bot_id = self._id()
        self.guild: Json = {
            "id": str(self.guild_id),
            "name": "The Nest",
            "icon": None,
            "owner_id": "",
            "roles": [_role(self.guild_id, "@everyone", MEMBER, 0)],
            "channels": [],
            "threads": [],
            "members": [],
            "stickers": [],
            "messages": [],
        }
        self.users: list[Json] = [_user(self.bot_id, "Magpie", bot=True)]
        self.application: Json = {
            "id": str(self.bot_id),
            "name": "Magpie",
            "description": "Finds pictures.",
            "token": BOT_TOKEN,
            "bot_user_id": str(self.bot_id),
        }

    def _id(self) -> int:
        self._minute += 1
        return snowflake(self._minute)

    def role(self, name: str, permissions: int = 0, **more: Any) -> int:
        """A role."""
        id = self._id()
        position = len(self.guild["roles"])
        self.guild["roles"].append({**_role(id, name, permissions, position), **more})
        self.roles[name] = id
        return id

    def person(self, name: str, *roles: int) -> int:
        """A user who is a member with these roles."""
        id = self._id()
        self.users.append(_user(id, name))
        self.people[name] = id
        self.guild["owner_id"] = self.guild["owner_id"] or str(id)
        self.member(id, *roles)
        return id

    def member(self, user_id: int, *roles: int) -> None:
        """Make a user a member."""
        joined = "2026-01-01T10:00:00+00:00"
        self.guild["members"].append(
            {
                "user_id": str(user_id),
                "nick": None,
                "roles": [str(role) for role in roles],
                "joined_at": joined,
            }
        )

    def channel(self, name: str, kind: int = 0, **more: Any) -> int:
        """A channel; `overwrites` are (id, type, allow, deny)."""
        id = self._id()
        overwrites = more.pop("overwrites", [])
        self.guild["channels"].append(
            {
                "id": str(id),
                "type": kind,
                "name": name,
                "topic": None,
                "position": len(self.guild["channels"]),
                "parent_id": None,
                "nsfw": False,
                "permission_overwrites": [
                    {"id": str(who), "type": type, "allow": str(allow), "deny": str(deny)}
                    for who, type, allow, deny in overwrites
                ],
                **more,
            }
        )
        self.channels[name] = id
        return id

    def thread(self, name: str, parent: int, owner: int, kind: int = 11, **more: Any) -> int:
        """A thread."""
        id = self._id()
        self.guild["threads"].append(
            {
                "id": str(id),
                "parent_id": str(parent),
                "name": name,
                "type": kind,
                "owner_id": str(owner),
                "archived": False,
                "members": [str(owner)],
                **more,
            }
        )
        self.channels[name] = id
        return id

    def message(self, channel: int, author: int, content: str = "", **more: Any) -> int:
        """A message; `pictures` are files of the folder, which become its attachments."""
        id = self._id()
        pictures = more.pop("pictures", [])
        attachments = [
            {"id": str(self._id()), "file": file, "filename": Path(file).name} for file in pictures
        ]
        entry = {"id": str(id), "channel_id": str(channel), "author_id": str(author)}
        self.guild["messages"].append(
            {**entry, "content": content, "attachments": attachments, **more}
        )
        return id

    def picture(self, name: str, colour: str = "red", size: tuple[int, int] = (64, 48)) -> str:
        """Draw a plain picture into the folder; its name."""
        Image.new("RGB", size, colour).save(self.folder / name)
        return name

    def sticker(self, name: str, file: str, format_type: int = 1) -> int:
        """A sticker; 1 is a PNG, 3 is Lottie's JSON."""
        id = self._id()
        made = {"id": str(id), "name": name, "file": file, "format_type": format_type}
        self.guild["stickers"].append(made)
        return id

    def content(self) -> Json:
        """What the file will say."""
        return {"application": self.application, "users": self.users, "guilds": [self.guild]}

    def write(self) -> Path:
        """The world file."""
        path = self.folder / "world.json"
        path.write_text(json.dumps(self.content()), encoding="utf-8")
        return path


def small(folder: Path) -> WorldFile:
    """Three people, a bot, and channels of every sort.

    ada owns it, mod is a moderator (sees #mods, manages), mei is an ordinary member
    channels  general, mods (hidden), after-dark (age-restricted), lounge (voice), trips (forum)
    threads   walks (open), whispers (private, of ada and the bot)
    """
    world = WorldFile(folder)
    moderator = world.role("Moderators", MANAGE_MESSAGES | MANAGE_THREADS | MANAGE_GUILD)
    magpies = world.role("Magpie", MEMBER | MANAGE_THREADS, managed=True)
    ada = world.person("ada")
    mod = world.person("mod", moderator)
    mei = world.person("mei")
    world.member(world.bot_id, magpies)
    everyone = world.guild_id
    general = world.channel("general")
    world.channel(
        "mods",
        overwrites=[
            (everyone, 0, 0, VIEW_CHANNEL),
            (moderator, 0, VIEW_CHANNEL, 0),
        ],
    )
    world.channel("after-dark", nsfw=True)
    world.channel("lounge", 2)
    world.channel("trips", 15)
    world.thread("walks", general, ada)
    world.thread("whispers", general, ada, 12, members=[str(ada), str(world.bot_id)])
    first = world.message(general, ada, "hello")
    world.message(general, mei, "look", pictures=[world.picture("red.png")])
    world.message(general, mod, "and this", reply_to=str(first))
    world.sticker("red", "red.png")
    world.message(world.channels["mods"], mod, "between us", pictures=[world.picture("blue.png")])
    return world


def _role(id: int, name: str, permissions: int, position: int) -> Json:
    return {
        "id": str(id),
        "name": name,
        "permissions": str(permissions),
        "color": 0,
        "position": position,
        "hoist": False,
    }


def _user(id: int, name: str, *, bot: bool = False) -> Json:
    return {
        "id": str(id),
        "username": name.lower(),
        "global_name": None if bot else name.title(),
        "avatar": None,
        "bot": bot,
        "token": f"{name}-token",
        "about": "",
    }
