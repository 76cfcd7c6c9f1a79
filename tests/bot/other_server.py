"""Another Discord-compatible server: the sandbox, its answers and events changed on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

Json = Any
HOP_BY_HOP = {"content-length", "content-encoding", "transfer-encoding", "connection", "host"}


@dataclass
class Answer:
    """An answer of the server; `json` is None where it has another body."""

    status: int
    headers: dict[str, str]
    json: Json
    body: bytes = b""


def same(_: str, data: Json) -> Json:
    return data


def unchanged(_: str, __: str, answer: Answer) -> None:
    return None


@dataclass
class OtherServer:
    """What stands between the bot and the sandbox.

    upstream  the sandbox's address
    event     (name, data) → the data that the bot gets, or None to keep the event back
    answer    is called with method, path and answer, which it may change; it may raise HangUp
    """

    upstream: str
    event: Callable[[str, Json], Json] = same
    answer: Callable[[str, str, Answer], None] = unchanged
    url: str = ""
    sockets: list[web.WebSocketResponse] = field(default_factory=list)

    async def send(self, name: str, data: Json) -> None:
        """Send the bot an event that the sandbox knows nothing of."""
        for socket in self.sockets:
            if not socket.closed:
                await socket.send_json({"op": 0, "t": name, "s": 1_000_000, "d": data})

    def moved(self, text: str) -> str:
        """A text of the sandbox with this server's addresses."""
        plain = text.replace(self.upstream, self.url)
        return plain.replace(self.upstream.replace("http", "ws", 1), self.url.replace("http", "ws"))


class HangUp(Exception):
    """Raised by `OtherServer.answer` to close the connection instead of answering."""


@asynccontextmanager
async def serve(upstream: str) -> AsyncIterator[OtherServer]:
    """The server on a free port."""
    server = OtherServer(upstream)
    async with aiohttp.ClientSession(auto_decompress=True) as session:
        app = web.Application(client_max_size=2**26)

        async def handle(request: web.Request) -> web.StreamResponse:
            if request.path.startswith("/gateway"):
                return await _gateway(server, session, request)
            return await _http(server, session, request)

        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield server
        finally:
            await runner.cleanup()


async def _http(
    server: OtherServer, session: aiohttp.ClientSession, request: web.Request
) -> web.StreamResponse:
    headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
    async with session.request(
        request.method,
        server.upstream + request.raw_path,
        headers=headers,
        data=await request.read() or None,
        allow_redirects=False,
    ) as got:
        kept = {k: v for k, v in got.headers.items() if k.lower() not in HOP_BY_HOP}
        answer = Answer(got.status, kept, None, await got.read())
    if answer.headers.get("Content-Type", "").startswith("application/json") and answer.body:
        answer.json = json.loads(server.moved(answer.body.decode()))
    try:
        server.answer(request.method, request.path.removeprefix("/api/v10"), answer)
    except HangUp:
        assert request.transport is not None
        request.transport.abort()
        raise asyncio.CancelledError from None
    body = json.dumps(answer.json).encode() if answer.json is not None else answer.body
    return web.Response(status=answer.status, headers=answer.headers, body=body)


async def _gateway(
    server: OtherServer, session: aiohttp.ClientSession, request: web.Request
) -> web.StreamResponse:
    down = web.WebSocketResponse(max_msg_size=0)
    await down.prepare(request)
    server.sockets.append(down)
    async with session.ws_connect(
        f"{server.upstream}/gateway?v=10&encoding=json", max_msg_size=0
    ) as up:

        async def from_bot() -> None:
            async for message in down:
                await up.send_str(message.data)

        async def to_bot() -> None:
            async for message in up:
                payload = json.loads(server.moved(message.data))
                if payload["op"] == 0:
                    payload["d"] = server.event(payload["t"], payload["d"])
                    if payload["d"] is None:
                        continue
                await down.send_json(payload)
            await down.close(code=up.close_code or 1000)

        await _first_of(from_bot(), to_bot())
    return down


async def _first_of(*ways: Awaitable[None]) -> None:
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
