"""Whether an answer showed somebody what they could not read.

Each picture is judged by the sandbox's own rule. An answer takes a moment, and permissions and
messages change meanwhile. So a picture is leaked when there was no instant, from the question being
sent until the answer arrived, at which the asker could read the picture's message with the picture
in it. To read it, the channel and its history must be open to them, they must have joined a private
thread, and age-restricted channels count only for somebody who asks inside one. A public answer is
judged for everybody who could read its channel all that time.

There is one excuse: while the bot's session has missed an event about permissions, the bot can't
know of the change. Discord sends everything again with the next session, and from then on it
counts. There is no other excuse, since events reach the bot in order and before the question, and
the bot reads the message of each picture again after the question.
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

# Events that say who may see what. The roles of the asker come with the interaction.
ABOUT_PERMISSIONS = (
    "CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE", "GUILD_ROLE_UPDATE",
    "GUILD_MEMBER_UPDATE", "THREAD_LIST_SYNC", "THREAD_MEMBERS_UPDATE", "THREAD_UPDATE",
)  # fmt: skip

Sight = tuple[int, str]  # a message, and a medium that it shows

_LINE = re.compile(r"\[go to message\]\(\S+/(\d+)/(\d+)/(\d+)\)")


@dataclass(eq=False)
class Question:
    """A question, and what each member could read at some instant since it was asked."""

    asker: int
    guild: int
    channel: int
    could_read: dict[int, set[Sight]] = field(default_factory=dict)
    present: set[int] = field(default_factory=set)  # who could read the channel all that time
    in_the_dark: bool = False  # the bot had missed an event about permissions


class Witness:
    """Records who can read what, at each change of the world while a question is open."""

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
        """Whether readers of the answer could read all of it; what they could not is noted."""
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
    """The pictures of a page, in order, each with the message that the page names for it."""
    messages = [int(found[3]) for line in answer.lines() for found in _LINE.finditer(line)]
    urls = [_address(item) for item in answer.pictures()]
    if len(messages) != len(urls):
        return [(message, "?") for message in messages or [0]]
    return list(zip(messages, map(truth.medium_at, urls), strict=True))


def _address(item: dict[str, Any]) -> str:
    media = item["media"]
    # For another site's picture the proxied address says the same.
    return str(media.get("url") or media.get("proxy_url"))
