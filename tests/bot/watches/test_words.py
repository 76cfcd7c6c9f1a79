"""Watches of words that are written in pictures: they judge again when the words were read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import sandbox as sandbox_package
from index.embed.embedder import Embedder
from tests.bot.ask.conftest import Scene, watch_everything
from tests.bot.ask.nest import Nest
from tests.bot.conftest import LogIn
from tests.bot.running import png, quick_clocks, running, until
from tests.bot.sync.test_transcribing import Finds
from tests.bot.watches.conftest import Watched

BLUE, GREEN = "#2040c8", "#20c840"


@pytest.fixture
def reader() -> Finds:
    """Finds "found" in every picture but one."""
    return Finds(broken=png(GREEN))


@pytest.fixture
async def reading(
    nest: Nest,
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    log_in: LogIn,
    reader: Finds,
) -> AsyncIterator[Watched]:
    clocks = quick_clocks(transcribe_s=0.05)
    async with running(sandbox, db, model, clocks, transcriber=reader) as magpie:
        await watch_everything(magpie)
        yield Watched(Scene(nest, sandbox, magpie, log_in))


async def read(watched: Watched) -> None:
    """Wait until all words are read, and told of."""
    transcripts = watched.scene.magpie.gallery.transcripts

    async def are_read() -> bool:
        return await transcripts.count_pending() == 0

    await until(are_read)
    await watched.settled()


async def test_exact_words_are_told_of_when_they_were_read_and_once(reading: Watched) -> None:
    finn, ada = await reading.log_in("finn"), await reading.log_in("ada")
    await read(reading)
    await reading.add(finn, '"FOUND" in:#pets')
    await reading.add(finn, '"lost" in:#pets')
    posted = await reading.post(ada, "pets", BLUE)
    await reading.post(ada, "pets", GREEN)
    await read(reading)
    assert reading.told(finn) == [posted["id"]]
    magpie = reading.scene.magpie
    guild = magpie.guilds[0].id
    pets = {int(reading.channel("pets"))}
    await magpie.transcribing.redo(guild, pets)
    await read(reading)
    assert reading.told(finn) == [posted["id"]]


async def test_nothing_is_left_to_judge_when_all_words_were_read(reading: Watched) -> None:
    finn, ada = await reading.log_in("finn"), await reading.log_in("ada")
    await reading.add(finn, "in:#pets")
    await reading.post(ada, "pets", BLUE)
    await read(reading)
    rows = await reading.scene.magpie.gallery.bookkeeping._database.rows("SELECT * FROM unjudged")
    assert rows == []
    assert len(reading.told(finn)) == 1
