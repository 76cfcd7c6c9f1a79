"""Pictures are found by the words in them, and only by who may read their channel."""

from __future__ import annotations

import re
from typing import Any

from bot.text import answers as answer_text
from bot.text import lines as line_text
from sandbox.person import Answer, Person
from tests.bot.ask.conftest import Scene, look
from tests.bot.ask.nest import READERS
from tests.bot.conftest import on_both_stores

SIGN = ["KEEP **out**!", "<@1> [x](https://evil.example)"]


async def ask(scene: Scene, person: Person, query: str, **how: Any) -> Answer:
    return await person.command("find", where=scene.channel("general"), query=query, **how)


async def write(scene: Scene, place: str, *lines: str) -> None:
    """Let these lines stand in the picture of a place."""
    transcripts = scene.magpie.gallery.transcripts
    await transcripts.begin("test")
    source = str(scene.nest.messages[place])
    pending = await transcripts.pending(limit=100)
    [key] = [one.key for one in pending if one.link.source == source]
    await transcripts.put(key, "test", lines)


async def places(scene: Scene, person: Person, query: str, **how: Any) -> set[str]:
    answer = await ask(scene, person, query, **how)
    return scene.places(await scene.all_shown(person, answer)) if answer.pictures() else set()


@on_both_stores
async def test_exact_words_find_only_what_each_may_read(scene: Scene) -> None:
    for place in scene.nest.messages:
        await write(scene, place, "Keep", "out of Carthage")
    for name, readable in READERS.items():
        person = await scene.log_in(name)
        assert await places(scene, person, '"keep out"') == readable
        assert await places(scene, person, '"keep out" "carthage" red') == readable
        for other in ('"car"', '"out keep"', '"keep ou"', '"keep outt"'):
            assert await places(scene, person, other) == set()
        assert await places(scene, person, '"keep out"', show="everyone") <= readable


@on_both_stores
async def test_an_answer_says_what_is_written(scene: Scene) -> None:
    await write(scene, "pets", *SIGN)
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn, '"Keep Out"')
    assert answer.lines()[0] == "### Pictures that say “Keep Out”"
    assert '"Keep Out"' not in answer.text()  # the heading says it already
    assert '-# "Keep Out"' in (await ask(scene, finn, '"Keep Out" red')).text()
    says = answer_text.says(" ".join(SIGN))
    assert f"-# {says}" in answer.lines()
    assert "evil.example)" not in says.replace("\\)", "")
    assert not re.search(r"(?<!\\)[*\[<]", says)
    [thumbnail] = answer.pictures()
    assert "It says “KEEP **out**!" in thumbnail["description"]
    closer = (await look(finn, answer)).lines()
    assert closer[0] == "### A picture that says “Keep Out”"
    assert f"-# {says}" in closer
    assert "says" not in (await ask(scene, finn, "red")).text()
    assert f"-# {says}" in (await ask(scene, finn, "keep out")).lines()


async def test_it_is_said_how_many_pictures_nobody_has_read(scene: Scene) -> None:
    finn, mod = await scene.log_in("finn"), await scene.log_in("mod")
    for person, name in ((finn, "finn"), (mod, "mod")):
        note = line_text.words_not_read(len(READERS[name]))
        assert note in (await ask(scene, person, '"keep out"')).text()
        assert note not in (await ask(scene, person, "keep out")).text()
    for place in READERS["finn"]:
        await write(scene, place)
    assert "not read" not in (await ask(scene, finn, '"keep out"')).text()
    left = READERS["mod"] - READERS["finn"]
    assert line_text.words_not_read(len(left)) in (await ask(scene, mod, '"keep out"')).text()


async def test_an_answer_names_the_words_that_no_picture_says(scene: Scene) -> None:
    for place in READERS["mod"]:
        await write(scene, place, *(["Keep out"] if place not in READERS["finn"] else []))
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn, '"keep out" "no dogs"')
    assert "no picture that says “keep out” and “no dogs” in the channels you" in answer.text()
    assert (await ask(scene, finn, '"keep out"')).text().startswith("I found no picture that says")
    limited = await ask(scene, finn, 'red "keep out" after:2001')
    assert limited.lines()[1].startswith("-# since")
    public = await ask(scene, finn, '"keep out"', show="everyone")
    assert public.text().startswith("I found nothing to show here that says “keep out”.")
