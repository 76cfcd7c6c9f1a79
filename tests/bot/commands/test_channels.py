"""/channels and /status, typed by people with and without Manage Server."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sandbox as sandbox_package
from bot.app import Magpie
from bot.platform.shards import Shards
from sandbox.person import Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.running import idle, png, sources, until
from tests.worlds import WorldFile


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    """The small world, with a category that has an open and a closed channel."""
    world = worlds.small(tmp_path / "world")
    nature = world.channel("Nature", 4)
    birds = world.channel("birds", parent_id=str(nature))
    closed = [(world.guild_id, 0, 0, worlds.VIEW_CHANNEL)]
    world.channel("nests", parent_id=str(nature), overwrites=closed)
    world.person("kim", world.role("Manager", worlds.MANAGE_GUILD))
    world.message(birds, world.people["mei"], pictures=[world.picture("bird.png", "gold")])
    return world


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


async def add(person: Person, world: WorldFile, name: str) -> str:
    answer = await person.command("channels", "add", channel=str(world.channels[name]))
    assert answer.private
    return answer.text()


async def remove(person: Person, world: WorldFile, name: str) -> str:
    answer = await person.command("channels", "remove", channel=str(world.channels[name]))
    return answer.text()


async def test_added_channel_is_read_and_followed(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    answer = await add(ada, world_file, "general")
    assert f"<#{world_file.channels['general']}>" in answer
    assert "newest first" in answer
    await idle(magpie)
    assert len(await sources(magpie)) == 1
    posted = await ada.post(str(world_file.channels["general"]), pictures={"a.png": png("teal")})
    await idle(magpie)
    assert posted["id"] in await sources(magpie)


async def test_adding_a_channel_twice_is_answered_with_a_sentence(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await add(ada, world_file, "general")
    assert "already" in await add(ada, world_file, "general")


async def test_channel_that_is_closed_to_the_bot_is_refused_with_the_reason(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    answer = await add(ada, world_file, "mods")
    assert "View Channel" in answer
    assert magpie.watched.marks(world_file.guild_id) == frozenset()


async def test_category_names_the_channels_it_cannot_read(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    answer = await add(ada, world_file, "Nature")
    assert "**Nature**" in answer
    assert f"<#{world_file.channels['nests']}>: I can’t read it" in answer
    await idle(magpie)
    assert len(await sources(magpie, world_file.channels["birds"])) == 1
    assert "since I watch all of **Nature**" in await add(ada, world_file, "birds")


async def test_removed_channel_is_erased_and_counted(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await add(ada, world_file, "general")
    walks = str(world_file.channels["walks"])
    await ada.post(walks, pictures={"a.png": png("teal")})
    await idle(magpie)
    answer = await remove(ada, world_file, "general")
    assert "erased" in answer
    assert "2 pictures" in answer
    counts = await magpie.gallery.links.count()
    assert (counts.images, counts.links) == (0, 0)
    assert await magpie.gallery.bookkeeping.cursors(world_file.guild_id) == {}
    await ada.post(walks, pictures={"a.png": png("pink")})
    await idle(magpie)
    assert (await magpie.gallery.links.count()).links == 0


async def test_removed_and_added_again_is_read_again(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await add(ada, world_file, "general")
    await ada.post(str(world_file.channels["walks"]), pictures={"a.png": png("teal")})
    await idle(magpie)
    before = await sources(magpie)
    assert len(before) == 2
    await remove(ada, world_file, "general")
    await add(ada, world_file, "general")
    await idle(magpie)
    assert await sources(magpie) == before


async def test_channel_of_a_watched_category_is_not_removed_by_itself(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await add(ada, world_file, "Nature")
    await idle(magpie)
    assert "because I watch all of **Nature**" in await remove(ada, world_file, "birds")
    assert len(await sources(magpie)) == 1
    assert "don’t watch" in await remove(ada, world_file, "general")


async def test_removing_one_mark_keeps_what_another_covers(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await add(ada, world_file, "birds")
    await add(ada, world_file, "Nature")
    await idle(magpie)
    assert "nothing was erased" in await remove(ada, world_file, "birds")
    assert len(await sources(magpie)) == 1
    assert "1 picture" in await remove(ada, world_file, "Nature")
    assert await sources(magpie) == set()


async def test_list_shows_counts_and_hides_what_the_asker_cannot_see(
    magpie: Magpie, ada: Person, world_file: WorldFile, log_in: LogIn
) -> None:
    assert "I watch no channel that you can see" in (await ada.command("channels", "list")).text()
    await add(ada, world_file, "general")
    await add(ada, world_file, "Nature")
    await idle(magpie)
    listed = (await ada.command("channels", "list")).text()
    assert f"<#{world_file.channels['general']}>: 1 picture" in listed
    assert f"<#{world_file.channels['birds']}>: 1 picture" in listed
    kim = await log_in("kim")
    listed = (await kim.command("channels", "list")).text()
    assert f"<#{world_file.channels['birds']}>: 1 picture" in listed
    assert f"<#{world_file.channels['nests']}>" not in listed


async def test_list_is_the_same_whether_or_not_a_hidden_channel_is_watched(
    magpie: Magpie, ada: Person, world_file: WorldFile, log_in: LogIn
) -> None:
    kim = await log_in("kim")
    before = (await kim.command("channels", "list")).text()
    await magpie.watched.add(world_file.guild_id, world_file.channels["mods"])
    assert "<#" in (await ada.command("channels", "list")).text()
    assert (await kim.command("channels", "list")).text() == before


async def test_a_category_names_and_counts_only_channels_that_the_asker_sees(
    magpie: Magpie, ada: Person, world_file: WorldFile, log_in: LogIn
) -> None:
    """#nests is closed to kim and open to the bot."""
    kim, nests = await log_in("kim"), world_file.channels["nests"]
    answer = await add(kim, world_file, "Nature")
    assert "(1 channel)" in answer
    assert f"<#{nests}>" not in answer
    allow = {"type": 1, "allow": str(worlds.VIEW_CHANNEL), "deny": "0"}
    await ada.request("PUT", f"/channels/{nests}/permissions/{world_file.bot_id}", json=allow)
    await ada.post(str(nests), pictures={"a.png": png("teal")})
    await idle(magpie)
    assert len(await sources(magpie)) == 2
    assert "(1 picture)" in await remove(kim, world_file, "Nature")
    assert await sources(magpie) == set()


async def test_counts_leave_out_threads_and_messages_that_the_asker_cannot_read(
    magpie: Magpie, ada: Person, log_in: LogIn, world_file: WorldFile
) -> None:
    kim, general = await log_in("kim"), world_file.channels["general"]
    await add(ada, world_file, "general")
    await ada.post(str(world_file.channels["whispers"]), pictures={"a.png": png("teal")})
    await idle(magpie)
    assert len(await sources(magpie)) == 2
    for command in (("channels", "list"), ("status",)):
        assert f"<#{general}>: 2 pictures" in (await ada.command(*command)).text()
        assert f"<#{general}>: 1 picture" in (await kim.command(*command)).text()
    hidden = {"type": 0, "allow": "0", "deny": str(worlds.READ_MESSAGE_HISTORY)}
    path = f"/channels/{general}/permissions/{world_file.guild_id}"
    await ada.request("PUT", path, json=hidden)
    assert f"<#{general}>: 0 pictures" in (await kim.command("channels", "list")).text()


def damaged(number: int) -> bytes:
    """A picture whose file lacks its end."""
    noise = np.random.default_rng(number).integers(0, 255, (64, 64, 3), np.uint8)
    buffer = BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()[: int(buffer.tell() * 0.9)]


async def test_status_counts_damaged_pictures_that_the_asker_can_read(
    magpie: Magpie, ada: Person, log_in: LogIn, world_file: WorldFile
) -> None:
    kim = await log_in("kim")
    await add(ada, world_file, "general")
    assert "damaged" not in (await ada.command("status")).text()
    await ada.post(str(world_file.channels["whispers"]), pictures={"a.png": damaged(1)})
    await idle(magpie)
    assert "**2 pictures** indexed; 1 damaged and" in (await ada.command("status")).text()
    assert "damaged" not in (await kim.command("status")).text()
    await ada.post(str(world_file.channels["general"]), pictures={"b.png": damaged(2)})
    await idle(magpie)
    assert "; 2 damaged and searched in part" in (await ada.command("status")).text()
    assert "; 1 damaged and searched in part" in (await kim.command("status")).text()


async def test_marks_survive_a_restart(magpie: Magpie, ada: Person, world_file: WorldFile) -> None:
    await add(ada, world_file, "general")
    gallery = magpie.gallery
    again = type(magpie.watched)(gallery.links, gallery.bookkeeping, magpie.writer, Shards())
    await again.load()
    assert again.marks(world_file.guild_id) == {world_file.channels["general"]}


async def test_member_without_manage_server_is_not_offered_the_commands(
    magpie: Magpie, world_file: WorldFile, log_in: LogIn
) -> None:
    mei = await log_in("mei")
    offered = {command["name"] for command in await mei.commands()}
    assert offered.isdisjoint({"channels", "reindex", "status"})
    assert "find" in offered


@pytest.mark.parametrize("name", ["channels", "status", "reindex"])
async def test_manage_server_is_checked_again(
    magpie: Magpie,
    world_file: WorldFile,
    log_in: LogIn,
    sandbox: sandbox_package.Server,
    name: str,
) -> None:
    """Discord's settings let an admin open a command to others; the bot still refuses."""
    for command in sandbox.world.commands.values():
        command["default_member_permissions"] = None
    mei = await log_in("mei")
    if name == "channels":
        general = str(world_file.channels["general"])
        answer = await mei.command("channels", "add", channel=general)
    else:
        answer = await mei.command(name)
    assert answer.private
    assert "Manage Server" in answer.text()
    assert magpie.watched.marks(world_file.guild_id) == frozenset()


async def test_status_shows_channels_counts_and_model(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await add(ada, world_file, "general")
    await add(ada, world_file, "Nature")
    await idle(magpie)
    answer = await ada.command("status")
    assert answer.private
    text = answer.text()
    assert "**2 pictures** indexed" in text
    assert f"`{Path(magpie.gallery.model).name}`" in text
    assert str(Path(magpie.gallery.model).parent) not in text, "the operator's folders"
    assert "nothing waiting" in text
    assert f"<#{world_file.channels['nests']}>" in text
    assert "View Channel" in text


async def test_status_leaves_out_a_channel_deleted_meanwhile(
    magpie: Magpie, ada: Person, world_file: WorldFile
) -> None:
    await add(ada, world_file, "birds")
    await idle(magpie)
    await ada.request("DELETE", f"/channels/{world_file.channels['birds']}")

    async def unwatched() -> bool:
        return magpie.watched.marks(world_file.guild_id) == frozenset()

    await until(unwatched)
    assert "**0 pictures** indexed" in (await ada.command("status")).text()


async def test_status_tells_nothing_of_channels_that_the_asker_cannot_see(
    magpie: Magpie,
    ada: Person,
    world_file: WorldFile,
    sandbox: sandbox_package.Server,
    log_in: LogIn,
) -> None:
    """Neither that one is being read, nor that pictures of it were indexed."""
    kim, nests = await log_in("kim"), world_file.channels["nests"]

    async def told(person: Person) -> list[str]:
        lines = (await person.command("status")).text().splitlines()
        return [line for line in lines if not line.startswith("Up for")]

    nothing = await told(kim)
    allow = {"type": 1, "allow": str(worlds.VIEW_CHANNEL), "deny": "0"}
    await ada.request("PUT", f"/channels/{nests}/permissions/{world_file.bot_id}", json=allow)
    await ada.post(str(nests), pictures={"a.png": png("teal")})
    page = {"method": "GET", "path": f"/channels/{nests}/messages", "who": "bot"}
    sandbox.strike("slow", **page, delay_s=1.5)
    await add(ada, world_file, "nests")
    assert any(line.startswith("History:") for line in await told(ada))
    assert await told(kim) == nothing
    await idle(magpie)
    indexed, speed = (await told(ada))[:2]
    assert "**1 picture**" in indexed
    assert not speed.startswith("Speed: 0.0 ")
    assert await told(kim) == nothing
