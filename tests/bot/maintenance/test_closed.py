"""A channel that is closed to the bot: kept for a week, then erased; read again once open."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Clocks
from bot.platform.places import missing_permissions
from bot.sync.reading import ReadingState
from index import Cursor, Group
from index.embed.embedder import Embedder
from sandbox.person import Person
from sandbox.world import Overwrite
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.running import (
    Held,
    begin_to_watch,
    idle,
    png,
    running,
    sources,
    until,
    watch,
    watching,
)
from tests.worlds import READ_MESSAGE_HISTORY, VIEW_CHANNEL, WorldFile

TEXTS = 3  # posts without a picture, archived after the one that has one


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    """The small world, with pictures in threads and posts, open and archived."""
    world = worlds.small(tmp_path / "world")
    ada, general, trips = world.people["ada"], world.channels["general"], world.channels["trips"]
    old = world.thread("old", general, ada, archived=True)
    first = world.thread("first", trips, ada, archived=True)
    for place, colour in ((world.channels["walks"], "olive"), (old, "navy"), (first, "gold")):
        world.message(place, ada, pictures=[world.picture(f"{colour}.png", colour)])
    for n in range(TEXTS):
        post = world.thread(f"text-{n}", trips, ada, archived=True)
        world.message(post, ada, "nothing to see")
    return world


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    """She owns the server."""
    return await log_in("ada")


async def close(client: Magpie, ada: Person, channel: int, bit: int = VIEW_CHANNEL) -> None:
    """Take a permission in a channel from the bot, and wait until it knows."""
    deny = {"type": 1, "allow": "0", "deny": str(bit)}
    await ada.request("PUT", f"/channels/{channel}/permissions/{me(client)}", json=deny)

    async def known() -> bool:
        return bool(missing_permissions(place(client, channel)))

    await until(known)


async def open_again(client: Magpie, ada: Person, channel: int) -> None:
    await ada.request("DELETE", f"/channels/{channel}/permissions/{me(client)}")

    async def known() -> bool:
        return not missing_permissions(place(client, channel))

    await until(known)
    await idle(client)


def me(client: Magpie) -> int:
    assert client.user is not None
    return client.user.id


def place(client: Magpie, channel: int) -> Any:
    found = client.get_channel(channel)
    assert found is not None
    return found


@contextlib.contextmanager
def without_pauses(clocks: Clocks) -> Iterator[None]:
    before, clocks.relist_s = clocks.relist_s, 0
    yield
    clocks.relist_s = before


async def an_hour(client: Magpie) -> None:
    """The hourly work on closed channels."""
    with without_pauses(client.clocks):
        await client.closed.look_at_all()


async def a_week(client: Magpie) -> None:
    """The same, a week after everything was noted."""
    before, client.clocks.grace_s = client.clocks.grace_s, 0
    await an_hour(client)
    client.clocks.grace_s = before


async def relist(client: Magpie) -> None:
    with without_pauses(client.clocks):
        await client.relisting.relist_all()


async def of(client: Magpie, channel: int) -> int:
    """How many pictures a channel has, its threads included."""
    guild = client.guilds[0].id
    groups = await client.gallery.links.groups(guild)
    mine = [group.id for group in groups if channel in (group.id, group.parent)]
    return await client.gallery.links.count_links(guild, mine)


@pytest.mark.parametrize("bit", [VIEW_CHANNEL, READ_MESSAGE_HISTORY])
async def test_channel_closed_for_a_week_is_erased_and_read_again_once_it_is_open(
    magpie: Magpie,
    world_file: WorldFile,
    ada: Person,
    caplog: pytest.LogCaptureFixture,
    bit: int,
) -> None:
    caplog.set_level(logging.INFO)
    general = world_file.channels["general"]
    await watch(magpie, general)
    before = await sources(magpie)
    assert len(before) == 3  # its own, an open thread's, an archived thread's
    await close(magpie, ada, general, bit)
    await an_hour(magpie)
    await an_hour(magpie)
    assert await sources(magpie) == before
    assert caplog.text.count("event=closed guild") == 3
    assert "erased_in_days=7" in caplog.text
    await a_week(magpie)
    assert await sources(magpie) == set()
    assert caplog.text.count("event=closed_erased") == 1
    assert general not in await magpie.gallery.bookkeeping.cursors(world_file.guild_id)
    assert magpie.watched.marks(world_file.guild_id) == {general}
    posted = await ada.post(str(general), pictures={"a.png": png("teal")})
    await idle(magpie)
    assert await sources(magpie) == set()
    await open_again(magpie, ada, general)
    assert await sources(magpie) == before | {posted["id"]}


async def test_forum_is_read_again_with_all_its_archived_posts(
    magpie: Magpie, world_file: WorldFile, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips = world_file.channels["trips"]
    await watch(magpie, trips)
    before = await sources(magpie)
    assert len(before) == 1
    await close(magpie, ada, trips)
    await an_hour(magpie)
    await a_week(magpie)
    assert await sources(magpie) == set()
    magpie.limits.page_messages = TEXTS - 1
    await open_again(magpie, ada, trips)
    assert await sources(magpie) == before


async def test_channel_opened_by_a_role_is_read_again(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    mods, guild = world_file.channels["mods"], world_file.guild_id
    moderators = next(role.id for role in magpie.guilds[0].roles if role.name == "Moderators")
    role = f"/guilds/{guild}/members/{me(magpie)}/roles/{moderators}"

    async def may_read() -> bool:
        return not missing_permissions(place(magpie, mods))

    async def may_not() -> bool:
        return not await may_read()

    await ada.request("PUT", role)
    await until(may_read)
    await watch(magpie, mods)
    before = await sources(magpie)
    assert before
    await ada.request("DELETE", role)
    await until(may_not)
    await an_hour(magpie)
    await a_week(magpie)
    assert await sources(magpie) == set()
    await ada.request("PUT", role)
    await until(may_read)
    await idle(magpie)
    assert await sources(magpie) == before


async def test_channel_opened_while_the_bot_was_off_is_read_again(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
) -> None:
    general = world_file.channels["general"]
    async with watching(sandbox, db, model, general) as client:
        before = await sources(client)
        await close(client, ada, general)
        await an_hour(client)
        await a_week(client)
        assert await sources(client) == set()
    await ada.request("DELETE", f"/channels/{general}/permissions/{world_file.bot_id}")
    async with running(sandbox, db, model) as client:
        await idle(client)
        assert await sources(client) == before


async def test_channel_closed_for_a_short_while_is_kept(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    before = await sources(magpie)
    await close(magpie, ada, general)
    await an_hour(magpie)
    assert len(await magpie.gallery.bookkeeping.closed_groups()) == 3
    await open_again(magpie, ada, general)
    await a_week(magpie)
    assert await magpie.gallery.bookkeeping.closed_groups() == {}
    assert await sources(magpie) == before


async def test_restart_keeps_since_when_a_channel_is_closed(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
) -> None:
    general = world_file.channels["general"]
    async with watching(sandbox, db, model, general) as client:
        await close(client, ada, general)
        await an_hour(client)
        noted = await client.gallery.bookkeeping.closed_groups()
    async with running(sandbox, db, model) as client:
        await idle(client)
        await an_hour(client)
        assert await client.gallery.bookkeeping.closed_groups() == noted
        await a_week(client)
        assert await of(client, general) == 0


async def test_outage_closes_nothing_and_erases_nothing(
    magpie: Magpie,
    world_file: WorldFile,
    ada: Person,
    sandbox: sandbox_package.Server,
) -> None:
    general, trips = world_file.channels["general"], world_file.channels["trips"]
    guild = magpie.guilds[0]
    await watch(magpie, general)
    await watch(magpie, trips)
    before = await sources(magpie)
    await close(magpie, ada, general)
    await an_hour(magpie)
    noted = await magpie.gallery.bookkeeping.closed_groups()
    await close(magpie, ada, trips)
    sandbox.strike("outage", guild_id=str(guild.id))

    async def down() -> bool:
        return guild.unavailable

    await until(down)
    await a_week(magpie)
    await relist(magpie)
    assert await magpie.gallery.bookkeeping.closed_groups() == noted
    assert await sources(magpie) == before


async def test_nothing_is_erased_while_discord_has_trouble(
    magpie: Magpie,
    world_file: WorldFile,
    ada: Person,
    sandbox: sandbox_package.Server,
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    before = await sources(magpie)
    await close(magpie, ada, general)
    await an_hour(magpie)
    for status in (503, 403):  # a refusal without Discord's code is a mistake
        sandbox.strike("error", path="/channels/*", status=status, times=3)
        await a_week(magpie)
        assert await sources(magpie) == before
    await a_week(magpie)
    assert await sources(magpie) == set()


async def test_channel_closed_without_an_event_is_noted_when_it_is_listed(
    magpie: Magpie,
    world_file: WorldFile,
    sandbox: sandbox_package.Server,
) -> None:
    general, bot = world_file.channels["general"], sandbox.world.bot.id
    await watch(magpie, general)
    channel = sandbox.world.guilds[world_file.guild_id].channels[general]
    channel.overwrites = [*channel.overwrites, Overwrite(bot, 1, 0, READ_MESSAGE_HISTORY)]
    await relist(magpie)
    noted = await magpie.gallery.bookkeeping.closed_groups()
    assert (world_file.guild_id, general) in noted
    await an_hour(magpie)
    assert await magpie.gallery.bookkeeping.closed_groups() == noted
    await a_week(magpie)
    assert await of(magpie, general) == 0


async def test_thread_deleted_in_a_closed_channel_is_erased_before_the_week_is_over(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    general, walks = world_file.channels["general"], world_file.channels["walks"]
    async with watching(sandbox, db, model, general) as client:
        before = await of(client, general)
        await close(client, ada, general)
        await an_hour(client)
    await ada.request("DELETE", f"/channels/{walks}")
    async with running(sandbox, db, model) as client:
        await relist(client)
        assert await of(client, general) == before - 1
        assert await sources(client, walks) == set()


async def test_page_that_is_being_read_leaves_neither_pictures_nor_a_cursor(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    held = Held(model)
    held.hold()
    async with running(sandbox, db, held) as client:
        await begin_to_watch(client, general)

        async def under_way() -> bool:
            return held.begun > 0

        await until(under_way)
        await ada.post(str(general), pictures={"live.png": png("teal")})
        await close(client, ada, general)
        await client.erasure.erase_closed(client.guilds[0], Group(general))
        held.release()
        await idle(client)
        assert await of(client, general) == 0
        assert general not in await client.gallery.bookkeeping.cursors(world_file.guild_id)
        await open_again(client, ada, general)
        assert len(await sources(client)) == 4


async def test_channel_opened_while_it_is_erased_is_read_again(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    before = await sources(magpie)
    await magpie.erasure.erase_closed(magpie.guilds[0], Group(general))
    await idle(magpie)
    assert await sources(magpie) == before


async def test_thread_known_only_by_its_cursor_is_erased_with_its_channel_and_read_again(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    before = await sources(magpie)
    reading = magpie.backlog.reading(world_file.channels["old"])
    assert reading is not None
    reading.place = None
    await close(magpie, ada, general)
    await an_hour(magpie)
    await a_week(magpie)
    assert await sources(magpie) == set()
    await open_again(magpie, ada, general)
    assert await sources(magpie) == before


async def test_unread_thread_that_was_refused_at_the_start_is_read_once_its_channel_is_open(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    general, old = world_file.channels["general"], world_file.channels["old"]
    async with watching(sandbox, db, model, general) as client:
        before = await sources(client)
        await close(client, ada, general)
        (message,) = await sources(client, old)
        await client.gallery.remove_sources(world_file.guild_id, [message])
        begun = Cursor(world_file.guild_id, old, newest=int(message) + 1, oldest=int(message) + 1)
        await client.gallery.commit([], [begun])
    async with running(sandbox, db, model) as client:
        await idle(client)
        reading = client.backlog.reading(old)
        assert reading is not None
        assert reading.state is ReadingState.UNREADABLE
        await open_again(client, ada, general)
        assert await sources(client) == before
