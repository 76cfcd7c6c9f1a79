"""/help: examples that find something, made only from what the asker can read."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.text import answers as answer_text
from bot.text import help as text
from demo import FOLDER
from index.embed.embedder import Embedder
from pocket import MODEL
from sandbox.person import Answer, Person
from tests.bot.ask.conftest import Scene
from tests.bot.ask.nest import READERS
from tests.bot.conftest import LogIn
from tests.bot.running import running, watch
from tests.worlds import VIEW_CHANNEL, WorldFile

PLACES = re.compile(r'in:"?#([\w -]+)')


def lines(answer: Answer) -> list[str]:
    """The examples, from their buttons."""
    buttons = (str(button.get("label")) for button in answer.buttons())
    return [label for label in buttons if text.example(label) in answer.text()]


async def help_for(scene: Scene, person: Person, where: str = "general") -> Answer:
    answer = await person.command("help", where=scene.channel(where))
    assert answer.private
    return answer


async def test_examples_name_only_what_each_may_read_and_find_it(scene: Scene) -> None:
    for name, readable in READERS.items():
        person = await scene.log_in(name)
        answer = await help_for(scene, person)
        assert lines(answer)
        for line in lines(answer):
            assert set(PLACES.findall(line)) <= readable
            found = await person.click(answer, answer.button(line))
            assert found.private
            assert scene.places(scene.shown(found)) <= readable
            assert found.pictures()


async def test_it_names_the_other_commands_for_everybody(scene: Scene) -> None:
    said = (await help_for(scene, await scene.log_in("finn"))).text()
    for command in ("/watch add", "/overview", "/privacy status"):
        assert f"`{command}`" in said


async def test_a_picture_that_is_gone_makes_no_example(scene: Scene) -> None:
    olga = await scene.log_in("olga")
    for place, message in scene.nest.messages.items():
        # No event tells the bot of it, as when it was away.
        assert scene.server.world.drop_message(int(scene.channel(place)), message) is not None
    answer = await help_for(scene, olga)
    assert lines(answer) == []
    assert text.no_examples() in answer.text()


async def test_only_admins_are_told_what_admins_do(scene: Scene) -> None:
    for name, told in (("olga", True), ("finn", False)):
        answer = await help_for(scene, await scene.log_in(name))
        assert (text.for_admins() in answer.text()) is told


async def test_help_where_nothing_is_watched_says_what_to_do(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    async with running(sandbox, db, model):
        for name, may_add in (("olga", True), ("finn", False)):
            answer = await (await log_in(name)).command("help")
            assert answer_text.no_channels(may_add) in answer.text()
            assert any(part["type"] == 8 for part in answer.parts()) is may_add


@pytest.mark.parametrize("said", ["", "help", "Help!", "Hilfe"])
async def test_a_mention_alone_or_help_says_how_to_ask(scene: Scene, said: str) -> None:
    finn = await scene.log_in("finn")
    posted = await finn.post(scene.channel("general"), f"<@{scene.nest.world.bot_id}> {said}")
    assert (await scene.answer_to(finn, posted)).text() == answer_text.how_to_ask()


class TestWords:
    """With a model that sees something: the demo's pictures of penguins, and of what is closed."""

    @pytest.fixture
    def world_file(self, tmp_path: Path) -> WorldFile:
        world = WorldFile(tmp_path / "world")
        world.person("olga")
        finn = world.person("finn")
        world.member(world.bot_id, world.role("Magpie", 1 << 3, managed=True))
        world.channel("general")
        hidden = [(world.guild_id, 0, 0, VIEW_CHANNEL)]
        world.channel("closed", overwrites=hidden)
        labels = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
        subjects = {file: label["subjects"] for file, label in labels.items()}
        for place, wanted in (("general", {"penguin", "cat"}), ("closed", {"snowman", "teapot"})):
            shown = [file for file, found in subjects.items() if wanted & set(found)][:6]
            for file in (one for one in shown if (FOLDER / one).suffix != ".gif"):
                shutil.copy(FOLDER / file, world.folder / Path(file).name)
                world.message(world.channels[place], finn, pictures=[Path(file).name])
        return world

    async def test_examples_in_words_are_of_open_pictures_and_surely_find_some(
        self, sandbox: sandbox_package.Server, db: Path, log_in: LogIn, world_file: WorldFile
    ) -> None:
        async with running(sandbox, db, str(MODEL)) as magpie:
            await magpie.gallery.ready_to_judge()
            for channel in world_file.channels.values():
                await watch(magpie, channel)
            finn = await log_in("finn")
            answer = await finn.command("help")
            asked = lines(answer)
            assert any("penguin" in line or "cat" in line for line in asked)
            assert not any("snowman" in line or "teapot" in line for line in asked)
            assert not any("closed" in line for line in asked)
            for line in asked:
                found = await finn.click(answer, answer.button(line))
                assert found.pictures()
                assert answer_text.not_sure(len(found.pictures())) not in found.text()
            olga = await log_in("olga")
            everything = lines(await olga.command("help"))
            assert any("snowman" in line or "teapot" in line for line in everything)
