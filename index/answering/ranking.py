"""A query's embedding → candidates → scores → cut-off → order → copies folded → a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from index.answering import answer, folding, scoring
from index.answering.answer import Candidate, Ranked
from index.answering.background import Background
from index.answering.cutoff import Judge
from index.concurrency import Pool
from index.search.interface import Found, VectorIndex
from index.store.interface import Copies, Links
from index.types.filter import Filter, Sort
from index.types.query import QueryEmbedding
from index.types.records import Position, Verdict

# Candidates that are looked at beside those of the page: enough for copies, and for an order of the
# whole that differs from the order of its parts.
LEAST_CANDIDATES = 100
LEAST_COMBINED = 400
# Candidates that are put in the order of their dates: the best ones among those that fit.
DATED_CANDIDATES = 1000
# The best candidates, among which copies of a picture fold that aren't the same bytes. That is some
# pages; comparing all pairs takes 0.1 ms each.
FOLDED = 50
NO_VECTOR = np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True)
class Page:
    """Candidates of one page; `more` when there are others behind them."""

    candidates: Sequence[Candidate]
    searched: int
    more: bool
    verdict: Verdict


class Model(Protocol):
    """What a ranking needs of the gallery's model."""

    @property
    def judge(self) -> Judge:
        """What tells which candidates fit."""

    @property
    def background(self) -> Background | None:
        """The words that it can see in pictures, once it has read them."""


class Ranking:
    """Ranks the links of a gallery.

    searching   threads for queries
    """

    def __init__(
        self, index: VectorIndex, links: Links, copies: Copies, searching: Pool, model: Model
    ) -> None:
        self._index = index
        self._links = links
        self._copies = copies
        self._searching = searching
        self._model = model

    async def page(
        self,
        embedding: QueryEmbedding,
        filter: Filter,
        *,
        k: int,
        after: Position | None,
        sort: Sort,
        guesses: bool,
    ) -> Page:
        """The `k` hits that follow `after`. More candidates are looked at until there are as many,
        since copies are one hit, and since candidates of a part may not fit as a whole."""
        queries = scoring.probes(embedding)
        wanted = _candidates_for(k + (max(after.rank, 0) if after else 0), len(queries), sort)
        while True:
            found = await self._index.search(queries, filter, k=wanted)
            ranked = await self._ranked(embedding, found, sort=sort, guesses=guesses)
            start = answer.following(ranked.candidates, after, sort)
            left = ranked.candidates[start:]
            # Where the cut-off ends the answer, candidates that are less like the query are not
            # looked at. The last ones that were looked at don't fit then.
            complete = not found.more or not ranked.all_fit or sort is not Sort.BEST
            if len(left) > k or complete:
                page = await self._with_concepts(left[:k])
                return Page(page, found.searched, len(left) > k, ranked.verdict)
            wanted *= 4

    async def _ranked(
        self, embedding: QueryEmbedding, found: Found, *, sort: Sort, guesses: bool
    ) -> Ranked:
        judge = self._model.judge
        work = partial(answer.ranked, embedding, found, judge, sort=sort, guesses=guesses)
        ranked = await self._searching.run(work)
        items = await self._links.items([one.link for one in ranked.candidates])
        candidates = await self._folded(folding.by_item(ranked.candidates, items))
        return Ranked(candidates, ranked.verdict, all_fit=ranked.all_fit)

    async def _folded(self, candidates: list[Candidate]) -> list[Candidate]:
        """The candidates, those that show a copy folded into the first of its copies."""
        first = [one.link for one in candidates[:FOLDED]]
        made = await self._copies.fingerprints(first)
        if len(made) < 2:
            return candidates
        not_copies = await self._copies.not_copies(list(made))
        work = partial(folding.by_fingerprint, candidates, made, not_copies)
        return await self._searching.run(work)

    async def _with_concepts(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """The candidates with what the model sees in each."""
        background = self._model.background
        if background is None or not candidates:
            return candidates
        vectors = np.stack([one.vector for one in candidates])
        concepts = await self._searching.run(partial(background.concepts, vectors))
        return [replace(one, concepts=seen) for one, seen in zip(candidates, concepts, strict=True)]

    async def listed(self, filter: Filter, *, k: int, after: Position | None, sort: Sort) -> Page:
        """The `k` links that follow `after`, newest first or oldest first."""
        order = Sort.OLDEST if sort is Sort.OLDEST else Sort.NEWEST
        listed = await self._index.listed(filter, k=k, sort=order, after=after)
        candidates = [Candidate(link, 0, 0.0, 0.0, NO_VECTOR) for link in listed.links.tolist()]
        verdict = Verdict.SURE if candidates or after else Verdict.NOTHING
        return Page(candidates, listed.searched, listed.more, verdict)


def _candidates_for(depth: int, queries: int, sort: Sort) -> int:
    """How many candidates of each query are looked at for the first `depth` hits."""
    if sort is not Sort.BEST:
        return max(DATED_CANDIDATES, 2 * depth)
    return max(LEAST_CANDIDATES if queries == 1 else LEAST_COMBINED, 2 * depth)
