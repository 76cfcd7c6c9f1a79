"""Whom and what a step is done to: its dice choose among what there is at that moment."""

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

OLD_S = 3600


class NoCandidate(Exception):
    """There is nothing that the step could be done to."""


def pick(some: Sequence[T], die: float) -> T:
    """The one that the die, in [0, 1), falls on; raises Nothing when there are none."""
    if not some:
        raise NoCandidate
    return some[int(die * len(some))]


def between(limits: tuple[float, float], die: float) -> float:
    """So much of the way from the one limit to the other."""
    return limits[0] + die * (limits[1] - limits[0])


@dataclass
class Candidates:
    """The servers' channels and messages, and the people. `people` are members' clients, by id."""

    server: Server
    people: dict[int, Person]
    wishes: Wishes

    def channels(self) -> list[Channel]:
        """Where messages can be, threads too."""
        return [
            channel
            for guild in self.server.world.guilds.values()
            for channel in guild.channels.values()
            if channel.holds_messages and guild.id not in self.wishes.deleted
        ]

    def messages(self, *, old: bool | None = None) -> list[Message]:
        """People's messages; those from before the run, or those from it."""
        now = self.server.world.snowflakes.next()
        edge = now - (OLD_S * 1000 << 22)
        return [
            message
            for channel in self.channels()
            for message in self.server.world.messages(channel.id)
            if message.author_id != servers.BOT and (old is None or (message.id < edge) == old)
        ]

    def own(self, **parts: bool) -> list[Message]:
        """Messages of people in the run, that have such parts."""
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
