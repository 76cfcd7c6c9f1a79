"""Hits as a person looks at them: copies count once, and what is gone from the disk is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from index.cli.vanished import Standing, standing
from index.gallery import Gallery
from index.types.filter import Filter, Sort
from index.types.query import QueryEmbedding
from index.types.records import Answer, Hit, Link

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
    """The first `k` different pictures whose files are not gone.

    mounts   folders where other drives began when they were last seen
    sort, guesses   see `Gallery.search`
    """
    shown: list[Shown] = []
    gone, size = 0, k
    page = first = await gallery.search(embedding, filter, k=size, sort=sort, guesses=guesses)
    while page.hits:
        places = await _places(gallery, page.hits)
        for hit in page.hits:
            here, away, missing = await asyncio.to_thread(_sorted, places[hit.id], mounts)
            gone += missing
            if here or away:
                link, *others = [*here, *away]
                shown.append(Shown(len(shown) + 1, hit, link, others, bool(here)))
            if len(shown) == k:
                return Found(first, shown, gone)
        if not page.more:
            break
        size = min(2 * size, MOST_AT_ONCE)
        page = await gallery.search(
            embedding, filter, k=size, after=page.hits[-1].position, sort=sort, guesses=guesses
        )
    return Found(first, shown, gone)


async def _places(gallery: Gallery, hits: Sequence[Hit]) -> dict[int, list[Link]]:
    """Each hit's link and those of its copies: first the same bytes, by their names, then those
    that are nearly the same, the best first."""
    ids = [id for hit in hits for id in (hit.id, *hit.copies)]
    items = await gallery.links.items(ids)
    copies = await gallery.links.with_ids([id for hit in hits for id in hit.copies])
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
