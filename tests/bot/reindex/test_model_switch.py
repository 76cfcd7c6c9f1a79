"""Another MAGPIE_MODEL: the old model answers until /reindex has read everything for the new."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.app import Magpie
from bot.ops.tuning import Clocks
from bot.platform.interactions import button, view_of
from bot.reindex import jobs
from bot.reindex.rereading import Rereading
from bot.reindex.state import JobState
from bot.sync.writer import Item
from bot.text import reindex as text
from index import EmbeddedPicture, Filter, Group, Link, Query
from index.embed import checkpoint, embedder
from index.store.sqlite.backup import back_up, restore
from sandbox.person import Answer, Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.reindex.jobs import progress_of
from tests.bot.running import Held, png, quick_clocks, running, sources, until, watch
from tests.index import checkpoints
from tests.worlds import WorldFile

# Words say nothing to a model of random weights, and it would show nothing for them.
PICTURE = ("red.png", png("red"))

PICTURES = 30

Run = Callable[[Path | Held], AbstractAsyncContextManager[Magpie]]


@pytest.fixture
def clocks() -> Clocks:
    return quick_clocks(show_progress_s=0.05, page_retry_s=0.05)


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    world = worlds.small(tmp_path / "world")
    general, mei = world.channels["general"], world.people["mei"]
    for n in range(PICTURES):
        picture = world.picture(f"{n}.png", f"#{n * 8:02x}{255 - n * 8:02x}40")
        world.message(general, mei, f"message {n}", pictures=[picture])
    return world


@pytest.fixture(scope="session")
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other").resolve() / "clip"
    return checkpoints.tiny_clip(folder, seed=5, projection=16)


@pytest.fixture
def run(sandbox: sandbox_package.Server, db: Path, clocks: Clocks) -> Run:
    return lambda model: running(
        sandbox, db, model if isinstance(model, Held) else str(model), clocks
    )


@pytest.fixture
async def everything(run: Run, model_folder: Path, world_file: WorldFile) -> set[str]:
    """What the gallery holds before the change: all of #general, by the old model."""
    async with run(model_folder) as client:
        await watch(client, world_file.channels["general"])
        return await sources(client)


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


def held(folder: Path) -> Held:
    """The model, stopped at its first picture."""
    made = Held(embedder.load(checkpoint.find(str(folder)), "cpu"))
    made.hold()
    return made


async def has_switched(client: Magpie) -> None:
    async def holds() -> bool:
        job = (await client.gallery.bookkeeping.jobs(active=False))[-1]
        return bool(job.state["switched"])

    await until(holds)


async def test_the_old_model_answers_until_reindex_is_done(
    run: Run, everything: set[str], model_folder: Path, other_folder: Path, ada: Person
) -> None:
    async with run(other_folder) as client:
        assert client.gallery.model == str(model_folder)
        status = (await ada.command("status")).text()
        assert f"`{other_folder.name}` is to take over; `/reindex` begins that" in status
        assert (await ada.command("find", image=PICTURE)).pictures()
        await ada.command("reindex")
        await has_switched(client)
        assert client.gallery.model == str(other_folder)
        assert await sources(client) == everything
        assert (await ada.command("find", image=PICTURE)).pictures()
        assert "take over" not in (await ada.command("status")).text()
        progress = [
            payload["content"]
            for name, payload in ada._events
            if name == "MESSAGE_UPDATE" and "Reindex" in payload["content"]
        ]
        assert f"`{other_folder.name}` answers from now on." in progress[-1]
    async with run(other_folder) as client:
        assert client.gallery.reembedding.wanted is None


async def test_after_a_restart_the_job_continues_and_then_the_model_switches(
    run: Run, everything: set[str], model_folder: Path, other_folder: Path, ada: Person
) -> None:
    waiting = held(other_folder)
    async with run(waiting) as client:
        await ada.command("reindex")

        async def embedding() -> bool:
            return waiting.begun > 0

        await until(embedding)
        assert client.gallery.model == str(model_folder)
        assert (await ada.command("find", image=PICTURE)).pictures()
    async with run(other_folder) as client:
        await has_switched(client)
        assert client.gallery.model == str(other_folder)
        assert await sources(client) == everything


async def test_a_copy_of_a_change_under_way_is_restored_after_its_end(
    run: Run, db: Path, everything: set[str], other_folder: Path, ada: Person, tmp_path: Path
) -> None:
    """The copy's own change goes on where the copy was made, and loses no picture."""
    copy, waiting = tmp_path / "copy.db", held(other_folder)
    async with run(waiting) as client:
        await ada.command("reindex")

        async def embedding() -> bool:
            return waiting.begun > 0

        await until(embedding)
        back_up(db, copy)
        waiting.release()
        await has_switched(client)
    restore(copy, db)
    async with run(other_folder) as client:

        async def taken_over() -> bool:
            return client.gallery.model == str(other_folder)

        await until(taken_over)
        assert await sources(client) == everything


async def test_one_server_can_neither_pause_nor_cancel_the_change_for_all(
    run: Run, everything: set[str], other_folder: Path, ada: Person
) -> None:
    """A button of before is answered with the reason."""
    waiting = held(other_folder)
    async with run(waiting) as client:
        answer = await ada.command("reindex")
        assert "pause" not in answer.text()
        job = (await client.gallery.bookkeeping.jobs())[-1]
        shown = progress_of(ada)
        assert shown.message["components"] == []
        place = client.get_partial_messageable(int(shown.message["channel_id"]))
        message = place.get_partial_message(int(shown.message["id"]))
        await message.edit(view=view_of(button(f"c:{job.id}", "Cancel")))
        seen = await ada.event("MESSAGE_UPDATE", where=lambda message: bool(message["components"]))
        [[clicked]] = [row["components"] for row in seen["components"]]
        refused = await ada.click(Answer(seen), clicked)
        assert refused.text() == text.model_changes()
        waiting.release()
        await has_switched(client)
        assert await sources(client) == everything


@pytest.mark.parametrize("status", ["paused", "cancelled", "failed"])
async def test_a_job_that_was_stopped_before_goes_on_after_a_restart(
    run: Run, everything: set[str], other_folder: Path, ada: Person, status: str
) -> None:
    """The switch of all servers waits for it."""
    waiting = held(other_folder)
    async with run(waiting) as client:
        await ada.command("reindex")
        going = client.jobs.of(client.guilds[0].id)
        assert going is not None
        going.status = status
        await going.stop()
        await going.save()
    async with run(other_folder) as client:
        await has_switched(client)
        assert await sources(client) == everything


async def test_an_unforeseen_error_in_one_server_ends_no_change_of_models(
    run: Run,
    everything: set[str],
    other_folder: Path,
    ada: Person,
    clocks: Clocks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clocks.model_job_retry_s = 0.05
    read_page, failed = Rereading.read_page, []

    async def fail_once(self: Rereading, state: JobState) -> list[Item]:
        if not failed:
            failed.append(state.at)
            raise RuntimeError("an unforeseen page")
        return await read_page(self, state)

    monkeypatch.setattr(Rereading, "read_page", fail_once)
    async with run(other_folder) as client:
        await ada.command("reindex")
        await has_switched(client)
        assert failed
        assert await sources(client) == everything


async def test_a_model_given_up_and_chosen_again_embeds_everything_again(
    run: Run, everything: set[str], model_folder: Path, other_folder: Path, ada: Person
) -> None:
    """What was embedded before the model was given up no longer counts."""
    waiting = held(other_folder)
    async with run(waiting):
        await ada.command("reindex")
    async with run(model_folder) as client:
        assert client.gallery.reembedding.wanted is None

        async def cancelled() -> bool:
            return (await client.gallery.bookkeeping.jobs(active=False))[-1].status == "cancelled"

        await until(cancelled)
    async with run(other_folder) as client:
        assert client.gallery.reembedding.id is None
        await ada.command("reindex")
        await has_switched(client)
        assert await sources(client) == everything


async def test_a_picture_posted_and_one_deleted_meanwhile_are_followed(
    run: Run,
    everything: set[str],
    other_folder: Path,
    ada: Person,
    world_file: WorldFile,
) -> None:
    general = str(world_file.channels["general"])
    waiting = held(other_folder)
    async with run(waiting) as client:
        await ada.command("reindex")
        posted = await ada.post(general, pictures={"late.png": png("teal")})
        gone = sorted(everything)[3]
        await ada.request("DELETE", f"/channels/{general}/messages/{gone}")
        waiting.release()
        await has_switched(client)

        async def settled() -> bool:
            return await sources(client) == everything - {gone} | {posted["id"]}

        await until(settled)
        everywhere = Filter(world_file.guild_id)
        answer = await client.gallery.find(Query(image=png("teal")), everywhere, k=1)
        assert answer.hits[0].link.source == posted["id"]
        assert answer.hits[0].score > 0.99


async def test_a_server_without_a_job_gets_one_before_the_switch_and_one_that_was_left_is_erased(
    run: Run, everything: set[str], other_folder: Path, ada: Person
) -> None:
    elsewhere = 99
    waiting = held(other_folder)
    async with run(waiting) as client:
        await ada.command("reindex")
        gallery = client.gallery
        red = await gallery.embed_query(Query(text="red"))
        embedded = EmbeddedPicture(b"k" * 32, "image", red.vector[None], 8, 8)
        await gallery.commit([(embedded, Link(elsewhere, Group(5), "6", "a:7"))])
        waiting.release()

        async def is_begun() -> bool:
            return any(job.space == elsewhere for job in await gallery.bookkeeping.jobs())

        await until(is_begun)
        assert gallery.reembedding.wanted == str(other_folder)  # it has not switched
        await client.departures.leave(elsewhere)
        await has_switched(client)
        assert await gallery.links.spaces() == {client.guilds[0].id}
        assert await sources(client) == everything


async def test_a_server_that_cannot_be_read_holds_up_no_other_and_one_that_was_left_is_not_read(
    run: Run,
    everything: set[str],
    other_folder: Path,
    ada: Person,
    clocks: Clocks,
    world_file: WorldFile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One server may read at a time, and the one that begins is not available."""
    monkeypatch.setattr(jobs, "MODEL_JOBS_AT_ONCE", 1)
    clocks.page_retry_s = 60.0
    elsewhere = 99
    async with run(other_folder) as client:
        gallery = client.gallery
        red = await gallery.embed_query(Query(text="red"))
        embedded = EmbeddedPicture(b"k" * 32, "image", red.vector[None], 8, 8)
        await gallery.commit([(embedded, Link(elsewhere, Group(5), "6", "a:7"))])
        await ada.command("reindex")

        async def is_read() -> bool:
            found = await gallery.bookkeeping.jobs(world_file.guild_id, active=False)
            return [job.status for job in found] == ["done"]

        async def waits() -> bool:
            return client.jobs.of(elsewhere) is not None

        await until(is_read)
        await until(waits)
        await client.departures.leave(elsewhere)
        await client.jobs.resume()
        assert client.jobs.of(elsewhere) is None
        await has_switched(client)


async def test_a_closed_channel_counts_once_however_often_everything_is_read(
    run: Run,
    everything: set[str],
    model_folder: Path,
    other_folder: Path,
    sandbox: sandbox_package.Server,
    ada: Person,
    world_file: WorldFile,
) -> None:
    async with run(model_folder) as client:
        await watch(client, world_file.channels["mods"])  # where it may not read
    async with run(other_folder) as client:
        sandbox.strike("cdn_error", status=404, times=None)
        await ada.command("reindex")
        await has_switched(client)
        job = (await client.gallery.bookkeeping.jobs(active=False))[-1]
        assert job.state["passes"] > 0
        assert job.state["lost"] == len(everything)
        assert job.state["closed"] == 1


async def test_each_server_is_told_of_its_own_losses(
    run: Run,
    everything: set[str],
    other_folder: Path,
    sandbox: sandbox_package.Server,
    ada: Person,
    world_file: WorldFile,
) -> None:
    """The bot is not in the other server, so the job there loses its picture."""
    elsewhere = 99
    async with run(other_folder) as client:
        gallery = client.gallery
        red = await gallery.embed_query(Query(text="red"))
        embedded = EmbeddedPicture(b"k" * 32, "image", red.vector[None], 8, 8)
        await gallery.commit([(embedded, Link(elsewhere, Group(5), "6", "a:7"))])
        await gallery.reembedding.begin()
        state = JobState("model", None, groups=[], succession=gallery.reembedding.id)
        job = await gallery.bookkeeping.new_job(elsewhere, jobs.KIND, asdict(state))
        await gallery.commit((), jobs=[replace(job, status="done")])
        await ada.command("reindex")
        await has_switched(client)
        assert await sources(client) == everything

        async def told() -> bool:
            found = await gallery.bookkeeping.jobs(active=False)
            lost = {one.space: one.state["lost"] for one in found if one.state["switched"]}
            return lost == {elsewhere: 1, world_file.guild_id: 0}

        await until(told)
        assert "left the index" not in (await ada.command("status")).text()


async def test_figures_are_hidden_while_the_channels_that_they_count_are_listed_again(
    run: Run,
    everything: set[str],
    other_folder: Path,
    sandbox: sandbox_package.Server,
    ada: Person,
    log_in: LogIn,
    world_file: WorldFile,
) -> None:
    """In #general and to a moderator, who may not read all of them."""
    dark, mod = world_file.channels["after-dark"], world_file.people["mod"]
    moderator = await log_in("mod")
    deny = {"type": 1, "allow": "0", "deny": str(worlds.READ_MESSAGE_HISTORY)}
    await ada.request("PUT", f"/channels/{dark}/permissions/{mod}", json=deny)
    waiting = held(other_folder)
    async with run(waiting) as client:
        await watch(client, dark)
        sandbox.strike("cdn_error", path="*/0.png", status=404, times=None)
        await ada.command("reindex")
        going = client.jobs.of(world_file.guild_id)
        assert going is not None

        async def embedding() -> bool:
            return waiting.begun > 0

        async def listing_again() -> bool:
            return going.state.passes > 0 and going.state.groups is None

        await until(embedding)
        archived = f"/channels/{dark}/threads/archived/*"
        sandbox.strike("slow", path=archived, who="bot", delay_s=2.0)
        waiting.release()
        await until(listing_again)
        status = (await moderator.command("status")).text()
        assert "Reindexing" in status
        assert " checked in" not in status
        await has_switched(client)
    edited = [e for name, e in ada._events if name == "MESSAGE_UPDATE" and not e["flags"] & 64]
    assert edited
    assert not [e for e in edited if " checked in" in e["content"]]
