"""A query's embedding → candidates → scores → cut-off → order → copies folded → a page."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeAlias

import numpy as np

from index.answering import answer, folding, scoring
from index.answering.answer import Candidate, Ranked
from index.answering.background import Background
from index.answering.cutoff import Judge
from index.answering.scoring import Spreads
from index.answering.without_source import without_source
from index.answering.written import Written, written
from index.concurrency import Pool
from index.search.interface import Found, VectorIndex
from index.search.kernels.arguments import Ints
from index.store.interface import Copies, Links, Transcripts
from index.transcripts.comparing import differing
from index.types.filter import Filter, Sort
from index.types.query import QueryEmbedding
from index.types.records import Floats, Position, Verdict

# Candidates that are looked at beside those of the page: enough for copies, and for an order of the
# whole that differs from the order of its parts.
LEAST_CANDIDATES = 100
LEAST_COMBINED = 400
# Candidates that are put in the order of their dates: the best ones among those that fit.
DATED_CANDIDATES = 1000
# The best candidates, among which copies of a picture fold that aren't the same bytes. That is some
# pages; comparing all pairs takes 0.1 ms each.
FOLDED = 50
# The most candidates of each part that are looked at, whatever is asked: their vectors take 40 MB.
# The hits behind them are never shown.
MOST_CANDIDATES = 20_000
# Questions of several parts whose spreads are remembered, for their next pages.
REMEMBERED = 256
# Hits whose concepts are told. A page shows some six of those that it gets; the others only take
# the places of hits that are gone.
DESCRIBED = 10
ALL = 2**31 - 2  # more links than any gallery has
NO_VECTOR = np.zeros(0, np.float32)
Key: TypeAlias = tuple[bytes, Filter]


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
        self,
        index: VectorIndex,
        links: Links,
        copies: Copies,
        transcripts: Transcripts,
        searching: Pool,
        model: Model,
    ) -> None:
        self._index = index
        self._links = links
        self._copies = copies
        self._transcripts = transcripts
        self._searching = searching
        self._model = model
        self._spreads: OrderedDict[Key, Spreads] = OrderedDict()  # of the last questions

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
        asked = partial(self._page, embedding, filter, k=k, after=after, sort=sort, guesses=guesses)
        return await without_source(self._links, filter, asked)

    async def _page(
        self,
        embedding: QueryEmbedding,
        asked: Filter,
        filter: Filter,
        *,
        k: int,
        after: Position | None,
        sort: Sort,
        guesses: bool,
    ) -> Page:
        """The page.

        asked    the filter as the caller gave it
        filter   the same, resolved
        """
        queries = scoring.probes(embedding)
        wanted = _candidates_for(k + (max(after.rank, 0) if after else 0), len(queries), sort)
        key = _key(embedding, asked)
        spreads = self._spreads.get(key) if after else None
        said, found = await asyncio.gather(
            self._written(embedding, filter), self._index.search(queries, filter, k=wanted)
        )
        while True:
            found = await self._with_written(found, said, queries, filter, wanted)
            work = partial(_ranked, embedding, found, said, self._model.judge, spreads)
            used, ranked = await self._searching.run(partial(work, sort=sort, guesses=guesses))
            self._remember(key, spreads := used)
            ranked = await self._folded(ranked)
            start = answer.following(ranked.candidates, after, sort)
            left = ranked.candidates[start:]
            # Where the cut-off ends the answer, candidates that are less like the query are not
            # looked at. The last ones that were looked at don't fit then.
            complete = not found.more or not ranked.all_fit or sort is not Sort.BEST
            if len(left) > k or complete or wanted == MOST_CANDIDATES:
                page = await self._with_concepts(left[:k])
                more = len(left) > k or not complete
                return Page(page, found.searched, more, ranked.verdict)
            wanted = min(4 * wanted, MOST_CANDIDATES)
            found = await self._index.search(queries, filter, k=wanted)

    async def _written(self, embedding: QueryEmbedding, filter: Filter) -> dict[int, Written]:
        """What is written of the words in the pictures of links that the asker may see."""
        if not embedding.terms or filter.kind == "text":
            return {}
        terms, pairs = embedding.terms, embedding.pairs
        mentions = await self._transcripts.mentions((*terms, *pairs), filter)
        if not mentions.exact and not mentions.near:
            return {}
        return await self._searching.run(partial(written, terms, pairs, mentions))

    async def _with_written(
        self,
        found: Found,
        said: Mapping[int, Written],
        queries: Floats,
        filter: Filter,
        most: int,
    ) -> Found:
        """The candidates with those in whose pictures most of the words are written, at most so
        many, though the pictures be least like the words."""
        missing = said.keys() - set(found.links.tolist())
        if filter.only is not None:
            missing &= filter.only
        if not missing:
            return found
        best = heapq.nlargest(most, missing, key=lambda link: (said[link].raises, link))
        only = replace(filter, only=frozenset(best))
        also = await self._index.search(queries, only, k=len(best), sampled=False)
        return found.joined(also, more=len(best) < len(missing))

    def _remember(self, key: Key, spreads: Spreads) -> None:
        self._spreads[key] = spreads
        self._spreads.move_to_end(key)
        while len(self._spreads) > REMEMBERED:
            self._spreads.popitem(last=False)

    async def _folded(self, ranked: Ranked) -> Ranked:
        """The candidates, those that show a copy folded into the first of its copies. Two pictures
        that say something else are no copies here, though they be of one template."""
        items = await self._links.items([one.link for one in ranked.candidates])
        by_item = partial(folding.by_item, ranked.candidates, items)
        candidates = await self._searching.run(by_item)
        first = [one.link for one in candidates[:FOLDED]]
        made = await self._copies.fingerprints(first)
        if len(made) > 1:
            apart = await self._copies.not_copies(list(made))
            said = await self._transcripts.of_links(list(made))
            apart |= await self._searching.run(partial(differing, said))
            work = partial(folding.by_fingerprint, candidates, made, apart)
            candidates = await self._searching.run(work)
        return replace(ranked, candidates=candidates)

    async def _with_concepts(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """The candidates, the first DESCRIBED of them with what the model sees in each."""
        background, first = self._model.background, candidates[:DESCRIBED]
        if background is None or not first:
            return candidates
        vectors = np.stack([one.vector for one in first])
        concepts = await self._searching.run(partial(background.concepts, vectors))
        told = [replace(one, concepts=seen) for one, seen in zip(first, concepts, strict=True)]
        return [*told, *candidates[DESCRIBED:]]

    async def listed(self, filter: Filter, *, k: int, after: Position | None, sort: Sort) -> Page:
        """The `k` links that follow `after`, newest first or oldest first."""
        order = Sort.OLDEST if sort is Sort.OLDEST else Sort.NEWEST
        asked = partial(self._index.listed, k=k, sort=order, after=after)
        listed = await without_source(self._links, filter, asked)
        candidates = [Candidate(link, 0, 0.0, 0.0, NO_VECTOR) for link in listed.links.tolist()]
        verdict = Verdict.SURE if candidates or after else Verdict.NOTHING
        return Page(candidates, listed.searched, listed.more, verdict)

    async def order(self, filter: Filter, *, sort: Sort) -> Ints:
        """All links that the filter allows, newest first or oldest first."""
        order = Sort.OLDEST if sort is Sort.OLDEST else Sort.NEWEST
        asked = partial(self._index.listed, k=ALL, sort=order)
        return (await without_source(self._links, filter, asked)).links


def _ranked(
    embedding: QueryEmbedding,
    found: Found,
    said: Mapping[int, Written],
    judge: Judge,
    spreads: Spreads | None,
    *,
    sort: Sort,
    guesses: bool,
) -> tuple[Spreads, Ranked]:
    """`answer.ranked`, behind the spreads that it used; None: those of the sample."""
    spreads = spreads or Spreads.of(embedding, found.sample)
    of_found = answer.ranked(embedding, found, said, judge, spreads, sort=sort, guesses=guesses)
    return spreads, of_found


def _key(embedding: QueryEmbedding, asked: Filter) -> Key:
    """What the pages of one question have in common: links to leave out come and go between them.

    asked   as the caller gave it: the ids to which traits are resolved come and go, too
    """
    parts = (*embedding.wanted, embedding.minus, embedding.more, embedding.less)
    digest = hashlib.sha256(b"|".join(part.tobytes() for part in parts)).digest()
    return digest, replace(asked, without=frozenset())


def _candidates_for(depth: int, queries: int, sort: Sort) -> int:
    """How many candidates of each query are looked at for the first `depth` hits."""
    if sort is not Sort.BEST:
        return min(max(DATED_CANDIDATES, 2 * depth), MOST_CANDIDATES)
    least = LEAST_CANDIDATES if queries == 1 else LEAST_COMBINED
    return min(max(least, 2 * depth), MOST_CANDIDATES)
