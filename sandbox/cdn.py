"""The CDN and the media proxy: uploaded files, avatars, icons, stickers, pictures of other sites.

    /cdn/attachments/{channel}/{attachment}/{filename}   signed (see links.py), with Range
    /cdn/avatars|icons|stickers|embed/avatars/…          open, `?size=` a power of two, 16–4096
    /media/attachments|ephemeral-attachments/…           signed, `width`, `height`, `format`
    /media/external/{hash}/https/{host}/{path}           the same for pictures of other sites

A file with an expired, forged or missing signature, and a deleted file, gives 404.
"""

from __future__ import annotations

import asyncio
import mimetypes
from collections import OrderedDict
from pathlib import Path
from typing import Any

from aiohttp import web

from . import media
from .core import Core
from .faults import Fault
from .payloads import asset_hash
from .rest import cut

NOT_AVAILABLE = "This content is no longer available."
SIZES = [1 << n for n in range(4, 13)]
MAX_SIDE = 4096
CACHED_RESIZED = 256  # resized pictures in memory
CHUNK = 1 << 14  # bytes

COLOURS = ("#5865f2", "#757e8a", "#3ba55c", "#faa61a", "#ed4245", "#eb459e")


class Cdn:
    """Serves files."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._resized: OrderedDict[tuple[Any, ...], tuple[bytes, str]] = OrderedDict()

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        file = "{channel_id:\\d+}/{attachment_id:\\d+}/{filename}"
        return [
            web.get(f"/{host}/{kind}/{file}", self.attachment)
            for host in ("cdn", "media")
            for kind in ("attachments", "ephemeral-attachments")
        ] + [
            web.get("/cdn/avatars/{user_id:\\d+}/{name}", self.avatar),
            web.get("/cdn/embed/avatars/{name}", self.default_avatar),
            web.get("/cdn/icons/{guild_id:\\d+}/{name}", self.icon),
            web.get("/cdn/stickers/{name}", self.sticker),
            web.get("/media/stickers/{name}", self.sticker),
            web.get("/media/external/{signature}/{rest:.+}", self.external),
        ]

    # signed files

    async def attachment(self, request: web.Request) -> web.StreamResponse:
        """An uploaded file: unchanged from the CDN, or resized by the proxy."""
        fault = self.core.faults.for_file(request.path.removeprefix("/cdn").removeprefix("/media"))
        host, path = request.rel_url.raw_path[1:].split("/", 1)
        problem = self.core.links.problem(path, dict(request.query))
        if problem is not None or (fault is not None and fault.kind == "cdn_expired"):
            return web.Response(status=404, text=NOT_AVAILABLE)
        attachment = self.core.world.attachment(int(request.match_info["attachment_id"]))
        if attachment is None or attachment.filename != request.match_info["filename"]:
            return web.Response(status=404, text=NOT_AVAILABLE)
        if fault is not None:
            return await self._faulty(request, Path(attachment.path), fault)
        if host == "media" and {"width", "height", "format"} & set(request.query):
            return await self._smaller(request, Path(attachment.path), attachment.filename)
        return await _whole(request, Path(attachment.path), attachment.content_type)

    async def external(self, request: web.Request) -> web.StreamResponse:
        """Another site's picture through the media proxy."""
        rest = request.match_info["rest"]
        fault = self.core.faults.for_file(f"/external/{rest}")
        if self.core.links.external_problem(request.match_info["signature"], rest):
            return web.Response(status=401, text="Invalid signature.")
        scheme, _, address = rest.partition("/")
        path = self.core.links.file_at(f"{scheme}://{address}")
        if path is None or (fault is not None and fault.kind == "cdn_expired"):
            return web.Response(status=404, text="The site has no such picture.")
        if fault is not None:
            return await self._faulty(request, path, fault)
        if {"width", "height", "format"} & set(request.query):
            return await self._smaller(request, path, path.name)
        return await _whole(request, path)

    # open files

    async def avatar(self, request: web.Request) -> web.StreamResponse:
        """A user's avatar."""
        user = self.core.world.users.get(int(request.match_info["user_id"]))
        return await self._asset(request, user.avatar if user is not None else None)

    async def icon(self, request: web.Request) -> web.StreamResponse:
        """A guild's icon."""
        guild = self.core.world.guilds.get(int(request.match_info["guild_id"]))
        return await self._asset(request, guild.icon if guild is not None else None)

    async def sticker(self, request: web.Request) -> web.StreamResponse:
        """A sticker: a PNG, APNG or GIF picture, or Lottie's JSON."""
        name = request.match_info["name"].partition(".")[0]
        sticker = self.core.world.sticker(int(name)) if name.isdecimal() else None
        if sticker is None:
            return web.Response(status=404, text=NOT_AVAILABLE)
        path = self.core.world.folder / sticker.file
        if fault := self.core.faults.for_file(f"/stickers/{request.match_info['name']}"):
            return await self._faulty(request, path, fault)
        return await self._sized(request, path)

    async def _asset(self, request: web.Request, file: str | None) -> web.StreamResponse:
        name = request.match_info["name"].partition(".")[0]
        if file is None or name != asset_hash(file):
            return web.Response(status=404, text=NOT_AVAILABLE)
        return await self._sized(request, self.core.world.folder / file)

    async def _sized(self, request: web.Request, path: Path) -> web.StreamResponse:
        size = request.query.get("size")
        if size is None:
            return await _whole(request, path)
        if not size.isdecimal() or int(size) not in SIZES:
            return web.Response(status=400, text=f"Invalid size; one of {SIZES}.")
        return await self._resize(path, path.name, int(size), int(size), None)

    async def default_avatar(self, request: web.Request) -> web.StreamResponse:
        """The picture of a user who has none: a plain disc."""
        name = request.match_info["name"].partition(".")[0]
        colour = COLOURS[int(name) % len(COLOURS)] if name.isdecimal() else COLOURS[0]
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
            f'<circle cx="32" cy="32" r="32" fill="{colour}"/></svg>'
        )
        return web.Response(text=svg, content_type="image/svg+xml")

    # resized pictures

    async def _smaller(self, request: web.Request, path: Path, name: str) -> web.StreamResponse:
        sides = {}
        for side in ("width", "height"):
            value = request.query.get(side)
            if value is not None and not (value.isdecimal() and 1 <= int(value) <= MAX_SIDE):
                return web.Response(status=400, text=f"Invalid {side}.")
            sides[side] = int(value) if value is not None else None
        format = request.query.get("format")
        if format is not None and format not in media.FORMATS:
            return web.Response(status=400, text="Invalid format.")
        return await self._resize(path, name, sides["width"], sides["height"], format)

    async def _resize(
        self,
        path: Path,
        name: str,
        width: int | None,
        height: int | None,
        format: str | None,
    ) -> web.StreamResponse:
        key = (path, name, width, height, format)
        if key not in self._resized:
            try:
                self._resized[key] = await asyncio.to_thread(media.resized, *key)
            except media.UNREADABLE:
                return web.Response(status=415, text="Unsupported media type.")
            if len(self._resized) > CACHED_RESIZED:
                self._resized.popitem(last=False)
        data, content_type = self._resized[key]
        return web.Response(body=data, content_type=content_type, headers=_cached())

    # faults

    async def _faulty(self, request: web.Request, path: Path, fault: Fault) -> web.StreamResponse:
        if fault.kind == "cdn_error":
            return web.Response(status=fault.status, text=fault.message)
        if fault.kind == "cdn_wrong":
            return web.Response(text=fault.body, content_type=fault.content_type)
        data = await asyncio.to_thread(path.read_bytes)
        response = web.StreamResponse(headers={"Content-Type": _type_of(path)})
        if fault.kind == "cdn_oversized":
            return await self._endless(request, response, fault)
        response.content_length = len(data)
        await response.prepare(request)
        if fault.kind == "cdn_truncated":
            await response.write(data[: fault.bytes or 0])
            await asyncio.sleep(0.05)  # let it reach the client before the cut
            cut(request)
        piece = min(CHUNK, max(1, len(data) // 8))  # so that small files come in pieces too
        for start in range(0, len(data), piece):
            await response.write(data[start : start + piece])
            await asyncio.sleep(fault.delay_s)
        await response.write_eof()
        return response

    async def _endless(
        self, request: web.Request, response: web.StreamResponse, fault: Fault
    ) -> web.StreamResponse:
        """A body as long as announced in `bytes`; endless when nothing is announced."""
        if fault.bytes is not None:
            response.content_length = fault.bytes
        await response.prepare(request)
        sent = 0
        try:
            while fault.bytes is None or sent < fault.bytes:
                size = CHUNK if fault.bytes is None else min(CHUNK, fault.bytes - sent)
                await response.write(b"\0" * size)
                sent += size
        except ConnectionError:
            return response  # the client closed the connection, as it should
        await response.write_eof()
        return response


async def _whole(
    request: web.Request, path: Path, content_type: str | None = None
) -> web.StreamResponse:
    """The file, or the part of it that a Range header requests.

    The file is read in one go. Uploads are small, and aiohttp's FileResponse leaves its file open
    when the server stops between opening and sending.
    """
    try:
        data = await asyncio.to_thread(path.read_bytes)
        part = request.http_range
    except FileNotFoundError:
        return web.Response(status=404, text=NOT_AVAILABLE)
    except ValueError:
        return web.Response(status=416, text="Invalid range.")
    headers = {"Content-Type": content_type or _type_of(path), "Accept-Ranges": "bytes"}
    headers |= _cached()
    if part.start is None and part.stop is None:
        return web.Response(body=data, headers=headers)
    start, stop, _ = part.indices(len(data))
    if start >= stop:
        headers["Content-Range"] = f"bytes */{len(data)}"
        return web.Response(status=416, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return web.Response(status=206, body=data[start:stop], headers=headers)


def _type_of(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _cached() -> dict[str, str]:
    return {"Cache-Control": "private, max-age=3600"}
