"""A member asks → the groups that the readers may see → clusters and a map → pictures of them → a
draft. Each step looks only at what the readers may see at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import discord

from bot.ask.asker import Asker
from bot.ask.layout import Card
from bot.ask.page import ShownHit
from bot.ask.rate_limiter import RateLimiter
from bot.ask.respond import Meanwhile
from bot.ask.results import Results
from bot.ops.tuning import Clocks
from bot.overview import cards
from bot.overview.draft import OverviewDraft
from bot.overview.pictures import drawn, wanted
from bot.overview.thumbnails import Thumbnails, is_hidden
from bot.overview.turns import OverviewTurns
from bot.platform.refusal import Refusal
from bot.sync.progress import Progress
from bot.text import answers as answer_text
from bot.text import overview as text
from index import Filter, Links, Overview, Surveyor

# Links of a cluster that are looked up for a public answer: its first ones may be spoilers.
CANDIDATES = 3


class Overviews:
    """Makes overviews.

    progress   how far the history is read that the readers of an answer may see
    """

    def __init__(
        self,
        client: discord.Client,
        surveyor: Surveyor,
        links: Links,
        results: Results,
        thumbnails: Thumbnails,
        rate_limiter: RateLimiter,
        clocks: Clocks,
        progress: Callable[[Asker], Progress | None],
    ) -> None:
        self._client = client
        self._surveyor = surveyor
        self._links = links
        self._results = results
        self._thumbnails = thumbnails
        self._rate_limiter = rate_limiter
        self._clocks = clocks
        self._progress = progress
        self._turns = OverviewTurns()

    async def answer(self, asker: Asker, meanwhile: Meanwhile) -> OverviewDraft:
        """What the pictures are about that the readers of the answer may see.

        meanwhile   tells the asker how many overviews are made before theirs
        raises      Refusal
        """

        def tell(before: int) -> None:
            meanwhile.tell(partial(text.before_yours, before) if before else text.yours_now)

        self._rate_limiter.take(asker.guild.id, asker.member.id)
        async with self._turns.turn(asker.guild.id, asker.member.id, tell):
            return await self._made(asker)

    async def _made(self, asker: Asker) -> OverviewDraft:
        sight = asker.sight(self._client, self._clocks)
        if sight.outage:
            raise Refusal(answer_text.outage)
        known = await self._links.groups(asker.guild.id)
        open_ = await sight.look(known)
        groups = [group for group in known if group.id in open_]
        filter = Filter(asker.guild.id, frozenset(open_))
        overview = await self._surveyor.overview(filter)
        if not overview.count:
            raise Refusal(partial(text.nothing_to_tell, public=asker.public))
        notes = self._notes(asker)
        if asker.public:
            first = [link for one in overview.clusters for link in one.shown[:CANDIDATES]]
            shown = await self._thumbnails.look_up(asker.guild.id, first)
            lay_out = partial(_public, overview, notes)
            return OverviewDraft(sight, groups, shown, self._now, lay_out)
        shown = await self._thumbnails.look_up(asker.guild.id, wanted(overview))
        stills = await self._thumbnails.stills(shown)
        shown = [one for one in shown if one.hit.id in stills]
        lay_out = partial(_private, overview, stills, notes)
        return OverviewDraft(sight, groups, shown, self._now, lay_out)

    def _now(self, shown: ShownHit) -> ShownHit | None:
        """A picture as far as is known now; None when it is gone, or a spoiler."""
        now = self._results.now(shown)
        return None if now is None or is_hidden(now) else now

    def _notes(self, asker: Asker) -> list[str]:
        notes = []
        if progress := self._progress(asker):
            notes.append(answer_text.still_indexing(progress.percent))
        return notes


async def _public(overview: Overview, notes: Sequence[str], shown: Sequence[ShownHit]) -> Card:
    return cards.public(overview, {one.hit.id: one for one in shown}, notes)


async def _private(
    overview: Overview,
    stills: Mapping[int, bytes],
    notes: Sequence[str],
    shown: Sequence[ShownHit],
) -> Card:
    pictures = {one.hit.id: stills[one.hit.id] for one in shown}
    files = await asyncio.to_thread(drawn, overview, pictures)
    return cards.private(overview, files, notes)
