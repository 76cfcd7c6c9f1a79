"""Whether an answer showed somebody what they could not read.

Judged by the sandbox's rule, picture by picture. An answer takes a moment, in which permissions
and messages change. So it leaks a picture when at no instant, from the question being sent until
the answer was there, the asker could read the picture's message with the picture in it: channel
open to them with its history, private threads joined, age-restricted channels only for who asks
inside one. What the bot is told arrives in the gateway's order, before the question; the message
is read again after it. So nothing else is forgiven. A public answer is judged for everybody who
could read its channel all the while.

One thing is forgiven: while the bot's session has missed an event about permissions, the bot cannot
know of them. Discord tells everything again with the next session, and from then on it counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from checks.chaos import truth
from sandbox.core import Core
from sandbox.person import Answer
from sandbox.world import Channel, Guild

# Events that say who may see what; interactions tell the bot the roles of who asks.
ABOUT_PERMISSIONS = (
    "CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE", "GUILD_ROLE_UPDATE",
    "GUILD_MEMBER_UPDATE", "THREAD_LIST_SYNC", "THREAD_MEMBERS_UPDATE", "THREAD_UPDATE",
)  # fmt: skip

Sight = tuple[int, str]  # a message, and a medium it shows

_LINE = re.compile(r"\[go to message\]\(\S+/(\d+)/(\d+)/(\d+)\)")


@dataclass(eq=False)
class Question:
    """What each member could read at some instant since it was asked."""

    asker: int
    guild: int
    channel: int
    could_read: dict[int, set[Sight]] = field(default_factory=dict)
    present: set[int] = field(default_factory=set)  # who could read the channel all the while
    in_the_dark: bool = False  # the bot had missed what it would need to know


class Witness:
    """Looks at the world whenever it changes while a question is open."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._open: set[Question] = set()
        self.answers = 0
        self.pictures = 0
        self.in_the_dark = 0  # answers
        self.leaked: list[str] = []
        core.gateway.watchers.append(self._look)

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

    def judge(self, question: Question, answer: Answer) -> bool:
        """Note what its readers could not read of an answer; True when that is nothing."""
        self._look_for(question)
        self.answers += 1
        if question.in_the_dark:
            self.in_the_dark += 1
            return True
        before = len(self.leaked)
        readers = {question.asker} if answer.private else question.present
        for sight in _sights(answer):
            self.pictures += 1
            for reader in readers:
                if sight not in question.could_read.get(reader, ()):
                    who = self._core.world.users[reader].username
                    self.leaked.append(f"{who} was shown {sight[1]} of message {sight[0]}")
        return len(self.leaked) == before

    def _look(self) -> None:
        for question in self._open:
            self._look_for(question)

    def _look_for(self, question: Question) -> None:
        question.in_the_dark |= self._bot_is_in_the_dark()
        guild = self._core.world.guilds[question.guild]
        here = guild.channels.get(question.channel)
        readers = {
            id for id in guild.members if here is not None and self._core.world.reads(id, here)
        }
        question.present &= readers
        adult = here is not None and _age_restricted(guild, here)
        shown: dict[int, set[Sight]] = {}
        for member in question.present | {question.asker}:
            seen = question.could_read.setdefault(member, set())
            for channel in guild.channels.values():
                if _age_restricted(guild, channel) and not adult:
                    continue
                if truth.reads_back(self._core, guild, member, channel):
                    if channel.id not in shown:
                        shown[channel.id] = set(self._sights_in(channel))
                    seen |= shown[channel.id]

    def _bot_is_in_the_dark(self) -> bool:
        sessions = [one for one in self._core.gateway.sessions.values() if one.user.bot]
        return bool(sessions) and not sessions[-1].missed.isdisjoint(ABOUT_PERMISSIONS)

    def _sights_in(self, channel: Channel) -> Iterator[Sight]:
        for message in self._core.world.messages(channel.id):
            for medium in truth.shown(self._core, message):
                yield message.id, medium


def _age_restricted(guild: Guild, channel: Channel) -> bool:
    home = channel if channel.thread is None else guild.channels.get(channel.parent_id or 0)
    return home is not None and home.nsfw


def _sights(answer: Answer) -> list[Sight]:
    """The pictures of a page with the messages they are said to be of, in order."""
    messages = [int(found[3]) for line in answer.lines() for found in _LINE.finditer(line)]
    urls = [_address(item) for item in answer.pictures()]
    if len(messages) != len(urls):
        return [(message, "?") for message in messages or [0]]
    return list(zip(messages, map(truth.medium_at, urls), strict=True))


def _address(item: dict[str, Any]) -> str:
    media = item["media"]
    # Of another site's picture the proxied address says as much.
    return str(media.get("url") or media.get("proxy_url"))
