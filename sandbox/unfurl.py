"""Links in messages become embeds, a moment later, by an edit; as on Discord.

Only what the sandbox itself serves is looked up: the made-up picture and page sites (see
`links.py`) and its own CDN and media proxy.
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
    """Look at the links of a message that was just posted or edited by somebody.

    by  the poster's permissions in the channel; without Embed Links nothing unfurls
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
    """The embed that a link unfurls to: a bare picture, or a page with one; None for neither."""
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
    if shown.width is None or not (shown.content_type or "").startswith("image/"):
        return None
    return {"type": "image", "url": link, "thumbnail": {"url": link}}


def _is_address(link: str) -> bool:
    """Whether it can be taken apart; people write anything behind https://."""
    try:
        return bool(urlsplit(link).netloc)
    except ValueError:
        return False
