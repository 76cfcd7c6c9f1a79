"""A saved search → what is ranked for it: its embedding, among what its readers may see."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import discord

from bot.access.sight import Sight
from bot.ask.asker import Asker
from bot.ask.embedding import QuestionEmbedder
from bot.ask.names import narrowed
from bot.ask.questions import Question, Questions
from bot.ops.tuning import Clocks
from bot.platform.refusal import Refusal
from bot.text import answers as text
from index import Asked, Filter, Group, Links, QueryEmbedding, SavedSearch, Sort


@dataclass(frozen=True, slots=True)
class Ready:
    """A question that is ready to be ranked.

    filter    what it is limited to: among others, to groups of `groups`
    groups    ids of those that the readers of the answer may see now
    question  that was embedded for it; None: its embedding was saved
    """

    embedding: QueryEmbedding
    filter: Filter
    sort: Sort
    groups: set[int]
    sight: Sight
    question: Question | None

    @property
    def to_search(self) -> tuple[QueryEmbedding, Filter]:
        return self.embedding, self.filter


class Preparation:
    """Prepares searches, each from what may be seen at that moment."""

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        questions: Questions,
        embedder: QuestionEmbedder,
        clocks: Clocks,
    ) -> None:
        self._client = client
        self._links = links
        self._questions = questions
        self._embedder = embedder
        self._clocks = clocks

    async def again(self, asker: Asker, search: SavedSearch) -> Ready:
        """A saved search, to be ranked again."""
        if search.embedding is not None:
            return await self.with_embedding(asker, search, search.embedding, None)
        question = await self._questions.again(asker, search)
        embedding = await self._embedder.embed(asker, question)
        return await self.with_embedding(asker, search, embedding, question)

    async def with_embedding(
        self,
        asker: Asker,
        search: SavedSearch,
        embedding: QueryEmbedding,
        question: Question | None,
    ) -> Ready:
        """A search whose embedding is known.

        question   that was embedded for it; None: its embedding was saved
        """
        sight = await self.sight(asker, question.posted_in if question else None)
        groups, asked = await self._visible(asker, sight), search.asked
        filter = dataclasses.replace(
            asked.filter or Filter(search.space),
            space=search.space,
            groups=frozenset(await self._narrowed(asker, groups, asked)),
            # The asker knows the message whose picture they ask with.
            but_not_source=asked.shown_by.source if asked.shown_by else None,
        )
        embedding = await self._steered(embedding, search, groups)
        return Ready(embedding, filter, search.asked.sort, groups, sight, question)

    async def _steered(
        self, embedding: QueryEmbedding, search: SavedSearch, groups: set[int]
    ) -> QueryEmbedding:
        """The embedding with those pictures of which more, or less, is wanted that are still there
        and open. Of the others nothing is told."""
        more, less = search.asked.more, search.asked.less
        if not more and not less:
            return embedding
        links = await self._links.with_ids(search.space, [*more, *less])
        open_ = {id for id, (link, _, _) in links.items() if link.group.id in groups}
        return await self._embedder.steered(
            embedding, [id for id in more if id in open_], [id for id in less if id in open_]
        )

    async def _narrowed(self, asker: Asker, groups: set[int], asked: Asked) -> set[int]:
        """Those of the groups in which is to be looked."""
        if not asked.places and not asked.not_places:
            return groups
        known = await self._links.groups(asker.guild.id)
        open_ = [group for group in known if group.id in groups]
        wanted = narrowed(asker.guild, open_, asked.places, asked.not_places)
        return {group.id for group in wanted}

    async def sight(self, asker: Asker, posted_in: Group | None) -> Sight:
        """What the readers of the answer may see.

        posted_in   where the picture is that is asked with; it need not be watched
        """
        sight = asker.sight(self._client, self._clocks)
        if posted_in is not None:
            await sight.look([posted_in])
        return sight

    async def _visible(self, asker: Asker, sight: Sight) -> set[int]:
        """The groups the asker may read now; for a public answer, only those everyone may.

        raises   Refusal during an outage of the server
        """
        if sight.outage:
            raise Refusal(text.outage)
        return await sight.look(await self._links.groups(asker.guild.id))
