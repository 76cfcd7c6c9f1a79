"""A server whose members may see different things, indexed, and people to ask in it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Clocks
from index.embed.embedder import Embedder
from sandbox.person import Answer, Person
from tests.bot.ask import nest as nests
from tests.bot.ask.nest import Nest
from tests.bot.conftest import LogIn
from tests.bot.running import idle, png, running
from tests.worlds import WorldFile

RED = png("#c81e1e")


@pytest.fixture
def nest(tmp_path: Path) -> Nest:
    return nests.build(tmp_path / "world")


@pytest.fixture
def world_file(nest: Nest) -> WorldFile:
    return nest.world


def forward(answer: Answer) -> dict[str, Any] | None:
    """The button for the next page, if there is one."""
    return next((b for b in answer.buttons() if b.get("label") == "▶" and not b["disabled"]), None)


async def look(person: Person, answer: Answer, position: int = 0) -> Answer:
    """A closer look at the picture in this position."""
    menu = answer.menu()
    return await person.choose(answer, menu, menu["options"][position]["value"])


async def similar(person: Person, answer: Answer, position: int = 0) -> Answer:
    """Pictures similar to the one in this position."""
    looked = await look(person, answer, position)
    return await person.click(looked, looked.button("Only similar"))


@dataclass
class Scene:
    """The nest with Magpie in it, every channel watched and read."""

    nest: Nest
    server: sandbox_package.Server
    magpie: Magpie
    enter: LogIn

    async def log_in(self, name: str) -> Person:
        """A person of the nest, who has seen Magpie's commands, as clients do at once."""
        person = await self.enter(name)
        await person._offered("find")
        return person

    def channel(self, name: str) -> str:
        return str(self.nest.world.channels[name])

    def shown(self, answer: Answer) -> list[int]:
        """The messages whose pictures an answer shows, in its order."""
        links = re.findall(r"\[go to message\]\(https://discord\.com/\S+/(\d+)\)", answer.text())
        assert len(links) == len(answer.pictures())
        return [int(id) for id in links]

    async def all_shown(self, person: Person, answer: Answer) -> list[int]:
        """The messages of this page and of all pages after it."""
        found = self.shown(answer)
        while (more := forward(answer)) is not None:
            answer = await person.click(answer, more)
            found += self.shown(answer)
        return found

    def places(self, messages: list[int]) -> set[str]:
        assert len(set(messages)) == len(messages)
        return {self.nest.place_of(message) for message in messages}

    async def seen_by(self, person: Person, where: str = "general") -> set[str]:
        """The places whose pictures `person` is shown when asking with a picture."""
        image = ("red.png", RED)
        answer = await person.command("find", where=self.channel(where), image=image)
        assert answer.private
        return self.places(await self.all_shown(person, answer))

    async def answer_to(self, person: Person, posted: dict[str, Any]) -> Answer:
        """Magpie's public reply to a message, as `person` gets it."""
        me = str(self.nest.world.bot_id)

        def replies(message: dict[str, Any]) -> bool:
            to = (message.get("message_reference") or {}).get("message_id")
            return bool(message["author"]["id"] == me and to == posted["id"])

        return Answer(await person.event("MESSAGE_CREATE", where=replies))


@pytest.fixture
async def scene(
    nest: Nest,
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    log_in: LogIn,
    clocks: Clocks,
) -> AsyncIterator[Scene]:
    async with running(sandbox, db, model, clocks) as magpie:
        await watch_everything(magpie)
        yield Scene(nest, sandbox, magpie, log_in)


async def watch_everything(magpie: Magpie) -> None:
    guild = magpie.guilds[0]
    channels = [c for c in guild.channels if c.type is not discord.ChannelType.category]
    for channel in channels:
        await magpie.watched.add(guild.id, channel.id)
    magpie.backlog.begin(channels)
    await idle(magpie)
