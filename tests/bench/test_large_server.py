"""The town that `bench find` asks in: all that its gallery has stands in its server."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import numpy as np
import pytest

import sandbox
from bench import find, large_server
from index import Gallery
from sandbox.person import Person
from tests.bot.running import idle, png, running
from tests.index.colours import ColourEmbedder

ROWS, PHOTOGRAPHS = 40, 3


@pytest.fixture(autouse=True)
def small_town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_server, "FOLDER", tmp_path)
    monkeypatch.setattr(large_server, "PHOTOGRAPHS", PHOTOGRAPHS)
    for number in range(PHOTOGRAPHS):
        (tmp_path / f"{number}.jpg").write_bytes(png("red"))


async def test_whatever_is_found_in_the_town_can_be_shown(tmp_path: Path) -> None:
    path, model = tmp_path / "magpie.db", ColourEmbedder()
    await (await Gallery.open(path, model)).close()
    vectors = np.random.default_rng(0).random((ROWS, 3), np.float32)
    large_server.fill(path, ROWS, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    async with (
        sandbox.serve(large_server.world(ROWS)) as server,
        running(server, path, model) as magpie,
        aiohttp.ClientSession() as session,
        Person.log_in(session, server.url, large_server.MEMBER) as member,
    ):
        await idle(magpie)
        answer = await find._ask(member, "red")
        assert answer.took_s > 0
        shown = answer.pictures()
        for _ in range(ROWS // len(shown)):
            answer = await member.click(answer, answer.button("▶"))
            shown += answer.pictures()
        assert len(shown) == ROWS
        assert (await magpie.gallery.links.count()).links == ROWS


def test_no_two_questions_are_the_same() -> None:
    asked = list(find.questions())
    assert len(asked) == len(set(asked))
    assert len(asked) >= find.WARMING + find.QUESTIONS + find.REINDEXING
