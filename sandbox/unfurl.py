"""Embeds of links in messages. As on Discord, they come a moment later, by an edit.

Only addresses that the sandbox itself serves are looked up: the invented sites (see `links.py`),
its own CDN and its media proxy.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit

from . import permissions
from .core import Core
from .links import PAGE_SITE
from .world import SUPPRESS_EMBEDS, Message

LINK = re.compile(r"(?<!<)https?://[^\s<>|]*[^\s<>|.,;:!?'\")]")
MAX_LINKS = 5


def start(core: Core, message: Message, by: int) -> None:
    """Look up the links of a message that was just posted or edited.

    by  the poster's permissions in the channel; without Embed Links there are no embeds
    """
    if not by & permissions.EMBED_LINKS or message.flags & SUPPRESS_EMBEDS:
        return
    if LINK.search(message.content):
        core.spawn(_later(core, message, message.content))


async def _later(core: Core, message: Message, content: str) -> None:
    await asyncio.sleep(core.clocks.unfurl_s)
    links = list(dict.fromkeys(LINK.findall(content)))[:MAX_LINKS]
    known = {embed.get("url") for embed in message.embeds}
    found = [embed for link in links if link not in known and (embed := embed_of(core, link))]
    still_there = core.find_message(message.channel_id, message.id) is message
    if found and still_there and message.content == content:
        message.embeds = [*message.embeds, *found]
        core.change(message)
        await core.journal.flush()


def embed_of(core: Core, link: str) -> dict[str, Any] | None:
    """The embed of a link to a picture, or to a page with a picture; None for other links."""
    if not _is_address(link):
        return None
    if link.startswith(PAGE_SITE) and (path := core.links.file_at(link)):
        return {
            "type": "article",
            "url": link,
            "title": path.stem.replace("-", " ").replace("_", " "),
            "description": "A page with a picture.",
            "provider": {"name": "Pages"},
            "thumbnail": {"url": f"media:{path.relative_to(core.world.folder.resolve())}"},
        }
    shown = core.links.shown(link)
    if shown.width is not None and (shown.content_type or "").startswith("video/"):
        return {"type": "video", "url": link, "video": {"url": link}}
    if shown.width is None or not (shown.content_type or "").startswith("image/"):
        return None
    return {"type": "image", "url": link, "thumbnail": {"url": link}}


def _is_address(link: str) -> bool:
    """Whether it can be parsed: people write anything after https://."""
    try:
        return bool(urlsplit(link).netloc)
    except ValueError:
        return False
