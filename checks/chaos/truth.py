"""What should be in the gallery by the sandbox's world, and what is in its files.

It is written from what Discord's messages show, and shares no code with the rule that the bot has
for this.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.media.download import REDUCED_PX
from checks.chaos.pictures import Pictures, key
from checks.chaos.reading import Place, rows
from sandbox import permissions
from sandbox.components import media_items
from sandbox.core import Core
from sandbox.media import UNREADABLE, resized
from sandbox.world import CATEGORY, Channel, Guild, Message, Snapshot

SLICE_BYTES = 24  # of a vector: six floats are enough to recognise it

Owned = tuple[int, bytes]  # a message and the key of a picture it shows

_NAME = re.compile(r"mark\d+x[0-9a-f]{12}\.[a-z]+")
_SIGNED = re.compile(r"/(?:ephemeral-)?attachments/\d+/(\d+)/")
_KEPT = re.compile(r"attachment:(\d+)")  # how the sandbox keeps an address
_STICKER = re.compile(r"/stickers/(\d+)\.")
_ELSEWHERE = re.compile(r"/external/[0-9a-f]+/(https?)/(.+)")


@dataclass(slots=True)
class LeftOut:
    """What a member wants left out, by the ids of messages; infinity stands for all.

    surely  up to here nothing may be in the gallery
    maybe   up to here it may be or not: the moment, or whether the bot did it, is not known exactly
    """

    surely: float = 0
    maybe: float = 0


@dataclass
class Wishes:
    """What people asked the bot for: channels to watch, and what to leave out or erase."""

    marked: set[int] = field(default_factory=set)
    # by guild and member
    left_out: defaultdict[tuple[int, int], LeftOut] = field(
        default_factory=lambda: defaultdict(LeftOut)
    )
    watching: set[int] = field(default_factory=set)  # members whose watch is surely there
    deleted: set[int] = field(default_factory=set)  # servers, whose rows are kept for seven days
    week_over: bool = False  # by the bot's clock those days have passed


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be in the gallery, and what may be in it."""

    required: Counter[Owned]
    allowed: Counter[Owned]
    closed: frozenset[int] = frozenset()  # channels closed to the bot, whose rows stay for a week


def expected(core: Core, pictures: Pictures, wishes: Wishes) -> Expected:
    """Each picture of each message in every watched channel that the bot may read.

    A picture that a message shows twice, as two media, counts twice.
    """
    required: Counter[Owned] = Counter()
    allowed: Counter[Owned] = Counter()
    bot = core.world.bot.id
    shut: set[int] = set()
    for guild in core.world.guilds.values():
        if guild.id in wishes.deleted and wishes.week_over:
            continue
        for channel in guild.channels.values():
            if not watched(guild, channel, wishes):
                continue
            closed = not reads_back(core, guild, bot, channel)
            if closed and guild.id not in wishes.deleted:
                shut.add(channel.id)
            if closed and wishes.week_over:
                continue
            for message in core.world.messages(channel.id):
                out = wishes.left_out[guild.id, message.author_id]
                if message.id <= out.surely or message.author_id == bot:
                    continue
                known = [key for key in shown(core, message).values() if key not in pictures.broken]
                where = allowed if closed or message.id <= out.maybe else required
                where.update((message.id, key) for key in known)
    return Expected(required, allowed, frozenset(shut))


def watched(guild: Guild, channel: Channel, wishes: Wishes) -> bool:
    """Whether the channel is watched, or its category, or the channel that it is a thread of."""
    if channel.type == CATEGORY:
        return False
    if channel.thread is not None:
        parent = guild.channels.get(channel.parent_id or 0)
        return parent is not None and watched(guild, parent, wishes)
    return channel.id in wishes.marked or channel.parent_id in wishes.marked


def reads_back(core: Core, guild: Guild, user: int, channel: Channel) -> bool:
    """Whether a member may read a channel and its history."""
    member = guild.members.get(user)
    history = permissions.READ_MESSAGE_HISTORY
    return (
        member is not None
        and core.world.reads(user, channel)
        and bool(permissions.in_channel(guild, member, channel) & history)
    )


# ── What a message shows ─────────────────────────────────────────────────────────────────


def shown(core: Core, message: Message) -> dict[str, bytes]:
    """The media that a message shows, each with the key of its picture."""
    found: dict[str, bytes] = {}
    for body in (message, *([message.snapshot] if message.snapshot else ())):
        found |= _of_body(core, body)
    return found


def _of_body(core: Core, body: Message | Snapshot) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for attachment in body.attachments:
        if attachment.content_type.startswith("image/"):
            found[f"attachment {attachment.id}"] = key_of(Path(attachment.path))
    for id in body.sticker_ids:
        if (sticker := core.world.sticker(id)) is not None:
            found[f"sticker {id}"] = key_of(core.world.folder / sticker.file)
    media = [embed[k] for embed in body.embeds for k in ("image", "thumbnail") if k in embed]
    for item in [*media, *media_items(body.components)]:
        found |= _of_link(core, item["url"])
    return found


def _of_link(core: Core, url: str) -> dict[str, bytes]:
    address = core.links.shown(url)
    if (attachment := address.attachment) is not None:
        return {f"attachment {attachment.id}": key_of(Path(attachment.path))}
    if (path := core.links.file_at(address.url)) is not None:
        return {f"elsewhere {address.url}": key_of(path)}
    return {}


def files(core: Core, guild: Guild) -> Iterator[tuple[int, Path]]:
    """Message and file of each upload that a question in a channel without age limit may find."""
    for channel in guild.channels.values():
        home = guild.channels.get(channel.parent_id or 0) if channel.thread else channel
        if home is None or home.nsfw:  # the question is asked in a channel without age limit
            continue
        for message in core.world.messages(channel.id):
            for attachment in message.attachments:
                yield message.id, Path(attachment.path)


def is_animated(path: Path) -> bool:
    """Whether it is a GIF. A question with a GIF asks with the frame in its middle."""
    return path.read_bytes().startswith(b"GIF8")


_keys: dict[Path, bytes] = {}
# The bot may fetch a smaller rendition from the media proxy: the same picture in other bytes. Maps
# the key of the rendition to the key of the file itself.
_reduced: dict[bytes, bytes] = {}


def key_of(path: Path) -> bytes:
    """The key of a file's bytes."""
    if path not in _keys:  # files never change
        _keys[path] = key(path.read_bytes())
        with contextlib.suppress(UNREADABLE):
            bytes_, _ = resized(path, path.name, REDUCED_PX, REDUCED_PX, None)
            _reduced[key(bytes_)] = _keys[path]
    return _keys[path]


def whole(key: bytes) -> bytes:
    """The key of the file that a key in the gallery is of, which may be of a smaller rendition."""
    return _reduced.get(key, key)


def medium_at(url: str) -> str:
    """The medium at an address that the bot shows, named as in `shown`."""
    if found := _SIGNED.search(url):
        return f"attachment {found[1]}"
    if found := _KEPT.fullmatch(url):
        return f"attachment {found[1]}"
    if found := _STICKER.search(url):
        return f"sticker {found[1]}"
    if found := _ELSEWHERE.search(url):
        return f"elsewhere {found[1]}://{found[2]}"
    return f"elsewhere {url}"


# ── What is in the files ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Found:
    """The gallery's rows: the pictures of messages, and the number of orphans."""

    links: Counter[Owned]
    unread: Counter[Owned]  # of these, rows of places that the bot can't read any more
    orphans: int
    unnoted: bool = False  # the bot hasn't noted yet that a channel of `unread` is closed


def found(place: Place, wishes: Wishes, closed: Collection[int] = ()) -> Found:
    of_links, open_, [(without_link,)], [(without_item,)] = rows(
        place,
        "SELECT space, group_id, source, key FROM links JOIN items ON items.id = links.item",
        "SELECT id FROM groups WHERE closed_since IS NULL",
        "SELECT COUNT(*) FROM items WHERE id NOT IN (SELECT item FROM links)",
        "SELECT COUNT(*) FROM embeddings WHERE item NOT IN (SELECT id FROM items)",
    )
    links: Counter[Owned] = Counter()
    unread: Counter[Owned] = Counter()
    for space, group, source, item in of_links:
        one = (int(source), whole(bytes(item)))
        links[one] += 1
        unread[one] += (space in wishes.deleted or group in closed) and not wishes.week_over
    unnoted = any(group in closed for (group,) in open_)
    return Found(links, unread, int(without_link) + int(without_item), unnoted)


def vectors(place: Place, newest: int) -> tuple[dict[bytes, bytes], int]:
    """Vectors of the items after `newest`, by key; and the newest item now."""
    [found] = rows(
        place,
        f"""SELECT items.id, key, vectors FROM items
        JOIN embeddings ON embeddings.item = items.id WHERE items.id > {newest}""",
    )
    return {bytes(key): bytes(blob) for _, key, blob in found}, max(
        [newest, *(r[0] for r in found)]
    )


def covered(place: Place) -> set[int]:
    """The channels and threads of which something was read."""
    [groups] = rows(place, "SELECT group_id FROM cursors WHERE newest > 0")
    return {group for (group,) in groups}


def marked(place: Place) -> set[int]:
    """The channels and categories that are kept as watched."""
    [groups] = rows(place, "SELECT group_id FROM watched")
    return {group for (group,) in groups}


def kept(place: Place) -> tuple[set[str], set[bytes]]:
    """The file names and keys that are in use."""
    links, items = rows(place, "SELECT name, details FROM links", "SELECT key FROM items")
    texts = [str(text) for row in links for text in row]
    keys = {bytes(key) for (key,) in items}
    return {name for text in texts for name in _NAME.findall(text)}, keys


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference between what should be in the gallery and what is."""

    missing: Counter[Owned]
    duplicated: Counter[Owned]
    undead: Counter[Owned]
    orphans: int
    kept: int  # rows that must go once the week is over
    unnoted: bool

    def __bool__(self) -> bool:
        return bool(self.missing or self.duplicated or self.undead or self.orphans)


def difference(expected: Expected, found: Found) -> Difference:
    allowed = expected.required + expected.allowed
    more = found.links - allowed
    duplicated = Counter({one: n for one, n in more.items() if one in allowed})
    undead = more - duplicated - found.unread
    return Difference(
        expected.required - found.links,
        duplicated,
        undead,
        found.orphans,
        found.unread.total(),
        found.unnoted,
    )


def remains(files: Iterable[Path], traces: dict[bytes, str]) -> list[str]:
    """Which of these bytes are in the files, unused parts of the files included."""
    there = []
    for file in files:
        data = file.read_bytes()
        there += [f"{what} in {file.name}" for trace, what in traces.items() if trace in data]
    return there


def slices(blob: bytes) -> list[bytes]:
    """Two pieces of a vector, since one alone may also be part of another vector."""
    return [blob[:SLICE_BYTES], blob[len(blob) // 2 :][:SLICE_BYTES]]
