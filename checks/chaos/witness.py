"""Whether an answer showed somebody what they could not read.

Each picture is judged by the sandbox's own rule. An answer takes a moment, and permissions and
messages change meanwhile. So a picture is leaked in two cases:

- When the request that brought the answer reached the sandbox, the asker had not been able to read
  the picture's message for more than `NEWS_S`. That long the news of a change may take to the bot,
  and the roles that come with a question count. When the bot asked for the roles again, what has
  changed since then is excused, too: Discord may be slow with its answer.
- There was no instant, from the question being sent until the answer arrived, at which the message
  could be read with the picture in it.

To read a message, its channel and the history must be open to the asker, they must have joined a
private thread, and age-restricted channels count only for somebody who asks inside one. A public
answer is judged for everybody who could read its channel all that time.

Two excuses are left. While the bot's session has missed an event about permissions, the bot can't
know of the change. Discord sends everything again with the next session, and from then on it
counts. And when something changed while the bot had no working connection, or when a deletion was
missed, only the second case is judged.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from checks.chaos import truth
from sandbox import Server
from sandbox.gateway import Session
from sandbox.person import Answer
from sandbox.world import Channel, Guild

# Events that say who may see what. The roles of the asker come with the interaction.
ABOUT_PERMISSIONS = (
    "CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE", "GUILD_ROLE_UPDATE",
    "GUILDMEMBER_UPDATE", "THREAD_LIST_SYNC", "THREADMEMBERS_UPDATE", "THREAD_UPDATE",
)  # fmt: skip

# Events without which the bot can't know that a message is gone.
DELETIONS = ("MESSAGE_DELETE", "MESSAGE_DELETE_BULK", "THREAD_DELETE")
# A second for the roles that came with the question, and two for events and requests on the way.
NEWS_S = 3.0

Sight = tuple[int, str]  # a message, and a medium that it shows; "": any, or none
Readable = dict[int, set[int]]  # by member, messages

_CALLBACK = re.compile(r"/interactions/(?P<id>\d+)/(?P<token>[^/]+)/callback")
_LATER = re.compile(r"/webhooks/\d+/(?P<token>[^/]+)(?:/messages/.*)?")
MEMBER = re.compile(r"/guilds/\d+/members/(?P<id>\d+)")
_LINK = re.compile(r"/channels/(\d+)/(\d+)/(\d+)$")
SECTION = 9  # the type of a component with a text and a picture beside it

_LINE = re.compile(r"\[go to message\]\((\S+)\)")


@dataclass(eq=False)
class Question:
    """A question, and what each member could read since it was asked.

    could_read   by member, what they could read at some instant
    open         by member, the messages that they can read now
    last_read    by member and message, when they could read it for the last time
    present      who could read the channel all that time
    roles_told   when the bot asked for the asker's roles
    at_first     by interaction, what they could read when the last request came that acknowledges
                 it or answers at once
    later        the same for requests that bring an answer after the acknowledgement
    in_the_dark  the bot had missed an event about permissions
    cut_off      something changed that the bot could not hear of
    """

    asker: int
    guild: int
    channel: int
    could_read: dict[int, set[Sight]] = field(default_factory=dict)
    open: Readable = field(default_factory=dict)
    last_read: dict[int, dict[int, float]] = field(default_factory=dict)
    present: set[int] = field(default_factory=set)
    roles_told: float = math.inf
    at_first: dict[str, Readable] = field(default_factory=dict)
    later: dict[str, Readable] = field(default_factory=dict)
    in_the_dark: bool = False
    cut_off: bool = False

    def readable(self, now: float) -> Readable:
        """By member, the messages that could be read now, or as the bot may still have known."""
        since = min(now - NEWS_S, self.roles_told)
        return {
            member: self.open[member]
            | {message for message, last in self.last_read[member].items() if last >= since}
            for member in self.open
        }


class Witness:
    """Records who can read what, at each change of the world while a question is open."""

    def __init__(self, server: Server, clock: Callable[[], float] = time.monotonic) -> None:
        self._core = core = server.core
        self._clock = clock
        self._open: set[Question] = set()
        self.answers = 0
        self.pictures = 0
        self.in_the_dark = 0  # answers
        self.leaked: list[str] = []
        self._interactions: dict[str, str] = {}  # by their token, while questions are open
        core.gateway.watchers.append(self._look)
        server.doorway.arrivals.append(self._arrived)

    @contextmanager
    def asked(self, asker: int, guild: int, channel: int) -> Iterator[Question]:
        question = Question(asker, guild, channel)
        question.present = set(self._core.world.guilds[guild].members)
        self._open.add(question)
        self._look_for(question)
        try:
            yield question
        finally:
            self._open.discard(question)
            if not self._open:
                self._interactions.clear()

    def judge(self, question: Question, answer: Answer) -> bool:
        """Whether readers of the answer could read all of it; what they could not is noted."""
        self._look_for(question)
        self.answers += 1
        if question.in_the_dark:
            self.in_the_dark += 1
            return True
        before = len(self.leaked)
        readers = {question.asker} if answer.private else question.present
        for sight in sights_of(answer):
            self.pictures += 1
            for reader in readers:
                could_read = _is_among(sight, question.could_read.get(reader, set()))
                if not could_read or not self._was_open(question, answer, reader, sight[0]):
                    who = self._core.world.users[reader].username
                    late = " too late" if could_read else ""
                    self.leaked.append(f"{who} was shown {sight[1]} of message {sight[0]}{late}")
        return len(self.leaked) == before

    def _was_open(self, question: Question, answer: Answer, reader: int, message: int) -> bool:
        """Whether the reader could read the message when the answer was sent."""
        if question.cut_off:
            return True
        id = answer.interaction
        sent = question.later.get(id) or question.at_first.get(id)
        readable = sent or question.readable(self._clock())
        return message in readable.get(reader, ())

    # ---- what happens in the sandbox

    def _arrived(self, who: str, method: str, path: str) -> None:
        """Note what could be read when a request of the bot arrives that may bring an answer."""
        if who != "bot" or not self._open:
            return
        now = self._clock()
        if first := _CALLBACK.fullmatch(path):
            self._interactions[first["token"]] = first["id"]
            for question in self._open:
                question.at_first[first["id"]] = question.readable(now)
        elif later := _LATER.fullmatch(path):
            for question in self._open:
                interaction = self._interactions.get(later["token"], "")
                question.later[interaction] = question.readable(now)
        elif (member := MEMBER.fullmatch(path)) and method == "GET":
            for question in self._open:
                if question.asker == int(member["id"]):
                    question.roles_told = now

    def _look(self) -> None:
        for question in self._open:
            self._look_for(question)

    def _look_for(self, question: Question) -> None:
        question.in_the_dark |= self.bot_is_in_the_dark()
        question.cut_off |= self.bot_is_cut_off()
        now = self._clock()
        guild = self._core.world.guilds[question.guild]
        here = guild.channels.get(question.channel)
        readers = {
            id for id in guild.members if here is not None and self._core.world.reads(id, here)
        }
        question.present &= readers
        adult = here is not None and age_restricted(guild, here)
        shown: dict[int, set[Sight]] = {}
        for member in question.present | {question.asker}:
            seen = question.could_read.setdefault(member, set())
            for message in question.open.get(member, ()):  # until this change
                question.last_read[member][message] = now
            question.last_read.setdefault(member, {})
            question.open[member] = set()
            for channel in guild.channels.values():
                if age_restricted(guild, channel) and not adult:
                    continue
                if truth.reads_back(self._core, guild, member, channel):
                    if channel.id not in shown:
                        shown[channel.id] = set(self._sights_in(channel))
                    seen |= shown[channel.id]
                    messages = self._core.world.messages(channel.id)
                    question.open[member].update(message.id for message in messages)

    def _bots_session(self) -> Session | None:
        sessions = [one for one in self._core.gateway.sessions.values() if one.user.bot]
        return sessions[-1] if sessions else None

    def bot_is_in_the_dark(self) -> bool:
        session = self._bots_session()
        return session is not None and not session.missed.isdisjoint(ABOUT_PERMISSIONS)

    def bot_is_cut_off(self) -> bool:
        session = self._bots_session()
        if session is None:
            return False
        deaf = session.socket is None or session.socket.zombie
        return deaf or not session.missed.isdisjoint(DELETIONS)

    def _sights_in(self, channel: Channel) -> Iterator[Sight]:
        for message in self._core.world.messages(channel.id):
            for medium in truth.shown(self._core, message):
                yield message.id, medium


def age_restricted(guild: Guild, channel: Channel) -> bool:
    home = channel if channel.thread is None else guild.channels.get(channel.parent_id or 0)
    return home is not None and home.nsfw


def _is_among(sight: Sight, seen: set[Sight]) -> bool:
    message, medium = sight
    return sight in seen or (not medium and any(one == message for one, _ in seen))


def sights_of(answer: Answer) -> list[Sight]:
    """The pictures of a page, each with the message that the page names for it: beside it, or, in
    their order, in a line of its own or by a button. A list of places names messages and shows no
    picture."""
    beside = [
        part for part in answer.parts() if part["type"] == SECTION and "media" in _picture(part)
    ]
    pairs = [(_named(part), _medium(answer, _picture(part))) for part in beside]
    if any(len(named) != 1 for named, _ in pairs):
        return [(message, "?") for named, _ in pairs for message in named or [0]]
    sights = [(named[0], medium) for named, medium in pairs]
    of_sections = [id(_picture(part)) for part in beside]
    messages = list((Counter(_messages(answer)) - Counter(one for one, _ in sights)).elements())
    rest = [
        item
        for item in answer.pictures()
        if id(item) not in of_sections and not _is_still(answer, item)
    ]
    if not rest:
        return sights + [(message, "") for message in messages]
    if len(messages) != len(rest):
        return sights + [(message, "?") for message in messages or [0]]
    media = [truth.medium_at(_address(item)) for item in rest]
    return sights + list(zip(messages, media, strict=True))


def _medium(answer: Answer, item: dict[str, Any]) -> str:
    return "" if _is_still(answer, item) else truth.medium_at(_address(item))


def _is_still(answer: Answer, item: dict[str, Any]) -> bool:
    """Whether it is a frame of a video or animation, which only private answers bring with them.
    The picture that it is of stands beside it, or its message does."""
    return answer.private and "attachment_id" in item["media"]


def _picture(section: dict[str, Any]) -> dict[str, Any]:
    """What stands beside the text of a section."""
    accessory: dict[str, Any] = section.get("accessory") or {}
    return accessory


def _named(section: dict[str, Any]) -> list[int]:
    """The messages that a section names."""
    texts = [str(part.get("content", "")) for part in section.get("components", ())]
    links = [found[1] for text in texts for found in _LINE.finditer(text)]
    return [int(found[3]) for link in links if (found := _LINK.search(link))]


def _messages(answer: Answer) -> list[int]:
    """The messages that an answer names, in order."""
    links = [found[1] for line in answer.lines() for found in _LINE.finditer(line)]
    links += [str(button["url"]) for button in answer.buttons() if "url" in button]
    return [int(found[3]) for link in links if (found := _LINK.search(link))]


def _address(item: dict[str, Any]) -> str:
    media = item["media"]
    # For another site's picture the proxied address says the same.
    return str(media.get("url") or media.get("proxy_url"))
