"""Requests that fail by injected faults, and how discord.py handles them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import discord
import pytest

from sandbox import Server, serve
from tests import discord_schema
from tests.sandbox.clients import Bird, flying
from tests.worlds import WorldFile


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_discord_py_waits_out_a_429(
    sandbox: Server, world_file: WorldFile, scope: str
) -> None:
    async with flying(Bird(), sandbox) as bird:
        general = bird.get_channel(world_file.channels["general"])
        sandbox.strike("rate_limit", scope=scope, retry_after=0.2, path="/channels/*/messages")
        started = time.monotonic()
        await general.send("patience")
        assert time.monotonic() - started >= 0.2
        statuses = [one.status for one in sandbox.exchanges if one.method == "POST"]
        assert statuses == [429, 200]


async def test_a_429_without_via_ends_the_request(sandbox: Server, world_file: WorldFile) -> None:
    async with flying(Bird(), sandbox) as bird:
        general = bird.get_channel(world_file.channels["general"])
        sandbox.strike("rate_limit", via=False)
        with pytest.raises(discord.HTTPException) as error:
            await general.send("no patience")
        assert error.value.status == 429


async def test_a_502_is_retried(sandbox: Server, world_file: WorldFile) -> None:
    async with flying(Bird(), sandbox) as bird:
        general = bird.get_channel(world_file.channels["general"])
        sandbox.strike("error", status=502, method="POST")
        await general.send("again")
        statuses = [one.status for one in sandbox.exchanges if one.method == "POST"]
        assert statuses == [502, 200]


async def test_a_fault_strikes_only_matching_requests(
    sandbox: Server, world_file: WorldFile, http: aiohttp.ClientSession
) -> None:
    sandbox.strike("error", status=500, path="/guilds/*", who="user", method="GET")
    guild = f"{sandbox.url}/api/v10/guilds/{world_file.guild_id}"
    mine, bots = {"Authorization": "ada-token"}, {"Authorization": "Bot the-bots-token"}
    assert await _status(http, f"{sandbox.url}/api/v10/users/@me", mine) == 200
    assert await _status(http, guild, bots) == 200
    assert await _status(http, guild, mine) == 500
    assert await _status(http, guild, mine) == 200


async def test_a_dropped_request_may_have_been_handled(
    sandbox: Server, world_file: WorldFile, http: aiohttp.ClientSession
) -> None:
    path = f"{sandbox.url}/api/v10/channels/{world_file.channels['walks']}/messages"
    how: dict[str, Any] = {
        "headers": {"Authorization": "ada-token"},
        "json": {"content": "was it sent?"},
    }
    messages = sandbox.world.messages(world_file.channels["walks"])
    for after, count in ((False, 0), (True, 1)):
        sandbox.strike("drop", after=after)
        with pytest.raises(aiohttp.ClientError):
            await http.post(path, **how)
        assert len(messages) == count


async def test_a_slow_answer_is_slow(sandbox: Server, http: aiohttp.ClientSession) -> None:
    for kind in ("slow", "late"):
        sandbox.strike(kind, delay_s=0.2)
        started = time.monotonic()
        await _status(http, f"{sandbox.url}/api/v10/users/@me", {"Authorization": "ada-token"})
        assert time.monotonic() - started >= 0.2


async def test_faults_are_added_listed_and_cleared_over_http(
    sandbox: Server, http: aiohttp.ClientSession
) -> None:
    address = f"{sandbox.url}/sandbox/faults"
    asked = [{"kind": "error", "status": 503, "times": 2}, {"kind": "gateway_drop"}]
    async with http.put(address, json=asked) as answer:
        (waiting,) = await answer.json()
        assert (waiting["kind"], waiting["times"]) == ("error", 2)
    async with http.put(address, json={"kind": "error", "stauts": 503}) as answer:
        assert answer.status == 400
        assert "stauts" in (await answer.json())["errors"]["0"]
    async with http.put(address, json={"kind": "earthquake"}) as answer:
        assert answer.status == 400
    async with http.delete(address) as answer:
        assert answer.status == 204
    assert sandbox.faults.waiting() == []


async def test_every_answer_has_rate_limit_headers(
    sandbox: Server, http: aiohttp.ClientSession
) -> None:
    headers = {"Authorization": "ada-token"}
    async with http.get(f"{sandbox.url}/api/v10/users/@me", headers=headers) as answer:
        names = ("Bucket", "Limit", "Remaining", "Reset", "Reset-After")
        assert all(f"X-RateLimit-{name}" in answer.headers for name in names)


async def test_the_log_and_the_health_are_served(
    sandbox: Server, http: aiohttp.ClientSession
) -> None:
    await _status(http, f"{sandbox.url}/api/v10/users/@me", {"Authorization": "ada-token"})
    async with http.get(f"{sandbox.url}/sandbox/log") as answer:
        (line,) = await answer.json()
        assert (line["path"], line["status"], line["who"]) == ("/users/@me", 200, "user")
    async with http.get(f"{sandbox.url}/sandbox/health") as answer:
        assert (await answer.json())["ready"] is True


async def _status(http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> int:
    async with http.get(url, headers=headers) as answer:
        return answer.status


async def test_misleading_headers_can_be_injected(
    sandbox: Server, http: aiohttp.ClientSession
) -> None:
    sandbox.strike("headers", headers={"X-RateLimit-Remaining": "0"})
    headers = {"Authorization": "ada-token"}
    async with http.get(f"{sandbox.url}/api/v10/users/@me", headers=headers) as answer:
        assert (answer.status, answer.headers["X-RateLimit-Remaining"]) == (200, "0")


async def test_strict_limits_refuse_the_sixth_page_in_five_seconds(
    world_file: WorldFile, http: aiohttp.ClientSession
) -> None:
    async with serve(world_file.write(), strict_limits=True) as server:
        path = f"{server.url}/api/v10/channels/{world_file.channels['general']}/messages"
        headers = {"Authorization": "ada-token"}
        statuses = [await _status(http, path, headers) for _ in range(5)]
        assert statuses == [200] * 5
        async with http.get(path, headers=headers) as answer:
            assert answer.status == 429
            assert answer.headers["Via"]
            assert 0 < (await answer.json())["retry_after"] <= 5
        discord_schema.assert_valid(server.exchanges)


GARBAGE = ["", "[", "[]", "{}", "null", "7", '"x"', '{"content": {"a": 1}}', '{"embeds": 7}']
GARBAGE += ['{"components": [[]]}', '{"type": "x", "data": 5}', '{"messages": [{}]}', "[[1]]"]
PLACES = [
    ("POST", "/channels/{general}/messages"),
    ("PATCH", "/channels/{general}/messages/{message}"),
    ("POST", "/channels/{general}/messages/bulk-delete"),
    ("POST", "/channels/{general}/threads"),
    ("PATCH", "/channels/{general}"),
    ("PUT", "/channels/{general}/permissions/{guild}"),
    ("POST", "/guilds/{guild}/channels"),
    ("POST", "/guilds/{guild}/roles"),
    ("POST", "/interactions"),
    ("POST", "/attachments/refresh-urls"),
]


@pytest.mark.parametrize(("method", "place"), PLACES)
async def test_invalid_requests_are_refused_and_break_nothing(
    world_file: WorldFile, http: aiohttp.ClientSession, method: str, place: str
) -> None:
    message = world_file.guild["messages"][0]["id"]
    general, guild = world_file.channels["general"], world_file.guild_id
    path = place.format(general=general, guild=guild, message=message)
    headers = {"Authorization": "ada-token", "Content-Type": "application/json"}
    async with serve(world_file.write()) as server:
        for body in GARBAGE:
            url = f"{server.url}/api/v10{path}"
            async with http.request(method, url, data=body, headers=headers) as answer:
                assert answer.status < 500, body
                assert answer.content_type == "application/json" or answer.status == 204


async def test_a_held_request_waits_until_the_faults_are_removed(
    sandbox: Server, world_file: WorldFile
) -> None:
    async with flying(Bird(), sandbox) as bird:
        general = bird.get_channel(world_file.channels["general"])
        sandbox.strike("hold", path="/channels/*/messages", method="POST")
        sending = asyncio.create_task(general.send("patience"))
        while not sandbox.faults.held:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert not sending.done()
        sandbox.faults.clear()
        assert (await sending).content == "patience"
        assert not sandbox.faults.held
