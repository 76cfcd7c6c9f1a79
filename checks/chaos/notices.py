"""What watches told while it happened: nothing twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from sandbox import Server
from sandbox.person import Answer, Payload, Person
from sandbox.world import Message

SECTION = 9  # Discord's type of a text with a picture beside it

_LINK = re.compile(r"\[go to message\]\(https?://[^)]*/(\d+)\)")
_PAUSE = re.compile(r"wp:(\d+):[0-9a-f]+")


async def watch_everything(person: Person, where: int) -> None:
    """Let a member be told of every picture."""
    await person.command("watch", "add", where=str(where), query="has:image")


def told_twice(server: Server) -> list[str]:
    """What one watch has told of more than once, in words."""
    told = Counter(one for message in _direct(server) for one in _told(message))
    return [
        f"watch {watch} told {times} times of {picture} of message {message}"
        for (watch, message, picture), times in told.items()
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


def _told(message: Message) -> list[tuple[str, str, str]]:
    """The pictures that a notice shows: each with the watch that told of it, and its message, which
    may have several."""
    answer = Answer({"components": message.components})
    watches = [
        found[1] for one in answer.buttons() if (found := _PAUSE.match(one.get("custom_id", "")))
    ]
    rows = [part for part in answer.parts() if part["type"] == SECTION]
    return [(watch, *_shown(row)) for watch in watches for row in rows]


def _shown(row: Payload) -> tuple[str, str]:
    """The message that a row leads to, and where its picture is, without the signature."""
    [message] = _LINK.findall(row["components"][0]["content"])
    beside = row["accessory"]
    url: str = beside["media"]["url"] if "media" in beside else beside["url"]
    return message, url.partition("?")[0]
