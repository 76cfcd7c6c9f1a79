"""`magpie jobs`: what workers gave up is listed, tried again, and forgotten."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from index.cli.main import main
from index.jobs.asker import Asker
from index.jobs.worker import Worker
from index.types.errors import PictureGivenUp
from index.types.records import Group, Link
from tests.bot.running import until
from tests.index.jobs.conftest import QUICK
from tests.postgres import on_server

Magpie = Callable[..., tuple[int, str]]


@pytest.fixture
def magpie(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> Magpie:
    """Runs `magpie jobs` in a folder without a `.env`; the exit code, and what was said."""
    monkeypatch.delenv("MAGPIE_WORKERS", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str]:
        code = main(["jobs", *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.fixture
async def given_up(postgres_url: str) -> AsyncIterator[Asker]:
    """Who has asked for three pictures that a worker could not read."""

    async def broken(data: bytes) -> bytes:
        raise RuntimeError("no room on the GPU")

    asker, worker = (
        Asker(postgres_url, times=QUICK),
        Worker(postgres_url, {"vectors:0123456789": broken}, times=QUICK),
    )
    await asker.start()
    await worker.start()
    for source in ("100", "101", "102"):
        link = Link(1, Group(10), source, "a", owner=5, posted_at=1_000.0)
        with pytest.raises(PictureGivenUp):
            await asker.ask(b"bad", ["vectors:0123456789"], link)
    await worker.close()
    yield asker
    await asker.close()


async def of(magpie: Magpie, url: str, *words: str) -> tuple[int, str]:
    """The command runs a loop of its own, as in its own process."""
    return await asyncio.to_thread(magpie, *words, "--db", url)


async def listed(magpie: Magpie, url: str) -> list[dict[str, Any]]:
    code, said = await of(magpie, url, "list", "--json")
    assert code == 0
    found: list[dict[str, Any]] = json.loads(said)["given_up"]
    return found


async def test_what_was_given_up_is_listed_with_its_reason(
    magpie: Magpie, given_up: Asker, postgres_url: str
) -> None:
    code, said = await of(magpie, postgres_url)
    assert code == 0
    assert said.splitlines()[:2] == [
        "0 wait, 0 in hand, the oldest since 0 s",
        "3 pictures given up:",
    ]
    assert "server 1, channel 10, message 101: vectors:01234567, 3 tries" in said
    assert "RuntimeError: no room on the GPU" in said
    first, *_ = await listed(magpie, postgres_url)
    assert (first["source"], first["tries"], first["again"]) == ("100", 3, False)


async def test_one_is_tried_again_and_the_bots_hear_of_it(
    magpie: Magpie, given_up: Asker, postgres_url: str
) -> None:
    heard = asyncio.Event()
    given_up.again = heard.set
    first, *_ = await listed(magpie, postgres_url)
    code, said = await of(magpie, postgres_url, "retry", str(first["id"]))
    assert (code, said) == (0, "the bots look again at the messages of 1 picture\n")

    async def is_heard() -> bool:
        return heard.is_set()

    await until(is_heard)
    assert [one["again"] for one in await listed(magpie, postgres_url)] == [True, False, False]
    _, said = await of(magpie, postgres_url)
    assert said.count("is tried again") == 1


async def test_some_or_all_are_dropped(magpie: Magpie, given_up: Asker, postgres_url: str) -> None:
    first, second, _ = [str(one["id"]) for one in await listed(magpie, postgres_url)]
    code, said = await of(magpie, postgres_url, "drop", first, second)
    assert code == 0
    assert said.startswith("2 pictures dropped from the list")
    assert [one["source"] for one in await listed(magpie, postgres_url)] == ["102"]
    assert (await of(magpie, postgres_url, "drop", "--all"))[0] == 0
    assert await of(magpie, postgres_url) == (
        0, "0 wait, 0 in hand, the oldest since 0 s\nno picture was given up\n",
    )  # fmt: skip
    for words in (("drop", "--all"), ("retry", first)):
        assert (await of(magpie, postgres_url, *words))[0] == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["retry"], "Say which: retry 3 5, or retry --all."),
        (["drop", "3", "--all"], "Say which: drop 3 5, or drop --all."),
        (["retry", "three"], "three"),
        (["retry", "0"], "0"),
        (["forget"], "list"),
    ],
)
async def test_what_is_not_understood_is_refused_in_words(
    magpie: Magpie, postgres_url: str, words: list[str], why: str
) -> None:
    code, said = await of(magpie, postgres_url, *words)
    assert code == 2
    assert why in said
    assert "Traceback" not in said


def test_which_database_must_be_said(magpie: Magpie) -> None:
    assert magpie() == (2, "Say which database, with --db or the setting MAGPIE_WORKERS.\n")


async def test_the_setting_of_the_bot_is_read_from_its_file(
    magpie: Magpie, postgres_url: str, tmp_path: Any
) -> None:
    (tmp_path / ".env").write_text(f"MAGPIE_WORKERS={postgres_url}\n")
    code, said = await asyncio.to_thread(magpie)
    assert (code, said.splitlines()[-1]) == (0, "no picture was given up")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://magpie:secret@127.0.0.1:1/magpie", "can't be used"),
        ("mysql://magpie:secret@127.0.0.1/magpie", "postgresql://"),
        ("magpie.db", "postgresql://"),
        ("postgresql://magpie:secret@127.0.0.1:port/magpie", "postgresql://"),
    ],
)
async def test_a_database_that_is_not_there_is_one_sentence(
    magpie: Magpie, url: str, why: str
) -> None:
    code, said = await of(magpie, url)
    assert code == 2
    assert why in said
    assert "secret" not in said
    assert "Traceback" not in said


async def test_a_wrong_password_is_one_sentence(magpie: Magpie, postgres_url: str) -> None:
    before, _, after = postgres_url.partition("@")
    wrong = before.rpartition(":")[0] + ":wrong@" + after
    code, said = await of(magpie, wrong)
    assert code == 2
    assert "can't be used" in said
    assert "wrong@" not in said
    assert await on_server(postgres_url, "SELECT 1")
