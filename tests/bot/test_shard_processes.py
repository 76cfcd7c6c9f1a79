"""Two real processes share a gallery in PostgreSQL, each with one shard; one of them is killed."""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

import sandbox as sandbox_package
from sandbox.person import Person, Unanswered
from tests.bot.processes import bot, environment_of, ready, samples
from tests.bot.running import png, until
from tests.bot.sharded import CHANNELS, EVEN, ODD, mei, post, two_shards
from tests.postgres import on_server

__all__ = ["mei", "two_shards"]  # fixtures

pytestmark = pytest.mark.slow
GUILDS = (EVEN, ODD)  # by shard


class Processes:
    """A process for each shard; all of them are killed at the end of the test."""

    def __init__(self, server: sandbox_package.Server, db: str, model: Path, folder: Path) -> None:
        self._stack = AsyncExitStack()
        self._folder = folder
        self.environments = [
            environment_of(server, db, model) | {"MAGPIE_SHARDS": f"{shard}/2"}
            for shard in range(2)
        ]

    async def start(self, shard: int) -> Process:
        """The process of a shard, ready."""
        process = await self._stack.enter_async_context(bot(self.environments[shard], self._folder))
        await ready(self.environments[shard])
        return process

    async def indexed(self, shard: int) -> int:
        """How many pictures the process of a shard has written since its start."""
        return int((await samples(self.environments[shard]))["magpie_pictures_indexed_total"])

    async def close(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def processes(
    two_shards: sandbox_package.Server, postgres_url: str, model_folder: Path, tmp_path: Path
) -> AsyncIterator[Processes]:
    made = Processes(two_shards, postgres_url, model_folder, tmp_path)
    yield made
    await made.close()


async def posted_many(mei: Person, guild: int, hue: str) -> dict[str, str]:
    """The colours of new pictures, by their messages."""
    colours = [f"#{number:02x}{number * 7 % 256:02x}{hue}" for number in range(0, 240, 30)]
    return {await post(mei, guild, colour): colour for colour in colours}


async def found_first(mei: Person, guild: int, colour: str) -> str:
    """The message of the first hit in a server, for who asks there with a picture."""
    where = str(CHANNELS[guild])
    answer = await mei.command("find", where=where, image=("asked.png", png(colour)))
    found = re.search(rf"/channels/{guild}/{where}/(\d+)\)", answer.text())
    assert found is not None, answer.text()
    return found[1]


async def links(db: str) -> Counter[tuple[int, str]]:
    """How often each message is in the gallery, by server and message."""
    rows = await on_server(db, "SELECT space, source FROM links")
    return Counter((row["space"], row["source"]) for row in rows)


async def test_one_process_is_killed_and_the_other_one_goes_on(
    two_shards: sandbox_package.Server, processes: Processes, postgres_url: str, mei: Person
) -> None:
    def commands_sent() -> int:
        paths = [one.path for one in two_shards.exchanges if one.method == "PUT"]
        return sum(path.endswith("/commands") for path in paths)

    async def are_there(expected: set[tuple[int, str]]) -> None:
        async def holds() -> bool:
            return (await links(postgres_url)).keys() == expected

        await until(holds)

    killed = await processes.start(1)
    assert commands_sent() == 0
    await processes.start(0)
    assert commands_sent() == 1
    for channel in CHANNELS.values():
        await mei.command("channels", "add", where=str(channel), channel=str(channel))

    # Each writes the pictures of its own server, and answers there.
    messages = {EVEN: await posted_many(mei, EVEN, "10"), ODD: await posted_many(mei, ODD, "90")}
    everything = {(guild, message) for guild in GUILDS for message in messages[guild]}
    await are_there(everything)
    for shard, guild in enumerate(GUILDS):
        assert await processes.indexed(shard) == len(messages[guild])
        message, colour = list(messages[guild].items())[2]
        assert await found_first(mei, guild, colour) == message

    # One is killed with pictures in hand.
    two_shards.strike("cdn_slow", path=f"/attachments/{CHANNELS[ODD]}/*", times=None, delay_s=3.0)
    in_hand = {EVEN: {}, ODD: await posted_many(mei, ODD, "d0")}

    async def is_busy() -> bool:
        return (await samples(processes.environments[1]))["magpie_queue_messages"] > 0

    await until(is_busy)
    killed.kill()
    await killed.wait()
    two_shards.faults.clear()
    missed = {EVEN: await posted_many(mei, EVEN, "50"), ODD: await posted_many(mei, ODD, "e8")}
    mine = {(EVEN, message) for message in missed[EVEN]}

    async def the_other_goes_on() -> bool:
        return mine <= (await links(postgres_url)).keys()

    await until(the_other_goes_on)
    asking = asyncio.create_task(found_first(mei, ODD, "#0000d0"))
    message, colour = list(missed[EVEN].items())[3]
    assert await found_first(mei, EVEN, colour) == message
    with pytest.raises(Unanswered):
        await asking
    theirs = {(ODD, message) for message in {**in_hand[ODD], **missed[ODD]}}
    assert not (await links(postgres_url)).keys() & theirs

    # Started again, it reads what it has missed, and nothing twice.
    await processes.start(1)
    for guild in GUILDS:
        everything |= {(guild, message) for message in {**in_hand[guild], **missed[guild]}}
    await are_there(everything)
    assert set((await links(postgres_url)).values()) == {1}
    message, colour = list(missed[ODD].items())[5]
    assert await found_first(mei, ODD, colour) == message
    assert await processes.indexed(0) == len(messages[EVEN]) + len(missed[EVEN])
    assert commands_sent() == 1
