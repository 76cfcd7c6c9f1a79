"""Addresses of files: signed links of the CDN and the media proxy, made and read.

    {base}/cdn/attachments/{channel}/{attachment}/{filename}?ex=&is=&hm=   the file itself
    {base}/media/attachments/…  (same signature)                           smaller versions of it
    {base}/media/external/{hash}/https/{host}/{path}                       pictures of other sites

`ex` and `is` are the times of expiry and issue in hexadecimal unix seconds. `hm` is an HMAC-SHA256
of path and times. The other sites are invented: `https://pictures.example/FILE` is a file of the
world, and `https://pages.example/FILE` is a page with that picture.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from . import media
from .world import Attachment, World

PICTURE_SITE = "https://pictures.example/"
PAGE_SITE = "https://pages.example/"
LINK_LIFE_S = 86_400  # as Discord's links, about a day


@dataclass(frozen=True, slots=True)
class PictureLink:
    """A picture as a payload describes it: its address, the proxy's address, and its size."""

    url: str
    proxy_url: str
    width: int | None = None
    height: int | None = None
    content_type: str | None = None
    attachment: Attachment | None = None


@dataclass
class Links:
    """Makes and checks addresses. `clock` returns unix seconds."""

    world: World
    base: str = "http://127.0.0.1"
    life_s: float = LINK_LIFE_S
    clock: Callable[[], float] = time.time
    _key: bytes = field(init=False)

    def __post_init__(self) -> None:
        # The same key after a restart, so that earlier links stay valid.
        self._key = hashlib.sha256(self.world.application.token.encode()).digest()

    # making

    def attachment(self, attachment: Attachment) -> tuple[str, str]:
        """The signed `url` and `proxy_url` of an uploaded file."""
        path = _attachment_path(attachment)
        query = self._sign(path)
        return f"{self.base}/cdn/{path}?{query}", f"{self.base}/media/{path}?{query}"

    def external(self, url: str) -> str:
        """The media proxy's address of another site's picture."""
        parts = urlsplit(url)
        rest = f"{parts.scheme}/{parts.netloc}{quote(unquote(parts.path))}"
        return f"{self.base}/media/external/{self._hash(rest)}/{rest}"

    def shown(self, url: str) -> PictureLink:
        """The description of a picture from an address that a user gave."""
        if attachment := self.attachment_at(url):
            signed, proxied = self.attachment(attachment)
            if format := _format_of(url):  # a still of a video, which the proxy makes
                proxied += f"format={format}"
                size = attachment.width, attachment.height
                return PictureLink(proxied, proxied, *size, f"image/{format}", attachment)
            return PictureLink(
                signed,
                proxied,
                attachment.width,
                attachment.height,
                attachment.content_type,
                attachment,
            )
        if url.startswith("attachment:"):  # its message was deleted: 404
            url = f"{self.base}/cdn/attachments/0/{url.removeprefix('attachment:')}/gone"
        if url.startswith("media:"):
            url = PICTURE_SITE + quote(url.removeprefix("media:"))
        url = self._original(url)
        if url.startswith(self.base):  # stickers, avatars: already public and unsigned
            return PictureLink(url, url)
        path = self.file_at(url)
        if path is None:
            return PictureLink(url, self.external(url))
        seen = _look(path)
        return PictureLink(url, self.external(url), seen.width, seen.height, seen.content_type)

    # reading addresses

    def attachment_at(self, url: str) -> Attachment | None:
        """The uploaded file of `attachment:ID`, or of an address of our CDN or media proxy."""
        if url.startswith("attachment:") and not url.startswith("attachment://"):
            return self.world.attachment(int(url.removeprefix("attachment:").partition("?")[0]))
        for kind in ("cdn/", "media/", "cdn/ephemeral-", "media/ephemeral-"):
            root = f"{self.base}/{kind}attachments/"
            if url.startswith(root):
                parts = urlsplit(url.removeprefix(root)).path.split("/")
                if len(parts) == 3 and parts[1].isdecimal():
                    return self.world.attachment(int(parts[1]))
        return None

    def file_at(self, url: str) -> Path | None:
        """The file of the world that an invented site shows at this address, or None."""
        for site in (PICTURE_SITE, PAGE_SITE):
            if url.startswith(site):
                return self.world_file(unquote(urlsplit(url).path).lstrip("/"))
        return None

    def world_file(self, name: str) -> Path | None:
        """A file in the world's folder, or None; never a file outside it."""
        folder = self.world.folder.resolve()
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder) and path.is_file() else None

    # checking

    def problem(self, path: str, query: dict[str, str]) -> str | None:
        """Why a signed path is refused: unsigned, expired or forged; None when it is valid."""
        expires, issued, signature = (query.get(name, "") for name in ("ex", "is", "hm"))
        if not (expires and issued and signature):
            return "unsigned"
        if not self._signed(f"{path}:{expires}:{issued}", signature):
            return "forged"
        return "expired" if int(expires, 16) <= self.clock() else None

    def external_problem(self, signature: str, rest: str) -> str | None:
        """Why a proxied address is refused; None when it is valid."""
        return None if self._signed(quote(unquote(rest)), signature) else "forged"

    def _sign(self, path: str) -> str:
        now = int(self.clock())
        # Links made in the same hour are equal, so that caches work. Discord's are similar.
        issued = now - now % 3600 if self.life_s >= 7200 else now
        expires, issued_hex = f"{int(issued + self.life_s):x}", f"{issued:x}"
        signature = self._hash(f"{path}:{expires}:{issued_hex}")
        return f"ex={expires}&is={issued_hex}&hm={signature}&"

    def _signed(self, text: str, signature: str) -> bool:
        return hmac.compare_digest(self._hash(text).encode(), signature.encode())

    def _hash(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def _original(self, url: str) -> str:
        """The original address on another site, from an address of the proxy."""
        root = f"{self.base}/media/external/"
        if not url.startswith(root):
            return url
        parts = urlsplit(url.removeprefix(root)).path.split("/", 3)
        return f"{parts[1]}://{parts[2]}/{parts[3]}" if len(parts) == 4 else url


def _attachment_path(attachment: Attachment) -> str:
    kind = "ephemeral-attachments" if attachment.ephemeral else "attachments"
    return f"{kind}/{attachment.channel_id}/{attachment.id}/{quote(attachment.filename)}"


@lru_cache(maxsize=4096)
def _look(path: Path) -> media.FileInfo:
    return media.look(path)


def _format_of(url: str) -> str | None:
    """The format that the media proxy is asked for, if any."""
    return next(iter(parse_qs(urlsplit(url).query).get("format", ())), None)
