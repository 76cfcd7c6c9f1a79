"""A file and a database of PostgreSQL give the same answers over the same random history."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from index import EmbeddedPicture, Filter, Gallery, Group, Link, ModelInfo, Sizes, Sort
from index.search.interface import VectorIndex
from index.store.opening import open_store
from index.types.derivations import NAMES
from tests.index.search.oracle import unit

MODEL = ModelInfo("seeded", "1", 16)
# The rows of a database are forgotten as soon as another space is asked.
SMALL = Sizes(cached_bytes=0)


@pytest.fixture
async def galleries(tmp_path: Path, postgres_url: str) -> AsyncIterator[list[Gallery]]:
    """A gallery in a file, and two on one database, as two processes have them."""
    places, opened = [str(tmp_path / "gallery.db"), postgres_url, postgres_url], list[Gallery]()
    for place in places[:2]:
        store = await open_store(place, derivations=NAMES)
        await store.model_record.set(MODEL)
        await store.close()
    for place in places:
        opened.append(await Gallery.open(place, sizes=SMALL))
    yield opened
    for gallery in opened:
        await gallery.close()


def _some(rng: np.random.Generator, number: int) -> tuple[EmbeddedPicture, Link]:
    """A picture, an animation or a text of one of three servers with five channels each."""
    kind = "text" if rng.random() < 0.2 else "image"
    frames = 1 if kind == "text" else int(rng.choice([1, 1, 1, 4]))
    text = f"text {number}" if kind == "text" else None
    vectors = unit(rng, frames)
    picture = EmbeddedPicture(rng.bytes(32), kind, vectors, 64, 64, text, revision="1")  # type: ignore[arg-type]
    space = int(rng.integers(1, 4))
    group = Group(space * 10 + int(rng.integers(5)))
    owner, posted_at = int(rng.integers(1, 5)), float(rng.integers(100))
    return picture, Link(space, group, str(number), "a", owner=owner, posted_at=posted_at)


def _filter(rng: np.random.Generator) -> Filter:
    space = int(rng.integers(1, 4))
    groups = frozenset(space * 10 + n for n in rng.choice(5, 3, replace=False).tolist())
    return Filter(
        space,
        groups if rng.random() < 0.5 else None,
        kind=[None, "image", "text"][rng.integers(3)],  # type: ignore[arg-type]
        owners=frozenset({1, 2}) if rng.random() < 0.3 else None,
        since=20.0 if rng.random() < 0.3 else None,
        until=70.0 if rng.random() < 0.3 else None,
    )


async def _answers(gallery: Gallery, query: np.ndarray, filter: Filter, k: int) -> list[object]:
    """All that an index says, with sources for ids, which differ between stores."""
    index: VectorIndex = gallery._engine

    async def sources(ids: np.ndarray) -> list[str]:
        links = await gallery.links.with_ids(filter.space, ids.tolist())
        return [links[id][0].source for id in ids.tolist()]

    found = await index.search(query, filter, k=k)
    listed = await index.listed(filter, k=k, sort=Sort.OLDEST)
    return [
        *(await sources(found.links), found.scores.tolist(), found.frames.tolist()),
        *(found.searched, found.more, len(found.row_links), listed.searched, listed.more),
        sorted(found.posted.tolist()),
        await index.above(query, 0.1, filter),
        await sources(listed.links),
    ]


@pytest.mark.parametrize("seed", range(2))
async def test_same_answers_from_a_file_and_from_a_database(
    seed: int, galleries: list[Gallery]
) -> None:
    """Each change of the database is made by one of the two that have it open."""
    rng, chance, number = np.random.default_rng(seed), random.Random(seed), 0
    file, one, other = galleries
    for _ in range(5):
        batch = [_some(rng, number + n) for n in range(chance.randint(1, 25))]
        number += len(batch)
        gone = [str(n) for n in chance.sample(range(number), min(number, 6))]
        space = chance.randint(1, 3)
        for writer in (file, chance.choice([one, other])):
            await writer.commit(batch)
            await writer.remove_sources(space, gone)
            if seed == 1 and number % 7 == 0:
                await writer.remove_group(space, space * 10 + 1)
        for _ in range(4):
            query, filter, k = unit(rng, 1)[0], _filter(rng), chance.randint(1, 12)
            expected = await _answers(file, query, filter, k)
            assert await _answers(one, query, filter, k) == expected
            assert await _answers(other, query, filter, k) == expected
