"""The first pass over history: Discord's search brings old pictures, and vouches for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.text import welcome
from index import Group
from index.embed.embedder import Embedder
from sandbox.faults import Fault
from sandbox.rest import Exchange
from sandbox.world import Channel
from tests.bot.conftest import LogIn
from tests.bot.running import (
    begin_to_watch,
    history_progress,
    idle,
    png,
    quick_clocks,
    running,
    sources,
    until,
    watch,
)
from tests.bot.welcome.conftest import greetings, invite
from tests.bot.welcome.test_welcome import choose, greeted
from tests.worlds import WorldFile

OLD = 130  # messages of #general that are not on its newest page
SEARCH = "/guilds/*/messages/search"


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    """Two long channels: #general, age-restricted, with an archived thread, and #quiet."""
    world = WorldFile(tmp_path / "world")
    ada = world.person("ada")
    world.member(world.bot_id)
    general, quiet = world.channel("general", nsfw=True), world.channel("quiet")
    old = world.thread("old", general, ada, archived=True)
    world.message(old, ada, pictures=[world.picture("thread.png", "#1020f0")])
    for n in range(101):
        pictures = [world.picture("quiet.png", "#204020")] if n == 0 else []
        world.message(quiet, ada, f"here {n}", pictures=pictures)
    for n in range(OLD + 100):
        pictures = [world.picture(f"{n}.png", f"#{n:02x}8040")] if n % 12 == 0 else []
        world.message(general, ada, f"message {n}", pictures=pictures)
    return world


def shown(world: WorldFile, *channels: str) -> set[str]:
    """The messages with pictures of these channels."""
    ids = {str(world.channels[name]) for name in channels}
    listed = world.guild["messages"]
    return {one["id"] for one in listed if one["channel_id"] in ids and one["attachments"]}


PAGE = "/channels/{channel_id}/messages"


def asked(server: sandbox_package.Server) -> list[str]:
    """Which kinds of requests for old messages the bot made, in order."""
    kinds = {
        "/guilds/{guild_id}/messages/search": "search",
        PAGE: "page",
    }
    return [kinds[one.route] for one in server.exchanges if one.who == "bot" and one.route in kinds]


@pytest.fixture
def search_alone(sandbox: sandbox_package.Server) -> Iterator[None]:
    """From the first search on, pages of history don't come."""

    pages = Fault("hold", "GET", "/channels/*/messages", "bot", times=None)
    held: list[Fault] = []

    def hold(_: str, __: str, path: str) -> None:
        if path.endswith("/messages/search") and not held:
            held.append(pages)
            sandbox.faults.add(pages)

    sandbox.doorway.arrivals.append(hold)
    yield
    sandbox.doorway.arrivals.remove(hold)
    sandbox.faults.clear()


async def searched(magpie: Magpie, wanted: set[str]) -> None:
    """Wait until the gallery has these messages' pictures."""

    async def there() -> bool:
        return wanted <= await sources(magpie)

    await until(there)


async def test_old_pictures_come_by_search_and_then_the_history_is_read(
    magpie: Magpie, world_file: WorldFile, sandbox: sandbox_package.Server
) -> None:
    await watch(magpie, world_file.channels["general"])
    order = asked(sandbox)
    first, last = order.index("search"), len(order) - 1 - order[::-1].index("search")
    pages = [one.path for one in sandbox.exchanges if (one.who, one.route) == ("bot", PAGE)]
    assert order[:first] == ["page"] * len(set(pages[:first]))  # each place's newest messages
    assert "page" not in order[first:last]
    assert order[last + 1 :].count("page") >= 2
    assert await sources(magpie) == shown(world_file, "general", "old")
    assert (await magpie.gallery.links.count()).links == len(await sources(magpie))


async def test_search_finds_all_and_moves_no_cursor(
    sandbox: sandbox_package.Server,
    search_alone: None,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
) -> None:
    """Archived threads are among it. Stopped then, the bot knows what history has not covered."""
    general, guild = world_file.channels["general"], world_file.guild_id
    wanted = shown(world_file, "general", "old")
    async with running(sandbox, db, model) as magpie:
        await begin_to_watch(magpie, general)
        await searched(magpie, wanted)
        progress = history_progress(magpie, guild)
        assert progress is not None
        assert progress.found > 0
    messages = [one["id"] for one in world_file.guild["messages"]]
    newest = [id for id in messages if id in wanted]
    async with running(sandbox, db, model) as magpie:
        cursors = await magpie.gallery.bookkeeping.cursors(guild)
        assert not cursors[general].complete
        assert cursors[general].oldest > int(newest[1])
        assert world_file.channels["old"] not in cursors
        sandbox.faults.clear()
        await idle(magpie)
        assert await sources(magpie) == wanted
        assert (await magpie.gallery.links.count()).links == len(wanted)
        assert (await magpie.gallery.bookkeeping.cursors(guild))[general].complete


async def test_status_tells_of_both_passes_and_counts_what_its_reader_may_read(
    magpie: Magpie, search_alone: None, world_file: WorldFile, log_in: LogIn
) -> None:
    general, ada = world_file.channels["general"], await log_in("ada")
    await begin_to_watch(magpie, general)
    await searched(magpie, shown(world_file, "general", "old"))
    said = (await ada.command("status")).text()
    assert "Discord’s search" in said
    assert "History: " in said
    search = magpie.backlog.turns.search(world_file.guild_id)
    assert search is not None
    assert search.found_in({general}) == search.found[general] > 0
    assert search.found_in({world_file.channels["quiet"]}) == 0
    assert not search.is_for_any_of({world_file.channels["quiet"]})
    assert "Discord’s search" in welcome.reading(10, searching=True)


async def test_who_sets_a_server_up_finds_old_pictures_before_the_history_is_read(
    sandbox: sandbox_package.Server,
    search_alone: None,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    log_in: LogIn,
) -> None:
    """From the invitation to the answer; the greeting and the status tell of both passes."""
    guild, general = world_file.guild_id, world_file.channels["general"]
    sandbox.strike("leave")
    async with running(sandbox, db, model, quick_clocks(show_progress_s=0.05)) as magpie:
        ada = await log_in("ada")
        await invite(ada, world_file)
        hello = await greeted(ada, world_file, "general")
        steps = await choose(ada, hello, world_file, "general")
        await ada.click(steps, steps.button("Start"))
        await searched(magpie, shown(world_file, "general", "old"))

        async def greeting_says(said: str) -> bool:
            (message,) = (await greetings(ada, world_file))["general"]
            return said in message.text()

        await until(partial(greeting_says, welcome.reading(0, searching=True)))
        status = (await ada.command("status")).text()
        assert "Discord’s search" in status
        assert "History: " in status
        oldest = min(shown(world_file, "general"), key=int)
        asked_with = ("asked.png", png("#008040"))  # what the oldest message shows
        answer = await ada.command("find", where=str(general), image=asked_with)
        assert oldest in answer.text()
        assert not (await magpie.gallery.bookkeeping.cursors(guild))[general].complete
        sandbox.faults.clear()
        await idle(magpie)
        await until(partial(greeting_says, welcome.reading(None)))
        assert (await magpie.gallery.links.count()).links == len(await sources(magpie))


async def test_search_keeps_nothing_of_channels_that_are_not_watched(
    magpie: Magpie, search_alone: None, world_file: WorldFile, sandbox: sandbox_package.Server
) -> None:
    """The whole server is searched here, since half of it is watched."""
    await begin_to_watch(magpie, world_file.channels["general"])
    await searched(magpie, shown(world_file, "general", "old"))
    sandbox.faults.clear()
    await idle(magpie)
    assert await sources(magpie) == shown(world_file, "general", "old")
    assert "channel_id" not in _searches(sandbox)[0].query


async def test_few_channels_of_many_are_named_in_the_search(
    magpie: Magpie, world_file: WorldFile, sandbox: sandbox_package.Server
) -> None:
    for n in range(2):
        channel = Channel(sandbox.core.next_id(), world_file.guild_id, 0, f"more-{n}")
        sandbox.world.guilds[world_file.guild_id].channels[channel.id] = channel
        sandbox.core.channel_made(channel)
    await watch(magpie, world_file.channels["quiet"])
    assert _searches(sandbox)[0].query["channel_id"] == str(world_file.channels["quiet"])
    assert await sources(magpie) == shown(world_file, "quiet")


def _searches(server: sandbox_package.Server) -> list[Exchange]:
    return [one for one in server.exchanges if one.route.endswith("/messages/search")]


async def test_what_search_brings_is_history_that_watches_tell_nobody_of(
    magpie: Magpie, search_alone: None, world_file: WorldFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[None] = []
    monkeypatch.setattr(magpie.writer.to_judge, "set", lambda: judged.append(None))
    await begin_to_watch(magpie, world_file.channels["general"])
    await searched(magpie, shown(world_file, "general"))
    assert not judged


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("search_short", times=None)],
        [Fault("search_totals", times=None, total=0)],
        [Fault("search_totals", times=None, total=1_000_000)],
        [Fault("search_short", times=3), Fault("error", path=SEARCH, status=500, times=2)],
        [Fault("error", path=SEARCH, status=404, message="404: Not Found", times=None)],
        [Fault("error", path=SEARCH, status=403, code=50001, times=None)],
    ],
    ids=["short", "no-totals", "high-totals", "failing", "unknown", "refused"],
)
async def test_history_finds_what_search_leaves_out(
    magpie: Magpie,
    world_file: WorldFile,
    sandbox: sandbox_package.Server,
    faults: list[Fault],
) -> None:
    sandbox.faults.add(*faults)
    await watch(magpie, world_file.channels["general"])
    wanted = shown(world_file, "general", "old")
    assert await sources(magpie) == wanted
    assert (await magpie.gallery.links.count()).links == len(wanted)


async def test_a_refused_search_is_not_asked_again_and_the_log_says_what_happens(
    magpie: Magpie,
    world_file: WorldFile,
    sandbox: sandbox_package.Server,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.strike("error", path=SEARCH, status=403, code=50001, times=None)
    await watch(magpie, world_file.channels["general"])
    await watch(magpie, world_file.channels["quiet"])
    assert asked(sandbox).count("search") == 1
    (said,) = [one for one in caplog.messages if "search_refused" in one]
    assert "the history is read without it" in said


async def test_history_goes_on_while_the_search_is_not_ready(
    magpie: Magpie,
    world_file: WorldFile,
    sandbox: sandbox_package.Server,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.strike("search_indexing", seconds=3600.0)
    await watch(magpie, world_file.channels["general"])
    assert await sources(magpie) == shown(world_file, "general", "old")
    assert asked(sandbox).count("search") == 1
    assert any("the history is read meanwhile" in one for one in caplog.messages)


async def test_a_picture_deleted_while_the_search_is_on_its_way_stays_away(
    magpie: Magpie, search_alone: None, world_file: WorldFile, sandbox: sandbox_package.Server
) -> None:
    """The answer was built before the deletion, and arrives after it."""
    guild, general = world_file.guild_id, world_file.channels["general"]
    gone = min(shown(world_file, "general"), key=int)
    sandbox.strike("late", path=SEARCH, delay_s=1.0, times=None)
    await begin_to_watch(magpie, general)

    async def was_asked() -> bool:
        return sandbox.faults.struck_at > 0

    await until(was_asked)
    await magpie.writer.erase_messages(guild, [int(gone)])
    await searched(magpie, shown(world_file, "general") - {gone})
    assert gone not in await sources(magpie)
    assert not await magpie.gallery.links.slots(guild, gone)
    assert Group(general) in await magpie.gallery.links.groups(guild)
