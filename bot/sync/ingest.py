"""Messages → items that are ready to be committed: chooses, downloads and embeds their pictures.

Live messages (`live`) and pages of history (`history`) both pass here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import discord

from bot.media import pictures
from bot.media.contents import Contents
from bot.media.download import DownloadError, DownloadFailed, LinkExpired
from bot.media.pictures import Picture
from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.ops.tuning import Limits
from bot.platform.codes import UNKNOWN_MESSAGE, RequestFailed
from bot.sync.coverage import Coverage
from bot.sync.left_out import LeftOut
from bot.sync.writer import Item, ModelChange, Writer
from index import (
    GalleryClosed,
    Group,
    Link,
    Links,
    PictureEmbedder,
    PictureError,
    StoreError,
)

log = logging.getLogger(__name__)

PicturesBySlot: TypeAlias = Mapping[str, Picture]
KnownSlots: TypeAlias = Mapping[str, set[str]]  # slots in the gallery, by message
What: TypeAlias = Literal["missing", "everything", "model"]  # which pictures of history to read


@dataclass(frozen=True, slots=True)
class Post:
    """A message, and its pictures that are to be indexed."""

    space: int
    group: Group
    message: int
    pictures: tuple[Picture, ...]
    as_of: int  # `Writer.now` when the message was received, or before it was asked for
    coverage: Coverage | None = None  # of a live message, whose cursor waits for the pictures
    patient: bool = True  # raise an unforeseen error, so that the message is tried again


class Ingest:
    """Downloads and embeds the pictures of messages, which the writer then commits.

    read   is given the key and the bytes of each, and its server and channel; it must not wait
    """

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        model_change: ModelChange,
        embedder: PictureEmbedder,
        writer: Writer,
        contents: Contents,
        left_out: LeftOut,
        metrics: Metrics,
        limits: Limits,
        read: Callable[[bytes, bytes, tuple[int, int]], None],
    ) -> None:
        self._client = client
        self._links = links
        self._model_change = model_change
        self._embedder = embedder
        self._writer = writer
        self._contents = contents
        self._left_out = left_out
        self._metrics = metrics
        self._read = read
        self._history_at_once = asyncio.Semaphore(limits.history_at_once)
        self._on_their_way: dict[int, set[str]] = {}  # slots, by message
        self._announced: set[int] = set()

    @property
    def busy(self) -> bool:
        return bool(self._on_their_way or self._announced)

    def on_their_way(self, message: int) -> set[str]:
        """The slots of a message whose pictures are being downloaded or embedded."""
        return self._on_their_way.get(message, set())

    def announced(self, message: int) -> None:
        """A message was posted this moment, and its pictures wait for their turn. A page of history
        with it leaves them to that turn: watches judge what was posted, and not what is history."""
        self._announced.add(message)

    def finished(self, message: int) -> None:
        """The pictures of a message that was announced are on disk, or were given up."""
        self._announced.discard(message)

    def settled(self, page: Iterable[discord.Message]) -> list[int]:
        """The messages of a page that show pictures, without those that were announced and whose
        pictures still wait for their turn."""
        return [m.id for m in page if m.id not in self._announced and self.shown(m)]

    # ---- which pictures count

    def shown(self, message: discord.Message) -> PicturesBySlot:
        """The pictures of a message that count, by slot: not what its author wants left out.

        Magpie's own messages show pictures that are indexed where they were posted.
        """
        if self._client.user is not None and message.author.id == self._client.user.id:
            return {}
        guild = message.guild.id if message.guild else 0
        return {
            picture.slot: picture
            for picture in pictures.from_message(message)
            if not self._left_out.covers(guild, picture.author_id, picture.posted_at)
        }

    def observe_page(self, page: Iterable[discord.Message], as_of: int) -> None:
        """Let messages that were read `as_of` this change correct what is known of them.

        That concerns messages with an observed edit, and those whose pictures are on their way.
        About other messages nothing is remembered.
        """
        for message in page:
            if message.id in self._on_their_way or self._writer.has_observed(message.id):
                shown = self.shown(message)
                self._writer.observe_history(message.id, frozenset(shown), as_of, hidden(shown))

    async def drop_unshown(
        self, space: int, messages: Iterable[discord.Message], known: KnownSlots
    ) -> int:
        """Drop what these messages no longer show; returns how many pictures.

        known   the slots that the gallery has, by message
        """
        dropped = 0
        for message in messages:
            shown = self.shown(message).keys()
            if known.get(str(message.id), set()) - shown:
                dropped += await self.drop(space, message.id, shown)
        return dropped

    async def drop(self, space: int, message: int, shown: Collection[str]) -> int:
        """Drop the pictures of a message that it does not show; returns how many."""
        dropped = await self._writer.keep_slots(space, message, shown)
        if dropped:
            log.info(fields("dropped", guild=space, message=message, pictures=dropped))
            self._metrics.removed.inc(dropped)
        return dropped

    # ---- download and embedding

    async def read(
        self,
        space: int,
        group: Group,
        messages: Iterable[discord.Message],
        as_of: int,
        *,
        what: What = "missing",
        patient: bool = True,
    ) -> tuple[list[Item], int]:
        """The pictures of a page of history that are not in the gallery yet, to be committed; and
        those of which it lacks something. Messages that were announced are left out.

        as_of    `Writer.now` before the page was asked for
        what     "everything": also pictures that are in the gallery; "model": only pictures that
                 are in it and that the wanted model has not embedded
        patient  raise an unforeseen error, so that the page is tried again
        returns  the items, and how many pictures could not be had
        """
        posts = []
        for message in messages:
            if message.id in self._announced:
                continue
            shown = self.shown(message)
            known: set[str] = set()
            if shown and what == "missing":
                known = await self._links.slots(space, str(message.id))
                if known:
                    known -= await self._embedder.slots_pending(space, str(message.id))
            elif shown and what == "model":
                known = shown.keys() - await self._model_change.slots_left(space, str(message.id))
            if wanted := tuple(p for slot, p in shown.items() if slot not in known):
                posts.append(Post(space, group, message.id, wanted, as_of, patient=patient))
        taken = await asyncio.gather(*(self._take_in_turn(post) for post in posts))
        items = [item for some in taken for item in some]
        return items, sum(len(post.pictures) for post in posts) - len(items)

    async def _take_in_turn(self, post: Post) -> list[Item]:
        async with self._history_at_once:
            return await self.take(post)

    async def take(self, post: Post) -> list[Item]:
        """The pictures of a post, downloaded and embedded; those that fail are logged and left out.

        raises   GalleryClosed
        """
        if self._writer.is_deleted(post.message):
            return []
        on_their_way = self._on_their_way.setdefault(post.message, set())
        on_their_way.update(picture.slot for picture in post.pictures)
        try:
            return await self._take_all(post)
        finally:
            self._on_their_way.pop(post.message, None)

    async def _take_all(self, post: Post) -> list[Item]:
        """Try the URLs at hand first; where one has expired, try once more with a fresh one."""
        items: list[Item] = []
        expired: set[str] = set()
        for picture in post.pictures:
            try:
                items += await self._take_one(post, picture)
            except LinkExpired:
                expired.add(picture.slot)
        if not expired:
            return items
        message = await self.fetch_message(post.space, post.group, post.message)
        fresh = self.shown(message) if message is not None else {}
        for slot in expired & fresh.keys():
            try:
                items += await self._take_one(post, fresh[slot])
            except LinkExpired as error:
                self._failed(post, fresh[slot], error)
        return items

    async def _take_one(self, post: Post, picture: Picture) -> list[Item]:
        """The picture, ready to be committed, or nothing where it can't be had.

        raises   LinkExpired, GalleryClosed, StoreError; for a patient post anything unforeseen,
                 and DownloadFailed where Discord may have its own file again later
        """
        link = _link(post, picture)
        try:
            data = await self._contents.fetch(picture)
            with self._metrics.embedding.time():
                work = self._embedder.embed_picture(data, link)
                embedded = await self._writer.unless_erased(link, post.as_of, work)
            if embedded is None:
                return []
            self._read(embedded.key, data, (post.space, post.group.id))
        except (LinkExpired, GalleryClosed, StoreError):
            raise
        except Exception as error:
            expected = isinstance(error, DownloadError | PictureError)
            if post.patient and (not expected or _may_succeed_later(picture, error)):
                raise
            self._failed(post, picture, error)
            return []
        return [Item(embedded, link, post.as_of)]

    def _failed(self, post: Post, picture: Picture, error: Exception) -> None:
        self._metrics.failed.labels(type(error).__name__).inc()
        expected = isinstance(error, DownloadError | PictureError)
        where = {"guild": post.space, "channel": post.group.id, "message": post.message}
        log.log(
            logging.WARNING if expected else logging.ERROR,
            fields("picture_failed", **where, slot=picture.slot, file=picture.filename, why=error),
            exc_info=None if expected else error,
        )

    async def fetch_message(self, space: int, group: Group, message: int) -> discord.Message | None:
        """The message as it is now; None when it can't be read. A deleted one is erased."""
        channel = self._client.get_partial_messageable(group.id, guild_id=space)
        try:
            return await channel.fetch_message(message)
        except RequestFailed as error:
            if getattr(error, "code", None) == UNKNOWN_MESSAGE:
                await self._writer.erase_messages(space, [message])
            else:
                log.warning(fields("message_unread", guild=space, message=message, why=error))
        return None


def _may_succeed_later(picture: Picture, error: Exception) -> bool:
    """Whether Discord may have this file again later. Pictures of other sites often fail for good,
    with the same errors."""
    return picture.kind != "embed" and isinstance(error, DownloadFailed) and error.passing


def _link(post: Post, picture: Picture) -> Link:
    details: dict[str, object] = {"kind": picture.kind}
    if picture.title:
        details["title"] = picture.title
    if picture.forwarded:
        details["forwarded"] = True
    return Link(
        space=post.space,
        group=post.group,
        source=str(post.message),
        slot=picture.slot,
        owner=picture.author_id,
        posted_at=picture.posted_at,
        name=picture.filename,
        spoiler=picture.spoiler,
        details=details,
    )


def hidden(shown: PicturesBySlot) -> frozenset[str]:
    """The slots of the pictures that are behind a spoiler."""
    return frozenset(slot for slot, picture in shown.items() if picture.spoiler)
