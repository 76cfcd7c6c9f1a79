"""All links that a filter allows → an overview of them.

Clusters, names and the map are made from at most SAMPLED of the links. Then each link is counted in
its nearest cluster. Nothing but these links is looked at, so nothing of the overview depends on
others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from index.answering.background import Background
from index.overview.clusters import clustered, directions, distinct, nearest
from index.overview.layout import laid_out
from index.overview.names import names
from index.search.interface import Everything
from index.search.kernels.arguments import Ints
from index.types.overview import Cluster, Month, Overview
from index.types.records import Floats

# Links by which clusters and the map are made. With twice as many, clusters are the same and the
# map takes four times as long.
SAMPLED = 2048
COUNTED_AT_ONCE = 4096
# Links that stand for a cluster: more than are shown, since some may be gone.
SHOWN = 16
# How much a picture that stands for a cluster is like its centre, against how much it is like those
# before it.
VARIETY = 0.4
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def survey(
    everything: Everything, background: Background | None, check: Callable[[], None]
) -> Overview:
    """The overview; for a thread, blocks for seconds.

    background   what the model sees in pictures, for names; None: there are no names
    check        called now and then; what it raises ends the work
    """
    sample = sampled(everything.links)
    vectors, there = everything.vectors(sample)
    vectors, sample = vectors[there], sample[there]
    if not len(vectors):
        return Overview(0, {}, (), everything.links[:0], np.zeros((0, 2), np.float32), sample)
    first = distinct(vectors)
    check()
    vectors, sample = vectors[first], sample[first]
    middle = vectors.mean(axis=0)
    pictures = directions(vectors, middle)
    centres = clustered(pictures, check)
    of = _counted(everything, middle, centres, check)
    order = np.argsort(-np.bincount(of[of >= 0], minlength=len(centres)), kind="stable")
    rank = np.argsort(order)
    of = np.where(of >= 0, rank[of], -1)
    mine = rank[nearest(pictures, centres)]
    links, places = everything.links[sample], laid_out(pictures, check)
    words = names(vectors, mine, background, check) if background else [()] * len(centres)
    months = everything.posted.astype("datetime64[s]").astype("datetime64[M]")
    return Overview(
        count=int(np.count_nonzero(of >= 0)),
        months=_months(months[of >= 0]),
        clusters=tuple(
            Cluster(
                words=words[number],
                count=int(np.count_nonzero(of == number)),
                months=_months(months[of == number]),
                shown=tuple(links[_standing_for(pictures, mine == number, centre)].tolist()),
                place=_middle(places[mine == number]),
            )
            for number, centre in enumerate(centres[order])
        ),
        links=links,
        places=places,
        of=mine,
    )


def sampled(links: Ints) -> Ints:
    """The places of at most SAMPLED links, in the order of their ids.

    Which ones is told by a hash of the id (splitmix64), so nearly all stay when others come.
    """
    if len(links) > SAMPLED:
        mixed = links.astype(np.uint64)
        for shift, factor in zip(_SHIFTS, _MIX, strict=False):
            mixed = (mixed ^ (mixed >> shift)) * factor
        mixed ^= mixed >> _SHIFTS[-1]
        chosen = np.argpartition(mixed, SAMPLED)[:SAMPLED]
    else:
        chosen = np.arange(len(links))
    return chosen[np.argsort(links[chosen])]


def _counted(
    everything: Everything, middle: Floats, centres: Floats, check: Callable[[], None]
) -> Ints:
    """(n,) the cluster of each link; -1 for one that is gone."""
    of = np.full(len(everything.links), -1, np.int64)
    for start in range(0, len(of), COUNTED_AT_ONCE):
        check()
        some = np.arange(start, min(start + COUNTED_AT_ONCE, len(of)))
        vectors, there = everything.vectors(some)
        of[some[there]] = nearest(directions(vectors[there], middle), centres)
    return of


def _months(months: NDArray[np.datetime64]) -> Mapping[Month, int]:
    """How often each month is among these, in their order."""
    found, counts = np.unique(months.astype(np.int64), return_counts=True)
    return {
        (1970 + month // 12, month % 12 + 1): count
        for month, count in zip(found.tolist(), counts.tolist(), strict=True)
    }


def _standing_for(pictures: Floats, member: NDArray[np.bool_], centre: Floats) -> Ints:
    """The places of at most SHOWN pictures of a cluster: near its centre, and unlike each other.

    source   maximal marginal relevance (Carbonell and Goldstein, 1998)
    """
    places = np.flatnonzero(member)
    near = places[np.argsort(-pictures[places] @ centre, kind="stable")][: 8 * SHOWN]
    relevance, likest = pictures[near] @ centre, np.full(len(near), -1.0, np.float32)
    chosen: list[int] = []
    while len(chosen) < min(SHOWN, len(near)):
        worth = (1 - VARIETY) * relevance - VARIETY * np.maximum(likest, 0)
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
        likest = np.maximum(likest, pictures[near] @ pictures[near[chosen[-1]]])
    return near[chosen]


def _middle(places: Floats) -> tuple[float, float]:
    x, y = np.median(places, axis=0).tolist() if len(places) else (0.5, 0.5)
    return x, y
