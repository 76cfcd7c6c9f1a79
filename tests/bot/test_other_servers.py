"""The bot on a server that speaks Discord's API a little differently, or hardly."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import discord
import pytest

import sandbox as sandbox_package
from bot.ops.starting import StartFailed
from bot.platform.codes import UNKNOWN_MESSAGE
from index.embed.embedder import Embedder
from sandbox.person import Refused, Unanswered
from tests.bot import other_server
from tests.bot.conftest import LogIn
from tests.bot.other_server import Answer, HangUp, OtherServer
from tests.bot.running import running, watch
from tests.worlds import WorldFile


@pytest.fixture
async def other(sandbox: sandbox_package.Server) -> AsyncIterator[OtherServer]:
    async with other_server.serve(sandbox.url) as server:
        yield server


def with_charset(method: str, path: str, answer: Answer) -> None:
    if answer.json is not None:
        answer.headers["Content-Type"] = "application/json; charset=utf-8"


def without_shard(name: str, data: Any) -> Any:
    if name == "READY":
        del data["shard"]
    return data


def commands_without_id(method: str, path: str, answer: Answer) -> None:
    if path.endswith("/commands") and isinstance(answer.json, list):
        for command in answer.json:
            del command["id"]


async def test_it_works_where_answers_name_a_charset_and_leave_fields_out(
    sandbox: sandbox_package.Server,
    other: OtherServer,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    log_in: LogIn,
) -> None:
    def answer(method: str, path: str, given: Answer) -> None:
        with_charset(method, path, given)
        commands_without_id(method, path, given)

    other.answer, other.event = answer, without_shard
    ada = await log_in("ada")
    for start in ("first", "second, which asks for the commands"):
        async with running(sandbox, db, model, api=other.url) as client:
            await watch(client, world_file.channels["general"])
            assert (await ada.command("find", query="red")).pictures(), start
            channel = client.get_partial_messageable(world_file.channels["general"])
            with pytest.raises(discord.NotFound) as refused:
                await channel.fetch_message(1)
            assert refused.value.code == UNKNOWN_MESSAGE, "the code is in the refusal's body"


def web_page(method: str, path: str, answer: Answer) -> None:
    answer.json, answer.body = None, b"<!doctype html><title>Welcome</title>"
    answer.headers["Content-Type"] = "text/html"


def without_id(method: str, path: str, answer: Answer) -> None:
    if path == "/users/@me":
        del answer.json["id"]


def ready_without(field: str) -> Callable[[str, Any], Any]:
    def event(name: str, data: Any) -> Any:
        if name == "READY":
            del data[field]
        return data

    return event


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        (web_page, other_server.same),
        (without_id, other_server.same),
        (other_server.unchanged, ready_without("user")),
        (other_server.unchanged, ready_without("session_id")),
    ],
    ids=["a web page", "no id", "READY without user", "READY without session"],
)
async def test_a_server_that_is_none_of_discords_kind_ends_the_start_with_a_sentence(
    sandbox: sandbox_package.Server,
    other: OtherServer,
    db: Path,
    model: Embedder,
    answer: Callable[[str, str, Answer], None],
    event: Callable[[str, Any], Any],
) -> None:
    other.answer, other.event = answer, event
    with pytest.raises(StartFailed, match=r"does not speak as Discord's API .* check DISCORD_API"):
        async with running(sandbox, db, model, api=other.url):
            pass


# ---- a server that hangs up


POSTS = {
    "a command": ("POST", "/interactions/"),
    "the answer to a command": ("PATCH", "/webhooks/"),
    "a further answer": ("POST", "/webhooks/"),
    "a message": ("POST", "/channels/"),
}


@pytest.mark.parametrize(("method", "path"), POSTS.values(), ids=POSTS)
async def test_a_server_that_hangs_up_leaves_no_traceback(
    sandbox: sandbox_package.Server,
    other: OtherServer,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    log_in: LogIn,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
) -> None:
    general, hung_up = str(world_file.channels["general"]), []

    def answer(given_method: str, given_path: str, given: Answer) -> None:
        if given_method == method and given_path.startswith(path):
            hung_up.append(given_path)
            raise HangUp

    ada, mei = await log_in("ada"), await log_in("mei")
    async with running(sandbox, db, model, api=other.url) as client:
        await watch(client, world_file.channels["general"])
        found = await ada.command("find", query="red")
        other.answer = answer
        asked = [
            ada.command("find", query="red"),
            ada.command("status"),
            ada.command("channels", "list"),
            ada.command("reindex"),
            ada.choose(found, found.menu(), found.menu()["options"][0]["value"]),
        ]
        await ada.post(general, f"<@{world_file.bot_id}> red")
        for question in asked:
            with contextlib.suppress(Unanswered, Refused, TimeoutError):
                await asyncio.wait_for(question, 0.5)
        gc.collect()  # a task's error is reported when the task is thrown away
        await asyncio.sleep(0)
        assert hung_up or (path == "/webhooks/" and method == "POST")
        tracebacks = [one.getMessage() for one in caplog.records if one.exc_info]
        assert tracebacks == []
        other.answer = other_server.unchanged
        assert (await mei.command("find", query="red")).pictures()


async def test_a_reindex_shows_its_progress_in_private_where_posting_it_fails(
    sandbox: sandbox_package.Server,
    other: OtherServer,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    log_in: LogIn,
) -> None:
    def answer(method: str, path: str, given: Answer) -> None:
        if method == "POST" and path.startswith("/channels/"):
            raise HangUp

    ada = await log_in("ada")
    async with running(sandbox, db, model, api=other.url) as client:
        await watch(client, world_file.channels["general"])
        other.answer = answer
        shown = await ada.command("reindex")
        assert "Reindexing" in shown.text()


@pytest.mark.parametrize("said", [None, {}, {"interaction": {}}], ids=["nothing", "{}", "no id"])
async def test_an_answer_that_the_server_takes_in_silence_is_not_explained(
    sandbox: sandbox_package.Server,
    other: OtherServer,
    db: Path,
    model: Embedder,
    world_file: WorldFile,
    log_in: LogIn,
    said: Any,
) -> None:
    explained = []

    def answer(method: str, path: str, given: Answer) -> None:
        if path.endswith("/callback") and given.status == 204 and said is not None:
            given.status, given.json = 200, said
            given.headers["Content-Type"] = "application/json"
        elif path.startswith("/webhooks/") and method == "POST":
            explained.append(path)

    other.answer = answer
    ada = await log_in("ada")
    async with running(sandbox, db, model, api=other.url) as client:
        await watch(client, world_file.channels["general"])
        found = await ada.command("find", query="red")
        assert found.pictures()
        assert (
            await ada.choose(found, found.menu(), found.menu()["options"][0]["value"])
        ).pictures()
        assert "indexed" in (await ada.command("status")).text()
        assert explained == []
