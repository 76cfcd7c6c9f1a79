"""Downloads over a real connection: only from Discord, within limits, with retries."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import random
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.media import download
from bot.media.download import (
    Downloader,
    DownloadFailed,
    DownloadTooLarge,
    LinkExpired,
    NotDiscords,
    PublicAddresses,
)
from bot.media.pictures import Picture
from bot.ops.settings import Settings
from bot.ops.tuning import Clocks

BODY = bytes(range(256)) * 16
LONG = random.Random(4).randbytes(1_000_000)


class Cdn:
    """A server whose paths answer in different ways; it records the requests."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.failures = 0  # how often the next requests fail
        self.app = web.Application()
        self.parts: list[tuple[int, int]] = []
        self.app.router.add_get("/{way:.*}", self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        way = request.match_info["way"].split("/")[-1]
        if way.isdigit():
            return web.Response(status=int(way))
        if self.failures and way == "flaky":
            self.failures -= 1
            return web.Response(status=503, headers={"Retry-After": "0"})
        if way == "away":
            raise web.HTTPFound("https://example.org/picture.png")
        if way == "inside":
            raise web.HTTPFound("http://169.254.169.254/latest/meta-data")
        if way == "nowhere":
            return web.Response(status=302, headers={"Location": "https://[::1/a.png"})
        if way == "swelling":
            body = gzip.compress(bytes(10_000_000))
            return web.Response(body=body, headers={"Content-Encoding": "gzip"})
        if way == "lying":
            return await self._more_than_announced(request)
        if way == "moved":
            raise web.HTTPFound("/cdn/fine")
        if way == "circle":
            raise web.HTTPFound("/cdn/circle")
        if way == "short" and self.failures:
            self.failures -= 1
            return await self._cut(request)
        if way == "endless":
            return await self._endless(request)
        if way.startswith("ranged"):
            return self._ranged(request, way)
        if way == "large" and "width" not in request.query:
            return web.Response(body=BODY * 4)
        return web.Response(body=BODY)

    def _ranged(self, request: web.Request, way: str) -> web.Response:
        part = request.http_range
        start, stop, _ = part.indices(len(LONG))
        self.parts.append((start, stop))
        if way == "ranged-not":
            return web.Response(body=LONG)
        start += 7 * (way == "ranged-wrong")
        told = {"Content-Range": f"bytes {start}-{stop - 1}/{len(LONG)}"}
        return web.Response(status=206, body=LONG[start:stop], headers=told)

    async def _cut(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(BODY))})
        await response.prepare(request)
        await response.write(BODY[:100])
        assert request.transport is not None
        request.transport.close()
        return response

    async def _more_than_announced(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n"
        request.transport.write(head + BODY * 100)
        await asyncio.sleep(0.1)
        request.transport.close()
        return web.Response()

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(BODY)
        return response


@pytest.fixture
async def cdn() -> AsyncIterator[Cdn]:
    cdn = Cdn()
    runner = web.AppRunner(cdn.app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    cdn.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield cdn
    await runner.cleanup()


@pytest.fixture
async def downloader(cdn: Cdn, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Downloader]:
    downloader = Downloader(Settings(token="", api=cdn.url), Clocks(download_retry_s=0.001))
    yield downloader
    await downloader.close()


@pytest.fixture
async def strict() -> AsyncIterator[Downloader]:
    """A downloader for Discord itself, without a stand-in."""
    downloader = Downloader(Settings(token=""), Clocks(download_retry_s=0.001))
    yield downloader
    await downloader.close()


async def test_all_bytes_of_a_file_are_downloaded(cdn: Cdn, downloader: Downloader) -> None:
    assert await downloader.fetch([f"{cdn.url}/cdn/fine"]) == BODY


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a.png",
        "http://cdn.discordapp.com/attachments/1/2/a.png",
        "https://cdn.discordapp.com.example.org/a.png",
        "https://cdn.discordapp.com:444/a.png",
        "https://user@cdn.discordapp.com/a.png",
        "https://images-ext-1.discordapp.net.example.org/a.png",
        "http://127.0.0.1/a.png",
        "file:///etc/passwd",
        "",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/a.png",
        "https://[::1/a.png",
        "https://exa℀mple.com/a.png",
        "https://cdn.discordapp.com\\@evil.example/a.png",
        "https://evil.example\\@cdn.discordapp.com/a.png",
        "https://cdn.discordapp.com\t.evil.example/a.png",
        "https://images-ext-٣.discordapp.net/a.png",
        "//cdn.discordapp.com/a.png",
    ],
)
async def test_nothing_is_downloaded_from_other_sites(strict: Downloader, url: str) -> None:
    with pytest.raises(NotDiscords):
        await strict.fetch([url])


async def test_stand_in_serves_discords_hosts(cdn: Cdn, downloader: Downloader) -> None:
    await downloader.fetch(["https://cdn.discordapp.com/stickers/1.png?x=1"])
    await downloader.fetch(["https://media.discordapp.net/stickers/2.gif"])
    assert cdn.asked == ["/cdn/stickers/1.png?x=1", "/media/stickers/2.gif"]


async def test_redirect_elsewhere_is_not_followed(cdn: Cdn, downloader: Downloader) -> None:
    with pytest.raises(NotDiscords):
        await downloader.fetch([f"{cdn.url}/cdn/away"])
    assert await downloader.fetch([f"{cdn.url}/cdn/moved"]) == BODY
    with pytest.raises(DownloadFailed, match="redirected too often"):
        await downloader.fetch([f"{cdn.url}/cdn/circle"])


@pytest.mark.parametrize("way", ["inside", "nowhere"])
async def test_redirect_into_the_private_network_or_to_nowhere_is_not_followed(
    cdn: Cdn, downloader: Downloader, way: str
) -> None:
    with pytest.raises(NotDiscords):
        await downloader.fetch([f"{cdn.url}/cdn/{way}"])
    assert len(cdn.asked) == 1


async def test_a_body_is_never_unpacked(cdn: Cdn, downloader: Downloader) -> None:
    assert len(await downloader.fetch([f"{cdn.url}/cdn/swelling"], max_bytes=20_000)) < 20_000


async def test_no_more_is_read_than_was_announced(cdn: Cdn, downloader: Downloader) -> None:
    with contextlib.suppress(DownloadFailed):  # or refused for being more than it said
        assert len(await downloader.fetch([f"{cdn.url}/cdn/lying"], max_bytes=100)) == 10


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("162.159.130.233", True),
        ("2606:4700::6810:1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
    ],
)
async def test_discords_name_never_leads_to_a_private_address(address: str, public: bool) -> None:
    resolver = PublicAddresses(Lying(address))
    if public:
        assert [one["host"] for one in await resolver.resolve("cdn.discordapp.com")] == [address]
    else:
        with pytest.raises(OSError, match="private address"):
            await resolver.resolve("cdn.discordapp.com")


async def test_a_download_is_not_sent_to_a_private_address(
    strict: Downloader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiohttp, "DefaultResolver", lambda: Lying("127.0.0.1"))
    with pytest.raises(DownloadFailed, match="private address"):
        await strict.fetch(["https://cdn.discordapp.com/attachments/1/2/a.png"])


class Lying(AbstractResolver):
    """A name server that has one address for every name."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=self.address, port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None: ...


@pytest.mark.parametrize("host", ["<@123>", "**x**", "[a](b)", "x" * 300])
def test_the_error_for_another_site_shows_no_misleading_name(host: str) -> None:
    assert "lies at an unknown place;" in str(NotDiscords(f"https://{host}/a.png"))
    assert "lies at evil.example;" in str(NotDiscords("https://evil.example/a.png"))


async def test_failing_server_is_asked_again(cdn: Cdn, downloader: Downloader) -> None:
    cdn.failures = download.ATTEMPTS - 1
    assert await downloader.fetch([f"{cdn.url}/cdn/flaky"]) == BODY
    assert len(cdn.asked) == download.ATTEMPTS


async def test_server_that_keeps_failing_is_given_up(cdn: Cdn, downloader: Downloader) -> None:
    with pytest.raises(DownloadFailed, match="500"):
        await downloader.fetch([f"{cdn.url}/cdn/500"])
    assert len(cdn.asked) == download.ATTEMPTS


async def test_body_that_ends_early_is_asked_for_again(cdn: Cdn, downloader: Downloader) -> None:
    cdn.failures = 1
    assert await downloader.fetch([f"{cdn.url}/cdn/short"]) == BODY
    assert len(cdn.asked) == 2


@pytest.mark.parametrize("status", [403, 404])
async def test_expired_link_has_its_own_error_and_is_not_retried(
    cdn: Cdn, downloader: Downloader, status: int
) -> None:
    with pytest.raises(LinkExpired):
        await downloader.fetch([f"{cdn.url}/cdn/{status}"])
    assert len(cdn.asked) == 1


async def test_refusal_is_not_retried(cdn: Cdn, downloader: Downloader) -> None:
    with pytest.raises(DownloadFailed, match="415"):
        await downloader.fetch([f"{cdn.url}/cdn/415"])
    assert len(cdn.asked) == 1


@pytest.mark.parametrize("way", ["large", "endless"])
async def test_too_large_a_body_is_not_read(cdn: Cdn, downloader: Downloader, way: str) -> None:
    with pytest.raises(DownloadTooLarge):
        await downloader.fetch([f"{cdn.url}/cdn/{way}"], max_bytes=len(BODY))


async def test_too_large_a_picture_is_asked_of_the_proxy_in_a_smaller_size(
    cdn: Cdn, downloader: Downloader
) -> None:
    urls = [f"{cdn.url}/cdn/large", f"{cdn.url}/media/large?ex=1"]
    assert await downloader.fetch(urls, max_bytes=len(BODY)) == BODY
    assert cdn.asked[-1] == "/media/large?ex=1&width=1024&height=1024"


async def test_picture_known_to_be_too_large_is_not_even_begun(
    cdn: Cdn, downloader: Downloader
) -> None:
    urls = (f"{cdn.url}/cdn/large", f"{cdn.url}/media/large")
    size = 4 * len(BODY)
    picture = Picture("a:1", urls, "large", False, "attachment", size, 1, 0.0, "")
    assert await downloader.fetch(picture, max_bytes=len(BODY)) == BODY
    assert cdn.asked == ["/media/large?width=1024&height=1024"]


async def test_next_address_is_tried(cdn: Cdn, downloader: Downloader) -> None:
    assert await downloader.fetch([f"{cdn.url}/cdn/415", f"{cdn.url}/media/fine"]) == BODY


async def test_unreachable_server_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    downloader = Downloader(
        Settings(token="", api="http://127.0.0.1:1"), Clocks(download_retry_s=0.001)
    )
    with pytest.raises(DownloadFailed):
        await downloader.fetch(["http://127.0.0.1:1/cdn/a.png"])
    await downloader.close()


def clip(url: str) -> Picture:
    return Picture("a:1", (url,), "a.mp4", False, "attachment", None, 1, 0.0, "", video=True)


async def test_parts_of_a_file_are_read(cdn: Cdn, downloader: Downloader) -> None:
    file = await downloader.opened(clip(f"{cdn.url}/cdn/ranged"), max_bytes=10**6)
    assert file.size == len(LONG)
    assert await file.read(700_000, 5000) == LONG[700_000:705_000]
    assert await file.read(50, 100) == LONG[50:150]  # known from the beginning
    assert await file.read(999_990, 5000) == LONG[-10:]
    assert sum(stop - start for start, stop in cdn.parts) < 200_000


async def test_a_server_that_ignores_ranges_sends_all_once(
    cdn: Cdn, downloader: Downloader
) -> None:
    file = await downloader.opened(clip(f"{cdn.url}/cdn/ranged-not"), max_bytes=10**6)
    assert file.size == len(LONG)
    for offset in (0, 400_000, 900_000):
        assert await file.read(offset, 5000) == LONG[offset : offset + 5000]
    assert len(cdn.parts) == 1


async def test_of_a_server_that_ignores_ranges_no_more_is_read_than_allowed(
    cdn: Cdn, downloader: Downloader
) -> None:
    file = await downloader.opened(clip(f"{cdn.url}/cdn/ranged-not"), max_bytes=300_000)
    assert await file.read(250_000, 100_000) == LONG[250_000:300_000]
    assert await file.read(600_000, 5000) == b""
    assert len(cdn.parts) == 1
    endless = await downloader.opened(clip(f"{cdn.url}/cdn/endless"), max_bytes=1000)
    assert endless.size == 1000


async def test_another_part_than_was_asked_for_is_an_error(
    cdn: Cdn, downloader: Downloader
) -> None:
    with pytest.raises(DownloadFailed, match="another part"):
        await downloader.opened(clip(f"{cdn.url}/cdn/ranged-wrong"), max_bytes=10**6)


async def test_parts_come_from_discord_only(strict: Downloader) -> None:
    with pytest.raises(NotDiscords):
        await strict.opened(clip("https://example.org/a.mp4"), max_bytes=10**6)
