"""/privacy shows, exports and erases what is kept about a member."""

from __future__ import annotations

import asyncio
import io
import json
import stat
import time
import zipfile
from pathlib import Path

import aiohttp
import numpy as np
import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.text.answers import no_buttons
from index import Group, Link
from sandbox.person import Person
from tests.bot.conftest import LogIn, on_both_stores
from tests.bot.running import (
    PATIENCE_S,
    Held,
    png,
    quick_clocks,
    running,
    sources,
    until,
    watch,
    watching,
)
from tests.worlds import WorldFile


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


@pytest.fixture
async def mei(log_in: LogIn) -> Person:
    return await log_in("mei")


@pytest.fixture
async def general(magpie: Magpie, world_file: WorldFile) -> int:
    channel = world_file.channels["general"]
    await watch(magpie, channel)
    return channel


async def post(client: Magpie, person: Person, channel: int, colour: str) -> str:
    """Post a picture and wait until it is indexed; the message's id."""
    message = await person.post(str(channel), pictures={f"{colour}.png": png(colour)})

    async def indexed() -> bool:
        return message["id"] in await sources(client)

    await until(indexed)
    return str(message["id"])


async def of(client: Magpie, person: Person) -> int:
    return await client.gallery.links.count_of_owner(client.guilds[0].id, int(person.user["id"]))


async def privacy_of(person: Person, command: str, **options: object) -> str:
    answer = await person.command("privacy", command, **options)
    assert answer.private
    return answer.text()


async def test_questions_are_erased_after_a_week_even_if_nobody_asks_again(
    magpie: Magpie, world_file: WorldFile, mei: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kept() -> int:
        asked = await magpie.gallery.bookkeeping.searches_of(
            world_file.guild_id, world_file.people["mei"]
        )
        return len(asked)

    await mei.command("find", query="a dog")
    await magpie.maintenance.expire_all()
    assert await kept() == 1
    monkeypatch.setattr(magpie.gallery.bookkeeping, "search_life_s", -1)
    await magpie.maintenance.expire_all()
    assert await kept() == 0


async def test_status_shows_what_is_kept(magpie: Magpie, general: int, mei: Person) -> None:
    before = await of(magpie, mei)
    await post(magpie, mei, general, "teal")
    await mei.command("find", query="teal")
    text = await privacy_of(mei, "status")
    assert f"{before + 1} pictures that you posted" in text
    assert "1 question that you asked" in text
    assert "as long as their message is there" in text


@on_both_stores
async def test_opting_out_erases_and_keeps_out_until_opting_in(
    magpie: Magpie, general: int, mei: Person, ada: Person
) -> None:
    await post(magpie, mei, general, "teal")
    others = await post(magpie, ada, general, "gold")
    text = await privacy_of(mei, "opt-out")
    assert "erased from the index" in text
    assert await of(magpie, mei) == 0
    refused = await mei.post(str(general), pictures={"b.png": png("pink")})
    await post(magpie, ada, general, "navy")  # everything before it has been handled then
    found = await sources(magpie)
    assert refused["id"] not in found
    assert others in found
    assert "You have opted out" in await privacy_of(mei, "status")
    text = await privacy_of(mei, "opt-in")
    assert text.startswith("Welcome back")
    assert "`/privacy opt-in earlier:True` lets what you erased come back" in text
    await post(magpie, mei, general, "olive")
    assert await of(magpie, mei) == 1


@on_both_stores
async def test_opting_out_holds_after_a_restart_and_a_reindex(
    sandbox: sandbox_package.Server,
    db: Path,
    model_folder: Path,
    world_file: WorldFile,
    mei: Person,
    ada: Person,
) -> None:
    async with running(sandbox, db, str(model_folder)) as client:
        await watch(client, world_file.channels["general"])
        await post(client, mei, world_file.channels["general"], "teal")
        await privacy_of(mei, "opt-out")
    async with running(sandbox, db, str(model_folder)) as client:
        await ada.command("reindex", what="everything")

        async def done() -> bool:
            return (await client.gallery.bookkeeping.jobs(active=False))[-1].status == "done"

        await until(done)
        assert await of(client, mei) == 0


async def test_a_picture_on_its_way_when_its_member_opts_out_is_not_kept(
    sandbox: sandbox_package.Server,
    db: Path,
    model: object,
    world_file: WorldFile,
    mei: Person,
    ada: Person,
) -> None:
    slow = Held(model)  # type: ignore[arg-type]
    general = world_file.channels["general"]
    async with watching(sandbox, db, slow, general) as client:
        slow.hold()
        begun = slow.begun
        await mei.post(str(general), pictures={"a.png": png("teal")})

        async def embedding() -> bool:
            return slow.begun > begun

        await until(embedding)
        await privacy_of(mei, "opt-out")
        slow.release()
        await post(client, ada, general, "gold")
        assert await of(client, mei) == 0


@on_both_stores
async def test_erasing_erases_pictures_and_questions_of_that_member_only(
    magpie: Magpie, general: int, mei: Person, ada: Person
) -> None:
    await post(magpie, mei, general, "teal")
    await post(magpie, ada, general, "gold")
    await mei.command("find", query="teal")
    kept = await of(magpie, ada)
    text = await privacy_of(mei, "erase")
    assert "stay erased" in text
    assert "`/privacy opt-in earlier:True` lets what you erased come back" in text
    assert await of(magpie, mei) == 0
    assert await of(magpie, ada) == kept > 0
    space = magpie.guilds[0].id
    assert await magpie.gallery.bookkeeping.searches_of(space, int(mei.user["id"])) == []


async def test_question_on_its_way_when_its_member_erases_their_questions_is_not_kept(
    sandbox: sandbox_package.Server,
    db: Path,
    model: object,
    world_file: WorldFile,
    mei: Person,
) -> None:
    sandbox.clocks.acknowledge_s = PATIENCE_S
    slow = Held(model)  # type: ignore[arg-type]
    general = world_file.channels["general"]
    async with watching(sandbox, db, slow, general) as client:
        slow.hold()
        begun, where = slow.begun, str(general)
        question = mei.command("find", where=where, image=("a.png", png("teal")))
        asking = asyncio.create_task(question)

        async def embedding() -> bool:
            return slow.begun > begun

        await until(embedding)
        await privacy_of(mei, "erase")
        slow.release()
        assert no_buttons() in (await asking).text()
        member = (client.guilds[0].id, int(mei.user["id"]))
        assert await client.gallery.bookkeeping.searches_of(*member) == []
        await mei.command("find", where=where, query="teal")
        assert len(await client.gallery.bookkeeping.searches_of(*member)) == 1


@on_both_stores
async def test_export_has_everything_that_is_kept(
    magpie: Magpie,
    general: int,
    mei: Person,
    sandbox: sandbox_package.Server,
) -> None:
    magpie.limits.export_pictures = 2
    await privacy_of(mei, "erase")
    posted = [await post(magpie, mei, general, colour) for colour in ("teal", "gold", "navy")]
    teal = await magpie.gallery.embed_picture(png("teal"))
    await magpie.gallery.transcripts.begin("test")
    await magpie.gallery.transcripts.put(teal.key, "test", ["out of", "teal"])
    await mei.command("find", query="something teal")
    assert "is erased and stays so" in await privacy_of(mei, "status")
    answer = await mei.command("privacy", "export")
    assert answer.private
    attachment = answer.message["attachments"][0]
    assert attachment["filename"] == "magpie-about-you-1.zip"
    async with aiohttp.ClientSession() as session, session.get(attachment["url"]) as response:
        packed = zipfile.ZipFile(io.BytesIO(await response.read()))
    about = json.loads(packed.read("about-you.json"))
    vectors = np.load(io.BytesIO(packed.read("vectors.npy")))
    assert [one["message"].rpartition("/")[2] for one in about["pictures"]] == posted[:2]
    assert about["pictures"][0]["file"] == "teal.png"
    assert about["member"] == mei.user["id"]
    assert about["pictures"][0]["posted_at"] > about["erased_upto"]
    assert "something teal" in json.dumps(about["questions"])
    assert vectors.shape == (2, magpie.gallery.dimension)
    assert np.allclose(vectors[0], teal.vectors[0])
    assert [one["words"] for one in about["pictures"]] == [["out of", "teal"], []]


@on_both_stores
async def test_old_pictures_are_erased_when_an_admin_sets_a_retention(
    magpie: Magpie, general: int, ada: Person, mei: Person
) -> None:
    space = magpie.guilds[0].id
    picture = await magpie.gallery.embed_picture(png("teal"))
    day = 86_400
    for age, message in ((40, "1001"), (20, "1002")):
        link = Link(space, Group(general), message, "a", posted_at=time.time() - age * day)
        await magpie.gallery.commit([(picture, link)])
    assert "Manage Server" in await privacy_of(mei, "retention", days=30)
    assert "1001" in await sources(magpie)
    assert "30 days" in await privacy_of(ada, "retention", days=30)
    assert "1001" not in await sources(magpie)
    assert "1002" in await sources(magpie)
    late = Link(space, Group(general), "1003", "a", posted_at=time.time() - 31 * day)
    await magpie.gallery.commit([(picture, late)])
    assert "1003" not in await sources(magpie)
    assert "for 30 days" in await privacy_of(ada, "status")
    await privacy_of(ada, "retention", days=0)
    await magpie.gallery.commit([(picture, late)])
    assert "1003" in await sources(magpie)


async def test_a_deletion_without_an_event_is_found(
    magpie: Magpie,
    general: int,
    ada: Person,
    sandbox: sandbox_package.Server,
) -> None:
    magpie.clocks.relist_s = 0
    gone, kept = [await post(magpie, ada, general, colour) for colour in ("teal", "gold")]
    sandbox.strike("gateway_miss", event="MESSAGE_DELETE")
    await ada.request("DELETE", f"/channels/{general}/messages/{gone}")
    assert gone in await sources(magpie)
    await magpie.relisting.relist_all()
    found = await sources(magpie)
    assert gone not in found
    assert kept in found


async def test_nothing_of_an_erased_member_is_left_in_the_raw_files(
    sandbox: sandbox_package.Server,
    db: Path,
    model_folder: Path,
    world_file: WorldFile,
    mei: Person,
    ada: Person,
) -> None:
    clocks = quick_clocks(vacuum_s=0.2)
    general = world_file.channels["general"]
    marker = "xyzzy-marker-xyzzy.png"
    async with running(sandbox, db, str(model_folder), clocks) as client:
        await watch(client, general)
        await post(client, ada, general, "gold")
        await privacy_of(mei, "erase")
        for n in range(30):
            colour = f"#{n * 8:02x}80{255 - n * 8:02x}"
            await mei.post(str(general), pictures={f"{n}-{marker}": png(colour)})

        async def indexed() -> bool:
            return await of(client, mei) == 30

        await until(indexed)
        await mei.command("find", query="plugh marker plugh")
        found = await client.gallery.links.belongings(client.guilds[0].id, int(mei.user["id"]))
        traces = [b"xyzzy-marker", b"plugh marker"] + [
            one.vectors[0].tobytes()[:24] for _, one in found
        ]
        for trace in traces:
            assert any(trace in raw for raw in raw_files(db))
        await privacy_of(mei, "opt-out")

        async def no_trace_is_left() -> bool:
            files = raw_files(db)
            return not any(trace in raw for trace in traces for raw in files)

        await until(no_trace_is_left)


def raw_files(db: Path) -> list[bytes]:
    return [path.read_bytes() for path in db.parent.glob(f"{db.name}*") if path.is_file()]


async def test_files_are_for_their_owner_only(magpie: Magpie, db: Path) -> None:
    for path in db.parent.glob(f"{db.name}*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
