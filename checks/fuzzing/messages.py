"""Messages, embeds and component trees as Discord's API would bring them, with hostile content.

The payloads have the shapes of Discord's schema, as everything from Discord has. Their texts,
addresses, numbers and depth are a stranger's choice. Some components are of types that don't exist
yet, since Discord adds new ones.
"""

from __future__ import annotations

import ipaddress
import random
from pathlib import Path
from typing import Any

import discord
import yarl

from bot.ask import mentions
from bot.media import pictures
from bot.media.download import Downloader, NotDiscords
from bot.media.pictures import Picture
from bot.ops.settings import Settings
from bot.ops.tuning import Clocks
from bot.text.pieces import quoted
from checks.fuzzing import texts
from checks.fuzzing.target import Unsound

GUILD, CHANNEL, BOT, OWNER = 1, 10, 901, 900
DISCORDS = ("discordapp.com", "discordapp.net")
LIMIT_S = 1.0
CONTENT_TYPES = (
    *("image/png", "image/", "IMAGE/PNG; x", "image/svg+xml", "text/html", "video/mp4", "", "\0"),
)

Payload = dict[str, Any]


class Messages:
    """Reads what a message shows and asks, and where its pictures would be fetched from."""

    limit_s = LIMIT_S
    memory_bytes = None

    def __init__(self, folder: Path) -> None:
        self._guild = guild()
        self._downloader = Downloader(Settings(token=""), Clocks())

    def make(self, rng: random.Random) -> Payload:
        return message(rng)

    def run(self, subject: Payload) -> str:
        place: Any = self._guild.get_channel(CHANNEL)
        data: Any = subject
        made = discord.Message(state=self._guild._state, channel=place, data=data)
        found = pictures.from_message(made)
        if len({picture.slot for picture in found}) != len(found):
            raise Unsound("two pictures of one slot")
        for picture in found:
            self._check(picture)
        mentions.read(made, self._guild.me)
        return "no picture" if not found else "pictures"

    def _check(self, picture: Picture) -> None:
        if not picture.urls or not picture.slot.isprintable() or len(picture.slot) > 40:
            raise Unsound(f"a picture of {picture.slot!r} with {picture.urls}")
        for name in (picture.filename, picture.title):
            name.encode()  # as when it is written into the gallery's file
        said = quoted(picture.title, 60)
        if "@everyone" in said or "\n" in said:
            raise Unsound(f"{said!r} would be read as more than a title")
        for url in picture.urls:
            only_discords(self._downloader, url)

    def kept(self, subject: Payload) -> bytes:
        return repr(subject).encode(errors="backslashreplace")

    def close(self) -> None: ...


class Addresses:
    """Checks where a download would go, by the URL parser that the connection uses."""

    limit_s = LIMIT_S
    memory_bytes = None

    def __init__(self, folder: Path) -> None:
        self._downloader = Downloader(Settings(token=""), Clocks())

    def make(self, rng: random.Random) -> str:
        return texts.url(rng)

    def run(self, subject: str) -> str:
        pictures.media_slot(subject)
        pictures.filename_of(subject).encode()
        return "allowed" if only_discords(self._downloader, subject) else "refused"

    def kept(self, subject: str) -> bytes:
        return subject.encode(errors="backslashreplace")

    def close(self) -> None: ...


def only_discords(downloader: Downloader, url: str) -> bool:
    """Whether the downloader would fetch this address.

    raises   Unsound when it would ask a host that isn't Discord's
    """
    try:
        parsed = yarl.URL(str(downloader._allowed(url)))  # the address that aiohttp connects to
    except NotDiscords as refusal:
        if any(letter in str(refusal) for letter in "@<>[]*_`|\n"):
            raise Unsound(f"{refusal} says more than it should") from refusal
        return False
    host = parsed.host or ""
    of_discord = any(host.endswith("." + own) for own in DISCORDS)
    if parsed.scheme != "https" or parsed.port != 443 or parsed.user or not of_discord:
        raise Unsound(f"{url!r} would be asked of {parsed.scheme}://{host}:{parsed.port}")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    raise Unsound(f"{url!r} is an address by number")


# ---- payloads


def guild() -> discord.Guild:
    """A server with one channel, made by discord.py from a payload."""
    client = discord.Client(intents=discord.Intents(guilds=True))
    state = client._connection
    me: Any = _user(BOT)
    state.user = discord.ClientUser(state=state, data=me)
    member: Payload = {
        "user": _user(BOT),
        "roles": [],
        "joined_at": None,
        "deaf": False,
        "mute": False,
    }
    channel = {"id": str(CHANNEL), "name": "c", "type": 0, "position": 0}
    payload: Any = {
        "id": str(GUILD),
        "name": "g",
        "owner_id": str(OWNER),
        "roles": [{"id": str(GUILD), "name": "@everyone", "permissions": "1024", "position": 0}],
        "channels": [channel | {"permission_overwrites": []}],
        "members": [member | {"deaf": False, "mute": False, "flags": 0}],
    }
    return discord.Guild(data=payload, state=state)


def _user(id: int) -> Payload:
    return {"id": str(id), "username": "u", "discriminator": "0", "avatar": None}


def message(rng: random.Random, depth: int = 0) -> Payload:
    made: Payload = {
        "id": str(rng.choice((7000, 2**63 - 1, 2**62))),
        "channel_id": str(CHANNEL),
        "author": _user(rng.choice((50, BOT))) | {"username": texts.text(rng, 32)},
        "content": texts.text(rng, rng.choice((200, 4000))),
        "timestamp": "2026-01-02T03:04:05+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": rng.random() < 0.1,
        "mentions": [],
        "mention_roles": [],
        "attachments": [_attachment(rng) for _ in range(rng.choice((0, 0, 1, 3)))],
        "embeds": [_embed(rng) for _ in range(rng.choice((0, 0, 1, 3, 10)))],
        "components": [_component(rng, 0) for _ in range(rng.choice((0, 0, 1, 4)))],
        "sticker_items": [_sticker(rng) for _ in range(rng.choice((0, 0, 0, 1, 3)))],
        "pinned": False,
        "flags": rng.choice((0, 8, 64, 16384, 32768, 2**31 - 1)),
        "type": rng.choice((0, 0, 0, 7, 19, 20, 46, 999)),
    }
    if rng.random() < 0.2 and depth < 2:
        made["referenced_message"] = rng.choice((None, message(rng, depth + 1)))
        made["message_reference"] = {"message_id": "1", "channel_id": str(CHANNEL), "type": 0}
    if rng.random() < 0.2:
        snapshots = [message(rng, 9) for _ in range(rng.choice((1, 1, 10)))]
        made["message_snapshots"] = [{"message": snapshot} for snapshot in snapshots]
        made["message_reference"] = {"message_id": "1", "channel_id": "2", "type": 1}
    return made


def _attachment(rng: random.Random) -> Payload:
    made: Payload = {
        "id": str(rng.choice((5, 5, 6, 2**63 - 1))),
        "filename": texts.text(rng, 260) or "a",
        "size": abs(rng.choice(texts.NUMBERS)),
        "url": texts.url(rng),
        "proxy_url": texts.url(rng),
    }
    more: Payload = {
        "content_type": rng.choice(CONTENT_TYPES),
        "width": rng.choice((None, 0, 1, 2**31)),
        "height": rng.choice((None, 0, 1, 2**31)),
        "description": texts.text(rng, 1024),
        "title": texts.text(rng, 200),
        "flags": rng.choice((0, 8, 32, 2**31)),
        "ephemeral": rng.random() < 0.5,
    }  # fmt: skip
    return made | _some(more, rng)


def _media(rng: random.Random) -> Payload:
    more: Payload = {
        "proxy_url": texts.url(rng),
        "width": rng.choice((0, 1, 2**31)),
        "height": rng.choice((0, 1, 2**31)),
        "content_type": rng.choice(("image/gif", "video/mp4", "", "x" * 200)),
        "attachment_id": str(rng.choice((5, 6, 2**63 - 1))),
        "flags": rng.choice((0, 1, 2**31)),
        "loading_state": rng.choice((0, 2, 3, 99)),
    }
    return {"url": texts.url(rng)} | _some(more, rng)


def _embed(rng: random.Random) -> Payload:
    more: Payload = {
        "title": texts.text(rng, 256),
        "type": rng.choice(("rich", "image", "gifv", "video", "article", "link", "", "future")),
        "description": texts.text(rng, 4096),
        "url": texts.url(rng),
        "color": rng.choice((0, 2**24 - 1)),
        "image": _media(rng),
        "thumbnail": _media(rng),
        "video": _media(rng),
        "author": {"name": texts.text(rng, 256), "icon_url": texts.url(rng)},
        "footer": {"text": texts.text(rng, 2048), "icon_url": texts.url(rng)},
        "fields": [{"name": texts.text(rng, 256), "value": texts.text(rng), "inline": True}],
        "timestamp": "2026-01-02T03:04:05+00:00",
    }
    return _some(more, rng)


def _sticker(rng: random.Random) -> Payload:
    return {
        "id": str(rng.choice((9, 2**63 - 1))),
        "name": texts.text(rng, 30),
        "format_type": rng.choice((1, 2, 3, 4, 99)),
    }


def _component(rng: random.Random, depth: int) -> Payload:
    """A component with its required fields, nested deeper than Discord allows."""
    made: Payload = {"id": rng.choice((0, 1, 2**31 - 1))}
    inside = depth < 12

    def children() -> list[Payload]:
        return [_component(rng, depth + 1) for _ in range(rng.choice((0, 1, 1, 2)))]

    kind = rng.choice((1, 2, 9, 10, 11, 12, 13, 14, 17, 17, 17, 99))
    made["type"] = kind
    match kind:
        case 1:
            made["components"] = [_component(rng, 99)] if rng.random() < 0.3 else []
        case 2:
            made |= {"style": rng.choice((1, 5, 6, 99)), "label": texts.text(rng, 80)}
            made |= _some({"custom_id": texts.text(rng, 100), "url": texts.url(rng)}, rng)
        case 9:
            made["components"] = [{"type": 10, "id": 1, "content": texts.text(rng)}]
            media = {"type": 11, "id": 2, "media": _media(rng), "spoiler": True}
            made["accessory"] = media if inside else {"type": 2, "style": 1, "custom_id": "x"}
        case 10:
            made["content"] = texts.text(rng, 4000)
        case 11:
            made |= {"media": _media(rng), "description": texts.text(rng, 1024)}
        case 12:
            items = [_media(rng) for _ in range(rng.choice((1, 10)))]
            made["items"] = [{"media": item, "description": texts.text(rng)} for item in items]
        case 13:
            made |= {"file": _media(rng), "name": texts.text(rng, 200)}
            made["size"] = rng.choice((0, 2**40))
        case 14:
            made |= {"spacing": rng.choice((1, 2)), "divider": True}
        case 17:
            made["components"] = children() if inside else []
            made["spoiler"] = rng.random() < 0.5
    return made


def _some(fields: Payload, rng: random.Random) -> Payload:
    return {name: value for name, value in fields.items() if rng.random() < 0.6}
