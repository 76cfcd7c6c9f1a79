"""What is saved over a restart, and the messages of the command line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox import Server, WorldError, serve
from sandbox.errors import FolderInUse
from sandbox.journal import Journal
from sandbox.person import Person
from sandbox.worldfile import load
from tests import discord_schema, worlds
from tests.sandbox.clients import Bird, redirected
from tests.worlds import WorldFile


@contextlib.asynccontextmanager
async def ada_at(
    http: aiohttp.ClientSession, world: Path, data: Path | None = None
) -> AsyncIterator[tuple[Server, Person]]:
    """A sandbox, and ada, who is logged in."""
    async with (
        serve(world, data=data) as server,
        Person.log_in(http, server.url, "ada-token") as ada,
    ):
        yield server, ada
        discord_schema.assert_valid(server.exchanges)


async def test_a_restart_keeps_everything_that_happened(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    file = worlds.small(tmp_path / "world")
    world, data = file.write(), tmp_path / "data"
    picture = (file.folder / "red.png").read_bytes()
    async with ada_at(http, world, data) as (server, ada):
        general = ada.channel("general")
        posted = await ada.post(general, "kept", pictures={"a.png": picture})
        gone = await ada.post(general, "gone")
        await ada.request("DELETE", f"/channels/{general}/messages/{gone['id']}")
        first = file.guild["messages"][0]["id"]
        await ada.request("DELETE", f"/channels/{general}/messages/{first}")
        path = f"/channels/{general}/messages/{posted['id']}/threads"
        await ada.request("POST", path, json={"name": "Talk"})
        await ada.post(posted["id"], "in the thread")
        await ada.request("DELETE", f"/channels/{file.channels['after-dark']}")
        guild = f"/guilds/{file.guild_id}"
        made = await ada.request("POST", f"{guild}/channels", json={"name": "new"})
        role = await ada.request("POST", f"{guild}/roles", json={"name": "Birders"})
        mei = f"{guild}/members/{file.people['mei']}/roles/{role['id']}"
        await ada.request("PUT", mei)
        await ada.post(made["id"], "in the new channel")
        url = f"{server.url}/api/v10/applications/{file.bot_id}/commands"
        bot = {"Authorization": f"Bot {worlds.BOT_TOKEN}"}
        command = {"name": "find", "description": "Find.", "type": 1}
        async with http.put(url, json=[command], headers=bot) as answer:
            (registered,) = await answer.json()

    async with ada_at(http, world, data) as (server, ada):
        names = {one["name"] for one in ada.guilds[0]["channels"]}
        assert "new" in names
        assert "after-dark" not in names
        messages = await ada.messages(general)
        assert messages[0]["content"] == "kept"
        assert not {gone["id"], first} & {message["id"] for message in messages}
        async with http.get(messages[0]["attachments"][0]["url"]) as answer:
            assert await answer.read() == picture
        (inside,) = [m for m in await ada.messages(posted["id"]) if m["type"] == 0]
        assert inside["content"] == "in the thread"
        (new,) = await ada.messages(made["id"])
        assert new["content"] == "in the new channel"
        member = await ada.request("GET", f"{guild}/members/{file.people['mei']}")
        assert member["roles"] == [role["id"]]
        (offered,) = await ada.commands()
        assert offered["id"] == registered["id"]
        later = await ada.post(general, "later")
        assert int(later["id"]) > int(new["id"])


async def test_a_restart_keeps_settings_pins_and_polls(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    file = worlds.small(tmp_path / "world")
    world, data = file.write(), tmp_path / "data"
    general, trips = (f"/channels/{file.channels[name]}" for name in ("general", "trips"))
    async with ada_at(http, world, data) as (_, ada):
        await ada.request("PATCH", trips, json={"available_tags": [{"name": "Rome"}], "flags": 16})
        await ada.request("PUT", f"{general}/pins/{file.guild['messages'][0]['id']}")
        answers = [{"poll_media": {"text": text}} for text in ("yes", "no")]
        poll = {"question": {"text": "Tea?"}, "answers": answers}
        asked = await ada.request("POST", f"{general}/messages", json={"poll": poll})
        vote = f"{general}/polls/{asked['id']}/answers/@me"
        await ada.request("PUT", vote, json={"answer_ids": ["2"]})
        guild = f"/guilds/{file.guild_id}"
        await ada.request("PATCH", guild, json={"preferred_locale": "de", "name": "Nest"})
        paths = [general, trips, f"{general}/messages/{asked['id']}", guild]
        before = [await ada.request("GET", path) for path in paths]
    async with ada_at(http, world, data) as (_, ada):
        assert [await ada.request("GET", path) for path in paths] == before
    assert before[0]["last_pin_timestamp"]
    assert (before[3]["preferred_locale"], before[3]["name"]) == ("de", "Nest")
    assert before[1]["available_tags"][0]["name"] == "Rome"
    assert before[2]["poll"]["results"]["answer_counts"] == [
        {"id": 2, "count": 1, "me_voted": True}
    ]


async def test_a_journal_cut_off_in_a_line_loses_only_that_line(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    file = worlds.small(tmp_path / "world")
    world, data = file.write(), tmp_path / "data"
    async with ada_at(http, world, data) as (_, ada):
        await ada.post(ada.channel("general"), "whole")
    journal = data / "journal.jsonl"
    journal.write_text(journal.read_text() + '{"kind": "message", "key": [1')
    async with ada_at(http, world, data) as (_, ada):
        (last,) = await ada.messages(ada.channel("general"), 1)
        assert last["content"] == "whole"


async def test_without_a_data_folder_nothing_is_saved(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    world = worlds.small(tmp_path / "world").write()
    for _ in range(2):
        async with ada_at(http, world) as (_, ada):
            general = ada.channel("general")
            assert len(await ada.messages(general)) == 3
            await ada.post(general, "soon forgotten")


def test_a_bad_data_folder_is_named(tmp_path: Path) -> None:
    world = load(worlds.small(tmp_path / "world").write())
    (tmp_path / "file").write_text("")
    with pytest.raises(WorldError, match=r"file: cannot be used for data"):
        Journal(tmp_path / "file").restore(world)


async def _run(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_data_folder_in_use_is_refused(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    world, data = worlds.small(tmp_path / "world").write(), tmp_path / "data"
    async with ada_at(http, world, data):
        with pytest.raises(FolderInUse, match=f"data is in use by process {os.getpid()}"):
            async with serve(world, data=data):
                pass
    async with ada_at(http, world, data):  # it is free again
        pass


async def test_a_failed_start_is_one_sentence(tmp_path: Path) -> None:
    world = str(worlds.small(tmp_path / "world").write())
    broken = tmp_path / "broken.json"
    broken.write_text('{"application": ')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        results = await asyncio.gather(
            _run("--world", world, "--port", port),
            _run("--world", str(broken)),
            _run("--world", str(tmp_path / "none.json")),
        )
    expected = [
        f"sandbox: cannot listen on 127.0.0.1:{port}: ",
        f"sandbox: {broken}, line 1, column 17: not valid JSON",
        f"sandbox: {tmp_path / 'none.json'}: there is no such world file",
    ]
    for (status, out, err), sentence in zip(results, expected, strict=True):
        assert status == 2
        assert not out
        assert err.startswith(sentence)
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_with_clients_connected(
    tmp_path: Path, http: aiohttp.ClientSession, signum: signal.Signals
) -> None:
    world = worlds.small(tmp_path / "world").write()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        *("--world", str(world), "--port", "0", "--data", str(tmp_path / "data")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with Person.log_in(http, url, "ada-token") as ada:
        await ada.post(ada.channel("general"), "last words")
        os.kill(process.pid, signum)
        _, err = await process.communicate()
    assert process.returncode == 0
    assert not err
    lines = (tmp_path / "data" / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["value"]["content"] for line in lines] == ["last words"]


def change(path: str, value: Any) -> Any:
    """A change of a world: it sets the value at a dotted path, or deletes it for `…`."""

    def apply(content: dict[str, Any]) -> None:
        *parts, last = (int(part) if part.isdecimal() else part for part in path.split("."))
        spot: Any = content
        for part in parts:
            spot = spot[part]
        if value is ...:
            del spot[last]
        else:
            spot[last] = value

    return apply


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (change("application", ...), "application: is missing"),
        (change("application.token", 7), "application: token: must be a string, not 7"),
        (change("application.bot_user_id", "5"), "bot_user_id is not among the users"),
        (change("users.1.id", "x"), r"users\[1\]: id: must be an id"),
        (change("users.2.token", "ada-token"), "users: two users have the same token"),
        (change("guilds.0.owner_id", "5"), r"guilds\[0\].*owner_id: 5 is not among the members"),
        (change("guilds.0.roles.0.id", "5"), "the everyone role"),
        (change("guilds.0.channels.0.type", 9), r"channels\[0\].*type: must be one of 0, 2, 4"),
        (change("guilds.0.channels.0.parent_id", "5"), "parent_id: there is no channel 5"),
        (change("guilds.0.members.0.roles", ["5"]), "roles: there is no role 5"),
        (change("guilds.0.members.0.joined_at", "soon"), "joined_at: must be an ISO date"),
        (change("guilds.0.messages.0.author_id", "5"), "author_id: there is no user 5"),
        (change("guilds.0.messages.1.attachments.0.file", "no.png"), "there is no file .*no.png"),
        (change("guilds.0.messages.0.embeds", [{"image": {"url": "media:no.png"}}]), "media:no"),
        (change("guilds.0.messages.0.components", [{"type": 2}]), "components: .*UNION_TYPE"),
        (
            change("guilds.0.messages.0.forward_of", {"channel_id": "1", "message_id": "2"}),
            "forward_of: names no message",
        ),
    ],
)
def test_a_bad_world_file_names_the_place(tmp_path: Path, changed: Any, said: str) -> None:
    file: WorldFile = worlds.small(tmp_path)
    content = file.content()
    changed(content)
    path = file.folder / "world.json"
    path.write_text(json.dumps(content))
    with pytest.raises(WorldError, match=said):
        load(path)


async def test_a_bot_reconnects_when_the_sandbox_restarts(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    world, data = worlds.small(tmp_path / "world").write(), tmp_path / "data"
    bird = Bird()
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(serve(world, data=data))
        port = int(first.url.rpartition(":")[2])
        stack.enter_context(redirected(first))
        task = asyncio.create_task(bird.start(worlds.BOT_TOKEN))
        await bird.until("ready")
        await first.stop()
        async with (
            serve(world, data=data, port=port) as second,
            Person.log_in(http, second.url, "ada-token") as ada,
        ):
            await bird.times("ready", 2)
            await ada.post(ada.channel("general"), "welcome back")
            await bird.until("message")
            await bird.close()
            await asyncio.gather(task, return_exceptions=True)
    assert not bird.failures
