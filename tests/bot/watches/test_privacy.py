"""What is kept of watches is shown, exported and erased, and nothing of it stays in the file."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import aiohttp
import pytest

from bot.ops.tuning import Clocks
from sandbox.person import Person
from tests.bot.running import png
from tests.bot.watches.conftest import Watched
from tests.bot.watches.test_notices import LONG_S, waiting, waits

WISH = "a most peculiar heron"


@pytest.fixture
async def finn(watched: Watched) -> Person:
    person = await watched.log_in("finn")
    await watched.add(person, f"{WISH} in:#pets")
    return person


async def about(person: Person) -> dict[str, object]:
    answer = await person.command("privacy", "export")
    (file,) = answer.message["attachments"]
    async with aiohttp.ClientSession() as session, session.get(file["url"]) as got:
        packed = await got.read()
    with zipfile.ZipFile(io.BytesIO(packed)) as files:
        told: dict[str, object] = json.loads(files.read("about-you.json"))
    return told


async def test_a_member_sees_their_watches_and_takes_them_along(
    watched: Watched, finn: Person
) -> None:
    assert "1 watch" in (await finn.command("privacy", "status")).text()
    exported = (await about(finn))["watches"]
    assert isinstance(exported, list)
    (watch,) = exported
    assert watch["words"] == WISH
    assert watch["vectors"]
    ada = await watched.log_in("ada")
    assert (await about(ada))["watches"] == []


async def test_when_a_member_was_told_is_theirs_to_see_and_to_erase(
    watched: Watched, finn: Person
) -> None:
    ada = await watched.log_in("ada")
    await watched.post(ada, "pets")
    told_at = (await about(finn))["told_of_watches_at"]
    assert isinstance(told_at, list)
    assert len(told_at) == 1
    await finn.command("privacy", "erase")
    assert (await about(finn))["told_of_watches_at"] == []


@pytest.mark.parametrize("command", ["erase", "opt-out"])
async def test_erasing_ends_all_watches_and_what_waits_is_not_told(
    watched: Watched, finn: Person, clocks: Clocks, db: Path, command: str
) -> None:
    ada = await watched.log_in("ada")
    clocks.notices_s = LONG_S
    await ada.post(watched.channel("pets"), pictures={"a.png": png("#2040c8")})
    await waits(watched)
    assert WISH.encode() in b"".join(file.read_bytes() for file in db.parent.glob("magpie.db*"))
    await finn.command("privacy", command)
    assert await waiting(watched) == {}
    assert "no watches" in (await finn.command("watch", "list")).text()
    await watched.scene.magpie.writer.vacuum()
    assert WISH.encode() not in b"".join(file.read_bytes() for file in db.parent.glob("magpie.db*"))
    await watched.post(ada, "pets", "#20c840")
    assert finn.direct_messages() == []


async def test_removing_a_watch_leaves_none_of_its_words(
    watched: Watched, finn: Person, db: Path
) -> None:
    answer = await finn.command("watch", "list")
    menu = answer.menu()
    await finn.choose(answer, menu, menu["options"][0]["value"])
    await watched.scene.magpie.writer.vacuum()
    files = [file for file in db.parent.rglob("*") if file.is_file() and "world" not in str(file)]
    assert not [file for file in files if WISH.encode() in file.read_bytes()]


async def test_a_server_that_is_erased_takes_its_watches_along(
    watched: Watched, finn: Person
) -> None:
    magpie, guild = watched.scene.magpie, watched.scene.nest.world.guild_id
    await magpie.erasure.erase_guild(guild)
    assert await magpie.gallery.watches.count(guild) == 0
