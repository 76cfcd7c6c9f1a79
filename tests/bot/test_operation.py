"""`python -m bot` as its operator sees it: it starts, refuses, stops, and is killed."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

import sandbox as sandbox_package
from bot.__main__ import run
from bot.app import Magpie
from bot.ops.claims import Ousted
from bot.ops.settings import Address, Settings, SettingsError
from bot.ops.starting import StartFailed
from bot.ops.tuning import Clocks
from bot.platform.shards import parsed
from index import Claim, Gallery, ModelUnusable, StoreLocked
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests import worlds
from tests.bot.conftest import LogIn
from tests.bot.processes import START_S, bot, environment_of, free_port, ready
from tests.bot.running import idle, png, quick_clocks, running, settings_for, until, watching
from tests.postgres import on_server
from tests.worlds import WorldFile

MESSAGES = 420  # more than four pages


@pytest.fixture
def world_file(tmp_path: Path) -> WorldFile:
    world = worlds.small(tmp_path / "world")
    general, mei = world.channels["general"], world.people["mei"]
    for n in range(MESSAGES):
        pictures = (
            [world.picture(f"{n}.png", f"#{n // 2:02x}80{n % 256:02x}")] if n % 3 == 0 else []
        )
        world.message(general, mei, f"message {n}", pictures=pictures)
    return world


@pytest.fixture
async def ada(log_in: LogIn) -> Person:
    return await log_in("ada")


@pytest.fixture
def environment(sandbox: sandbox_package.Server, db: Path, model_folder: Path) -> dict[str, str]:
    return environment_of(sandbox, db, model_folder)


@pytest.fixture
def chosen(sandbox: sandbox_package.Server, db: Path, model_folder: Path) -> Settings:
    return replace(settings_for(sandbox, db), model=str(model_folder), device="cpu")


def with_pictures(world: WorldFile) -> set[str]:
    general = str(world.channels["general"])
    messages = world.guild["messages"]
    return {m["id"] for m in messages if m["channel_id"] == general and m["attachments"]}


async def in_gallery(client: Magpie, world: WorldFile) -> set[str]:
    """The messages of #general with indexed pictures; each picture is there once."""
    known = await client.gallery.links.known(world.guild_id, world.channels["general"])
    assert (await client.gallery.links.count()).links == sum(map(len, known.values()))
    return set(known)


def pages(server: sandbox_package.Server, channel: int) -> int:
    path = f"/channels/{channel}/messages"
    return sum((e.who, e.method, e.path) == ("bot", "GET", path) for e in server.exchanges)


async def test_kill_during_a_backfill_loses_and_doubles_nothing(
    sandbox: sandbox_package.Server,
    environment: dict[str, str],
    tmp_path: Path,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
) -> None:
    general = world_file.channels["general"]
    # Discord's search would bring all pictures before the second page.
    sandbox.strike("error", path="/guilds/*/messages/search", status=403, code=50001, times=None)
    sandbox.strike("slow", path=f"/channels/{general}/messages", who="bot", times=None, delay_s=0.2)
    async with bot(environment, tmp_path) as process:
        await ready(environment)
        await ada.command("channels", "add", channel=str(general))

        async def third_page() -> bool:
            return pages(sandbox, general) >= 3

        await until(third_page)
        process.kill()
        await process.wait()
    sandbox.faults.clear()
    gallery = await Gallery.open(db, model)
    known = (await gallery.links.known(world_file.guild_id, general)).keys()
    await gallery.close()
    assert known < with_pictures(world_file), "it was killed in the middle"
    missed = await ada.post(str(general), pictures={"a.png": png("teal")})
    async with running(sandbox, db, model) as client:
        await idle(client)
        everything = with_pictures(world_file) | {missed["id"]}
        assert await in_gallery(client, world_file) == everything


async def test_reindex_continues_where_it_stood_after_a_kill(
    sandbox: sandbox_package.Server,
    environment: dict[str, str],
    tmp_path: Path,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
) -> None:
    general = world_file.channels["general"]
    lost = sorted(with_pictures(world_file))[::2]
    async with watching(sandbox, db, model, general) as client:
        await client.gallery.remove_sources(world_file.guild_id, lost)
    sandbox.strike("slow", path=f"/channels/{general}/messages", who="bot", times=None, delay_s=0.2)
    async with bot(environment, tmp_path) as process:
        await ready(environment)
        before = pages(sandbox, general)
        await ada.command("reindex")

        async def third_page() -> bool:
            return pages(sandbox, general) >= before + 3

        await until(third_page)
        process.kill()
        await process.wait()
    sandbox.faults.clear()
    gallery = await Gallery.open(db, model)
    known = (await gallery.links.known(world_file.guild_id, general)).keys()
    await gallery.close()
    assert known < with_pictures(world_file), "it was killed in the middle"
    async with running(sandbox, db, model) as client:
        await ada.event(
            "MESSAGE_UPDATE", where=lambda message: "Reindexing is done" in message["content"]
        )
        assert await in_gallery(client, world_file) == with_pictures(world_file)
        (job,) = await client.gallery.bookkeeping.jobs(active=False)
        there = sum(m["channel_id"] == str(general) for m in world_file.guild["messages"])
        progress_itself = 1
        assert job.state["messages"] == there + progress_itself, "no page left out or read twice"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_ends_the_bot_cleanly_and_loses_nothing(
    sandbox: sandbox_package.Server,
    environment: dict[str, str],
    tmp_path: Path,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    ada: Person,
    number: signal.Signals,
) -> None:
    general = world_file.channels["general"]
    async with bot(environment, tmp_path) as process:
        await ready(environment)
        await ada.command("channels", "add", channel=str(general))
        posted = await ada.post(str(general), pictures={"a.png": png("teal")})
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), START_S) == 0
    log = (tmp_path / "bot.log").read_text()
    assert "event=stopped" in log.splitlines()[-1]
    for unwanted in ("Traceback", "level=error", "Warning", "never awaited", "Unclosed"):
        assert unwanted not in log
    assert all(line.startswith("time=") for line in log.splitlines()), "one line an event"
    assert f"https://discord.com/oauth2/authorize?client_id={world_file.bot_id}" in log
    async with running(sandbox, db, model) as client:
        await idle(client)
        everything = with_pictures(world_file) | {posted["id"]}
        assert await in_gallery(client, world_file) == everything


async def test_bad_settings_end_the_start_with_a_list_of_all(
    environment: dict[str, str], tmp_path: Path
) -> None:
    wrong = environment | {"MAGPIE_DEVICE": "gpu", "MAGPIE_MODLE": "x"}
    async with bot(wrong, tmp_path) as process:
        assert await asyncio.wait_for(process.wait(), START_S) == 2
    said = (tmp_path / "bot.log").read_text()
    assert "MAGPIE_DEVICE=gpu" in said
    assert "did you mean MAGPIE_MODEL?" in said
    assert "Traceback" not in said


async def test_wrong_token_is_one_sentence(chosen: Settings) -> None:
    with pytest.raises(StartFailed, match="does not know this DISCORD_TOKEN") as refusal:
        await run(replace(chosen, token="another-token"), asyncio.Event())
    assert "another-token" not in str(refusal.value)


async def test_missing_intent_is_one_sentence(
    sandbox: sandbox_package.Server, chosen: Settings
) -> None:
    sandbox.world.application.privileged = []
    with pytest.raises(StartFailed, match="Message Content intent is off"):
        await run(chosen, asyncio.Event())


async def test_unreachable_server_is_one_sentence(chosen: Settings) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(StartFailed, match=f"Discord at {nowhere} can't be reached"):
        await run(replace(chosen, api=nowhere), asyncio.Event())


async def test_port_in_use_is_one_sentence(chosen: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = Address("127.0.0.1", other.getsockname()[1])
        with pytest.raises(SettingsError, match=f"MAGPIE_HTTP={taken}: can't listen there"):
            await run(replace(chosen, http=taken), asyncio.Event())


async def test_second_bot_on_the_same_gallery_is_one_sentence(
    sandbox: sandbox_package.Server, chosen: Settings, model: Embedder
) -> None:
    async with running(sandbox, chosen.db, model):
        with pytest.raises(StoreLocked, match="is being written by"):
            await run(chosen, asyncio.Event())


@pytest.mark.parametrize(
    ("others", "shards", "why"),
    [
        (((0,), 0), "", r"MAGPIE_DB=\S+: another Magpie serves this database already"),
        (((0, 1), 4), "1-2/4", r"MAGPIE_SHARDS=1-2/4: another process on \S+ serves shard 1 of 4"),
        (((0,), 4), "1/2", r"MAGPIE_SHARDS=1/2: .* divide the servers into 4 shards\. All must"),
        (((0,), 0), "1/2", r"MAGPIE_SHARDS=1/2: .* have none\. All must"),
        (((0,), 4), "", r"MAGPIE_SHARDS=: .* divide the servers into 4 shards\. All must"),
    ],
)
async def test_a_second_process_for_the_same_servers_is_one_sentence(
    chosen: Settings, postgres_url: str, others: tuple[tuple[int, ...], int], shards: str, why: str
) -> None:
    first = await Claim.make(postgres_url, *others, patience_s=0.0)
    second = replace(chosen, db=postgres_url, shards=parsed(shards))
    with pytest.raises(SettingsError, match=why) as refusal:
        await run(second, asyncio.Event(), Clocks(claim_s=0.0))
    assert "127.0.0.1" in str(refusal.value)
    assert postgres_url not in str(refusal.value)
    await first.close()
    stop = asyncio.Event()
    stop.set()
    await run(second, stop, Clocks(claim_s=0.0))


async def test_who_has_lost_its_servers_to_another_process_stops(
    sandbox: sandbox_package.Server, chosen: Settings, postgres_url: str
) -> None:
    import asyncpg

    stop = asyncio.Event()
    mine = replace(chosen, db=postgres_url)
    serving = asyncio.create_task(run(mine, stop, quick_clocks(claim_s=0.0)))

    async def connected() -> bool:
        return sandbox.gateway.bot_is_connected() or serving.done()

    await until(connected, START_S)
    other = await asyncpg.connect(postgres_url)
    # It waits for the lock, and gets it as soon as the connection of the bot is gone.
    taking = asyncio.create_task(
        other.execute(
            "SELECT pg_advisory_lock(hashtext(concat('magpie part ', current_schema())), 0)"
        )
    )

    async def cut() -> bool:
        ended = await on_server(
            postgres_url,
            """SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
            AND granted AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory'
                AND objid = 0 AND mode = 'ExclusiveLock')
            AND EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)""",
        )
        return bool(ended)

    await until(cut)
    await taking
    with pytest.raises(Ousted, match="another Magpie serves this database already"):
        await asyncio.wait_for(serving, START_S)
    await other.close()


async def test_folder_that_cannot_be_made_is_one_sentence(chosen: Settings) -> None:
    chosen.beside.parent.joinpath("a-file").write_text("")
    db = chosen.beside.parent / "a-file" / "magpie.db"
    with pytest.raises(SettingsError, match=f"MAGPIE_DB={db}: .* can't be made"):
        await run(replace(chosen, db=db), asyncio.Event())


async def test_signal_during_the_start_ends_it(chosen: Settings) -> None:
    stop = asyncio.Event()
    stop.set()
    await run(chosen, stop)


class SlowToClose(Magpie):
    """A bot whose last connections take a moment to close, as over a real network."""

    async def close(self) -> None:
        await super().close()
        await asyncio.sleep(0.2)


async def test_stop_while_a_request_of_the_start_waits_ends_quietly(
    sandbox: sandbox_package.Server, chosen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The closed client fails the request. That is a part of the stop, and no fault."""
    monkeypatch.setattr("bot.__main__.Magpie", SlowToClose)
    sandbox.strike("hold", path="/users/@me", who="bot")
    stop = asyncio.Event()
    serving = asyncio.create_task(run(chosen, stop))

    async def held() -> bool:
        return sandbox.faults.held == 1 or serving.done()

    await until(held, START_S)
    assert not serving.done()
    stop.set()
    await asyncio.wait_for(serving, START_S)


async def test_commands_are_sent_only_when_they_changed(
    sandbox: sandbox_package.Server, db: Path, model: Embedder
) -> None:
    def sent() -> int:
        return sum(e.method == "PUT" and e.path.endswith("/commands") for e in sandbox.exchanges)

    for _ in range(2):
        async with running(sandbox, db, model):
            assert sent() == 1
    sandbox.world.commands.clear()  # as of an application that was created again
    async with running(sandbox, db, model):
        assert sent() == 2


async def test_a_model_that_cannot_read_pictures_ends_the_bot_with_one_sentence(
    sandbox: sandbox_package.Server, chosen: Settings, model_folder: Path, tmp_path: Path
) -> None:
    """Its words are read before its pictures' side is looked at, and Magpie is connected then."""
    odd = shutil.copytree(model_folder, tmp_path / "odd")
    tensors = load_file(odd / "model.safetensors")
    name = "vision_model.encoder.layers.1.mlp.fc1.weight"
    tensors[name] = tensors[name][:-1].copy()
    save_file(tensors, odd / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelUnusable, match="odd"):
        await run(replace(chosen, model=str(odd)), asyncio.Event(), quick_clocks())
    assert not sandbox.core.gateway.bot_is_connected()
