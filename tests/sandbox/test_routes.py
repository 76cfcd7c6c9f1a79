"""Paths that the sandbox doesn't have, and what its README says of them."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from sandbox import Server, lacking
from sandbox.rest import API
from tests import discord_schema
from tests.sandbox.conftest import LogIn
from tests.worlds import BOT_TOKEN, WorldFile

README = Path(__file__).parents[2] / "sandbox" / "README.md"


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/api/v10/nonsense", 404, {"message": "404: Not Found", "code": 0}),
        ("POST", "/api/v10/users/@me/friends", 404, {"message": "404: Not Found", "code": 0}),
        ("GET", "/api/v10", 404, {"message": "404: Not Found", "code": 0}),
        ("PUT", "/api/v10/users/@me", 405, {"message": "405: Method Not Allowed", "code": 0}),
        (
            "GET",
            "/api/v9/users/@me",
            400,
            {"message": "Invalid API version provided", "code": 50041},
        ),
    ],
)
async def test_an_unknown_path_is_answered_in_discords_json(
    sandbox: Server, http: aiohttp.ClientSession, method: str, path: str, status: int, body: object
) -> None:
    headers = {"Authorization": f"Bot {BOT_TOKEN}"}
    async with http.request(method, sandbox.url + path, headers=headers) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
        assert await answer.json() == body


async def test_guilds_are_counted_on_request(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada = await log_in("ada")
    counts = {"approximate_member_count", "approximate_presence_count"}
    (plain,) = await ada.request("GET", "/users/@me/guilds")
    assert not counts & set(plain)
    (counted,) = await ada.request("GET", "/users/@me/guilds?with_counts=true")
    assert [counted[name] for name in sorted(counts)] == [4, 4]
    for page in (f"after={world_file.guild_id}", f"before={world_file.guild_id}"):
        assert await ada.request("GET", f"/users/@me/guilds?{page}") == []


def _routes(server: Server) -> set[str]:
    """The API's routes, each as METHOD /path."""
    found = {
        f"{route.method} {route.resource.canonical.removeprefix(API)}"
        for route in server.application().router.routes()
        if route.resource is not None and route.resource.canonical.startswith(API)
    }
    return {route for route in found if not route.startswith("HEAD ")}


def _lacking() -> set[str]:
    return {f"{route.method} {route.path}" for route in lacking.table()}


@pytest.mark.skipif(discord_schema.path() is None, reason="needs Discord's schema")
async def test_each_route_of_discord_is_there_or_listed_as_lacking(sandbox: Server) -> None:
    all_of_discord = discord_schema.routes()
    assert _lacking() <= all_of_discord
    assert all_of_discord <= _routes(sandbox)
    assert len(all_of_discord) > len(_lacking())


async def test_a_route_that_is_lacking_is_answered_with_404(
    sandbox: Server, http: aiohttp.ClientSession, world_file: WorldFile
) -> None:
    headers = {"Authorization": f"Bot {BOT_TOKEN}"}
    for route in sorted(_lacking()):
        method, path = route.split()
        for name in ("{application_id}", "{user_id}"):
            path = path.replace(name, str(world_file.bot_id))
        path = path.replace("{guild_id}", str(world_file.guild_id))
        url = f"{sandbox.url}{API}{path}"
        async with http.request(method, url, headers=headers, json={}) as answer:
            assert answer.status == 404, route
            assert await answer.json() == {"message": "404: Not Found", "code": 0}


def test_the_readme_lists_what_is_lacking() -> None:
    text = README.read_text(encoding="utf-8")
    listed = text[text.index("## What it lacks") :].splitlines()
    told = [line for line in listed if line.startswith("- ")]
    assert told == [
        f"- **{subject}**: " + ", ".join(f"`{route}`" for route in routes)
        for subject, routes in lacking.LACKING.items()
    ]
