"""The rows in memory of a gallery in PostgreSQL: they answer as brute force does, whoever writes,
and a question in one space reads nothing of another."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

from index import Filter, Sizes
from index.concurrency import Pool
from index.search.interface import VectorIndex
from index.store.postgres import PostgresStore, transaction
from index.store.postgres.dialect import statement
from index.types.errors import StoreCorrupt
from index.types.records import Changes, EmbeddedPicture, Floats, Group, Link, ModelInfo
from tests import postgres
from tests.index.search.oracle import DIMENSION, Row, some_row, unit
from tests.index.search.source import MemorySource
from tests.index.search.test_vector_index import check

MODEL = ModelInfo("m", "1", DIMENSION)
SMALL, LARGE = Sizes(cached_bytes=0), Sizes()


@dataclass(frozen=True)
class Process:
    """What one process has of the gallery."""

    store: PostgresStore
    index: VectorIndex


@asynccontextmanager
async def process(url: str, sizes: Sizes = LARGE) -> AsyncIterator[Process]:
    store, closed = await PostgresStore.open(url), asyncio.Event()
    searching = Pool(1, "search", closed)
    index = store.vector_index(*[searching] * 3, closed, write=True, sizes=sizes)
    try:
        if await store.model_record.get() is None:
            await store.model_record.set(MODEL)
        await index.load(DIMENSION)
        yield Process(store, index)
    finally:
        closed.set()
        await index.close()
        await searching.close()
        await store.close()


class World:
    """What is in the gallery, as far as its writers have said."""

    def __init__(self, rng: np.random.Generator, chance: random.Random) -> None:
        self.source = MemorySource()
        self._rng, self._chance = rng, chance
        self._links: dict[int, Link] = {}
        self._written = 0

    async def write(self, by: Process, repeated: Floats) -> None:
        """Add, replace and remove something."""
        new = [self._new(repeated) for _ in range(self._chance.randint(1, 12))]
        known = sorted(self._links)
        again = self._chance.sample(known, min(len(known), self._chance.randint(0, 3)))
        for link in again:
            picture, _ = self._new(repeated)
            new.append((picture, self._links[link]))
        await self._change(by, partial(by.store.writes.commit, new))
        gone = self._chance.sample(sorted(self._links), min(len(self._links), 4))
        for space in (1, 2, 3):
            there = [one for id, one in self._links.items() if id in gone and one.space == space]
            sources = [one.source for one in there]
            await self._change(by, partial(by.store.writes.remove_sources, space, sources))
        if self._chance.random() < 0.1:
            await self._change(by, partial(by.store.writes.remove_group, 1, 3))
        if self._chance.random() < 0.1:
            await self._change(by, partial(by.store.writes.remove_space, 2))

    def _new(self, repeated: Floats) -> tuple[EmbeddedPicture, Link]:
        self._written += 1
        row = some_row(self._rng, self._written, repeated)
        picture = EmbeddedPicture(
            *(self._rng.bytes(32), "text" if row.text else "image", row.vectors, 64, 64),
            "said" if row.text else None,
        )
        link = Link(row.space, Group(row.group), str(self._written), "a", row.owner, row.posted, "")
        return picture, link

    async def _change(self, by: Process, write: Callable[[], Awaitable[Changes]]) -> None:
        changes = await by.index.change(write, adds=True)
        for gone in changes.removed:
            self.source.rows.pop(gone, None)
            self._links.pop(gone, None)
        if (added := changes.added) is None:
            return
        start = 0
        for number, (link, frames) in enumerate(zip(added.links, added.frames, strict=True)):
            space, group, text, owner, posted = (
                column[number].item()
                for column in (added.spaces, added.groups, added.texts, added.owners, added.posted)
            )
            vectors = added.vectors[start : start + frames]
            start += int(frames)
            self.source.rows[int(link)] = Row(
                *(int(link), space, group, text, vectors, owner, posted)
            )
        for space in set(added.spaces.tolist()):
            there = await by.store.links.with_ids(space, added.links.tolist())
            self._links |= {id: link for id, (link, _, _) in there.items()}


@pytest.mark.parametrize("sizes", [LARGE, SMALL], ids=["all spaces kept", "one space kept"])
@pytest.mark.parametrize("kept", [10_000, 2], ids=["changes known", "changes forgotten"])
async def test_two_processes_answer_as_brute_force_over_a_random_history(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, sizes: Sizes, kept: int
) -> None:
    """One of them writes, and then both are asked; sometimes one misses many changes."""
    monkeypatch.setattr(transaction, "KEPT_CHANGES", kept)
    rng, chance = np.random.default_rng(kept), random.Random(kept)
    repeated = unit(rng, 1)
    world = World(rng, chance)
    async with process(postgres_url, sizes) as one, process(postgres_url, sizes) as other:
        for _ in range(10):
            for _ in range(chance.choice([1, 1, 4])):
                await world.write(chance.choice([one, one, other]), repeated)
            for asked in (one, other):
                for _ in range(2):
                    await check(asked.index, world.source, unit(rng, 1)[0], rng)


async def test_questions_while_another_process_writes_see_whole_changes(postgres_url: str) -> None:
    """Each write replaces both pictures of a source: a question finds the two old ones or the two
    new ones."""
    rng = np.random.default_rng(1)
    async with process(postgres_url) as writer, process(postgres_url) as asked:
        ended = asyncio.Event()

        async def write() -> None:
            for number in range(40):
                vectors = unit(rng, 1)
                both = [
                    (
                        EmbeddedPicture(rng.bytes(32), "image", vectors, 64, 64),
                        Link(1, Group(1), "s", slot, 1, float(number), ""),
                    )
                    for slot in "ab"
                ]
                await writer.index.change(partial(writer.store.writes.commit, both), adds=True)
            ended.set()

        writing, seen = asyncio.create_task(write()), set[float]()
        while not ended.is_set():
            found = await asked.index.search(unit(rng, 1)[0], Filter(1), k=9)
            assert set(Counter(found.posted.tolist()).values()) <= {2}
            seen |= set(found.posted.tolist())
        await writing
        assert len(seen) > 2


async def test_spaces_that_nobody_asks_in_are_forgotten(postgres_url: str) -> None:
    rng = np.random.default_rng(1)
    async with process(postgres_url) as all_kept, process(postgres_url, SMALL) as one_kept:
        for number in range(60):
            await _add(all_kept, rng, space=number % 3 + 1, source=str(number))
        sizes = []
        for space in (1, 2, 3):
            for asked in (all_kept, one_kept):
                await asked.index.search(unit(rng, 1)[0], Filter(space), k=5)
            sizes.append(one_kept.index.resident_bytes)
        assert all_kept.index.resident_bytes == sum(sizes)
        assert max(sizes) < 2 * min(sizes)


async def _add(by: Process, rng: np.random.Generator, space: int, source: str) -> None:
    picture = EmbeddedPicture(rng.bytes(32), "image", unit(rng, 1), 64, 64)
    link = Link(space, Group(space), source, "a", 1, 1.0, "")
    await by.index.change(partial(by.store.writes.commit, [(picture, link)]), adds=True)


@asynccontextmanager
async def _two_spaces(url: str, here: int, there: int) -> AsyncIterator[np.random.Generator]:
    """A gallery with so many pictures in space 1, and in space 2."""
    rng = np.random.default_rng(1)
    async with process(url) as writer:
        for number in range(here):
            await _add(writer, rng, 1, str(number))
        await _add(writer, rng, 2, "0")
    await postgres.on_server(
        url,
        f"""WITH of_items AS (
            INSERT INTO items (key, kind, width, height)
            SELECT decode(md5(n::text), 'hex'), 'image', 1, 1 FROM generate_series(2, {there}) n
            RETURNING id
        ), of_embeddings AS (
            INSERT INTO embeddings SELECT of_items.id, vectors
            FROM of_items, (SELECT vectors FROM embeddings LIMIT 1) AS one
        )
        INSERT INTO links
            (space, group_id, source, slot, item, owner, posted_at, name, spoiler, details)
        SELECT 2, 2, id::text, 'a', id, 1, 1, '', 0, '{{}}' FROM of_items""",
    )
    for table in ("items", "embeddings", "links"):
        await postgres.on_server(url, f"ANALYZE {table}")
    yield rng


async def test_a_question_in_one_space_is_given_no_row_of_another(postgres_url: str) -> None:
    async with _two_spaces(postgres_url, 5, 5) as rng, AsyncExitStack() as stack:
        # Whoever is given one of these rows can't read it.
        await postgres.on_server(
            postgres_url,
            r"""UPDATE embeddings SET vectors = '\x01' FROM links
            WHERE links.item = embeddings.item AND links.space = 2""",
        )
        asked = await stack.enter_async_context(process(postgres_url))
        assert len((await asked.index.search(unit(rng, 1)[0], Filter(1), k=9)).links) == 5
        with pytest.raises(StoreCorrupt):
            await asked.index.search(unit(rng, 1)[0], Filter(2), k=9)


async def test_a_question_in_one_space_does_not_let_the_server_read_another(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan that PostgreSQL makes by itself reads of each table as many rows as the space has,
    by an index, and leaves none of them out."""
    sent: list[tuple[str, Sequence[Any]]] = []
    chunks = transaction.Transaction.chunks

    def noted(db: transaction.Transaction, sql: str, *params: Any, size: int) -> Any:
        sent.append((statement(sql), params))
        return chunks(db, sql, *params, size=size)

    monkeypatch.setattr(transaction.Transaction, "chunks", noted)
    async with _two_spaces(postgres_url, 20, 40_000) as rng, process(postgres_url) as asked:
        assert len((await asked.index.search(unit(rng, 1)[0], Filter(1), k=50)).links) == 20
        [(sql, params)] = sent
        [(plan,)] = await postgres.on_server(
            postgres_url, f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", *params
        )
        nodes = list(_nodes(json.loads(plan)[0]["Plan"]))
        scans = {node["Relation Name"]: node for node in nodes if "Relation Name" in node}
        assert scans.keys() == {"links", "items", "embeddings"}
        for name, node in scans.items():
            assert node["Node Type"] != "Seq Scan", name
            assert node["Actual Rows"] * node["Actual Loops"] == 20, name
        assert [node for node in nodes if node.get("Rows Removed by Filter")] == []
        conditions = " ".join(node.get("Index Cond", "") for node in nodes)
        assert "space = " in conditions


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
