"""The server of the page: its addresses, and what each answers. See docs/serve.md."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from index.cli.thumbnails import Thumbnails
from index.clips.clip import BytesSource
from index.clips.containers import HEAD_BYTES, container_of
from index.drawing import CODE, STYLES
from index.stills import view_of
from index.types.errors import DecoderUnusable, GalleryError, PictureError
from serve import described, files, guard, suggested
from serve.asking import Asked, Asking
from serve.atlas import MAKING, Atlas
from serve.guard import Refused
from serve.opened import Opened
from serve.thumbnails import HEIGHTS, Making

log = logging.getLogger(__name__)
http = logging.getLogger(f"{__name__}.http")  # what aiohttp says

PAGE = Path(__file__).with_name("page")
# Files of the page, by the kinds that there are. Nothing else in its folder is served.
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
MOST_UPLOADED = 50_000_000  # bytes of a picture that is asked with
MOST_ASKED = 100_000  # bytes of a question
MOST_HITS = 100_000  # of an answer, that are told
VIEW_EDGE = 2048  # pixels of a picture in a format that browsers don't show
# A picture's bytes belong to its address for as long as its version is the same.
KEPT = "private, max-age=86400, immutable"
ENDS_WITHIN_S = 2.0  # what answers still take when the server ends
ALIVE_S = 20.0  # between two signs of life in the events
MOST_EVENTS = 100  # that wait for a page that reads slowly
_NUMBER = re.compile("[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs.

    url    the page's address, with its token
    once   an address that leads there, once
    """

    url: str
    once: str
    opened: Opened


@contextlib.asynccontextmanager
async def serve(opened: Opened, *, port: int = 0, thumbnails: Thumbnails) -> AsyncIterator[Running]:
    """Serve the page on 127.0.0.1. raises OSError when the port can't be had"""
    token, ticket = guard.new_token(), guard.Ticket()

    def listens_at() -> int:
        assert runner.addresses
        return int(runner.addresses[0][1])

    making = Making(thumbnails)
    atlas = Atlas(opened)
    addresses = Addresses(opened, making, atlas)
    app = web.Application(
        middlewares=[guard.guard(token, ticket, listens_at), _said], client_max_size=MOST_UPLOADED
    )
    app.on_response_prepare.append(guard.put_headers)
    addresses.register(app, "/{token}")  # which the guard compares
    # A browser drops the requests of pictures that are out of view: then nobody makes them.
    runner = web.AppRunner(
        app,
        handler_cancellation=True,
        access_log=None,
        logger=http,
        shutdown_timeout=ENDS_WITHIN_S,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        async with _sweeping(opened, making):
            here = f"http://127.0.0.1:{listens_at()}"
            yield Running(f"{here}/{token}/", f"{here}/{ticket.letters}", opened)
    finally:
        addresses.end()
        await runner.cleanup()
        await atlas.close()
        await making.close()


@contextlib.asynccontextmanager
async def _sweeping(opened: Opened, making: Making) -> AsyncIterator[None]:
    """Erase thumbnails of what was removed before, and of what is removed from now on."""
    due = asyncio.Event()
    due.set()

    async def sweep() -> None:
        while True:
            await due.wait()
            due.clear()
            await making.sweep()

    with opened.listening(lambda name, _: due.set() if name == "changed" else None):
        task = asyncio.create_task(sweep())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@web.middleware
async def _said(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What is refused, in words; nothing tells of our inside."""
    try:
        return await handler(request)
    except (PictureError, DecoderUnusable) as error:
        raise Refused(404, str(error)) from error
    except GalleryError as error:
        raise Refused(503, str(error)) from error
    except (Refused, web.HTTPException, asyncio.CancelledError, ConnectionError):
        raise
    except Exception as error:
        log.exception("a request failed")
        raise Refused(500, "Something went wrong; the terminal says what.") from error


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether this tells of a fault here, and not of a request that is damaged."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | web.RequestPayloadError)


http.addFilter(_is_ours)


class Addresses:
    """The addresses of the page."""

    def __init__(self, opened: Opened, making: Making, atlas: Atlas) -> None:
        self._opened, self._making, self._atlas = opened, making, atlas
        self._asking = Asking(opened)
        files = [*PAGE.iterdir(), CODE, STYLES]
        self._page = {path.name: path for path in files if path.suffix in KINDS and path.is_file()}
        self._ended = asyncio.Event()

    def register(self, app: web.Application, at: str) -> None:
        """Put them below this path."""
        for method, path, handler in (
            ("GET", "/", self._index),
            ("GET", "/page/{name}", self._file_of_page),
            ("GET", "/api/gallery", self._gallery),
            ("POST", "/api/ask", self._ask),
            ("GET", "/api/order/{ask}", self._order),
            ("GET", "/api/hits/{ask}", self._hits),
            ("GET", "/api/picture/{id}", self._described),
            ("POST", "/api/picture", self._upload),
            ("GET", "/api/suggest", self._suggest),
            ("GET", "/api/atlas", self._map),
            ("GET", "/api/events", self._events),
            ("POST", "/api/add", self._add),
            ("GET", "/thumb/{id}", self._thumbnail),
            ("GET", "/file/{id}", self._picture),
        ):
            app.router.add_route(method, at + path, handler)

    def end(self) -> None:
        """Let the streams of events end."""
        self._ended.set()

    # ---- the page

    async def _index(self, request: web.Request) -> web.Response:
        return await self._page_file("index.html")

    async def _file_of_page(self, request: web.Request) -> web.Response:
        return await self._page_file(request.match_info["name"])

    async def _page_file(self, name: str) -> web.Response:
        path = self._page.get(name)
        if path is None:
            raise Refused(404, "There is nothing here.")
        text = await asyncio.to_thread(path.read_text, "utf-8")
        return web.Response(text=text, content_type=KINDS[path.suffix], charset="utf-8")

    # ---- the gallery

    async def _gallery(self, request: web.Request) -> web.Response:
        known, opened = self._opened.inventory, self._opened
        async with opened.use() as gallery:
            model, judges = gallery.model, gallery.judges
        times = known.posted
        return web.json_response(
            {
                "name": os.path.basename(opened.root) or opened.root,
                "count": len(known),
                "model": model,
                "judges": judges,
                "folders": [
                    {"path": path, "count": count} for path, count in known.folders.items()
                ],
                "first": float(times.min()) if len(times) else None,
                "last": float(times.max()) if len(times) else None,
                "months": [{"month": one.month, "count": one.count} for one in known.months],
                "adding": opened.adding.state if opened.adding else None,
                "changes": opened.changes,
            }
        )

    async def _ask(self, request: web.Request) -> web.Response:
        data = await _body(request, MOST_ASKED)
        try:
            body = json.loads(data)
        except (ValueError, RecursionError) as exc:
            raise Refused(400, "The page sent what isn't JSON.") from exc
        return web.json_response(await self._asking.ask(Asked.of(body)))

    async def _order(self, request: web.Request) -> web.Response:
        order = await self._asking.order(request.match_info["ask"])
        dump = partial(json.dumps, order, separators=(",", ":"))
        text = await asyncio.to_thread(dump)
        return web.Response(text=text, content_type="application/json")

    async def _hits(self, request: web.Request) -> web.Response:
        first = min(_number(request.query.get("from", "0")), MOST_HITS)
        return web.json_response(await self._asking.hits(request.match_info["ask"], first))

    async def _described(self, request: web.Request) -> web.Response:
        link = _number(request.match_info["id"])
        async with self._opened.use() as gallery:
            told = await described.picture(gallery, self._opened.inventory, link)
        return web.json_response(told)

    async def _upload(self, request: web.Request) -> web.Response:
        data = await _body(request, MOST_UPLOADED)
        if container_of(data[:HEAD_BYTES]) is not None:
            async with self._opened.use() as gallery:
                data = await gallery.scenes(BytesSource(data), asked=True)
        return web.json_response({"picture": self._asking.upload(data)})

    async def _suggest(self, request: web.Request) -> web.Response:
        line = request.query.get("line", "")[:2000]
        at = min(_number(request.query.get("at", str(len(line)))), len(line))
        found = await asyncio.to_thread(suggested.suggested, self._opened.inventory, line, at)
        return web.json_response({"suggestions": found})

    async def _map(self, request: web.Request) -> web.Response:
        made = self._atlas.made()
        if made is None:
            return web.json_response({"sentence": MAKING}, status=202)
        return web.json_response(made)

    async def _add(self, request: web.Request) -> web.Response:
        self._opened.add()
        return web.json_response({"adding": True}, status=202)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        waiting: asyncio.Queue[bytes] = asyncio.Queue(MOST_EVENTS)

        def listener(name: str, data: dict[str, Any]) -> None:
            with contextlib.suppress(asyncio.QueueFull):  # the next one tells as much
                waiting.put_nowait(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())

        with self._opened.listening(listener), contextlib.suppress(ConnectionError):
            await answer.write(b": hello\n\n")
            ended = asyncio.create_task(self._ended.wait())
            try:
                while not self._ended.is_set():
                    event = asyncio.create_task(waiting.get())
                    try:
                        await asyncio.wait(
                            {event, ended}, timeout=ALIVE_S, return_when=asyncio.FIRST_COMPLETED
                        )
                        await answer.write(event.result() if event.done() else b": alive\n\n")
                    finally:
                        event.cancel()
            finally:
                ended.cancel()
        return answer

    # ---- pictures

    async def _thumbnail(self, request: web.Request) -> web.Response:
        link = _number(request.match_info["id"])
        height = _number(request.query.get("h", str(HEIGHTS[0])))
        if height not in HEIGHTS:
            raise Refused(400, f"Small pictures are {' or '.join(map(str, HEIGHTS))} pixels high.")
        known = self._opened.inventory
        place = self._place(link)
        frame = _number(request.query.get("frame", "0"))
        if frame:
            async with self._opened.use() as gallery:
                stills = await gallery.links.stills({link: frame})
            if link in stills:
                return _thumbnail(stills[link])
        key, source = known.keys[place], known.sources[place]

        async def read() -> bytes:
            async with self._opened.use() as gallery:
                return await files.picture(source, self._opened.root, gallery)

        made = await self._making.thumbnail(key, height, read)
        return _thumbnail(made)

    async def _picture(self, request: web.Request) -> web.Response:
        place = self._place(_number(request.match_info["id"]))
        source = self._opened.inventory.sources[place]
        async with self._opened.use() as gallery:
            data = await files.picture(source, self._opened.root, gallery)
        # What is sent is what was looked at, whatever becomes of the file meanwhile.
        kind = files.content_type(data)
        if kind is None:
            data = await self._making.run(partial(view_of, data, VIEW_EDGE))
        return web.Response(
            body=data, content_type=kind or "image/webp", headers={"Cache-Control": "no-cache"}
        )

    def _place(self, link: int) -> int:
        place = self._opened.inventory.place(link)
        if place is None:
            raise Refused(404, described.GONE)
        return place


def _thumbnail(data: bytes) -> web.Response:
    return web.Response(body=data, content_type="image/webp", headers={"Cache-Control": KEPT})


def _number(text: str) -> int:
    """raises   Refused"""
    if not _NUMBER.fullmatch(text):
        raise Refused(400, "A number was expected.")
    return int(text)


async def _body(request: web.Request, most: int) -> bytes:
    """What was sent. raises Refused when it is more than `most` bytes"""
    parts, size = [], 0
    try:
        async for part in request.content.iter_any():
            size += len(part)
            if size > most:
                raise Refused(413, f"This is too large: at most {_large(most)} can be sent.")
            parts.append(part)
    except web.RequestPayloadError as exc:
        raise Refused(400, "What was sent is damaged.") from exc
    return b"".join(parts)


def _large(size: int) -> str:
    return f"{size // 1_000_000} MB" if size >= 1_000_000 else f"{size // 1000} kB"
