"""A bot of plain requests: it registers commands and gives the answers that a test chooses.

It replaces Magpie when only the page is tested. It sends what any Discord bot sends.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp

from tests.page import village

Answer = dict[str, Any] | None
COMMANDS = [
    {"name": "find", "description": "Find pictures", "type": 1,
     "name_localizations": {"de": "finden"}, "options": [
        {"type": 3, "name": "query", "description": "What is in it", "required": True,
         "name_localizations": {"de": "frage"}},
        {"type": 11, "name": "image", "description": "A picture to start from"},
        {"type": 3, "name": "show", "description": "Who sees the answer", "choices": [
            {"name": "only me", "value": "me"},
            {"name": "everyone", "value": "everyone", "name_localizations": {"de": "alle"}}]},
    ]},
    {"name": "channels", "description": "Watched channels", "type": 1,
     "name_localizations": {"de": "kanäle"}, "options": [
        {"type": 1, "name": "add", "description": "Watch a channel",
         "description_localizations": {"de": "Einen Kanal beobachten"}, "options": [
            {"type": 7, "name": "channel", "description": "Which", "required": True}]},
        {"type": 1, "name": "list", "description": "Which are watched", "options": []},
    ]},
    {"name": "again", "description": "Once more", "type": 1, "options": [
        {"type": 7, "name": "channel", "description": "Which"},
        {"type": 3, "name": "what", "description": "What of it", "choices": [
            {"name": "missing only", "value": "missing"},
            {"name": "everything", "value": "all"}]}]},
    {"name": "guess", "description": "With suggestions", "type": 1, "options": [
        {"type": 3, "name": "word", "description": "A word", "required": True,
         "autocomplete": True},
        {"type": 3, "name": "colour", "description": "Its colour", "autocomplete": True}]},
    {"name": "list", "description": "All there is", "type": 1},
    {"name": "Find similar", "type": 3, "name_localizations": {"de": "Ähnliche finden"}},
]  # fmt: skip


def text(content: str, *, private: bool = False) -> dict[str, Any]:
    """A message as the answer to an interaction."""
    return {"type": 4, "data": {"content": content, "flags": 64 if private else 0}}


class Parrot:
    """`answers` maps a command's name or a custom_id to a function of the interaction's data."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.answers: dict[str, Callable[[dict[str, Any]], Answer]] = {}
        self.heard: list[dict[str, Any]] = []

    async def __aenter__(self) -> Parrot:
        headers = {"Authorization": f"Bot {village.BOT_TOKEN}"}
        self.session = aiohttp.ClientSession(headers=headers)
        path = f"/api/v10/applications/{village.MAGPIE}/commands"
        async with self.session.put(self.base + path, json=COMMANDS) as response:
            assert response.status == 200, await response.text()
        self.socket = await self.session.ws_connect(f"{self.base}/gateway?v=10&encoding=json")
        self.task = asyncio.create_task(self._listen())
        properties = {"os": "test", "browser": "test", "device": "test"}
        identity = {"token": village.BOT_TOKEN, "intents": 1, "properties": properties}
        await self.socket.send_json({"op": 2, "d": identity})
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        await self.socket.close()
        await self.session.close()

    async def _listen(self) -> None:
        async for frame in self.socket:
            event = json.loads(frame.data)
            if event.get("t") == "INTERACTION_CREATE":
                await self._answer(event["d"])

    async def _answer(self, interaction: dict[str, Any]) -> None:
        self.heard.append(interaction)
        data = interaction["data"]
        make = self.answers.get(data.get("custom_id") or data.get("name"))
        answer = make(data) if make else None
        if answer is None:
            return
        path = f"/api/v10/interactions/{interaction['id']}/{interaction['token']}/callback"
        async with self.session.post(self.base + path, json=answer) as response:
            assert response.status in (200, 204), await response.text()

    async def follow_up(self, interaction: dict[str, Any], message: dict[str, Any]) -> None:
        """Replace a deferred answer."""
        path = f"/api/v10/webhooks/{village.MAGPIE}/{interaction['token']}/messages/@original"
        async with self.session.patch(self.base + path, json=message) as response:
            assert response.status == 200, await response.text()
