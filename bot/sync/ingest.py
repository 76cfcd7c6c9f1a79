"""A picture's way from a message into the gallery; messages as they come, edits, deletions.

message → which pictures does it show → download → embed → one commit with the cursor.
Live messages wait in a bounded queue that serves servers in turn. When it is full, nothing is
dropped and nothing piles up: the channel falls behind, and is read again from its history when
there is room.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import aiohttp
import discord

from bot.media import pictures
from bot.media.download import DownloadError, DownloadFailed, LinkExpired
from bot.media.pictures import Picture
from bot.ops.logs import fields
from bot.recent import Recent
from bot.sync.coverage import Coverage, Move
from bot.sync.fair_queue import Turns
from bot.sync.watched import group_of
from bot.sync.writer import Item
from bot.text.replies import UNKNOWN_MESSAGE
from index import GalleryClosed, Group, Link, PictureError, StoreError

if TYPE_CHECKING:
    from bot.app import Magpie

log = logging.getLogger(__name__)

QUEUE_MESSAGES = 256  # some minutes of a busy server's pictures; a message is a few kB
QUEUE_RESERVE = 64  # of them for servers that have nothing waiting
LIVE_WORKERS = 4
# Messages of history whose pictures are on their way at once: enough for downloads to overlap
# with embedding and for batches to form (two of a CPU's), few enough that live pictures don't wait
# long for them.
HISTORY_AT_ONCE = 16
MAX_LATER = 100_000  # edits put off while the queue is full; some ids each
MAX_EDITS = 4_096  # more than can be on their way at once

Trouble = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError)  # of one request

Shown: TypeAlias = Mapping[str, Picture]  # by slot
Known: TypeAlias = Mapping[str, set[str]]  # slots in the gallery, by message
What: TypeAlias = Literal["missing", "everything", "model"]  # which pictures of history to read


@dataclass(frozen=True, slots=True)
class Post:
    """A message, and those of its pictures that are to be taken."""

    space: int
    group: Group
    message: int
    pictures: tuple[Picture, ...]
    coverage: Coverage | None = None  # of a live message: its cursor waits for it
    patient: bool = True  # an unforeseen failure is raised, to be tried again


class Ingest:
    """Takes pictures in. One straight line: `take` downloads and embeds, `Ledger` writes."""

    def __init__(self, client: Magpie) -> None:
        self._client = client
        self._queue: Turns[Post] = Turns(QUEUE_MESSAGES, QUEUE_RESERVE)
        self._history_slots = asyncio.Semaphore(HISTORY_AT_ONCE)
        self._taking: dict[int, set[str]] = {}  # slots on their way, by message
        self._later: Recent[tuple[int, Group]] = Recent(MAX_LATER)  # edits put off
        self._edits: Recent[int] = Recent(MAX_EDITS)  # the number of each message's latest edit
        self._numbers = itertools.count()
        self._workers: list[asyncio.Task[None]] = []

    @property
    def depth(self) -> int:
        """Messages that wait, edits put off among them."""
        return len(self._queue) + len(self._later)

    @property
    def busy(self) -> bool:
        return self.depth > 0 or bool(self._taking)

    def start(self) -> None:
        self._workers = [
            asyncio.create_task(self._work(), name=f"ingest-{number}")
            for number in range(LIVE_WORKERS)
        ]

    async def close(self) -> None:
        """Stop where it is; the cursors on disk stand before whatever was unfinished."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    # ---- what happens in a channel

    def on_message(self, message: discord.Message) -> None:
        """Queue the pictures of a new message in a watched channel."""
        if message.guild is None:
            return
        backlog, channel = self._client.backlog, message.channel
        if not self._client.watched.covers(channel):
            if isinstance(channel, discord.PartialMessageable):  # a thread not known yet
                backlog.on_stranger(message.guild, channel.id)
            return
        assert isinstance(channel, discord.Thread | discord.abc.GuildChannel)
        coverage = backlog.coverage(channel)
        shown = tuple(self.shown(message).values())
        if shown and self._queue.full(message.guild.id):
            backlog.read_again(channel)
            return
        coverage.hear(message.id)
        if shown:
            coverage.take(message.id)
            post = Post(message.guild.id, group_of(channel), message.id, shown, coverage)
            self._queue.put(message.guild.id, post)

    async def on_edit(self, edit: discord.RawMessageUpdateEvent) -> None:
        """Follow an edit: drop what is no longer shown, take what is new (a late unfurl)."""
        channel = edit.message.channel
        if edit.guild_id is None or not self._client.watched.covers(channel):
            return
        assert isinstance(channel, discord.Thread | discord.abc.GuildChannel)
        group = group_of(channel)
        number = self._numbered(edit.message_id)
        message: discord.Message | None = edit.message
        if not _is_whole(edit.data):
            message = await self._read_again(edit.guild_id, group, edit.message_id)
        if message is not None and self._edits.get(edit.message_id) == number:
            await self._follow(edit.guild_id, group, message)

    def _numbered(self, message: int) -> int:
        """A number by which to see whether another edit came meanwhile."""
        number = next(self._numbers)
        self._edits.put(message, number)
        return number

    async def on_delete(self, guild_id: int | None, messages: Sequence[int]) -> None:
        if guild_id is None or not self._client.watched.marks(guild_id):
            return
        gone = await self._client.ledger.forget_messages(guild_id, messages)
        if gone:
            log.info(fields("deleted", guild=guild_id, messages=len(messages), pictures=gone))
            self._client.metrics.removed.inc(gone)

    async def _follow(self, space: int, group: Group, message: discord.Message) -> None:
        """Bring the gallery to what a message shows now."""
        shown = self.shown(message)
        if not self._client.ledger.say(message.id, frozenset(shown)):
            return  # deleted meanwhile
        known = await self._client.gallery.slots(space, str(message.id))
        await self._drop(space, message.id, known, shown)
        on_their_way = self._taking.get(message.id, set())
        # one now behind a spoiler is written again, as such
        missing = [
            picture
            for slot, picture in shown.items()
            if slot not in known | on_their_way or (picture.spoiler and message.edited_at)
        ]
        if missing and self._queue.full(space):
            self._put_off(space, group, message.id)
        elif missing:
            self._queue.put(space, Post(space, group, message.id, tuple(missing)))

    async def _drop(
        self, space: int, message: int, known: Collection[str], shown: Collection[str]
    ) -> int:
        if not set(known) - set(shown):
            return 0
        dropped = await self._client.ledger.keep(space, message, list(shown))
        log.info(fields("dropped", guild=space, message=message, pictures=dropped))
        self._client.metrics.removed.inc(dropped)
        return dropped

    def _put_off(self, space: int, group: Group, message: int) -> None:
        """Remember an edit until the queue has room; its message is then read again."""
        self._later.put(message, (space, group))

    # ---- the queue

    async def _work(self) -> None:
        while True:
            await self._finish(await self._queue.get())
            while self._later and not self._queue:
                await self._look_again()

    async def _look_again(self) -> None:
        """Follow an edit that was put off, by reading its message."""
        message, (space, group) = self._later.popitem(last=False)
        number = self._numbered(message)
        try:
            now = await self._read_again(space, group, message)
            if now is not None and self._edits.get(message) == number:
                await self._follow(space, group, now)
        except GalleryClosed:
            return
        except Exception:
            log.exception(fields("edit_failed", guild=space, message=message))

    async def _finish(self, post: Post) -> None:
        """Take a queued post, write it, and let the cursor pass it."""
        try:
            items = await self.take(post)
            move = [Move(post.coverage, finishing=post.message)] if post.coverage else []
            if items:
                kept = await self._client.ledger.commit(items, move)
                self._client.metrics.add_pictures(kept)
        except GalleryClosed:
            return  # shutting down; the cursor stays before it
        except Exception as error:
            known = isinstance(error, DownloadError)
            log.log(
                logging.WARNING if known else logging.ERROR,
                fields("post_failed", guild=post.space, message=post.message, why=error),
                exc_info=None if known else error,
            )
            self._client.backlog.read_from(post.space, post.group.id, post.message)
        if post.coverage is not None:
            post.coverage.done(post.message)

    # ---- one message's pictures

    async def read(
        self,
        space: int,
        group: Group,
        messages: Iterable[discord.Message],
        *,
        what: What = "missing",
        patient: bool = True,
    ) -> tuple[list[Item], int]:
        """The pictures of a page of history that are not in the gallery yet, to be committed.

        what     "everything": also those that are in it; "model": only those that are, and that
                 the model which is to take over has not seen
        patient  raise what nobody expected, so that the page is tried again
        returns  those that could be taken, and how many could not
        """
        posts = []
        for message in messages:
            shown = self.shown(message)
            known: set[str] = set()
            if shown and what == "missing":
                known = await self._client.gallery.slots(space, str(message.id))
            elif shown and what == "model":
                known = shown.keys() - await self._client.gallery.slots_left(space, str(message.id))
            if wanted := tuple(p for slot, p in shown.items() if slot not in known):
                posts.append(Post(space, group, message.id, wanted, patient=patient))
        taken = await asyncio.gather(*(self._take_in_turn(post) for post in posts))
        items = [item for some in taken for item in some]
        return items, sum(len(post.pictures) for post in posts) - len(items)

    def saw(self, page: Iterable[discord.Message], words: int) -> None:
        """Let a page of history correct what edits said, and what pictures on their way show: of
        other messages nothing is to be corrected. See `Ledger.saw`."""
        for message in page:
            if message.id in self._taking or self._client.ledger.has_word_on(message.id):
                self._client.ledger.saw(message.id, frozenset(self.shown(message)), words)

    async def drop_unshown(
        self, space: int, messages: Iterable[discord.Message], known: Known
    ) -> int:
        """Drop what the messages of a page no longer show; returns how many pictures."""
        dropped = 0
        for message in messages:
            there = known.get(str(message.id), set())
            dropped += await self._drop(space, message.id, there, self.shown(message).keys())
        return dropped

    def shown(self, message: discord.Message) -> Shown:
        """The pictures of a message that count, by slot: not those of people who opted out.

        Magpie's own messages show pictures that are indexed where they were posted.
        """
        if self._client.user is not None and message.author.id == self._client.user.id:
            return {}
        guild = message.guild.id if message.guild else 0
        out = self._client.opted_out
        return {
            picture.slot: picture
            for picture in pictures.from_message(message)
            if (guild, picture.author_id) not in out
        }

    async def _take_in_turn(self, post: Post) -> list[Item]:
        async with self._history_slots:
            return await self.take(post)

    async def take(self, post: Post) -> list[Item]:
        """Download and embed the pictures of a post; those that fail are logged and left out.

        raises   GalleryClosed
        """
        if self._client.ledger.is_gone(post.message):
            return []
        on_their_way = self._taking.setdefault(post.message, set())
        on_their_way.update(picture.slot for picture in post.pictures)
        try:
            return await self._take_all(post)
        finally:
            self._taking.pop(post.message, None)

    async def _take_all(self, post: Post) -> list[Item]:
        """First with the links at hand; those that have expired once more with fresh ones."""
        items: list[Item] = []
        expired: set[str] = set()
        for picture in post.pictures:
            try:
                items += await self._take_one(post, picture)
            except LinkExpired:
                expired.add(picture.slot)
        if not expired:
            return items
        message = await self._read_again(post.space, post.group, post.message)
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
        try:
            data = await self._client.downloader.fetch(picture)
            with self._client.metrics.embedding.time():
                embedded = await self._client.gallery.embed_picture(data)
        except (LinkExpired, GalleryClosed, StoreError):
            raise
        except Exception as error:
            expected = isinstance(error, DownloadError | PictureError)
            if post.patient and (not expected or _may_come(picture, error)):
                raise
            self._failed(post, picture, error)
            return []
        return [(embedded, _link(post, picture))]

    def _failed(self, post: Post, picture: Picture, error: Exception) -> None:
        self._client.metrics.failed.labels(type(error).__name__).inc()
        known = isinstance(error, DownloadError | PictureError)
        where = {"guild": post.space, "channel": post.group.id, "message": post.message}
        log.log(
            logging.WARNING if known else logging.ERROR,
            fields("picture_failed", **where, slot=picture.slot, file=picture.filename, why=error),
            exc_info=None if known else error,
        )

    async def _read_again(self, space: int, group: Group, message: int) -> discord.Message | None:
        """The message as it is now; None (and forgotten) when it is gone or closed to us."""
        channel = self._client.get_partial_messageable(group.id, guild_id=space)
        try:
            return await channel.fetch_message(message)
        except Trouble as error:
            if getattr(error, "code", None) == UNKNOWN_MESSAGE:
                await self._client.ledger.forget_messages(space, [message])
            else:
                log.warning(fields("message_unread", guild=space, message=message, why=error))
        return None


def _may_come(picture: Picture, error: Exception) -> bool:
    """Whether a file that lies with Discord itself failed for now. Other sites' pictures often
    fail for good, and say so in no other way."""
    return picture.kind != "embed" and isinstance(error, DownloadFailed) and error.passing


def _is_whole(data: Mapping[str, object]) -> bool:
    """Whether an edit's payload has all that pictures can be in."""
    return {"attachments", "embeds", "author"} <= data.keys()


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
