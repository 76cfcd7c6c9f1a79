"""The server of the questions, whose members may see different things, with their watches."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from sandbox.person import Answer, Payload, Person
from tests.bot.ask.conftest import Scene, nest, scene, world_file
from tests.bot.running import idle, png, until

__all__ = ["nest", "scene", "world_file"]


@dataclass
class Watched:
    """The scene, and how members are told in it."""

    scene: Scene

    async def log_in(self, name: str) -> Person:
        return await self.scene.log_in(name)

    def channel(self, name: str) -> str:
        return self.scene.channel(name)

    async def add(self, person: Person, query: str = "has:image", **options: object) -> Answer:
        answer = await person.command("watch", "add", query=query, **options)
        assert answer.private
        return answer

    async def post(self, person: Person, place: str, colour: str = "#2040c8") -> Payload:
        """Post a picture, and wait until all are told who are to be told."""
        posted = await person.post(self.channel(place), pictures={"a.png": png(colour)})
        await self.settled()
        return posted

    async def settled(self) -> None:
        """Wait until everything is indexed, judged, and told."""
        magpie = self.scene.magpie
        await idle(magpie)

        async def is_done() -> bool:
            if magpie.judge.busy or magpie.deliveries.busy:
                return False
            return not await magpie.gallery.watches.next_due()

        await until(is_done)

    def told(self, person: Person) -> list[str]:
        """The messages that the notices to a member lead to, by id, oldest first."""
        return [link for notice in person.direct_messages() for link in links(notice)]


def links(notice: Answer) -> list[str]:
    """The ids of the messages that a notice leads to."""
    return re.findall(r"\[go to message\]\(https://discord\.com/\S+/(\d+)\)", notice.text())


@pytest.fixture
def watched(scene: Scene) -> Watched:
    return Watched(scene)
