"""New pictures → the watches that they fit → notices, which `deliveries` sends.

What is to be judged waits in the gallery, where it came with its picture; so nothing holds up new
pictures, and a restart loses nothing. One after another is screened by all watches of its server.
Each that it may fit judges it among what its owner may read at that moment.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace

import discord

from bot.access.sight import Sight
from bot.ask.names import narrowed
from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.platform.codes import RequestFailed, is_deleted, is_rejection
from bot.platform.places import Place
from bot.platform.shards import Shards
from bot.sync.worker import Worker
from bot.sync.writer import Writer
from bot.watches import reasons
from bot.watches.choices import Choices
from bot.watches.owners import Owners
from index import (
    Filter,
    GalleryClosed,
    Group,
    Judged,
    Judging,
    Links,
    ModelChanged,
    Notice,
    StoreError,
    Unjudged,
    Watch,
    Watching,
    WatchReader,
)

log = logging.getLogger(__name__)

PAGE = 100  # pictures that are asked for at once
# A bar is kept anew when it is compared with so much more or less, or has moved by so much.
MOVED_SHARE, MOVED = 0.1, 0.005


class NotNow(Exception):
    """Discord doesn't tell now what must be known; it is tried again later."""


@dataclass(frozen=True, slots=True)
class _Owner:
    """A member with watches, as Discord told of them at some moment of the monotonic clock."""

    member: discord.Member | None  # None: they have left
    asked_at: float


class Judge:
    """Judges new pictures by watches.

    reads_words   whether the words in pictures are read
    """

    def __init__(
        self,
        client: discord.Client,
        watching: Watching,
        watches: WatchReader,
        links: Links,
        owners: Owners,
        writer: Writer,
        clocks: Clocks,
        shards: Shards,
        *,
        reads_words: bool,
    ) -> None:
        self._client = client
        self._watching = watching
        self._watches = watches
        self._links = links
        self._owners = owners
        self._writer = writer
        self._clocks = clocks
        self._shards = shards
        self._reads_words = reads_words
        self._worker = Worker(
            "watches", self._judge_all, writer.to_judge, lambda: clocks.watch_again_s
        )

    @property
    def busy(self) -> bool:
        """Whether new pictures are being judged, or wait for that."""
        return self._worker.busy

    def start(self) -> None:
        self._worker.start()

    async def close(self) -> None:
        await self._worker.close()

    # ---- the work

    async def _judge_all(self) -> float:
        """Judge what can be judged; the seconds until what could not is tried again."""
        if not self._watching.ready:
            return self._clocks.watch_again_s
        await self._embed_again()
        await self._writer.drop_unjudged(time.time() - self._clocks.new_s)
        after = 0
        while page := await self._watches.unjudged(after=after, limit=PAGE):
            for one in page:
                if self._shards.mine(one.space):
                    await self._try(one)
            after = page[-1].link
        return self._clocks.watch_again_s

    async def _embed_again(self) -> None:
        """Let watches be read by the model that has taken over."""
        for watch in await self._watching.outdated():
            if not self._shards.mine(watch.space):
                continue
            again = await self._watching.embed_again(watch)
            if again is None:
                await self._owners.stop(watch, reasons.OTHER_MODEL)
            else:
                await self._writer.keep_embedding(again)

    async def _try(self, unjudged: Unjudged) -> None:
        """Judge one, or leave it for the next time."""
        try:
            await self._judge(unjudged)
        except (GalleryClosed, StoreError):
            raise
        except (NotNow, ModelChanged, *RequestFailed) as error:
            log.warning(fields("watch_waits", link=unjudged.link, why=repr(error)))
        except Exception:
            # An unforeseen error of one picture must not come again and again.
            log.exception(fields("unjudged", link=unjudged.link))
            await self._writer.judged(unjudged, (), await_words=False)

    async def _judge(self, unjudged: Unjudged) -> None:
        judging = await self._watching.judging(unjudged)
        if judging is None:
            await self._writer.judged(unjudged, (), await_words=False)
            return
        notices: list[Notice] = []
        refused: discord.HTTPException | None = None
        owners: dict[int, _Owner] = {}
        for watch in judging.watches:
            if watch.owner == judging.link.owner:
                continue
            try:
                tells = await self._tells(watch, judging, owners)
            except discord.HTTPException as error:
                if not is_rejection(error):
                    raise
                refused = error  # what concerns one member must not hold up the others
                continue
            if tells:
                choices = Choices.from_json(watch.settings)
                due = choices.due(time.time(), self._clocks.notices_s)
                notices.append(Notice(0, watch.id, unjudged.link, due))
        if refused is not None:
            await self._writer.to_be_told(notices)
            raise refused
        words = self._reads_words and judging.lines is None
        await self._writer.judged(unjudged, notices, await_words=words)

    # ---- one watch

    async def _tells(self, watch: Watch, judging: Judging, owners: dict[int, _Owner]) -> bool:
        """Whether the owner of a watch is to be told of a picture.

        raises   NotNow, ModelChanged, and what a failed request raises
        """
        guild = self._client.get_guild(watch.space)
        if guild is None or guild.unavailable:
            raise NotNow("an outage of the server")
        if watch.owner not in owners:
            owners[watch.owner] = _Owner(
                await self._owners.member(guild, watch.owner), time.monotonic()
            )
        owner = owners[watch.owner]
        if owner.member is None:
            return False
        place = None
        if watch.group is not None:
            place = await place_of(self._client, guild, watch.group)
        sight = Sight(
            *(self._client, self._clocks, owner.member, place, owner.asked_at),
            public=place is not None,
        )
        open_ = await sight.look([judging.link.group])
        if not open_:
            return False
        if watch.group is not None and place is None:
            return True  # nothing can be sent; whoever tries that pauses the watch and says why
        # Who is in other private threads isn't asked: a question would be among a few more.
        groups = await self._links.groups(guild.id)
        open_ |= sight.open(groups)
        within = _within(guild, watch, [group for group in groups if group.id in open_])
        said = await self._watching.judge(watch, judging, within)
        await self._keep(watch, said)
        return said.fits

    async def _keep(self, watch: Watch, said: Judged) -> None:
        """Keep with what was compared, so that the next pass over all watches is near it."""
        grown = abs(said.searched - watch.searched) > MOVED_SHARE * max(watch.searched, 10)
        if grown or abs(said.bar - watch.bar) > MOVED:
            await self._writer.keep_bar(watch.id, said.searched, said.bar)


def _within(guild: discord.Guild, watch: Watch, groups: list[Group]) -> Filter:
    """What a watch asks for, among these groups."""
    asked = watch.asked
    if asked.places or asked.not_places:
        groups = list(narrowed(guild, groups, asked.places, asked.not_places))
    filter = asked.filter or Filter(watch.space)
    return replace(filter, space=watch.space, groups=frozenset(group.id for group in groups))


async def place_of(client: discord.Client, guild: discord.Guild, id: int) -> Place | None:
    """The channel or thread with this id; None when it is gone, or the bot can't see it.

    raises   what a failed request raises
    """
    known: object = guild.get_channel_or_thread(id)
    if known is None:  # gone, or a thread that is archived
        try:
            known = await client.fetch_channel(id)
        except RequestFailed as error:
            if is_deleted(error) or isinstance(error, discord.Forbidden):
                return None
            raise
    return known if isinstance(known, Place) and known.guild == guild else None
