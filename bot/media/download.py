"""URL → bytes, from Discord's own servers only, within limits.

DownloadError
├── NotDiscords         the link leads to another site, from which the bot downloads nothing
├── LinkExpired         403 or 404: read the message again for a fresh link
├── DownloadTooLarge    more bytes than the limit
└── DownloadFailed      all attempts failed, or the server refused
"""

from __future__ import annotations

import asyncio
import errno
import random
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from ipaddress import ip_address
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urlencode, urljoin

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.languages.speech import said
from bot.media.pictures import Picture, parts_of
from bot.media.ranges import Part, RangedFile
from bot.ops.settings import Settings
from bot.ops.tuning import Clocks
from bot.platform.refusal import Refusal
from index import Sentence

MAX_BYTES = 25 * 2**20  # ten times a usual photograph; larger ones come reduced by the proxy
REDUCED_PX = 1024  # several times what any CLIP looks at
# Of a picture that is drawn small: twice what is seen of it. One of which the proxy has no small
# version may have more bytes, but not as many as one that is searched.
SMALL_PX, MAX_SMALL_BYTES = 320, 8 * 2**20
ATTEMPTS = 4
LONGEST_WAIT_S = 20.0  # even where the server asks for more
MAX_REDIRECTS = 3
TIMEOUT = aiohttp.ClientTimeout(total=90, sock_connect=10, sock_read=20)
# Up to twice as many bytes of a file wait until they are taken. Most pictures have fewer, so that
# the server isn't told to wait in the middle.
READ_BYTES = 2**18
FIRST_PART = 2**17  # bytes that are read of a file's beginning

# The types of error pages, even with status 200. No picture is sent with one of them, but for
# stickers that are Lottie's JSON.
NO_PICTURES = ("text/html", "text/plain", "application/json")
LOTTIE_TYPE, LOTTIE_ENDING = "application/json", ".json"

CDN, PROXY = "cdn.discordapp.com", "media.discordapp.net"
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18})")
_EXTERNAL_PROXY = re.compile(r"images-ext-[0-9]+\.discordapp\.net")  # pictures of unfurled links
_PLAIN_HOST = re.compile(r"[a-z0-9.-]{1,80}")  # may be shown in a sentence without escaping


T = TypeVar("T")
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class DownloadError(Refusal):
    """The bytes of a picture or video could not be had."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(partial(said, sentence))


class NotDiscords(DownloadError):
    def __init__(self, url: str) -> None:
        host = parts_of(url).hostname or ""
        if not _PLAIN_HOST.fullmatch(host):
            host = Sentence("an unknown place")
        super().__init__(
            Sentence("That file lies at {host}; I only download from Discord itself.", host=host)
        )


class LinkExpired(DownloadError):
    def __init__(self, status: int) -> None:
        super().__init__(Sentence("Discord's link to that file is no longer valid."))
        self.status = status


class DownloadTooLarge(DownloadError):
    def __init__(self, size: int, limit: int) -> None:
        shown, most = (Sentence("{n} MB", n=round(count / 2**20)) for count in (size, limit))
        super().__init__(
            Sentence("That file is larger than {limit} ({size} or more).", limit=most, size=shown)
        )
        self.size = size
        self.limit = limit


class DownloadFailed(DownloadError):
    def __init__(self, reason: str, wait_s: float | None = None, passing: bool = False) -> None:
        super().__init__(Sentence("That file could not be downloaded: {reason}.", reason=reason))
        self.reason = reason
        self.wait_s = wait_s  # what the server asked for
        self.passing = passing  # whether trying again may help


class Downloader:
    """Fetches pictures from Discord's CDN and media proxy, or from the server in their place."""

    def __init__(self, settings: Settings, clocks: Clocks) -> None:
        self._clocks = clocks
        self._stand_in = settings.api if settings.redirected else None
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, picture: Picture | Sequence[str], *, max_bytes: int = MAX_BYTES) -> bytes:
        """The bytes of a picture, from the first of its URLs that works.

        If it is too large, the media proxy is asked for a reduced size.

        raises   DownloadError
        """
        whole = picture.urls if isinstance(picture, Picture) else picture
        size = picture.size if isinstance(picture, Picture) else None
        urls = list(whole)
        errors: list[DownloadError] = []
        if size is not None and size > max_bytes:
            errors.append(DownloadTooLarge(size, max_bytes))
            urls = self._reduced(whole)
        for url in urls:
            # The proxy may send a smaller file.
            exactly = size if not self._is_proxy(url) else None
            try:
                return await self._fetch_with_retries(url, max_bytes, exactly)
            except DownloadTooLarge as error:
                errors.append(error)
                urls += [smaller for smaller in self._reduced(whole) if smaller not in urls]
            except DownloadError as error:
                errors.append(error)
        raise _most_useful(errors) if errors else DownloadFailed(Sentence("it has no address"))

    async def fetch_small(self, picture: Picture) -> bytes:
        """The bytes of a small version of a picture, or of a video's still, from the media proxy;
        where it has none, of the picture itself.

        raises   DownloadError
        """
        urls = picture.poster if picture.video else picture.urls
        smaller = self._reduced(urls, SMALL_PX)
        return await self.fetch([*smaller, *urls], max_bytes=MAX_SMALL_BYTES)

    async def opened(self, picture: Picture, *, max_bytes: int) -> RangedFile:
        """A file of which parts can be read, from the first of its URLs that works.

        max_bytes   that are read where the server doesn't send parts
        raises      DownloadError; so does reading from it
        """
        errors: list[DownloadError] = []
        for url in picture.urls:
            fetch = partial(self._part, url, max_bytes)
            try:
                return RangedFile(fetch, await fetch(0, FIRST_PART))
            except DownloadError as error:
                errors.append(error)
        raise _most_useful(errors) if errors else DownloadFailed(Sentence("it has no address"))

    async def _part(self, url: str, max_bytes: int, offset: int, length: int) -> Part:
        """A part of a file; its beginning, at most `max_bytes`, if the server sends no parts."""
        allowed, wanted = self._allowed(url), {"Range": f"bytes={offset}-{offset + length - 1}"}

        async def read(response: aiohttp.ClientResponse) -> Part:
            if response.status == 206:
                return await _ranged(response, offset, length)
            data = await _beginning(response, max_bytes)
            size = response.content_length
            return Part(data, len(data) if size is None else size, ranged=False)

        return await self._with_retries(lambda: self._request(allowed, read, wanted))

    def _reduced(self, urls: Sequence[str], pixels: int = REDUCED_PX) -> list[str]:
        """The same pictures at most so many pixels wide and high, from the proxy.

        These parameters are not documented, so what they give is only a second choice.
        """
        query = urlencode({"width": pixels, "height": pixels})
        return [f"{url}{'&' if '?' in url else '?'}{query}" for url in urls if self._is_proxy(url)]

    def _is_proxy(self, url: str) -> bool:
        parts = parts_of(url)
        if self._stand_in and url.startswith(f"{self._stand_in}/"):
            return parts.path.startswith("/media/")
        return parts.netloc == PROXY or bool(_EXTERNAL_PROXY.fullmatch(parts.netloc))

    def _allowed(self, url: str) -> yarl.URL:
        """The URL to request, if it is one of Discord's.

        It is parsed by the parser that the connection uses: with two parsers, one might allow a URL
        that the other reads as another site's.

        raises   NotDiscords
        """
        try:
            asked = yarl.URL(url)
            host = asked.raw_authority  # with a user or a port, if there are any
        except ValueError as error:
            raise NotDiscords(url) from error
        if self._stand_in and str(asked).startswith(f"{self._stand_in}/"):
            return asked
        if asked.scheme == "https" and (
            host in (CDN, PROXY) or (_EXTERNAL_PROXY.fullmatch(host) and not self._stand_in)
        ):
            return self._on_stand_in(asked)
        raise NotDiscords(url)

    def _on_stand_in(self, url: yarl.URL) -> yarl.URL:
        """The URL of the same file on the server that is used instead of Discord."""
        if self._stand_in is None:
            return url
        place = "cdn" if url.host == CDN else "media"
        return yarl.URL(f"{self._stand_in}/{place}{url.raw_path_qs}", encoded=True)

    async def _fetch_with_retries(
        self, url: str, max_bytes: int, exactly: int | None = None
    ) -> bytes:
        """The bytes of one URL; it is tried again while the error may pass.

        exactly  how many bytes there must be, if known; another number is an error
        """
        allowed = self._allowed(url)

        async def attempt() -> bytes:
            data = await self._request(allowed, partial(_body, max_bytes=max_bytes))
            if exactly is not None and len(data) != exactly:
                reason = Sentence(
                    "Discord sent {n} instead of {wanted} bytes", n=len(data), wanted=exactly
                )
                raise DownloadFailed(reason, passing=True)
            return data

        return await self._with_retries(attempt)

    async def _with_retries(self, once: Callable[[], Awaitable[T]]) -> T:
        """What one attempt gives; it is tried again while the error may pass."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await once()
            except DownloadFailed as error:
                if not error.passing or attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(self._wait_s(attempt, error.wait_s))
        raise AssertionError("the last attempt returns or raises")

    def _wait_s(self, attempt: int, asked_s: float | None) -> float:
        """How long to wait: as the server asks, or twice as long each time; plus a random part."""
        wait_s = self._clocks.download_retry_s * 2 ** (attempt - 1) if asked_s is None else asked_s
        return float(min(wait_s, LONGEST_WAIT_S) * random.uniform(1.0, 1.25))

    async def _request(
        self,
        url: yarl.URL,
        read: Callable[[aiohttp.ClientResponse], Awaitable[T]],
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> T:
        """What `read` makes of the answer. raises DownloadError"""
        headers = {"Accept-Encoding": "identity", **headers}
        try:
            for _ in range(MAX_REDIRECTS + 1):
                async with self._open_session().get(
                    url, allow_redirects=False, headers=headers
                ) as response:
                    if response.status in (301, 302, 303, 307, 308):
                        url = self._allowed(_target(response))
                        continue
                    _check_status(response)
                    return await read(response)
        except TimeoutError as error:
            raise DownloadFailed(Sentence("Discord took too long"), passing=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise DownloadFailed(str(error) or type(error).__name__, passing=True) from error
        raise DownloadFailed(Sentence("it was redirected too often"))

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=32, resolver=self._resolver()),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=TIMEOUT,
                read_bufsize=READ_BYTES,
                # Pictures are compressed already, and so a small body can't become a huge one.
                auto_decompress=False,
            )
        return self._session

    def _resolver(self) -> AbstractResolver:
        """Resolves host names; the server that is used instead of Discord may have any address."""
        return aiohttp.DefaultResolver() if self._stand_in else PublicAddresses()


class PublicAddresses(AbstractResolver):
    """Resolves names as the system does, but leaves out addresses that aren't public.

    A name server that gives a private address for a name of Discord's is not to be trusted.
    """

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._system = resolver or aiohttp.DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """raises   OSError when there is no such name, or no public address"""
        found = await self._system.resolve(host, port, family)
        public = [one for one in found if ip_address(one["host"].split("%")[0]).is_global]
        if not public:
            raise OSError(errno.EADDRNOTAVAIL, f"{host} leads to a private address")
        return public

    async def close(self) -> None:
        await self._system.close()


def _target(response: aiohttp.ClientResponse) -> str:
    """Where a redirect leads."""
    location = response.headers.get("Location", "")
    try:
        return urljoin(str(response.url), location)
    except ValueError:  # to no address at all
        return location


def _check_status(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status in (200, 206):
        kind = response.content_type
        is_sticker = kind == LOTTIE_TYPE and response.url.path.endswith(LOTTIE_ENDING)
        if kind in NO_PICTURES and not is_sticker:
            reason = Sentence("Discord sent {kind} in its place", kind=kind)
            raise DownloadFailed(reason, passing=True)
        return
    if status in (403, 404, 410):
        raise LinkExpired(status)
    wait = response.headers.get("Retry-After", "")
    raise DownloadFailed(
        Sentence("Discord answered {status}", status=str(status)),
        wait_s=float(wait) if wait.replace(".", "", 1).isdigit() else None,
        passing=status == 429 or status >= 500,
    )


async def _body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The whole body; reading stops as soon as it is known to be too large."""
    announced = response.content_length
    if announced is not None and announced > max_bytes:
        raise DownloadTooLarge(announced, max_bytes)
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > max_bytes:
            raise DownloadTooLarge(size, max_bytes)
        parts.append(part)
    if announced is not None and size < announced:
        raise DownloadFailed(Sentence("it ended too early"), passing=True)
    return b"".join(parts)


async def _ranged(response: aiohttp.ClientResponse, offset: int, length: int) -> Part:
    """The part of a file that was asked for. raises DownloadError"""
    told = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if told is None or int(told[1]) != offset:
        raise DownloadFailed(Sentence("Discord sent another part of it"), passing=True)
    size = int(told[2])
    data = await _body(response, max_bytes=length)
    if len(data) < min(length, size - offset):
        raise DownloadFailed(Sentence("it ended too early"), passing=True)
    return Part(data, size, ranged=True)


async def _beginning(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The first bytes of a body, at most so many."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) >= max_bytes:
            break
    return bytes(body[:max_bytes])


def _most_useful(errors: Sequence[DownloadError]) -> DownloadError:
    """The error that says most about what to do: an expired link can be replaced by a fresh one."""
    return next((error for error in errors if isinstance(error, LinkExpired)), errors[0])
