"""What happens in watched channels while the bot is connected: messages, edits, deletions.

Messages with pictures wait in a bounded queue that serves servers in turn. When it is full, no
picture is lost: the channel is noted as behind, and its history is read when there is room.
"""

from __future__ import annotations

import itertools
import logging
from collections import OrderedDict
from collections.abc import Callable, Container, Mapping, Sequence

import discord
from cachetools import LRUCache

from bot.media.download import DownloadError
from bot.ops.background import Background
from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.ops.tuning import Limits
from bot.platform.places import group_of
from bot.sync.backlog import Backlog
from bot.sync.coverage import Move
from bot.sync.fair_queue import FairQueue
from bot.sync.ingest import Ingest, Post, hidden
from bot.sync.watched import Watched
from bot.sync.writer import Writer
from index import GalleryClosed, Group, Links

log = logging.getLogger(__name__)

MAX_PUT_OFF = 100_000  # edits that wait while the queue is full; each is three ids
MAX_EDITS = 4_096  # numbers of edits that are remembered; far fewer are handled at once


class Live:
    """Follows the events of watched channels.

    indexed   told of each message whose pictures were written, by server, channel or thread, and
              its id; it must not wait
    """

    def __init__(
        self,
        links: Links,
        writer: Writer,
        watched: Watched,
        backlog: Backlog,
        ingest: Ingest,
        metrics: Metrics,
        limits: Limits,
        indexed: Callable[[int, int, int], None],
    ) -> None:
        self._links = links
        self._writer = writer
        self._watched = watched
        self._backlog = backlog
        self._ingest = ingest
        self._metrics = metrics
        self._limits = limits
        self._indexed = indexed
        self._queue: FairQueue[Post] = FairQueue(limits.queue_messages, limits.queue_reserve)
        self._put_off: OrderedDict[int, tuple[int, Group]] = OrderedDict()  # edits, by message
        # The number of each message's latest edit.
        self._edits: LRUCache[int, int] = LRUCache(MAX_EDITS)
        self._edit_numbers = itertools.count()
        self._background = Background()

    @property
    def depth(self) -> int:
        """How many messages and edits wait."""
        return len(self._queue) + len(self._put_off)

    def waiting(self, groups: Container[int]) -> int:
        """How many messages and edits of these groups wait."""
        waiting = itertools.chain(
            (post.group for post in self._queue), (group for _, group in self._put_off.values())
        )
        return sum(group.id in groups for group in waiting)

    @property
    def busy(self) -> bool:
        """Whether messages wait, or pictures are on their way."""
        return self.depth > 0 or self._ingest.busy

    def start(self) -> None:
        for number in range(self._limits.live_workers):
            self._background.begin(self._work(), f"live-{number}")

    async def close(self) -> None:
        """Stop at once; the cursors on disk are before everything that is unfinished."""
        await self._background.close()

    # ---- what happens in a channel

    def on_message(self, message: discord.Message) -> None:
        """Queue the pictures of a new message in a watched channel."""
        if message.guild is None:
            return
        backlog, channel = self._backlog, message.channel
        if not self._watched.covers(channel):
            if isinstance(
                channel, discord.PartialMessageable
            ):  # a thread that Discord has not announced
                backlog.on_unknown_channel(message.guild, channel.id)
            return
        assert isinstance(channel, discord.Thread | discord.abc.GuildChannel)
        coverage = backlog.coverage(channel)
        shown = tuple(self._ingest.shown(message).values())
        if shown and self._queue.full(message.guild.id):
            backlog.enqueue_missed(channel)
            return
        coverage.observe(message.id)
        if shown:
            coverage.take(message.id)
            self._ingest.announced(message.id)
            post = Post(
                message.guild.id, group_of(channel), message.id, shown, self._writer.now, coverage
            )
            self._queue.put(message.guild.id, post)

    async def on_edit(self, edit: discord.RawMessageUpdateEvent) -> None:
        """Follow an edit: drop the pictures that are no longer shown, index those that are new.

        The late preview of a link is an edit, too.
        """
        whole = edit.message if _is_whole(edit.data) else None
        await self._on_edit(edit.message.channel, edit.message_id, whole)

    async def on_unread_edit(self, channel: object, message: int) -> None:
        """Follow an edit that could not be read, by reading its message."""
        await self._on_edit(channel, message, None)

    async def _on_edit(self, channel: object, id: int, message: discord.Message | None) -> None:
        """Follow an edit; its message is asked for if it didn't come with it."""
        if not self._watched.covers(channel):
            return
        assert isinstance(channel, discord.Thread | discord.abc.GuildChannel)
        space, group = channel.guild.id, group_of(channel)
        number = self._numbered(id)
        as_of = self._writer.now
        if message is None:
            message = await self._ingest.fetch_message(space, group, id)
        if message is not None and self._edits.get(id) == number:
            await self._follow(space, group, message, as_of)

    def _numbered(self, message: int) -> int:
        """A number for this edit; it is the message's latest until another edit comes."""
        number = next(self._edit_numbers)
        self._edits[message] = number
        return number

    async def on_delete(self, guild_id: int | None, messages: Sequence[int]) -> None:
        """Erase deleted messages; in each server if nothing tells theirs: ids are unique."""
        for guild in self._watched.guilds() if guild_id is None else [guild_id]:
            await self._erase(guild, messages)

    async def _erase(self, guild_id: int, messages: Sequence[int]) -> None:
        if not self._watched.marks(guild_id):
            return
        erased = await self._writer.erase_messages(guild_id, messages)
        if erased:
            log.info(fields("deleted", guild=guild_id, messages=len(messages), pictures=erased))
            self._metrics.removed.inc(erased)

    async def _follow(self, space: int, group: Group, message: discord.Message, as_of: int) -> None:
        """Make the gallery match a message that was read `as_of` this change."""
        shown = self._ingest.shown(message)
        if not self._writer.observe(message.id, frozenset(shown), hidden(shown)):
            return  # deleted meanwhile
        await self._ingest.drop(space, message.id, shown)
        known = await self._links.slots(space, str(message.id))
        on_their_way = self._ingest.on_their_way(message.id)
        # A picture that is behind a spoiler since the edit is written again, as such.
        missing = [
            picture
            for slot, picture in shown.items()
            if slot not in known | on_their_way or (picture.spoiler and message.edited_at)
        ]
        if missing and self._queue.full(space):
            self._read_later(space, group, message.id)
        elif missing:
            self._queue.put(space, Post(space, group, message.id, tuple(missing), as_of))

    def _read_later(self, space: int, group: Group, message: int) -> None:
        """Remember an edit until the queue has room; its message is then read again."""
        self._put_off[message] = (space, group)
        self._put_off.move_to_end(message)
        if len(self._put_off) > MAX_PUT_OFF:
            self._put_off.popitem(last=False)

    # ---- the queue

    async def _work(self) -> None:
        while True:
            await self._finish(await self._queue.get())
            while self._put_off and not self._queue:
                await self._follow_put_off()

    async def _follow_put_off(self) -> None:
        """Follow an edit that was put off, by reading its message."""
        message, (space, group) = self._put_off.popitem(last=False)
        number, as_of = self._numbered(message), self._writer.now
        try:
            now = await self._ingest.fetch_message(space, group, message)
            if now is not None and self._edits.get(message) == number:
                await self._follow(space, group, now, as_of)
        except GalleryClosed:
            return
        except Exception:
            log.exception(fields("edit_failed", guild=space, message=message))

    async def _finish(self, post: Post) -> None:
        """Take a queued post, write it, and let the cursor pass it."""
        try:
            items = await self._ingest.take(post)
            created = post.coverage is not None
            move = [Move(post.coverage, finishing=post.message)] if post.coverage else []
            if items:
                written = await self._writer.commit(items, move, new=True, announced=created)
                self._metrics.add_pictures(post.group.id, written)
                if written:
                    self._indexed(post.space, post.group.id, post.message)
        except GalleryClosed:
            return  # closing; the cursor stays before the message
        except Exception as error:
            expected = isinstance(error, DownloadError)
            log.log(
                logging.WARNING if expected else logging.ERROR,
                fields("post_failed", guild=post.space, message=post.message, why=error),
                exc_info=None if expected else error,
            )
            self._backlog.read_from(post.space, post.group.id, post.message)
        if post.coverage is not None:
            post.coverage.done(post.message)
            self._ingest.finished(post.message)


def _is_whole(data: Mapping[str, object]) -> bool:
    """Whether an edit's payload has all the fields that hold pictures."""
    return {"attachments", "embeds", "author"} <= data.keys()
