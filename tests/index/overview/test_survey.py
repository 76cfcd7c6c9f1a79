"""The overview of a gallery: what is counted, and what it is made from."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import EmbeddedPicture, Filter, Gallery, GalleryClosed, Group, Link, Overview
from index.overview import survey
from index.types.records import Floats
from tests.index.colours import ColourEmbedder
from tests.index.overview.bunches import DIMENSION, bunches

OPEN, CLOSED = Group(10), Group(11)


class Wide(ColourEmbedder):
    """An embedder whose vectors have as many numbers as those of the tests."""

    dimension = DIMENSION


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Gallery]:
    gallery = await Gallery.open(path, Wide())
    try:
        yield gallery
    finally:
        await gallery.close()


async def put(
    gallery: Gallery,
    vectors: Floats,
    group: Group,
    *,
    months: Sequence[int] = (1,),
    first: int = 0,
) -> None:
    """A picture for each vector, numbered from `first`, posted in these months of 2024 in turn."""
    items = []
    for number, vector in enumerate(vectors, start=first):
        posted = datetime(2024, months[number % len(months)], 3, tzinfo=UTC).timestamp()
        picture = EmbeddedPicture(f"{group.id} {number}".encode(), "image", vector[None])
        link = Link(1, group, f"{group.id}-{number}", "a", posted_at=posted)
        items.append((picture, link))
    await gallery.commit(items)


async def told(gallery: Gallery, overview: Overview) -> Any:
    """All that an overview tells, with sources for the ids of links."""
    links = await gallery.links.with_ids(1, overview.links.tolist())
    sources = {id: link.source for id, (link, _, _) in links.items()}
    clusters = [
        (one.words, one.count, one.months, [sources[id] for id in one.shown], one.place)
        for one in overview.clusters
    ]
    on_map = [sources[id] for id in overview.links.tolist()]
    return (
        *(overview.count, overview.months, clusters, on_map),
        *(overview.places.tolist(), overview.of.tolist()),
    )


async def test_what_is_closed_changes_nothing_about_an_overview(tmp_path: Path) -> None:
    """Not a cluster, a count, an order, or a place on the map."""
    vectors, others = bunches([20, 12, 16]), bunches([40, 9], seed=7)
    async with opened(tmp_path / "both.db") as both, opened(tmp_path / "open.db") as alone:
        await put(both, others[:25], CLOSED)
        await put(both, vectors, OPEN, months=(1, 3))
        await put(both, others[25:], CLOSED, first=25)
        await put(alone, vectors, OPEN, months=(1, 3))
        seen = await both.overview(Filter(1, frozenset({OPEN.id})))
        expected = await alone.overview(Filter(1))
        assert await told(both, seen) == await told(alone, expected)
        assert (await both.overview(Filter(1))).count == len(vectors) + len(others)


async def test_each_link_is_counted_in_its_cluster_and_month(tmp_path: Path) -> None:
    async with opened(tmp_path / "g.db") as gallery:
        await put(gallery, bunches([30, 10, 20]), OPEN, months=(1, 2))
        overview = await gallery.overview(Filter(1))
    assert [one.count for one in overview.clusters] == [30, 20, 10]
    assert overview.months == {(2024, 1): 30, (2024, 2): 30}
    assert overview.clusters[0].months == {(2024, 1): 15, (2024, 2): 15}
    assert overview.count == 60


async def test_near_copies_are_counted_but_stand_for_nothing(tmp_path: Path) -> None:
    vectors = bunches([10, 10])
    async with opened(tmp_path / "g.db") as gallery:
        await put(gallery, np.concatenate([vectors, vectors[[3] * 200]]), OPEN)
        overview = await gallery.overview(Filter(1))
    assert [one.count for one in overview.clusters] == [210, 10]
    assert len(overview.links) == 20
    assert sorted(len(one.shown) for one in overview.clusters) == [10, 10]


async def test_many_links_are_counted_all_though_the_map_has_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "SAMPLED", 50)
    monkeypatch.setattr(survey, "COUNTED_AT_ONCE", 32)
    async with opened(tmp_path / "g.db") as gallery:
        await put(gallery, bunches([150, 90]), OPEN)
        overview = await gallery.overview(Filter(1))
    assert len(overview.links) == 50
    assert [one.count for one in overview.clusters] == [150, 90]


def test_nearly_the_same_links_are_sampled_when_others_come() -> None:
    many = 3 * survey.SAMPLED
    before = set(survey.sampled(np.arange(many)).tolist())
    after = set(survey.sampled(np.arange(many + many // 20)).tolist())
    assert len(before) == len(after) == survey.SAMPLED
    assert len(before & after) > 0.9 * survey.SAMPLED


async def test_no_links_make_an_empty_overview(tmp_path: Path) -> None:
    async with opened(tmp_path / "g.db") as gallery:
        await put(gallery, bunches([3]), CLOSED)
        overview = await gallery.overview(Filter(1, frozenset({OPEN.id})))
    assert (overview.count, overview.clusters, len(overview.places)) == (0, (), 0)


@pytest.mark.parametrize("ended_by", ["its caller", "the gallery"])
async def test_an_overview_ends_soon(
    ended_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would go on for ever."""
    began, ended = threading.Event(), threading.Event()

    def endless(everything: object, background: object, check: Any) -> None:
        began.set()
        try:
            while True:
                check()
        finally:
            ended.set()

    monkeypatch.setattr("index.gallery.survey", endless)
    async with opened(tmp_path / "g.db") as gallery:
        await put(gallery, bunches([3]), OPEN)
        asking = asyncio.create_task(gallery.overview(Filter(1)))
        assert await asyncio.to_thread(began.wait, 30)
        if ended_by == "its caller":
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        else:
            await gallery.close()
            with pytest.raises(GalleryClosed):
                await asking
        assert await asyncio.to_thread(ended.wait, 30)
