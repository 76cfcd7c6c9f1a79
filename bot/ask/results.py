"""Hits → pictures to show. The message of each hit is read again first.

Reading it gives freshly signed URLs, and shows whether the picture still exists. A picture that was
deleted is erased from the gallery, and the next hit takes its place.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import logging
from collections.abc import Awaitable, Sequence
from functools import partial

import discord

from bot.ask.page import PAGE_SIZE, ResultPage, ShownHit
from bot.media import pictures
from bot.ops.logs import fields
from bot.platform.codes import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, RequestFailed
from bot.sync.erasure import Erasure
from bot.sync.ingest import Ingest
from bot.sync.left_out import LeftOut
from bot.sync.writer import Writer
from index import (
    Answer,
    Filter,
    Hit,
    Link,
    Links,
    Position,
    QueryEmbedding,
    Searcher,
    Sort,
    StoreError,
)

log = logging.getLogger(__name__)

# How many hits are taken for one page at first, and at most, if many were deleted while the bot was
# away.
FIRST_LOOKED_UP, MAX_LOOKED_UP = 12, 48
# Pictures into an answer from which one can go back page by page. From farther, one is led to the
# beginning: what comes before a page is ranked again.
FARTHEST_BACK = 600
MAX_PLACES = 10  # of a picture and its copies; each costs a request
READ_TIMEOUT_S = 10.0  # for one message; discord.py would retry for half a minute


class Absent(enum.Enum):
    """Why a hit is not shown."""

    DELETED = "deleted, or no longer with this picture; it was erased from the gallery"
    UNREADABLE = "Discord did not let it be read now"


class Results:
    """Finds hits and reads their messages again."""

    def __init__(
        self,
        client: discord.Client,
        searcher: Searcher,
        links: Links,
        writer: Writer,
        ingest: Ingest,
        erasure: Erasure,
        left_out: LeftOut,
    ) -> None:
        self._client = client
        self._searcher = searcher
        self._links = links
        self._writer = writer
        self._ingest = ingest
        self._erasure = erasure
        self._left_out = left_out

    async def page(
        self,
        embedding: QueryEmbedding,
        filter: Filter,
        after: Position | None = None,
        sort: Sort = Sort.BEST,
        *,
        guesses: bool = False,
    ) -> ResultPage:
        """The next `PAGE_SIZE` pictures of the answer that are still there.

        All of them are from one ranking. If deleted ones were replaced from a later one, a picture
        that changed between the two could be shown twice, and Discord refuses a menu in which two
        options are the same. So where too many of a few hits are gone, the whole page is made anew
        from more of them.

        after    where the page before ended; None: from the beginning
        guesses  also what doesn't fit
        """
        search = partial(
            self._searcher.search, embedding, filter, after=after, sort=sort, guesses=guesses
        )
        answer = await search(k=FIRST_LOOKED_UP)
        page = await self._first_there(answer, after, guesses=guesses)
        if len(page.shown) < PAGE_SIZE and answer.more:
            answer = await search(k=MAX_LOOKED_UP)
            page = await self._first_there(answer, after, guesses=guesses)
        return page

    async def _first_there(
        self, answer: Answer, after: Position | None, *, guesses: bool
    ) -> ResultPage:
        """The first `PAGE_SIZE` hits of a ranking that are still there."""
        rank = after.rank if after else 0
        page = ResultPage(
            after,
            after,
            guesses=guesses,
            verdict=answer.verdict,
            any=answer.searched > 0,
            truncated=answer.truncated,
        )
        looked_up = 0
        while len(page.shown) < PAGE_SIZE and looked_up < len(answer.hits):
            wanted = PAGE_SIZE - len(page.shown)
            hits = answer.hits[looked_up : looked_up + wanted]
            for now in await self._read_again(hits):
                rank += now is not Absent.DELETED
                page.unreadable += now is Absent.UNREADABLE
                if isinstance(now, ShownHit):
                    page.shown.append(now)
            page.end = dataclasses.replace(hits[-1].position, rank=rank)
            looked_up += len(hits)
        page.more = answer.more or looked_up < len(answer.hits)
        return page

    async def start_before(
        self,
        embedding: QueryEmbedding,
        filter: Filter,
        start: Position,
        sort: Sort = Sort.BEST,
        *,
        guesses: bool = False,
    ) -> Position | None:
        """Where the page begins that comes before the page at `start`; None: at the beginning.

        It is found in a new ranking, so links that came or went meanwhile move it a little.
        """
        if start.rank > FARTHEST_BACK:
            return None
        k = start.rank + PAGE_SIZE
        answer = await self._searcher.search(embedding, filter, k=k, sort=sort, guesses=guesses)
        ends = [place for place, hit in enumerate(answer.hits, start=1) if hit.id == start.link]
        before = ends[0] if ends else min(start.rank, len(answer.hits))
        if before <= PAGE_SIZE:
            return None
        return answer.hits[before - PAGE_SIZE - 1].position

    async def one(
        self,
        embedding: QueryEmbedding,
        filter: Filter,
        start: Position | None,
        link: int,
        sort: Sort = Sort.BEST,
        *,
        guesses: bool = False,
    ) -> ResultPage:
        """One picture of the page at `start`, as it is now; an empty page if it isn't there.

        It is looked for from the beginning where that isn't far: a question that is embedded again
        may move it by a place. Where a copy has become the first of its kind meanwhile, it is still
        the one that was asked for.
        """
        page, found = await self._with_link(embedding, filter, start, link, sort, guesses=guesses)
        return await self._filled(page, [one for hit in found for one in await self._as(hit, link)])

    async def places(
        self,
        embedding: QueryEmbedding,
        filter: Filter,
        start: Position | None,
        link: int,
        sort: Sort = Sort.BEST,
        *,
        guesses: bool = False,
    ) -> ResultPage:
        """The messages with a picture of the page at `start` and with its copies, oldest first, as
        far as they are still there; of many, the first `MAX_PLACES`. It is looked for as in `one`.
        """
        page, found = await self._with_link(embedding, filter, start, link, sort, guesses=guesses)
        copies = await self._copies(found) if found else {}
        hits = [one for hit in found for one in (hit, *copies[hit.id])]
        hits.sort(key=lambda hit: (hit.link.posted_at, hit.id))
        page.more = len(hits) > MAX_PLACES
        return await self._filled(page, hits[:MAX_PLACES])

    async def _with_link(
        self,
        embedding: QueryEmbedding,
        filter: Filter,
        start: Position | None,
        link: int,
        sort: Sort,
        *,
        guesses: bool,
    ) -> tuple[ResultPage, list[Hit]]:
        """A page that is still empty, and the hit that shows this link or a copy of it, if any."""
        near = start if start and start.rank > FARTHEST_BACK else None
        first = start.rank if start and not near else 0
        k = first + MAX_LOOKED_UP
        answer = await self._searcher.search(
            embedding, filter, k=k, after=near, sort=sort, guesses=guesses
        )
        page = ResultPage(start, guesses=guesses, verdict=answer.verdict)
        return page, [hit for hit in answer.hits if link in (hit.id, *hit.copies)]

    async def _as(self, hit: Hit, link: int) -> list[Hit]:
        """A hit with one of its copies in its place; none if that one is gone."""
        if hit.id == link:
            return [hit]
        links = await self._links.with_ids(hit.link.space, [link])
        copies = (hit.id, *(copy for copy in hit.copies if copy != link))
        return [
            dataclasses.replace(
                hit, id=link, link=there, copies=copies, says=None, frame=0, second=None
            )
            for there, _, _ in links.values()
        ]

    async def _filled(self, page: ResultPage, hits: Sequence[Hit]) -> ResultPage:
        """The page, with those of these hits that are still there."""
        for now in await self._read_again(hits):
            page.unreadable += now is Absent.UNREADABLE
            if isinstance(now, ShownHit):
                page.shown.append(now)
        return page

    def now(self, shown: ShownHit) -> ShownHit | None:
        """A hit as far as is known now; None when something has erased it since it was read.

        It is hidden if an edit has put it behind a spoiler since.
        """
        if not self.is_current(shown.hit.link, shown.as_of):
            return None
        copies = tuple(one for one in shown.copies if self.is_current(one.link, shown.as_of))
        picture = shown.picture
        if self._writer.hides(shown.hit.link) and not picture.spoiler:
            picture = dataclasses.replace(picture, spoiler=True)
        if picture is shown.picture and copies == shown.copies:
            return shown
        return dataclasses.replace(shown, picture=picture, copies=copies)

    def is_current(self, link: Link, as_of: int) -> bool:
        """Whether nothing is known that erased the picture since it was read `as_of` this change.

        as_of   `Writer.now` before that
        """
        if self._left_out.covers(link.space, link.owner, link.posted_at):
            return False
        return self._writer.is_current(link, as_of)

    async def look_up(self, hits: Sequence[Hit]) -> list[ShownHit | Absent]:
        """Each of these hits as its message shows it now."""
        return await self._read_again(hits)

    async def _read_again(self, hits: Sequence[Hit]) -> list[ShownHit | Absent]:
        """Each hit as its message shows it now: one request for each message, all at once, and
        meanwhile what the gallery knows beside it."""
        as_of = self._writer.now
        links = {hit.link.source: hit.link for hit in hits}
        read, copies, stills = await asyncio.gather(
            asyncio.gather(*(self._message(link, as_of) for link in links.values())),
            self._copies(hits),
            self._links.stills({hit.id: hit.frame for hit in hits}),
        )
        messages = dict(zip(links, read, strict=True))
        return [
            await self._shown(
                hit,
                messages[hit.link.source],
                as_of,
                copies=copies.get(hit.id, ()),
                still=stills.get(hit.id),
            )
            for hit in hits
        ]

    async def _copies(self, hits: Sequence[Hit]) -> dict[int, tuple[Hit, ...]]:
        """The near-copies of each hit that has some, as hits themselves. All are of one server."""
        ids = [id for hit in hits for id in hit.copies]
        links = await self._links.with_ids(hits[0].link.space, ids) if ids else {}
        return {
            hit.id: tuple(
                dataclasses.replace(
                    hit, id=id, link=links[id][0], copies=(), says=None, frame=0, second=None
                )
                for id in hit.copies
                if id in links
            )
            for hit in hits
        }

    async def _message(self, link: Link, as_of: int) -> discord.Message | Absent:
        """The message of `link`; if it was deleted, its pictures are erased."""
        channel = self._client.get_partial_messageable(link.group.id, guild_id=link.space)
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                message = await channel.fetch_message(int(link.source))
            self._ingest.observe_page([message], as_of)
            return message
        except discord.HTTPException as error:
            if error.code == UNKNOWN_MESSAGE:
                sources = [int(link.source)]
                erasing = self._writer.erase_messages(link.space, sources, patient=False)
                return await _erased(erasing, **_where(link))
            if error.code == UNKNOWN_CHANNEL and not self._is_known(link):
                erasing = self._erasure.erase_group(link.space, link.group.id)
                return await _erased(erasing, **_where(link))
            log.warning(fields("hit_unreadable", **_where(link), reason=error))
        except RequestFailed as error:  # the network, or a message that can't be read
            log.warning(fields("hit_unreadable", **_where(link), reason=repr(error)))
        return Absent.UNREADABLE

    def _is_known(self, link: Link) -> bool:
        """Whether the gateway still knows the channel; then "unknown channel" is a mistake."""
        guild = self._client.get_guild(link.space)
        return guild is None or guild.get_channel_or_thread(link.group.id) is not None

    async def _shown(
        self,
        hit: Hit,
        message: discord.Message | Absent,
        as_of: int,
        *,
        copies: tuple[Hit, ...],
        still: bytes | None,
    ) -> ShownHit | Absent:
        if isinstance(message, Absent):
            return message
        for picture in pictures.from_message(message):
            if picture.slot == hit.link.slot:
                return ShownHit(hit, picture, message, as_of, copies, still)
        if _stripped(message):
            return Absent.UNREADABLE
        known = await self._links.slots(hit.link.space, hit.link.source)
        kept = known - {hit.link.slot}
        erasing = self._writer.keep_slots(hit.link.space, message.id, kept, patient=False)
        return await _erased(erasing, **_where(hit.link), slot=hit.link.slot)


async def _erased(erasing: Awaitable[int], **where: object) -> Absent:
    """Erase a hit that was deleted. If the file can't be written now, the hit is only left out, and
    the next look at it erases it: an answer doesn't wait for the file."""
    try:
        await erasing
    except StoreError as error:
        log.warning(fields("hit_not_erased", **where, reason=error))
        return Absent.UNREADABLE
    log.info(fields("hit_erased", **where))
    return Absent.DELETED


def _where(link: Link) -> dict[str, object]:
    return {"guild": link.space, "channel": link.group.id, "message": link.source}


def _stripped(message: discord.Message) -> bool:
    """Whether a message has no content at all, as all have without the message content intent."""
    return not (
        message.content
        or message.attachments
        or message.embeds
        or message.components
        or message.stickers
        or message.message_snapshots
        or message.poll
    )
