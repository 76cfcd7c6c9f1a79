"""Message → its pictures, with the URLs of their bytes.

The slot of a picture names the media and not its place in the message. So it stays the same when
an edit moves things, and media that are shown twice (such as an attachment that an embed or a
component uses) are one picture:

    a:<attachment id>    a file on Discord, wherever in the message it is shown
    s:<sticker id>       a sticker
    u:<hash of the URL>  anything else that Discord unfurled

Signed CDN URLs change each time a message is read; slots don't.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit

import discord
from discord.components import (
    Component,
    Container,
    FileComponent,
    MediaGalleryComponent,
    SectionComponent,
    ThumbnailComponent,
    UnfurledMediaItem,
)

Kind = Literal["attachment", "embed", "sticker", "component"]

# File names of pictures and videos, for files without a content type.
PICTURE_SUFFIXES = frozenset(
    {".apng", ".avif", ".avifs", ".bmp", ".gif", ".heic", ".heif", ".hif", ".ico", ".j2k"}
    | {".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pgm", ".png", ".pnm", ".ppm"}
    | {".psd", ".qoi", ".tga", ".tif", ".tiff", ".webp"}
)
VIDEO_SUFFIXES = frozenset(
    {".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"}
    | {".ogv", ".webm", ".wmv"}
)
DISCORD_HOSTS = ("cdn.discordapp.com", "media.discordapp.net")

_ATTACHMENT_PATH = re.compile(r"/(?:ephemeral-)?attachments/[0-9]+/([0-9]{1,20})/")
_BETWEEN_BARS = re.compile(r"\|\|(.+)\|\|", re.DOTALL)  # from the first ones to the last


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture that a message shows; a video is one, too.

    poster   addresses of a still picture of a video
    """

    slot: str
    urls: tuple[str, ...]  # where its bytes are, best first
    filename: str
    spoiler: bool
    kind: Kind
    size: int | None  # bytes, where Discord says so
    author_id: int
    posted_at: float  # Unix seconds
    title: str  # of the embed, or the attachment's description
    forwarded: bool = False  # shown by forwarding somebody else's message
    video: bool = False
    poster: tuple[str, ...] = ()

    @property
    def shown_by_discord(self) -> bool:
        """Whether an address of it can stand where a picture is to be seen; Lottie's JSON can't."""
        return not parts_of(self.urls[0]).path.endswith(".json")


def from_message(message: discord.Message) -> list[Picture]:
    """The pictures that a message shows, still and animated ones and videos, each once.

    The pictures of a forwarded message belong to the member who forwarded it.
    """
    found: dict[str, Picture] = {}
    bodies: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    for shown in bodies:
        for picture in _pictures_of_body(shown, message):
            if not picture.urls:
                continue
            earlier = found.get(picture.slot)
            # If the message hides it in one place, it is a spoiler.
            found[picture.slot] = picture if earlier is None else _spoiler_if(earlier, picture)
    return list(found.values())


def _spoiler_if(picture: Picture, other: Picture) -> Picture:
    return replace(picture, spoiler=picture.spoiler or other.spoiler)


def _pictures_of_body(
    shown: discord.Message | discord.MessageSnapshot, message: discord.Message
) -> Iterator[Picture]:
    """The pictures of one body of a message: its own, or that of a forwarded one."""
    common = {
        "author_id": message.author.id,
        "posted_at": message.created_at.timestamp(),
        "forwarded": shown is not message,
    }
    yield from _attachments(shown.attachments, common)
    yield from _embeds(shown.embeds, shown.content, common)
    yield from _stickers(shown.stickers, common)
    yield from _components(shown.components, False, common)


def from_attachment(attachment: discord.Attachment, author_id: int) -> Picture | None:
    """The picture, or video, that is attached to a command; None if it is neither."""
    common = {"author_id": author_id, "posted_at": 0.0}
    return next(_attachments([attachment], common), None)


def _attachments(
    attachments: Iterable[discord.Attachment], common: dict[str, Any]
) -> Iterator[Picture]:
    for attachment in attachments:
        video = is_video(attachment.content_type, attachment.filename)
        if video or is_picture(attachment.content_type, attachment.filename):
            yield Picture(
                slot=f"a:{attachment.id}",
                # The proxy has no parts of videos.
                urls=_distinct(attachment.url, None if video else attachment.proxy_url),
                video=video,
                poster=_posters(attachment.proxy_url) if video else (),
                filename=_without_surrogates(attachment.filename),
                spoiler=attachment.is_spoiler(),
                kind="attachment",
                size=attachment.size,
                title=_without_surrogates(attachment.description or attachment.title or ""),
                **common,
            )


def _embeds(
    embeds: Iterable[discord.Embed], content: str, common: dict[str, Any]
) -> Iterator[Picture]:
    """Image and thumbnail of each embed: links, articles, GIF services, other bots.

    A video takes the place of its still, whose slot it has. That of a site which plays it on a page
    of its own is no file; then the still counts.
    """
    spoiler = _hides_a_link(content)
    for embed in embeds:
        video = _video_of(embed)
        if video is not None:
            still = embed.thumbnail if embed.thumbnail.url else video
            yield Picture(
                slot=media_slot(still.url or ""),
                urls=_distinct(video.proxy_url, video.url),
                filename=filename_of(video.url or ""),
                spoiler=spoiler or video.flags.spoiler or still.flags.spoiler,
                kind="embed",
                size=None,
                title=_without_surrogates(embed.title or ""),
                video=True,
                poster=_distinct(still.proxy_url, still.url)
                if still is not video
                else _posters(video.proxy_url),
                **common,
            )
        for media in (embed.image, embed.thumbnail if video is None else None):
            if media and media.url and not is_video(None, media.url):
                yield Picture(
                    slot=media_slot(media.url),
                    # Discord's proxy has a copy; the original is on another site.
                    urls=_distinct(media.proxy_url, media.url),
                    filename=filename_of(media.url),
                    spoiler=spoiler or media.flags.spoiler,
                    kind="embed",
                    size=None,
                    title=_without_surrogates(embed.title or ""),
                    **common,
                )


def _hides_a_link(content: str) -> bool:
    """Whether a link may stand inside ||bars||; then all embeds of the message count as spoilers.

    Which embed belongs to which link can't be told: sites answer a short link under a long
    address, and Discord changes capitals, slashes and escapes. Which bars belong together can't be
    told either: that depends on code, quotes, lists and other marks around them. So a link counts
    as hidden if there are bars before and after it.
    """
    between = _BETWEEN_BARS.search(content)
    return between is not None and "://" in between[1]


def _stickers(stickers: Iterable[discord.StickerItem], common: dict[str, Any]) -> Iterator[Picture]:
    for sticker in stickers:
        yield Picture(
            slot=f"s:{sticker.id}",
            urls=(sticker.url,),
            filename=filename_of(sticker.url),
            spoiler=False,
            kind="sticker",
            size=None,
            title=_without_surrogates(sticker.name),
            **common,
        )


def _components(
    components: Iterable[Component], hidden: bool, common: dict[str, Any]
) -> Iterator[Picture]:
    """Media of components; `hidden` when a container around them is a spoiler."""
    for component in components:
        if isinstance(component, Container):
            yield from _components(component.children, hidden or component.spoiler, common)
        elif isinstance(component, SectionComponent):
            yield from _components([component.accessory], hidden, common)
        elif isinstance(component, MediaGalleryComponent):
            for item in component.items:
                spoiler = hidden or item.spoiler
                yield from _media(item.media, spoiler, item.description, common)
        elif isinstance(component, ThumbnailComponent):
            spoiler = hidden or component.spoiler
            yield from _media(component.media, spoiler, component.description, common)
        elif isinstance(component, FileComponent):
            name = component.name or filename_of(component.media.url)
            kind = component.media.content_type, name
            if is_picture(*kind) or is_video(*kind):
                spoiler = hidden or component.spoiler
                yield from _media(component.media, spoiler, None, common, component.size)


def _media(
    media: UnfurledMediaItem,
    spoiler: bool,
    description: str | None,
    common: dict[str, Any],
    size: int | None = None,
) -> Iterator[Picture]:
    if (media.content_type or "").startswith("audio/"):
        return
    video = is_video(media.content_type, filename_of(media.url))
    urls = (media.url, media.proxy_url) if video else (media.proxy_url, media.url)
    yield Picture(
        slot=f"a:{media.attachment_id}" if media.attachment_id else media_slot(media.url),
        urls=_distinct(*urls),
        video=video,
        poster=_posters(media.proxy_url) if video else (),
        filename=filename_of(media.url),
        spoiler=spoiler,
        kind="component",
        size=size,
        title=_without_surrogates(description or ""),
        **common,
    )


def is_picture(content_type: str | None, filename: str) -> bool:
    """Whether a file is a picture, by its type or, without one, by its name."""
    if content_type and not content_type.startswith("application/octet-stream"):
        return content_type.startswith("image/") and not content_type.startswith("image/svg")
    return PurePosixPath(filename.lower()).suffix in PICTURE_SUFFIXES


def is_video(content_type: str | None, filename: str) -> bool:
    """Whether a file is a video, by its type or, without one, by its name."""
    if content_type and not content_type.startswith("application/octet-stream"):
        return content_type.startswith("video/")
    return PurePosixPath(filename_of(filename).lower()).suffix in VIDEO_SUFFIXES


def _video_of(embed: discord.Embed) -> Any:
    """The video of an embed, if it is a file that Discord has a copy of; else None."""
    video = embed.video
    if not video.url or not is_video(None, video.url):
        return None
    return video if video.proxy_url or _is_discords(parts_of(video.url)) else None


def _posters(proxy_url: str | None) -> tuple[str, ...]:
    """Where the media proxy has a still picture of a video, as Discord's own apps show it."""
    if not proxy_url:
        return ()
    return (f"{proxy_url}{'&' if '?' in proxy_url else '?'}format=webp",)


def media_slot(url: str) -> str:
    """The slot of the media at `url`, from the parts of it that never change."""
    parts = parts_of(url)
    if _is_discords(parts):
        if attachment := _ATTACHMENT_PATH.search(parts.path):
            return f"a:{attachment[1]}"
        url = parts.path  # the query is only the signature
    return f"u:{hashlib.sha256(_without_surrogates(url).encode()).hexdigest()[:16]}"


def filename_of(url: str) -> str:
    """The last part of the URL's path, readable."""
    return PurePosixPath(unquote(_without_surrogates(parts_of(url).path))).name


def parts_of(url: str) -> SplitResult:
    """The parts of a URL; a text that is none is a path. Anybody may write URLs into an embed."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", url, "", "")


def _is_discords(parts: SplitResult) -> bool:
    # `Asset.BASE` is Discord's CDN, or the server that is used instead.
    return parts.netloc in (*DISCORD_HOSTS, urlsplit(discord.Asset.BASE).netloc)


def _distinct(*urls: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(url for url in urls if url))


def _without_surrogates(text: str) -> str:
    """The text without lone surrogates, which JSON allows and UTF-8 doesn't."""
    return text.encode(errors="replace").decode()
