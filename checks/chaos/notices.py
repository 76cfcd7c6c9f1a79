"""What watches told while it happened: nothing twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from sandbox import Server
from sandbox.person import Answer, Person
from sandbox.world import Message

_LINK = re.compile(r"\[go to message\]\(https?://[^)]*/(\d+)\)")
_PAUSE = re.compile(r"wp:(\d+):[0-9a-f]+")


async def watch_everything(person: Person, where: int) -> None:
    """Let a member be told of every picture."""
    await person.command("watch", "add", where=str(where), query="has:image")


def told_twice(server: Server) -> list[str]:
    """What one watch has told of more than once, in words."""
    told = Counter(one for message in _direct(server) for one in _told(message))
    return [
        f"watch {watch} told {times} times of message {message}"
        for (watch, message), times in told.items()
        if times > 1
    ]


def count(server: Server) -> int:
    """How many direct messages with notices were sent."""
    return sum(1 for message in _direct(server) if _told(message))


def _direct(server: Server) -> Iterator[Message]:
    """The direct messages of the bot."""
    world = server.world
    for channel in world.home.channels.values():
        yield from (one for one in world.messages(channel.id) if one.author_id == world.bot.id)


def _told(message: Message) -> list[tuple[str, str]]:
    """The messages that a notice leads to, each with the watch that told of it."""
    answer = Answer({"components": message.components})
    watches = [
        found[1] for one in answer.buttons() if (found := _PAUSE.match(one.get("custom_id", "")))
    ]
    return [(watch, message) for watch in watches for message in _LINK.findall(answer.text())]
