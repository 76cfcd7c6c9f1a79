"""/healthz and /metrics over a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.app import Magpie
from bot.ops import logs
from bot.ops.health import Health
from bot.ops.metrics import Metrics
from bot.ops.settings import Address
from tests.bot.conftest import LogIn
from tests.bot.running import until, watch
from tests.worlds import WorldFile


@pytest.fixture
async def address(magpie: Magpie) -> AsyncIterator[str]:
    count = magpie.gallery.links.count_links
    health = Health(Address("127.0.0.1", 0), magpie.metrics, magpie.condition, count)
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
    await magpie.close()
    status, _ = await get(f"{address}/healthz")
    assert status == 503


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
