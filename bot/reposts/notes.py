"""A quiet note below a picture that was posted before, where admins have asked for it.

It is a reply that pings nobody and notifies nobody. It tells only what everyone in the channel may
see. Messages are handed over when their pictures are in the gallery, so nothing waits for a note:
they wait in a bounded queue, and what doesn't fit gets none. A message is handed over again when
catching up reads it again, so a kill costs no note, and what is kept of notes lets none come twice.
A note goes when its picture does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord
from cachetools import LRUCache
from discord import ui
from discord.app_commands import Cooldown

from bot.access import permissions
from bot.access.sight import Sight
from bot.ask import layout, posted_cards
from bot.ask.draft import Draft
from bot.ask.page import ResultPage, ShownHit
from bot.ask.posted import hit_of
from bot.ask.results import Absent, Results
from bot.languages.speech import speaking
from bot.ops.background import Background
from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.platform.codes import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, RequestFailed, is_refusal
from bot.platform.interactions import NO_MENTIONS
from bot.platform.places import Place
from bot.platform.refusal import Refusal
from bot.platform.shards import Shards
from bot.sync.noted import Noted, home
from bot.sync.worker import Worker
from bot.sync.writer import Writer
from bot.text import copies as text
from index import (
    BookkeepingReader,
    Copy,
    Filter,
    GalleryClosed,
    GalleryError,
    Hit,
    Link,
    Links,
    Note,
    Searcher,
)

log = logging.getLogger(__name__)

MAX_WAITING = 64  # messages; with more, a note would come too late to be read
# At most NOTES notes come in a channel within NOTES_S seconds.
NOTES, NOTES_S = 5, 60.0
# An older message gets no note: it came late, by an edit, a full queue, or after an absence.
NEW_S = 300.0
# Who posts a picture again so soon corrects their own post.
OWN_AGAIN_S = 600.0
UNSENT = ""  # the id of a note that is being sent, or was when Magpie was killed
MOST_BELOW = 100  # messages below a picture among which such a note is looked for
MAX_FIRST = 8  # places that are looked up for one that is still there
REMEMBERED = 4_096  # channels, and messages that were looked at


@dataclass(frozen=True, slots=True)
class _Post:
    """A message whose pictures are in the gallery."""

    space: int
    group: int
    message: int

    @property
    def source(self) -> str:
        return str(self.message)


class Notes:
    """Writes notes, one after another, and deletes those whose picture is gone."""

    def __init__(
        self,
        client: discord.Client,
        searcher: Searcher,
        links: Links,
        bookkeeping: BookkeepingReader,
        writer: Writer,
        noted: Noted,
        results: Results,
        shards: Shards,
        clocks: Clocks,
    ) -> None:
        self._client = client
        self._searcher = searcher
        self._links = links
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._noted = noted
        self._results = results
        self._shards = shards
        self._clocks = clocks
        self._waiting: asyncio.Queue[_Post] = asyncio.Queue(MAX_WAITING)
        self._looked_at: LRUCache[int, None] = LRUCache(REMEMBERED)  # messages
        self._tried: LRUCache[int, None] = LRUCache(REMEMBERED)  # messages that were to get a note
        self._paces: LRUCache[int, Cooldown] = LRUCache(REMEMBERED)  # by channel
        self._writing = False
        self._sending: str | None = None  # the source below which a note is being sent
        self._background = Background()
        self._deleting = Worker(
            "loose_notes", self._delete_loose_notes, writer.erased, lambda: clocks.expire_s
        )

    @property
    def busy(self) -> bool:
        """Whether pictures wait, or one is being looked at, or notes are to be deleted."""
        return self._writing or not self._waiting.empty() or self._deleting.busy

    def start(self) -> None:
        self._background.begin(self._write_notes(), "notes")
        self._deleting.start()

    async def close(self) -> None:
        await self._background.close()
        await self._deleting.close()

    # ---- what happens

    def on_indexed(self, space: int, group: int, message: int) -> None:
        """Take over a message whose pictures are in the gallery now, unless it is old; never
        waits. A message may come again."""
        guild = self._client.get_guild(space)
        channel = guild and guild.get_channel_or_thread(group)
        if message in self._looked_at or not _is_new(message):
            return
        if self._noted.people(channel) is None:
            return
        self._looked_at[message] = None
        try:
            self._waiting.put_nowait(_Post(space, group, message))
        except asyncio.QueueFull:
            log.info(fields("note_left_out", guild=space, message=message))

    # ---- writing

    async def _write_notes(self) -> None:
        while True:
            post = await self._waiting.get()
            self._writing = True
            try:
                await self._consider(post)
            except GalleryClosed:
                return
            except (GalleryError, Refusal, *RequestFailed) as error:
                log.warning(fields("note_failed", message=post.message, why=repr(error)))
            except Exception:
                log.exception(fields("note_failed", message=post.message))
            finally:
                self._writing = False

    async def _consider(self, post: _Post) -> None:
        """Write a note below a message if one of its pictures was posted before, and none is kept
        yet."""
        guild = self._client.get_guild(post.space)
        channel = guild and guild.get_channel_or_thread(post.group)
        if guild is None or not isinstance(channel, Place) or not _is_new(post.message):
            return
        people = self._noted.people(channel)
        if people is None or not isinstance(channel, discord.abc.Messageable):
            return
        if await self._bookkeeping.note_below(post.space, post.source) is not None:
            return
        sight = Sight(self._client, self._clocks, guild.me, channel, time.monotonic(), public=True)
        if sight.outage:
            return
        groups = await self._links.groups(post.space)
        shared = permissions.shared_with_everyone_here(guild, channel, groups)
        open_ = await sight.look([group for group in groups if group.id in shared])
        filter = Filter(post.space, frozenset(open_), but_not_source=post.source)
        ids = await self._links.ids_of_source(post.space, post.source)
        there = await self._links.with_ids(post.space, list(ids.values()))
        for id, (link, _, _) in there.items():
            if link.details.get("kind") == "sticker":
                continue
            copies = await self._searcher.copies_of(id, filter)
            if not await self._deserves(channel, people, id, link, copies):
                continue
            if page := await self._page(link, copies):
                await self._write(channel, post, sight, page)
                return

    async def _deserves(
        self, channel: Place, people: int, id: int, link: Link, copies: Sequence[Copy]
    ) -> bool:
        """Whether a picture gets a note: others have posted it, and not everybody does."""
        if not any(_counts(copy.link, link) for copy in copies):
            return False
        if len({link.owner, *(copy.link.owner for copy in copies)}) >= people:
            return False
        shown = [id, *(copy.id for copy in copies)]
        return not await self._bookkeeping.passing(link.space, home(channel), shown)

    async def _page(self, link: Link, copies: Sequence[Copy]) -> ResultPage | None:
        """The first place that is still there, with the others as its copies."""
        earlier = [hit_of(copy.id, copy.link) for copy in copies if _is_before(copy.link, link)]
        earlier.sort(key=posted_cards.by_time)
        for looked_up, hit in enumerate(earlier[:MAX_FIRST], start=1):
            (now,) = await self._results.look_up([hit])
            if now is Absent.UNREADABLE:
                return None
            if isinstance(now, ShownHit):
                return ResultPage(shown=[replace(now, copies=tuple(earlier[looked_up:]))])
        return None

    async def _write(self, channel: Any, post: _Post, sight: Sight, page: ResultPage) -> None:
        pace = self._paces.setdefault(home(channel), Cooldown(NOTES, NOTES_S))
        if pace.update_rate_limit(time.monotonic()):
            log.info(fields("note_left_out", guild=post.space, message=post.message))
            return
        message = channel.get_partial_message(post.message)

        def lay_out(now: ResultPage) -> layout.Card:
            if not now.shown:
                raise Refusal(text.gone)
            return _note(post, now)

        draft = Draft(sight, page, None, self._is_there(post), self._results.now, lay_out)
        named = page.shown[0].hit.link.source
        note = Note(post.space, post.group, post.source, named, UNSENT)
        self._sending, self._tried[post.message] = note.source, None
        try:
            # Kept before it is sent: a note that is not known would outlive its picture.
            await self._writer.keep_note(note)
            with speaking(channel.guild.preferred_locale):
                sent = await draft.deliver(
                    lambda view: channel.send(
                        view=view,
                        reference=message.to_reference(),  # fails if the message is gone
                        mention_author=False,
                        allowed_mentions=NO_MENTIONS,
                        silent=True,
                    )
                )
            await self._writer.keep_note(replace(note, id=str(sent.id)))
        finally:
            self._sending = None
            self._writer.erased.set()  # the picture may have gone meanwhile

    def _is_there(self, post: _Post) -> Callable[[], bool]:
        return lambda: not self._writer.is_deleted(post.message)

    # ---- deleting

    async def _delete_loose_notes(self) -> float:
        """Delete notes below pictures that are gone; the seconds until it is done again, since a
        deletion may be found out late."""
        for note in await self._bookkeeping.notes_with_id(UNSENT):
            if self._shards.mine(note.space) and note.source != self._sending:
                await self._find(note)
        for note in await self._bookkeeping.loose_notes():
            if self._shards.mine(note.space) and note.id != UNSENT:
                await self._delete(note)
        return self._clocks.expire_s

    async def _find(self, note: Note) -> None:
        """Learn the id of a note of which it isn't known whether it was sent; forget it if it was
        not, and look again at a message for which only an earlier process has tried. If Discord
        doesn't answer, the next turn tries again."""
        assert self._client.user is not None
        channel = self._client.get_partial_messageable(note.group, guild_id=note.space)
        source = discord.Object(int(note.source))
        try:
            async for message in channel.history(after=source, limit=MOST_BELOW, oldest_first=True):
                above = message.reference and message.reference.message_id
                mine = message.author.id == self._client.user.id
                if mine and above == source.id and message.flags.silent:  # an answer isn't silent
                    await self._writer.keep_note(replace(note, id=str(message.id)))
                    return
        except RequestFailed as error:
            if _may_change(error):
                log.warning(fields("note_unknown", guild=note.space, reason=repr(error)))
                return
        await self._writer.forget_note(note)
        if (id := int(note.source)) not in self._tried:
            self._looked_at.pop(id, None)
            self.on_indexed(note.space, note.group, id)

    async def _delete(self, note: Note) -> None:
        """Delete a note, unless Discord doesn't answer; the next turn tries again."""
        channel = self._client.get_partial_messageable(note.group, guild_id=note.space)
        try:
            await channel.get_partial_message(int(note.id)).delete()
        except RequestFailed as error:
            if _may_change(error):
                log.warning(fields("note_undeleted", guild=note.space, reason=repr(error)))
                return
        await self._writer.forget_note(note)


def _may_change(error: Exception) -> bool:
    """Whether the same request may succeed later: neither is its target gone nor is it refused."""
    gone = getattr(error, "code", None) in (UNKNOWN_MESSAGE, UNKNOWN_CHANNEL)
    return not gone and not is_refusal(error)


def _is_new(message: int) -> bool:
    """Whether a message was posted just now, by its id."""
    return time.time() - discord.utils.snowflake_time(message).timestamp() < NEW_S


def _is_before(copy: Link, link: Link) -> bool:
    return int(copy.source) < int(link.source)


def _counts(copy: Link, link: Link) -> bool:
    """Whether a copy was posted before a picture, and not by the same member just before."""
    own = copy.owner == link.owner and link.posted_at - copy.posted_at <= OWN_AGAIN_S
    return _is_before(copy, link) and not own


def _note(post: _Post, page: ResultPage) -> layout.Card:
    """One line of small print, and a button for more that only who clicks will see."""
    [first] = page.shown
    hits: list[Hit] = [first.hit, *first.copies]
    spot = posted_cards.Spot(post.group, post.message)
    view = layout.Card()
    view.add_item(ui.TextDisplay(text.note(len(hits), layout.line(first))))
    view.add_item(ui.ActionRow(posted_cards.to_page(spot, text.details())))
    view.stop()
    return view
