"""The rows that search compares: links with vectors, and which of them are in segments."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiosqlite

from index.store.sqlite import columns, statements
from index.store.sqlite.database import Database
from index.store.sqlite.derivations import switch_embeddings, table_of
from index.types.derivations import REEMBEDDING
from index.types.records import (
    Changes,
    Entries,
    Settled,
)

# Rows read at once when the vectors are loaded: 8 MB of vectors of 512 numbers.
CHUNK_ROWS = 4096


class RowSource:
    """The rows of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(
        self, dimension: int, settled: Settled | None = None, *, successor: bool = False
    ) -> AsyncIterator[Entries]:
        """All links with their vectors, in chunks; with `settled`, only those not in its files.

        successor  with the vectors of the model that will follow, as far as there are any
        """
        embeddings = _table(successor=successor)
        wheres: list[tuple[str, Any]] = [("id > ?", settled.newest if settled else 0)]
        if settled is not None and settled.touched:
            older = [link for link in settled.touched if link <= settled.newest]
            wheres.append(("id IN (SELECT value FROM json_each(?))", json.dumps(older)))
        for where, param in wheres:
            chunks = self._database.chunks(
                f"""SELECT links.id, links.space, links.group_id, items.kind = 'text',
                    links.owner, links.posted_at, length(vectors), vectors
                FROM links JOIN items ON items.id = links.item
                JOIN {embeddings} AS embeddings ON embeddings.item = links.item
                WHERE links.{where} ORDER BY links.id""",
                param,
                size=CHUNK_ROWS,
            )
            async with contextlib.aclosing(chunks):
                async for rows in chunks:
                    yield await asyncio.to_thread(
                        columns.chunk_of, self._database.path, rows, dimension
                    )

    async def frames(self, dimension: int, *, successor: bool = False) -> int:
        """How many vectors `entries` will give: the frames of all links."""
        embeddings = _table(successor=successor)
        rows = await self._database.rows(
            f"""SELECT total(length(vectors)) FROM links
            JOIN {embeddings} AS embeddings ON embeddings.item = links.item"""
        )
        return int(rows[0][0]) // (4 * dimension)

    async def settled(self) -> Settled | None:
        """Which links are in which files of settled rows; None when none are."""
        # All links are counted by an index in 5 ms of 1,000,000, those up to one in 60.
        rows = await self._database.rows(
            """SELECT names, newest, (SELECT json_group_array(link) FROM touched),
                (SELECT COUNT(*) FROM links) - (SELECT COUNT(*) FROM links WHERE id > newest)
                - (SELECT COUNT(*) FROM touched JOIN links ON links.id = touched.link)
            FROM settled"""
        )
        if not rows:
            return None
        names, newest, touched, links = rows[0]
        return Settled(tuple(json.loads(names)), newest, frozenset(json.loads(touched)), links)

    async def settle(self, settled: Settled | None) -> None:
        """Remember that; from now on removed and replaced links are noted beside it."""

        await self._database.write(lambda db: statements.put_settled(db, settled))

    async def succeed(self, settled: Settled | None) -> Changes:
        """Let the successor's embeddings be the gallery's, and those of before go, at once.

        Links without one go too: a look at their source finds them again. So do kept questions,
        which the model of before had read. `settled` is of the successor's rows.
        """

        async def write(db: aiosqlite.Connection) -> Changes:
            await db.execute("DELETE FROM settled")
            changes = await statements.drop_links(
                db, f"item NOT IN (SELECT item FROM {table_of(REEMBEDDING)})"
            )
            await switch_embeddings(db)
            await db.execute("DELETE FROM searches")
            await statements.put_settled(db, settled)
            self._database.note_deletion()
            return changes

        return await self._database.write(write)


def _table(*, successor: bool) -> str:
    """A table expression with the columns `item` and `vectors`."""
    if not successor:
        return "embeddings"
    return f"(SELECT item, data AS vectors FROM {table_of(REEMBEDDING)})"
