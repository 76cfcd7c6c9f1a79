"""What `bench search` says of links that are added and removed while it asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.search.through_gallery import Load, Nothing, Picture
from bench.search.workload import DIMENSION
from index import Gallery, Sizes

SETTLE_OFTEN = Sizes(settle_rows=60, load_rows=100, held_rows=400)
ADDED, KEPT, SEGMENTS = 12, 150, 3


class HeldBack:
    """A gallery whose removals are done some time before their caller hears of it."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self.removed, self.heard = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gallery, name)

    async def remove_sources(self, space: int, sources: Collection[str]) -> int:
        removed = await self._gallery.remove_sources(space, sources)
        self.removed.set()
        await self.heard.wait()
        return removed


def pictures(count: int, seed: int = 1) -> list[Picture]:
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [(f"{seed} {number}", vector) for number, vector in enumerate(vectors)]


async def test_link_whose_removal_is_under_way_was_not_missed(tmp_path: Path) -> None:
    model: Any = Nothing()
    gallery: Any = HeldBack(await Gallery.open(tmp_path / "gallery.db", model))
    load, (gone, stays, never_added) = Load(), pictures(3)
    await load.add(gallery, [gone, stays])
    removal = asyncio.create_task(load.remove(gallery, [gone]))
    await gallery.removed.wait()
    await load.ask_for_added(gallery, gone)
    assert (load.added_missed, load.left_meanwhile) == (0, 1)
    await load.ask_for_added(gallery, stays)
    assert (load.added_missed, load.left_meanwhile) == (0, 1)
    await load.ask_for_added(gallery, never_added)
    assert (load.added_missed, load.left_meanwhile) == (1, 1)
    gallery.heard.set()
    await removal
    await load.ask_for_removed(gallery, gone)
    await load.ask_for_removed(gallery, stays)
    assert load.deleted_found == 1  # the one that was not removed
    await gallery.close()


@pytest.mark.slow
async def test_no_link_is_lost_from_sight_while_rows_settle(tmp_path: Path) -> None:
    """Rows go from memory to segments, which are merged, while links come and go."""
    model: Any = Nothing()
    gallery = await Gallery.open(tmp_path / "gallery.db", model, sizes=SETTLE_OFTEN)
    load, random, over = Load(), np.random.default_rng(2), asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            for known, asked in ((load.added, True), (load.removed, False)):
                if known:
                    one = known[int(random.integers(len(known)))]
                    await (load.ask_for_added if asked else load.ask_for_removed)(gallery, one)
            await asyncio.sleep(0.005)  # so that rows are settled meanwhile

    asking = [asyncio.create_task(ask()) for _ in range(3)]
    segments, turn = set[str](), 0
    while len(segments) < SEGMENTS:
        await load.add(gallery, pictures(ADDED, seed=turn))
        turn += 1
        while len(load.added) > KEPT:
            places = random.integers(len(load.added) - ADDED, size=ADDED // 2)
            await load.remove(gallery, [load.added.pop(place) for place in places])
        now = await gallery._store.rows.settled()
        segments.update(now.names if now else ())
    over.set()
    await asyncio.gather(*asking)
    for one in load.added:
        await load.ask_for_added(gallery, one)
    assert (load.added_missed, load.deleted_found) == (0, 0)
    await gallery.close()
