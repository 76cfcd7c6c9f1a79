"""/reposts: where notes are written, typed by people with and without Manage Server."""

from __future__ import annotations

from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.text import copies as text
from sandbox.person import Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.running import begin_to_watch
from tests.worlds import WorldFile


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    """The small world, with a category, and a channel where the bot can't write."""
    world = worlds.small(tmp_path / "world")
    nature = world.channel("Nature", 4)
    world.channel("birds", parent_id=str(nature))
    world.channel("read only", overwrites=[(world.guild_id, 0, 0, worlds.SEND_MESSAGES)])
    return world


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


async def say(person: Person, what: str, world: WorldFile, name: str, **more: int) -> str:
    channel = str(world.channels[name])
    return (await person.command("reposts", what, channel=channel, **more)).text()


async def test_notes_are_turned_on_and_off_for_a_channel(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    guild, general = world_file.guild_id, world_file.channels["general"]
    assert "`/channels add`" in await say(ada, "on", world_file, "general")
    assert magpie.noted.marks(guild) == {}
    await begin_to_watch(magpie, general)
    said = await say(ada, "on", world_file, "general")
    assert f"<#{general}>" in said
    assert "5 different members" in said
    assert "9 different members" in await say(ada, "on", world_file, "general", people=9)
    assert magpie.noted.marks(guild) == {general: 9}
    assert f"<#{general}>, unless 9 members" in (await ada.command("reposts", "list")).text()
    assert f"<#{general}>" in await say(ada, "off", world_file, "general")
    assert magpie.noted.marks(guild) == {}
    assert (await ada.command("reposts", "list")).text() == text.no_notes()
    assert "`/reposts list`" in await say(ada, "off", world_file, "general")


async def test_a_category_stands_for_its_channels(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await begin_to_watch(magpie, world_file.channels["Nature"])
    await say(ada, "on", world_file, "Nature", people=4)
    birds = magpie.get_channel(world_file.channels["birds"])
    assert magpie.noted.people(birds) == 4
    assert magpie.noted.people(magpie.get_channel(world_file.channels["general"])) is None
    assert "**Nature**" in await say(ada, "off", world_file, "birds")
    assert magpie.noted.people(birds) == 4


async def test_a_channel_where_the_bot_cant_write_is_refused_with_the_reason(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await begin_to_watch(magpie, world_file.channels["read only"])
    assert "Send Messages" in await say(ada, "on", world_file, "read only")
    assert magpie.noted.marks(world_file.guild_id) == {}


async def test_a_deleted_channel_is_noted_no_more(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    general = world_file.channels["general"]
    await begin_to_watch(magpie, general)
    await say(ada, "on", world_file, "general")
    await magpie.noted.on_channel_deleted(magpie.get_channel(general))  # type: ignore[arg-type]
    assert await magpie.gallery.bookkeeping.noted_groups() == {}


@pytest.mark.parametrize("what", ["on", "off", "list"])
async def test_manage_server_is_checked_again(
    magpie: Magpie,
    world_file: WorldFile,
    log_in: LogIn,
    sandbox: sandbox_package.Server,
    what: str,
) -> None:
    """Discord's settings let an admin open a command to others; the bot still refuses."""
    for command in sandbox.world.commands.values():
        command["default_member_permissions"] = None
    mei, general = await log_in("mei"), world_file.channels["general"]
    await begin_to_watch(magpie, general)
    options = {} if what == "list" else {"channel": str(general)}
    answer = await mei.command("reposts", what, **options)
    assert "Manage Server" in answer.text()
    assert magpie.noted.marks(world_file.guild_id) == {}
