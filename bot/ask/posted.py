"""Whether a picture was posted before: its copies, oldest first, and apart from them look-alikes.

Each way to ask counts first, as any question. Only pictures that the readers of the answer may see
are compared with the one that is asked about, so no other changes what is told, nor how often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import discord

from bot.access.sight import Sight
from bot.ask import posted_cards as cards
from bot.ask.asker import Asker
from bot.ask.buttons import link_in
from bot.ask.draft import Draft
from bot.ask.embedding import QuestionEmbedder
from bot.ask.page import ResultPage, ShownHit
from bot.ask.posted_cards import PLACES, Finding, Spot
from bot.ask.questions import Question, Questions
from bot.ask.rate_limiter import RateLimiter
from bot.ask.results import MAX_LOOKED_UP, Absent, Results
from bot.media.pictures import Picture
from bot.ops.tuning import Clocks
from bot.platform.places import Place
from bot.platform.refusal import Refusal
from bot.sync.noted import Noted, home
from bot.sync.progress import Progress
from bot.sync.writer import Writer
from bot.text import answers as answer_text
from bot.text import copies as text
from index import (
    BookkeepingReader,
    Copy,
    Filter,
    Hit,
    Link,
    Links,
    QueryEmbedding,
    Searcher,
    ShownBy,
)

LOOK_ALIKES = 3  # below the places; each costs a request
REFUSED = 5  # of what was called no copies, that a moderator is shown


class PostedBefore:
    """Answers "Posted before?", and takes what moderators say about it.

    progress   how far the history is read that the readers of an answer may see
    """

    def __init__(
        self,
        client: discord.Client,
        searcher: Searcher,
        links: Links,
        bookkeeping: BookkeepingReader,
        writer: Writer,
        noted: Noted,
        questions: Questions,
        embedder: QuestionEmbedder,
        results: Results,
        rate_limiter: RateLimiter,
        clocks: Clocks,
        progress: Callable[[Asker], Progress | None],
    ) -> None:
        self._client = client
        self._searcher = searcher
        self._links = links
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._noted = noted
        self._questions = questions
        self._embedder = embedder
        self._results = results
        self._rate_limiter = rate_limiter
        self._clocks = clocks
        self._progress = progress

    async def of_message(self, asker: Asker, message: discord.Message | None) -> Draft:
        """Whether the first picture of a message was posted before.

        message  None: the asker chose none
        raises   Refusal, as the others do, also when the asker asks too often
        """
        self._count(asker)
        if message is None:
            raise Refusal(text.reply_to_a_picture)
        return await self._answer(asker, self._questions.with_message(message))

    async def page(self, asker: Asker, spot: Spot) -> Draft:
        """A page about a picture, if the asker may see it."""
        self._count(asker)
        return await self._answer(asker, await self._again(asker, spot), spot.start)

    async def correct(self, asker: Asker, spot: Spot, said: str) -> Draft:
        """Keep what a moderator says about a picture, and show the page as it is then.

        said     the value of an option of the menu
        raises   Refusal if the asker is no moderator there, or may not see a picture that it is
                 about
        """
        self._count(asker)
        question = await self._again(asker, spot)
        channel = self._channel(asker, question)
        if channel is None or not is_moderator(asker.member, channel):
            raise Refusal(text.not_a_moderator)
        own = await self._own(asker, question)
        if own is None:
            raise Refusal(answer_text.picture_unavailable)
        what, _, other = said.partition(":")
        space = asker.guild.id
        if what in (cards.PASS, cards.NOTE):
            passes = what == cards.PASS
            await self._writer.let_pass(space, home(channel), own, passes=passes)
            sentence = text.said_passes() if passes else text.said_note_again()
        else:
            link = await self._questions.like(asker, link_in(other))
            assert link.like is not None
            refused = what == cards.NOT_A_COPY
            await self._writer.not_a_copy(space, own, link.like, said=refused)
            sentence = text.said_not_a_copy() if refused else text.said_a_copy()
        return await self._answer(asker, question, notes=[sentence])

    def _count(self, asker: Asker) -> None:
        """raises   Refusal when this member or server asks too often"""
        self._rate_limiter.take(asker.guild.id, asker.member.id)

    async def _again(self, asker: Asker, spot: Spot) -> Question:
        """raises   Refusal if the asker may not see the message, or the picture is gone"""
        message, group = await self._questions.message(asker, spot.group, spot.message)
        question = self._questions.with_message(message, chosen=spot.chosen)
        return replace(question, posted_in=group)

    # ---- looking

    async def _answer(
        self, asker: Asker, question: Question, start: int = 0, notes: Sequence[str] = ()
    ) -> Draft:
        shown_by = _shown_by(question)
        own = await self._own(asker, question)
        if own is not None:  # it is known how it looks, so it needs no download
            question = replace(question, picture=None, like=own)
        sight = await self._sight(asker, question)
        groups = await sight.look(await self._links.groups(asker.guild.id))
        filter = Filter(asker.guild.id, frozenset(groups), but_not_source=shown_by.source)
        copies, embedding = await self._embedder.copies(asker, question, filter)
        every = [hit_of(copy.id, copy.link) for copy in copies]
        every.sort(key=cards.by_time)
        del every[text.MOST_TIMES :]
        start = start if start < len(every) else 0
        moderator = self._moderates(asker, question) and own is not None
        alike: list[Hit] = []
        refused: list[Hit] = []
        if start == 0:
            alike = await self._look_alikes(embedding, filter, copies)
            refused = await self._refused(asker.guild.id, own, groups) if moderator and own else []
        places, others, more = await asyncio.gather(
            self._places(every, start),
            self._results.look_up(alike),
            self._results.look_up([hit for hit in refused if hit.id not in ids(alike)]),
        )
        beside = [one for one in (*others, *more) if isinstance(one, ShownHit)]
        finding = Finding(
            shown_by=shown_by,
            start=start,
            copies={copy.id: copy for copy in copies} if places else {},
            indexed=own is not None,
            alike=ids(alike),
            refused=ids(refused),
            moderator=moderator,
            passes=await self._passes(asker, question, own) if moderator else None,
            public=asker.public,
            notes=tuple(notes) + self._notes(asker, question),
        )
        page = ResultPage(shown=[*places, *beside])
        is_there = partial(self._is_there, int(shown_by.source))
        lay_out = partial(cards.card, finding)
        return Draft(sight, page, question.posted_in, is_there, self._results.now, lay_out)

    async def _own(self, asker: Asker, question: Question) -> int | None:
        """The link of the picture that is asked about; None if it isn't in the gallery."""
        assert isinstance(question.picture, Picture)
        known = await self._links.ids_of_source(asker.guild.id, _shown_by(question).source)
        return known.get(question.picture.slot)

    async def _sight(self, asker: Asker, question: Question) -> Sight:
        """raises   Refusal during an outage of the server"""
        sight = asker.sight(self._client, self._clocks)
        if sight.outage:
            raise Refusal(answer_text.outage)
        if question.posted_in is not None:
            await sight.look([question.posted_in])
        return sight

    async def _places(self, every: Sequence[Hit], start: int) -> list[ShownHit]:
        """The places of a page that are still there, each with all the others as its copies.

        raises   Refusal if there are some, and Discord lets none of them be read
        """
        shown: list[ShownHit] = []
        gone: set[int] = set()
        for part in discord.utils.as_chunks(every[start : start + MAX_LOOKED_UP], PLACES):
            read = await self._results.look_up(part)
            shown = [one for one in read if isinstance(one, ShownHit)]
            gone |= {hit.id for hit, now in zip(part, read, strict=True) if now is Absent.DELETED}
            if shown:
                break
        if not shown and len(gone) < len(every):
            raise Refusal(text.unreachable)
        there = [hit for hit in every if hit.id not in gone]
        return [
            replace(one, copies=tuple(hit for hit in there if hit.id != one.hit.id))
            for one in shown
        ]

    async def _look_alikes(
        self, embedding: QueryEmbedding, filter: Filter, copies: Sequence[Copy]
    ) -> list[Hit]:
        """Pictures that surely fit the picture as a question, and are no copies of it."""
        without = filter.without.union(copy.id for copy in copies)
        answer = await self._searcher.search(
            embedding, replace(filter, without=without), k=LOOK_ALIKES
        )
        return [hit for hit in answer.hits if hit.sure]

    async def _refused(self, space: int, own: int, groups: set[int]) -> list[Hit]:
        """What was called no copy of this picture, among what may be seen; newest first."""
        said = sorted(await self._bookkeeping.not_copies_of(own), reverse=True)
        links = await self._links.with_ids(space, said)
        open_ = [id for id in said if id in links and links[id][0].group.id in groups]
        return [hit_of(id, links[id][0]) for id in open_[:REFUSED]]

    def _is_there(self, message: int) -> bool:
        return not self._writer.is_deleted(message)

    # ---- moderators

    def _channel(self, asker: Asker, question: Question) -> Place | None:
        channel = asker.guild.get_channel_or_thread(_shown_by(question).group)
        return channel if isinstance(channel, Place) else None

    def _moderates(self, asker: Asker, question: Question) -> bool:
        """Whether the answer has the menu of moderators. A public one has it for nobody."""
        channel = self._channel(asker, question)
        return not asker.public and channel is not None and is_moderator(asker.member, channel)

    async def _passes(self, asker: Asker, question: Question, own: int | None) -> bool | None:
        """Whether the picture passes without a note in its channel; None where none are written."""
        channel = self._channel(asker, question)
        if channel is None or own is None or self._noted.people(channel) is None:
            return None
        return own in await self._bookkeeping.passing(asker.guild.id, home(channel), [own])

    def _notes(self, asker: Asker, question: Question) -> tuple[str, ...]:
        notes = []
        if progress := self._progress(asker):
            notes.append(answer_text.still_indexing(progress.percent))
        if asker.public:
            notes.append(text.only_shared())
        shown_by = _shown_by(question)
        if shown_by.count > 1:
            notes.append(text.several_pictures(shown_by.chosen, shown_by.count))
        return tuple(notes)


def is_moderator(member: discord.Member, channel: Place) -> bool:
    """Whether a member may say what is a copy of a picture in this channel.

    They may manage its messages, so they could delete the picture, or they manage the server.
    """
    if member.guild_permissions.manage_guild:
        return True
    try:
        return channel.permissions_for(member).manage_messages
    except discord.ClientException:  # a thread whose parent is not known
        return False


def _shown_by(question: Question) -> ShownBy:
    """The message whose picture is asked about."""
    assert question.shown_by is not None
    return question.shown_by


def hit_of(id: int, link: Link) -> Hit:
    """A link as if a search had found it."""
    return Hit(rank=0, score=1.0, id=id, kind="image", link=link, frame=0, text=None)


def ids(hits: Iterable[Hit]) -> frozenset[int]:
    return frozenset(hit.id for hit in hits)
