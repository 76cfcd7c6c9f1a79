"""Stickers of Lottie are found, though Discord shows them only where they were sent."""

from __future__ import annotations

import pytest

from bot.text import answers as text
from checks.fuzzing import lottie
from sandbox.person import Answer
from tests.bot.ask.conftest import Scene
from tests.bot.ask.nest import Nest
from tests.bot.running import png

MAGENTA = (255, 0, 255)


@pytest.fixture
def nest(nest: Nest) -> Nest:
    world = nest.world
    (world.folder / "disc.json").write_bytes(lottie.animation(MAGENTA, frames=2))
    sticker = str(world.sticker("disc", "disc.json", format_type=3))
    pets, olga = world.channels["pets"], world.people["olga"]
    nest.messages["sticker"] = world.message(pets, olga, sticker_ids=[sticker])
    return nest


async def test_an_answer_of_ones_own_shows_a_frame_of_a_sticker(scene: Scene) -> None:
    answer = await _asked(scene)
    first = answer.pictures()[0]["media"]
    assert first["url"].partition("?")[0].endswith(".webp")
    assert not any(button.get("label") == text.see_the_sticker() for button in answer.buttons())


async def test_a_public_answer_leads_to_a_sticker_that_it_cannot_show(scene: Scene) -> None:
    answer = await _asked(scene, show="everyone")
    place = f"/{scene.nest.messages['sticker']}"
    assert f"{place})" in answer.text()
    assert not any(".json" in picture["media"]["url"] for picture in answer.pictures())
    [button] = [b for b in answer.buttons() if b.get("label") == text.see_the_sticker()]
    assert button["url"].endswith(place)


async def _asked(scene: Scene, **more: str) -> Answer:
    finn = await scene.log_in("finn")
    return await finn.command(
        "find", where=scene.channel("pets"), image=("asked.png", png("magenta")), **more
    )
