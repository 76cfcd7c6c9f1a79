"""Posted before? As members, moderators and everyone in a channel are told."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from bot.text import copies as text
from sandbox.person import Answer, Person
from tests.bot.ask.conftest import Scene
from tests.bot.drawings import cropped, drawing, file, grey, mirrored, smaller
from tests.bot.running import idle

ORIGINAL = drawing(1)
ASK = "Posted before?"


async def post(person: Person, scene: Scene, place: str, *images: Image.Image) -> dict[str, Any]:
    """A message with these pictures, which are in the gallery when it returns."""
    pictures = {f"{n}.png": file(image) for n, image in enumerate(images)}
    posted = await person.post(scene.channel(place), pictures=pictures)
    await idle(scene.magpie)
    return posted


async def test_a_picture_that_was_posted_before_tells_where_when_and_by_whom(scene: Scene) -> None:
    ada, finn = await scene.log_in("ada"), await scene.log_in("finn")
    first = await post(ada, scene, "pets", ORIGINAL)
    second = await post(finn, scene, "general", ORIGINAL)
    again = await post(finn, scene, "pets", ORIGINAL)
    answer = await finn.menu(ASK, again)
    print(answer.text())
    assert answer.private
    assert answer.lines()[0] == f"### {text.heading(2)}"
