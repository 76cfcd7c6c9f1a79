"""The CDN, the media proxy, and their faults."""

from __future__ import annotations

import io
import struct
import time
import zlib
from typing import Any

import aiohttp
import pytest
from PIL import Image

from sandbox import Server
from tests.sandbox.conftest import LogIn
from tests.worlds import WorldFile


@pytest.fixture
def world_file(world_file: WorldFile) -> WorldFile:
    """A world with a large picture in #general, an embed of another site, and an avatar."""
    world_file.picture("large.png", "green", (640, 480))
    general, ada = world_file.channels["general"], world_file.people["ada"]
    world_file.message(general, ada, "large", pictures=["large.png"])
    embed = {"type": "image", "url": "media:red.png", "thumbnail": {"url": "media:red.png"}}
    world_file.message(general, ada, "linked", embeds=[embed])
    for user in world_file.users:
        if user["username"] == "ada":
            user["avatar"] = "red.png"
    return world_file


@pytest.fixture
async def attachment(sandbox: Server, log_in: LogIn) -> dict[str, Any]:
    """The attachment of the large picture, as mei's client gets it."""
    mei = await log_in("mei")
    messages = await mei.messages(mei.channel("general"))
    found: dict[str, Any] = next(m for m in messages if m["content"] == "large")["attachments"][0]
    return found


async def _get(http: aiohttp.ClientSession, url: str, **how: Any) -> tuple[int, bytes]:
    async with http.get(url, **how) as answer:
        return answer.status, await answer.read()


async def test_a_signed_link_gives_the_file(
    sandbox: Server, http: aiohttp.ClientSession, attachment: dict[str, Any], world_file: WorldFile
) -> None:
    data = (world_file.folder / "large.png").read_bytes()
    assert await _get(http, attachment["url"]) == (200, data)
    assert await _get(http, attachment["proxy_url"]) == (200, data)
    part = await _get(http, attachment["url"], headers={"Range": "bytes=10-19"})
    assert part == (206, data[10:20])


async def test_a_file_is_served_while_its_message_or_a_forward_shows_it(
    sandbox: Server, http: aiohttp.ClientSession, attachment: dict[str, Any], log_in: LogIn
) -> None:
    ada = await log_in("ada")
    general = ada.channel("general")
    original = next(m for m in await ada.messages(general) if m["content"] == "large")
    reference = {"type": 1, "channel_id": general, "message_id": original["id"]}
    forwards = [await ada.post(general, message_reference=reference) for _ in range(2)]
    posted = await ada.post(general, "hm", pictures={"a.png": b"a picture"})
    path = f"/channels/{general}/messages/{posted['id']}"
    await ada.request("PATCH", path, json={"attachments": []})
    assert (await _get(http, posted["attachments"][0]["url"]))[0] == 404
    for message, status in ((forwards[0], 200), (original, 200), (forwards[1], 404)):
        await ada.request("DELETE", f"/channels/{general}/messages/{message['id']}")
        assert (await _get(http, attachment["url"]))[0] == status


async def test_an_unsigned_forged_or_expired_link_is_not_found(
    sandbox: Server, http: aiohttp.ClientSession, attachment: dict[str, Any], log_in: LogIn
) -> None:
    url = attachment["url"]
    assert (await _get(http, url.split("?")[0]))[0] == 404
    assert (await _get(http, url.replace("&hm=", "&hm=0")))[0] == 404
    sandbox.core.links.clock = lambda: time.time() + 2 * 86_400
    assert (await _get(http, url))[0] == 404
    mei = await log_in("mei")
    fresh = next(m for m in await mei.messages(mei.channel("general")) if m["content"] == "large")
    assert (await _get(http, fresh["attachments"][0]["url"]))[0] == 200


async def test_the_file_of_a_deleted_message_is_not_found(
    sandbox: Server, http: aiohttp.ClientSession, attachment: dict[str, Any], log_in: LogIn
) -> None:
    ada = await log_in("ada")
    general = ada.channel("general")
    message = next(m for m in await ada.messages(general) if m["content"] == "large")
    await ada.request("DELETE", f"/channels/{general}/messages/{message['id']}")
    assert (await _get(http, attachment["url"]))[0] == 404


@pytest.mark.parametrize(
    ("query", "size", "kind"),
    [
        ("width=160&height=120", (160, 120), "PNG"),
        ("width=100&height=100", (100, 75), "PNG"),
        ("width=64&format=webp", (64, 48), "WEBP"),
        ("format=jpeg", (640, 480), "JPEG"),
        ("width=4000&height=4000", (640, 480), "PNG"),
    ],
)
async def test_the_proxy_resizes_and_converts(
    sandbox: Server,
    http: aiohttp.ClientSession,
    attachment: dict[str, Any],
    query: str,
    size: tuple[int, int],
    kind: str,
) -> None:
    status, data = await _get(http, attachment["proxy_url"] + query)
    assert status == 200
    with Image.open(io.BytesIO(data)) as image:
        assert (image.size, image.format) == (size, kind)


@pytest.mark.parametrize("query", ["width=0", "width=x", "format=exe", "width=5000"])
async def test_the_proxy_refuses_invalid_sizes_and_formats(
    sandbox: Server, http: aiohttp.ClientSession, attachment: dict[str, Any], query: str
) -> None:
    assert (await _get(http, attachment["proxy_url"] + query))[0] == 400


async def test_another_sites_picture_comes_through_the_proxy(
    sandbox: Server, http: aiohttp.ClientSession, log_in: LogIn, world_file: WorldFile
) -> None:
    mei = await log_in("mei")
    messages = await mei.messages(mei.channel("general"))
    (embed,) = next(m for m in messages if m["content"] == "linked")["embeds"]
    assert embed["url"] == "https://pictures.example/red.png"
    thumbnail = embed["thumbnail"]
    assert (thumbnail["width"], thumbnail["height"]) == (64, 48)
    data = (world_file.folder / "red.png").read_bytes()
    assert await _get(http, thumbnail["proxy_url"]) == (200, data)
    status, small = await _get(http, thumbnail["proxy_url"] + "?width=32&height=32")
    assert (status, len(small) > 0) == (200, True)
    forged = thumbnail["proxy_url"].replace("red.png", "blue.png")
    assert (await _get(http, forged))[0] == 401


async def test_avatars_are_open_and_sized(
    sandbox: Server, http: aiohttp.ClientSession, log_in: LogIn
) -> None:
    ada = await log_in("ada")
    avatar = f"{sandbox.url}/cdn/avatars/{ada.user['id']}/{ada.user['avatar']}.png"
    status, data = await _get(http, f"{avatar}?size=16")
    assert status == 200
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (16, 12)
    assert (await _get(http, f"{avatar}?size=17"))[0] == 400
    assert (await _get(http, avatar.replace(ada.user["avatar"], "0" * 32)))[0] == 404


async def test_a_truncated_file_ends_early(
    sandbox: Server, http: aiohttp.ClientSession, attachment: dict[str, Any]
) -> None:
    sandbox.strike("cdn_truncated", bytes=100)
    with pytest.raises(aiohttp.ClientError):
        await _get(http, attachment["url"])
    assert (await _get(http, attachment["url"]))[0] == 200


async def test_a_slow_file_comes_in_pieces(
    sandbox: Server, http: aiohttp.ClientSession, attachment: dict[str, Any]
) -> None:
    sandbox.strike("cdn_slow", delay_s=5.0)
    with pytest.raises(TimeoutError):
        await _get(http, attachment["url"], timeout=aiohttp.ClientTimeout(total=0.3))


@pytest.mark.parametrize("announced", [50_000_000, None])
async def test_an_oversized_file_does_not_end(
    sandbox: Server,
    http: aiohttp.ClientSession,
    attachment: dict[str, Any],
    announced: int | None,
) -> None:
    sandbox.strike("cdn_oversized", bytes=announced)
    async with http.get(attachment["url"]) as answer:
        assert answer.content_length == announced
        read = 0
        async for chunk in answer.content.iter_chunked(1 << 16):
            read += len(chunk)
            if read > 2_000_000:
                break
    assert read > 2_000_000


async def test_other_faults_of_files(
    sandbox: Server, http: aiohttp.ClientSession, attachment: dict[str, Any]
) -> None:
    sandbox.strike("cdn_error", status=503, path="/attachments/*")
    assert (await _get(http, attachment["url"]))[0] == 503
    sandbox.strike("cdn_expired")
    assert (await _get(http, attachment["url"]))[0] == 404
    sandbox.strike("cdn_wrong", body="<html>", content_type="text/html")
    assert await _get(http, attachment["url"]) == (200, b"<html>")
    assert sandbox.faults.waiting() == []


async def test_no_file_outside_the_world_can_be_reached(
    sandbox: Server, http: aiohttp.ClientSession
) -> None:
    links = sandbox.core.links
    assert links.file_at("https://pictures.example/../../etc/passwd") is None
    assert links.file_at("https://pictures.example/%2e%2e/%2e%2e/etc/passwd") is None
    assert links.file_at("https://pictures.example//etc/passwd") is None
    for path in ("/../sandbox/world.py", "/%2e%2e/world.py", "/..%2fworld.py"):
        assert (await _get(http, f"{sandbox.url}{path}"))[0] == 404


async def test_links_can_be_signed_again(
    sandbox: Server, http: aiohttp.ClientSession, attachment: dict[str, Any], log_in: LogIn
) -> None:
    mei = await log_in("mei")
    bare = attachment["url"].split("?")[0]
    body = {"attachment_urls": [bare]}
    answer = await mei.request("POST", "/attachments/refresh-urls", json=body)
    (pair,) = answer["refreshed_urls"]
    assert pair["original"] == bare
    assert (await _get(http, pair["refreshed"]))[0] == 200


async def test_a_broken_picture_is_served_as_it_is_but_not_resized(
    sandbox: Server, http: aiohttp.ClientSession, log_in: LogIn, world_file: WorldFile
) -> None:
    mei = await log_in("mei")
    data = (world_file.folder / "large.png").read_bytes()[:300]
    header_only = data[:20]
    broken = {"cut.png": data, "none.png": header_only, "bomb.png": _bomb(), "a.avif": _hollow()}
    for name, content in broken.items():
        posted = await mei.post(mei.channel("general"), pictures={name: content})
        (attachment,) = posted["attachments"]
        assert await _get(http, attachment["url"]) == (200, content)
        status, _ = await _get(http, attachment["proxy_url"] + "width=16&height=16")
        assert status == 415


def _hollow() -> bytes:
    """An AVIF that doesn't say where its picture is."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "AVIF", speed=10)
    return buffer.getvalue().replace(b"iloc", b"free")


def _bomb() -> bytes:
    """A PNG header of 60,000 × 60,000 pixels, without any pixels."""
    size = struct.pack(">II", 60_000, 60_000) + bytes([8, 2, 0, 0, 0])
    header = struct.pack(">I", 13) + b"IHDR" + size + struct.pack(">I", zlib.crc32(b"IHDR" + size))
    return b"\x89PNG\r\n\x1a\n" + header
