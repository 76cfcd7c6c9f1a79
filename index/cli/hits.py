"""Hits as a person looks at them: copies count once, and what is gone from the disk is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from index.cli.place import SPACE
from index.cli.vanished import Standing, standing
from index.gallery import Gallery
from index.types.filter import Filter, Sort
from index.types.query import QueryEmbedding
from index.types.records import Answer, Hit, Link, Position

# Links that are looked at in one step; more steps follow while copies and gone files take places.
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture or text of an answer.

    rank     1 is the first that is shown
    link     where it is: the first place that is there
    copies   other places of the same picture, or of one that is nearly the same
    is_here  whether its file can be seen now; else a drive may not be connected
    """

    rank: int
    hit: Hit
    link: Link
    copies: Sequence[Link]
    is_here: bool


@dataclass(frozen=True, slots=True)
class Found:
    """An answer of at most `k` different pictures.

    answer  the first page of the gallery's answer
    shown   in the order that was asked for
    gone    how many files were left out because they no longer exist
    """

    answer: Answer
    shown: list[Shown]
    gone: int


class Search:
    """A search that goes on for as long as more of it is wanted. Use it one call at a time.

    mounts   folders where other drives began when they were last seen
    sort, guesses   see `Gallery.search`
    """

    def __init__(
        self,
        embedding: QueryEmbedding,
        filter: Filter,
        mounts: Collection[str],
        *,
        sort: Sort = Sort.BEST,
        guesses: bool = False,
    ) -> None:
        self._embedding, self._filter, self._mounts = embedding, filter, mounts
        self._sort, self._guesses = sort, guesses
        self._first: Answer | None = None
        self._waiting: list[Hit] = []  # hits whose files were not looked at yet
        self._places: dict[int, list[Link]] = {}  # of these
        self._after: Position | None = None
        self._more = True
        self._shown: list[Shown] = []
        self._gone = 0

    async def found(self, gallery: Gallery, k: int) -> Found:
        """The first `k` different pictures whose files are not gone."""
        size = max(k - len(self._shown), 1)
        while len(self._shown) < k and (self._waiting or self._more):
            if not self._waiting:
                await self._read_on(gallery, size)
                size = min(2 * size, MOST_AT_ONCE)
            while self._waiting and len(self._shown) < k:
                await self._look_at(self._waiting.pop(0))
        assert self._first is not None
        return Found(self._first, self._shown[:k], self._gone)

    def more(self, k: int) -> bool:
        """Whether anything may come after the first `k`, which were found."""
        return len(self._shown) > k or bool(self._waiting) or self._more

    async def _read_on(self, gallery: Gallery, size: int) -> None:
        page = await gallery.search(
            *(self._embedding, self._filter),
            k=size,
            after=self._after,
            sort=self._sort,
            guesses=self._guesses,
        )
        self._first = self._first or page
        self._more = page.more and bool(page.hits)
        self._waiting = list(page.hits)
        self._places = await _places(gallery, page.hits)
        if page.hits:
            self._after = page.hits[-1].position

    async def _look_at(self, hit: Hit) -> None:
        places = self._places[hit.id]
        here, away, missing = await asyncio.to_thread(_sorted, places, self._mounts)
        self._gone += missing
        if here or away:
            link, *others = [*here, *away]
            self._shown.append(Shown(len(self._shown) + 1, hit, link, others, bool(here)))


async def look_up(
    gallery: Gallery,
    embedding: QueryEmbedding,
    filter: Filter,
    k: int,
    mounts: Collection[str],
    *,
    sort: Sort = Sort.BEST,
    guesses: bool = False,
) -> Found:
    """The first `k` different pictures whose files are not gone; see `Search`."""
    search = Search(embedding, filter, mounts, sort=sort, guesses=guesses)
    return await search.found(gallery, k)


async def _places(gallery: Gallery, hits: Sequence[Hit]) -> dict[int, list[Link]]:
    """Each hit's link and those of its copies: first the same bytes, by their names, then those
    that are nearly the same, the best first."""
    ids = [id for hit in hits for id in (hit.id, *hit.copies)]
    items = await gallery.links.items(ids)
    copies = await gallery.links.with_ids(SPACE, [id for hit in hits for id in hit.copies])
    places: dict[int, list[Link]] = {}
    for hit in hits:
        links = {hit.id: hit.link, **{id: copies[id][0] for id in hit.copies if id in copies}}
        same = [link for id, link in links.items() if items.get(id) == items.get(hit.id)]
        similar = [link for id, link in links.items() if items.get(id) != items.get(hit.id)]
        places[hit.id] = [*sorted(same, key=_by_name), *similar]
    return places


def _by_name(link: Link) -> tuple[str, int, str]:
    return link.source, len(link.slot), link.slot


def _sorted(links: Iterable[Link], mounts: Collection[str]) -> tuple[list[Link], list[Link], int]:
    """The links whose files are here, those whose files can't be seen, and how many are gone."""
    standings: dict[Standing, list[Link]] = {"here": [], "away": [], "gone": []}
    for link in links:
        standings[standing(link.source, mounts)].append(link)
    return standings["here"], standings["away"], len(standings["gone"])
