"""Paths that the sandbox doesn't have, and what its README says of them."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from sandbox import Server
from tests.sandbox.conftest import LogIn
from tests.worlds import BOT_TOKEN, WorldFile

README = Path(__file__).parents[2] / "sandbox" / "README.md"


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/api/v10/nonsense", 404, {"message": "404: Not Found", "code": 0}),
        ("POST", "/api/v10/users/@me/channels", 404, {"message": "404: Not Found", "code": 0}),
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
