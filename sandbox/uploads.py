"""Request bodies: JSON, or multipart with `payload_json` and `files[n]`."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web

from . import media
from .errors import ApiError, invalid
from .world import SPOILER, Attachment

MAX_FILE_BYTES = 10 * 1024 * 1024  # Discord's limit without boosts
MAX_FILES = 10

TOO_LARGE = ApiError(413, 40005, "Request entity too large")
NOT_JSON = ApiError(400, 50109, "The request body contains invalid JSON.")


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart body; `index` is the n of `files[n]`."""

    index: str
    filename: str
    data: bytes


@dataclass(slots=True)
class Body:
    """A request's JSON and its files."""

    json: dict[str, Any]
    uploads: list[Upload]


async def read(request: web.Request) -> Body:
    """The body of a request that takes JSON or multipart; {} when there is none.

    raises  ApiError 50109 for broken JSON, 40005 for a file over 10 MiB
    """
    if request.content_type == "multipart/form-data":
        return await _multipart(request)
    return Body(_object(await request.text()), [])


async def read_any(request: web.Request) -> Any:
    """The body's JSON, which may be something other than an object."""
    try:
        return json.loads(await request.text() or "null")
    except ValueError as exc:
        raise NOT_JSON from exc


def _object(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        value = json.loads(text)
    except ValueError as exc:
        raise NOT_JSON from exc
    if not isinstance(value, dict):
        raise invalid("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    return value


async def _multipart(request: web.Request) -> Body:
    body = Body({}, [])
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "payload_json":
                body.json = _object(await part.text())
            elif match := re.fullmatch(r"files?\[(\d+)\]|file", part.name or ""):
                body.uploads.append(
                    Upload(match[1] or "0", _safe(part.filename), await _file(part))
                )
    except (ValueError, AssertionError) as exc:
        raise ApiError(400, 50035, "Invalid Form Body") from exc
    if len(body.uploads) > MAX_FILES:
        message = f"Must be {MAX_FILES} or fewer in length."
        raise invalid("attachments", "BASE_TYPE_MAX_LENGTH", message)
    return body


async def _file(part: BodyPartReader) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(1 << 16):
        data += chunk
        if len(data) > MAX_FILE_BYTES:
            raise TOO_LARGE
    return bytes(data)


def _safe(filename: str | None) -> str:
    """The name as Discord stores it: without spaces, folders and unusual characters."""
    name = Path(filename or "file").name.replace(" ", "_")
    return re.sub(r"[^\w.\-]", "", name) or "file"


async def keep(
    upload: Upload,
    folder: Path,
    *,
    id: int,
    channel_id: int,
    listed: dict[str, Any],
    ephemeral: bool = False,
) -> Attachment:
    """Write a file to the uploads folder; returns its attachment.

    listed  its entry in the body's `attachments`: filename, description; for a voice
            message duration_secs and waveform
    """
    filename = _safe(listed.get("filename") or upload.filename)
    if listed.get("is_spoiler") and not filename.startswith("SPOILER_"):
        filename = f"SPOILER_{filename}"
    path = folder / str(id)
    seen = await asyncio.to_thread(_write, path, upload.data, filename)
    spoiler = SPOILER if filename.startswith("SPOILER_") else 0
    return Attachment(
        id=id,
        channel_id=channel_id,
        filename=filename,
        path=str(path),
        size=len(upload.data),
        content_type=seen.content_type,
        width=seen.width,
        height=seen.height,
        description=listed.get("description"),
        flags=seen.flags | spoiler,
        ephemeral=ephemeral,
        duration_secs=listed.get("duration_secs"),
        waveform=listed.get("waveform"),
    )


def _write(path: Path, data: bytes, filename: str) -> media.FileInfo:
    path.write_bytes(data)
    return media.look(path, filename)
