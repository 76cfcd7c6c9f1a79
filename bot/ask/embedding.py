"""Question → its embedding. The picture that it is asked with is downloaded here, and nowhere else.

So nothing is downloaded before the question is counted, and no more at once than there are places.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.ask.asker import Asker
from bot.ask.fair_turns import FairTurns
from bot.ask.questions import Question
from bot.media.contents import Contents
from index import Copy, Filter, Query, QueryEmbedding, Searcher


class QuestionEmbedder:
    """Embeds questions; those with a picture in turn, since a picture can take long."""

    def __init__(self, searcher: Searcher, contents: Contents, turns: FairTurns) -> None:
        self._searcher = searcher
        self._contents = contents
        self._turns = turns

    async def steered(
        self, embedding: QueryEmbedding, more: Sequence[int], less: Sequence[int]
    ) -> QueryEmbedding:
        """The embedding of a question with links of which more, or less, is wanted."""
        return await self._searcher.steered(embedding, more, less)

    async def embed(self, asker: Asker, question: Question) -> QueryEmbedding:
        """The embedding of all that the question is asked with.

        raises   Refusal, DownloadError, GalleryError
        """
        words, minus = question.words or None, question.minus
        if question.picture is None:
            query = Query(text=words, like=question.like, minus=minus)
            return await self._searcher.embed_query(query)
        server, member = asker.guild.id, asker.member.id
        with self._turns.place(server, member):
            image = await self._contents.fetch(question.picture, asked=True)
            async with self._turns.turn(server, member):
                query = Query(text=words, image=image, minus=minus)
                return await self._searcher.embed_query(query)

    async def copies(
        self, asker: Asker, question: Question, filter: Filter
    ) -> tuple[list[Copy], QueryEmbedding]:
        """The copies of the picture that is asked with, and its embedding.

        raises   Refusal, DownloadError, GalleryError
        """
        if question.like is not None:
            copies = await self._searcher.copies_of(question.like, filter)
            return copies, await self._searcher.embed_query(Query(like=question.like))
        assert question.picture is not None
        server, member = asker.guild.id, asker.member.id
        with self._turns.place(server, member):
            image = await self._contents.fetch(question.picture, asked=True)
            async with self._turns.turn(server, member):
                copies = await self._searcher.copies_of(image, filter)
                return copies, await self._searcher.embed_query(Query(image=image))
