"""History and catching up: everything is read, once, in the right order, and resumed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.platform.places import group_of
from bot.sync.reading import ReadingState
from index import Cursor
from index.embed.embedder import Embedder
from sandbox.person import Person
from sandbox.rest import Exchange
from sandbox.world import Overwrite
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.running import (
    PATIENCE_S,
    Held,
    begin_to_watch,
    history_progress,
    idle,
    png,
    read_and_leave,
    running,
    sources,
    until,
    watch,
    watching,
)
from tests.worlds import READ_MESSAGE_HISTORY, VIEW_CHANNEL, WorldFile

MANY = 230  # messages: three pages


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    """The small world, with a long #general, and threads and posts, old ones among them."""
    world = worlds.small(tmp_path / "world")
    ada, mei = world.people["ada"], world.people["mei"]
    general, trips = world.channels["general"], world.channels["trips"]
    for n in range(MANY):
        pictures = [world.picture(f"{n}.png", f"#{n:02x}8040")] if n % 5 == 0 else []
        world.message(general, mei, f"message {n}", pictures=pictures)
    for n in range(3):
        thread = world.thread(f"old-{n}", general, ada, archived=True)
        world.message(thread, ada, pictures=[world.picture(f"old-{n}.png", f"#10{n:02x}f0")])
        post = world.thread(f"trip-{n}", trips, ada, archived=n > 0)
        world.message(post, ada, pictures=[world.picture(f"trip-{n}.png", f"#20{n:02x}f0")])
    walks = world.channels["walks"]
    world.message(walks, ada, pictures=[world.picture("walk.png", "olive")])
    secret = world.thread("old-secret", general, ada, 12, archived=True, members=[str(ada)])
    world.message(secret, ada, pictures=[world.picture("secret.png", "navy")])
    return world


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


def with_pictures(world: WorldFile, *channels: str) -> set[str]:
    """The messages of these channels that have pictures."""
    ids = {str(world.channels[name]) for name in channels}
    return {
        message["id"]
        for message in world.guild["messages"]
        if message["channel_id"] in ids and message["attachments"]
    }


GENERAL_AND_THREADS = ("general", "walks", "old-0", "old-1", "old-2", "old-secret")


def pages(server: sandbox_package.Server, channel: int) -> list[Exchange]:
    """The bot's requests for pages of a channel's messages."""
    path = f"/channels/{channel}/messages"
    return [e for e in server.exchanges if (e.who, e.method, e.path) == ("bot", "GET", path)]


async def test_whole_history_is_read_with_archived_threads(
    magpie: Magpie, world_file: WorldFile
) -> None:
    await watch(magpie, world_file.channels["general"])
    assert await sources(magpie) == with_pictures(world_file, *GENERAL_AND_THREADS)
    assert (await magpie.gallery.links.count()).links == len(await sources(magpie))


async def test_forum_posts_are_read(magpie: Magpie, world_file: WorldFile) -> None:
    await watch(magpie, world_file.channels["trips"])
    assert await sources(magpie) == with_pictures(world_file, "trip-0", "trip-1", "trip-2")


async def test_newest_page_comes_first_and_pages_are_full(
    magpie: Magpie, world_file: WorldFile, sandbox: sandbox_package.Server
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    asked = pages(sandbox, general)
    assert [page.query["limit"] for page in asked] == ["100"] * 3
    assert "before" not in asked[0].query
    before = [int(page.query["before"]) for page in asked[1:]]
    assert before == sorted(before, reverse=True)


async def test_channel_closed_without_an_event_is_not_taken_for_an_empty_one(
    magpie: Magpie,
    world_file: WorldFile,
    sandbox: sandbox_package.Server,
) -> None:
    magpie.clocks.relist_s = 0
    general, me = world_file.channels["general"], sandbox.world.bot.id
    await watch(magpie, general)
    before = await sources(magpie)
    for place in sandbox.world.guilds[world_file.guild_id].channels.values():
        place.overwrites = [*place.overwrites, Overwrite(me, 1, 0, READ_MESSAGE_HISTORY)]
    await magpie.relisting.relist_all()
    channel: Any = magpie.get_channel(general)
    magpie.backlog.enqueue_missed(channel)
    await idle(magpie)
    reading = magpie.backlog.reading(general)
    assert reading is not None
    assert reading.state is ReadingState.UNREADABLE
    assert await sources(magpie) == before


async def test_page_and_its_cursor_are_one_transaction(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile
) -> None:
    """Stopped within its second page, a channel has the first page, and a cursor that says so."""
    general = world_file.channels["general"]
    held = Held(model)
    async with running(sandbox, db, held) as client:
        await begin_to_watch(client, general)

        async def first_page() -> bool:
            return bool(await client.gallery.links.known(world_file.guild_id, general))

        await until(first_page)
        held.hold()
        reading = client.backlog.reading(general)
        assert reading is not None
        cursor = (await client.gallery.bookkeeping.cursors(world_file.guild_id))[general]
        known = await client.gallery.links.known(world_file.guild_id, general)
        in_reach = {m for m in with_pictures(world_file, "general") if int(m) > cursor.oldest}
        assert known.keys() == in_reach
        closing = asyncio.create_task(client.close())
        await asyncio.sleep(0)
        held.release()
        await closing
    async with running(sandbox, db, model) as client:
        await idle(client)
        assert await sources(client) == with_pictures(world_file, *GENERAL_AND_THREADS)
        assert (await client.gallery.links.count()).links == len(await sources(client))


async def test_resumed_backfill_does_not_begin_again(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile
) -> None:
    general = world_file.channels["general"]
    await read_and_leave(sandbox, db, model, general)
    done = len(pages(sandbox, general))
    async with running(sandbox, db, model) as client:
        await idle(client)
    again = pages(sandbox, general)[done:]
    assert all("after" in page.query for page in again), "only a look for what is new"
    assert len(again) == 1


async def test_quiet_thread_costs_no_request_at_the_start(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    walks = world_file.channels["walks"]
    await read_and_leave(sandbox, db, model, world_file.channels["general"])
    before = len(pages(sandbox, walks))
    async with running(sandbox, db, model) as client:
        await idle(client)
        assert len(pages(sandbox, walks)) == before
        posted = await ada.post(str(walks), pictures={"a.png": png("teal")})
        await idle(client)
        assert posted["id"] in await sources(client)


async def test_what_was_posted_while_offline_is_caught_up_with(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    general, walks = world_file.channels["general"], world_file.channels["walks"]
    before = await read_and_leave(sandbox, db, model, general)
    missed = [
        (await ada.post(str(place), pictures={"a.png": png(colour)}))["id"]
        for place, colour in ((general, "teal"), (walks, "pink"), (general, "gold"))
    ]
    async with running(sandbox, db, model) as client:
        await idle(client)
        assert await sources(client) == before | set(missed)


async def test_archived_thread_with_new_messages_while_offline_is_caught_up_with(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    general, old = world_file.channels["general"], world_file.channels["old-1"]
    await read_and_leave(sandbox, db, model, general)
    posted = await ada.post(str(old), pictures={"a.png": png("teal")})
    await ada.request("PATCH", f"/channels/{old}", json={"archived": True})
    others = len(pages(sandbox, world_file.channels["old-2"]))
    async with running(sandbox, db, model) as client:
        await idle(client)
        assert posted["id"] in await sources(client)
    assert len(pages(sandbox, world_file.channels["old-2"])) == others, "nothing moved there"


async def test_recent_edits_and_deletions_while_offline_are_followed(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    general = world_file.channels["general"]
    posted = [
        await ada.post(str(general), pictures={"a.png": png(colour), "b.png": png("white")})
        for colour in ("teal", "pink")
    ]
    await read_and_leave(sandbox, db, model, general)
    deleted, edited = posted
    await ada.request("DELETE", f"/channels/{general}/messages/{deleted['id']}")
    kept = edited["attachments"][0]["id"]
    path = f"/channels/{general}/messages/{edited['id']}"
    await ada.request("PATCH", path, json={"attachments": [{"id": kept}]})
    async with running(sandbox, db, model) as client:
        await idle(client)
        assert deleted["id"] not in await sources(client)
        assert await client.gallery.links.slots(world_file.guild_id, edited["id"]) == {f"a:{kept}"}


async def test_half_read_channel_deleted_while_offline_is_looked_up_once(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    general, trips = world_file.channels["general"], world_file.channels["trips"]
    async with watching(sandbox, db, model, trips) as client:
        await watch(client, general)
        cursor = (await client.gallery.bookkeeping.cursors(world_file.guild_id))[general]
        half = Cursor(cursor.space, general, cursor.newest, oldest=cursor.newest)
        await client.gallery.commit([], [half])
    await ada.request("DELETE", f"/channels/{general}")
    before = len(sandbox.exchanges)
    async with running(sandbox, db, model) as client:
        await idle(client)
        assert await sources(client, general) == set()
    asked = [(e.who, e.path) for e in sandbox.exchanges[before:]]
    assert asked.count(("bot", f"/channels/{general}")) == 2, (
        "once for its pictures, once for its mark"
    )


async def test_channel_watched_again_is_read_again_with_its_archived_threads(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile
) -> None:
    general = world_file.channels["general"]
    await read_and_leave(sandbox, db, model, general)
    async with running(sandbox, db, model) as client:  # it knows them only by their cursors
        await idle(client)
        await client.watched.discard(world_file.guild_id, general)
        await client.erasure.erase_group(world_file.guild_id, general)
        assert await sources(client) == set()
        await watch(client, general)
        assert await sources(client) == with_pictures(world_file, *GENERAL_AND_THREADS)


async def test_thread_that_discord_had_not_announced_is_read(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    await watch(magpie, world_file.channels["general"])
    guild, walks = magpie.guilds[0], world_file.channels["walks"]
    thread = guild.get_thread(walks)
    assert thread is not None
    guild._remove_thread(thread)
    posted = await ada.post(str(walks), pictures={"a.png": png("teal")})

    async def read() -> bool:
        return posted["id"] in await sources(magpie)

    await until(read)


async def test_unknown_channel_that_is_not_watched_is_not_read(
    magpie: Magpie, world_file: WorldFile, sandbox: sandbox_package.Server
) -> None:
    await watch(magpie, world_file.channels["trips"])
    general = world_file.channels["general"]
    for _ in range(3):
        magpie.backlog.on_unknown_channel(magpie.guilds[0], general)
        await idle(magpie)
    assert await sources(magpie, general) == set()
    assert pages(sandbox, general) == []


async def test_repeated_ready_doubles_nothing(
    magpie: Magpie, world_file: WorldFile, sandbox: sandbox_package.Server, ada: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    before = (await magpie.gallery.links.count()).links
    reading = magpie.backlog.reading(general)
    assert reading is not None
    gaps = reading.coverage.gaps
    sandbox.strike("gateway_invalid", resumable=False)

    async def new_session() -> bool:
        return reading.coverage.gaps > gaps

    await until(new_session)
    await idle(magpie)
    assert not reading.coverage.behind
    assert (await magpie.gallery.links.count()).links == before


async def test_message_missed_between_two_sessions_is_found(
    magpie: Magpie, world_file: WorldFile, sandbox: sandbox_package.Server, ada: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    sandbox.strike("gateway_miss", event="MESSAGE_CREATE")
    missed = await ada.post(str(general), pictures={"a.png": png("teal")})
    heard = await ada.post(str(general), pictures={"b.png": png("pink")})

    async def later_one_is_there() -> bool:
        return heard["id"] in await sources(magpie)

    await until(later_one_is_there)
    assert missed["id"] not in await sources(magpie)
    sandbox.strike("gateway_invalid", resumable=False)

    async def found() -> bool:
        return missed["id"] in await sources(magpie)

    # Within a session Discord's gateway loses nothing. The overlap that is read again also covers
    # events that it had not sent yet.
    await until(found)


async def test_edit_missed_between_two_sessions_is_followed_though_an_earlier_one_was_observed(
    magpie: Magpie, world_file: WorldFile, sandbox: sandbox_package.Server, ada: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    posted = await ada.post(str(general), "look", pictures={"a.png": png("teal")})
    await idle(magpie)
    path = f"/channels/{general}/messages/{posted['id']}"
    await ada.request("PATCH", path, json={"attachments": []})

    async def dropped() -> bool:
        return posted["id"] not in await sources(magpie)

    await until(dropped)
    sandbox.strike("gateway_miss", event="MESSAGE_UPDATE")
    form = aiohttp.FormData()
    form.add_field("payload_json", '{"attachments": [{"id": "0", "filename": "b.png"}]}')
    form.add_field("files[0]", png("pink"), filename="b.png")
    await ada.request("PATCH", path, data=form)
    sandbox.strike("gateway_invalid", resumable=False)

    async def found() -> bool:
        return posted["id"] in await sources(magpie)

    await until(found)


async def test_edit_missed_while_the_pictures_are_on_their_way_counts_once_history_shows_it(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    held, general = Held(model), world_file.channels["general"]
    async with watching(sandbox, db, held, general) as client:
        held.hold()
        begun, before = held.begun, client.writer.now
        both = {"a.png": png("teal"), "b.png": png("pink")}
        posted = await ada.post(str(general), pictures=both)

        async def embedding() -> bool:
            return held.begun > begun

        await until(embedding)
        kept = posted["attachments"][0]["id"]
        sandbox.strike("gateway_miss", event="MESSAGE_UPDATE")
        path = f"/channels/{general}/messages/{posted['id']}"
        await ada.request("PATCH", path, json={"attachments": [{"id": kept}]})
        client.backlog.read_from(world_file.guild_id, general, int(posted["id"]))

        async def seen() -> bool:
            return client.writer.now > before

        await until(seen)
        held.release()
        await idle(client)
        assert await client.gallery.links.slots(world_file.guild_id, posted["id"]) == {f"a:{kept}"}


async def test_a_page_of_history_leaves_a_live_picture_to_its_turn(
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Else it would be kept as history, of which watches tell nobody."""
    general = world_file.channels["general"]
    held = Held(model)
    async with running(sandbox, db, held) as client:
        await watch(client, general)
        channel = client.get_channel(general)
        assert isinstance(channel, discord.TextChannel)
        held.hold()
        before = held.begun
        posted = await ada.post(str(general), pictures={"a.png": png("teal")})

        async def is_embedded() -> bool:
            return held.begun > before

        await until(is_embedded)
        page = [message async for message in channel.history(limit=1)]
        assert [str(message.id) for message in page] == [posted["id"]]
        reading = client.ingest.read(
            channel.guild.id, group_of(channel), page, client.writer.now, what="everything"
        )
        assert await asyncio.wait_for(reading, PATIENCE_S) == ([], 0)
        # An edit whose picture can't be had doesn't end that turn.
        sandbox.strike("cdn_error", status=500, times=99)
        kept = [{"id": one["id"]} for one in posted["attachments"]]
        body = {"attachments": [*kept, {"id": "0", "filename": "b.png"}]}
        form = aiohttp.FormData()
        form.add_field("payload_json", json.dumps(body), content_type="application/json")
        form.add_field("files[0]", png("pink"), filename="b.png")
        path = f"/channels/{general}/messages/{posted['id']}"
        await ada.request("PATCH", path, data=form)

        async def edit_failed() -> bool:
            return "post_failed" in caplog.text

        await until(edit_failed)
        reading = client.ingest.read(
            channel.guild.id, group_of(channel), page, client.writer.now, what="everything"
        )
        assert await asyncio.wait_for(reading, PATIENCE_S) == ([], 0)
        sandbox.faults.clear()
        held.release()
        await idle(client)
        assert posted["id"] in await sources(client)
        items, _ = await client.ingest.read(
            channel.guild.id, group_of(channel), page, client.writer.now, what="everything"
        )
        assert len(items) == 1  # it is history from now on


async def test_live_picture_that_failed_is_read_again_in_a_quiet_thread(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    general, old = world_file.channels["general"], world_file.channels["old-1"]
    posted = await ada.post(str(old), pictures={"a.png": png("teal")})
    await ada.request("PATCH", f"/channels/{old}", json={"archived": True})
    await read_and_leave(sandbox, db, model, general)
    async with running(sandbox, db, model) as client:
        await idle(client)
        assert client.backlog.reading(old) is None
        await client.gallery.remove_sources(world_file.guild_id, [posted["id"]])
        client.backlog.read_from(world_file.guild_id, old, int(posted["id"]))
        await idle(client)
        assert posted["id"] in await sources(client)


async def test_live_picture_that_failed_is_read_again_though_its_channel_is_being_read(
    magpie: Magpie, world_file: WorldFile, sandbox: sandbox_package.Server, ada: Person
) -> None:
    general = world_file.channels["general"]
    await watch(magpie, general)
    posted = await ada.post(str(general), pictures={"a.png": png("teal")})
    await ada.post(str(general), "and then")
    await idle(magpie)
    reading, channel = magpie.backlog.reading(general), magpie.get_channel(general)
    assert reading is not None
    assert isinstance(channel, discord.TextChannel)
    await magpie.gallery.remove_sources(world_file.guild_id, [posted["id"]])
    sandbox.strike("slow", path="/channels/*/messages", delay_s=0.5)
    magpie.backlog.enqueue_missed(channel)

    async def busy() -> bool:
        return reading.busy

    await until(busy)
    magpie.backlog.read_from(world_file.guild_id, general, int(posted["id"]))
    await idle(magpie)
    assert posted["id"] in await sources(magpie)


async def test_thread_archived_with_a_picture_on_its_way_is_read_on_in_a_new_session(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile, ada: Person
) -> None:
    held, general = Held(model), world_file.channels["general"]
    async with watching(sandbox, db, held, general) as client:
        thread = await ada.request(
            "POST", f"/channels/{general}/threads", json={"name": "birds", "type": 11}
        )
        await idle(client)
        held.hold()
        begun = held.begun
        posted = await ada.post(thread["id"], pictures={"a.png": png("teal")})

        async def embedding() -> bool:
            return held.begun > begun

        await until(embedding)
        await ada.request("PATCH", f"/channels/{thread['id']}", json={"archived": True})
        reading = client.backlog.reading(int(thread["id"]))
        assert reading is not None
        coverage = reading.coverage
        before = coverage.gaps
        # Archived threads are looked through only when no picture is on its way any more.
        sandbox.strike("slow", path="/channels/*/threads/archived/*", delay_s=1.0, times=2)
        sandbox.strike("gateway_invalid", resumable=False)

        async def listed() -> bool:
            return coverage.gaps > before and not client.backlog.listing

        await until(listed)
        held.release()
        await idle(client)
        assert posted["id"] in await sources(client)


async def test_category_counts_for_channels_made_in_it_or_moved_into_it(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    guild = world_file.guild_id
    make = f"/guilds/{guild}/channels"
    category = await ada.request("POST", make, json={"name": "Nature", "type": 4})

    async def known() -> bool:
        return magpie.get_channel(int(category["id"])) is not None

    await until(known)
    await watch(magpie, int(category["id"]))
    body = {"name": "birds", "type": 0, "parent_id": category["id"]}
    made = await ada.request("POST", make, json=body)
    posted = await ada.post(made["id"], pictures={"a.png": png("teal")})

    async def indexed() -> bool:
        return posted["id"] in await sources(magpie)

    await until(indexed)
    general = world_file.channels["general"]
    await ada.request("PATCH", f"/channels/{general}", json={"parent_id": category["id"]})

    async def moved_in() -> bool:
        return with_pictures(world_file, *GENERAL_AND_THREADS) <= await sources(magpie)

    await until(moved_in)
    await ada.request("PATCH", f"/channels/{general}", json={"parent_id": None})

    async def moved_out() -> bool:
        return await sources(magpie) == {posted["id"]}

    await until(moved_out)


async def test_closed_channel_is_asked_once_at_most(
    magpie: Magpie, world_file: WorldFile, sandbox: sandbox_package.Server
) -> None:
    mods = world_file.channels["mods"]
    await watch(magpie, mods)
    reading = magpie.backlog.reading(mods)
    assert reading is not None
    assert reading.state is ReadingState.UNREADABLE
    assert "view_channel" in reading.missing
    assert pages(sandbox, mods) == []
    assert history_progress(magpie, world_file.guild_id) is None


async def test_channel_that_is_opened_is_read(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    mods, me = world_file.channels["mods"], world_file.bot_id
    await watch(magpie, mods)
    assert await sources(magpie) == set()
    allow = {"type": 1, "allow": str(VIEW_CHANNEL), "deny": "0"}
    await ada.request("PUT", f"/channels/{mods}/permissions/{me}", json=allow)

    async def read() -> bool:
        return await sources(magpie) == with_pictures(world_file, "mods")

    await until(read)


async def test_what_was_posted_while_a_channel_was_closed_is_read_once_it_opens(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    general, me = world_file.channels["general"], world_file.bot_id
    await watch(magpie, general)
    reading = magpie.backlog.reading(general)
    assert reading is not None
    deny = {"type": 1, "allow": "0", "deny": str(VIEW_CHANNEL)}
    await ada.request("PUT", f"/channels/{general}/permissions/{me}", json=deny)

    async def closed() -> bool:
        return reading.state is ReadingState.UNREADABLE

    await until(closed)
    posted = await ada.post(str(general), pictures={"a.png": png("teal")})
    await ada.request("DELETE", f"/channels/{general}/permissions/{me}")

    async def read() -> bool:
        return posted["id"] in await sources(magpie)

    await until(read)


async def test_live_message_does_not_bridge_the_gap_before_a_new_session(
    magpie: Magpie, world_file: WorldFile
) -> None:
    await watch(magpie, world_file.channels["general"])
    reading = magpie.backlog.reading(world_file.channels["general"])
    assert reading is not None
    before = reading.coverage.cursor()
    assert before is not None
    magpie.catch_up.on_connect(shard_id=0)  # its guilds are announced only later
    reading.coverage.observe(before.newest + 1)
    assert reading.coverage.cursor() == before


async def test_page_that_discord_fails_to_give_is_asked_for_again(
    magpie: Magpie,
    world_file: WorldFile,
    sandbox: sandbox_package.Server,
) -> None:
    magpie.clocks.page_retry_s = 0.05
    # without `via` discord.py passes a 429 on
    sandbox.strike("rate_limit", path="/channels/*/messages", retry_after=0.01, via=False, times=2)
    await watch(magpie, world_file.channels["general"])
    assert await sources(magpie) == with_pictures(world_file, *GENERAL_AND_THREADS)


async def test_progress_is_shown_while_history_is_read(
    sandbox: sandbox_package.Server, db: Path, model: Embedder, world_file: WorldFile
) -> None:
    held = Held(model)
    held.hold()
    async with running(sandbox, db, held) as client:
        assert history_progress(client, world_file.guild_id) is None
        watching = asyncio.create_task(watch(client, world_file.channels["general"]))

        async def begun() -> bool:
            return held.begun > 0

        await until(begun)
        progress = history_progress(client, world_file.guild_id)
        assert progress is not None
        assert 0 <= progress.percent < 100
        assert progress.channels_left >= 1
        held.release()
        await watching
        assert history_progress(client, world_file.guild_id) is None
