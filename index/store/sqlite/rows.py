"""The rows that search compares: links with vectors, and which of them are in segments."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from index.store.sql import columns, statements
from index.store.sql.derivations import switch_embeddings, table_of
from index.store.sqlite.database import Database
from index.store.sqlite.settled import put_settled
from index.store.sqlite.transaction import Transaction
from index.types.derivations import REEMBEDDING
from index.types.records import Changes, Entries, Settled

# Rows read at once when the vectors are loaded: 8 MB of vectors of 512 numbers.
CHUNK_ROWS = 4096


class RowSource:
    """The rows of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(
        self, dimension: int, settled: Settled | None = None, *, successor: bool = False
    ) -> AsyncIterator[Entries]:
        """All links with their vectors, in chunks, by id.

        settled    leave out the links that are in these files
        successor  with the vectors of the re-embedding, as far as there are any
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
                        columns.chunk_of, self._database.place, rows, dimension
                    )

    async def frames(self, dimension: int, *, successor: bool = False) -> int:
        """How many vectors `entries` gives: the frames of all links."""
        embeddings = _table(successor=successor)
        rows = await self._database.rows(
            f"""SELECT total(length(vectors)) FROM links
            JOIN {embeddings} AS embeddings ON embeddings.item = links.item"""
        )
        return int(rows[0][0]) // (4 * dimension)

    async def settled(self) -> Settled | None:
        """What `settle` was last told, with the links that were removed or replaced since; None
        when nothing is in files."""
        # Of 1,000,000 links, an index counts all in 5 ms, and those up to an id in 60 ms. So the
        # newer ones, which are few, are counted and subtracted.
        rows = await self._database.rows(
            """SELECT names, newest, (SELECT json_group_array(link) FROM touched),
                (SELECT COUNT(*) FROM links)
                - (SELECT COUNT(*) FROM touched
                    WHERE EXISTS (SELECT 1 FROM links WHERE links.id = touched.link)),
                (SELECT COUNT(*) FROM links WHERE id > newest)
            FROM settled"""
        )
        if not rows:
            return None
        names, newest, touched, links, newer = rows[0]
        touched = frozenset(json.loads(touched))
        return Settled(tuple(json.loads(names)), newest, touched, links - newer, newer)

    async def settle(self, settled: Settled | None) -> None:
        """Remember which links are in which files. From now on, those that are removed or replaced
        are noted."""
        await self._database.write(lambda db: put_settled(db.connection, settled))

    async def switch_model(self, settled: Settled | None) -> Changes:
        """Make the results of the re-embedding the gallery's embeddings, in one transaction.

        Links whose item has none are removed: a look at their source finds them again. Saved
        searches are removed too, since their vectors are of the old model.

        settled  which of the new rows are in files
        """

        async def write(db: Transaction) -> Changes:
            await db.execute("DELETE FROM settled")
            changes = await statements.drop_links(
                db, f"item NOT IN (SELECT item FROM {table_of(REEMBEDDING)})"
            )
            await switch_embeddings(db)
            await db.execute("DELETE FROM searches")
            await put_settled(db.connection, settled)
            self._database.note_deletion()
            return changes

        return await self._database.write(write)


def _table(*, successor: bool) -> str:
    """A table expression with the columns `item` and `vectors`."""
    if not successor:
        return "embeddings"
    return f"(SELECT item, data AS vectors FROM {table_of(REEMBEDDING)})"
