"""Pictures that take long to decode delay nobody but the member who asks with them."""

from __future__ import annotations

import asyncio

from PIL import Image

from bot.ask import fair_turns
from bot.text import answers as answer_text
from checks.fuzzing import files
from sandbox.person import Answer, Person
from tests.bot.ask.conftest import RED, Scene


def slow_picture(number: int) -> tuple[str, bytes]:
    """A JPEG with 250 more scans of the same pixels, and like no other in its last byte."""
    whole = files.encoded(Image.new("L", (2000, 2000), 128), "JPEG", progressive=True)
    end = whole.rindex(b"\xff\xd9")
    scans = whole[whole.rindex(b"\xff\xda", 0, end) : end] * 250
    return f"{number}.jpg", whole[:end] + scans + whole[end:] + bytes([number])


async def test_others_are_answered_beside_one_members_slow_pictures(scene: Scene) -> None:
    ada, finn = await scene.log_in("ada"), await scene.log_in("finn")
    general = scene.channel("general")

    def ask(person: Person, image: tuple[str, bytes]) -> asyncio.Task[Answer]:
        return asyncio.create_task(person.command("find", where=general, image=image))

    asked = [ask(ada, slow_picture(number)) for number in range(fair_turns.MEMBER_PLACES + 2)]
    refused: set[asyncio.Task[Answer]] = set()
    while len(refused) < 2:
        refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    assert {one.result().text() for one in refused} == {answer_text.your_pictures_wait()}
    in_words = await finn.command("find", where=general, query="dog")
    with_a_picture = await ask(finn, ("red.png", RED))
    assert len(scene.shown(in_words)) == len(scene.shown(with_a_picture)) == 5
    assert {one for one in asked if one.done()} == refused
    for one in set(asked) - refused:
        assert len(scene.shown(await one)) > 0
