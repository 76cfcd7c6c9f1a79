"""Pictures on their way from a message into the gallery, through discord.py and the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import sandbox as sandbox_package
from bot.app import Magpie
from bot.media import download
from bot.ops.tuning import Limits
from checks.fuzzing import lottie
from index import Link
from index.embed.embedder import Embedder
from index.images.decode import decode
from sandbox.person import Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.running import Held, history_progress, idle, png, running, sources, until, watch
from tests.index.colours import encoded
from tests.worlds import WorldFile


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    world = worlds.small(tmp_path / "world")
    world.sticker("wave", world.picture("wave.png", "gold"))
    (world.folder / "disc.json").write_bytes(lottie.animation())
    world.sticker("disc", "disc.json", format_type=3)
    return world


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


@pytest.fixture
async def watching(magpie: Magpie, world_file: WorldFile) -> Magpie:
    """Magpie, which has read #general."""
    await watch(magpie, world_file.channels["general"])
    return magpie


async def test_posted_picture_is_searchable(
    watching: Magpie, world_file: WorldFile, ada: Person
) -> None:
    posted = await ada.post(str(world_file.channels["general"]), pictures={"sea.png": png("teal")})
    await idle(watching)
    assert posted["id"] in await sources(watching)
    embedding = await watching.gallery.embed_picture(png("teal"))
    assert embedding.vectors.shape[0] == 1
    attachment = posted["attachments"][0]["id"]
    assert await watching.gallery.links.slots(world_file.guild_id, posted["id"]) == {
        f"a:{attachment}"
    }


async def test_a_repost_is_embedded_again_unless_its_own_channel_has_the_picture(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    """If it were not, the time until it is found would tell that it is in another channel."""
    channels = [world_file.channels[name] for name in ("general", "after-dark")]
    held = Held(model)
    async with running(sandbox, db, held) as client:
        for channel in channels:
            await watch(client, channel)
        embedded = []
        for channel in (channels[0], *channels):
            before = held.begun
            posted = await ada.post(str(channel), pictures={"sea.png": png("teal")})
            await until_indexed(client, posted)
            embedded.append(held.begun - before)
    assert embedded == [1, 0, 1]


async def until_indexed(client: Magpie, posted: dict[str, Any]) -> None:
    async def indexed() -> bool:
        return posted["id"] in await sources(client)

    await until(indexed)


async def test_picture_in_another_channel_is_left_alone(
    watching: Magpie, world_file: WorldFile, log_in: LogIn
) -> None:
    mod = await log_in("mod")
    elsewhere = await mod.post(
        str(world_file.channels["after-dark"]), pictures={"a.png": png("teal")}
    )
    await idle(watching)
    assert elsewhere["id"] not in await sources(watching)


async def test_ordinary_chat_writes_nothing(
    watching: Magpie, world_file: WorldFile, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[object] = []
    write = watching.gallery.commit

    async def counted(*arguments: Any) -> None:
        commits.append(arguments)
        await write(*arguments)

    monkeypatch.setattr(watching.gallery, "commit", counted)
    ada = await log_in("ada")
    for number in range(5):
        last = await ada.post(str(world_file.channels["general"]), f"just talk {number}")

    async def heard() -> bool:
        channel = watching.get_channel(world_file.channels["general"])
        return watching.backlog.coverage(channel).newest >= int(last["id"])  # type: ignore[arg-type]

    await until(heard)
    assert commits == []


async def indexed(client: Magpie, message: dict[str, Any]) -> list[Link]:
    """The links of a message, once it has some."""

    async def holds() -> bool:
        return message["id"] in await sources(client)

    await until(holds)
    found = []
    for guild in client.guilds:
        ids = await client.gallery.links.ids_of_source(guild.id, message["id"])
        found += [await client.gallery.links.link(guild.id, id) for id in ids.values()]
    return [link for link in found if link is not None]


async def test_link_has_owner_time_group_and_name(
    watching: Magpie, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    posted = await ada.post(str(general), pictures={"SPOILER_sea.png": png("teal")})
    (link,) = await indexed(watching, posted)
    assert link.space == world_file.guild_id
    assert (link.group.id, link.group.parent, link.group.private) == (general, None, False)
    assert link.owner == world_file.people["ada"]
    assert link.name == "SPOILER_sea.png"
    assert link.spoiler
    assert link.details["kind"] == "attachment"


@pytest.mark.parametrize(("name", "format_type"), [("wave", 1), ("disc", 3)], ids=["PNG", "Lottie"])
async def test_sticker_is_indexed(
    watching: Magpie, world_file: WorldFile, ada: Person, name: str, format_type: int
) -> None:
    [of_name] = [one for one in world_file.guild["stickers"] if one["name"] == name]
    assert of_name.get("format_type", 1) == format_type
    sticker = str(of_name["id"])
    posted = await ada.post(str(world_file.channels["general"]), sticker_ids=[sticker])
    (link,) = await indexed(watching, posted)
    assert link.slot == f"s:{sticker}"


async def test_forwarded_picture_is_indexed_for_its_forwarder(
    watching: Magpie, world_file: WorldFile, ada: Person, log_in: LogIn
) -> None:
    hidden, general = (str(world_file.channels[name]) for name in ("after-dark", "general"))
    original = await ada.post(hidden, pictures={"a.png": png("teal")})
    reference = {"type": 1, "channel_id": hidden, "message_id": original["id"]}
    mei = await log_in("mei")
    posted = await mei.post(general, message_reference=reference)
    (link,) = await indexed(watching, posted)
    assert link.owner == world_file.people["mei"]
    assert link.details["forwarded"]


async def test_picture_in_a_new_thread_is_indexed(
    watching: Magpie, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    body = {"name": "new walks", "type": 11, "auto_archive_duration": 60}
    thread = await ada.request("POST", f"/channels/{general}/threads", json=body)
    posted = await ada.post(thread["id"], pictures={"a.png": png("teal")})
    (link,) = await indexed(watching, posted)
    assert (link.group.id, link.group.parent) == (int(thread["id"]), general)


async def test_picture_in_a_private_thread_is_marked_as_such(
    watching: Magpie, world_file: WorldFile, ada: Person
) -> None:
    posted = await ada.post(str(world_file.channels["whispers"]), pictures={"a.png": png("teal")})
    (link,) = await indexed(watching, posted)
    assert link.group.private


async def test_damaged_picture_is_counted_and_stops_no_other(
    watching: Magpie, world_file: WorldFile, ada: Person, caplog: pytest.LogCaptureFixture
) -> None:
    general = str(world_file.channels["general"])
    both = {"bad.png": png("teal")[:60], "good.png": png("pink")}
    posted = await ada.post(general, pictures=both)
    (link,) = await indexed(watching, posted)
    assert link.name == "good.png"
    await idle(watching)
    registry = watching.metrics.registry
    failed = [
        sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "magpie_pictures_failed_total"
    ]
    assert sum(failed) == 1
    assert sum("event=picture_failed" in line for line in caplog.messages) == 1


async def test_unforeseen_error_of_a_picture_does_not_block_its_page_for_ever(
    magpie: Magpie, world_file: WorldFile, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    magpie.clocks.page_retry_s = 0.01
    general = world_file.channels["general"]
    await ada.post(str(general), pictures={"poison.png": png("black")})
    embed, poison = magpie.gallery.embed_picture, png("black")

    async def break_down(data: bytes, link: Link) -> Any:
        if data == poison:
            raise RuntimeError("nobody expected this")
        return await embed(data, link)

    monkeypatch.setattr(magpie.gallery, "embed_picture", break_down)
    await watch(magpie, general)
    assert len(await sources(magpie)) == 1
    assert history_progress(magpie, world_file.guild_id) is None


@pytest.mark.parametrize("live", [True, False])
async def test_passing_failure_loses_no_picture(
    magpie: Magpie,
    world_file: WorldFile,
    ada: Person,
    monkeypatch: pytest.MonkeyPatch,
    live: bool,
) -> None:
    magpie.clocks.page_retry_s = 0.01
    general = world_file.channels["general"]
    if live:
        await watch(magpie, general)
    embed, failures = magpie.gallery.embed_picture, 2

    async def fail_at_first(data: bytes, link: Link) -> Any:
        nonlocal failures
        if failures:
            failures -= 1
            raise RuntimeError("out of memory")
        return await embed(data, link)

    monkeypatch.setattr(magpie.gallery, "embed_picture", fail_at_first)
    posted = await ada.post(str(general), pictures={"a.png": png("teal")})
    if not live:
        await watch(magpie, general)

    async def there() -> bool:
        return posted["id"] in await sources(magpie)

    await until(there)
    await idle(magpie)
    assert len(await sources(magpie)) == 2


async def test_expired_link_is_renewed_by_reading_the_message_again(
    watching: Magpie, world_file: WorldFile, ada: Person, sandbox: sandbox_package.Server
) -> None:
    sandbox.strike("cdn_expired", times=2)  # the file and its copy at the proxy
    posted = await ada.post(str(world_file.channels["general"]), pictures={"a.png": png("teal")})
    await indexed(watching, posted)
    asked = [(e.who, e.method, e.path) for e in sandbox.exchanges]
    general = world_file.channels["general"]
    assert ("bot", "GET", f"/channels/{general}/messages/{posted['id']}") in asked


async def test_failing_cdn_is_asked_again(
    watching: Magpie, world_file: WorldFile, ada: Person, sandbox: sandbox_package.Server
) -> None:
    sandbox.strike("cdn_error", status=500, times=1)
    sandbox.strike("cdn_truncated", bytes=20, times=1)
    posted = await ada.post(str(world_file.channels["general"]), pictures={"a.png": png("teal")})
    await indexed(watching, posted)


async def test_a_picture_whose_download_breaks_off_is_not_taken_for_a_partial_one(
    watching: Magpie, world_file: WorldFile, ada: Person, sandbox: sandbox_package.Server
) -> None:
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    data = encoded(noise)
    most = len(data) * 9 // 10
    assert decode(data[:most], 32).partial  # so much of it would do, had it been posted so
    watching.clocks.download_retry_s = watching.clocks.page_retry_s = 0.001
    # Both addresses of the file break off in the midst of it, until they are given up.
    sandbox.strike("cdn_truncated", bytes=most, times=2 * download.ATTEMPTS)
    posted = await ada.post(str(world_file.channels["general"]), pictures={"a.png": data})
    await indexed(watching, posted)
    assert not await watching.gallery.links.partial_slots(world_file.guild_id, posted["id"])


@pytest.mark.parametrize("live", [True, False])
async def test_cdn_that_fails_for_longer_loses_no_picture(
    magpie: Magpie,
    world_file: WorldFile,
    ada: Person,
    sandbox: sandbox_package.Server,
    monkeypatch: pytest.MonkeyPatch,
    live: bool,
) -> None:
    magpie.clocks.page_retry_s = 0.01
    magpie.clocks.download_retry_s = 0.001
    general = world_file.channels["general"]
    if live:
        await watch(magpie, general)
    sandbox.strike("cdn_error", status=503, times=2 * 2 * download.ATTEMPTS)
    posted = await ada.post(str(general), pictures={"a.png": png("teal")})
    if not live:
        await watch(magpie, general)
    await indexed(magpie, posted)


async def test_error_page_in_a_picture_s_place_loses_no_picture(
    watching: Magpie, world_file: WorldFile, ada: Person, sandbox: sandbox_package.Server
) -> None:
    for content_type in ("text/html", "image/png"):  # the second is recognised by its size
        sandbox.strike("cdn_wrong", content_type=content_type)
        posted = await ada.post(
            str(world_file.channels["general"]), pictures={"a.png": png("teal")}
        )
        await indexed(watching, posted)


async def test_full_queue_loses_nothing_and_stays_within_its_limit(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, limits = Held(model), Limits(queue_messages=2, live_workers=1)
    general = world_file.channels["general"]
    async with running(sandbox, db, held, limits=limits) as client:
        await watch(client, general)
        held.hold()
        posted = [
            (await ada.post(str(general), pictures={"a.png": png(f"#{n:02x}4080")}))["id"]
            for n in range(8)
        ]

        async def fallen_behind() -> bool:
            channel: Any = client.get_channel(general)
            return client.backlog.coverage(channel).behind

        await until(fallen_behind)
        assert client.live.depth <= 2
        held.release()
        await idle(client)
        assert set(posted) <= await sources(client)


async def test_picture_on_its_way_at_a_stop_is_indexed_after_the_start(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    """Later messages are posted, yet the cursor that is written stays before the picture."""
    held = Held(model)
    general = world_file.channels["general"]
    async with running(sandbox, db, held) as client:
        await watch(client, general)
        held.hold()
        begun = held.begun
        posted = await ada.post(str(general), pictures={"a.png": png("teal")})
        later = await ada.post(str(general), "and then just talk")

        async def under_way() -> bool:
            channel: Any = client.get_channel(general)
            heard = client.backlog.coverage(channel).newest >= int(later["id"])
            return heard and held.begun > begun

        await until(under_way)
        await client.close()
        cursor = (await client.gallery.bookkeeping.cursors(world_file.guild_id))[general]
        assert cursor.newest < int(posted["id"])
        assert posted["id"] not in await sources_of(client, world_file)
    async with running(sandbox, db, model) as client:
        await idle(client)
        assert posted["id"] in await sources(client)


async def sources_of(client: Magpie, world: WorldFile) -> set[str]:
    """As `sources`, of a client that has disconnected."""
    return set(await client.gallery.links.known(world.guild_id, world.channels["general"]))
