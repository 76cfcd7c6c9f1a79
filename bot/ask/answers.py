"""Question → its embedding → the groups that the asker may see → the ranking → a page of it.

Every command, reply, button and menu calls one of the methods up to `look` with its asker. Each
counts the question before anything is read, downloaded or embedded for it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

import discord

from bot.access import permissions
from bot.ask import cards
from bot.ask.asker import Asker
from bot.ask.buttons import PageOf, Steering
from bot.ask.draft import Draft
from bot.ask.embedding import QuestionEmbedder
from bot.ask.layout import Card
from bot.ask.page import ResultPage
from bot.ask.preparation import Preparation, Ready
from bot.ask.questions import Question, Questions
from bot.ask.rate_limiter import RateLimiter
from bot.ask.results import Results
from bot.ask.searches import Searches
from bot.media.pictures import Picture
from bot.platform.places import group_of
from bot.platform.refusal import Refusal
from bot.sync.backlog import Backlog
from bot.sync.progress import Progress
from bot.sync.watched import Watched
from bot.sync.writer import Writer
from bot.text import answers as text
from bot.text import lines as line_text
from index import (
    Position,
    QueryEmbedding,
    SavedSearch,
    Sort,
    TranscriptReader,
    Verdict,
    Wish,
)

log = logging.getLogger(__name__)

NO_WISH = Wish()  # beside a picture
MAX_STEERED = 10  # pictures of a search, of each kind; older ones are forgotten


class Answers:
    """Answers questions from the pictures that the asker may see at that moment."""

    def __init__(
        self,
        transcripts: TranscriptReader,
        writer: Writer,
        watched: Watched,
        backlog: Backlog,
        questions: Questions,
        searches: Searches,
        preparation: Preparation,
        embedder: QuestionEmbedder,
        results: Results,
        rate_limiter: RateLimiter,
    ) -> None:
        self._transcripts = transcripts
        self._writer = writer
        self._watched = watched
        self._backlog = backlog
        self._questions = questions
        self._searches = searches
        self._preparation = preparation
        self._embedder = embedder
        self._results = results
        self._rate_limiter = rate_limiter

    async def answer(
        self, asker: Asker, wish: Wish, picture: Picture | Sequence[str] | None = None
    ) -> Draft:
        """The first page of the answer, or a sentence that says why there is none.

        picture  that is asked with, or its addresses
        raises   Refusal, as the others do, also when the asker asks too often
        """
        self._count(asker)
        return await self._begin(asker, Question(picture=picture), wish)

    async def like_message(
        self, asker: Asker, message: discord.Message, wish: Wish = NO_WISH
    ) -> Draft:
        """Pictures similar to the first one of a message, perhaps with a wish beside it."""
        self._count(asker)
        return await self._begin(asker, self._questions.with_message(message), wish)

    def refuse(self, asker: Asker, sentence: Callable[[], str]) -> NoReturn:
        """The answer to a question that asks nothing: a sentence. It counts, too.

        raises   Refusal
        """
        self._count(asker)
        raise Refusal(sentence)

    async def similar(self, asker: Asker, link: int = 0, *others: int, cluster: str = "") -> Draft:
        """Pictures similar to one of the gallery, if the asker may see that one.

        others    more of these is wanted, too, as far as the asker may see them
        cluster   the name of the cluster that these stand for
        """
        self._count(asker)
        question = await self._questions.like(asker, link)
        return await self._begin(asker, question, more=others, cluster=cluster)

    async def instead(self, asker: Asker, id: str, chosen: int) -> Draft:
        """The answer to a saved search with another picture of the same message."""
        self._count(asker)
        search = await self._questions.saved(asker, id)
        return await self._begin(asker, await self._questions.instead(asker, search, chosen))

    async def line(self, asker: Asker, id: str) -> str:
        """The question of a saved search as a line, to be changed."""
        self._count(asker)
        return (await self._questions.saved(asker, id)).asked.line

    async def narrow(self, asker: Asker, id: str, wish: Wish) -> Draft:
        """The question of a saved search with another wish, beside the same picture."""
        self._count(asker)
        if wish.show == "everyone":
            raise Refusal(text.not_for_everyone)
        search, question = await self._questions.saved(asker, id), Question()
        if search.asked.with_picture:
            question = await self._questions.again(asker, search)
        return await self._begin(asker, question, wish)

    async def page(self, asker: Asker, page: PageOf) -> Draft:
        """A page of a saved search."""
        self._count(asker)
        search = await self._searches.own(asker, page.search)
        return await self.show(asker, search, page.after, guesses=page.guesses)

    async def before(self, asker: Asker, page: PageOf) -> Draft:
        """The page before this one."""
        self._count(asker)
        search = await self._searches.own(asker, page.search)
        ready, after = await self._preparation.again(asker, search), None
        if page.after is not None:
            after = await self._results.start_before(
                *ready.to_search, page.after, ready.sort, guesses=page.guesses
            )
        return await self._page(asker, ready, search, after, guesses=page.guesses)

    async def look(self, asker: Asker, page: PageOf, link: int) -> Draft:
        """One picture of a page of a saved search, and what can be done with it."""
        self._count(asker)
        search = await self._questions.saved(asker, page.search)
        ready, found = await self._about(asker, search, page, link, self._results.one)
        return self._drafted(ready, found, partial(cards.closer, search))

    async def places(self, asker: Asker, page: PageOf, link: int) -> Draft:
        """Where a picture of a page and its near-copies were posted."""
        self._count(asker)
        search = await self._questions.saved(asker, page.search)
        ready, posted = await self._about(asker, search, page, link, self._results.places)
        return self._drafted(ready, posted, partial(cards.places, search))

    async def sort(self, asker: Asker, page: PageOf, sort: Sort) -> Draft:
        """A saved search in another order."""
        self._count(asker)
        search = await self._questions.saved(asker, page.search)
        return await self._changed(asker, search, {"sort": sort}, guesses=page.guesses)

    async def steer(self, asker: Asker, id: str, to: Steering, link: int) -> Draft:
        """A saved search with more, or less, like one of its pictures.

        raises   Refusal if the asker may not see that picture
        """
        self._count(asker)
        search = await self._questions.saved(asker, id)
        asked = search.asked
        await self._questions.like(asker, link)
        more, less = ([one for one in of if one != link] for of in (asked.more, asked.less))
        (more if to == "more" else less).append(link)
        changes = {"more": tuple(more[-MAX_STEERED:]), "less": tuple(less[-MAX_STEERED:])}
        return await self._changed(asker, search, changes)

    async def undo(self, asker: Asker, id: str, to: Steering) -> Draft:
        """A saved search without the last wish for more, or less, like a picture."""
        self._count(asker)
        search = await self._questions.saved(asker, id)
        links = search.asked.more if to == "more" else search.asked.less
        return await self._changed(asker, search, {to: links[:-1]})

    def _count(self, asker: Asker) -> None:
        """Count a question. raises Refusal when this member or server asks too often"""
        self._rate_limiter.take(asker.guild.id, asker.member.id)

    async def _changed(
        self,
        asker: Asker,
        search: SavedSearch,
        changes: Mapping[str, Any],
        *,
        guesses: bool = False,
    ) -> Draft:
        """The first page of a saved search with changes to what is asked."""
        changed = await self._searches.copy(asker, search, changes)
        return await self.show(asker, changed, guesses=guesses)

    async def _about(
        self,
        asker: Asker,
        search: SavedSearch,
        page: PageOf,
        link: int,
        find: Callable[..., Awaitable[ResultPage]],
    ) -> tuple[Ready, ResultPage]:
        """What is found of one picture of a page. It is found as it was: of a public answer, among
        what everybody may see.

        find     a method of `Results`
        raises   Refusal when nothing is found
        """
        asker = dataclasses.replace(asker, public=search.asked.public)
        ready = await self._preparation.again(asker, search)
        found = await find(*ready.to_search, page.after, link, ready.sort, guesses=page.guesses)
        if not found.shown:
            raise Refusal(text.unreachable if found.unreadable else text.picture_unavailable)
        return ready, found

    async def _begin(
        self,
        asker: Asker,
        question: Question,
        wish: Wish | None = None,
        more: tuple[int, ...] = (),
        cluster: str = "",
    ) -> Draft:
        """The first page of an answer, whose question is saved for its buttons.

        more     ids of the links of which more is wanted
        cluster  the name of the cluster that they stand for
        """
        if wish is not None:
            readers = await self._preparation.sight(asker, None)
            question = await self._questions.wished(asker, readers, question, wish)
        embedding = await self._embedder.embed(asker, question)
        # The embedding of a message's picture must be erased with it, so it isn't saved.
        saved = None if question.shown_by else embedding
        asked = question.asked(public=asker.public)
        asked = dataclasses.replace(asked, more=more, cluster=cluster)
        search = SavedSearch("", asker.guild.id, asker.member.id, asked, saved)
        # Both at once: saving takes a few ms, and many more while a reindex writes a page.
        search, (ready, page) = await asyncio.gather(
            self._searches.save(search, asker.asked_at),
            self._first(asker, search, embedding, question),
        )
        return await self._draft(asker, ready, search, page)

    async def _first(
        self, asker: Asker, search: SavedSearch, embedding: QueryEmbedding, question: Question
    ) -> tuple[Ready, ResultPage]:
        ready = await self._preparation.with_embedding(asker, search, embedding, question)
        return ready, await self._results.page(*ready.to_search, sort=ready.sort)

    async def show(
        self,
        asker: Asker,
        search: SavedSearch,
        after: Position | None = None,
        *,
        guesses: bool = False,
    ) -> Draft:
        """A page of a saved search, from the pictures that the asker may see at this moment."""
        ready = await self._preparation.again(asker, search)
        return await self._page(asker, ready, search, after, guesses=guesses)

    async def _page(
        self,
        asker: Asker,
        ready: Ready,
        search: SavedSearch,
        after: Position | None,
        *,
        guesses: bool,
    ) -> Draft:
        page = await self._results.page(*ready.to_search, after, ready.sort, guesses=guesses)
        return await self._draft(asker, ready, search, page)

    # ---- the layout of the answer

    async def _draft(
        self, asker: Asker, ready: Ready, search: SavedSearch, page: ResultPage
    ) -> Draft:
        """The page, to be laid out when it is sent; empty, it is a sentence that says why."""
        notes = self._notes(asker, search, page)
        if ready.filter.says and (unread := await self._transcripts.count_unread(ready.filter)):
            notes.append(line_text.words_not_read(unread))
        if page.shown:  # all that it shows may be closed until it is sent
            empty = cards.nothing_found(search, public=asker.public)
        else:
            empty = await self._why_empty(asker, search, page, ready.groups)

        def lay_out(now: ResultPage) -> Card:
            if not now.shown:
                return cards.nothing(search, now, empty, notes, public=asker.public)
            return cards.results(search, now, notes, public=asker.public)

        return self._drafted(ready, page, lay_out)

    def _drafted(
        self, ready: Ready, page: ResultPage, lay_out: Callable[[ResultPage], Card]
    ) -> Draft:
        posted_in = ready.question.posted_in if ready.question else None
        is_there = partial(self._is_there, ready.question)
        return Draft(ready.sight, page, posted_in, is_there, self._results.now, lay_out)

    def _is_there(self, question: Question | None) -> bool:
        """Whether the picture that is asked with is still there, as far as is known.

        One of the gallery may have been erased since. One that was read from its message need not
        be in the gallery; it is there until its message is deleted.
        """
        if question is None or question.shown_by is None:
            return True
        if question.link is not None:
            return self._results.is_current(question.link, question.as_of)
        return not self._writer.is_deleted(int(question.shown_by.source))

    def _notes(self, asker: Asker, search: SavedSearch, page: ResultPage) -> list[str]:
        notes = [line_text.read_as_minus(*one) for one in search.asked.understood]
        if page.truncated is not None:
            notes.append(text.truncated(page.truncated))
        if progress := self.progress(asker):
            notes.append(text.still_indexing(progress.percent))
        if asker.public:
            notes.append(text.only_shared())
        if not search.id:
            notes.append(text.no_buttons())
        shown_by = search.asked.shown_by
        if shown_by and shown_by.count > 1:
            notes.append(text.several_pictures(shown_by.chosen, shown_by.count))
        return notes

    def progress(self, asker: Asker) -> Progress | None:
        """How far the history is read, of the groups that everyone who sees the answer may read."""
        guild, channel = asker.guild, asker.channel
        if not self._backlog.unfinished(guild.id):
            return None
        groups = [group_of(place) for place in self._backlog.places(guild.id)]
        seen, _ = permissions.known(asker.member, guild, channel, groups)
        if asker.public:
            seen &= permissions.shared_with_everyone_here(guild, channel, groups)
        return self._backlog.progress(guild.id, seen)

    async def _why_empty(
        self, asker: Asker, search: SavedSearch, page: ResultPage, groups: set[int]
    ) -> str:
        """Why there is nothing to show. A public answer must not tell whether some was left out."""
        if not groups and not self._watched.marks(asker.guild.id):
            return text.no_channels(asker.member.guild_permissions.manage_guild)
        if page.unreadable and not asker.public:
            return text.unreachable()
        if page.verdict is Verdict.NOTHING and page.any and not page.first and not page.guesses:
            return cards.nothing_like(search)
        if asker.public:
            return cards.nothing_found(search, public=True)
        if page.first:
            return text.nothing_more()
        if groups:
            return cards.nothing_found(search, public=False)
        watched = [group_of(channel) for channel in self._watched.channels(asker.guild)]
        if await self._questions.may_read(asker, watched):
            return text.not_indexed_yet()
        return text.nothing_readable()
