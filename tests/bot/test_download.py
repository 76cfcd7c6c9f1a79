"""Downloads over a real connection: only from Discord, within limits, patient where it helps."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot import download
from bot.download import (
    Downloader,
    DownloadFailed,
    DownloadTooLarge,
    LinkExpired,
    NotDiscords,
)
from bot.pictures import Picture
from bot.settings import Settings

BODY = bytes(range(256)) * 16


class Cdn:
    """A server that answers in the ways of its paths, and remembers what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.failures = 0  # how often the next requests fail
        self.app = web.Application()
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
        if way == "moved":
            raise web.HTTPFound("/cdn/fine")
        if way == "circle":
            raise web.HTTPFound("/cdn/circle")
        if way == "short" and self.failures:
            self.failures -= 1
            return await self._cut(request)
        if way == "endless":
            return await self._endless(request)
        if way == "large" and "width" not in request.query:
            return web.Response(body=BODY * 4)
        return web.Response(body=BODY)

    async def _cut(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(BODY))})
        await response.prepare(request)
        await response.write(BODY[:100])
        assert request.transport is not None
        request.transport.close()
        return response

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
    monkeypatch.setattr(download, "FIRST_WAIT_S", 0.01)
    downloader = Downloader(Settings(token="", api=cdn.url))
    yield downloader
    await downloader.close()


@pytest.fixture
async def strict() -> AsyncIterator[Downloader]:
    """One that only knows Discord itself."""
    downloader = Downloader(Settings(token=""))
    yield downloader
    await downloader.close()


async def test_bytes_come_whole(cdn: Cdn, downloader: Downloader) -> None:
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
    ],
)
async def test_nothing_is_fetched_from_strangers(strict: Downloader, url: str) -> None:
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
async def test_expired_link_is_told_apart_and_not_retried(
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
    monkeypatch.setattr(download, "FIRST_WAIT_S", 0.0)
    downloader = Downloader(Settings(token="", api="http://127.0.0.1:1"))
    with pytest.raises(DownloadFailed):
        await downloader.fetch(["http://127.0.0.1:1/cdn/a.png"])
    await downloader.close()
