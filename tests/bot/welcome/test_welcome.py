"""Magpie is invited to a server, says what it is, and is set up there in three clicks."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiosqlite
import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.sync.noted import PEOPLE
from bot.text import welcome as text
from bot.welcome.welcome import UNSENT
from index.embed.embedder import Embedder
from sandbox.person import Answer, Person, Refused
from tests.bot.conftest import LogIn
from tests.bot.running import idle, quick_clocks, running, sources, until
from tests.bot.welcome.conftest import (
    channels_menu,
    from_magpie,
    greetings,
    invite,
    menus,
    mute,
)
from tests.worlds import WorldFile


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


async def greeted(person: Person, world: WorldFile, where: str) -> Answer:
    """The message with which Magpie came, once it is there."""

    async def there() -> bool:
        return where in await greetings(person, world)

    await until(there)
    (message,) = (await greetings(person, world))[where]
    return message


async def available(magpie: Magpie, world: WorldFile) -> None:
    """Do once more what the announcement of the server does, and wait until it is done."""
    guild = magpie.get_guild(world.guild_id)
    assert guild is not None
    await magpie.on_guild_available(guild)
    await idle(magpie)


async def choose(person: Person, hello: Answer, world: WorldFile, *names: str) -> Answer:
    ids = [str(world.channels[name]) for name in names]
    answer = await person.choose(hello, channels_menu(hello), *ids)
    assert answer.private
    return answer


async def test_three_clicks_set_a_server_up(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await invite(ada, world_file)
    hello = await greeted(ada, world_file, "general")
    steps = await choose(ada, hello, world_file, "pets", "Nature")
    assert "2 of 3" in steps.text()
    assert "3 of 3" in steps.text()
    assert not magpie.watched.marks(world_file.guild_id)  # nothing is read before the third click
    begun = await ada.click(steps, steps.button("Start"))
    assert f"<#{world_file.channels['pets']}>" in begun.text()
    await idle(magpie)
    marks = {world_file.channels[name] for name in ("pets", "Nature")}
    assert magpie.watched.marks(world_file.guild_id) == marks
    assert len(await sources(magpie)) == 2

    async def set_up() -> bool:
        message = (await greetings(ada, world_file))["general"][0]
        return text.more() in message.text() and text.reading(None) in message.text()

    await until(set_up)
    (message,) = (await greetings(ada, world_file))["general"]
    help_ = await ada.click(message, message.button(text.show_examples()))
    assert help_.private
    assert "in:#pets" in help_.text()


async def test_what_is_kept_is_chosen_before_the_start(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await invite(ada, world_file)
    hello = await greeted(ada, world_file, "general")
    steps = await choose(ada, hello, world_file, "pets")
    days, _ = menus(steps)
    assert [option["value"] for option in days["options"] if option["default"]] == ["0"]
    steps = await ada.choose(steps, days, "90")
    steps = await ada.choose(steps, menus(steps)[1], "1")
    assert [option["value"] for option in menus(steps)[0]["options"] if option["default"]] == ["90"]
    begun = await ada.click(steps, steps.button("Start"))
    assert "90 days" in begun.text()
    assert await magpie.gallery.bookkeeping.retention() == {world_file.guild_id: 90}
    assert magpie.noted.marks(world_file.guild_id).keys() == {world_file.channels["pets"]}


async def test_what_another_admin_has_decided_since_the_steps_were_opened_stands(
    magpie: Magpie, ada: Person, log_in: LogIn, world_file: WorldFile
) -> None:
    kim = await log_in("kim")
    await invite(ada, world_file)
    hello = await greeted(ada, world_file, "general")
    await magpie.erasure.keep_for(world_file.guild_id, 30)
    mine = await choose(ada, hello, world_file, "pets")
    theirs = await choose(kim, hello, world_file, "birds")
    theirs = await kim.choose(theirs, menus(theirs)[0], "365")
    assert "365 days" in (await kim.click(theirs, theirs.button("Start"))).text()
    mine = await ada.choose(mine, menus(mine)[1], "1")
    assert "365 days" in (await ada.click(mine, mine.button("Start"))).text()
    assert await magpie.gallery.bookkeeping.retention() == {world_file.guild_id: 365}


async def test_where_nothing_could_begin_the_menu_stays(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await invite(ada, world_file)
    hello = await greeted(ada, world_file, "general")
    steps = await choose(ada, hello, world_file, "pets")
    await ada.request("DELETE", f"/channels/{world_file.channels['pets']}")

    async def gone() -> bool:
        return magpie.get_channel(world_file.channels["pets"]) is None

    await until(gone)
    begun = await ada.click(steps, steps.button("Start"))
    assert text.nothing_begun() in begun.text()
    assert not [one for one in await magpie.gallery.bookkeeping.welcomes() if one.reading]
    general = str(world_file.channels["general"])
    (message,) = from_magpie(await ada.messages(general), world_file)
    assert channels_menu(message)


async def test_what_magpie_cannot_read_is_said_with_what_lacks(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await invite(ada, world_file)
    hello = await greeted(ada, world_file, "general")
    steps = await choose(ada, hello, world_file, "secret", "Nature")
    said = steps.text()
    for name in ("secret", "nests"):
        line = next(one for one in said.splitlines() if f"<#{world_file.channels[name]}>" in one)
        assert "View Channel" in line
    steps = await ada.choose(steps, channels_menu(steps), str(world_file.channels["secret"]))
    assert steps.button("Start")["disabled"]


async def test_only_who_may_manage_the_server_can_use_it(
    magpie: Magpie, ada: Person, world_file: WorldFile, log_in: LogIn
) -> None:
    mei = await log_in("mei")
    with pytest.raises(Refused):
        await invite(mei, world_file)
    await invite(ada, world_file)
    hello = await greeted(mei, world_file, "general")
    answer = await choose(mei, hello, world_file, "pets")
    assert answer.text() == "You need the permission Manage Server for that."
    kim = await log_in("kim")
    assert "2 of 3" in (await choose(kim, hello, world_file, "pets")).text()


async def test_a_channel_that_only_others_see_is_not_taken_from_who_names_it(
    magpie: Magpie, log_in: LogIn, world_file: WorldFile
) -> None:
    kim = await log_in("kim")
    await invite(kim, world_file)
    hello = await greeted(kim, world_file, "general")
    menu, nests = channels_menu(hello), str(world_file.channels["nests"])
    with pytest.raises(Refused):  # Discord itself refuses it
        await kim.choose(hello, menu, nests)
    steps = await choose(kim, hello, world_file, "Nature")
    assert nests not in steps.text()


async def test_steps_work_after_a_restart(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, ada: Person, world_file: WorldFile
) -> None:
    async with running(sandbox, db, model):
        await invite(ada, world_file)
        hello = await greeted(ada, world_file, "general")
        steps = await choose(ada, hello, world_file, "pets", "general")
        steps = await ada.choose(steps, menus(steps)[0], "30")
    async with running(sandbox, db, model) as magpie:
        await ada.click(steps, steps.button("Start"))
        marks = {world_file.channels[name] for name in ("pets", "general")}
        assert magpie.watched.marks(world_file.guild_id) == marks
        assert await magpie.gallery.bookkeeping.retention() == {world_file.guild_id: 30}
        await idle(magpie)


async def test_the_greeting_goes_on_to_show_progress_after_a_restart(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, ada: Person, world_file: WorldFile
) -> None:
    async with running(sandbox, db, model) as magpie:
        await invite(ada, world_file)
        await greeted(ada, world_file, "general")

        async def kept() -> bool:  # its id is written after it is sent
            (welcome,) = await magpie.gallery.bookkeeping.welcomes()
            return welcome.source != UNSENT

        await until(kept)
        (welcome,) = await magpie.gallery.bookkeeping.welcomes()
        await magpie.writer.keep_welcome(replace(welcome, reading=True))
    async with running(sandbox, db, model):

        async def set_up() -> bool:
            return text.more() in (await greetings(ada, world_file))["general"][0].text()

        await until(set_up)


async def test_a_server_is_greeted_once_until_it_is_left(
    sandbox: sandbox_package.Server, magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await invite(ada, world_file)
    await greeted(ada, world_file, "general")
    guild = magpie.get_guild(world_file.guild_id)
    assert guild is not None
    await magpie.on_guild_join(guild)  # some servers say so at each start
    sandbox.strike("outage")
    sandbox.strike("outage_over")
    await idle(magpie)
    assert len((await greetings(ada, world_file))["general"]) == 1
    sandbox.strike("leave")

    async def forgotten() -> bool:
        return not await magpie.gallery.bookkeeping.welcomes()

    await until(forgotten)
    await invite(ada, world_file)

    async def again() -> bool:
        return len((await greetings(ada, world_file))["general"]) == 2

    await until(again)


async def test_a_server_that_invited_magpie_while_it_was_away_is_greeted_once(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, ada: Person, world_file: WorldFile
) -> None:
    await invite(ada, world_file)
    async with running(sandbox, db, model):
        await greeted(ada, world_file, "general")
    async with running(sandbox, db, model) as magpie:
        await available(magpie, world_file)
    assert len((await greetings(ada, world_file))["general"]) == 1


async def test_a_server_that_is_set_up_is_not_greeted_at_a_start(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, ada: Person, world_file: WorldFile
) -> None:
    async with running(sandbox, db, model) as magpie:
        await magpie.writer.watch(world_file.guild_id, world_file.channels["pets"])
    await invite(ada, world_file)
    async with running(sandbox, db, model) as magpie:
        await available(magpie, world_file)
    assert await greetings(ada, world_file) == {}


async def test_a_server_that_had_magpie_before_it_could_greet_is_not_greeted(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, ada: Person, world_file: WorldFile
) -> None:
    async with running(sandbox, db, model):
        pass
    await invite(ada, world_file)
    async with aiosqlite.connect(db) as gallery:
        await gallery.execute("UPDATE welcoming SET since = ?", (time.time(),))
        await gallery.commit()
    async with running(sandbox, db, model) as magpie:
        await available(magpie, world_file)
    assert await greetings(ada, world_file) == {}


async def test_a_server_that_invited_magpie_long_ago_is_not_greeted(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, ada: Person, world_file: WorldFile
) -> None:
    await invite(ada, world_file)
    async with running(sandbox, db, model, quick_clocks(newcomer_s=0)) as magpie:
        await available(magpie, world_file)
    assert await greetings(ada, world_file) == {}


async def test_after_the_close_no_greeting_shows_progress(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await invite(ada, world_file)
    await greeted(ada, world_file, "general")
    await magpie.welcomes.close()
    await magpie.welcomes.on_set_up(world_file.guild_id)
    await asyncio.sleep(0)
    assert "welcome" not in {task.get_name() for task in asyncio.all_tasks()}


@pytest.mark.parametrize("done", range(4))
async def test_a_kill_during_the_start_loses_nothing(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    ada: Person,
    world_file: WorldFile,
    done: int,
) -> None:
    """Of the steps of the start, the first `done` were written when the process was killed."""
    guild_id, pets = world_file.guild_id, world_file.channels["pets"]
    async with running(sandbox, db, model) as magpie:
        await invite(ada, world_file)
        hello = await greeted(ada, world_file, "general")
        steps = await choose(ada, hello, world_file, "pets")
        steps = await ada.choose(steps, menus(steps)[0], "30")
        steps = await ada.choose(steps, menus(steps)[1], "1")
        writes = [
            partial(magpie.writer.watch, guild_id, pets),
            partial(magpie.erasure.keep_for, guild_id, 30),
            partial(magpie.writer.set_noted, guild_id, pets, PEOPLE),
        ]
        for write in writes[:done]:
            await write()
    async with running(sandbox, db, model, quick_clocks(show_progress_s=0.05)) as magpie:
        await available(magpie, world_file)
        assert magpie.watched.marks(guild_id) == ({pets} if done else set())
        await ada.click(steps, steps.button("Start"))
        assert magpie.watched.marks(guild_id) == {pets}
        assert await magpie.gallery.bookkeeping.retention() == {guild_id: 30}
        assert magpie.noted.marks(guild_id).keys() == {pets}

        async def set_up() -> bool:
            (message,) = (await greetings(ada, world_file))["general"]
            return text.reading(None) in message.text()

        await until(set_up)


async def test_a_greeting_that_was_not_sent_is_known(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, ada: Person, world_file: WorldFile
) -> None:
    """Whether it was sent can't be told after a kill, and whoever is greeted twice is annoyed."""
    refused = {"status": 403, "code": 50013, "message": "Missing Permissions", "times": None}
    sandbox.strike("error", path="/channels/*/messages", who="bot", **refused)
    async with running(sandbox, db, model) as magpie:
        await invite(ada, world_file)

        async def kept() -> bool:
            return bool(await magpie.gallery.bookkeeping.welcomes())

        await until(kept)
        await idle(magpie)
    sandbox.faults.clear()
    async with running(sandbox, db, model) as magpie:
        await available(magpie, world_file)
    assert await greetings(ada, world_file) == {}


async def test_a_kill_during_the_greeting_brings_no_second_one(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, ada: Person, world_file: WorldFile
) -> None:
    async with running(sandbox, db, model) as magpie:
        await invite(ada, world_file)
        hello = await greeted(ada, world_file, "general")
        await idle(magpie)
        (kept,) = await magpie.gallery.bookkeeping.welcomes()
        await magpie.writer.keep_welcome(replace(kept, source=UNSENT))  # killed before its id came
    async with running(sandbox, db, model) as magpie:
        await available(magpie, world_file)
        assert len((await greetings(ada, world_file))["general"]) == 1
        steps = await choose(ada, hello, world_file, "pets")
        await ada.click(steps, steps.button("Start"))
        assert magpie.watched.marks(world_file.guild_id) == {world_file.channels["pets"]}


async def test_a_deleted_message_is_no_harm(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await invite(ada, world_file)
    hello = await greeted(ada, world_file, "general")
    steps = await choose(ada, hello, world_file, "pets")
    where, id = hello.message["channel_id"], hello.message["id"]
    await ada.request("DELETE", f"/channels/{where}/messages/{id}")
    await ada.click(steps, steps.button("Start"))

    async def given_up() -> bool:
        (kept,) = await magpie.gallery.bookkeeping.welcomes()
        return not kept.reading

    await until(given_up)
    await idle(magpie)
    assert len(await sources(magpie)) == 1


async def test_two_admins_may_start_at_once(
    magpie: Magpie, ada: Person, log_in: LogIn, world_file: WorldFile
) -> None:
    kim = await log_in("kim")
    await invite(ada, world_file)
    hello = await greeted(ada, world_file, "general")
    first = await choose(ada, hello, world_file, "pets")
    second = await choose(kim, hello, world_file, "pets", "general")
    await ada.click(first, first.button("Start"))
    begun = await kim.click(second, second.button("Start"))
    assert f"I watch <#{world_file.channels['pets']}> already" in begun.text()
    assert len(magpie.watched.marks(world_file.guild_id)) == 2


class TestWhere:
    """It is written where moderators read, if Magpie may write there."""

    @pytest.fixture
    def world_file(self, world_file: WorldFile, request: pytest.FixtureRequest) -> WorldFile:
        world_file.guild |= {
            key: str(world_file.channels[name])
            for key, name in getattr(request, "param", {}).items()
        }
        return world_file

    @pytest.mark.parametrize(
        ("world_file", "where"),
        [
            ({"system_channel_id": "pets"}, "pets"),
            ({"system_channel_id": "secret"}, "general"),  # closed to Magpie
            ({"system_channel_id": "pets", "public_updates_channel_id": "birds"}, "birds"),
        ],
        indirect=["world_file"],
    )
    async def test_it_is_written_where_moderators_read(
        self, magpie: Magpie, ada: Person, world_file: WorldFile, where: str
    ) -> None:
        await invite(ada, world_file)
        await greeted(ada, world_file, where)
        assert list(await greetings(ada, world_file)) == [where]


class TestNowhere:
    """Where it may write nowhere, it writes nothing, and /help does what the message would."""

    @pytest.fixture
    def world_file(self, world_file: WorldFile) -> WorldFile:
        mute(world_file)
        return world_file

    async def test_where_it_may_write_nowhere_help_sets_up(
        self, magpie: Magpie, ada: Person, world_file: WorldFile
    ) -> None:
        await invite(ada, world_file, granted=0)

        async def joined() -> bool:
            return magpie.get_guild(world_file.guild_id) is not None

        await until(joined)
        general = str(world_file.channels["general"])
        answer = await ada.command("help", where=general)
        steps = await choose(ada, answer, world_file, "pets")
        await ada.click(steps, steps.button("Start"))
        await idle(magpie)
        assert len(await sources(magpie)) == 1
        assert await greetings(ada, world_file) == {}
