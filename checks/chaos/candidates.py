"""What a step can be done to: the channels, messages and people of that moment.

A step's dice choose one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from checks.chaos import servers
from checks.chaos.truth import Wishes
from sandbox import Server
from sandbox.person import Person
from sandbox.world import Channel, Message

T = TypeVar("T")

OLD_S = 3600  # a message older than this is from before the run


class NoCandidate(Exception):
    """Nothing exists at this moment that the step could be done to."""


def pick(some: Sequence[T], die: float) -> T:
    """The item that the die, a number in [0, 1), falls on.

    raises   NoCandidate when there is none
    """
    if not some:
        raise NoCandidate
    return some[int(die * len(some))]


def between(limits: tuple[float, float], die: float) -> float:
    """A number between the limits: the first for a die of 0, near the second for one near 1."""
    return limits[0] + die * (limits[1] - limits[0])


@dataclass
class Candidates:
    """Finds channels, messages and people in the sandbox's world.

    people   members' clients, by user id
    """

    server: Server
    people: dict[int, Person]
    wishes: Wishes

    def channels(self) -> list[Channel]:
        """All channels and threads that can hold messages."""
        return [
            channel
            for guild in self.server.world.guilds.values()
            for channel in guild.channels.values()
            if channel.holds_messages and guild.id not in self.wishes.deleted
        ]

    def messages(self, *, old: bool | None = None) -> list[Message]:
        """People's messages: all, or only those from before the run (True) or from it (False)."""
        now = self.server.world.snowflakes.next()
        edge = now - (OLD_S * 1000 << 22)
        return [
            message
            for channel in self.channels()
            for message in self.server.world.messages(channel.id)
            if message.author_id != servers.BOT and (old is None or (message.id < edge) == old)
        ]

    def own(self, **parts: bool) -> list[Message]:
        """Messages that people wrote during the run, and that have these parts or lack them."""
        return [
            message
            for message in self.messages(old=False)
            if message.author_id in self.people
            and all(bool(getattr(message, part)) == wanted for part, wanted in parts.items())
        ]

    def author(self, channel: Channel, die: float) -> Person:
        there = [
            person for id, person in self.people.items() if self.server.world.reads(id, channel)
        ]
        return pick(there, die)

    @property
    def ada(self) -> Person:
        return self.people[servers.ADA]
