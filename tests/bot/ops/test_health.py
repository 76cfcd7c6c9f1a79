"""/healthz and /metrics over a real port."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from bot.app import Magpie
from bot.ops import logs, probe
from bot.ops.health import Health
from bot.ops.metrics import Metrics
from bot.ops.settings import Address
from tests.bot.conftest import LogIn
from tests.bot.running import PATIENCE_S, until, watch
from tests.worlds import WorldFile

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
async def address(magpie: Magpie, tmp_path: Path) -> AsyncIterator[str]:
    health = Health(Address("127.0.0.1", 0), magpie.metrics)
    health.watch(magpie.condition, magpie.gallery.links.count_links, tmp_path)
    await health.start()
    yield f"http://127.0.0.1:{health.port}"
    await health.close()


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def samples(address: str) -> dict[str, float]:
    """Every sample of /metrics without labels, or summed over them."""
    status, text = await get(f"{address}/metrics")
    assert status == 200
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


async def test_ready_bot_says_so_and_how_much_it_has(
    magpie: Magpie, address: str, world_file: WorldFile
) -> None:
    await watch(magpie, world_file.channels["general"])

    async def latency_known() -> bool:
        return (await get(f"{address}/healthz"))[0] == 200

    await until(latency_known)
    async with aiohttp.ClientSession() as session, session.get(f"{address}/healthz") as answer:
        state = await answer.json()
    assert state["ready"] is True
    assert state["indexing"] is False
    assert state["pictures"] == 1


async def test_disconnected_bot_is_not_ready(magpie: Magpie, address: str) -> None:
    async def said_to_be_ready() -> bool:
        return (await samples(address))["magpie_ready"] == 1

    await until(said_to_be_ready)
    await magpie.close()
    status, _ = await get(f"{address}/healthz")
    assert status == 503
    assert (await samples(address))["magpie_ready"] == 0


async def test_metrics_tell_of_the_machine(address: str) -> None:
    said = await samples(address)
    assert said["magpie_disk_free_bytes"] > 0
    assert said["process_resident_memory_bytes"] > 1e7
    assert said["process_cpu_seconds_total"] > 0


async def test_metrics_count_what_was_indexed(
    magpie: Magpie, address: str, world_file: WorldFile
) -> None:
    before = await samples(address)
    assert before["magpie_pictures_indexed_total"] == 0
    await watch(magpie, world_file.channels["general"])
    after = await samples(address)
    assert after["magpie_pictures_indexed_total"] == 1
    assert after["magpie_embed_seconds_count"] == 1
    assert after["magpie_queue_messages"] == 0
    assert (before["magpie_pictures"], after["magpie_pictures"]) == (0, 1)
    await magpie.erasure.erase_group(world_file.guild_id, world_file.channels["general"])
    assert (await samples(address))["magpie_pictures_removed_total"] == 1


async def test_commands_are_timed(magpie: Magpie, address: str, log_in: LogIn) -> None:
    ada = await log_in("ada")
    await ada.command("status")

    async def counted() -> bool:
        return (await samples(address)).get("magpie_command_seconds_count") == 1

    await until(counted)


async def test_two_bots_in_one_process_count_apart(magpie: Magpie) -> None:
    other = Metrics()
    magpie.metrics.add_pictures(10, 3)
    indexed = "magpie_pictures_indexed_total"
    counted = [metrics.registry.get_sample_value(indexed) for metrics in (magpie.metrics, other)]
    assert counted == [3, 0]


def test_pictures_a_second_are_those_of_the_groups_asked_for() -> None:
    metrics = Metrics()
    metrics.add_pictures(10, 3)
    metrics.add_pictures(11, 40)
    assert metrics.pictures_per_second({10, 12}) == 3.0  # in the first second
    assert metrics.pictures_per_second(()) == 0.0


async def test_held_up_loop_is_measured() -> None:
    import time

    metrics = Metrics()
    measuring = asyncio.create_task(metrics.watch_loop())
    await asyncio.sleep(0.15)
    time.sleep(0.3)  # noqa: ASYNC251  # the very thing to be measured
    await asyncio.sleep(0.15)
    measuring.cancel()
    await asyncio.gather(measuring, return_exceptions=True)
    assert metrics.lag_p99_s() > 0.1


def test_log_does_nothing_to_a_terminal() -> None:
    line = logs.fields("event", file="\x1b[2J\u202e.png\u2028", other="\r\ud800")
    assert line == r'event=event file="\x1b[2J\u202e.png\u2028" other="\r\ud800"'


def test_log_fields_stay_on_one_line_and_in_one_piece() -> None:
    line = logs.fields("event", why='it said "no"\nand left', n=3, rate=0.5, empty="")
    assert line == 'event=event why="it said \\"no\\"\\nand left" n=3 rate=0.5 empty=""'


# ---- the first seconds, and --health


@pytest.fixture
async def hub() -> AsyncIterator[str]:
    """A hub of models that never finishes an answer."""

    async def hold(request: web.Request) -> web.Response:
        await asyncio.sleep(PATIENCE_S)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hold)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAGPIE_", "DISCORD_"))}
    return kept | {
        "DISCORD_TOKEN": "a.b.c",
        "DISCORD_API": "http://127.0.0.1:9",
        "MAGPIE_DB": str(folder / "magpie.db"),
        "PYTHONPATH": str(ROOT),
        **more,
    }


async def bot(folder: Path, settings: dict[str, str], *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env=settings,
        stdout=PIPE,
        stderr=PIPE,
    )


async def how_it_is(folder: Path, settings: dict[str, str]) -> tuple[int | None, str]:
    """The exit status of `--health`, and what it says."""
    asked = await bot(folder, settings, "--health")
    said, complained = await asked.communicate()
    return asked.returncode, (said + complained).decode()


@pytest.mark.slow
async def test_a_bot_that_downloads_its_model_is_starting_and_well(
    tmp_path: Path, hub: str
) -> None:
    more = {
        "MAGPIE_HTTP": f"0.0.0.0:{free_port()}",
        "MAGPIE_MODEL": "somebody/some-clip",
        "HF_ENDPOINT": hub,
        "HF_HOME": str(tmp_path / "hub"),
        "HF_HUB_OFFLINE": "0",
    }
    settings = environment(tmp_path, **more)
    address = "http://127.0.0.1:" + more["MAGPIE_HTTP"].split(":")[1]
    serving = await bot(tmp_path, settings)
    try:

        async def answers() -> bool:
            try:
                status, body = await get(f"{address}/healthz")
            except aiohttp.ClientError:
                return False
            assert (status, json.loads(body)["state"]) == (503, "starting")
            return True

        await until(answers)
        status, said = await how_it_is(tmp_path, settings)
        assert (status, "starting" in said) == (0, True), said
        assert (await get(f"{address}/metrics"))[0] == 200
    finally:
        serving.kill()
        await serving.communicate()
    status, said = await how_it_is(tmp_path, settings)
    assert (status, "does not answer" in said) == (1, True), said


async def test_health_follows_the_bot(magpie: Magpie, address: str) -> None:
    host, port = address.removeprefix("http://").split(":")

    async def ask() -> tuple[bool, str]:
        return await asyncio.to_thread(probe.ask, Address(host, int(port)))

    async def ready() -> bool:
        return (await ask())[0]

    await until(ready)
    assert "ready" in (await ask())[1]
    await magpie.close()
    well, said = await ask()
    assert not well
    assert "not connected" in said


def test_health_that_is_off_counts_as_well() -> None:
    well, said = probe.ask(None)
    assert well
    assert "MAGPIE_HTTP is off" in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost", "10.1.2.3"])
def test_health_is_asked_at_an_address_that_can_be_reached(host: str) -> None:
    asked = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    assert probe.reachable(host) == asked


# ---- how long Discord takes to answer


async def test_an_answer_that_overtakes_its_heartbeat_is_not_measured(
    magpie: Magpie, address: str, log_in: LogIn
) -> None:
    keep_alive = magpie._get_websocket(shard_id=0)._keep_alive
    assert keep_alive is not None
    assert keep_alive.interval is not None

    async def measured() -> bool:
        return magpie.condition().latency_s is not None

    await until(measured)
    ada = await log_in("ada")
    assert "Discord answers in" in (await ada.command("status")).text()
    # The heartbeat before this one was sent an interval ago. The answer to this one comes before
    # the thread that sent it has noted the time.
    keep_alive._last_send = time.perf_counter() - keep_alive.interval
    keep_alive.ack()
    assert magpie.latency >= keep_alive.interval, "what discord.py makes of it"
    assert magpie.condition().latency_s is None
    assert "Discord answers in" not in (await ada.command("status")).text()
    status, body = await get(f"{address}/healthz")
    assert (status, json.loads(body)["latency_ms"]) == (200, None)
