"""The state of the sandbox: users, guilds, channels, messages.

These are plain dataclasses. Ids are integers here, and strings in JSON. `worldfile.py` reads them
from a world file, `payloads.py` makes Discord's payloads of them, and `journal.py` saves changes.
"""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from . import permissions
from .locales import ENGLISH
from .snowflakes import Snowflakes, unix_time

if TYPE_CHECKING:
    from discord.types.channel import OverwriteType
    from discord.types.message import MessageType
    from discord.types.sticker import StickerFormatType
    from discord.types.threads import ThreadArchiveDuration

ChannelKind = Literal[0, 1, 2, 4, 5, 10, 11, 12, 13, 15]

TEXT, VOICE, CATEGORY, NEWS, STAGE, FORUM = 0, 2, 4, 5, 13, 15
DIRECT: Final = 1
NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD = 10, 11, 12

# message types; answers to interactions have those of replies, commands and menus
PINNED: Final = 6
THREAD_CREATED: Final = 18
REPLY: Final = 19
COMMAND_ANSWER: Final = 20
THREAD_STARTER: Final = 21
MENU_ANSWER: Final = 23
POLL_RESULT: Final = 46

# message flags
EPHEMERAL, LOADING, SUPPRESS_EMBEDS, HAS_THREAD = 1 << 6, 1 << 7, 1 << 2, 1 << 5
FORWARDED, COMPONENTS_V2 = 1 << 14, 1 << 15
# attachment flags
SPOILER, ANIMATED = 1 << 3, 1 << 5

PRIVILEGED = ("presences", "members", "message_content")


@dataclass(slots=True)
class User:
    """A person or a bot; `token` is for logging in, `about` is a line on the log-in page, `locale`
    the language of their client."""

    id: int
    username: str
    global_name: str | None = None
    avatar: str | None = None  # a file, relative to the world's folder
    bot: bool = False
    token: str = ""
    about: str = ""
    locale: str = ENGLISH

    @property
    def name(self) -> str:
        """The name that is shown when there is no nickname."""
        return self.global_name or self.username


@dataclass(slots=True)
class Application:
    """The bot's application; `privileged` are the privileged intents its developer turned on."""

    id: int
    name: str
    description: str
    token: str
    bot_user_id: int
    privileged: list[str] = field(default_factory=lambda: list(PRIVILEGED))


@dataclass(slots=True)
class Role:
    """A role; the everyone role has its guild's id."""

    id: int
    name: str
    permissions: int
    color: int = 0
    position: int = 0
    hoist: bool = False
    managed: bool = False
    mentionable: bool = False
    secondary_color: int | None = None  # of a gradient
    tertiary_color: int | None = None
    unicode_emoji: str | None = None


@dataclass(slots=True)
class Overwrite:
    """Permissions that a channel allows or denies a role (type 0) or a member (type 1)."""

    id: int
    type: OverwriteType
    allow: int
    deny: int


@dataclass(slots=True)
class Thread:
    """The thread part of a channel. `members`: user id → unix seconds of joining."""

    owner_id: int
    archived: bool = False
    locked: bool = False
    invitable: bool = True
    auto_archive_duration: ThreadArchiveDuration = 4320  # minutes
    archived_at: float = 0.0  # unix seconds; the time of the last change of `archived`
    members: dict[int, float] = field(default_factory=dict)
    applied_tags: list[int] = field(default_factory=list)
    deleted_messages: int = 0


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a forum. Only who manages threads can give a post a `moderated` one."""

    id: int
    name: str = ""
    moderated: bool = False
    emoji_id: int | None = None
    emoji_name: str | None = None


@dataclass(slots=True)
class Channel:
    """A channel, a category or a thread (which has `thread`). `settings.py` has its settings.

    A channel of direct messages is of no guild: its `guild_id` is 0, and it has `recipients`.
    """

    id: int
    guild_id: int
    type: ChannelKind
    name: str
    position: int = 0
    parent_id: int | None = None
    topic: str | None = None
    nsfw: bool = False
    rate_limit_per_user: int = 0
    overwrites: list[Overwrite] = field(default_factory=list)
    thread: Thread | None = None
    flags: int = 0
    last_pin_at: float = 0.0  # unix seconds; 0: nothing was ever pinned
    # of voice and stage channels
    bitrate: int = 64_000  # bits a second
    user_limit: int = 0
    rtc_region: str | None = None
    video_quality_mode: Literal[1, 2] = 1
    # of channels that can have threads
    default_auto_archive_duration: ThreadArchiveDuration | None = None  # minutes
    default_thread_rate_limit_per_user: int = 0  # seconds
    # of forums
    tags: list[Tag] = field(default_factory=list)
    default_reaction_emoji: dict[str, Any] | None = None
    default_sort_order: Literal[0, 1] | None = None
    default_forum_layout: Literal[0, 1, 2] = 0
    recipients: list[int] = field(default_factory=list)  # of direct messages: both users

    @property
    def is_direct(self) -> bool:
        """Whether it holds the direct messages of two users."""
        return self.type == DIRECT

    @property
    def is_voice(self) -> bool:
        """Whether it is a voice channel; reading its text needs Connect."""
        return self.type in (VOICE, STAGE)

    @property
    def is_private_thread(self) -> bool:
        """Whether only its members can see it."""
        return self.type == PRIVATE_THREAD

    @property
    def holds_messages(self) -> bool:
        """Whether messages can be posted in it: not in categories and forums."""
        return self.type not in (CATEGORY, FORUM)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Channel:
        """A channel as `asdict` wrote it."""
        thread = value.pop("thread")
        overwrites = [Overwrite(**overwrite) for overwrite in value.pop("overwrites")]
        tags = [Tag(**tag) for tag in value.pop("tags", [])]
        if thread is not None:
            thread["members"] = {int(user): joined for user, joined in thread["members"].items()}
        return cls(
            **value,
            overwrites=overwrites,
            tags=tags,
            thread=Thread(**thread) if thread is not None else None,
        )


@dataclass(slots=True)
class Member:
    """A user's membership in a guild."""

    guild_id: int
    user_id: int
    roles: list[int] = field(default_factory=list)
    nick: str | None = None
    joined_at: float = 0.0
    timed_out_until: float = 0.0  # unix seconds


@dataclass(slots=True)
class Sticker:
    """A sticker of a guild; `file` is relative to the world's folder."""

    id: int
    guild_id: int
    name: str
    file: str
    format_type: StickerFormatType = 1


@dataclass(slots=True)
class Guild:
    """A server; it is `unavailable` during an outage."""

    id: int
    name: str
    owner_id: int
    icon: str | None = None
    roles: dict[int, Role] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)  # with threads
    members: dict[int, Member] = field(default_factory=dict)
    stickers: dict[int, Sticker] = field(default_factory=dict)
    unavailable: bool = False
    preferred_locale: str = ENGLISH
    system_channel_id: int | None = None
    public_updates_channel_id: int | None = None  # for moderators; only of communities

    def threads(self) -> list[Channel]:
        """All its threads, with archived ones."""
        return [channel for channel in self.channels.values() if channel.thread is not None]


@dataclass(slots=True)
class Attachment:
    """An uploaded file. `path` is the file on disk; only pictures have width and height."""

    id: int
    channel_id: int
    filename: str
    path: str
    size: int
    content_type: str
    width: int | None = None
    height: int | None = None
    description: str | None = None
    flags: int = 0
    ephemeral: bool = False
    duration_secs: float | None = None  # of a voice message
    waveform: str | None = None


@dataclass(slots=True)
class Reaction:
    """One emoji below a message; `nameless` counts reactions without a known user."""

    emoji: str
    users: list[int] = field(default_factory=list)
    nameless: int = 0

    @property
    def count(self) -> int:
        """The number of these reactions."""
        return len(self.users) + self.nameless


@dataclass(slots=True)
class Reference:
    """The message that a message replies to (type 0) or forwards (type 1)."""

    type: int
    channel_id: int
    message_id: int
    guild_id: int


@dataclass(slots=True)
class Snapshot:
    """The copy of a message in its forward: everything but the author."""

    type: MessageType
    content: str
    timestamp: float
    edited_at: float | None
    flags: int
    attachments: list[Attachment] = field(default_factory=list)
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    sticker_ids: list[int] = field(default_factory=list)
    mentions: list[int] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PollAnswer:
    """An answer of a poll; its id is its place, from 1. `emoji` as in `Reaction`."""

    text: str
    emoji: str | None = None


@dataclass(slots=True)
class Poll:
    """A message's poll. `votes`: user id → ids of answers."""

    question: str
    answers: list[PollAnswer]
    ends_at: float  # unix seconds
    allow_multiselect: bool = False
    votes: dict[int, list[int]] = field(default_factory=dict)

    @property
    def answer_ids(self) -> range:
        """The ids of its answers."""
        return range(1, len(self.answers) + 1)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ends_at <= time.time()

    def voters(self, answer_id: int) -> list[int]:
        """The users who voted for an answer."""
        return [user for user, ids in self.votes.items() if answer_id in ids]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Poll:
        """A poll as `asdict` wrote it."""
        answers = [PollAnswer(**answer) for answer in value.pop("answers")]
        votes = {int(user): ids for user, ids in value.pop("votes").items()}
        return cls(**value, answers=answers, votes=votes)


@dataclass(slots=True)
class Message:
    """A message. Embeds and components are stored as they were posted. The addresses of their media
    are made and signed when a payload is built."""

    id: int
    channel_id: int
    author_id: int
    content: str = ""
    type: MessageType = 0
    flags: int = 0
    edited_at: float | None = None
    attachments: list[Attachment] = field(default_factory=list)
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    sticker_ids: list[int] = field(default_factory=list)
    mentions: list[int] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)
    mention_everyone: bool = False
    reference: Reference | None = None
    snapshot: Snapshot | None = None
    reactions: list[Reaction] = field(default_factory=list)
    poll: Poll | None = None
    pinned_at: float | None = None
    tts: bool = False
    application_id: int | None = None
    interaction: dict[str, Any] | None = None  # its interaction_metadata, with plain user ids
    only_for: int | None = None  # the only user who can see an ephemeral message

    @property
    def has_media(self) -> bool:
        """Whether it holds more than words."""
        listed = self.attachments or self.embeds or self.components or self.sticker_ids
        return bool(listed) or self.snapshot is not None or self.poll is not None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Message:
        """A message as `asdict` wrote it."""
        value["attachments"] = [Attachment(**one) for one in value["attachments"]]
        value["reactions"] = [Reaction(**one) for one in value["reactions"]]
        if value.get("poll") is not None:
            value["poll"] = Poll.from_json(value["poll"])
        if value["reference"] is not None:
            value["reference"] = Reference(**value["reference"])
        if (snapshot := value["snapshot"]) is not None:
            snapshot["attachments"] = [Attachment(**one) for one in snapshot["attachments"]]
            value["snapshot"] = Snapshot(**snapshot)
        return cls(**value)


class Messages:
    """The messages of one channel, ordered by id and so by time."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._by_id: dict[int, Message] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Message]:
        return (self._by_id[id] for id in self._ids)

    def get(self, id: int) -> Message | None:
        """The message, or None."""
        return self._by_id.get(id)

    def put(self, message: Message) -> None:
        """Add a message, or replace the one with its id."""
        if message.id not in self._by_id:
            bisect.insort(self._ids, message.id)
        self._by_id[message.id] = message

    def drop(self, id: int) -> Message | None:
        """Remove a message and return it; None when there is none."""
        message = self._by_id.pop(id, None)
        if message is not None:
            del self._ids[bisect.bisect_left(self._ids, id)]
        return message

    def with_media(self) -> Iterator[Message]:
        """Those that hold more than words."""
        return (one for one in self if one.has_media)

    def count_replies(self, starter: int) -> int:
        """How many there are in a thread, without the message that it started from: a forum post's
        first message, or the system message that shows the one in the parent channel."""
        return sum(one.id != starter and one.type != THREAD_STARTER for one in self)

    @property
    def last_id(self) -> int | None:
        """The newest message's id."""
        return self._ids[-1] if self._ids else None

    def before(self, id: int, limit: int) -> list[Message]:
        """The newest `limit` messages below the id, newest first."""
        end = bisect.bisect_left(self._ids, id)
        return self._slice(max(0, end - limit), end)

    def after(self, id: int, limit: int) -> list[Message]:
        """The oldest `limit` messages above the id, but newest first."""
        start = bisect.bisect_right(self._ids, id)
        return self._slice(start, start + limit)

    def around(self, id: int, limit: int) -> list[Message]:
        """About `limit` messages around the id, with the message itself, newest first."""
        start = bisect.bisect_left(self._ids, id)
        return self._slice(max(0, start - limit // 2), start + limit // 2 + 1)

    def latest(self, limit: int) -> list[Message]:
        """The newest `limit` messages, newest first."""
        return self._slice(max(0, len(self._ids) - limit), len(self._ids))

    def _slice(self, start: int, end: int) -> list[Message]:
        return [self._by_id[id] for id in reversed(self._ids[start:end])]


class World:
    """The complete state. Look-ups return None for what doesn't exist."""

    def __init__(self, application: Application, folder: Path) -> None:
        self.application = application
        self.folder = folder  # that relative paths of the world file start from
        self.snowflakes = Snowflakes()
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.home = Guild(0, "", 0)  # holds the channels of direct messages; nobody is told of it
        self.commands: dict[int, dict[str, Any]] = {}  # as registered, by id
        self.ephemeral: dict[int, Message] = {}  # each is visible to one user only
        self._messages: dict[int, Messages] = {}
        self._attachments: dict[int, Attachment] = {}

    # looking things up

    def channel(self, id: int) -> Channel | None:
        """A channel or thread of any guild, or one of direct messages."""
        for guild in (self.home, *self.guilds.values()):
            if channel := guild.channels.get(id):
                return channel
        return None

    def guild_of(self, channel: Channel) -> Guild:
        """The guild a channel is in; of direct messages, one without members and roles."""
        return self.home if channel.is_direct else self.guilds[channel.guild_id]

    def direct(self, one: int, other: int) -> Channel | None:
        """The channel of the direct messages of two users."""
        for channel in self.home.channels.values():
            if set(channel.recipients) == {one, other}:
                return channel
        return None

    def share_a_guild(self, one: int, other: int) -> bool:
        """Whether two users are members of the same guild."""
        return any({one, other} <= guild.members.keys() for guild in self.guilds.values())

    def member(self, guild_id: int, user_id: int) -> Member | None:
        """A user's membership in a guild."""
        guild = self.guilds.get(guild_id)
        return guild.members.get(user_id) if guild is not None else None

    def messages(self, channel_id: int) -> Messages:
        """The messages of a channel; an empty list for a new one."""
        return self._messages.setdefault(channel_id, Messages())

    def message(self, channel_id: int, id: int) -> Message | None:
        """One message of a channel."""
        return self.messages(channel_id).get(id)

    def ephemeral_message(self, channel_id: int, id: int) -> Message | None:
        """An ephemeral message of a channel, whoever may see it."""
        message = self.ephemeral.get(id)
        return message if message is not None and message.channel_id == channel_id else None

    def attachment(self, id: int) -> Attachment | None:
        """A file that at least one message still shows."""
        return self._attachments.get(id)

    def sticker(self, id: int) -> Sticker | None:
        """A sticker of any guild."""
        for guild in self.guilds.values():
            if sticker := guild.stickers.get(id):
                return sticker
        return None

    def person(self, token: str) -> User | None:
        """The person (not a bot) with this token."""
        return next((u for u in self.users.values() if u.token == token and not u.bot), None)

    @property
    def bot(self) -> User:
        """The application's bot user."""
        return self.users[self.application.bot_user_id]

    # permissions

    def sees(self, user_id: int, channel: Channel) -> bool:
        """Whether the user can see the channel."""
        if channel.is_direct:
            return user_id in channel.recipients
        member = self.member(channel.guild_id, user_id)
        return member is not None and permissions.may_see(
            self.guilds[channel.guild_id], member, channel
        )

    def reads(self, user_id: int, channel: Channel) -> bool:
        """Whether the user may read messages in the channel."""
        if channel.is_direct:
            return user_id in channel.recipients
        member = self.member(channel.guild_id, user_id)
        return member is not None and permissions.may_read(
            self.guilds[channel.guild_id], member, channel
        )

    def permissions(self, user_id: int, channel: Channel) -> int:
        """The user's permissions in the channel; 0 for a user who isn't a member."""
        if channel.is_direct:
            return permissions.DIRECT if user_id in channel.recipients else 0
        member = self.member(channel.guild_id, user_id)
        if member is None:
            return 0
        return permissions.in_channel(self.guilds[channel.guild_id], member, channel)

    # changing

    def put_message(self, message: Message) -> None:
        """Add or replace a message; from now on its files can be downloaded."""
        self.messages(message.channel_id).put(message)
        self.show_files(message)

    def show_files(self, message: Message) -> None:
        """Allow the download of a message's files, and of its snapshot's."""
        for attachment in files_of(message):
            self.show_file(attachment)

    def show_file(self, attachment: Attachment) -> None:
        """Allow the download of a file."""
        self._attachments[attachment.id] = attachment

    def drop_message(self, channel_id: int, id: int) -> Message | None:
        """Remove a message, and those of its files that no other message shows."""
        message = self.messages(channel_id).drop(id)
        if message is not None:
            self.hide_files(files_of(message))
            channel = self.channel(channel_id)
            if channel is not None and channel.thread is not None:
                channel.thread.deleted_messages += 1
        return message

    def hide_files(self, attachments: Iterable[Attachment], edited: int = 0) -> None:
        """Stop serving these files, except those that a message or forward still shows.

        edited  id of the message that is being edited, which doesn't count
        """
        attachments = list(attachments)
        if not attachments:  # most changes have no files, and the search goes through all messages
            return
        shown = {
            attachment.id
            for messages in self._messages.values()
            for message in messages
            if message.id != edited
            for attachment in files_of(message)
        }
        for attachment in attachments:
            if attachment.id not in shown:
                self._attachments.pop(attachment.id, None)

    def drop_channel(self, channel: Channel) -> list[Channel]:
        """Remove a channel with its messages and threads; returns them all, the channel last."""
        guild = self.guilds[channel.guild_id]
        gone = [thread for thread in guild.threads() if thread.parent_id == channel.id]
        gone.append(channel)
        for one in gone:
            guild.channels.pop(one.id, None)
            messages = self._messages.pop(one.id, Messages())
            self.hide_files(file for message in messages for file in files_of(message))
        return gone


def files_of(message: Message) -> list[Attachment]:
    """The files that a message shows: its own, and those of the message that it forwards."""
    carried = message.snapshot.attachments if message.snapshot is not None else []
    return [*message.attachments, *carried]


def snapshot_of(message: Message) -> Snapshot:
    """The copy of a message for its forward."""
    copied = Message.from_json(asdict(message))
    if copied.snapshot is not None:  # a forward of a forward has the original message
        return copied.snapshot
    return Snapshot(
        type=copied.type,
        content=copied.content,
        timestamp=unix_time(copied.id),
        edited_at=copied.edited_at,
        flags=copied.flags & ~(HAS_THREAD | FORWARDED),
        attachments=copied.attachments,
        embeds=copied.embeds,
        components=copied.components,
        sticker_ids=copied.sticker_ids,
        mentions=copied.mentions,
        mention_roles=copied.mention_roles,
    )
