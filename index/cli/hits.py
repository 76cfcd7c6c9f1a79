"""Hits as a person looks at them: copies count once, and what is gone from the disk is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from index.cli.vanished import Standing, standing
from index.gallery import Gallery
from index.types.filter import Filter
from index.types.query import QueryEmbedding
from index.types.records import Answer, Hit, Link

# Links that are looked at in one step; more steps follow while copies and gone files take places.
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture or text of an answer.

    rank     1 is the first that is shown
    link     where it is: the first place that is there
    copies   other places of the same bytes
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
    shown   best first
    gone    how many files were left out because they no longer exist
    """

    answer: Answer
    shown: list[Shown]
    gone: int


async def look_up(
    gallery: Gallery, embedding: QueryEmbedding, filter: Filter, k: int, mounts: Collection[str]
) -> Found:
    """The `k` best different pictures whose files are not gone.

    mounts   folders where other drives began when they were last seen
    """
    shown: list[Shown] = []
    seen: set[int] = set()
    gone = 0
    size = k
    page = first = await gallery.search(embedding, filter, k=size)
    while page.hits:
        copies = await gallery.links.copies([hit.id for hit in page.hits])
        for hit in page.hits:
            links = copies.get(hit.id, {})
            if hit.id in seen or not links:
                continue
            seen |= links.keys()
            here, away, missing = await asyncio.to_thread(_sorted, links.values(), mounts)
            gone += missing
            if here or away:
                link, *others = [*here, *away]
                shown.append(Shown(len(shown) + 1, hit, link, others, bool(here)))
            if len(shown) == k:
                return Found(first, shown, gone)
        if not page.more:
            break
        size = min(2 * size, MOST_AT_ONCE)
        page = await gallery.search(embedding, filter, k=size, after=page.hits[-1].position)
    return Found(first, shown, gone)


def _sorted(links: Iterable[Link], mounts: Collection[str]) -> tuple[list[Link], list[Link], int]:
    """The links whose files are here, those whose files can't be seen, and how many are gone."""
    standings: dict[Standing, list[Link]] = {"here": [], "away": [], "gone": []}
    for link in sorted(links, key=lambda link: (link.source, len(link.slot), link.slot)):
        standings[standing(link.source, mounts)].append(link)
    return standings["here"], standings["away"], len(standings["gone"])
