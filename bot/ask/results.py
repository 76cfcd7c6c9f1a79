"""Hits → a message to look at: each picture read again, shown with its author, place and date.

Nothing is shown from memory. A hit's message is read from Discord right before, which signs
its URLs again and tells whether it is still there; what is gone leaves the gallery, and the
next best takes its place.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import ui

from bot.media import pictures
from bot.media.pictures import Picture
from bot.ops.logs import fields
from bot.sync.erasure import forget_group
from bot.text.replies import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, quoted
from index import Filter, Hit, Link, Position, QueryEmbedding, StoreError

if TYPE_CHECKING:
    from bot.app import Magpie

log = logging.getLogger(__name__)

# Two rows of three in Discord's media gallery, which holds ten; the page, with a line and a
# button a picture, is 24 of the 40 components a message may have. Each picture costs a request.
PAGE_SIZE = 6
# How many hits one page may look up, should many have been deleted unseen.
MAX_LOOKED_UP = 48
READ_TIMEOUT_S = 10.0  # for one message; discord.py alone would go on for half a minute
IRIDESCENT = 0x2F7F86  # a magpie's wing

Button = ui.Item[Any]


class Absent(enum.Enum):
    GONE = "deleted, or no longer with this picture; it was erased from the gallery"
    UNREADABLE = "Discord did not let it be read now"


@dataclass(frozen=True, slots=True)
class Shown:
    """A hit, and its picture as its message has it now."""

    hit: Hit
    picture: Picture
    message: discord.Message


@dataclass(slots=True)
class Page:
    """Some of a ranking, from `first` (0 is the best) up to `next`."""

    first: int
    next: int
    more: bool = False
    shown: list[Shown] = field(default_factory=list)
    unreadable: int = 0
    truncated: str | None = None  # the words that were read, where the text was too long


# ── Reading again ────────────────────────────────────────────────────────────────────────


async def page(
    client: Magpie,
    space: int,
    embedding: QueryEmbedding,
    groups: Collection[int],
    first: int = 0,
    *,
    but_not_source: str | None = None,
) -> Page:
    """The next `PAGE_SIZE` pictures of the ranking that are still there.

    What is erased on the way moves the rest of the ranking up, so `next` counts only hits
    that stay in it.
    """
    found = Page(first, first)
    filter = Filter(space, frozenset(groups), but_not_source=but_not_source)
    after = await _end_of(client, embedding, filter, first)
    looked_up = 0
    while len(found.shown) < PAGE_SIZE and looked_up < MAX_LOOKED_UP:
        answer = await client.gallery.search(
            embedding, filter, k=PAGE_SIZE - len(found.shown), after=after
        )
        for now in await _read_again(client, answer.hits):
            found.next += now is not Absent.GONE
            found.unreadable += now is Absent.UNREADABLE
            if isinstance(now, Shown):
                found.shown.append(now)
        if answer.hits:
            after = replace(answer.hits[-1].position, rank=found.next)
        looked_up += len(answer.hits)
        found.more, found.truncated = answer.more, answer.truncated
        if not answer.more:
            break
    return found


async def _end_of(
    client: Magpie, embedding: QueryEmbedding, filter: Filter, first: int
) -> Position | None:
    """Where the first so many hits end."""
    if not first:
        return None
    answer = await client.gallery.search(embedding, filter, k=first)
    return answer.hits[-1].position if answer.hits else None


async def _read_again(client: Magpie, hits: Sequence[Hit]) -> list[Shown | Absent]:
    """Each hit as its message shows it now; one request a message, all at once."""
    links = {hit.link.source: hit.link for hit in hits}
    read = await asyncio.gather(*(_message(client, link) for link in links.values()))
    messages = dict(zip(links, read, strict=True))
    return [await _shown(client, hit, messages[hit.link.source]) for hit in hits]


async def _message(client: Magpie, link: Link) -> discord.Message | Absent:
    """The message of `link`; when it is deleted, its pictures leave the gallery."""
    channel = client.get_partial_messageable(link.group.id, guild_id=link.space)
    try:
        words = client.ledger.words
        async with asyncio.timeout(READ_TIMEOUT_S):
            message = await channel.fetch_message(int(link.source))
        client.ingest.saw([message], words)
        return message
    except discord.HTTPException as error:
        if error.code == UNKNOWN_MESSAGE:
            sources = [int(link.source)]
            erasing = client.ledger.forget_messages(link.space, sources, patient=False)
            return await _erased(erasing, **_where(link))
        if error.code == UNKNOWN_CHANNEL and not _known(client, link):
            erasing = forget_group(client, link.space, link.group.id)
            return await _erased(erasing, **_where(link))
        log.warning(fields("hit_unreadable", **_where(link), reason=error))
    except (aiohttp.ClientError, OSError, TimeoutError) as error:  # the network
        log.warning(fields("hit_unreadable", **_where(link), reason=repr(error)))
    return Absent.UNREADABLE


async def _erased(erasing: Awaitable[int], **where: object) -> Absent:
    """Erase what is gone. Where the file can't be written now it is only not shown: the answer
    doesn't wait, and the next look erases it."""
    try:
        await erasing
    except StoreError as error:
        log.warning(fields("hit_not_erased", **where, reason=error))
        return Absent.UNREADABLE
    log.info(fields("hit_gone", **where))
    return Absent.GONE


def _where(link: Link) -> dict[str, object]:
    return {"guild": link.space, "channel": link.group.id, "message": link.source}


def _known(client: Magpie, link: Link) -> bool:
    """Whether the gateway still knows the channel; then "unknown channel" is a hiccup."""
    guild = client.get_guild(link.space)
    return guild is None or guild.get_channel_or_thread(link.group.id) is not None


async def _shown(client: Magpie, hit: Hit, message: discord.Message | Absent) -> Shown | Absent:
    if isinstance(message, Absent):
        return message
    for picture in pictures.from_message(message):
        if picture.slot == hit.link.slot:
            return Shown(hit, picture, message)
    if _stripped(message):
        return Absent.UNREADABLE
    known = await client.gallery.slots(hit.link.space, hit.link.source)
    kept = known - {hit.link.slot}
    erasing = client.ledger.keep(hit.link.space, message.id, kept, patient=False)
    return await _erased(erasing, **_where(hit.link), slot=hit.link.slot)


def _stripped(message: discord.Message) -> bool:
    """Whether the message is wholly empty: without the content intent, all of them are."""
    return not (
        message.content
        or message.attachments
        or message.embeds
        or message.components
        or message.stickers
        or message.message_snapshots
        or message.poll
    )


# ── Laying out ───────────────────────────────────────────────────────────────────────────


def layout(
    found: Page,
    *,
    heading: str,
    notes: Sequence[str],
    similar: Callable[[int], Button],
    actions: Sequence[Button],
) -> ui.LayoutView:
    """A card: what was asked, the pictures in a gallery, a line and a button for each.

    similar   link id → the button that looks for more like it
    actions   buttons below
    """
    numbered = list(enumerate(found.shown, start=found.first + 1))
    card: ui.Container[Any] = ui.Container(accent_colour=IRIDESCENT)
    card.add_item(ui.TextDisplay(heading))
    card.add_item(ui.MediaGallery(*(_item(number, shown) for number, shown in numbered)))
    for number, shown in numbered:
        card.add_item(ui.Section(_line(number, shown), accessory=similar(shown.hit.id)))
    _close(card, notes, actions)
    return _view(card)


def notice(
    sentences: Sequence[str], *, notes: Sequence[str] = (), actions: Sequence[Button] = ()
) -> ui.LayoutView:
    """A card with sentences only, and what can be done now."""
    card: ui.Container[Any] = ui.Container(accent_colour=IRIDESCENT)
    card.add_item(ui.TextDisplay("\n".join(sentences)))
    _close(card, notes, actions)
    return _view(card)


def _view(card: ui.Container[Any]) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(card)
    view.stop()  # its buttons are dynamic: nothing to listen for, nothing to remember
    return view


def _close(card: ui.Container[Any], notes: Sequence[str], actions: Sequence[Button]) -> None:
    if notes:
        card.add_item(ui.Separator())
        card.add_item(ui.TextDisplay("\n".join(f"-# {note}" for note in notes)))
    for start in range(0, len(actions), 5):  # a row holds five
        card.add_item(ui.ActionRow(*actions[start : start + 5]))


def _item(number: int, shown: Shown) -> discord.MediaGalleryItem:
    picture = shown.picture
    name = picture.title or picture.filename or "a picture"
    return discord.MediaGalleryItem(
        picture.urls[0],
        description=f"{number}: {name}, from {shown.message.author.display_name}"[:256],
        spoiler=_hidden(shown),
    )


def _hidden(shown: Shown) -> bool:
    """A spoiler stays one: as its message says now, or as it said when it was indexed."""
    return shown.picture.spoiler or shown.hit.link.spoiler


def _line(number: int, shown: Shown) -> str:
    message = shown.message
    when = discord.utils.format_dt(message.created_at, "D")
    told = shown.picture.title and not _hidden(shown)
    title = f" {quoted(shown.picture.title, 60)} ·" if told else ""
    return (
        f"**{number}** ·{title} {message.author.mention} in <#{message.channel.id}>\n"
        f"-# {when} · [go to message]({message.jump_url})"
    )
